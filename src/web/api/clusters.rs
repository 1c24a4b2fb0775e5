//! Where a project is deployed to. Who signs in there goes in and never comes out.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::cluster::{
    self, Adoption, ClusterKind, Credentials, Identity, KubernetesOptions, NamespaceManage,
};
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::ClusterId;
use crate::projects::{
    self, NewTarget, TargetChange, create_cluster, delete_cluster, set_cluster, targets,
};
use crate::web::api::answer::{
    Answered, List, created, done, ok, ok_at, version, whole, with_version,
};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;
use crate::web::targets::{Options, check, check_name, escaped, login, try_it};

/// A target of deployments.
#[expect(clippy::struct_excessive_bools, reason = "what it says of a target is yes or no")]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cluster {
    id: ClusterId,
    name: String,
    /// The environment it serves.
    environment: EnvironmentName,
    kind: ClusterKind,
    /// Where it answers.
    address: String,
    /// A cluster's namespace, or the first part of names on an engine.
    namespace: String,
    /// Whether somebody signs in there; who, is not told.
    signs_in: bool,
    /// Whether whoever answers must prove to be the cluster.
    tls_verify: bool,
    namespace_manage: NamespaceManage,
    hierarchical_namespaces: bool,
    adoption: Adoption,
}

impl Cluster {
    fn new(cluster: cluster::Cluster, environment: EnvironmentName) -> Self {
        let KubernetesOptions { tls_verify, namespace_manage, hierarchical_namespaces, adoption } =
            cluster.kubernetes;
        Self {
            id: cluster.id,
            name: cluster.name,
            environment,
            kind: cluster.kind,
            address: cluster.address,
            namespace: cluster.namespace,
            signs_in: cluster.credentials.is_some(),
            tls_verify,
            namespace_manage,
            hierarchical_namespaces,
            adoption,
        }
    }
}

/// Who signs in at a cluster: a token, or a certificate with its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLogin {
    /// Certificates in PEM of whoever vouches for the cluster.
    ca: Option<String>,
    /// A bearer token.
    #[schema(value_type = Option<String>)]
    token: Option<SecretString>,
    /// A client certificate in PEM.
    client_certificate: Option<String>,
    /// Its key in PEM.
    #[schema(value_type = Option<String>)]
    client_key: Option<SecretString>,
}

impl NewLogin {
    fn read(self) -> Result<Credentials, Problem> {
        let identity = match (self.token, self.client_certificate, self.client_key) {
            (Some(token), None, None) => Identity::Token(token),
            (None, Some(certificate), Some(key)) => Identity::Certificate { certificate, key },
            _ => {
                let text = "give a token, or a client certificate with its key";
                return Err(Problem::invalid("/login", text));
            }
        };
        Ok(Credentials { ca: self.ca, identity })
    }
}

/// A target about to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCluster {
    /// How it is called in `.paas.yaml`, too.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// The environment it serves, made if it is not there.
    environment: EnvironmentName,
    kind: ClusterKind,
    /// Where it answers: unix:///… of an engine, https://… of a Kubernetes API.
    address: String,
    /// The namespace; the account's if nothing is said.
    namespace: Option<String>,
    login: Option<NewLogin>,
    tls_verify: Option<bool>,
    namespace_manage: Option<NamespaceManage>,
    hierarchical_namespaces: Option<bool>,
    adoption: Option<Adoption>,
}

/// What is changed of a target; what is not said stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClusterChange {
    /// Where it answers. Who signs in there must be said with it.
    address: Option<String>,
    namespace: Option<String>,
    login: Option<NewLogin>,
    tls_verify: Option<bool>,
    namespace_manage: Option<NamespaceManage>,
    hierarchical_namespaces: Option<bool>,
    adoption: Option<Adoption>,
}

