//! Deploys again what a ref holds, without a push.

use uuid::Uuid;

use crate::db::models::environment::Environment;
use crate::db::models::job::NewJob;
use crate::db::models::project::Project;
use crate::db::models::source::Source;
use crate::db::models::user::User;
use crate::db::models::{account_quota, cluster, registry, variable};
use crate::domain::cache::Cache;
use crate::domain::ids::JobId;
use crate::domain::job::JobKind;
use crate::domain::ref_move::RefMoves;
use crate::domain::snapshot::Snapshot;
use crate::domain::stored_variables::StoredVariables;
use crate::jobs::{Created, Jobs, JobsError};

impl Jobs {
    /// Creates a job that deploys the tip of the ref that was deployed last.
    ///
    /// What that is, and with which launch variables, is found when the job is claimed. `by` is
    /// who asks, and the fingerprint of their key.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn redeploy(
        &self,
        project: &Project,
        environment: &Environment,
        (by, fingerprint): (&User, &str),
        cache: Cache,
    ) -> Result<Created, JobsError> {
        let variables = StoredVariables::default();
        let snapshot = self.snapshot(project, environment).await?;
        let new = NewJob {
            id: JobId::from(Uuid::now_v7()),
            kind: JobKind::Redeploy,
            environment_id: environment.id,
            push_id: None,
            user_id: Some(by.id),
            pusher: by.name.clone(),
            fingerprint: fingerprint.to_owned(),
            ref_name: None,
            old_oid: None,
            new_oid: None,
            subject: String::new(),
            forced: false,
            variables_hash: cache.key(variables.hash()),
            variables,
            snapshot: Snapshot { without_cache: cache == Cache::Dropped, ..snapshot },
            ref_moves: RefMoves::Never,
            source: None,
        };
        self.create(project.id, new).await
    }

    /// What a job of an environment remembers of its project.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn snapshot(
        &self,
        project: &Project,
        environment: &Environment,
    ) -> Result<Snapshot, JobsError> {
        let (id, environment_id) = (project.id, environment.id);
        let account = project.account_id;
        let (clusters, variables, quotas, registry, source) = self
            .db
            .run(async move |connection| {
                let clusters = cluster::of_environment(connection, environment_id).await?;
                let variables = variable::of_environment(connection, id, environment_id).await?;
                let quotas = account_quota::of_account(connection, account).await?;
                let registry = registry::of_project(connection, id).await?;
                let source = Source::of_project(connection, id).await?.map(|source| source.url);
                Ok::<_, JobsError>((clusters, variables, quotas, registry, source))
            })
            .await?;
        Ok(Snapshot {
            account: project.account.clone(),
            project: project.slug.clone(),
            environment: environment.name.clone(),
            prefix: project.prefix.clone(),
            clusters,
            variables,
            quotas,
            registry,
            source,
            without_cache: false,
        })
    }
}
