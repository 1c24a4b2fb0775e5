//! What a look at a source came to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::RefName;
use crate::domain::ids::JobNumber;
use crate::domain::oid::Oid;
use crate::domain::words::words;

words! {
    /// Why a source is looked at.
    CheckPurpose, "purpose of a check (schedule, deploy, test)" {
        /// It is time to.
        Schedule = "schedule",
        /// Somebody wants what is new to be deployed.
        Deploy = "deploy",
        /// Somebody wants to know whether it can be fetched from; nothing is stored.
        Test = "test",
    }
}

/// Most refs that are told of which there is nothing to do.
const MOST_QUIET: usize = 100;

/// What a look at a source came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// Fingerprints of the host keys that were pinned by it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<String>,
    /// What became of each ref that a rule speaks of, and of the default branch.
    pub refs: Vec<Found>,
    /// How many refs there are that no rule speaks of.
    pub others: usize,
    /// How many refs there are besides, of which there is nothing to do now.
    #[serde(skip_serializing_if = "is_none_of_them")]
    pub quiet: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about so")]
const fn is_none_of_them(count: &usize) -> bool {
    *count == 0
}

impl Checked {
    /// What became of refs, by their names. However many there are, it can be stored: past some, refs of
    /// which there is nothing to do now are only counted.
    pub fn new(pinned: Vec<String>, mut refs: Vec<Found>, others: usize) -> Self {
        refs.sort_by(|one, other| one.name.cmp(&other.name));
        let (mut told, mut quiet) = (0_usize, 0);
        refs.retain(|found| {
            if !found.fate.is_quiet() {
                return true;
            }
            let fits = told < MOST_QUIET;
            if fits {
                told += 1;
            } else {
                quiet += 1;
            }
            fits
        });
        Self { pinned, refs, others, quiet }
    }
}

/// A ref of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub name: RefName,
    /// Where it is; `None` when it is gone.
    pub commit: Option<Oid>,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
}

/// What became of a ref.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Fate {
    /// A job deploys it.
    Deploys {
        /// The job.
        job: JobNumber,
        /// Where to.
        environment: EnvironmentName,
    },
    /// It would be deployed, if this was no test.
    WouldDeploy {
        /// Where to.
        environment: EnvironmentName,
    },
    /// It was deployed before.
    UpToDate,
    /// A job deploys it already.
    UnderWay {
        /// The job.
        job: JobNumber,
    },
    /// It was tried before, and is not tried again by itself.
    Tried {
        /// The job that did, while it is known.
        job: Option<JobNumber>,
    },
    /// It was stored: another ref deploys to the same environment.
    Stored {
        /// The one that does.
        by: RefName,
    },
    /// It drops commits, and its rule does not allow that.
    Protected,
    /// No rule speaks of it.
    NoRule,
    /// It is no commit.
    NotACommit,
    /// It is gone, and was forgotten. What is live keeps serving.
    Deleted,
    /// It is gone, and was kept.
    Kept {
        /// Why.
        why: String,
    },
    /// There was too much at once; the next look goes on with it.
    Later,
    /// Something is in the way.
    Refused {
        /// What.
        why: String,
    },
}

