//! What a job put live.

use std::collections::BTreeMap;

use crate::domain::pinned::Pinned;
use crate::domain::words::words;

words! {
    /// Where a release stands.
    ReleaseState, "state of a release" {
        /// Being applied.
        Pending = "pending",
        /// It serves.
        Live = "live",
        /// It could not be applied, and was taken back.
        Failed = "failed",
        /// A later one serves.
        Replaced = "replaced",
    }
}

/// Images by the reference that containers name them with.
pub type PinnedImages = BTreeMap<String, Pinned>;

/// The key of a shared volume's image among the pinned ones, which no image's reference is: these
/// have a `:` or an `@`.
pub fn volume_reference(key: &str) -> String {
    format!("volumes.{key}")
}

/// What differs between two releases, in the words of the `release` line.
pub fn describe_change(
    images: (&PinnedImages, &PinnedImages),
    variables: (&BTreeMap<String, String>, &BTreeMap<String, String>),
) -> String {
    let images = changed(images.0, images.1);
    let variables = changed(variables.0, variables.1);
    let parts: Vec<String> = [(images, "image"), (variables, "variable")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// How many entries were added, removed or changed.
fn changed<V: PartialEq>(before: &BTreeMap<String, V>, after: &BTreeMap<String, V>) -> usize {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).count();
    gone + after.iter().filter(|(key, value)| before.get(*key) != Some(value)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_what_was_added_removed_and_changed() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let none = PinnedImages::new();
        let one = PinnedImages::from([("web".to_owned(), Pinned::ImageId("sha256:1".into()))]);
        let before = map(&[("A", "1"), ("B", "1")]);
        let after = map(&[("A", "2"), ("C", "1")]);
        assert_eq!(describe_change((&none, &one), (&before, &after)), "1 image, 3 variables");
        assert_eq!(describe_change((&one, &one), (&after, &after)), "nothing");
    }
}
