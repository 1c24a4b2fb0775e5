//! What a project is: how it is named, what deploys where, where images go and commits come from; and
//! its end.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use secrecy::SecretString;

use crate::domain::deploy_rule::Protection;
use crate::domain::registry::{RegistryAddress, RegistryLogin, StoredRegistry};
use crate::projects::{
    NewRegistry, NewRule, ProjectEdit, ProjectError, delete_project, delete_rule, environments,
    registry_of, rules_of, set_project, set_registry, set_rule, source_of, unset_registry,
};
use crate::seal::load_public;
use crate::tasks::blocking;
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::project::RuleRow;
use crate::web::admin::source::SourceRow;
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::Done;
use crate::web::page_error::PageError;

/// Fields that are never shown again.
const SECRET: [&str; 3] = ["password", "token", "key"];

#[derive(Template)]
#[template(path = "admin/settings.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    project: String,
    is_suspended: bool,
    rules: Vec<RuleRow>,
    environments: Vec<String>,
    registry: Option<StoredRegistry>,
    source: Option<SourceRow>,
    form: Form,
    /// Which of the forms was refused, and why.
    refusal: Option<(&'static str, String)>,
}

impl Page {
    /// Why this form was refused.
    fn refusal_of(&self, form: &str) -> Option<&str> {
        self.refusal.as_ref().filter(|(of, _)| *of == form).map(|(_, text)| text.as_str())
    }
}

