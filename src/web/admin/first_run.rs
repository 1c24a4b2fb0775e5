//! The page on which the first administrator is made.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use askama::Template;
use serde::Deserialize;

use crate::people::{BadPassword, BrowserToken, FirstAdministrator, SignInError};
use crate::web::admin::form::{Form, Strangers};
use crate::web::admin::sign_in::set_cookie;
use crate::web::admin::visit::{html, refused, see};
use crate::web::admin::{HOME, cookie};
use crate::web::page_error::PageError;
use crate::web::site::Site;

/// What the address says that the terminal has printed.
#[derive(Deserialize)]
pub(super) struct Told {
    token: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/first_run.html", config = ".askama.toml")]
struct Page {
    csrf: String,
    token: String,
    form: Form,
    refusal: Option<String>,
}

/// The token that somebody came with, while it can make an administrator.
async fn checked(site: &Data<Site>, text: &str) -> Result<BrowserToken, PageError> {
    let token = BrowserToken::read(text).ok_or(PageError::NotFound)?;
    let (sign_ins, asked) = (site.parts().sign_ins.clone(), token.clone());
    match site.run(async move { sign_ins.is_first_run(&asked).await }).await {
        Ok(true) => Ok(token),
        Ok(false) => Err(SignInError::Token.into()),
        // Whoever has no token learns nothing.
        Err(SignInError::FirstRunIsOver) => Err(PageError::NotFound),
        Err(error) => Err(error.into()),
    }
}

/// `GET /admin/first-run`
pub(super) async fn page(site: Data<Site>, told: Query<Told>) -> Result<HttpResponse, PageError> {
    let token = checked(&site, told.token.as_deref().unwrap_or_default()).await?;
    let browser = BrowserToken::new();
    let token = token.secret().to_owned();
    let csrf = browser.form_token();
    let mut answer = html(&Page { csrf, token, form: Form::default(), refusal: None })?;
    set_cookie(&mut answer, &cookie::set(&browser, &site.parts().web, None));
    Ok(answer)
}

/// `POST /admin/first-run`
pub(super) async fn make(stranger: Strangers) -> Result<HttpResponse, PageError> {
    let Strangers { site, token: browser, origin, form } = stranger;
    let token = checked(&site, form.get("token")).await?;
    let first = FirstAdministrator {
        name: form.get("name").to_owned(),
        email: form.get("email").to_owned(),
        password: form.get("password").to_owned(),
    };
    let sign_ins = site.parts().sign_ins.clone();
    let limit = sign_ins.limit();
    let made = if form.get("password") == form.get("again") {
        let token = token.clone();
        site.run(async move { sign_ins.first_administrator(&token, first, &origin).await }).await
    } else {
        Err(BadPassword::Differs.into())
    };
    match made {
        Ok(own) => {
            let mut answer = see(HOME);
            set_cookie(&mut answer, &cookie::set(&own, &site.parts().web, Some(limit)));
            Ok(answer)
        }
        Err(error) => {
            let refusal = Some(PageError::from(error).told()?);
            let (csrf, token) = (browser.form_token(), token.secret().to_owned());
            refused(&Page { csrf, token, form: form.without("password").without("again"), refusal })
        }
    }
}
