//! Codes of a phone that one's sign-in asks for, too.

use actix_web::HttpResponse;
use actix_web::web::Query;
use askama::Template;

use crate::people::{NewSecret, SecondFactorStanding, unset_second_factor};
use crate::web::admin::form::Posted;
use crate::web::admin::users::somebody_else;
use crate::web::admin::visit::{Frame, Visit, see, shown};
use crate::web::admin::words::Done;
use crate::web::page_error::PageError;

#[derive(Template)]
#[template(path = "admin/second_factor.html", config = ".askama.toml")]
struct Page {
    frame: Frame,
    done: Option<&'static str>,
    email: String,
    is_on: bool,
    /// What was just made, until a code confirms it.
    new: Option<NewSecret>,
    /// Codes for who loses the phone, shown once.
    codes: Vec<String>,
    refusal: Option<String>,
}

/// What the page says.
#[derive(Default)]
struct Told {
    done: Option<&'static str>,
    new: Option<NewSecret>,
    codes: Vec<String>,
    refusal: Option<String>,
}

async fn show(visit: &Visit, told: Told) -> Result<HttpResponse, PageError> {
    let (sign_ins, user) = (visit.site.parts().sign_ins.clone(), visit.session.user.id);
    let standing = visit.run(async move { sign_ins.second_factor(user).await }).await?;
    let Told { done, new, codes, refusal } = told;
    let page = Page {
        frame: visit.frame("password"),
        done,
        email: visit.session.user.email.clone(),
        is_on: standing == SecondFactorStanding::On,
        new,
        codes,
        refusal,
    };
    shown(&page, page.refusal.as_ref())
}

/// `GET /admin/second-factor`
pub(super) async fn page(visit: Visit, done: Query<Done>) -> Result<HttpResponse, PageError> {
    show(&visit, Told { done: done.words(), ..Told::default() }).await
}

/// `POST /admin/second-factor`: a secret is made and shown.
pub(super) async fn begin(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (sign_ins, session) = (visit.site.parts().sign_ins.clone(), visit.session.clone());
    let (host, origin) = (visit.site.parts().ssh.host.clone(), visit.origin.clone());
    let password = form.get("password").to_owned();
    let begun = visit
        .run(
            async move { sign_ins.begin_second_factor(&session, (password, &host), &origin).await },
        )
        .await;
    match begun {
        Ok(new) => show(&visit, Told { new: Some(new), ..Told::default() }).await,
        Err(error) => {
            let refusal = Some(PageError::from(error).told()?);
            show(&visit, Told { refusal, ..Told::default() }).await
        }
    }
}

/// `POST /admin/second-factor/confirm`: it counts from now on.
pub(super) async fn confirm(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (sign_ins, session) = (visit.site.parts().sign_ins.clone(), visit.session.clone());
    let (code, origin) = (form.get("code").to_owned(), visit.origin.clone());
    let confirmed = visit
        .run(async move { sign_ins.confirm_second_factor(&session, &code, &origin).await })
        .await;
    match confirmed {
        Ok(codes) => show(&visit, Told { codes, ..Told::default() }).await,
        Err(error) => {
            let refusal = Some(PageError::from(error).told()?);
            // The secret was shown before, and stands in the form.
            let (base32, address) = (form.get("secret").to_owned(), form.get("address").to_owned());
            let new = NewSecret { base32, address };
            let new = Some(new).filter(|new| new.address.starts_with("otpauth://totp/"));
            show(&visit, Told { new, refusal, ..Told::default() }).await
        }
    }
}

/// `POST /admin/second-factor/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (sign_ins, session) = (visit.site.parts().sign_ins.clone(), visit.session.clone());
    let (code, origin) = (form.get("code").to_owned(), visit.origin.clone());
    let ended =
        visit.run(async move { sign_ins.end_second_factor(&session, &code, &origin).await }).await;
    match ended {
        Ok(()) => Ok(see("/admin/second-factor?done=factor-gone")),
        Err(error) => {
            let refusal = Some(PageError::from(error).told()?);
            show(&visit, Told { refusal, ..Told::default() }).await
        }
    }
}

/// `POST /admin/users/second-factor`: of somebody who has lost it.
pub(super) async fn unset(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, email) = (visit.acting(), somebody_else(&visit, &form)?);
    visit.run(async move { unset_second_factor(&by, &email).await }).await?;
    Ok(see("/admin/users?done=changed"))
}
