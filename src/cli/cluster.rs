//! `pierhead admin create cluster` and `set cluster`: where projects deploy to.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::admin_error::AdminError;
use crate::config::Config;
use crate::db::acting::Acting;
use crate::db::pool::Db;
use crate::deploy::opened::open_credentials;
use crate::deploy::trial::{Trial, try_target};
use crate::domain::cluster::{
    Adoption, ClusterKind, Credentials, Identity, KubernetesOptions, NamespaceManage,
};
use crate::domain::environment::EnvironmentName;
use crate::domain::sealed::Place;
use crate::domain::seen::Seen;
use crate::domain::slug::ProjectName;
use crate::kubernetes::{self, Verification};
use crate::projects::{self, Login, NewTarget, TargetChange};
use crate::seal::{load, load_public};

/// Most bytes of a file that signs in.
const LONGEST: u64 = 256 * 1024;

/// The address of the machine's own engine.
const ENGINE: &str = "unix:///var/run/docker.sock";

/// A target of a project; the first one makes its default branch deploy there.
#[derive(Debug, Args)]
pub(super) struct NewCluster {
    #[command(flatten)]
    which: Which,
    /// The environment it serves.
    #[arg(long)]
    environment: EnvironmentName,
    /// What drives it: docker or kubernetes.
    #[arg(long, default_value = "docker")]
    kind: ClusterKind,
    #[command(flatten)]
    access: Access,
}

/// Which target.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The project, as `account/project`.
    project: ProjectName,
    /// Name of the target.
    name: String,
}

/// Where a target is, and how one gets there.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// Where it answers: unix:///… of an engine, https://… of a Kubernetes API.
    #[arg(long)]
    address: Option<String>,
    /// The namespace in a cluster, or first part of names on an engine; at first the account's name.
    #[arg(long)]
    namespace: Option<String>,
    /// A kubeconfig that says the address and who signs in; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ca", "token", "client_certificate"])]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; without one, its current one.
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    /// Certificates in PEM of whoever vouches for the cluster.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The file of a bearer token; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "client_certificate")]
    token: Option<PathBuf>,
    /// A client certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_certificate: Option<PathBuf>,
    /// The key of the client certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,
    /// Whether whoever answers must prove to be the cluster.
    #[arg(long, value_name = "true|false")]
    tls_verify: Option<bool>,
    /// Who makes the namespace: `never` a deployment, or `create` it when it is missing.
    #[arg(long, value_name = "never|create")]
    namespace_manage: Option<NamespaceManage>,
    /// Whether the project gets a namespace of its own below that one (deprecated upstream).
    #[arg(long, value_name = "true|false")]
    hierarchical_namespaces: Option<bool>,
    /// Whether objects that others have made under names of a deployment are taken over: `next`, until
    /// a release is live.
    #[arg(long, value_name = "never|next")]
    adoption: Option<Adoption>,
}

/// Where a target is and who signs in there; what was not said is `None`.
struct Said {
    address: Option<String>,
    namespace: Option<String>,
    credentials: Option<Credentials>,
    tls_verify: Option<bool>,
}

impl NewCluster {
    /// Adds it, and says so.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<String, AdminError> {
        let Self { which: Which { project, name }, environment, kind, access } = self;
        let text = format!("Cluster {name} serves {environment} of {project}.");
        let Said { address, namespace, credentials, tls_verify } = access.read()?;
        let kubernetes = access.options(KubernetesOptions::default(), tls_verify);
        let address = match (kind, address) {
            (_, Some(address)) => address,
            (ClusterKind::Docker, None) => ENGINE.to_owned(),
            (ClusterKind::Kubernetes, None) => return Err(AdminError::NoAddress),
        };
        let is_default = kubernetes == KubernetesOptions::default();
        if kind == ClusterKind::Docker && !(is_default && credentials.is_none()) {
            return Err(AdminError::NotOfEngines);
        }
        check((kind, &address), credentials.as_ref())?;
        let target = NewTarget { project, name, environment, kind, address, namespace, kubernetes };
        projects::create_cluster(by, target, login(config, credentials)?).await?;
        Ok(text)
    }
}

