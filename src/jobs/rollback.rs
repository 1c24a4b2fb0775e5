//! Applies a stored release again.

use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::db::models::environment::Environment;
use crate::db::models::job::{Job, NewJob};
use crate::db::models::project::Project;
use crate::db::models::release::Release;
use crate::db::models::user::User;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::{EnvironmentId, JobId, ReleaseNumber};
use crate::domain::job::JobKind;
use crate::domain::ref_move::RefMoves;
use crate::domain::release::ReleaseState;
use crate::domain::snapshot::Snapshot;
use crate::jobs::{Created, Jobs, JobsError};

/// Why there is nothing to go back to.
#[derive(Debug, thiserror::Error)]
pub enum NoRollback {
    /// There is no such release.
    #[error("`{environment}` has no release {number}: `releases` lists what there is")]
    Unknown {
        /// Where.
        environment: EnvironmentName,
        /// What was asked for.
        number: ReleaseNumber,
    },
    /// It never served.
    #[error("{0} never served: choose a release that did, `releases` lists them")]
    NeverServed(ReleaseNumber),
    /// It serves.
    #[error("{0} serves already; a deployment that is under way ends by `cancel <job>`")]
    Serves(ReleaseNumber),
    /// Nothing has served.
    #[error("`{0}` has nothing that served before: push")]
    Nothing(EnvironmentName),
    /// The database or the repository does not answer.
    #[error(transparent)]
    Jobs(#[from] JobsError),
}

impl From<diesel::result::Error> for NoRollback {
    fn from(error: diesel::result::Error) -> Self {
        Self::Jobs(error.into())
    }
}

impl crate::db::pool::Transient for NoRollback {
    fn is_transient(&self) -> bool {
        match self {
            Self::Jobs(error) => error.is_transient(),
            Self::Unknown { .. } | Self::NeverServed(_) | Self::Serves(_) | Self::Nothing(_) => {
                false
            }
        }
    }
}

impl Jobs {
    /// Creates a job that applies a release again, with the variables and images that it had: the
    /// one of this number, or the one that served before what serves now.
    ///
    /// Targets, the registry and quotas are today's. `by` is who asks, and the fingerprint of their
    /// key.
    ///
    /// # Errors
    ///
    /// When there is no such release, it never served or serves, or the database does not answer.
    pub async fn roll_back(
        &self,
        project: &Project,
        environment: &Environment,
        wanted: Option<ReleaseNumber>,
        (by, fingerprint): (&User, &str),
    ) -> Result<Created, NoRollback> {
        let (id, name) = (environment.id, environment.name.clone());
        let (release, origin) = self
            .db
            .run(async move |connection| {
                let release = find(connection, (id, &name), wanted).await?;
                let origin = Job::find(connection, release.job_id).await?;
                Ok::<_, NoRollback>((release, origin))
            })
            .await?;
        let today = self.snapshot(project, environment).await?;
        let new = NewJob {
            id: JobId::from(Uuid::now_v7()),
            kind: JobKind::Rollback,
            environment_id: environment.id,
            push_id: None,
            user_id: Some(by.id),
            pusher: by.name.clone(),
            fingerprint: fingerprint.to_owned(),
            ref_name: None,
            old_oid: None,
            new_oid: Some(release.commit_oid),
            subject: origin.subject,
            forced: false,
            variables_hash: origin.variables.hash(),
            variables: origin.variables,
            // By these it is known what is secret in the stored model.
            snapshot: Snapshot { variables: origin.snapshot.variables, ..today },
            ref_moves: RefMoves::Never,
            source: Some(release.number),
        };
        Ok(self.create(project.id, new).await?)
    }

    /// Rollbacks that wait where nothing runs.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn waiting_rollbacks(&self) -> diesel::QueryResult<Vec<JobId>> {
        self.db.run(async move |connection| Job::waiting_rollbacks(connection).await).await
    }
}

/// The release that is meant.
async fn find(
    connection: &mut AsyncPgConnection,
    (environment, name): (EnvironmentId, &EnvironmentName),
    wanted: Option<ReleaseNumber>,
) -> Result<Release, NoRollback> {
    let Some(number) = wanted else {
        let found = before_live(connection, environment).await?;
        return found.ok_or_else(|| NoRollback::Nothing(name.clone()));
    };
    let found = Release::by_number(connection, environment, number).await?;
    let unknown = || NoRollback::Unknown { environment: name.clone(), number };
    let release = found.ok_or_else(unknown)?;
    match release.state {
        ReleaseState::Replaced => Ok(release),
        ReleaseState::Live => Err(NoRollback::Serves(number)),
        ReleaseState::Pending | ReleaseState::Failed => Err(NoRollback::NeverServed(number)),
    }
}

/// What served before that of which the live release is one more, so that whoever goes back twice
/// does not come to where they left from.
async fn before_live(
    connection: &mut AsyncPgConnection,
    environment: EnvironmentId,
) -> diesel::QueryResult<Option<Release>> {
    let Some(mut origin) = Release::live(connection, environment).await? else { return Ok(None) };
    while let Some(number) = origin.source {
        match Release::by_number(connection, environment, number).await? {
            Some(release) => origin = release,
            None => break,
        }
    }
    Release::served_before(connection, environment, origin.number).await
}
