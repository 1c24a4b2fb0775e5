//! What git is told about each ref.

use crate::db::models::job::Job;
use crate::domain::git_ref::RefName;
use crate::domain::history::End;
use crate::domain::job::{Outcome, PLAN_ONLY, RefResult};
use crate::domain::oid::Oid;
use crate::domain::output::is_unsafe;
use crate::progress::rejection;

/// Longest reason in characters: git prints it behind the ref's name, on one line.
const LONGEST_REASON: usize = 200;

/// The answer for one ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefAnswer {
    /// The ref's full name, as git told it.
    pub name: String,
    /// Whether it was changed.
    pub answer: Answer,
}

/// Whether a ref was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is where it was pushed to.
    Ok,
    /// It went on from there meanwhile, to this.
    OkAt(Oid),
    /// It was not changed, for this reason.
    Rejected(String),
}

impl Answer {
    /// A rejection whose reason fits into one line.
    pub fn rejected(reason: impl AsRef<str>) -> Self {
        let clean = |c: char| if is_unsafe(c) { ' ' } else { c };
        Self::Rejected(reason.as_ref().chars().map(clean).take(LONGEST_REASON).collect())
    }

    /// The answer for a ref of a push that was to change nothing.
    pub fn plan_only() -> Self {
        Self::rejected(PLAN_ONLY)
    }

    /// The answer for a followed job that has ended; `tip` is where its ref is now.
    pub fn at_end(job: &Job, end: &End, release: Option<String>, tip: Option<Oid>) -> Self {
        if end.outcome != Outcome::Live {
            return Self::rejected(rejection(job.number, end));
        }
        match (job.ref_result, tip) {
            (Some(RefResult::Kept), Some(tip)) => Self::OkAt(tip),
            (Some(RefResult::Elsewhere), tip) => {
                let name = job.ref_name.as_ref().map_or("the ref", RefName::short);
                let release = release.map(|release| format!(" as {release}")).unwrap_or_default();
                let place = tip.map_or("gone".to_owned(), |tip| format!("at {}", tip.short()));
                Self::rejected(format!(
                    "job {} is live{release}, but {name} is {place}",
                    job.number
                ))
            }
            (Some(RefResult::Moved | RefResult::Pending | RefResult::Kept) | None, _) => Self::Ok,
        }
    }

    /// What git's exit status will be: 0 when every ref was changed.
    pub fn exit_code(answers: &[RefAnswer]) -> i16 {
        let rejected = |answer: &RefAnswer| matches!(answer.answer, Self::Rejected(_));
        i16::from(answers.iter().any(rejected))
    }
}
