//! Who is in an account.

use actix_web::HttpResponse;

use crate::domain::access::Role;
use crate::projects::{delete_member, set_member};
use crate::web::admin::accounts::show;
use crate::web::admin::form::{Form, Posted};
use crate::web::admin::visit::{Visit, see};
use crate::web::page_error::PageError;

/// `POST /admin/accounts/{account}/members`
pub(super) async fn set(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let account = visit.account()?.0.slug.clone();
    let set = async {
        let role: Role = form.read("role")?;
        let (by, email) = (visit.acting(), form.trimmed("email").to_owned());
        Ok(visit.run(async move { set_member(&by, account, email, role).await }).await?)
    };
    let set = set.await;
    answer(&visit, set, (form, "member")).await
}

/// `POST /admin/accounts/{account}/members/delete`
pub(super) async fn delete(posted: Posted) -> Result<HttpResponse, PageError> {
    let Posted { visit, form } = posted;
    let (by, account) = (visit.acting(), visit.account()?.0.slug.clone());
    let email = form.trimmed("email").to_owned();
    let gone = visit.run(async move { delete_member(&by, account, email).await }).await;
    answer(&visit, gone.map_err(Into::into), (form, "member-gone")).await
}

async fn answer(
    visit: &Visit,
    done: Result<(), PageError>,
    (form, word): (Form, &str),
) -> Result<HttpResponse, PageError> {
    let slug = visit.account()?.0.slug.clone();
    match done {
        Ok(()) => Ok(see(&format!("/admin/accounts/{slug}?done={word}"))),
        Err(error) => {
            let refusal = Some(("member", error.told()?));
            show(visit, slug, None, (form, refusal)).await
        }
    }
}
