//! What a deployment would change on a cluster: everything is tried there, and nothing is stored.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;

use crate::deploy::kubernetes_target::{
    AT_ONCE, ClusterError, KubernetesTarget, is_emptied, reference,
};
use crate::domain::difference::{Entry, Fate};
use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::kubernetes::{ApplyOptions, Change, Claims, DryRun, Error, Limits};
use crate::manifests::{Built, Duty, Kind, Manifest, Manifests, Object, fields};

/// What a deployment would change on a cluster.
#[derive(Debug, Default)]
pub struct Planned {
    /// What would become of each object that it would not leave as it is.
    pub entries: Vec<Entry>,
    /// What the cluster warns of.
    pub warnings: Vec<String>,
}

impl KubernetesTarget {
    /// The same target, whose cluster is waited for no longer than this.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { api: self.api.limited(limits), ..self }
    }

    /// Asks a cluster what applying these objects would change, and what would be deleted then.
    ///
    /// It is compared with what is there, whoever has changed that since the last deployment. In a
    /// namespace that is not there yet nothing can be tried: everything would be made.
    ///
    /// # Errors
    ///
    /// What the deployment would fail with: the cluster refuses an object, or it is another
    /// owner's; or the cluster is away.
    pub async fn plan(
        &self,
        manifests: &Manifests,
        images: Built,
    ) -> Result<Planned, ClusterError> {
        // Copies are there only while jobs read them.
        let items = manifests.items.iter().filter(|item| item.duty != Duty::Copy);
        let api = self.api.clone().within(&manifests.namespace);
        if !api.has_namespace().await.map_err(|error| self.refused(error))? {
            let entries = items.map(|item| entry(&item.object, made(&item.object))).collect();
            return Ok(Planned { entries, warnings: Vec::new() });
        }
        let tried: Vec<_> = items.map(|item| self.try_one(item, images)).collect();
        let tried: Vec<_> = stream::iter(tried).buffered(AT_ONCE).try_collect().await?;
        let mut planned = Planned::default();
        for (entry, warnings) in tried {
            planned.entries.extend(entry);
            planned.warnings.extend(warnings);
        }
        let owned = api.owned(&self.owner).await.map_err(|error| self.refused(error))?;
        let gone = owned.iter().filter(|owned| !owned.is_running && !self.keeps(manifests, owned));
        let gone = gone.map(|owned| &owned.object);
        planned
            .entries
            .extend(gone.map(|gone| Entry::new(&gone.kind, gone.name.clone(), Fate::Removed)));
        Ok(planned)
    }

    /// Whose the first of these objects is that somebody has deployed already, if any was.
    ///
    /// # Errors
    ///
    /// When the cluster is away, or may not be asked.
    pub async fn owner_of(
        &self,
        manifests: &Manifests,
    ) -> Result<Option<(ProjectId, EnvironmentId)>, ClusterError> {
        // Namespaces may be somebody else's.
        for item in manifests.items.iter().filter(|item| item.object.kind() != Kind::Namespace) {
            let api = self.api.clone().within(&manifests.namespace);
            let found = api.get(&reference(&item.object)).await;
            let found = found.map_err(|error| self.refused(error).of(&item.at))?;
            let Some(found) = found else { continue };
            let labels = found.pointer("/metadata/labels");
            let label = |key: &str| labels?.get(self.settings.key(key))?.as_str();
            let id = |key: &str| label(key)?.parse::<Uuid>().ok();
            if let (Some(project), Some(environment)) = (id("project"), id("environment")) {
                return Ok(Some((project.into(), environment.into())));
            }
        }
        Ok(None)
    }

    /// Tries to apply an object.
    async fn try_one(
        &self,
        item: &Manifest,
        images: Built,
    ) -> Result<(Option<Entry>, Vec<String>), ClusterError> {
        let object = &item.object;
        let claims = if is_emptied(item) { Claims::Reset } else { Claims::Keep };
        let options = ApplyOptions { claims, dry_run: DryRun::Yes, ..self.options(item) };
        let namespace = object.namespace().unwrap_or_else(|| self.api.namespace());
        let api = self.api.clone().within(namespace);
        let refused = |error| self.refused_of(item, error);
        let before = api.get(&reference(object)).await.map_err(refused)?;
        let applied = match api.apply(object.value(), &options).await {
            Ok(applied) => applied,
            Err(Error::Foreign { .. }) if item.yields() => return Ok((None, Vec::new())),
            Err(error) => return Err(refused(error)),
        };
        let fields = match &before {
            Some(before) => {
                fields([before, &applied.stored], &self.settings, images, &self.redactor)
            }
            None => Vec::new(),
        };
        let fate = match (object.kind(), applied.change) {
            (Kind::Job, _) => Some(Fate::Runs),
            (_, Change::Created) => Some(Fate::Created),
            (_, Change::Unchanged) => None,
            (_, Change::Changed) => (!fields.is_empty()).then_some(Fate::Changed(fields)),
            (Kind::PersistentVolumeClaim, Change::Replaced) => Some(Fate::Emptied),
            (_, Change::Recreated | Change::Replaced) => Some(Fate::Remade(fields)),
        };
        Ok((fate.map(|fate| entry(object, fate)), applied.warnings))
    }
}

fn entry(object: &Object, fate: Fate) -> Entry {
    Entry::new(object.kind(), object.name(), fate)
}

/// What becomes of an object where there is nothing.
fn made(object: &Object) -> Fate {
    match object.kind() {
        Kind::Job => Fate::Runs,
        Kind::Namespace
        | Kind::SubnamespaceAnchor
        | Kind::Secret
        | Kind::ConfigMap
        | Kind::PersistentVolumeClaim
        | Kind::Service
        | Kind::Deployment
        | Kind::StatefulSet
        | Kind::CronJob
        | Kind::Ingress
        | Kind::ResourceQuota => Fate::Created,
    }
}
