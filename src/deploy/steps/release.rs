//! The release: what is about to be applied, rendered, numbered and stored.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tracing::warn;

use crate::db::models::release::{NewRelease, Release};
use crate::deploy::Deployment;
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::kubernetes_target::KubernetesTarget;
use crate::deploy::steps::images::Images;
use crate::deploy::stored::{self, Objects, Unreadable};
use crate::deploy::targets::{Target, Targets};
use crate::domain::history::Step;
use crate::domain::ids::ReleaseNumber;
use crate::domain::oid::Oid;
use crate::domain::quota::HardQuota;
use crate::domain::release::{PinnedImages, describe_change};
use crate::domain::sealed::ReleasePart;
use crate::manifests::{self, ContentKey, Inputs, Manifests, QuotaRow, Unpinned};
use crate::paas::compiled::{self, EnvValue};
use crate::paas::{check_quota, used_by};
use crate::stack::{Stack, render};
use crate::tasks::blocking;

/// What is about to be applied.
pub(super) struct Rendered {
    /// A stack an engine.
    pub(super) stacks: Vec<Stack>,
    /// Objects of each cluster.
    pub(super) manifests: Vec<Manifests>,
    /// What they run.
    pub(super) images: Images,
}

impl Deployment<'_> {
    /// Renders what every target gets, and stores the release.
    pub(super) async fn release(
        &mut self,
        model: &compiled::Deployment,
        images: Images,
        targets: &Targets,
        live: Option<&Release>,
    ) -> Result<(Release, Rendered), Failure> {
        let watch = self.begin(Step::Release);
        let mut stacks = Vec::new();
        for (target, pinned) in targets.docker.iter().zip(&images.of_engines) {
            let (cluster, labels) = (&target.cluster, &target.driver.labels);
            let stack = render(model, &self.owner(), cluster, pinned, labels)
                .map_err(Cause::Unrenderable)?;
            stacks.push(stack);
        }
        let mut facts = Vec::new();
        for Target { cluster, driver } in &targets.kubernetes {
            facts.push(driver.target(cluster).await?);
        }
        // Its number is known when it is stored, and nothing is stored that cannot be rendered.
        let rehearsal = ReleaseNumber(i32::MAX);
        self.manifests(model, &images.of_clusters, (targets, &facts), rehearsal)?;
        let all = images.all();
        let (variables, source) = (variables(model), self.run.job().source);
        let new = NewRelease {
            fence: self.run.fence(),
            commit_oid: self.peeled().await?,
            model: self.sealed(ReleasePart::Model, model)?,
            images: stored::json(&all)?,
            variables: self.sealed(ReleasePart::Variables, &variables)?,
            objects: self.sealed(ReleasePart::Objects, &Objects::default())?,
            uses: stored::json(&used_by(model.lasting_pods()))?,
            source,
        };
        let release = self.run.store_release(new).await?;
        let change = match live {
            None => "the first".to_owned(),
            Some(live) => self.change_since(live, (&all, &variables)).await?,
        };
        let again = source.map(|source| format!("{source} again, ")).unwrap_or_default();
        let text = format!("{}: {again}{change}", release.number);
        self.recorder.result(Step::Release, text, watch).await;
        let of_clusters = &images.of_clusters;
        let manifests = self.manifests(model, of_clusters, (targets, &facts), release.number)?;
        for note in manifests.iter().flat_map(|manifests| &manifests.notes) {
            self.recorder.line(Step::Release, note.to_string()).await;
        }
        Ok((release, Rendered { stacks, manifests, images }))
    }

    /// The commit that is deployed, also where a tag was pushed.
    async fn peeled(&self) -> Result<Oid, Cause> {
        let commit = self.commit();
        if self.run.job().source.is_some() {
            // A release stores no other, and going back asks for nothing that may be broken.
            return Ok(commit);
        }
        let (project, repositories) = (self.run.project(), self.jobs().repositories().clone());
        let peeled = blocking(move || repositories.open(project)?.peel(commit)).await;
        peeled.map_err(|error| Cause::Checkout(error.into()))
    }

    /// The objects of every cluster.
    pub(super) fn manifests(
        &self,
        model: &compiled::Deployment,
        pinned: &PinnedImages,
        (targets, facts): (&Targets, &[manifests::Target]),
        release: ReleaseNumber,
    ) -> Result<Vec<Manifests>, Cause> {
        let job = self.run.job();
        let owner = manifests::Owner {
            account: job.snapshot.account.clone(),
            project: self.run.project(),
            environment: job.environment_id,
            fence: self.run.fence(),
            job: job.id,
            number: job.number,
            release,
        };
        let quotas: Vec<QuotaRow> = job.snapshot.quotas.iter().filter_map(quota_row).collect();
        let key = ContentKey(self.settings().keyring.opener.derived("content of objects"));
        let on_cluster = |(target, facts): (&Target<KubernetesTarget>, &manifests::Target)| {
            let inputs = Inputs {
                owner: &owner,
                target: facts,
                settings: target.driver.settings(),
                images: manifests::Images { pinned, others: Unpinned::Refused },
                registry: self.opened.registry.as_ref(),
                quotas: &quotas,
                key: &key,
            };
            let rendered = manifests::render(model, &inputs).map_err(Cause::NotOnKubernetes)?;
            Ok(if job.source.is_some() { rendered.applied_again() } else { rendered })
        };
        targets.kubernetes.iter().zip(facts).map(on_cluster).collect()
    }

    /// `1 image, 2 variables changed since v17`
    async fn change_since(
        &self,
        live: &Release,
        (images, variables): (&PinnedImages, &BTreeMap<String, String>),
    ) -> Result<String, Unreadable> {
        let (before, number) = (stored::images(&live.images)?, live.number);
        match stored::variables(&self.settings().keyring.opener, live).await {
            Ok(known) => {
                let change = describe_change((&before, images), (&known, variables));
                Ok(format!("{change} changed since {number}"))
            }
            // They are for this line only: a key that is lost keeps nobody from deploying.
            Err(error) => {
                warn!("Could not read the variables of {number} of job {}: {error}", live.job_id);
                let why = "its variables cannot be opened";
                Ok(format!("what changed since {number} cannot be told: {why}"))
            }
        }
    }

    /// A part of this run's release as it is stored.
    pub(super) fn sealed(
        &self,
        part: ReleasePart,
        value: &impl Serialize,
    ) -> Result<Value, Unreadable> {
        let job = self.run.job();
        let sealer = &self.settings().keyring.sealer;
        stored::sealed(sealer, (job.environment_id, job.id), part, value)
    }
}

/// Every variable of every container, for the comparison of releases.
fn variables(model: &compiled::Deployment) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for pod in &model.pods {
        for container in &pod.containers {
            for (name, value) in &container.env {
                let name = format!("{}/{}/{name}", pod.name, container.name);
                let value = match value {
                    EnvValue::Text(text) => text.clone(),
                    EnvValue::SecretKey { secret, key } => format!("secret {secret}.{key}"),
                    EnvValue::MapKey { map, key } => format!("map {map}.{key}"),
                };
                variables.insert(name, value);
            }
        }
    }
    variables
}

/// What is counted of a resource in a namespace. One that cannot be read was a fault of the file.
fn quota_row(quota: &HardQuota) -> Option<QuotaRow> {
    let bounds = check_quota(quota).ok()?;
    let kind = quota.kind.clone();
    Some(QuotaRow { kind, requires: bounds.requires, capacity: bounds.capacity })
}
