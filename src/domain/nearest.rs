//! "Did you mean …?"

/// The candidate nearest to what was written, if one is near enough to be a slip.
///
/// Near means at most a third of the letters differ, and at least one edit is always allowed.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = written.chars().count();
    let allowed = (length / 3).max(1);
    // Each edit changes the length by one at most: most words need no closer look.
    let may_be = |candidate: &&str| candidate.chars().count().abs_diff(length) <= allowed;
    candidates
        .into_iter()
        .filter(may_be)
        .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let known = ["no-wait", "json", "quiet", "skip"];
        assert_eq!(nearest("nowait", known), Some("no-wait"));
        assert_eq!(nearest("jsno", known), Some("json"));
        assert_eq!(nearest("deploy", known), None);
    }
}
