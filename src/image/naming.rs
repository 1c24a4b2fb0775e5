//! Names of built images, in the form that engines and registries accept.

use sha2::{Digest, Sha256};

use crate::domain::slug::{AccountSlug, ProjectSlug};

/// Longest tag.
const LONGEST_TAG: usize = 128;

/// `account/project/name`, each part made of lower-case words between single separators.
///
/// Different accounts and projects never share a repository.
pub(super) fn repository(account: &AccountSlug, project: &ProjectSlug, name: &str) -> String {
    format!("{}/{}/{}", slug(account.as_str()), slug(project.as_str()), component(name))
}

/// A slug may end in dashes and a part may not: their number stands there instead, behind a
/// character that no slug has.
fn slug(slug: &str) -> String {
    let trimmed = slug.trim_end_matches('-');
    match slug.len() - trimmed.len() {
        0 => slug.to_owned(),
        dashes => format!("{trimmed}_{dashes}"),
    }
}

/// The name of an image; what had to be changed in it leaves five digits, so that two names that
/// come to the same text stay apart.
fn component(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_lowercase());
        } else if !text.is_empty() && !text.ends_with(['-', '.', '_']) {
            text.push(if matches!(c, '.' | '_') { c } else { '-' });
        }
    }
    text.truncate(text.trim_end_matches(['-', '.', '_']).len());
    if text == name {
        return text;
    }
    let hash = Sha256::digest(name);
    let digits: String = hash.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let digits: String = digits.chars().take(5).collect();
    if text.is_empty() { digits } else { format!("{text}-{digits}") }
}

/// A tag and what is added to it.
pub(super) fn tag(tag: &str, suffix: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let tag = tag.chars().map(|c| if allowed(c) { c } else { '-' });
    let tag = tag.skip_while(|c| matches!(c, '.' | '-'));
    let tag: String = tag.take(LONGEST_TAG.saturating_sub(suffix.len())).collect();
    if tag.is_empty() { format!("latest{suffix}") } else { format!("{tag}{suffix}") }
}

/// A name whose tag has something added to it.
pub(super) fn with_suffix(name: &str, suffix: &str) -> String {
    let (repository, own) = name.rsplit_once(':').unwrap_or((name, "latest"));
    format!("{repository}:{}", tag(own, suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_repositories_become_some_and_stay_apart() {
        let name = |account: &str, name| {
            repository(&account.parse().unwrap(), &"shop".parse().unwrap(), name)
        };
        assert_eq!(name("acme", "web"), "acme/shop/web");
        assert_eq!(name("acme--", "web.v2"), "acme_2/shop/web.v2");
        assert_eq!(name("acme", "Web"), "acme/shop/web-29751");
        assert_eq!(name("acme", "WEB"), "acme/shop/web-9dcfa");
        assert_eq!(name("acme", "..//é"), "acme/shop/58ece");
    }

    #[test]
    fn a_tag_begins_with_a_word_and_has_128_characters_at_most() {
        assert_eq!(tag("8.3-production", ""), "8.3-production");
        assert_eq!(tag("-.a b", "-job1"), "a-b-job1");
        assert_eq!(tag("", ""), "latest");
        assert_eq!(tag(&"x".repeat(200), "-job1").len(), 128);
    }

    #[test]
    fn a_platform_is_added_to_a_tag() {
        assert_eq!(with_suffix("acme/shop/web:1", "-linux-arm64"), "acme/shop/web:1-linux-arm64");
    }
}
