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
pub(super) struct Where {
    #[command(flatten)]
    source: Source,
    /// The cluster, of which the context may say more; without one, its only one.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The namespace, whatever the context says.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
}

/// What is rendered, and for what version.
#[derive(Debug, clap::Args)]
pub(super) struct Render {
    #[command(flatten)]
    place: Where,
    /// The version of Kubernetes that objects are made for.
    #[arg(long, value_name = "VERSION", default_value_t = Level::OLDEST)]
    level: Level,
}

/// Why nothing was rendered.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotRender {
    /// The file cannot be read.
    #[error("{name}: error[{}]: {source}", paas::Code::NoFile)]
    File {
        /// What it is called.
        name: String,
        /// Why.
        source: CannotRead,
    },
    /// What it is compiled with.
    #[error(transparent)]
    Read(CannotRead),
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

impl CannotRender {
    /// How it is told.
    pub(super) fn line(&self) -> String {
        match self {
            Self::File { .. } => self.to_string(),
            Self::Read(_)
            | Self::SeveralClusters(_)
            | Self::OtherTarget(_)
            | Self::Registry(_)
            | Self::Name(_) => format!("pierhead: {self}"),
        }
    }
}

/// A file that compiles, and where it is to go.
pub(super) struct Found {
    /// What the file is called.
    pub(super) name: String,
    pub(super) model: Deployment,
    pub(super) warnings: Vec<String>,
    pub(super) cluster: Cluster,
    pub(super) namespace: String,
    pub(super) registry: Option<RegistryAddress>,
}

impl Where {
    /// Compiles the file, or gives lines about its faults.
    pub(super) fn compile(self) -> Result<Result<Found, Vec<String>>, CannotRender> {
        let name = self.source.name();
        let (text, file) = self.source.read().map_err(|error| match error {
            source @ CannotRead::File(_) => CannotRender::File { name: name.clone(), source },
            other @ (CannotRead::ReadContext { .. }
            | CannotRead::Context { .. }
            | CannotRead::Variable(_)
            | CannotRead::NoValue) => CannotRender::Read(other),
        })?;
        let cluster = cluster(&file, self.cluster.as_deref())?;
        let registry = file.registry.as_deref().map(str::parse).transpose()?;
        let mut context = file.into_context();
        if context.targets.iter().all(|target| target.name != cluster.name) {
            let name = cluster.name.clone();
            context.targets.push(Target { name, kind: TargetKind::Kubernetes });
        }
        Ok(match paas::compile(&text, &context) {
            Ok(Compiled { model, warnings, .. }) => {
                let own_name = model.project_name.trim_matches('-').to_owned();
                let namespace = self.namespace.or(cluster.namespace.clone()).unwrap_or(own_name);
                let warnings = render_warnings(&warnings, &text, &name);
                Ok(Found { name, model, warnings, cluster, namespace, registry })
            }
            Err(faults) => Err(faults.render(&text, &name)),
        })
    }
}

/// Objects, and lines of warnings.
type Rendered = (Manifests, Vec<String>);

impl Render {
    /// Renders the file and prints the objects; everything else goes to standard error.
    pub(super) fn run(self) -> ExitCode {
        match self.rendered() {
            Ok(Ok((manifests, warnings))) => {
                warnings.iter().for_each(|line| note(line));
                manifests.notes.iter().for_each(|about| note(&format!("note: {about}")));
                say(manifests.yaml().trim_end());
                ExitCode::SUCCESS
            }
            Ok(Err(faults)) => {
                faults.iter().for_each(|line| note(line));
                ExitCode::from(1)
            }
            Err(error) => {
                note(&error.line());
                ExitCode::from(CANNOT_RUN)
            }
        }
    }

    /// The objects and warnings, or lines about faults.
    fn rendered(self) -> Result<Result<Rendered, Vec<String>>, CannotRender> {
        let found = match self.place.compile()? {
            Ok(found) => found,
            Err(faults) => return Ok(Err(faults)),
        };
        let target = KubernetesTarget {
            cluster: found.cluster.name,
            namespace: found.namespace,
            is_hierarchical: found.cluster.hierarchical_namespaces,
            level: self.level,
            controllers: BTreeMap::new(),
            default_class: None,
        };
        let others = Unpinned::ByTag(found.registry.as_ref());
        let images = Images { pinned: &PinnedImages::new(), others };
        Ok(match render_for(&found.model, &target, (&owner()?, images)) {
            Ok(manifests) => Ok((manifests, found.warnings)),
            Err(faults) => {
                let faults = faults.iter().map(|fault| format!("{}: error: {fault}", found.name));
                Err(found.warnings.into_iter().chain(faults).collect())
            }
        })
    }
}

/// Whose objects they are where there is no server.
pub(super) fn owner() -> Result<Owner, BadSlug> {
    Ok(Owner {
        account: NOBODY.parse::<AccountSlug>()?,
        project: Uuid::nil().into(),
        environment: Uuid::nil().into(),
        fence: Fence(1),
        job: Uuid::nil().into(),
        number: JobNumber(1),
        release: ReleaseNumber(1),
    })
}

/// The objects of a deployment that no server knows of.
pub(super) fn render_for(
    model: &Deployment,
    target: &KubernetesTarget,
    (owner, images): (&Owner, Images<'_>),
) -> Result<Manifests, Vec<Unrenderable>> {
    let inputs = Inputs {
        owner,
        target,
        settings: &Settings::default(),
        images,
        registry: None,
        quotas: &[],
        key: &ContentKey([0; 32]),
    };
    render(model, &inputs)
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
