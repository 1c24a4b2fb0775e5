//! What a release stores, read back as what it was. All but its images is sealed.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::db::models::release::Release;
use crate::domain::ids::{ClusterId, EnvironmentId, JobId};
use crate::domain::release::PinnedImages;
use crate::domain::route::Route;
use crate::domain::sealed::{Place, ReleasePart, Sealed};
use crate::manifests::{Kind, Manifests, Object};
use crate::paas::compiled;
use crate::seal::{NotOpened, Opener, Sealer};
use crate::stack::Placed;
use crate::tasks::blocking;

/// What a release has put on its targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Objects {
    /// A stack an engine.
    pub(super) docker: Vec<OnCluster>,
    /// Objects of each Kubernetes cluster; releases that were stored before there were any have none.
    #[serde(default)]
    pub(super) kubernetes: Vec<InCluster>,
}

/// Objects on one Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InCluster {
    /// The target.
    pub(super) cluster: ClusterId,
    /// What was sent there.
    pub(super) manifests: Manifests,
    /// What others had made there before it was taken over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) others: Vec<Object>,
    /// What it runs.
    #[serde(default, skip_serializing_if = "PinnedImages::is_empty")]
    pub(super) images: PinnedImages,
}

impl InCluster {
    /// What others had made there, and the release does not have.
    pub(super) fn not_needed(&self) -> Vec<Object> {
        let is_needed =
            |other: &&Object| self.manifests.items.iter().any(|it| it.object.is_same(other));
        self.others.iter().filter(|other| !is_needed(other)).cloned().collect()
    }
}

/// A stack on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OnCluster {
    /// The target.
    pub(super) cluster: ClusterId,
    /// What is there.
    pub(super) placed: Placed,
    /// What it runs.
    #[serde(default, skip_serializing_if = "PinnedImages::is_empty")]
    pub(super) images: PinnedImages,
}

/// Why a stored release cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The store holds something that this program did not write.
    #[error("a stored release cannot be read")]
    Form(#[from] serde_json::Error),
    /// It was sealed for another key, or for another place.
    #[error(transparent)]
    Sealed(#[from] NotOpened),
}

/// Whose release it is: of an environment, made by a job.
pub(super) type Owner = (EnvironmentId, JobId);

/// A value as it is stored.
pub(super) fn json(value: &impl Serialize) -> Result<Value, Unreadable> {
    Ok(serde_json::to_value(value)?)
}

/// A part of a release as it is stored.
pub(super) fn sealed(
    sealer: &Sealer,
    (environment, job): Owner,
    part: ReleasePart,
    value: &impl Serialize,
) -> Result<Value, Unreadable> {
    let place = Place::release(environment, job, part);
    json(&sealer.seal(&serde_json::to_vec(value)?, &place))
}

/// The images of a release.
pub(super) fn images(images: &Value) -> Result<PinnedImages, Unreadable> {
    read(images)
}

/// The model of a release.
pub(super) async fn model(
    opener: &Opener,
    release: &Release,
) -> Result<compiled::Deployment, Unreadable> {
    open(opener, release, ReleasePart::Model).await
}

/// The variables of a release.
pub(super) async fn variables(
    opener: &Opener,
    release: &Release,
) -> Result<BTreeMap<String, String>, Unreadable> {
    open(opener, release, ReleasePart::Variables).await
}

/// What a release has put on its targets.
pub(super) async fn objects(opener: &Opener, release: &Release) -> Result<Objects, Unreadable> {
    open(opener, release, ReleasePart::Objects).await
}

/// Reads a part of a release, on a thread that may block for the milliseconds it takes.
async fn open<T: DeserializeOwned + Send + 'static>(
    opener: &Opener,
    release: &Release,
    part: ReleasePart,
) -> Result<T, Unreadable> {
    let stored = match part {
        ReleasePart::Model => release.model.clone(),
        ReleasePart::Variables => release.variables.clone(),
        ReleasePart::Objects => release.objects.clone(),
    };
    let place = Place::release(release.environment_id, release.job_id, part);
    let opener = opener.clone();
    blocking(move || match Sealed::deserialize(&stored) {
        Ok(sealed) => Ok(serde_json::from_slice(&opener.open(&sealed, &place)?)?),
        // It was stored before releases were sealed.
        Err(_not_sealed) => read(&stored),
    })
    .await
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Unreadable> {
    Ok(serde_json::from_value(value.clone())?)
}

impl Objects {
    /// What was sent to a cluster.
    pub(super) fn of_cluster(&self, cluster: ClusterId) -> Option<&Manifests> {
        self.in_cluster(cluster).map(|on| &on.manifests)
    }

    /// What was sent to a cluster, and what was taken over there.
    pub(super) fn in_cluster(&self, cluster: ClusterId) -> Option<&InCluster> {
        self.kubernetes.iter().find(|on| on.cluster == cluster)
    }

    /// What was run on a target.
    pub(super) fn images_of(&self, cluster: ClusterId) -> Option<&PinnedImages> {
        let engine = self.docker.iter().find(|on| on.cluster == cluster);
        engine.map(|on| &on.images).or_else(|| self.in_cluster(cluster).map(|on| &on.images))
    }

    /// Addresses under which the Ingresses of clusters are reached, in their order.
    pub(super) fn urls(&self) -> Vec<String> {
        let items = self.kubernetes.iter().flat_map(|on| &on.manifests.items);
        let ingresses = items.filter(|item| item.object.kind() == Kind::Ingress);
        let mut urls = Vec::new();
        for ingress in ingresses {
            let spec = &ingress.object.value()["spec"];
            let scheme = if spec["tls"].is_array() { "https" } else { "http" };
            let host = spec.pointer("/rules/0/host").and_then(Value::as_str);
            let url = host.map(|host| format!("{scheme}://{host}"));
            urls.extend(url.filter(|url| !urls.contains(url)));
        }
        urls
    }

    /// The routes of a release: entrances that several targets answer have the upstreams of all.
    pub(super) fn routes(&self) -> Vec<Route> {
        let mut routes: Vec<Route> = Vec::new();
        for route in self.docker.iter().flat_map(|on| on.placed.routes()) {
            let same = |known: &&mut Route| known.host == route.host && known.path == route.path;
            match routes.iter_mut().find(same) {
                Some(known) => known.upstreams.extend(route.upstreams),
                None => routes.push(route),
            }
        }
        routes
    }
}
