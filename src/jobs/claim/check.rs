//! Whether a waiting job may still deploy.

use tracing::warn;

use crate::db::models::job::{Job, Source};
use crate::db::models::project::Project;
use crate::db::models::release::Release;
use crate::domain::git_ref::RefName;
use crate::domain::job::{JobKind, Outcome};
use crate::domain::oid::Oid;
use crate::domain::ref_move::RefMoves;
use crate::git::bare_repository::{GitError, Swap};
use crate::jobs::JobsError;
use crate::jobs::claim::Claim;
use crate::jobs::create::moved_elsewhere;

/// Whether a waiting job may run.
pub(super) enum Check {
    /// It may.
    Passed(Passed),
    /// It ends, for this reason.
    Ends(Outcome, String),
}

/// What is known of a job that may run.
pub(super) struct Passed {
    /// Where its ref is.
    pub(super) expected_tip: Option<Oid>,
    /// What a redeploy deploys.
    pub(super) source: Option<Source>,
}

impl Claim<'_> {
    pub(super) async fn check(&mut self, job: &Job) -> Result<Check, JobsError> {
        let refused = |why: &str| Ok(Check::Ends(Outcome::Refused, why.to_owned()));
        let project = Project::find(self.connection, self.repository.project()).await?;
        if let Err(inactive) = project.check_active() {
            return refused(&inactive.to_string());
        }
        match job.kind {
            JobKind::Deploy => self.check_deploy(job).await,
            JobKind::Redeploy => self.check_redeploy(job).await,
            JobKind::Plan if job.new_oid.is_none() => refused("it names no commit"),
            // It moves no ref, wherever that is by now.
            JobKind::Plan => Ok(Check::Passed(Passed { expected_tip: None, source: None })),
            JobKind::Rollback => self.check_rollback(job).await,
        }
    }

    /// What a rollback applies is known since it was made; it moves no ref.
    async fn check_rollback(&mut self, job: &Job) -> Result<Check, JobsError> {
        let refused = |why: &str| Ok(Check::Ends(Outcome::Refused, why.to_owned()));
        let Some(number) = job.source else { return refused("it names no release") };
        match Release::by_number(self.connection, job.environment_id, number).await? {
            Some(_) => Ok(Check::Passed(Passed { expected_tip: None, source: None })),
            None => refused(&format!("{number} is not stored any more")),
        }
    }

    async fn check_deploy(&mut self, job: &Job) -> Result<Check, JobsError> {
        let (Some(name), Some(update)) = (job.ref_name.clone(), job.ref_update()) else {
            return Ok(Check::Ends(Outcome::Refused, "it names no commit".to_owned()));
        };
        let moves = job.ref_moves;
        let asked = name.clone();
        let looked = self
            .jobs
            .in_repository(self.repository.project(), move |repository| {
                let tip = repository.tip(&asked)?;
                // A tip that is no commit, or is gone, is contained in nothing.
                let contained = |tip| repository.descends(update.new, tip).unwrap_or(false);
                let obstacle = if tip.is_none() { repository.conflict(&asked)? } else { None };
                Ok((tip, update.at_claim(moves, tip, contained), obstacle))
            })
            .await;
        let (tip, verdict, obstacle) = match looked {
            Ok(found) => found,
            Err(error) => return Ok(unreadable(&error)),
        };
        if verdict.is_err() {
            return Ok(Check::Ends(Outcome::Stale, moved_elsewhere(&name, tip)));
        }
        if let Some(other) = obstacle {
            return Ok(Check::Ends(Outcome::Refused, format!("`{other}` is in the way")));
        }
        // The handler that made it may have died before it moved the ref.
        if moves == RefMoves::AtOnce && tip != Some(update.new) {
            return self.move_now(&name, tip, update.new).await;
        }
        Ok(Check::Passed(Passed { expected_tip: tip, source: None }))
    }

    async fn move_now(
        &mut self,
        name: &RefName,
        tip: Option<Oid>,
        new: Oid,
    ) -> Result<Check, JobsError> {
        let stale = |why| Check::Ends(Outcome::Stale, why);
        Ok(match self.jobs.swap(&self.repository, name, tip, Some(new)).await? {
            Swap::Done => Check::Passed(Passed { expected_tip: Some(new), source: None }),
            Swap::Elsewhere(tip) => stale(moved_elsewhere(name, tip)),
            Swap::Refused(why) => stale(why),
        })
    }

    /// Finds what a redeploy deploys: the tip of the ref that was deployed last.
    async fn check_redeploy(&mut self, job: &Job) -> Result<Check, JobsError> {
        let refused = |why: &str| Ok(Check::Ends(Outcome::Refused, why.to_owned()));
        let Some(last) = Job::newest_deploy(self.connection, job.environment_id).await? else {
            return refused("nothing was deployed here yet: push first");
        };
        let Some(name) = last.ref_name else { return refused("the last deployment names no ref") };
        let (asked, number) = (name.clone(), job.number);
        let found = self
            .jobs
            .in_repository(self.repository.project(), move |repository| {
                let Some(tip) = repository.tip(&asked)? else { return Ok(None) };
                repository.pin(number, tip)?;
                Ok(Some((tip, repository.subject(tip)?)))
            })
            .await;
        match found {
            Ok(Some((new_oid, subject))) => {
                let source = Source { ref_name: name, new_oid, subject, variables: last.variables };
                let (expected_tip, source) = (Some(new_oid), Some(source));
                Ok(Check::Passed(Passed { expected_tip, source }))
            }
            Ok(None) => refused(&format!("{} is gone: push it again", name.short())),
            Err(error) => Ok(unreadable(&error)),
        }
    }
}

/// A job whose repository cannot be read. What is wrong with it is for the operator.
fn unreadable(error: &GitError) -> Check {
    warn!("Could not read a repository: {error:?}");
    Check::Ends(Outcome::Refused, error.to_string())
}
