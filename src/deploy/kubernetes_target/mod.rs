//! Deployments on a Kubernetes cluster: objects applied phase by phase, and waited for.
//!
//! Every future here may be dropped at any time. What it sent stays, carries its fence, and is
//! found by it when the environment is put back.

mod adoption;
mod blame;
mod error;
mod looks;
mod owners;
mod plan;
mod put_back;
mod rights;
mod telling;
mod wait;

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::domain::cluster::{Adoption, Cluster, Credentials};
use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::domain::redact::Redactor;
use crate::kubernetes::{
    Access, Applied, ApplyOptions, Change, Claims, Cluster as Api, Connection, Error, Extra,
    Limits, ObjectRef, Owned, Owner, Verification,
};
use crate::manifests::{
    Duty, Kind, Manifest, Manifests, Object, PULL_SECRET, Phase, Settings, Target,
};

pub use error::ClusterError;
pub use looks::Workload;
pub use plan::Planned;
pub use put_back::interrupted;
pub use rights::extras;
pub use telling::Telling;

/// Objects that are sent at the same time.
const AT_ONCE: usize = 8;

/// A Kubernetes cluster that deployments are put on.
#[derive(Debug, Clone)]
pub struct KubernetesTarget {
    /// Its name within the project.
    name: String,
    api: Api,
    owner: Owner,
    /// Whether what others have made is taken over.
    adoption: Adoption,
    /// What its operator decided.
    settings: Settings,
    /// Hides what is secret.
    redactor: Redactor,
}

impl KubernetesTarget {
    /// Knows a cluster. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When what is stored of it is wrong.
    pub fn connect(
        cluster: &Cluster,
        login: Option<&Credentials>,
        of: (ProjectId, EnvironmentId),
        settings: &Settings,
        redactor: &Redactor,
    ) -> Result<Self, ClusterError> {
        let fails = |source| ClusterError::refused(&cluster.name, source);
        let api = Api::connect(&access(cluster, login), Limits::default()).map_err(fails)?;
        let mut settings = settings.clone();
        settings.namespace.manage = rights::namespace_manage(cluster, &settings);
        Ok(Self {
            name: cluster.name.clone(),
            api: api.hiding(redactor.clone()),
            owner: owners::of_environment(&settings, of),
            adoption: cluster.kubernetes.adoption,
            settings,
            redactor: redactor.clone(),
        })
    }

    /// What its operator decided.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What objects depend on, asked before anything is changed that would have to be put back.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer, its namespace is missing, or whoever signs in may not do
    /// what a deployment does.
    pub async fn target(&self, cluster: &Cluster) -> Result<Target, ClusterError> {
        let extras = extras(cluster, &self.settings);
        let is_made = extras.contains(&Extra::CreateNamespaces);
        let connection = self.api.test_connection(&extras).await;
        let Connection { level, has_namespace, mut missing } =
            connection.map_err(|error| self.refused(error))?;
        if !has_namespace && !is_made {
            return Err(self.refused(Error::NamespaceMissing(cluster.namespace.clone())));
        }
        // Without the others less is known, and everything can be done.
        missing
            .retain(|right| right.namespace.is_some() || is_made && right.resource == "namespaces");
        if cluster.kubernetes.hierarchical_namespaces {
            // What may be done in a namespace that is made below this one is not known yet.
            missing.retain(|right| right.resource == "subnamespaceanchors");
        }
        if !missing.is_empty() {
            return Err(ClusterError::Denied { cluster: self.name.clone(), missing });
        }
        let classes = match self.api.ingress_classes().await {
            // Whoever may not see them says in the configuration what they are.
            Err(Error::Denied { .. }) => Vec::new(),
            classes => classes.map_err(|error| self.refused(error))?,
        };
        let mut defaults = classes.iter().filter(|class| class.is_default);
        // Which of several it is, the cluster decides later.
        let default = defaults.next().filter(|_| defaults.next().is_none());
        let default_class = default.map(|class| class.name.clone());
        Ok(Target {
            cluster: cluster.name.clone(),
            namespace: cluster.namespace.clone(),
            is_hierarchical: cluster.kubernetes.hierarchical_namespaces,
            level: self.settings.version_level.of_cluster(level),
            controllers: classes.into_iter().map(|class| (class.name, class.controller)).collect(),
            default_class,
        })
    }

