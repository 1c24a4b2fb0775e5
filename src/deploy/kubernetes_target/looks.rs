//! What runs on a cluster of a release, looked at.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::deploy::kubernetes_target::telling::thing;
use crate::deploy::kubernetes_target::{AT_ONCE, ClusterError, KubernetesTarget};
use crate::domain::question::Speaker;
use crate::kubernetes::{Cluster as Api, Pod, Printed};
use crate::manifests::{Duty, Manifest, Manifests};

/// Something of a release whose pods serve. While another release is rolled out, its pods are among
/// them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// The pod, as the file calls it.
    pub pod: String,
    /// Where its pods are.
    namespace: String,
    /// What selects them.
    labels: String,
}

/// A line that a container printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedLine {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The line.
    pub text: String,
}

impl Workload {
    /// Everything of a release that serves.
    pub fn all(manifests: &Manifests) -> impl Iterator<Item = Self> {
        let serves = |item: &&Manifest| matches!(item.duty, Duty::Rollout(_));
        manifests.items.iter().filter(serves).map(|item| {
            let labels = item.object.value().pointer("/spec/selector/matchLabels");
            let labels = labels.and_then(Value::as_object).into_iter().flatten();
            let labels =
                labels.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
            Self {
                pod: thing(&item.at),
                namespace: manifests.namespace.clone(),
                labels: labels.collect::<Vec<_>>().join(","),
            }
        })
    }

    /// A container of one of its pods.
    pub fn speaker(&self, cluster: &str, pod: &str, container: &str) -> Speaker {
        Speaker {
            cluster: cluster.to_owned(),
            pod: self.pod.clone(),
            replica: pod.rsplit('-').next().unwrap_or_default().to_owned(),
            container: container.to_owned(),
        }
    }
}

impl KubernetesTarget {
    /// The pods of a workload.
    ///
    /// # Errors
    ///
    /// When the cluster refuses or is away.
    pub async fn pods(&self, workload: &Workload) -> Result<Vec<Pod>, ClusterError> {
        let pods = self.within(workload).pods(&workload.labels).await;
        pods.map_err(|error| self.refused(error))
    }

    /// The last lines of each container of a workload.
    ///
    /// # Errors
    ///
    /// When the cluster refuses or is away.
    pub async fn last_lines(
        &self,
        workload: &Workload,
        count: usize,
    ) -> Result<Vec<PrintedLine>, ClusterError> {
        let api = self.within(workload);
        let mut asked = Vec::new();
        for pod in self.pods(workload).await? {
            // One that waits has printed nothing, and says so in its state.
            let begun = pod.containers.into_iter();
            let begun =
                begun.filter(|container| container.since.is_some() || container.restarts > 0);
            asked.extend(begun.map(|container| (pod.name.clone(), container.name)));
        }
        let lines = asked.into_iter().map(async |(pod, container)| {
            let lines = api.last_lines(&pod, &container, count).await?;
            let (pod, container) = (pod.as_str(), container.as_str());
            let line =
                |text| PrintedLine { pod: pod.to_owned(), container: container.to_owned(), text };
            Ok(lines.into_iter().map(line).collect::<Vec<_>>())
        });
        let lines: Result<Vec<_>, _> = stream::iter(lines).buffered(AT_ONCE).try_collect().await;
        let lines = lines.map_err(|error| self.refused(error))?;
        Ok(lines.into_iter().flatten().collect())
    }

    /// Tells what containers of a workload print, after some lines of before, while somebody hears it.
    ///
    /// # Errors
    ///
    /// When the cluster refuses or is away for long.
    pub async fn follow(
        &self,
        workload: &Workload,
        last: u32,
        said: &mpsc::Sender<Printed>,
    ) -> Result<(), ClusterError> {
        let followed = self.within(workload).follow_pods(workload.labels.clone(), last, said).await;
        followed.map_err(|error| self.refused(error))
    }

    fn within(&self, workload: &Workload) -> Api {
        self.api.clone().within(&workload.namespace)
    }
}
