//! The refs of a repository elsewhere, as `git ls-remote` prints them.

use crate::domain::git_ref::RefName;
use crate::domain::oid::Oid;
use crate::git::remote::RemoteError;

/// Reads one ref a line; names that could not be pushed here are left out.
pub(super) fn read(printed: &[u8]) -> Result<Vec<(RefName, Oid)>, RemoteError> {
    let text = String::from_utf8_lossy(printed);
    let mut refs = Vec::new();
    for line in text.lines() {
        let (oid, name) = line.split_once('\t').ok_or(RemoteError::Listing)?;
        let oid: Oid = oid.parse().map_err(|_other_form| RemoteError::Listing)?;
        if let Ok(name) = name.parse::<RefName>() {
            refs.push((name, oid));
        }
    }
    Ok(refs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f";

    #[test]
    fn branches_and_tags_are_read_and_others_left_out() {
        let printed = format!(
            "{OID}\trefs/heads/main\n{OID}\trefs/pull/1/head\n{OID}\trefs/heads/a..b\n\
             {OID}\trefs/tags/v1\n"
        );
        let names: Vec<String> =
            read(printed.as_bytes()).unwrap().iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["refs/heads/main", "refs/tags/v1"]);
        assert_eq!(read(b"").unwrap(), []);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for printed in ["hello", "3f3f\trefs/heads/main", &format!("{OID}{OID}\trefs/heads/main")] {
            assert!(matches!(read(printed.as_bytes()), Err(RemoteError::Listing)), "{printed}");
        }
    }
}
