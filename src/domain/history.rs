//! One row of a job's History.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Attempt, Seq};
use crate::domain::job::Outcome;
use crate::domain::output::clean;
use crate::domain::words::words;

/// Longest text of a row in bytes.
pub const LONGEST_TEXT: usize = 1_000;

words! {
    /// Part of a deployment, by the verb people see.
    Step, "step of a deployment" {
        /// Who deploys what where; the first row of every History.
        Job = "job",
        /// Waiting for the environment.
        Queue = "queue",
        /// Writing the commit's files to a workspace.
        Checkout = "checkout",
        /// Compiling `.paas.yaml`.
        Check = "check",
        /// Running build hooks.
        Hooks = "hooks",
        /// Building an image.
        Image = "image",
        /// Numbering and storing what is about to be applied.
        Release = "release",
        /// What would change, where nothing is to be changed.
        Plan = "plan",
        /// Starting it, and waiting until it is healthy.
        Rollout = "rollout",
        /// Sending people to it.
        Route = "route",
        /// Moving the branch.
        Ref = "ref",
        /// It serves.
        Live = "live",
        /// A failed deployment was taken back.
        Undone = "undone",
        /// What one can do now.
        Help = "help",
        /// It is over, and never was live.
        Ended = "ended",
    }
}

words! {
    /// What a row says.
    EntryKind, "kind of History row" {
        /// A step begins; shown when it has a text.
        Step = "step",
        /// A line of a tool's output, within a step.
        Line = "line",
        /// What a step came to, with its duration.
        Result = "result",
        /// The job ended; always the last row.
        End = "end",
    }
}

/// What a row carries besides its text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// Duration of the step in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// How the job ended; only in its last row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The outcome.
    pub outcome: Outcome,
    /// The step it failed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<Step>,
    /// Why, in a few words; empty when it is live.
    #[serde(default)]
    pub reason: String,
    /// What a follower exits with: 0 live or planned, 1 anything else.
    pub exit_code: u8,
}

/// A row about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The step it belongs to.
    pub step: Step,
    /// What it says.
    pub kind: EntryKind,
    /// At most [`LONGEST_TEXT`] bytes, free of control characters but SGR.
    pub text: String,
    /// Durations and outcomes.
    pub extra: Extra,
}

impl NewEntry {
    /// A row without anything extra; what would not be safe to show is taken from its text.
    pub fn new(step: Step, kind: EntryKind, text: impl Into<String>) -> Self {
        let text = clean(text.into().replace('\n', " ").as_bytes());
        Self { step, kind, text, extra: Extra::default() }
    }

    /// What a step came to, after so many milliseconds.
    pub fn result(step: Step, text: impl Into<String>, ms: u64) -> Self {
        let extra = Extra { ms: Some(ms), end: None };
        Self { extra, ..Self::new(step, EntryKind::Result, text) }
    }

    /// The last row of a job.
    pub fn end(step: Step, text: impl Into<String>, ms: Option<u64>, end: End) -> Self {
        let extra = Extra { ms, end: Some(end) };
        Self { extra, ..Self::new(step, EntryKind::End, text) }
    }
}

/// Cuts a text at a character border so that it has at most so many bytes, an ellipsis included.
pub fn truncate(text: &mut String, longest: usize) {
    if text.len() <= longest {
        return;
    }
    let mut end = longest.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Position in the job's History.
    pub seq: Seq,
    /// The run that wrote it; 0 for the handler and others outside a run.
    pub attempt: Attempt,
    /// The step it belongs to.
    pub step: Step,
    /// What it says.
    pub kind: EntryKind,
    /// The text.
    pub text: String,
    /// When it was written.
    pub date: DateTime<Utc>,
    /// Durations and outcomes.
    #[serde(flatten)]
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_are_shown() {
        for step in Step::ALL {
            assert_eq!(step.as_str().parse::<Step>().as_ref(), Ok(step));
        }
        for kind in EntryKind::ALL {
            assert_eq!(kind.as_str().parse::<EntryKind>().as_ref(), Ok(kind));
        }
    }

    #[test]
    fn a_row_holds_nothing_that_repaints_a_terminal() {
        let text = "a \u{1b}[2J\u{1b}[31mred\u{1b}[0m\nb \u{202e}c\u{9b}31md";
        let entry = NewEntry::new(Step::Job, EntryKind::Step, text);
        assert_eq!(entry.text, "a \u{1b}[31mred\u{1b}[0m b c31md\u{1b}[0m");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let entry = NewEntry::new(Step::Image, EntryKind::Line, "é".repeat(600));
        assert!(entry.text.len() <= LONGEST_TEXT);
        assert!(entry.text.ends_with('…'));
    }
}
