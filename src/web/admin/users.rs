//! People, for administrators.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;
use serde::Deserialize;

use crate::db::models::user::User;
use crate::domain::access::Standing;
use crate::people::{
    PeopleError, UserEdit, create_user, delete_user, reset_password, set_user, users_after,
    with_second_factor,
};
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::{Done, Moment};
use crate::web::page_error::PageError;

/// People of one page.
const MOST: i64 = 200;

/// Which part of the list.
#[derive(Deserialize)]
pub(super) struct Part {
    /// The address that stands before it.
    after: Option<String>,
}

/// Somebody in the list.
#[expect(clippy::struct_excessive_bools, reason = "a template asks each of them")]
struct Row {
    name: String,
    email: String,
    is_administrator: bool,
    is_disabled: bool,
    deleted: Option<Moment>,
    is_oneself: bool,
    has_second_factor: bool,
}

#[derive(Template)]
#[template(path = "admin/users.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    users: Vec<Row>,
    /// Whether there are people before these.
    has_before: bool,
    /// The last of these, if there are people after them.
    next: Option<String>,
    /// Whose password is this, that is shown only now.
    password: Option<(String, String)>,
    form: Form,
    refusal: Option<String>,
}

/// What is said above the list.
#[derive(Default)]
struct Told {
    done: Option<&'static str>,
    password: Option<(String, String)>,
    form: Form,
    refusal: Option<String>,
    /// The address after which the list begins.
    after: Option<String>,
}

async fn show(visit: &Visit, told: Told) -> Result<HttpResponse, PageError> {
    let db = visit.db();
    let after = told.after.clone();
    let read = async move {
        let all = users_after(&db, after, MOST + 1).await?;
        let ids = all.iter().map(|user| user.id).collect();
        let guarded = with_second_factor(&db, ids).await?;
        Ok::<_, PeopleError>((all, guarded))
    };
    let (all, guarded) = visit.run(read).await?;
    let own = visit.session.user.id;
    let row = |user: User| Row {
        is_administrator: user.administrator,
        is_disabled: user.disabled_at.is_some(),
        deleted: user.deleted_at.map(Moment),
        is_oneself: user.id == own,
        has_second_factor: guarded.contains(&user.id),
        name: user.name,
        email: user.email,
    };
    let Told { done, password, form, refusal, after } = told;
    let mut users: Vec<Row> = all.into_iter().map(row).collect();
    let shown_at_most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let has_more = users.len() > shown_at_most;
    users.truncate(shown_at_most);
    let next = users.last().filter(|_| has_more).map(|row| row.email.clone());
    let (frame, has_before) = (visit.frame("users"), after.is_some());
    let page = Page { frame, done, users, has_before, next, password, form, refusal };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/users`
pub(super) async fn page(
    visit: Visit,
    done: Query<Done>,
    part: Query<Part>,
) -> Result<HttpResponse, PageError> {
    let after = part.into_inner().after.filter(|after| !after.contains('\0'));
    show(&visit, Told { done: done.words(), after, ..Told::default() }).await
}

/// `POST /admin/users`
pub(super) async fn make(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (email, name) = (form.trimmed("email").to_owned(), form.get("name").to_owned());
    let standing = match form.is_checked("administrator") {
        true => Standing::Administrator,
        false => Standing::Person,
    };
    let (by, asked) = (visit.acting(), email.clone());
    let made = visit.run(async move { create_user(&by, &asked, &name, standing).await }).await;
    answer(&visit, made.map_err(Into::into), (email, form)).await
}

/// `POST /admin/users/password`
pub(super) async fn reset(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, email) = (visit.acting(), form.trimmed("email").to_owned());
    let asked = email.clone();
    let reset = visit.run(async move { reset_password(&by, &asked).await }).await;
    answer(&visit, reset.map_err(Into::into), (email, Form::default())).await
}

/// Shows a password, once: it stands in no address and in no log.
async fn answer(
    visit: &Visit,
    made: Result<String, PageError>,
    (email, form): (String, Form),
) -> Result<HttpResponse, PageError> {
    let told = match made {
        Ok(password) => Told { password: Some((email, password)), ..Told::default() },
        Err(error) => Told { form, refusal: Some(error.told()?), ..Told::default() },
    };
    show(visit, told).await
}

/// Whoever the form names, unless that is who has sent it: nobody might be left who could take it
/// back.
pub(super) fn somebody_else(visit: &Visit, form: &Form) -> Result<String, PageError> {
    let email = form.trimmed("email").to_owned();
    if email.to_lowercase() == visit.session.user.email {
        return Err(PageError::Refused("another administrator has to do that to you".to_owned()));
    }
    Ok(email)
}

/// `POST /admin/users/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, email) = (visit.acting(), somebody_else(&visit, &form)?);
    visit.run(async move { delete_user(&by, &email).await }).await?;
    Ok(see("/admin/users?done=user-gone"))
}

/// `POST /admin/users/change`
pub(super) async fn change(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, email) = (visit.acting(), somebody_else(&visit, &form)?);
    let edit = match form.get("what") {
        "disable" => UserEdit { disabled: Some(true), ..UserEdit::default() },
        "enable" => UserEdit { disabled: Some(false), ..UserEdit::default() },
        "promote" => UserEdit { standing: Some(Standing::Administrator), ..UserEdit::default() },
        "demote" => UserEdit { standing: Some(Standing::Person), ..UserEdit::default() },
        _ => return Err(PageError::Unreadable),
    };
    visit.run(async move { set_user(&by, &email, edit).await }).await?;
    Ok(see("/admin/users?done=changed"))
}
