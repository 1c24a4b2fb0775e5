//! In and out.

use actix_web::http::header::SET_COOKIE;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use crate::people::{BrowserToken, SignInError, SignedIn};
use crate::web::admin::form::{Posted, Strangers};
use crate::web::admin::visit::{html, refused, see};
use crate::web::admin::{HOME, cookie};
use crate::web::page_error::PageError;
use crate::web::site::Site;

/// Where somebody wanted to go.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/sign_in.html", config = ".askama.toml")]
struct Page {
    csrf: String,
    next: String,
    email: String,
    refusal: Option<String>,
}

/// The page on which one signs in to go on to another.
pub(in crate::web) fn place(next: &str) -> String {
    match checked(next) {
        HOME => "/admin/sign-in".to_owned(),
        next => {
            // What has a meaning in a query, and what has one in a header.
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.".contains(&b);
            let mut place = "/admin/sign-in?next=".to_owned();
            for byte in next.bytes() {
                match plain(byte) {
                    true => place.push(char::from(byte)),
                    false => place.push_str(&format!("%{byte:02X}")),
                }
            }
            place
        }
    }
}

/// A place of ours, or where everything begins: nobody is sent elsewhere.
fn checked(next: &str) -> &str {
    let is_ours = |start: &str| {
        let rest = next.strip_prefix(start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    };
    let is_plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let is_page = !next.starts_with("/admin/sign-") && !next.contains("/history");
    if is_plain && is_page && (is_ours(HOME) || is_ours("/jobs")) { next } else { HOME }
}

/// `GET /admin/sign-in`
pub(super) async fn page(
    site: Data<Site>,
    request: HttpRequest,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, PageError> {
    let next = checked(wanted.next.as_deref().unwrap_or(HOME));
    let web = &site.parts().web;
    let known = cookie::token(&request, web);
    if let Some(token) = &known {
        let (sign_ins, token) = (site.parts().sign_ins.clone(), token.clone());
        if site.run(async move { sign_ins.session(&token).await }).await?.is_some() {
            return Ok(see(next));
        }
    }
    // A new one each time: nobody else has set it.
    let token = BrowserToken::new();
    let (csrf, next) = (token.form_token(), next.to_owned());
    let mut answer = html(&Page { csrf, next, email: String::new(), refusal: None })?;
    set_cookie(&mut answer, &cookie::set(&token, web, None));
    Ok(answer)
}

/// Gives a browser what it is known by.
pub(super) fn set_cookie(answer: &mut HttpResponse, field: &str) {
    if let Ok(value) = field.try_into() {
        answer.headers_mut().insert(SET_COOKIE, value);
    }
}

/// `POST /admin/sign-in`
pub(super) async fn sign_in(stranger: Strangers) -> Result<HttpResponse, PageError> {
    let Strangers { site, token, origin, form } = stranger;
    let next = checked(form.get("next")).to_owned();
    let (email, password) = (form.trimmed("email").to_owned(), form.get("password").to_owned());
    let (sign_ins, asked) = (site.parts().sign_ins.clone(), email.clone());
    let limit = sign_ins.limit();
    let signed_in =
        site.run(async move { sign_ins.sign_in(&asked, password, &origin).await }).await;
    match signed_in {
        Ok(SignedIn::Whole(own)) => {
            let mut answer = see(&next);
            set_cookie(&mut answer, &cookie::set(&own, &site.parts().web, Some(limit)));
            Ok(answer)
        }
        Ok(SignedIn::Code(awaited)) => {
            let mut answer = html(&CodePage { csrf: awaited.form_token(), next, refusal: None })?;
            set_cookie(&mut answer, &cookie::set(&awaited, &site.parts().web, None));
            Ok(answer)
        }
        Err(error) => {
            let refusal = Some(PageError::from(error).told()?);
            refused(&Page { csrf: token.form_token(), next, email, refusal })
        }
    }
}

/// The page on which who has a second factor gives a code of it.
#[derive(Template)]
#[template(path = "admin/code.html", config = ".askama.toml")]
struct CodePage {
    csrf: String,
    next: String,
    refusal: Option<String>,
}

/// `POST /admin/sign-in/code`
pub(super) async fn code(stranger: Strangers) -> Result<HttpResponse, PageError> {
    let Strangers { site, token, origin, form } = stranger;
    let next = checked(form.get("next")).to_owned();
    let sign_ins = site.parts().sign_ins.clone();
    let (limit, awaited, code) = (sign_ins.limit(), token.clone(), form.get("code").to_owned());
    let signed_in =
        site.run(async move { sign_ins.sign_in_by_code(&awaited, &code, &origin).await }).await;
    match signed_in {
        Ok(own) => {
            let mut answer = see(&next);
            set_cookie(&mut answer, &cookie::set(&own, &site.parts().web, Some(limit)));
            Ok(answer)
        }
        Err(error @ SignInError::TooLate) => {
            let (email, refusal) = (String::new(), Some(PageError::from(error).told()?));
            refused(&Page { csrf: token.form_token(), next, email, refusal })
        }
        Err(error) => {
            let refusal = Some(PageError::from(error).told()?);
            refused(&CodePage { csrf: token.form_token(), next, refusal })
        }
    }
}

/// `POST /admin/sign-out`
pub(super) async fn sign_out(posted: Posted) -> Result<HttpResponse, PageError> {
    let visit = posted.visit;
    let sign_ins = visit.site.parts().sign_ins.clone();
    let token = visit.token().clone();
    visit.run(async move { sign_ins.sign_out(&token).await }).await?;
    let mut answer = see("/admin/sign-in");
    set_cookie(&mut answer, &cookie::clear(&visit.site.parts().web));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signs_in_goes_where_they_wanted_and_never_elsewhere() {
        for ours in ["/admin", "/admin/keys?done=key", "/jobs/42", "/admin?page=2"] {
            assert_eq!(checked(ours), ours);
        }
        for other in [
            "",
            "//evil.example",
            "https://evil.example/admin",
            "/adminx",
            "/\\evil.example",
            "/admin/../..\\x",
            "/admin/sign-out",
            "/jobs/42/history?after=1",
            "/admin\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
        ] {
            assert_eq!(checked(other), HOME, "{other}");
        }
        assert_eq!(place("/jobs/42?a=b&c"), "/admin/sign-in?next=/jobs/42%3Fa%3Db%26c");
        assert_eq!(place("//evil.example"), "/admin/sign-in");
    }
}
