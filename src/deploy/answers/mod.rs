//! Answers to what people ask about what runs: it is looked at, and nothing is changed.
//!
//! They are given beside the runs of jobs, and by what releases have stored.

mod diff;
mod hush;
mod running;
mod tail;
mod trial;

use std::collections::BTreeMap;

use tracing::warn;

use crate::db::models::cluster;
use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::deploy::Deployer;
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::failure::Cause;
use crate::deploy::kubernetes_target::KubernetesTarget;
use crate::deploy::opened::logins;
use crate::deploy::secrets::add_secrets_of_release;
use crate::deploy::stored::{self, InCluster, Objects, OnCluster};
use crate::deploy::targets::{Target, Targets, Visitor, connect};
use crate::domain::causes::with_causes;
use crate::domain::cluster::{Cluster, ClusterKind};
use crate::domain::ids::{ClusterId, EnvironmentId, ProjectId, ReleaseNumber};
use crate::domain::question::Question;
use crate::domain::redact::{Redactor, Secrets};
use crate::jobs::RunError;
use crate::questions::Asked;
use crate::tasks::blocking;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    /// Nothing serves.
    #[error("nothing is live here")]
    NothingLive,
    /// There is no such release.
    #[error("there is no release {0}")]
    NoRelease(ReleaseNumber),
    /// There is no such pod.
    #[error("{release} has no pod `{pod}`; it has {}", known.join(", "))]
    NoPod {
        /// What was asked for.
        pod: String,
        /// What serves.
        release: ReleaseNumber,
        /// Its pods.
        known: Vec<String>,
    },
    /// There is no such target.
    #[error("there is no such target any more")]
    NoTarget,
    /// A target does not answer as it has to.
    #[error("{0}")]
    NotTried(String),
    /// A target or a release cannot be looked at.
    #[error("{}", with_causes(.0))]
    Cause(#[from] Cause),
}

impl From<diesel::result::Error> for Unanswered {
    fn from(error: diesel::result::Error) -> Self {
        Self::Cause(RunError::from(error).into())
    }
}

/// A release, opened.
struct Opened {
    release: Release,
    job: Job,
    objects: Objects,
}

/// What serves, and where.
struct Serving {
    project: ProjectId,
    live: Opened,
    targets: Targets,
}

impl Serving {
    /// Stacks that are on engines which still are targets.
    fn on_engines(&self) -> impl Iterator<Item = (&Target<DockerTarget>, &OnCluster)> {
        let of =
            |cluster| self.targets.docker.iter().find(move |target| target.cluster.id == cluster);
        let stacks = self.live.objects.docker.iter();
        stacks.filter_map(move |on| of(on.cluster).map(|target| (target, on)))
    }

    /// Objects that are on clusters which still are targets.
    fn on_clusters(&self) -> impl Iterator<Item = (&Target<KubernetesTarget>, &InCluster)> {
        let of = |cluster| {
            self.targets.kubernetes.iter().find(move |target| target.cluster.id == cluster)
        };
        let objects = self.live.objects.kubernetes.iter();
        objects.filter_map(move |on| of(on.cluster).map(|target| (target, on)))
    }
}

impl Deployer {
    /// Answers a question, for as long as somebody waits for it.
    pub async fn answer(&self, asked: &Asked) {
        let fault = tokio::select! {
            done = self.answering(asked) => done.err(),
            () = asked.unwanted() => return,
        };
        if let Some(Unanswered::Cause(cause)) = &fault
            && cause.is_ours()
        {
            warn!("Could not answer {:?}: {cause:?}", asked.question);
        }
        asked.end(fault.map(|fault| fault.to_string())).await;
    }

    async fn answering(&self, asked: &Asked) -> Result<(), Unanswered> {
        match &asked.question {
            Question::Diff { from, to } => self.tell_difference(asked, [*from, *to]).await,
            Question::Ps => self.tell_running(asked).await,
            Question::Tail { pod, last, follow } => {
                self.tell_printed(asked, pod.as_deref(), (*last, *follow)).await
            }
            Question::Test { cluster } => self.tell_trial(asked, *cluster).await,
        }
    }

    /// What serves, with its targets; what is secret is hidden in all that those say.
    async fn serving(&self, environment: EnvironmentId) -> Result<Serving, Unanswered> {
        let db = self.jobs.db();
        let found = db.run(async move |connection| {
            let Some(live) = Release::live(connection, environment).await? else { return Ok(None) };
            let project = Environment::find(connection, environment).await?.project_id;
            let clusters = cluster::of_environment(connection, environment).await?;
            let before = if clusters.iter().any(|it| it.kind == ClusterKind::Kubernetes) {
                Release::served_before(connection, environment, live.number).await?
            } else {
                None
            };
            Ok::<_, diesel::result::Error>(Some((live, before, project, clusters)))
        });
        let (live, before, project, clusters) = found.await?.ok_or(Unanswered::NothingLive)?;
        let mut secrets = Secrets::default();
        // On a cluster pods of what served before may be about to end.
        if let Some(before) = before {
            self.opened(before, project, &mut secrets).await?;
        }
        let live = self.opened(live, project, &mut secrets).await?;
        let redactor = blocking(move || Redactor::new(&secrets)).await;
        let targets = self.targets(&live.job, project, (clusters, &redactor)).await?;
        Ok(Serving { project, live, targets })
    }

    /// Opens a release, and adds what is secret in it.
    async fn opened(
        &self,
        release: Release,
        project: ProjectId,
        secrets: &mut Secrets,
    ) -> Result<Opened, Cause> {
        let (id, opener) = (release.job_id, self.settings.keyring.opener.clone());
        let job = self.jobs.db().run(async move |connection| Job::find(connection, id).await);
        let job: Job = job.await.map_err(RunError::from)?;
        let model = stored::model(&opener, &release).await?;
        let objects = stored::objects(&opener, &release).await?;
        let (known, of_job) = (std::mem::take(secrets), job.clone());
        let added = blocking(move || {
            let mut known = known;
            add_secrets_of_release(&opener, (&of_job, project), &model, &mut known)?;
            Ok::<_, crate::seal::NotOpened>(known)
        });
        *secrets = added.await?;
        Ok(Opened { release, job, objects })
    }

    async fn targets(
        &self,
        job: &Job,
        project: ProjectId,
        (clusters, redactor): (Vec<Cluster>, &Redactor),
    ) -> Result<Targets, Cause> {
        let sealed = clusters.iter().filter_map(|cluster| {
            cluster.credentials.clone().map(|sealed| (cluster.clone(), sealed))
        });
        let logins = logins(&self.settings.keyring.opener, project, sealed.collect()).await?;
        let (environment, job) = (job.environment_id, job.number);
        let visitor = Visitor { job, project, environment, logins: &logins };
        Ok(connect(clusters, visitor, &self.settings, redactor).await?)
    }
}

/// Names of targets by their ids, also of those that are none any more.
fn names<'a>(clusters: impl Iterator<Item = &'a Cluster>) -> BTreeMap<ClusterId, String> {
    clusters.map(|cluster| (cluster.id, cluster.name.clone())).collect()
}
