//! Targets of all projects, for administrators.

use actix_web::HttpResponse;
use askama::Template;

use crate::domain::cluster::{ClusterKind, KubernetesOptions};
use crate::projects::{NewTarget, all_clusters, create_cluster};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::project::show;
use crate::web::admin::visit::{Frame, Visit, html, see};
use crate::web::page_error::PageError;

/// Most targets that are shown.
const MOST: i64 = 500;

struct Row {
    project: String,
    name: String,
    environment: String,
    kind: &'static str,
    address: String,
    namespace: String,
    signs_in: bool,
}

#[derive(Template)]
#[template(path = "admin/clusters.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    clusters: Vec<Row>,
}

/// `GET /admin/clusters`
pub(super) async fn page(visit: Visit) -> Result<HttpResponse, PageError> {
    let db = visit.db();
    let all = visit.run(async move { all_clusters(&db, MOST).await }).await?;
    let clusters = all.into_iter().map(|(project, environment, cluster)| Row {
        project: project.to_string(),
        environment: environment.to_string(),
        kind: cluster.kind.as_str(),
        signs_in: cluster.credentials.is_some(),
        name: cluster.name,
        address: cluster.address,
        namespace: cluster.namespace,
    });
    html(&Page { frame: visit.frame("clusters"), clusters: clusters.collect() })
}

/// `POST /admin/projects/{account}/{project}/clusters`: a Docker Engine. A Kubernetes cluster is
/// added by the API or at the terminal, which read who signs in there.
pub(super) async fn add(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    match add_engine(&visit, &form).await {
        Ok(()) => {
            let name = visit.project()?.name();
            Ok(see(&format!("/admin/projects/{name}?done=cluster")))
        }
        Err(error) => show(&visit, None, (form, Some(error.told()?))).await,
    }
}

async fn add_engine(visit: &Visit, form: &Form) -> Result<(), PageError> {
    let text = |field| Some(form.trimmed(field).to_owned()).filter(|text| !text.is_empty());
    let target = NewTarget {
        project: visit.project()?.name(),
        name: text("name").unwrap_or_else(|| "docker".to_owned()),
        environment: form.read("environment")?,
        kind: ClusterKind::Docker,
        address: form.trimmed("address").to_owned(),
        namespace: text("namespace"),
        kubernetes: KubernetesOptions::default(),
    };
    let by = visit.acting();
    Ok(visit.run(async move { create_cluster(&by, target, None).await }).await?)
}
