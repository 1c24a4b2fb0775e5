//! `pierhead render`: the Kubernetes objects of a `.paas.yaml`, without a server or a cluster.

use std::collections::BTreeMap;
use std::process::ExitCode;

use uuid::Uuid;

use crate::cli::source::{CannotRead, Source};
use crate::cli::{CANNOT_RUN, note, say};
use crate::domain::ids::{Fence, JobNumber, ReleaseNumber};
use crate::domain::level::Level;
use crate::domain::registry::{BadRegistry, RegistryAddress};
use crate::domain::release::PinnedImages;
use crate::domain::slug::{AccountSlug, BadSlug};
use crate::manifests::{
    ContentKey, Images, Inputs, Manifests, Owner, Settings, Target as KubernetesTarget, Unpinned,
    Unrenderable, render,
};
use crate::paas::compiled::Deployment;
use crate::paas::{self, Cluster, Compiled, ContextFile, Target, TargetKind, render_warnings};

/// Who deploys where there is no server, and the cluster where none is named.
const NOBODY: &str = "nobody";
const CLUSTER: &str = "kubernetes";

/// Which file is rendered, and for what cluster.
#[derive(Debug, clap::Args)]
pub(super) struct Render {
    #[command(flatten)]
    source: Source,
    /// The cluster, of which the context may say more; without one, its only one.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The namespace, whatever the context says.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// The version of Kubernetes that objects are made for.
    #[arg(long, value_name = "VERSION", default_value_t = Level::OLDEST)]
    level: Level,
}

/// Why nothing was rendered.
#[derive(Debug, thiserror::Error)]
enum CannotRender {
    /// The file, or what it is compiled with.
    #[error(transparent)]
    Read(#[from] CannotRead),
    /// There are several clusters.
    #[error("the context has several Kubernetes clusters: name one with --cluster: {0}")]
    SeveralClusters(String),
    /// It is another target.
    #[error("cluster `{0}` of the context is no Kubernetes cluster")]
    OtherTarget(String),
    /// The registry of the context.
    #[error("registry of the context: {0}")]
    Registry(#[from] BadRegistry),
    /// A name that nobody has.
    #[error(transparent)]
    Name(#[from] BadSlug),
}

/// What was found about a file.
enum Found {
    /// It could be rendered.
    Manifests(Manifests, Vec<String>),
    /// Lines about its faults.
    Faults(Vec<String>),
}

impl Render {
    /// Renders the file and prints the objects; everything else goes to standard error.
    pub(super) fn run(self) -> ExitCode {
        let name = self.source.name();
        match self.found(&name) {
            Ok(Found::Manifests(manifests, lines)) => {
                lines.iter().for_each(|line| note(line));
                manifests.notes.iter().for_each(|about| note(&format!("note: {about}")));
                say(manifests.yaml().trim_end());
                ExitCode::SUCCESS
            }
            Ok(Found::Faults(lines)) => {
                lines.iter().for_each(|line| note(line));
                ExitCode::from(1)
            }
            Err(CannotRender::Read(error @ CannotRead::File(_))) => {
                note(&format!("{name}: error[{}]: {error}", paas::Code::NoFile));
                ExitCode::from(CANNOT_RUN)
            }
            Err(error) => {
                note(&format!("pierhead: {error}"));
                ExitCode::from(CANNOT_RUN)
            }
        }
    }

    fn found(self, name: &str) -> Result<Found, CannotRender> {
        let (text, file) = self.source.read()?;
        let cluster = cluster(&file, self.cluster.as_deref())?;
        let registry = file.registry.as_deref().map(str::parse).transpose()?;
        let mut context = file.into_context();
        if context.targets.iter().all(|target| target.name != cluster.name) {
            let name = cluster.name.clone();
            context.targets.push(Target { name, kind: TargetKind::Kubernetes });
        }
        let Compiled { model, warnings, .. } = match paas::compile(&text, &context) {
            Ok(compiled) => compiled,
            Err(faults) => return Ok(Found::Faults(faults.render(&text, name))),
        };
        let own_name = model.project_name.trim_matches('-').to_owned();
        let target = KubernetesTarget {
            cluster: cluster.name,
            namespace: self.namespace.or(cluster.namespace).unwrap_or(own_name),
            is_hierarchical: cluster.hierarchical_namespaces,
            level: self.level,
            controllers: BTreeMap::new(),
        };
        let warnings = render_warnings(&warnings, &text, name);
        Ok(match rendered(&model, &target, registry.as_ref())? {
            Ok(manifests) => Found::Manifests(manifests, warnings),
            Err(faults) => {
                let faults = faults.iter().map(|fault| format!("{name}: error: {fault}"));
                Found::Faults(warnings.into_iter().chain(faults).collect())
            }
        })
    }
}

/// The objects of a deployment that no server knows of.
fn rendered(
    model: &Deployment,
    target: &KubernetesTarget,
    registry: Option<&RegistryAddress>,
) -> Result<Result<Manifests, Vec<Unrenderable>>, BadSlug> {
    let owner = Owner {
        account: NOBODY.parse::<AccountSlug>()?,
        project: Uuid::nil().into(),
        environment: Uuid::nil().into(),
        fence: Fence(1),
        job: Uuid::nil().into(),
        number: JobNumber(1),
        release: ReleaseNumber(1),
    };
    let inputs = Inputs {
        owner: &owner,
        target,
        settings: &Settings::default(),
        images: Images { pinned: &PinnedImages::new(), others: Unpinned::ByTag(registry) },
        registry: None,
        quotas: &[],
        key: &ContentKey([0; 32]),
    };
    Ok(render(model, &inputs))
}

/// What the context knows of a cluster.
fn cluster(file: &ContextFile, name: Option<&str>) -> Result<Cluster, CannotRender> {
    let is_ours = |cluster: &&Cluster| cluster.kind == TargetKind::Kubernetes;
    let unknown = |name: &str| Cluster {
        name: name.to_owned(),
        kind: TargetKind::Kubernetes,
        namespace: None,
        hierarchical_namespaces: false,
    };
    let Some(name) = name else {
        let ours: Vec<&Cluster> = file.clusters.iter().filter(is_ours).collect();
        return match ours.as_slice() {
            [] => Ok(unknown(CLUSTER)),
            [only] => Ok((*only).clone()),
            several => {
                let names: Vec<_> = several.iter().map(|cluster| cluster.name.as_str()).collect();
                Err(CannotRender::SeveralClusters(names.join(", ")))
            }
        };
    };
    match file.clusters.iter().find(|cluster| cluster.name == name) {
        None => Ok(unknown(name)),
        Some(cluster) if is_ours(&cluster) => Ok(cluster.clone()),
        Some(_) => Err(CannotRender::OtherTarget(name.to_owned())),
    }
}
