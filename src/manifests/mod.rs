//! What a deployment is on one Kubernetes cluster: objects, in the order in which they are applied.
//!
//! ```text
//!   pods.web ──▶ Deployment web-dplmt            nothing in it has a disk
//!   pods.db  ──▶ StatefulSet db-sfset            something has: PersistentVolumeClaim data-…
//!                Service db-hl                   gives its pods names
//!   jobs.seed.pods.run ──▶ Job seed-run-job, or CronJob seed-run-cronjob
//!   services.web ──▶ Service web                 ingresses.site ──▶ Ingress site-ingress
//!   secrets.db ──▶ Secret db-secret              maps.site ──▶ ConfigMap site-map
//! ```
//!
//! Every object says by its labels whose it is and which run wrote it. Everything here is data: who
//! applies it, waits for it and deletes what is left over is a driver's affair, and [`Manifest`]
//! tells it what it has to know.

mod compare;
mod difference;
mod fault;
mod flavour;
mod inputs;
mod level;
mod names;
mod object;
mod quantity;
mod render;
mod settings;
mod yaml;

use serde::{Deserialize, Serialize};

pub use compare::{OfWork, entries};
pub use difference::{Built, built, built_images, fields, is_of_the_cluster, not_known};
pub use fault::{Cannot, Note, Unrenderable};
pub use flavour::Flavour;
pub use inputs::{ContentKey, Images, Inputs, Owner, QuotaRow, Target, Unpinned};
pub use object::{Kind, Object};
pub use render::{namespace_of, render};
pub use settings::{
    CertManager, Concurrency, CronJobSettings, DefaultService, IngressSettings, IssuerKind,
    JobSettings, NamespaceSettings, PodSettings, RolloutSettings, Settings,
};

/// Last part of the label of credentials for pulling images, which are never pruned.
pub const PULL_SECRET: &str = "pull-secret";

/// Everything one release puts on one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifests {
    /// The namespace that the objects are in.
    pub namespace: String,
    /// The objects, in the order in which they are applied.
    pub items: Vec<Manifest>,
    /// What a person may want to know.
    pub notes: Vec<Note>,
}

/// When an object is applied; every phase on all clusters before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// What everything else is in.
    Namespace,
    /// Credentials for pulling images.
    PullSecrets,
    /// Disks that are not there yet.
    Claims,
    /// Work that runs to its end before anything else changes, with copies of what it reads.
    Before,
    /// What pods read, and the names of those with disks; disks are reset before.
    // What is stored may have the name that it had before.
    #[serde(alias = "sets")]
    Configuration,
    /// What serves; waited for.
    Workloads,
    /// Work that ends; waited for.
    Jobs,
    /// Work with a schedule.
    CronJobs,
    /// How pods are found and reached. A Service that is not there yet is applied with the
    /// configuration.
    Entrance,
    /// What the namespace may use, once all clusters have succeeded.
    Quota,
}

/// One object, and what has to be known of it besides what is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// When it is applied.
    pub phase: Phase,
    /// What it comes from in the file, such as `pods.web`; empty when it is from elsewhere.
    pub at: String,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Duty::is_plain")]
    pub duty: Duty,
    /// What is sent.
    pub object: Object,
}

impl Manifest {
    /// Whether it is left out, and not refused, when something of its name belongs to others.
    pub fn yields(&self) -> bool {
        self.phase == Phase::PullSecrets
    }

    /// Whether it belongs to what is put back: all but work that ends, and credentials of images,
    /// which are always today's.
    pub fn is_put_back(&self) -> bool {
        match self.phase {
            Phase::PullSecrets | Phase::Before | Phase::Jobs => false,
            Phase::Namespace
            | Phase::Claims
            | Phase::Configuration
            | Phase::Workloads
            | Phase::CronJobs
            | Phase::Entrance
            | Phase::Quota => self.duty != Duty::Copy,
        }
    }
}

/// What an object asks for besides being applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Duty {
    /// Nothing.
    #[default]
    Plain,
    /// A disk.
    Claim {
        /// Whether it is made anew, empty, when its release starts.
        reset: bool,
    },
    /// A copy for jobs that run before the deployment, deleted when they have ended.
    Copy,
    /// Pods that are replaced, which is waited for.
    Rollout(Rollout),
    /// Work that is waited for.
    Work(Work),
}

impl Duty {
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// How pods are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// By whom, and when.
    pub update: Update,
    /// Whether some pod serves all the while.
    pub keeps_serving: bool,
    /// Seconds in which something must move on.
    pub deadline_s: u32,
}

/// Who replaces pods, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Update {
    /// The cluster, some at a time.
    Rolling,
    /// All of the old ones end first: the cluster sees to it for a `Deployment`; those of a
    /// `StatefulSet` are deleted by whoever applied it.
    Recreate,
    /// Each is replaced when somebody deletes it.
    OnDelete,
}

/// How work ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Exit codes besides 0 that are success: the cluster says `PodFailurePolicy`, and the container
    /// that ended with one of them succeeded.
    pub success_codes: Vec<u8>,
    /// The container whose exit code counts; none: any.
    pub container: Option<String>,
    /// Seconds that it may take; none: as long as the run.
    pub time_limit_s: Option<u32>,
    /// Seconds for which it is kept when its end is recorded; none: for ever.
    pub shelf_life_s: Option<u32>,
}

impl Work {
    /// Seconds after its time limit in which the cluster should have ended it.
    const GRACE_S: u32 = 60;

    /// Seconds after which nobody waits for it any more; none: as long as the run.
    pub fn deadline_s(&self) -> Option<u32> {
        self.time_limit_s.map(|limit| limit.saturating_add(Self::GRACE_S))
    }
}

impl Manifests {
    /// What is applied when a release is applied once more: no work that ends, and no disk is
    /// emptied.
    #[must_use]
    pub fn applied_again(mut self) -> Self {
        self.items.retain(|item| item.is_put_back() || item.phase == Phase::PullSecrets);
        for item in &mut self.items {
            if let Duty::Claim { reset } = &mut item.duty {
                *reset = false;
            }
        }
        self
    }

    /// All objects as one stream of YAML documents, secrets too.
    pub fn yaml(&self) -> String {
        let documents: Vec<_> = self.items.iter().map(|item| item.object.yaml()).collect();
        documents.join("---\n")
    }
}
