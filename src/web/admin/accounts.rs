//! Accounts: who is in them, what they grant, which projects they have.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use crate::db::models::user::User;
use crate::domain::access::{Role, Verb, What, authorise};
use crate::domain::quota::HardQuota;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::projects::{
    self, AccountEdit, QuotaUse, SeenAccount, account_seen, accounts_seen, create_account,
    create_project, delete_account, members, projects_seen, quota_use, set_account,
};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::overview::{ProjectRow, with_places};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::Done;
use crate::web::page_error::PageError;

/// Most accounts, and projects of one, that are shown.
const MOST: i64 = 500;

struct Row {
    slug: String,
    name: String,
    role: &'static str,
    is_suspended: bool,
}

#[derive(Template)]
#[template(path = "admin/accounts.html", config = ".askama.toml")]
struct List {
    frame: Frame,
    done: Option<&'static str>,
    accounts: Vec<Row>,
    form: Form,
    refusal: Option<String>,
}

async fn show_all(
    visit: &Visit,
    done: Option<&'static str>,
    (form, refusal): (Form, Option<String>),
) -> Result<HttpResponse, PageError> {
    let (db, who) = (visit.db(), visit.who());
    let page = projects::Page { after: None, most: MOST };
    let rows = visit.run(async move { accounts_seen(&db, &who, page).await }).await?;
    let row = |(account, role, _): SeenAccount| Row {
        slug: account.slug.to_string(),
        name: account.name,
        role: role.map_or("administrator", Role::as_str),
        is_suspended: account.suspended_at.is_some(),
    };
    let accounts = rows.into_iter().map(row).collect();
    let list = List { frame: visit.frame("accounts"), done, accounts, form, refusal };
    shown(&list, list.refusal.as_ref())
}

/// `GET /admin/accounts`
pub(super) async fn list(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show_all(&visit, done.words(), (Form::default(), None)).await
}

/// `POST /admin/accounts`
pub(super) async fn make(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    match make_account(&visit, &form).await {
        Ok(slug) => Ok(see(&format!("/admin/accounts/{slug}?done=account"))),
        Err(error) => show_all(&visit, None, (form, Some(error.told()?))).await,
    }
}

async fn make_account(visit: &Visit, form: &Form) -> Result<AccountSlug, PageError> {
    let slug: AccountSlug = form.read("account")?;
    let owner = Some(form.trimmed("owner").to_owned()).filter(|owner| !owner.is_empty());
    let (by, name) = (visit.acting(), slug.clone());
    visit.run(async move { create_account(&by, name, owner).await }).await?;
    Ok(slug)
}

