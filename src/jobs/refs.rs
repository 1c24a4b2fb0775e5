//! Refs: looked at and changed only under their repository's lock.

use crate::db::lock::RepositoryLock;
use crate::db::models::job::Job;
use crate::domain::git_ref::RefName;
use crate::domain::ids::{JobNumber, ProjectId};
use crate::domain::oid::Oid;
use crate::git::bare_repository::{GitError, Swap};
use crate::jobs::{Jobs, JobsError};

/// What a change of a ref that deploys nothing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefChange {
    /// It was changed.
    Done,
    /// It was somewhere else.
    Elsewhere(Option<Oid>),
    /// A job deploys it: only that job may change it now.
    Deploying(JobNumber),
    /// git does not allow it.
    Refused(String),
}

impl Jobs {
    /// Stores or deletes a ref that deploys nothing, if it is where the pusher saw it.
    ///
    /// # Errors
    ///
    /// When the database or the repository does not answer.
    pub async fn change_ref(
        &self,
        project: ProjectId,
        name: RefName,
        old: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<RefChange, JobsError> {
        let jobs = self.clone();
        self.db
            .transaction(async move |connection| {
                let lock = RepositoryLock::take(connection, project).await?;
                if let Some(job) = Job::open_of_ref(connection, project, &name).await?.first() {
                    return Ok(RefChange::Deploying(job.number));
                }
                Ok::<_, JobsError>(match jobs.swap(&lock, &name, old, new).await? {
                    Swap::Done => RefChange::Done,
                    // The answer to an earlier try may have been lost.
                    Swap::Elsewhere(tip) if tip == new => RefChange::Done,
                    Swap::Elsewhere(tip) => RefChange::Elsewhere(tip),
                    Swap::Refused(why) => RefChange::Refused(why),
                })
            })
            .await
    }

    /// Where a ref is now; what is decided from it needs the repository's lock.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read.
    pub async fn tip(&self, project: ProjectId, name: RefName) -> Result<Option<Oid>, GitError> {
        self.in_repository(project, move |repository| repository.tip(&name)).await
    }

    /// Changes a ref.
    pub(super) async fn swap(
        &self,
        lock: &RepositoryLock,
        name: &RefName,
        expected: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<Swap, GitError> {
        let name = name.clone();
        self.in_repository(lock.project(), move |repository| {
            repository.swap(&name, expected, new, "push")
        })
        .await
    }
}
