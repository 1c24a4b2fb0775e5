//! What an application may write: patterns, expanded over a base and what is put over it.

use crate::image::layer::User;
use crate::image::pattern::Pattern;
use crate::layers::LayerError;
use crate::layers::placing::Overlay;
use crate::layers::tree::Key;

/// Gives everything that a pattern means to the user; what matches nothing becomes a folder.
pub(super) fn own(
    overlay: &mut Overlay<'_>,
    patterns: &[String],
    user: User,
) -> Result<(), LayerError> {
    // All of them mean the files as they are declared, whoever owns what by another pattern.
    let mut found: Vec<Key> = Vec::new();
    for text in patterns {
        let pattern = Pattern::parse(text).ok_or_else(|| LayerError::Pattern(text.clone()))?;
        let literal = pattern.literal();
        let is_literal = Some(literal.len()) == names(text);
        let folder = overlay.resolve(literal.join("/").as_bytes(), text)?;
        let matched: Vec<Key> = if is_literal {
            overlay.has(&folder).then(|| folder.clone()).into_iter().collect()
        } else {
            let own = String::from_utf8_lossy(&folder).into_owned();
            let below = overlay.below(&folder).into_iter();
            // The pattern is about names below where its first ones lead to.
            let meant = |key: &Key| {
                let path = String::from_utf8_lossy(key);
                let rest = path.strip_prefix(own.as_str()).unwrap_or(&path);
                let names =
                    literal.iter().map(String::as_str).chain([rest.trim_start_matches('/')]);
                pattern.matches(&names.collect::<Vec<_>>().join("/"))
            };
            below.filter(meant).collect()
        };
        if matched.is_empty() {
            overlay.folder(&folder, text)?;
            found.push(folder);
        }
        found.extend(matched);
    }
    for key in found {
        overlay.give(&key, user);
    }
    Ok(())
}

/// How many names a path without wildcards has; none where it has some.
fn names(text: &str) -> Option<usize> {
    let count = text.split('/').filter(|name| !matches!(*name, "" | ".")).count();
    (!text.contains(['*', '?', '[', '\\', ']'])).then_some(count)
}