    /// Applies disks that are not there, and gives those that are new.
    ///
    /// # Errors
    ///
    /// When the cluster refuses something, or is away.
    pub async fn apply_disks(&self, manifests: &Manifests) -> Result<Disks, ClusterError> {
        let mut disks = Disks::default();
        for applied in self.apply(of(manifests, Phase::Claims), Claims::Keep).await? {
            if applied.change == Change::Created {
                disks.fresh.insert(applied.object.name);
            }
            disks.warnings.extend(applied.warnings);
        }
        Ok(disks)
    }

    /// Applies what a phase has; gives what the cluster warns of.
    ///
    /// # Errors
    ///
    /// When the cluster refuses something, or is away.
    pub async fn apply_phase(
        &self,
        manifests: &Manifests,
        phase: Phase,
    ) -> Result<Vec<String>, ClusterError> {
        Ok(warnings(self.apply(of(manifests, phase), Claims::Keep).await?))
    }

    /// Empties disks that shall be, and applies what pods read and Services that are new.
    ///
    /// # Errors
    ///
    /// When the cluster refuses something, or is away.
    pub async fn apply_configuration(
        &self,
        manifests: &Manifests,
        disks: &Disks,
    ) -> Result<Vec<String>, ClusterError> {
        let is_reset =
            |item: &&Manifest| is_emptied(item) && !disks.fresh.contains(item.object.name());
        let resets = of(manifests, Phase::Claims).filter(is_reset);
        let mut told = warnings(self.apply(resets, Claims::Reset).await?);
        let configuration = of(manifests, Phase::Configuration);
        told.extend(warnings(self.apply(configuration, Claims::Keep).await?));
        let services = of(manifests, Phase::Entrance);
        let services = services.filter(|item| item.object.kind() == Kind::Service);
        let services: Vec<&Manifest> = services.collect();
        let asked: Vec<_> = services.iter().map(|service| self.is_new(service)).collect();
        let are_new: Vec<bool> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let new = services.into_iter().zip(are_new).filter_map(|(item, is)| is.then_some(item));
        told.extend(warnings(self.apply(new, Claims::Keep).await?));
        Ok(told)
    }

    async fn is_new(&self, item: &Manifest) -> Result<bool, ClusterError> {
        let found = self.api.get(&reference(&item.object)).await;
        Ok(found.map_err(|error| self.refused(error).of(&item.at))?.is_none())
    }

    /// Deletes the copies that jobs before the deployment have read.
    ///
    /// # Errors
    ///
    /// When the cluster refuses, or is away.
    pub async fn remove_copies(&self, manifests: &Manifests) -> Result<(), ClusterError> {
        for item in manifests.items.iter().filter(|item| item.duty == Duty::Copy) {
            let deleted = self.api.delete(&reference(&item.object)).await;
            deleted.map_err(|error| self.refused(error))?;
        }
        Ok(())
    }

    /// Deletes what the environment has here that its live release lacks, and writes the quota.
    ///
    /// # Errors
    ///
    /// When the cluster refuses, or is away.
    pub async fn prune(&self, live: &Manifests) -> Result<(), ClusterError> {
        let api = self.api.clone().within(&live.namespace);
        let is_kept = |owned: &Owned| self.keeps(live, owned);
        api.prune(&self.owner, is_kept).await.map_err(|error| self.refused(error))?;
        self.apply_phase(live, Phase::Quota).await.map(drop)
    }

    /// Whether something that the environment has here stays when a release serves.
    fn keeps(&self, live: &Manifests, owned: &Owned) -> bool {
        let mut kept = live.items.iter().filter(|item| item.duty != Duty::Copy);
        self.is_pull_secret(owned) || kept.any(|item| same(&reference(&item.object), &owned.object))
    }

