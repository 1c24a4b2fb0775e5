//! What became of targets when a release was taken back.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of each target, by its name.
pub type UndoneTargets = BTreeMap<String, Undone>;

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Undone {
    /// The release had not come there.
    Untouched,
    /// It is what it was, but for disks that were emptied.
    PutBack {
        /// Disks whose data is lost, such as `data of web`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<String>,
    },
    /// It is not what it was.
    NotPutBack {
        /// Why.
        reason: String,
        /// Disks whose data is lost.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<String>,
    },
}

impl Undone {
    /// Disks whose data is lost.
    pub fn lost(&self) -> &[String] {
        match self {
            Self::Untouched => &[],
            Self::PutBack { lost } | Self::NotPutBack { lost, .. } => lost,
        }
    }
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untouched => f.write_str("untouched"),
            Self::PutBack { .. } => f.write_str("put back"),
            Self::NotPutBack { reason, .. } => write!(f, "not put back: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_is_stored_by_its_word_and_read_again() {
        let lost = vec!["data of web".to_owned()];
        for (undone, stored, told) in [
            (Undone::Untouched, json!({"state": "untouched"}), "untouched"),
            (Undone::PutBack { lost: Vec::new() }, json!({"state": "put-back"}), "put back"),
            (
                Undone::NotPutBack { reason: "it is away".to_owned(), lost: lost.clone() },
                json!({"state": "not-put-back", "reason": "it is away", "lost": lost}),
                "not put back: it is away",
            ),
        ] {
            assert_eq!(serde_json::to_value(&undone).unwrap(), stored);
            assert_eq!(undone.to_string(), told);
            assert_eq!(serde_json::from_value::<Undone>(stored).unwrap(), undone);
        }
    }
}