/// Changes a target.
pub(super) async fn set(
    (Which { project, name }, access): (Which, Access),
    config: &Config,
    by: &Acting,
) -> Result<String, AdminError> {
    let which = (project, name);
    let (cluster, _) = projects::cluster(&by.db, which.clone()).await?;
    let Said { address, namespace, credentials, tls_verify } = access.read()?;
    let is_nobody = |login: &Credentials| matches!(login.identity, Identity::Nobody);
    if cluster.credentials.is_some() && credentials.as_ref().is_some_and(is_nobody) {
        return Err(AdminError::NobodySignsIn);
    }
    let kubernetes = access.options(cluster.kubernetes, tls_verify);
    let is_changed = kubernetes != cluster.kubernetes;
    if cluster.kind == ClusterKind::Docker && (is_changed || credentials.is_some()) {
        return Err(AdminError::NotOfEngines);
    }
    let kubernetes = is_changed.then_some(kubernetes);
    check((cluster.kind, address.as_ref().unwrap_or(&cluster.address)), credentials.as_ref())?;
    let change = TargetChange { address, namespace, kubernetes, seen: Seen::Whatever };
    let text = format!("Cluster {} of {} is changed, for jobs from now on.", which.1, which.0);
    projects::set_cluster(by, which, change, login(config, credentials)?).await?;
    Ok(text)
}

/// Asks a cluster whether it can be deployed to, and says what is missing.
pub(super) async fn test(which: Which, config: &Config, db: &Db) -> Result<String, AdminError> {
    let Which { project, name } = which;
    let (cluster, id) = projects::cluster(db, (project, name.clone())).await?;
    let login = match &cluster.credentials {
        None => None,
        Some(sealed) => {
            let opener = load(&config.seal)?.opener;
            let place = Place::cluster(id, &cluster.address, &cluster.name);
            Some(open_credentials(&opener, sealed, &place)?)
        }
    };
    let Trial { summary, missing } =
        try_target(&cluster, login.as_ref(), &config.kubernetes).await?;
    if missing.is_empty() {
        Ok(summary)
    } else {
        Err(AdminError::Missing { cluster: name, missing })
    }
}

fn login(config: &Config, credentials: Option<Credentials>) -> Result<Login, AdminError> {
    let Some(credentials) = credentials else { return Ok(None) };
    Ok(Some((credentials, load_public(&config.seal.public_key)?)))
}

impl Access {
    fn options(&self, before: KubernetesOptions, verify: Option<bool>) -> KubernetesOptions {
        KubernetesOptions {
            tls_verify: verify.unwrap_or(before.tls_verify),
            namespace_manage: self.namespace_manage.unwrap_or(before.namespace_manage),
            hierarchical_namespaces: self
                .hierarchical_namespaces
                .unwrap_or(before.hierarchical_namespaces),
            adoption: self.adoption.unwrap_or(before.adoption),
        }
    }

    fn read(&self) -> Result<Said, AdminError> {
        if let Some(file) = &self.kubeconfig {
            return self.read_kubeconfig(&read(file)?);
        }
        let ca = self.ca.as_deref().map(read).transpose()?;
        let certificate = self.client_certificate.as_deref().map(read).transpose()?;
        let key = self.client_key.as_deref().map(read).transpose()?;
        let token = self.token.as_deref().map(read).transpose()?;
        let identity = match (token, certificate, key) {
            (Some(token), ..) => Identity::Token(token.trim().into()),
            (None, Some(certificate), Some(key)) => {
                Identity::Certificate { certificate, key: key.into() }
            }
            (None, ..) => Identity::Nobody,
        };
        let is_said = ca.is_some() || !matches!(identity, Identity::Nobody);
        let credentials = is_said.then_some(Credentials { ca, identity });
        let (address, namespace) = (self.address.clone(), self.namespace.clone());
        Ok(Said { address, namespace, credentials, tls_verify: self.tls_verify })
    }

    /// What a kubeconfig says; what was said besides wins.
    fn read_kubeconfig(&self, text: &str) -> Result<Said, AdminError> {
        let read = kubernetes::Access::from_kubeconfig(text, self.context.as_deref())?;
        Ok(Said {
            address: Some(self.address.clone().unwrap_or(read.address)),
            // Those of kubeconfigs are where people look first, and not what is deployed to.
            namespace: self.namespace.clone(),
            credentials: Some(read.credentials),
            tls_verify: self.tls_verify.or(Some(read.verification == Verification::On)),
        })
    }
}

/// Checks what can be known of a cluster without asking it.
fn check(
    (kind, address): (ClusterKind, &String),
    credentials: Option<&Credentials>,
) -> Result<(), AdminError> {
    if kind == ClusterKind::Docker {
        return Ok(());
    }
    kind.check_address(address)?;
    let access = kubernetes::Access {
        address: address.clone(),
        namespace: "default".to_owned(),
        credentials: credentials.cloned().unwrap_or_default(),
        verification: Verification::On,
    };
    Ok(access.check()?)
}

/// A small text file, or standard input.
pub(super) fn read(path: &Path) -> Result<String, AdminError> {
    let fails = |source| AdminError::File { path: path.to_owned(), source };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(LONGEST).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text))
    };
    read.map(|_| text).map_err(fails)
}
