//! A Kubernetes cluster, driven through its API.
//!
//! What is deployed, and why, is decided elsewhere: objects come in as JSON and are applied, waited
//! for, explained or removed. Every call may be dropped at any time; what the cluster was told by
//! then stays done, and may be told again.

mod access;
mod again;
mod apply;
mod digest;
mod error;
mod follow;
mod happening;
mod job;
mod json;
mod object;
mod owner;
mod permissions;
mod pods;
mod prune;
mod questions;
mod remove;
mod rollout;
mod version;
mod warning;
mod watch;
mod wire;

use std::time::Duration;

use kube::Client;
use kube::client::ClientBuilder;

use crate::domain::redact::Redactor;

pub use access::{Access, AccessError, Part, Verification};
pub use apply::{Applied, ApplyOptions, Change, Claims, DryRun};
pub use digest::{Digest, Output, Why};
pub use error::{Error, Fault, Right};
pub use follow::Printed;
pub use happening::Happening;
pub use job::{JobEnded, SuccessCodes};
pub use object::ObjectRef;
pub use owner::Owner;
pub use permissions::{Connection, Extra, needed};
pub use pods::{Pod, PodContainer};
pub use prune::Owned;
pub use rollout::trouble::{Cause, Trouble};
pub use rollout::{Ended, OldPods, Patience, Progress};
pub use version::{ApiGroup, IngressClass};

/// How long a cluster is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Longest wait for one answer.
    pub answer: Duration,
    /// Longest time in which something is asked again of a cluster that is away or busy.
    pub patience: Duration,
    /// Longest wait until something that is deleted is gone.
    pub removal: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            patience: Duration::from_secs(90),
            removal: Duration::from_secs(120),
        }
    }
}

/// A cluster, and one namespace of it.
///
/// Copies share connections.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    address: String,
    namespace: String,
    limits: Limits,
    /// Everything that containers print goes through it.
    redactor: Redactor,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { address, namespace, .. } = self;
        f.debug_struct("Cluster")
            .field("address", address)
            .field("namespace", namespace)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Makes a client of a cluster. Nothing is asked yet; connections are made when needed, and
    /// kept.
    ///
    /// Has to be called within a runtime.
    ///
    /// # Errors
    ///
    /// When what is known of it is wrong.
    pub fn connect(access: &Access, limits: Limits) -> Result<Self, Error> {
        // Another part of this process may have chosen the same one already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let config = access.config()?;
        let unusable = |error: kube::Error| AccessError::Unusable(wire::innermost(&error));
        let client = ClientBuilder::try_from(config).map_err(unusable)?.build();
        Ok(Self {
            client,
            address: access.address.clone(),
            namespace: access.namespace.clone(),
            limits,
            redactor: Redactor::default(),
        })
    }

    /// The same cluster, in whose output these secrets are hidden.
    #[must_use]
    pub fn hiding(self, redactor: Redactor) -> Self {
        Self { redactor, ..self }
    }

    /// The same cluster, waited for no longer than this.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same cluster, and another namespace of it.
    #[must_use]
    pub fn within(self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self }
    }

    /// Namespace in which objects are that name none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }
}
