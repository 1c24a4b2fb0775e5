//! Deploys again what a ref holds, without a push.

use uuid::Uuid;

use crate::db::models::cluster;
use crate::db::models::environment::Environment;
use crate::db::models::job::NewJob;
use crate::db::models::project::Project;
use crate::domain::ids::JobId;
use crate::domain::job::JobKind;
use crate::domain::ref_move::RefMoves;
use crate::domain::snapshot::Snapshot;
use crate::domain::variables::Variables;
use crate::jobs::{Created, Jobs, JobsError};
use crate::people::Identity;

/// Creates a job that deploys the tip of the ref that was deployed last.
///
/// What that is, and with which launch variables, is found when the job is claimed.
///
/// # Errors
///
/// When the database does not answer.
pub async fn redeploy(
    jobs: &Jobs,
    project: &Project,
    environment: &Environment,
    by: &Identity,
) -> Result<Created, JobsError> {
    let variables = Variables::default();
    let new = NewJob {
        id: JobId::from(Uuid::now_v7()),
        kind: JobKind::Redeploy,
        environment_id: environment.id,
        push_id: None,
        user_id: by.user.id,
        pusher: by.user.name.clone(),
        fingerprint: by.fingerprint.clone(),
        ref_name: None,
        old_oid: None,
        new_oid: None,
        subject: String::new(),
        forced: false,
        variables_hash: variables.hash(),
        variables,
        snapshot: snapshot(jobs, project, environment).await?,
        ref_moves: RefMoves::Never,
    };
    jobs.create(project.id, new).await
}

/// What a job of an environment remembers of its project.
pub(super) async fn snapshot(
    jobs: &Jobs,
    project: &Project,
    environment: &Environment,
) -> Result<Snapshot, JobsError> {
    let id = environment.id;
    let clusters = jobs
        .db()
        .run(async move |connection| cluster::of_environment(connection, id).await)
        .await?;
    Ok(Snapshot {
        account: project.account.clone(),
        project: project.slug.clone(),
        environment: environment.name.clone(),
        prefix: project.prefix.clone(),
        clusters,
    })
}
