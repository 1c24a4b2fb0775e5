//! Projects.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::db::models::project;
use crate::domain::access::{Role, Verb};
use crate::domain::ids::ProjectId;
use crate::domain::slug::{AccountSlug, ProjectName, ProjectSlug};
use crate::projects::{
    Page, ProjectEdit, create_project, delete_project, find, projects_seen, set_project,
};
use crate::web::api::answer::{
    Answered, List, created, cursor, done, most, ok_at, part, version, with_version,
};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;

/// The branch of a new project, if nobody says.
const DEFAULT_BRANCH: &str = "main";

/// One deployable application.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Project {
    id: ProjectId,
    /// As people write it: `account/project`.
    name: String,
    account: AccountSlug,
    project: ProjectSlug,
    /// The branch that is checked out by a clone.
    default_branch: String,
    /// What stands before every deployed name.
    prefix: String,
    /// Whether nothing of it is stored or deployed.
    suspended: bool,
    /// Whether that is so because of it or of its account.
    inactive: bool,
    updated_at: DateTime<Utc>,
}

impl Project {
    fn new(project: project::Project) -> Self {
        Self {
            id: project.id,
            name: project.name().to_string(),
            default_branch: project.default_branch().to_owned(),
            suspended: project.suspended_at.is_some(),
            inactive: project.check_active().is_err(),
            updated_at: project.updated_at,
            account: project.account,
            project: project.slug,
            prefix: project.prefix,
        }
    }
}

/// A project of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedProject {
    id: ProjectId,
    /// As people write it: `account/project`.
    name: String,
    account: AccountSlug,
    project: ProjectSlug,
    /// What whoever asks is there for; null of administrators who are no member.
    role: Option<Role>,
    /// Whether nothing of it is stored or deployed.
    inactive: bool,
}

/// Which projects.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those of this account.
    account: Option<AccountSlug>,
    /// Most rows.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// Where the list goes on, from `next`.
    cursor: Option<String>,
}

/// A project about to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProject {
    project: ProjectSlug,
    /// The branch that is checked out by a clone, and deploys first; `main` if nothing is said.
    default_branch: Option<String>,
}

/// What is changed of a project; what is not said stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectChange {
    /// What stands before every deployed name; empty for nothing.
    #[schema(pattern = "^([a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?)?$")]
    prefix: Option<String>,
    /// Whether nothing of it is stored or deployed; only administrators say so.
    suspended: Option<bool>,
}

/// List the projects that one may see.
#[utoipa::path(
    get, path = "/projects", tag = "projects", operation_id = "list_projects", params(Wanted),
    responses((status = 200, body = List<ListedProject>)),
)]
pub(super) async fn list(call: Call) -> Answered {
    let Wanted { account, limit, cursor: place } = call.query()?;
    let most = most(limit)?;
    let after = cursor(place.as_deref(), |text| {
        let (account, project) = text.split_once('/')?;
        Some((account.parse().ok()?, project.parse().ok()?))
    })?;
    let (db, who) = (call.db(), call.who());
    let page = Page { after, most };
    let rows = call.run(async move { projects_seen(&db, &who, account, page).await }).await?;
    let last = |(project, _): &(project::Project, _)| project.name().to_string();
    Ok(part(rows, most, &call.address(), last, |(project, role)| ListedProject {
        id: project.id,
        name: project.name().to_string(),
        role,
        inactive: project.check_active().is_err(),
        account: project.account,
        project: project.slug,
    }))
}

/// Show a project.
#[utoipa::path(
    get, path = "/projects/{account}/{project}", tag = "projects", operation_id = "show_project",
    responses((status = 200, body = Project)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let project = call.project()?;
    let version = version(project.updated_at);
    Ok(ok_at(&Project::new(project.clone()), &version))
}

/// Add a project.
#[utoipa::path(
    post, path = "/accounts/{account}/projects", tag = "projects", operation_id = "create_project",
    request_body = NewProject, responses((status = 201, body = Project)),
)]
pub(super) async fn create(mut call: Call) -> Answered {
    let new: NewProject = call.body().await?;
    let account = call.account()?.slug.clone();
    let name = ProjectName { account: Some(account.clone()), project: new.project.clone() };
    let (by, who) = (call.acting(), call.who());
    let made = call.run(async move {
        let branch = new.default_branch.as_deref().unwrap_or(DEFAULT_BRANCH);
        create_project(&by, (account, new.project), branch).await?;
        find(&by.db, &who, &name, Verb::Look).await
    });
    let made = made.await?;
    let (version, location) = (version(made.updated_at), format!("/projects/{}", made.name()));
    Ok(with_version(created(&Project::new(made), &location), &version))
}

/// Change a project.
#[utoipa::path(
    patch, path = "/projects/{account}/{project}", tag = "projects",
    operation_id = "change_project",
    request_body = ProjectChange, responses((status = 200, body = Project)),
)]
pub(super) async fn change(mut call: Call) -> Answered {
    let seen = call.seen()?;
    let ProjectChange { prefix, suspended } = call.body().await?;
    if suspended.is_some() && !call.bearer().user.administrator {
        let text = "only administrators suspend a project";
        return Err(Problem::invalid("/suspended", text));
    }
    let edit = ProjectEdit { prefix, suspended, seen };
    let (by, who, name) = (call.acting(), call.who(), call.project()?.name());
    let changed = call.run(async move {
        set_project(&by, name.clone(), edit).await?;
        find(&by.db, &who, &name, Verb::Look).await
    });
    let changed = changed.await?;
    let version = version(changed.updated_at);
    Ok(ok_at(&Project::new(changed), &version))
}

/// Delete a project. What it deployed goes on.
#[utoipa::path(
    delete, path = "/projects/{account}/{project}", tag = "projects",
    operation_id = "delete_project",
    responses((status = 204, description = "Nothing more of it is stored or deployed")),
)]
pub(super) async fn delete(call: Call) -> Answered {
    let (by, name) = (call.acting(), call.project()?.name());
    call.run(async move { delete_project(&by, name).await }).await?;
    Ok(done())
}

/// The name of a project that stands at some place of a body.
pub(super) fn name_at(text: &str, pointer: &str) -> Result<ProjectName, Problem> {
    let name: ProjectName = text.parse().map_err(|error| Problem::invalid(pointer, error))?;
    match name.account {
        Some(_) => Ok(name),
        None => Err(Problem::invalid(pointer, "write it as account/project")),
    }
}
