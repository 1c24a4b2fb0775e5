//! One's own password.

use actix_web::HttpResponse;
use askama::Template;

use crate::people::BadPassword;
use crate::web::admin::form::Posted;
use crate::web::admin::visit::{Frame, Visit, html, refused, see};
use crate::web::page_error::PageError;

#[derive(Template)]
#[template(path = "admin/password.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    email: String,
    /// Whether the one they came with was for one sign-in.
    must_change: bool,
    refusal: Option<String>,
}

impl Page {
    fn new(visit: &Visit, refusal: Option<String>) -> Self {
        let (email, must_change) = (visit.session.user.email.clone(), visit.session.must_change);
        Self { frame: visit.frame("password"), email, must_change, refusal }
    }
}

/// `GET /admin/password`
pub(super) async fn page(visit: Visit) -> Result<HttpResponse, PageError> {
    html(&Page::new(&visit, None))
}

/// `POST /admin/password`
pub(super) async fn change(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let passwords = (form.get("current").to_owned(), form.get("password").to_owned());
    let sign_ins = visit.site.parts().sign_ins.clone();
    let (session, origin) = (visit.session.clone(), visit.origin.clone());
    let changed = if form.get("password") == form.get("again") {
        let change = async move { sign_ins.change_password(&session, passwords, &origin).await };
        visit.run(change).await
    } else {
        Err(BadPassword::Differs.into())
    };
    match changed {
        Ok(()) => Ok(see("/admin?done=password")),
        Err(error) => refused(&Page::new(&visit, Some(PageError::from(error).told()?))),
    }
}