/// The settings as they are now, with what somebody has filled in and why it was not taken.
pub(super) async fn show(
    visit: &Visit,
    done: Option<&'static str>,
    (form, refusal): (Form, Option<(&'static str, String)>),
) -> Result<HttpResponse, PageError> {
    let (db, project) = (visit.db(), visit.project()?.clone());
    let read = async move {
        let rules = rules_of(&db, &project).await?;
        let known = environments(&db, &project).await?;
        let registry = registry_of(&db, &project).await?;
        let source = source_of(&db, project.id).await?;
        Ok::<_, PageError>((rules, known, registry, source))
    };
    let (rules, known, registry, source) = visit.run(read).await?;
    let project = visit.project()?;
    let refused = refusal.as_ref().map(|(form, _)| *form);
    let mut form = SECRET.iter().fold(form, |form, field| form.without(field));
    if refused != Some("change") {
        form.set("prefix", project.prefix.as_str());
        form.set("suspended", if project.suspended_at.is_some() { "on" } else { "" });
    }
    form.set_seen(project.updated_at);
    let source = source.map(SourceRow::new);
    if let Some(source) = source.as_ref().filter(|_| refused != Some("source")) {
        source.fill_in(&mut form);
    }
    if let Some(registry) = registry.as_ref().filter(|_| refused != Some("registry")) {
        form.set("registry", registry.address.as_str());
        let username = registry.login.as_ref().map(|login| login.username.as_str());
        form.set("registry_username", username.unwrap_or_default());
        form.set("plain_http", if registry.plain_http == Some(true) { "on" } else { "" });
    }
    let page = Page {
        frame: visit.frame("projects"),
        done,
        project: project.name().to_string(),
        is_suspended: project.suspended_at.is_some(),
        rules: rules.iter().map(RuleRow::new).collect(),
        environments: known.into_iter().map(|one| one.name.to_string()).collect(),
        registry,
        source,
        form,
        refusal,
    };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/projects/{account}/{project}/settings`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, done.words(), (Form::default(), None)).await
}

/// The settings again after a form was taken, or with why it was not.
pub(super) async fn answer(
    visit: &Visit,
    taken: Result<&'static str, PageError>,
    (which, form): (&'static str, Form),
) -> Result<HttpResponse, PageError> {
    match taken {
        Ok(done) => {
            let name = visit.project()?.name();
            Ok(see(&format!("/admin/projects/{name}/settings?done={done}")))
        }
        Err(error) => show(visit, None, (form, Some((which, error.told()?)))).await,
    }
}

/// `POST /admin/projects/{account}/{project}/settings`
pub(super) async fn change(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    // Only administrators say whether a project is suspended.
    let is_administrator = visit.session.user.administrator;
    let edit = ProjectEdit {
        prefix: Some(form.trimmed("prefix").to_owned()),
        suspended: is_administrator.then(|| form.is_checked("suspended")),
        seen: form.seen(),
    };
    let (by, name) = (visit.acting(), visit.project()?.name());
    let set = visit.run(async move { set_project(&by, name, edit).await }).await;
    answer(&visit, set.map(|()| "changed").map_err(Into::into), ("change", form)).await
}

/// `POST /admin/projects/{account}/{project}/rules`
pub(super) async fn set_one_rule(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let set = add_rule(&visit, &form).await;
    answer(&visit, set.map(|()| "rule"), ("rule", form)).await
}

async fn add_rule(visit: &Visit, form: &Form) -> Result<(), PageError> {
    let priority = if form.trimmed("priority").is_empty() { 0 } else { form.read("priority")? };
    let new = NewRule {
        project: visit.project()?.name(),
        pattern: form.read("pattern")?,
        environment: form.read("environment")?,
        priority,
        protection: match form.is_checked("protected") {
            true => Protection::Protected,
            false => Protection::Open,
        },
    };
    let by = visit.acting();
    Ok(visit.run(async move { set_rule(&by, new).await }).await?)
}

/// `POST /admin/projects/{account}/{project}/rules/delete`
pub(super) async fn delete_one_rule(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, name, pattern) = (visit.acting(), visit.project()?.name(), form.read("pattern")?);
    let done = visit.run(async move { delete_rule(&by, name, pattern).await }).await;
    let taken = done.map(|()| "rule-gone").map_err(Into::into);
    answer(&visit, taken, ("rule", Form::default())).await
}

/// `POST /admin/projects/{account}/{project}/registry`
pub(super) async fn change_registry(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let set = store_registry(&visit, &form).await;
    answer(&visit, set.map(|()| "registry"), ("registry", form)).await
}

async fn store_registry(visit: &Visit, form: &Form) -> Result<(), PageError> {
    let address: RegistryAddress = form.read("registry")?;
    let username = form.trimmed("registry_username").to_owned();
    let password = SecretString::from(form.get("password"));
    let plain_http = form.is_checked("plain_http").then_some(true);
    let new = NewRegistry { project: visit.project()?.name(), address, plain_http };
    let (by, path) = (visit.acting(), visit.site.public_key());
    let set = visit.run(async move {
        let login = if username.is_empty() {
            None
        } else {
            let sealer = blocking(move || load_public(&path)).await?;
            Some((RegistryLogin { username, password }, sealer))
        };
        set_registry(&by, new, login).await?;
        Ok::<_, ProjectError>(())
    });
    Ok(set.await?)
}

/// `POST /admin/projects/{account}/{project}/registry/delete`
pub(super) async fn delete_registry(posted: Posted) -> Result<HttpResponse, PageError> {
    let visit = posted.visit;
    let (by, name) = (visit.acting(), visit.project()?.name());
    let done = visit.run(async move { unset_registry(&by, name).await }).await;
    let taken = done.map(|()| "registry-gone").map_err(Into::into);
    answer(&visit, taken, ("registry", Form::default())).await
}

/// `POST /admin/projects/{account}/{project}/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let name = visit.project()?.name();
    if form.trimmed("confirm") != name.to_string() {
        let text = format!("to delete it, write {name} into the field");
        return answer(&visit, Err(PageError::Refused(text)), ("delete", form)).await;
    }
    let by = visit.acting();
    let done = visit.run(async move { delete_project(&by, name).await }).await;
    match done {
        Ok(()) => Ok(see("/admin?done=project-gone")),
        Err(error) => answer(&visit, Err(error.into()), ("delete", form)).await,
    }
}
