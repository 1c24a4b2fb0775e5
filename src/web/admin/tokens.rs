//! One's own tokens for the API.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::Utc;

use crate::db::models::api_token::Listed;
use crate::domain::access::Verb;
use crate::domain::api_token::TokenAccess;
use crate::domain::ids::TokenId;
use crate::domain::lifetime::Lifetime;
use crate::domain::slug::ProjectName;
use crate::people::{Made, TokenFor, TokenTerms, create_token, delete_token, tokens};
use crate::projects::{find, find_account};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::{Done, Moment};
use crate::web::page_error::PageError;

/// A token in the list.
struct Row {
    id: TokenId,
    name: String,
    /// What it is for, in words.
    may: String,
    made: Moment,
    used: Option<Moment>,
    ends: Moment,
    is_over: bool,
}

impl Row {
    fn new(listed: Listed) -> Self {
        let what = match listed.token.access {
            TokenAccess::Read => "reads",
            TokenAccess::Write => "reads and changes",
        };
        let may = format!("{what} {}", listed.of());
        let token = listed.token;
        Self {
            id: token.id,
            name: token.name,
            may,
            made: Moment(token.created_at),
            used: token.last_used_at.map(Moment),
            ends: Moment(token.expires_at),
            is_over: token.expires_at <= Utc::now(),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/tokens.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    /// What is shown only now.
    made: Option<String>,
    tokens: Vec<Row>,
    form: Form,
    refusal: Option<String>,
}

/// What is said above the list.
#[derive(Default)]
struct Told {
    done: Option<&'static str>,
    made: Option<String>,
    form: Form,
    refusal: Option<String>,
}

async fn show(visit: &Visit, told: Told) -> Result<HttpResponse, PageError> {
    let (db, email) = (visit.db(), visit.session.user.email.clone());
    let all = visit.run(async move { tokens(&db, Some(email)).await }).await?;
    let Told { done, made, form, refusal } = told;
    let tokens = all.into_iter().map(Row::new).collect();
    let page = Page { frame: visit.frame("tokens"), done, made, tokens, form, refusal };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/tokens`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, Told { done: done.words(), ..Told::default() }).await
}

/// `POST /admin/tokens`
pub(super) async fn make(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let told = match make_token(&visit, &form).await {
        Ok(made) => Told { made: Some(made.token), ..Told::default() },
        Err(error) => Told { refusal: Some(error.told()?), form, ..Told::default() },
    };
    show(&visit, told).await
}

async fn make_token(visit: &Visit, form: &Form) -> Result<Made, PageError> {
    let expires_at = match form.trimmed("expires") {
        "" => None,
        _ => Some(Utc::now() + form.read::<Lifetime>("expires")?.duration()),
    };
    let terms = TokenTerms {
        name: form.get("name").to_owned(),
        access: if form.is_checked("read") { TokenAccess::Read } else { TokenAccess::Write },
        of: scope(visit, form).await?,
        expires_at,
    };
    let (by, email) = (visit.acting(), visit.session.user.email.clone());
    Ok(visit.run(async move { create_token(&by, &email, terms).await }).await?)
}

/// What a token is to be for: an account or a project that they see, or everything.
async fn scope(visit: &Visit, form: &Form) -> Result<TokenFor, PageError> {
    let (db, who) = (visit.db(), visit.who());
    let only = form.trimmed("only");
    if only.is_empty() {
        return Ok(TokenFor::Everything);
    }
    let found = if only.contains('/') {
        let name: ProjectName = form.read("only")?;
        let found = async move { find(&db, &who, &name, Verb::Look).await };
        visit.run(found).await.map(|project| TokenFor::Project(project.id))
    } else {
        let slug = form.read("only")?;
        let found = async move { find_account(&db, &who, &slug, Verb::LookAtAccount).await };
        visit.run(found).await.map(|(account, _)| TokenFor::Account(account.id))
    };
    found.map_err(|error| {
        let error = PageError::from(error);
        // It is the form that names it, and not the address.
        let is_unknown = matches!(error, PageError::NotFound);
        if is_unknown { PageError::Refused(format!("`{only}` is not found")) } else { error }
    })
}

/// `POST /admin/tokens/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, own) = (visit.acting(), visit.session.user.id);
    let id: TokenId = form.read("token")?;
    visit.run(async move { delete_token(&by, id, Some(own)).await }).await?;
    Ok(see("/admin/tokens?done=token-gone"))
}
