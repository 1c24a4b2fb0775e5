//! `pierhead diff`: what a `.paas.yaml` would change on a cluster, without a server.
//!
//! Whoever owns what is there under its names is taken for whoever deploys. An image that a push
//! would build is not built here, so one of the same name is taken for the same; and so is one of a
//! registry that does not tell everybody.

use std::collections::btree_map;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use uuid::Uuid;

use crate::cli::render::{CannotRender, Found, Where, owner, render_for};
use crate::cli::{CANNOT_RUN, CliError, note, say};
use crate::deploy::kubernetes_target::{ClusterError, KubernetesTarget, Planned};
use crate::domain::cluster::{Cluster, ClusterKind, Credentials, KubernetesOptions};
use crate::domain::difference::{Entry, summary};
use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::domain::pinned::Pinned;
use crate::domain::redact::Redactor;
use crate::domain::registry::Registry;
use crate::domain::release::PinnedImages;
use crate::kubernetes::{Access, AccessError, Limits, Verification};
use crate::manifests::{
    Built, Images, Manifests, Owner, Settings, Target, Unpinned, built_images, not_known,
};
use crate::oci::Oci;
use crate::paas::compiled::Origin;

/// Exit status when something would change, as of `kubectl diff`.
const CHANGES: u8 = 1;

