//! Where everything begins: projects with what serves, and the latest jobs.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use crate::db::models::project::Project;
use crate::db::pool::Db;
use crate::domain::access::Role;
use crate::domain::ids::ProjectId;
use crate::domain::slug::ProjectName;
use crate::projects::{
    self, JobsWanted, ProjectError, Serves, jobs_seen, projects_seen, serving_of,
};
use crate::web::admin::visit::{Frame, Visit, html};
use crate::web::admin::words::{Done, JobRow, serves};
use crate::web::page_error::PageError;

/// Projects of one page.
const PAGE: usize = 50;

/// Jobs that are shown.
const JOBS: i64 = 20;

/// A project in a list.
pub(super) struct ProjectRow {
    /// `acme/shop`.
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) is_suspended: bool,
    /// Environments, and what serves there.
    pub(super) places: Vec<(String, Option<String>)>,
}

/// Projects as they are listed, with what serves in their environments.
pub(super) async fn with_places(
    db: &Db,
    rows: Vec<(Project, Option<Role>)>,
) -> Result<Vec<ProjectRow>, ProjectError> {
    let ids: Vec<ProjectId> = rows.iter().map(|(project, _)| project.id).collect();
    let mut serving = serving_of(db, ids).await?;
    let place = |(name, release): Serves| (name.to_string(), release.map(serves));
    let row = |(project, role): (Project, Option<Role>)| ProjectRow {
        name: project.name().to_string(),
        role: role.map_or("administrator", Role::as_str),
        is_suspended: project.is_suspended(),
        places: serving.remove(&project.id).into_iter().flatten().map(place).collect(),
    };
    Ok(rows.into_iter().map(row).collect())
}

#[derive(Template)]
#[template(path = "admin/overview.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    projects: Vec<ProjectRow>,
    jobs: Vec<JobRow>,
    shows_project: bool,
    /// Whether there are projects before these.
    has_before: bool,
    /// The last of these, if there are projects after it.
    after: Option<String>,
}

/// Which part of the list.
#[derive(Deserialize)]
pub(super) struct Part {
    /// The project that stands before it.
    after: Option<String>,
}

/// `GET /admin`
pub(super) async fn page(
    visit: Visit,
    done: Query<Done>,
    part: Query<Part>,
) -> Result<HttpResponse, PageError> {
    let name = part.after.as_deref().and_then(|name| name.parse::<ProjectName>().ok());
    let after = name.and_then(|name| Some((name.account?, name.project)));
    let has_before = after.is_some();
    let (db, who) = (visit.db(), visit.who());
    let read = async move {
        let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
        let page = projects::Page { after, most };
        let mut rows = projects_seen(&db, &who, None, page).await?;
        let has_more = rows.len() > PAGE;
        rows.truncate(PAGE);
        let jobs = jobs_seen(&db, &who, JobsWanted::default(), JOBS).await?;
        Ok::<_, PageError>((with_places(&db, rows).await?, has_more, jobs))
    };
    let (projects, has_more, jobs) = visit.run(read).await?;
    let last = projects.last().map(|row| row.name.clone());
    html(&Page {
        frame: visit.frame("projects"),
        done: done.words(),
        projects,
        jobs: jobs.into_iter().map(JobRow::new).collect(),
        shows_project: true,
        has_before,
        after: last.filter(|_| has_more),
    })
}