impl Fate {
    /// Whether there is nothing to do now.
    const fn is_quiet(&self) -> bool {
        match self {
            Self::UpToDate | Self::Tried { .. } | Self::UnderWay { .. } | Self::Later => true,
            Self::Deploys { .. }
            | Self::WouldDeploy { .. }
            | Self::Stored { .. }
            | Self::Protected
            | Self::NoRule
            | Self::NotACommit
            | Self::Deleted
            | Self::Kept { .. }
            | Self::Refused { .. } => false,
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deploys { job, environment } => {
                write!(f, "job {job} deploys it to {environment}")
            }
            Self::WouldDeploy { environment } => write!(f, "would be deployed to {environment}"),
            Self::UpToDate => f.write_str("nothing new"),
            Self::UnderWay { job } => write!(f, "job {job} is deploying it"),
            Self::Tried { job: Some(job) } => {
                write!(f, "job {job} has tried it; a check that somebody asks for tries it again")
            }
            Self::Tried { job: None } => {
                f.write_str("was tried before; a check that somebody asks for tries it again")
            }
            Self::Stored { by } => {
                write!(f, "stored, not deployed: {} deploys to the same environment", by.short())
            }
            Self::Protected => {
                f.write_str("not deployed: it drops commits, and its rule is protected")
            }
            Self::NoRule => f.write_str("not deployed: no rule speaks of it"),
            Self::NotACommit => f.write_str("not deployed: it is not at a commit"),
            Self::Deleted => f.write_str("gone there, and here; what is live keeps serving"),
            Self::Kept { why } => write!(f, "gone there, kept here: {why}"),
            Self::Later => f.write_str("left for the next check: too much is new at once"),
            Self::Refused { why } => write!(f, "not deployed: {why}"),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name.short())?;
        if let Some(commit) = self.commit {
            write!(f, " at {}", commit.short())?;
        }
        write!(f, ": {}", self.fate)
    }
}

/// One line a thing, for people.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> =
            self.pinned.iter().map(|key| format!("host key {key} is pinned from now on")).collect();
        lines.extend(self.refs.iter().map(Found::to_string));
        match self.quiet {
            0 => {}
            1 => lines.push("1 ref more, of which there is nothing to do now".to_owned()),
            quiet => lines.push(format!("{quiet} refs more, of which there is nothing to do now")),
        }
        match self.others {
            0 if self.refs.is_empty() => lines.push("there is no branch and no tag".to_owned()),
            0 => {}
            1 => lines.push("1 other ref: no rule speaks of it".to_owned()),
            others => lines.push(format!("{others} other refs: no rule speaks of them")),
        }
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn found(name: &str, fate: Fate) -> Found {
        let commit = Some(Oid::from_bytes([0x3f; 20]));
        Found { name: name.parse().unwrap(), commit, fate }
    }

    #[test]
    fn a_check_is_told_line_by_line_and_read_again_from_its_row() {
        let environment = "production".parse().unwrap();
        let gone = Found { commit: None, ..found("refs/heads/old", Fate::Deleted) };
        let checked = Checked {
            pinned: vec!["SHA256:Qm3".to_owned()],
            refs: vec![
                found("refs/heads/main", Fate::Deploys { job: JobNumber(42), environment }),
                found("refs/heads/next", Fate::Tried { job: Some(JobNumber(41)) }),
                found("refs/tags/v1", Fate::Protected),
                gone,
            ],
            others: 2,
            quiet: 0,
        };
        assert_snapshot!(checked.to_string(), @"
        host key SHA256:Qm3 is pinned from now on
        main at 3f3f3f3: job 42 deploys it to production
        next at 3f3f3f3: job 41 has tried it; a check that somebody asks for tries it again
        v1 at 3f3f3f3: not deployed: it drops commits, and its rule is protected
        old: gone there, and here; what is live keeps serving
        2 other refs: no rule speaks of them
        ");
        let row = serde_json::to_value(&checked).unwrap();
        assert_eq!(serde_json::from_value::<Checked>(row).unwrap(), checked);
        assert_eq!(serde_json::from_str::<Checked>("{}").unwrap(), Checked::default());
        assert_snapshot!(Checked::default().to_string(), @"there is no branch and no tag");
    }

    #[test]
    fn of_very_many_refs_most_are_counted_and_whatever_is_done_is_told() {
        let quiet =
            (0..1_000).map(|number| found(&format!("refs/heads/q{number}"), Fate::UpToDate));
        let refs = quiet.chain([found("refs/tags/z", Fate::Protected)]).collect();
        let checked = Checked::new(Vec::new(), refs, 0);
        assert_eq!((checked.refs.len(), checked.quiet), (MOST_QUIET + 1, 1_000 - MOST_QUIET));
        assert_eq!(checked.refs.last().unwrap().fate, Fate::Protected);
        let text = checked.to_string();
        assert!(text.ends_with("900 refs more, of which there is nothing to do now"), "{text}");
    }
}
