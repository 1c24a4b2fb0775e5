//! Where a project is deployed to: targets are added, changed, tried and taken away.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use crate::deploy::trial::Trial;
use crate::domain::cluster::{ClusterKind, Credentials, Identity, KubernetesOptions};
use crate::kubernetes::{Access, Verification};
use crate::projects::{
    NewTarget, Target, TargetChange, create_cluster, delete_cluster, set_cluster, targets,
};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::Done;
use crate::web::page_error::PageError;
use crate::web::refusal::Refusal;
use crate::web::targets::{Options, check, check_name, escaped, login, try_it};

/// Fields that are never shown again.
const SECRET: [&str; 3] = ["kubeconfig", "token", "ca"];

/// Which of two forms, as their field says it.
const ENGINE: &str = "docker";
const CLUSTER: &str = "kubernetes";

struct Row {
    name: String,
    /// The same, as it stands in an address.
    escaped: String,
    environment: String,
    kind: &'static str,
    address: String,
    namespace: String,
}

impl Row {
    fn new(target: Target) -> Self {
        let Target { cluster, environment, .. } = target;
        Self {
            escaped: escaped(&cluster.name),
            environment: environment.to_string(),
            kind: cluster.kind.as_str(),
            address: cluster.address,
            namespace: cluster.namespace,
            name: cluster.name,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/targets.html", config = ".askama.toml")]
struct List {
    frame: Frame,
    done: Option<&'static str>,
    project: String,
    targets: Vec<Row>,
    /// What was filled in for an engine.
    engine: Form,
    /// What was filled in for a cluster.
    form: Form,
    /// Which of the forms was refused, and why.
    refusal: Option<(&'static str, String)>,
}

impl List {
    /// Why this form was refused.
    fn refusal_of(&self, form: &str) -> Option<&str> {
        self.refusal.as_ref().filter(|(of, _)| *of == form).map(|(_, text)| text.as_str())
    }
}

/// Why a form was not taken, if the form is why.
fn told(error: impl Into<PageError>) -> Result<String, PageError> {
    error.into().told()
}

async fn all(visit: &Visit) -> Result<Vec<Target>, PageError> {
    let (db, project) = (visit.db(), visit.project()?.clone());
    Ok(visit.run(async move { targets(&db, &project).await }).await?)
}

async fn show(
    visit: &Visit,
    done: Option<&'static str>,
    (form, refusal): (Form, Option<(&'static str, String)>),
) -> Result<HttpResponse, PageError> {
    let targets = all(visit).await?.into_iter().map(Row::new).collect();
    let form = SECRET.iter().fold(form, |form, field| form.without(field));
    let project = visit.project()?.name().to_string();
    let is_of_engine = matches!(refusal, Some((ENGINE, _)));
    let (engine, form) = match is_of_engine {
        true => (form, Form::default()),
        false => (Form::default(), form),
    };
    let frame = visit.frame("projects");
    let page = List { frame, done, project, targets, engine, form, refusal };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/projects/{account}/{project}/clusters`
pub(super) async fn list(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, done.words(), (Form::default(), None)).await
}

/// `POST /admin/projects/{account}/{project}/clusters`
pub(super) async fn add(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let kind = if form.is("kind", CLUSTER) { CLUSTER } else { ENGINE };
    match add_target(&visit, &form).await {
        Ok(()) => {
            let name = visit.project()?.name();
            Ok(see(&format!("/admin/projects/{name}/clusters?done=cluster")))
        }
        Err(error) => show(&visit, None, (form, Some((kind, told(error)?)))).await,
    }
}

fn text(form: &Form, field: &str) -> Option<String> {
    Some(form.trimmed(field).to_owned()).filter(|text| !text.is_empty())
}

/// Where a target is and who signs in there, as somebody has filled it in.
struct Said {
    address: Option<String>,
    credentials: Option<Credentials>,
    /// What a kubeconfig says of it.
    tls_verify: bool,
}

impl Said {
    /// `before` is where the target is, if there is one: it stands in the form of a change.
    fn read(form: &Form, before: Option<&str>) -> Result<Self, PageError> {
        let (address, tls_verify) = (text(form, "address"), !form.is_checked("unverified"));
        if let Some(kubeconfig) = text(form, "kubeconfig") {
            let address = address.filter(|address| Some(address.as_str()) != before);
            let context = text(form, "context");
            let read = Access::from_kubeconfig(&kubeconfig, context.as_deref());
            let read = read.map_err(|error| PageError::Refused(error.to_string()))?;
            return Ok(Self {
                address: Some(address.unwrap_or(read.address)),
                credentials: Some(read.credentials),
                tls_verify: tls_verify && read.verification == Verification::On,
            });
        }
        let (ca, token) = (text(form, "ca"), text(form, "token"));
        let is_said = ca.is_some() || token.is_some();
        let identity = token.map_or(Identity::Nobody, |token| Identity::Token(token.into()));
        let credentials = is_said.then_some(Credentials { ca, identity });
        Ok(Self { address, credentials, tls_verify })
    }

    fn options(&self, form: &Form) -> Result<KubernetesOptions, PageError> {
        Ok(KubernetesOptions {
            tls_verify: self.tls_verify,
            namespace_manage: form.read("namespace_manage")?,
            hierarchical_namespaces: form.is_checked("hierarchical_namespaces"),
            adoption: form.read("adoption")?,
        })
    }
}

async fn add_target(visit: &Visit, form: &Form) -> Result<(), PageError> {
    let kind: ClusterKind = form.read("kind")?;
    let said = Said::read(form, None)?;
    let before = KubernetesOptions::default();
    let kubernetes = match kind {
        ClusterKind::Docker => before,
        ClusterKind::Kubernetes => said.options(form)?,
    };
    let name = text(form, "name").unwrap_or_default();
    check_name(&name)?;
    let address = said.address.unwrap_or_default();
    let options = if kubernetes == before { Options::Plain } else { Options::OfKubernetes };
    check((kind, &address), (options, said.credentials.as_ref()))?;
    let login = login(&visit.site, said.credentials).await?;
    let target = NewTarget {
        project: visit.project()?.name(),
        name,
        environment: form.read("environment")?,
        kind,
        address,
        namespace: text(form, "namespace"),
        kubernetes,
    };
    let by = visit.acting();
    Ok(visit.run(async move { create_cluster(&by, target, login).await }).await?)
}

#[derive(Template)]
#[template(path = "admin/target.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    project: String,
    target: Row,
    signs_in: bool,
    options: KubernetesOptions,
    is_kubernetes: bool,
    form: Form,
    /// What it said when it was tried.
    trial: Option<Trial>,
    refusal: Option<String>,
}

/// What is said on the page of a target.
#[derive(Default)]
struct Shown {
    done: Option<&'static str>,
    /// What was filled in, if it was not taken.
    form: Option<Form>,
    trial: Option<Trial>,
    refusal: Option<String>,
}

/// The target of the address.
async fn target(visit: &Visit) -> Result<Target, PageError> {
    let name: String = visit.segment("cluster")?;
    let found = all(visit).await?.into_iter().find(|target| target.cluster.name == name);
    found.ok_or(PageError::NotFound)
}

async fn show_one(visit: &Visit, said: Shown) -> Result<HttpResponse, PageError> {
    let target = target(visit).await?;
    let Shown { done, form, trial, refusal } = said;
    let options = target.cluster.kubernetes;
    let mut form = SECRET.iter().fold(form.unwrap_or_default(), |form, field| form.without(field));
    if refusal.is_none() {
        form.set("address", target.cluster.address.as_str());
        form.set("namespace", target.cluster.namespace.as_str());
        form.set("unverified", if options.tls_verify { "" } else { "on" });
        let hierarchical = if options.hierarchical_namespaces { "on" } else { "" };
        form.set("hierarchical_namespaces", hierarchical);
        form.set("namespace_manage", options.namespace_manage.as_str());
        form.set("adoption", options.adoption.as_str());
    }
    form.set_seen(target.updated_at);
    let page = Page {
        frame: visit.frame("projects"),
        done,
        project: visit.project()?.name().to_string(),
        signs_in: target.cluster.credentials.is_some(),
        options,
        is_kubernetes: target.cluster.kind == ClusterKind::Kubernetes,
        target: Row::new(target),
        form,
        trial,
        refusal,
    };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/projects/{account}/{project}/clusters/{cluster}`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show_one(&visit, Shown { done: done.words(), ..Shown::default() }).await
}

/// `POST /admin/projects/{account}/{project}/clusters/{cluster}`
pub(super) async fn change(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    match change_target(&visit, &form).await {
        Ok(place) => Ok(see(&format!("{place}?done=changed"))),
        Err(error) => {
            let refusal = Some(told(error)?);
            show_one(&visit, Shown { form: Some(form), refusal, ..Shown::default() }).await
        }
    }
}

/// Changes the target of the address, and gives where its page is.
async fn change_target(visit: &Visit, form: &Form) -> Result<String, PageError> {
    let before = target(visit).await?.cluster;
    let said = Said::read(form, Some(&before.address))?;
    let kubernetes = match before.kind {
        ClusterKind::Docker => before.kubernetes,
        ClusterKind::Kubernetes => said.options(form)?,
    };
    let address = said.address.unwrap_or_else(|| before.address.clone());
    let is_changed = kubernetes != before.kubernetes;
    let options = if is_changed { Options::OfKubernetes } else { Options::Plain };
    check((before.kind, &address), (options, said.credentials.as_ref()))?;
    if let Some(credentials) = &said.credentials
        && before.credentials.is_some()
        && matches!(credentials.identity, Identity::Nobody)
    {
        let text = "who signs in and its CA are sealed as one: give a token or a kubeconfig, too";
        return Err(PageError::Refused(text.to_owned()));
    }
    let login = login(&visit.site, said.credentials).await?;
    let change = TargetChange {
        address: (address != before.address).then_some(address),
        namespace: text(form, "namespace").filter(|namespace| *namespace != before.namespace),
        kubernetes: is_changed.then_some(kubernetes),
        seen: form.seen(),
    };
    let (by, which) = (visit.acting(), (visit.project()?.name(), before.name.clone()));
    let place = format!("/admin/projects/{}/clusters/{}", which.0, escaped(&before.name));
    visit.run(async move { set_cluster(&by, which, change, login).await }).await?;
    Ok(place)
}

/// `POST /admin/projects/{account}/{project}/clusters/{cluster}/test`
pub(super) async fn test(posted: Posted) -> Result<HttpResponse, PageError> {
    let visit = posted.visit;
    let asked = target(&visit).await?;
    match try_it(&visit.site, visit.project()?.clone(), asked).await {
        Ok(trial) => show_one(&visit, Shown { trial: Some(trial), ..Shown::default() }).await,
        Err(error) => {
            let trial = Trial { summary: told(error)?, missing: Vec::new() };
            let refusal = Some(format!("It does not answer as it has to: {}", trial.summary));
            let form = Some(Form::default());
            show_one(&visit, Shown { form, refusal, ..Shown::default() }).await
        }
    }
}

/// `POST /admin/projects/{account}/{project}/clusters/{cluster}/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let visit = posted.visit;
    let (by, project) = (visit.acting(), visit.project()?.name());
    let which = (project.clone(), visit.segment("cluster")?);
    let done: Result<(), Refusal> =
        visit.run(async move { Ok(delete_cluster(&by, which).await?) }).await;
    match done {
        Ok(()) => Ok(see(&format!("/admin/projects/{project}/clusters?done=cluster-gone"))),
        Err(error) => {
            let refusal = Some(told(error)?);
            show_one(&visit, Shown { refusal, ..Shown::default() }).await
        }
    }
}
