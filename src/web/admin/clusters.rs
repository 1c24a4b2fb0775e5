//! Targets of all projects, for administrators.

use actix_web::HttpResponse;
use askama::Template;

use crate::projects::all_clusters;
use crate::web::admin::visit::{Frame, Visit, html};
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