/// List where a project is deployed to.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/clusters", tag = "targets",
    operation_id = "list_clusters", responses((status = 200, body = List<Cluster>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let (db, project) = (call.db(), call.project()?.clone());
    let rows = call.run(async move { targets(&db, &project).await }).await?;
    let view = |target: projects::Target| Cluster::new(target.cluster, target.environment);
    Ok(whole(rows.into_iter().map(view).collect()))
}

/// Show one of them.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/clusters/{cluster}", tag = "targets",
    operation_id = "show_cluster", responses((status = 200, body = Cluster)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let target = target(&call, call.segment("cluster")?).await?;
    let version = version(target.updated_at);
    Ok(ok_at(&Cluster::new(target.cluster, target.environment), &version))
}

async fn target(call: &Call, name: String) -> Result<projects::Target, Problem> {
    let (db, project) = (call.db(), call.project()?.clone());
    let missing = format!("cluster {name} is");
    let rows = call.run(async move { targets(&db, &project).await }).await?;
    let found = rows.into_iter().find(|target| target.cluster.name == name);
    found.ok_or_else(|| Problem::not_found(missing))
}

/// Add a target. The first one of a project makes its default branch deploy there.
#[utoipa::path(
    post, path = "/projects/{account}/{project}/clusters", tag = "targets",
    operation_id = "create_cluster", request_body = NewCluster,
    responses((status = 201, body = Cluster)),
)]
pub(super) async fn create(mut call: Call) -> Answered {
    let new: NewCluster = call.body().await?;
    let before = KubernetesOptions::default();
    let kubernetes = KubernetesOptions {
        tls_verify: new.tls_verify.unwrap_or(before.tls_verify),
        namespace_manage: new.namespace_manage.unwrap_or(before.namespace_manage),
        hierarchical_namespaces: new
            .hierarchical_namespaces
            .unwrap_or(before.hierarchical_namespaces),
        adoption: new.adoption.unwrap_or(before.adoption),
    };
    let credentials = new.login.map(NewLogin::read).transpose()?;
    check_name(&new.name)?;
    let options = if kubernetes == before { Options::Plain } else { Options::OfKubernetes };
    check((new.kind, &new.address), (options, credentials.as_ref()))?;
    let login = login(call.site(), credentials).await?;
    let name = new.name.clone();
    let target = NewTarget {
        project: call.project()?.name(),
        name: new.name,
        environment: new.environment,
        kind: new.kind,
        address: new.address,
        namespace: new.namespace,
        kubernetes,
    };
    let by = call.acting();
    call.run(async move { create_cluster(&by, target, login).await }).await?;
    let made = self::target(&call, name).await?;
    let location =
        format!("/projects/{}/clusters/{}", call.project()?.name(), escaped(&made.cluster.name));
    let version = version(made.updated_at);
    let made = Cluster::new(made.cluster, made.environment);
    Ok(with_version(created(&made, &location), &version))
}

/// Change a target, for jobs from now on.
#[utoipa::path(
    patch, path = "/projects/{account}/{project}/clusters/{cluster}", tag = "targets",
    operation_id = "change_cluster", request_body = ClusterChange,
    responses((status = 200, body = Cluster)),
)]
pub(super) async fn change(mut call: Call) -> Answered {
    let seen = call.seen()?;
    let new: ClusterChange = call.body().await?;
    let name: String = call.segment("cluster")?;
    let before = target(&call, name.clone()).await?.cluster;
    let options = before.kubernetes;
    let kubernetes = KubernetesOptions {
        tls_verify: new.tls_verify.unwrap_or(options.tls_verify),
        namespace_manage: new.namespace_manage.unwrap_or(options.namespace_manage),
        hierarchical_namespaces: new
            .hierarchical_namespaces
            .unwrap_or(options.hierarchical_namespaces),
        adoption: new.adoption.unwrap_or(options.adoption),
    };
    let credentials = new.login.map(NewLogin::read).transpose()?;
    let address = new.address.as_ref().unwrap_or(&before.address);
    let is_changed = kubernetes != options;
    let options = if is_changed { Options::OfKubernetes } else { Options::Plain };
    check((before.kind, address), (options, credentials.as_ref()))?;
    let login = login(call.site(), credentials).await?;
    let change = TargetChange {
        address: new.address,
        namespace: new.namespace,
        kubernetes: is_changed.then_some(kubernetes),
        seen,
    };
    let (by, which) = (call.acting(), (call.project()?.name(), name.clone()));
    call.run(async move { set_cluster(&by, which, change, login).await }).await?;
    let changed = target(&call, name).await?;
    let version = version(changed.updated_at);
    Ok(ok_at(&Cluster::new(changed.cluster, changed.environment), &version))
}

/// Take a target away. What runs there goes on.
#[utoipa::path(
    delete, path = "/projects/{account}/{project}/clusters/{cluster}", tag = "targets",
    operation_id = "delete_cluster",
    responses((status = 204, description = "Nothing is deployed there any more")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let which = (call.project()?.name(), call.segment("cluster")?);
    let by = call.acting();
    call.run(async move { delete_cluster(&by, which).await }).await?;
    Ok(done())
}

/// What a target said when it was tried.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trial {
    /// Who answers there, in words.
    summary: String,
    /// What deployments would lack, each in words; empty when nothing is missing.
    missing: Vec<String>,
}

/// Have a worker try whether a target can be deployed to. Nothing is changed there.
#[utoipa::path(
    post, path = "/projects/{account}/{project}/clusters/{cluster}/test", tag = "targets",
    operation_id = "test_cluster",
    responses(
        (status = 200, body = Trial),
        (status = 409, description = "It does not answer, or does not accept who signs in"),
    ),
)]
pub(super) async fn test(call: Call) -> Answered {
    let target = target(&call, call.segment("cluster")?).await?;
    let tried = try_it(call.site(), call.project()?.clone(), target).await?;
    Ok(ok(&Trial { summary: tried.summary, missing: tried.missing }))
}
