//! How things are said on pages.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::db::models::job_list::Listed;
use crate::domain::ids::{JobId, JobNumber, ReleaseNumber};
use crate::domain::job::JobState;
use crate::domain::oid::Oid;

/// A time, as people read it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) DateTime<Utc>);

impl Moment {
    /// As programs read it.
    pub(super) fn iso(&self) -> String {
        self.0.to_rfc3339()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} UTC", self.0.format("%Y-%m-%d %H:%M"))
    }
}

/// A job in a list.
pub(super) struct JobRow {
    pub(super) id: JobId,
    pub(super) number: JobNumber,
    pub(super) state: JobState,
    /// `acme/shop`.
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) commit: String,
    pub(super) subject: String,
    pub(super) pusher: String,
    pub(super) created: Moment,
}

impl JobRow {
    pub(super) fn new(job: Listed) -> Self {
        Self {
            id: job.id,
            number: job.number,
            state: job.state,
            project: format!("{}/{}", job.account.1, job.project.1),
            environment: job.environment.to_string(),
            commit: job.commit.map(Oid::short).unwrap_or_default(),
            subject: job.subject,
            pusher: job.pusher,
            created: Moment(job.created_at),
        }
    }
}

/// What serves, in words.
pub(super) fn serves((number, commit): (ReleaseNumber, Oid)) -> String {
    format!("{number} at {}", commit.short())
}

/// What was done before a page is shown again, as its address says it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Done {
    done: Option<String>,
}

/// Words of addresses, and what they say: an address makes no other words.
const DONE: [(&str, &str); 26] = [
    ("account", "The account is there. Its projects and members come next."),
    ("account-gone", "The account is deleted. What it deployed goes on."),
    ("back", "It is back."),
    ("back-without", "It is back. Its repository is gone by now: push again."),
    ("changed", "It is changed."),
    ("cluster", "The target is there. The first one makes the default branch deploy to it."),
    ("cluster-gone", "The target is gone. What runs there goes on."),
    ("factor-gone", "Your second factor is off: your password is enough again."),
    ("key", "The key is there: push with it."),
    ("key-gone", "The key is gone. Nothing is accepted with it any more."),
    ("member", "They are a member, as you said."),
    ("member-gone", "They are no member any more."),
    ("password", "Your password is changed, and you are signed out everywhere else."),
    ("project", "The project is there: push to it."),
    ("project-gone", "The project is deleted. What it deployed goes on."),
    ("purged", "It is removed for good."),
    ("registry", "Images are pushed there, from the next deployment on."),
    ("registry-gone", "It has no registry any more."),
    ("rule", "The rule is set, for pushes from now on."),
    ("rule-gone", "The rule is gone: those refs are stored from now on, and not deployed."),
    ("source", "Its commits come from there now. Test it, then deploy what is new."),
    ("source-gone", "It takes pushes again."),
    ("token-gone", "The token is gone. Nothing is accepted with it any more."),
    ("user-gone", "They are deleted: no key or token of theirs does anything."),
    ("variable", "The variable is set, from the next deployment on."),
    ("variable-gone", "The variable is gone, from the next deployment on."),
];

impl Done {
    /// What is said.
    pub(super) fn words(&self) -> Option<&'static str> {
        let done = self.done.as_deref()?;
        DONE.iter().find(|(word, _)| *word == done).map(|(_, text)| *text)
    }
}
