//! One's own SSH keys.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use chrono::Utc;

use crate::db::models::ssh_key::Key;
use crate::domain::access::KeyAccess;
use crate::domain::lifetime::Lifetime;
use crate::people::{self, KeyTerms, create_key, delete_key};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::{Done, Moment};
use crate::web::page_error::PageError;

/// A key in the list.
struct Row {
    name: String,
    algorithm: String,
    fingerprint: String,
    /// What it is for, in words.
    may: String,
    added: Moment,
    used: Option<Moment>,
    ends: String,
}

impl Row {
    fn new((key, _, projects): (Key, String, Vec<String>)) -> Self {
        let what = match key.access {
            KeyAccess::Read => "reads",
            KeyAccess::Deploy => "deploys",
        };
        let of = match (key.all_projects, projects.as_slice()) {
            (true, _) => "all projects".to_owned(),
            (false, []) => "no project".to_owned(),
            (false, projects) => projects.join(", "),
        };
        let ends = match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(end)) if end <= Utc::now() => format!("expired {}", Moment(end)),
            (None, Some(end)) => Moment(end).to_string(),
            (None, None) => "never".to_owned(),
        };
        Self {
            name: key.name,
            algorithm: key.algorithm,
            fingerprint: key.fingerprint,
            may: format!("{what} {of}"),
            added: Moment(key.created_at),
            used: key.last_used_at.map(Moment),
            ends,
        }
    }
}

#[derive(Template)]
#[template(path = "admin/keys.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    keys: Vec<Row>,
    form: Form,
    refusal: Option<String>,
}

async fn show(
    visit: &Visit,
    done: Option<&'static str>,
    (form, refusal): (Form, Option<String>),
) -> Result<HttpResponse, PageError> {
    let (db, email) = (visit.db(), visit.session.user.email.clone());
    let keys = visit.run(async move { people::keys(&db, Some(email)).await }).await?;
    let keys = keys.into_iter().map(Row::new).collect();
    let page = Page { frame: visit.frame("keys"), done, keys, form, refusal };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/keys`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, done.words(), (Form::default(), None)).await
}

/// `POST /admin/keys`
pub(super) async fn add(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    match add_key(&visit, &form).await {
        Ok(()) => Ok(see("/admin/keys?done=key")),
        // Whatever was pasted is not shown again: it may be a private key.
        Err(error) => {
            let form = form.without("key").without("file");
            show(&visit, None, (form, Some(error.told()?))).await
        }
    }
}

async fn add_key(visit: &Visit, form: &Form) -> Result<(), PageError> {
    let line = match (form.trimmed("key"), form.trimmed("file")) {
        ("", "") => return Err(PageError::Refused("paste a key, or choose its file".to_owned())),
        ("", file) => file.to_owned(),
        (pasted, "") => pasted.to_owned(),
        (..) => {
            return Err(PageError::Refused("paste a key or choose a file, not both".to_owned()));
        }
    };
    let expires_at = match form.trimmed("expires") {
        "" => None,
        _ => Some(Utc::now() + form.read::<Lifetime>("expires")?.duration()),
    };
    let name = form.trimmed("name");
    let terms = KeyTerms {
        name: (!name.is_empty()).then(|| name.to_owned()),
        access: if form.is_checked("read") { KeyAccess::Read } else { KeyAccess::Deploy },
        projects: None,
        expires_at,
    };
    let (by, email) = (visit.acting(), visit.session.user.email.clone());
    visit.run(async move { create_key(&by, &email, &line, terms).await }).await?;
    Ok(())
}

/// `POST /admin/keys/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, fingerprint) = (visit.acting(), form.get("fingerprint").to_owned());
    let own = Some(visit.session.user.id);
    visit.run(async move { delete_key(&by, &fingerprint, own).await }).await?;
    Ok(see("/admin/keys?done=key-gone"))
}