    /// Applies objects in their order, those of a kind at the same time.
    async fn apply<'a>(
        &self,
        items: impl Iterator<Item = &'a Manifest>,
        claims: Claims,
    ) -> Result<Vec<Applied>, ClusterError> {
        let items: Vec<&Manifest> = items.collect();
        let mut applied = Vec::new();
        for kind in items.chunk_by(|a, b| a.object.kind() == b.object.kind()) {
            let sent: Vec<_> = kind.iter().map(|item| self.apply_one(item, claims)).collect();
            let sent = stream::iter(sent).buffer_unordered(AT_ONCE);
            applied.extend(sent.try_collect::<Vec<_>>().await?.into_iter().flatten());
        }
        Ok(applied)
    }

    async fn apply_one(
        &self,
        item: &Manifest,
        claims: Claims,
    ) -> Result<Option<Applied>, ClusterError> {
        let options = ApplyOptions { claims, ..self.options(item) };
        let namespace = item.object.namespace().unwrap_or_else(|| self.api.namespace());
        let api = self.api.clone().within(namespace);
        match api.apply(item.object.value(), &options).await {
            Ok(applied) => Ok(Some(applied)),
            // Somebody has made it by hand, who knows better.
            Err(Error::Foreign { .. }) if item.yields() => Ok(None),
            Err(error) => Err(self.refused_of(item, error)),
        }
    }

    /// How an object is applied.
    fn options(&self, item: &Manifest) -> ApplyOptions {
        let adoption = if may_be_adopted(item) { self.adoption } else { Adoption::Refuse };
        let owner = match item.object.kind() == Kind::ResourceQuota {
            true => owners::of_account(&self.settings, &item.object),
            false => self.owner.clone(),
        };
        ApplyOptions { adoption, ..ApplyOptions::new(owner) }
    }

    fn refused_of(&self, item: &Manifest, mut source: Error) -> ClusterError {
        if let Error::Foreign { is_adoptable, .. } = &mut source {
            *is_adoptable &= may_be_adopted(item);
        }
        self.refused(source).of(&item.at)
    }

    /// Whether it is what images are pulled with, which other releases may need.
    fn is_pull_secret(&self, owned: &Owned) -> bool {
        owned.labels.contains_key(&self.settings.key(PULL_SECRET))
    }

    fn refused(&self, source: Error) -> ClusterError {
        ClusterError::refused(&self.name, source)
    }
}

/// The disks of a release, before anything that serves is touched.
#[derive(Debug, Default)]
pub struct Disks {
    /// What the cluster warns of.
    pub warnings: Vec<String>,
    /// Names of those that were not there before.
    fresh: BTreeSet<String>,
}

/// The objects of a phase.
fn of(manifests: &Manifests, phase: Phase) -> impl Iterator<Item = &Manifest> {
    manifests.items.iter().filter(move |item| item.phase == phase)
}

/// Whether it is a disk that begins empty with each deployment.
fn is_emptied(item: &Manifest) -> bool {
    item.duty == Duty::Claim { reset: true }
}

/// Whether it is taken over where that is asked for. A disk of others would lose what is in it, and
/// whoever else bounds a namespace goes on to do it.
fn may_be_adopted(item: &Manifest) -> bool {
    !is_emptied(item) && item.object.kind() != Kind::ResourceQuota
}

fn warnings(applied: Vec<Applied>) -> Vec<String> {
    applied.into_iter().flat_map(|applied| applied.warnings).collect()
}

/// Whether both name the same object of a namespace.
fn same(a: &ObjectRef, b: &ObjectRef) -> bool {
    a.kind == b.kind && a.name == b.name
}

fn reference(object: &Object) -> ObjectRef {
    ObjectRef::of(object.value())
}

/// How a cluster is spoken to.
pub fn access(cluster: &Cluster, login: Option<&Credentials>) -> Access {
    Access {
        address: cluster.address.clone(),
        namespace: cluster.namespace.clone(),
        credentials: login.cloned().unwrap_or_default(),
        verification: match cluster.kubernetes.tls_verify {
            true => Verification::On,
            false => Verification::Off,
        },
    }
}
