//! What a hook and the server say to each other: one JSON object a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::push::RawUpdate;

/// Longest request in bytes; a push of more refs than are allowed still fits.
pub(super) const LONGEST_REQUEST: u64 = 16 * 1024 * 1024;

/// The one thing a hook says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    /// What it proves itself with.
    pub(super) session: String,
    /// What it asks.
    pub(super) ask: Ask,
}

/// What a hook asks.
#[expect(clippy::enum_variant_names, reason = "the hooks are called so")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hook", rename_all = "kebab-case")]
pub(super) enum Ask {
    /// May this push be stored?
    PreReceive {
        /// Push options as bytes: they may be anything.
        options: Vec<Vec<u8>>,
        /// Refs to change.
        updates: Vec<RawUpdate>,
        /// Where its objects are until then.
        quarantine: Option<PathBuf>,
    },
    /// What becomes of these refs?
    ProcReceive {
        /// Push options as bytes.
        options: Vec<Vec<u8>>,
        /// Refs to change.
        updates: Vec<RawUpdate>,
    },
    /// The push is over.
    PostReceive,
}

/// What the server says, until it has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reply {
    /// A line for the pusher.
    Line(String),
    /// What git is told about each ref; the last reply to `ProcReceive`.
    Answers(Vec<WireAnswer>),
    /// The hook's exit status; the last reply to the others.
    Exit(u8),
}

/// The answer for one ref, in git's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WireAnswer {
    /// The ref.
    pub(super) name: String,
    /// Why it was not changed, if it was not.
    pub(super) rejected: Option<String>,
    /// Where it is, when that is not where it was pushed to.
    pub(super) new_oid: Option<String>,
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn messages_are_pinned() {
        let update = RawUpdate { old: "0".into(), new: "1".into(), name: "refs/heads/a".into() };
        let ask = Ask::ProcReceive { options: vec![b"A=1".to_vec()], updates: vec![update] };
        let request = Request { session: "s".into(), ask };
        assert_snapshot!(serde_json::to_string(&request).unwrap(), @r#"{"session":"s","ask":{"hook":"proc-receive","options":[[65,61,49]],"updates":[{"old":"0","new":"1","name":"refs/heads/a"}]}}"#);
        let rejected = Some("job 1: x".to_owned());
        let answer = WireAnswer { name: "refs/heads/a".into(), rejected, new_oid: None };
        let replies = [Reply::Line("x".into()), Reply::Answers(vec![answer]), Reply::Exit(1)];
        assert_snapshot!(serde_json::to_string(&replies).unwrap(), @r#"[{"line":"x"},{"answers":[{"name":"refs/heads/a","rejected":"job 1: x","new_oid":null}]},{"exit":1}]"#);
    }
}