/// Longest time in which a cluster that is away is asked again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which file is compared, and with what cluster.
#[derive(Debug, clap::Args)]
pub(super) struct Diff {
    #[command(flatten)]
    place: Where,
    /// The kubeconfig of the cluster; of several, as kubectl takes them, the first that is there.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    kubeconfig: PathBuf,
    /// The context of the kubeconfig; without one, its current one.
    #[arg(long, value_name = "NAME")]
    kubeconfig_context: Option<String>,
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
enum CannotDiff {
    /// The file, or what it is compiled with.
    #[error(transparent)]
    Render(#[from] CannotRender),
    /// The kubeconfig cannot be read.
    #[error("could not read {}: {source}", path.display())]
    Kubeconfig {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The kubeconfig is none that can be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The cluster does not answer, or refuses.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl Diff {
    /// Compares, and prints what would change; everything else goes to standard error.
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(CliError::Runtime)?;
        Ok(match runtime.block_on(self.compare()) {
            Ok(Some(planned)) => {
                planned.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
                planned.entries.iter().flat_map(Entry::lines).for_each(|line| say(&line));
                note(&summary(&planned.entries));
                let is_change = planned.entries.iter().any(Entry::is_change);
                if is_change { ExitCode::from(CHANGES) } else { ExitCode::SUCCESS }
            }
            // The faults were told.
            Ok(None) => ExitCode::from(CANNOT_RUN),
            Err(error) => {
                match &error {
                    CannotDiff::Render(error) => note(&error.line()),
                    CannotDiff::Cluster(error) => {
                        note(&format!("pierhead: {error}"));
                        error.lines(str::to_owned).iter().for_each(|line| note(line));
                    }
                    CannotDiff::Kubeconfig { .. } | CannotDiff::Access(_) => {
                        note(&format!("pierhead: {error}"));
                    }
                }
                ExitCode::from(CANNOT_RUN)
            }
        })
    }

    async fn compare(self) -> Result<Option<Planned>, CannotDiff> {
        let path = first_there(&self.kubeconfig);
        if path != self.kubeconfig {
            note(&format!("note: of several kubeconfigs only {} is read", path.display()));
        }
        let text =
            fs::read_to_string(&path).map_err(|source| CannotDiff::Kubeconfig { path, source })?;
        let access = Access::from_kubeconfig(&text, self.kubeconfig_context.as_deref())?;
        let found = match self.place.compile()? {
            Ok(found) => found,
            Err(faults) => {
                faults.iter().for_each(|line| note(line));
                return Ok(None);
            }
        };
        found.warnings.iter().for_each(|line| note(line));
        let (cluster, login) = cluster(&found, access);
        let nobody = (ProjectId::from(Uuid::nil()), EnvironmentId::from(Uuid::nil()));
        // Somebody looks on, and may ask again.
        let limits = Limits { patience: PATIENCE, ..Limits::default() };
        let connect = |of| {
            let (settings, hides) = (Settings::default(), Redactor::default());
            let target = KubernetesTarget::connect(&cluster, Some(&login), of, &settings, &hides)?;
            Ok::<_, ClusterError>(target.limited(limits))
        };
        let target = connect(nobody)?;
        let facts = target.target(&cluster).await?;
        let pinned = pinned(&found).await;
        // Whose they are changes no name.
        let Some(nobodys) = manifests(&found, &facts, (nobody, &pinned))? else {
            return Ok(None);
        };
        let of = target.owner_of(&nobodys).await?.unwrap_or(nobody);
        let Some(manifests) = manifests(&found, &facts, (of, &pinned))? else { return Ok(None) };
        manifests.notes.iter().for_each(|about| note(&format!("note: {about}")));
        Ok(Some(connect(of)?.plan(&manifests, Built::Unknown).await?))
    }
}

/// The kubeconfig that is read: of a list in the form of kubectl, the first file that is there.
fn first_there(paths: &Path) -> PathBuf {
    let whole = || paths.to_path_buf();
    if paths.exists() {
        return whole();
    }
    env::split_paths(paths).find(|path| path.is_file()).unwrap_or_else(whole)
}

/// The cluster that a kubeconfig names, in the words of a server.
fn cluster(found: &Found, access: Access) -> (Cluster, Credentials) {
    let cluster = Cluster {
        id: Uuid::nil().into(),
        name: found.cluster.name.clone(),
        kind: ClusterKind::Kubernetes,
        address: access.address,
        namespace: found.namespace.clone(),
        kubernetes: KubernetesOptions {
            tls_verify: access.verification == Verification::On,
            hierarchical_namespaces: found.cluster.hierarchical_namespaces,
            ..KubernetesOptions::default()
        },
        credentials: None,
    };
    (cluster, access.credentials)
}

/// What images of others are by now, as their registries tell everybody.
///
/// One that nobody tells of is taken for what runs under its name.
async fn pinned(found: &Found) -> PinnedImages {
    let mut pinned = built_images(&found.model);
    let registry = found.registry.clone().map(|address| {
        let plain_http = address.is_loopback();
        Registry { address, login: None, plain_http }
    });
    let oci = Oci::new(registry.as_slice());
    let images = found.model.containers().map(|container| &container.image);
    for image in images.filter(|image| image.origin == Origin::External) {
        if let btree_map::Entry::Vacant(place) = pinned.entry(image.reference()) {
            let by_now = oci.pin(place.key()).await.map_or_else(
                |error| {
                    let taken = "the image is taken for the one of its name that runs";
                    note(&format!("warning: {error}; {taken}"));
                    unpinned(place.key(), &image.name)
                },
                Pinned::Digest,
            );
            place.insert(by_now);
        }
    }
    pinned
}

/// What takes the place of an image that nobody tells of; one that a digest names is known anyway.
fn unpinned(reference: &str, name: &str) -> Pinned {
    if reference.contains('@') { Pinned::Digest(reference.to_owned()) } else { not_known(name) }
}

/// The objects of a deployment that is somebody's; nothing when its faults were told.
fn manifests(
    found: &Found,
    target: &Target,
    ((project, environment), pinned): ((ProjectId, EnvironmentId), &PinnedImages),
) -> Result<Option<Manifests>, CannotDiff> {
    let owner = Owner { project, environment, ..owner().map_err(CannotRender::from)? };
    let images = Images { pinned, others: Unpinned::Refused };
    match render_for(&found.model, target, (&owner, images)) {
        Ok(manifests) => Ok(Some(manifests)),
        Err(faults) => {
            faults.iter().for_each(|fault| note(&format!("{}: error: {fault}", found.name)));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_kubeconfigs_the_first_that_is_there_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let [absent, a, b] = ["absent", "a", "b"].map(|name| folder.path().join(name));
        fs::write(&a, "").unwrap();
        fs::write(&b, "").unwrap();
        let list = |paths: &[&PathBuf]| PathBuf::from(env::join_paths(paths).unwrap());
        assert_eq!(first_there(&a), a);
        assert_eq!(first_there(&list(&[&absent, &b, &a])), b);
        assert_eq!(first_there(&list(&[&a, &absent])), a);
        // As it was said, for the error.
        assert_eq!(first_there(&absent), absent);
    }
}
