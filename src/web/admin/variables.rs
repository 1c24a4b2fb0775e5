//! Variables of a project. A secret goes in and never comes out.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use crate::db::models::environment::Environment;
use crate::db::models::variable::{Owner, Variable};
use crate::domain::access::Verb;
use crate::domain::seen::Seen;
use crate::domain::stored_variables::StoredValue;
use crate::projects::{
    NewVariable, ProjectError, Secrecy, change_variable, environments, find_environment, may,
    unset_variable, variables,
};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::{Done, Moment};
use crate::web::page_error::PageError;

/// A variable in a list.
pub(super) struct VariableRow {
    pub(super) name: String,
    /// The environment that has it; empty for all of the project.
    pub(super) environment: String,
    /// `None` of a secret.
    pub(super) value: Option<String>,
    pub(super) changed: Moment,
}

impl VariableRow {
    pub(super) fn new(variable: Variable, known: &[Environment]) -> Self {
        let named = |id| known.iter().find(|row| row.id == id).map(|row| row.name.to_string());
        Self {
            name: variable.name,
            environment: variable.environment.and_then(named).unwrap_or_default(),
            value: match variable.value {
                StoredValue::Plain(text) => Some(text),
                StoredValue::Secret(_) => None,
            },
            changed: Moment(variable.updated_at),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/variables.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    account: String,
    slug: String,
    may_change: bool,
    environments: Vec<String>,
    variables: Vec<VariableRow>,
    /// Whether one that is there is changed, and not another one added.
    is_change: bool,
    /// What it is now, when somebody else has changed it.
    now: Option<String>,
    form: Form,
    refusal: Option<String>,
}

/// Which variable is to be changed.
#[derive(Deserialize)]
pub(super) struct Chosen {
    name: Option<String>,
    #[serde(rename = "in")]
    environment: Option<String>,
}

/// How the form comes to be shown.
enum Shown {
    /// It was chosen, or is empty.
    Chosen,
    /// It was not taken.
    Refused(String),
    /// It was not taken, because somebody else was faster.
    Changed(String),
}

async fn show(
    visit: &Visit,
    done: Option<&'static str>,
    (mut form, how): (Form, Shown),
) -> Result<HttpResponse, PageError> {
    let project = visit.project()?;
    let (db, who, own) = (visit.db(), visit.who(), project.clone());
    let read = async move {
        let may_change = may(&db, &who, &own, Verb::ChangeVariables).await?;
        let known = environments(&db, &own).await?;
        Ok::<_, ProjectError>((may_change, known, variables(&db, &own).await?))
    };
    let (may_change, known, all) = visit.run(read).await?;
    let rows: Vec<VariableRow> = all.into_iter().map(|one| VariableRow::new(one, &known)).collect();
    let is_own = |row: &&VariableRow| {
        row.name == form.trimmed("name") && row.environment == form.get("environment")
    };
    let mut now = None;
    let mut is_change = !matches!(form.seen(), Seen::Nothing);
    let refusal = match how {
        Shown::Chosen => {
            if let Some(row) = rows.iter().find(is_own) {
                is_change = true;
                let (changed, value) = (row.changed.0, row.value.clone());
                form.set("secret", if value.is_none() { "on" } else { "" });
                form.set("value", value.unwrap_or_default());
                form.set_seen(changed);
            }
            None
        }
        Shown::Refused(text) => Some(text),
        Shown::Changed(text) => {
            let found = rows.iter().find(is_own);
            is_change = found.is_some();
            // Whoever sends it once more has seen what there is now.
            let is = found.map(|row| row.value.clone().unwrap_or_else(|| "(secret)".to_owned()));
            now = Some(is.unwrap_or_else(|| "(gone)".to_owned()));
            match found.map(|row| row.changed.0) {
                Some(changed) => form.set_seen(changed),
                None => form.set("seen", ""),
            }
            Some(text)
        }
    };
    if form.is_checked("secret") {
        form.set("value", "");
    }
    let page = Page {
        frame: visit.frame("projects"),
        done,
        account: project.account.to_string(),
        slug: project.slug.to_string(),
        may_change,
        environments: known.iter().map(|row| row.name.to_string()).collect(),
        variables: rows,
        is_change,
        now,
        form,
        refusal,
    };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/projects/{account}/{project}/variables`
pub(super) async fn page(
    visit: Visit,
    done: Query<Done>,
    chosen: Query<Chosen>,
) -> Result<HttpResponse, PageError> {
    let chosen = chosen.into_inner();
    let mut form = Form::default();
    form.set("name", chosen.name.unwrap_or_default());
    form.set("environment", chosen.environment.unwrap_or_default());
    show(&visit, done.words(), (form, Shown::Chosen)).await
}

/// Whose variable a form speaks of.
async fn owner(visit: &Visit, form: &Form) -> Result<Owner, PageError> {
    let project = visit.project()?.clone();
    if form.get("environment").is_empty() {
        return Ok((project.id, None));
    }
    let (db, name) = (visit.db(), form.read("environment")?);
    let found = visit.run(async move {
        let environment = find_environment(&db, &project, name).await?;
        Ok::<_, ProjectError>((project.id, Some(environment.id)))
    });
    Ok(found.await?)
}

fn place(visit: &Visit, done: &str) -> Result<String, PageError> {
    Ok(format!("/admin/projects/{}/variables?done={done}", visit.project()?.name()))
}

/// `POST /admin/projects/{account}/{project}/variables`
pub(super) async fn set(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    visit.project()?.check_active()?;
    let owner = match owner(&visit, &form).await {
        Ok(owner) => owner,
        Err(error) => {
            let how = Shown::Refused(error.told()?);
            return show(&visit, None, (form, how)).await;
        }
    };
    let new = NewVariable {
        name: form.trimmed("name").to_owned(),
        // A browser sends every line's end as two characters.
        value: form.get("value").replace("\r\n", "\n"),
        secrecy: if form.is_checked("secret") { Secrecy::Secret } else { Secrecy::Plain },
        seen: form.seen(),
    };
    let (by, key) = (visit.acting(), visit.site.public_key());
    let set = visit.run(async move { change_variable(&by, &key, owner, new).await }).await;
    let how = match set {
        Ok(_) => return Ok(see(&place(&visit, "variable")?)),
        Err(error @ ProjectError::Changed(_)) => Shown::Changed(error.to_string()),
        Err(error) => Shown::Refused(PageError::from(error).told()?),
    };
    show(&visit, None, (form, how)).await
}

/// `POST /admin/projects/{account}/{project}/variables/delete`
pub(super) async fn unset(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    visit.project()?.check_active()?;
    let owner = owner(&visit, &form).await?;
    let (by, variable) = (visit.acting(), form.trimmed("name").to_owned());
    visit.run(async move { unset_variable(&by, owner, variable).await }).await?;
    Ok(see(&place(&visit, "variable-gone")?))
}
