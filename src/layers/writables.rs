//! What an application may write: patterns, expanded over a base and what is put over it.

use tokio_util::sync::CancellationToken;

use crate::image::layer::User;
use crate::image::pattern::Pattern;
use crate::layers::placing::Overlay;
use crate::layers::tree::Key;
use crate::layers::{LayerError, go_on};

/// Longest pattern in bytes.
const LONGEST: usize = 4096;

/// Gives everything that a pattern means to the user; where it matches nothing there will be a
/// folder.
pub(super) fn own(
    overlay: &mut Overlay<'_>,
    patterns: &[String],
    user: User,
    stop: &CancellationToken,
) -> Result<(), LayerError> {
    // All of them mean the files as they are declared, whoever owns what by another pattern.
    let (mut found, mut alone): (Vec<Key>, Vec<Key>) = (Vec::new(), Vec::new());
    for text in patterns {
        if text.len() > LONGEST {
            return Err(LayerError::LongPath);
        }
        let pattern = Pattern::parse(text).ok_or_else(|| LayerError::Pattern(text.clone()))?;
        let literal = pattern.literal();
        let is_literal = Some(literal.len()) == names(text);
        let folder = overlay.resolve(literal.join("/").as_bytes(), text)?;
        let mut is_matched = false;
        if is_literal && overlay.has(&folder) {
            is_matched = true;
            found.push(folder.clone());
        }
        let below = if is_literal { Vec::new() } else { overlay.below(&folder) };
        for key in below {
            go_on(stop)?;
            // The pattern is about names below where its first ones lead to.
            let path = String::from_utf8_lossy(&key);
            let own = String::from_utf8_lossy(&folder);
            let rest = path.strip_prefix(&*own).unwrap_or(&path);
            let names = literal.iter().map(String::as_str).chain([rest.trim_start_matches('/')]);
            if pattern.matches(&names.collect::<Vec<_>>().join("/")) {
                is_matched = true;
                found.push(key);
            }
        }
        if !is_matched {
            overlay.folder(&folder, text)?;
            // What is in it was not meant.
            alone.push(folder);
        }
    }
    found.sort();
    let mut last: Option<Key> = None;
    for key in found {
        // With a folder goes what is in it.
        let is_given = last.as_ref().is_some_and(|last| {
            key.strip_prefix(last.as_slice())
                .is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
        });
        if !is_given {
            go_on(stop)?;
            overlay.give(&key, user);
            last = Some(key);
        }
    }
    for key in alone {
        overlay.give_alone(&key, user);
    }
    Ok(())
}

/// How many names a path without wildcards has; none where it has some.
fn names(text: &str) -> Option<usize> {
    let count = text.split('/').filter(|name| !matches!(*name, "" | ".")).count();
    (!text.contains(['*', '?', '[', '\\', ']'])).then_some(count)
}
