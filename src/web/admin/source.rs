//! Where the commits of a project come from, when nobody pushes them.

use actix_web::HttpResponse;
use askama::Template;

use crate::db::models::source::Source;
use crate::domain::source::{CheckPurpose, Every, HostKeys, Schedule};
use crate::projects::unset_source;
use crate::sources::{Asking, BY_PAGE};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::settings::answer;
use crate::web::admin::visit::{Frame, Visit, html};
use crate::web::admin::words::Moment;
use crate::web::page_error::PageError;
use crate::web::source::{LoginSaid, SourceSaid, check, set};

/// A source, as pages show it.
pub(super) struct SourceRow {
    pub(super) url: String,
    pub(super) username: String,
    pub(super) signs_in: bool,
    pub(super) public_key: Option<String>,
    /// Fingerprints of the keys that its host may show.
    pub(super) host_keys: Vec<String>,
    pub(super) every: Schedule,
    pub(super) checked: Option<Moment>,
    pub(super) fault: Option<String>,
}

impl SourceRow {
    pub(super) fn new(source: Source) -> Self {
        let every = source.check_every.and_then(|seconds| Every::try_from(seconds).ok());
        let keys: HostKeys = source.host_keys.parse().unwrap_or_default();
        Self {
            url: source.url.to_string(),
            username: source.username,
            signs_in: source.secret.is_some(),
            public_key: source.public_key,
            host_keys: keys.fingerprints(),
            every: every.map_or(Schedule::Never, Schedule::Every),
            checked: source.checked_at.map(Moment),
            fault: source.fault,
        }
    }

    /// Fills in what it is.
    pub(super) fn fill_in(&self, form: &mut Form) {
        form.set("url", self.url.as_str());
        form.set("username", self.username.as_str());
        form.set("check_every", self.every.to_string());
    }
}

/// `POST /admin/projects/{account}/{project}/source`
pub(super) async fn change(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let set = store(&visit, &form).await;
    answer(&visit, set.map(|()| "source"), ("source", form)).await
}

async fn store(visit: &Visit, form: &Form) -> Result<(), PageError> {
    let text = |field| Some(form.trimmed(field).to_owned()).filter(|text| !text.is_empty());
    let login = match (text("token"), text("key"), form.is_checked("new_key")) {
        (None, None, false) => LoginSaid::Nothing,
        (Some(token), None, false) => LoginSaid::Token(token.into()),
        // It has to end with a line, as OpenSSH writes it.
        (None, Some(key), false) => LoginSaid::Key(format!("{key}\n").into()),
        (None, None, true) => LoginSaid::NewKey,
        _ => {
            let text = "give a token, or a key, or have a key made";
            return Err(PageError::Refused(text.to_owned()));
        }
    };
    let said = SourceSaid {
        url: form.trimmed("url").to_owned(),
        username: text("username"),
        login,
        host_keys: text("host_keys"),
        check_every: text("check_every"),
    };
    let (by, project) = (visit.acting(), visit.project()?.name());
    Ok(set(&visit.site, by, project, said).await?)
}

/// `POST /admin/projects/{account}/{project}/source/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let visit = posted.visit;
    let (by, name) = (visit.acting(), visit.project()?.name());
    let done = visit.run(async move { unset_source(&by, name).await }).await;
    let taken = done.map(|()| "source-gone").map_err(Into::into);
    answer(&visit, taken, ("source", Form::default())).await
}

#[derive(Template)]
#[template(path = "admin/checked.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    project: String,
    is_test: bool,
    lines: Vec<String>,
}

/// `POST /admin/projects/{account}/{project}/source/check`: the page comes when the worker has looked.
pub(super) async fn check_now(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let is_test = form.is("purpose", "test");
    let purpose = if is_test { CheckPurpose::Test } else { CheckPurpose::Deploy };
    let user = &visit.session.user;
    let asking =
        Asking { user: Some(user.id), name: user.name.clone(), fingerprint: BY_PAGE.to_owned() };
    let project = visit.project()?.clone();
    let name = project.name().to_string();
    let checked = check(&visit.site, visit.acting(), (project, purpose), asking).await?;
    let lines = checked.to_string().lines().map(str::to_owned).collect();
    html(&Page { frame: visit.frame("projects"), project: name, is_test, lines })
}