/// A member in the list.
struct Member {
    name: String,
    email: String,
    role: Role,
    is_disabled: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks each of them")]
#[derive(Template)]
#[template(path = "admin/account.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    slug: String,
    name: String,
    namespace: String,
    is_suspended: bool,
    quotas: Vec<(HardQuota, QuotaUse)>,
    members: Vec<Member>,
    projects: Vec<ProjectRow>,
    may_create: bool,
    may_change_members: bool,
    roles: &'static [Role],
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

/// An account's page as it is now, with what somebody has filled in and why it was not taken.
pub(super) async fn show(
    visit: &Visit,
    slug: AccountSlug,
    done: Option<&'static str>,
    (mut form, refusal): (Form, Option<(&'static str, String)>),
) -> Result<HttpResponse, PageError> {
    let (db, who) = (visit.db(), visit.who());
    let read = async move {
        let seen = account_seen(&db, &who, &slug).await?;
        let uses = quota_use(&db, seen.0.id, &seen.2).await?;
        let members = members(&db, slug.clone()).await?;
        let page = projects::Page { after: None, most: MOST };
        let rows = projects_seen(&db, &who, Some(slug), page).await?;
        Ok::<_, PageError>((seen, uses, members, with_places(&db, rows).await?))
    };
    let ((account, role, quotas), uses, members, projects) = visit.run(read).await?;
    let may = |verb| authorise(&visit.who(), verb, What::Account { id: account.id, role }).is_ok();
    if !matches!(refusal, Some(("change", _))) {
        form.set("name", account.name.as_str());
        let lines: Vec<String> = quotas.iter().map(ToString::to_string).collect();
        form.set("quotas", lines.join("\n"));
        form.set("suspended", if account.suspended_at.is_some() { "on" } else { "" });
    }
    form.set_seen(account.updated_at);
    let member = |(user, role): (User, Role)| Member {
        is_disabled: user.disabled_at.is_some(),
        name: user.name,
        email: user.email,
        role,
    };
    let page = Page {
        frame: visit.frame("accounts"),
        done,
        namespace: account.default_namespace(),
        is_suspended: account.suspended_at.is_some(),
        may_create: may(Verb::CreateProject),
        may_change_members: may(Verb::ChangeMembers),
        slug: account.slug.to_string(),
        name: account.name,
        quotas: quotas.into_iter().zip(uses).collect(),
        members: members.into_iter().map(member).collect(),
        projects,
        roles: Role::ALL,
        form,
        refusal,
    };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/accounts/{account}`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    let slug = visit.account()?.0.slug.clone();
    show(&visit, slug, done.words(), (Form::default(), None)).await
}

/// `POST /admin/accounts/{account}`
pub(super) async fn change(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let slug: AccountSlug = visit.segment("account")?;
    match change_account(&visit, slug.clone(), &form).await {
        Ok(()) => Ok(see(&format!("/admin/accounts/{slug}?done=changed"))),
        Err(error) => show(&visit, slug, None, (form, Some(("change", error.told()?)))).await,
    }
}

async fn change_account(visit: &Visit, slug: AccountSlug, form: &Form) -> Result<(), PageError> {
    let lines = form.get("quotas").lines().map(str::trim).filter(|line| !line.is_empty());
    let quotas: Result<Vec<HardQuota>, _> = lines.map(str::parse).collect();
    let edit = AccountEdit {
        name: Some(form.get("name").to_owned()),
        suspended: Some(form.is_checked("suspended")),
        quotas: quotas.map_err(|error| PageError::Refused(error.to_string()))?,
        only_these_quotas: true,
        seen: form.seen(),
        ..AccountEdit::default()
    };
    let by = visit.acting();
    Ok(visit.run(async move { set_account(&by, slug, edit).await }).await?)
}

/// `POST /admin/accounts/{account}/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let slug: AccountSlug = visit.segment("account")?;
    if form.trimmed("confirm") != slug.as_str() {
        let text = format!("to delete it, write {slug} into the field");
        return show(&visit, slug, None, (form, Some(("delete", text)))).await;
    }
    let (by, name) = (visit.acting(), slug.clone());
    match visit.run(async move { delete_account(&by, name).await }).await {
        Ok(()) => Ok(see("/admin/accounts?done=account-gone")),
        Err(error) => {
            let text = PageError::from(error).told()?;
            show(&visit, slug, None, (form, Some(("delete", text)))).await
        }
    }
}

/// `POST /admin/accounts/{account}/projects`
pub(super) async fn make_project(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let account = visit.account()?.0.slug.clone();
    match add_project(&visit, account.clone(), &form).await {
        Ok(project) => Ok(see(&format!("/admin/projects/{account}/{project}?done=project"))),
        Err(error) => show(&visit, account, None, (form, Some(("project", error.told()?)))).await,
    }
}

async fn add_project(
    visit: &Visit,
    account: AccountSlug,
    form: &Form,
) -> Result<ProjectSlug, PageError> {
    let project: ProjectSlug = form.read("project")?;
    let branch = match form.trimmed("branch") {
        "" => "main".to_owned(),
        branch => branch.to_owned(),
    };
    let (by, name) = (visit.acting(), project.clone());
    visit.run(async move { create_project(&by, (account, name), &branch).await }).await?;
    Ok(project)
}
