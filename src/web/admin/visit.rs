//! Who asks for a page, and what it is about.
//!
//! A handler takes a [`Visit`], and there is none of somebody who may not do what the page is for:
//! all of it is decided here, before a byte of a form is read.

use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use askama::Template;
use futures::future::LocalBoxFuture;

use crate::db::acting::Acting;
use crate::db::models::account::Account;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::pool::Db;
use crate::domain::access::{Role, Standing, Verb, What, Who, authorise};
use crate::people::{BrowserToken, Session};
use crate::web::admin::cookie;
use crate::web::admin::routes::PAGES;
use crate::web::asked::{Asked, Found, origin, segment};
use crate::web::page_error::PageError;
use crate::web::routes::right_of;
use crate::web::site::Site;

/// Somebody who is signed in and asks for something that they may ask for.
pub(in crate::web) struct Visit {
    /// What pages are made from.
    pub(super) site: Data<Site>,
    /// Who.
    pub(super) session: Session,
    /// The address they come from.
    pub(super) origin: String,
    token: BrowserToken,
    found: Found,
    request: HttpRequest,
}

/// What every page shows of whom it is for.
pub(in crate::web) struct Frame {
    pub(in crate::web) name: String,
    pub(in crate::web) is_administrator: bool,
    /// What forms carry.
    pub(in crate::web) csrf: String,
    /// Which of the places at the top this is.
    pub(in crate::web) here: &'static str,
}

impl Visit {
    /// Whoever is signed in, unless they have to choose a password first.
    pub(super) async fn of(request: HttpRequest) -> Result<Self, PageError> {
        let verb = right_of(PAGES, "", &request).ok_or(PageError::NotFound)?;
        let site = Site::of(&request)?;
        let web = &site.parts().web;
        let signed_out = || PageError::SignedOut(request.uri().to_string());
        let token = cookie::token(&request, web).ok_or_else(signed_out)?;
        let (sign_ins, asked) = (site.parts().sign_ins.clone(), token.clone());
        let session = site.run(async move { sign_ins.session(&asked).await }).await?;
        let session = session.ok_or_else(signed_out)?;
        // Who was shut out is told so, wherever they go.
        authorise(&session.who(), Verb::Identify, What::Oneself)?;
        if session.must_change && !matches!(verb, Verb::Identify | Verb::ChangePassword) {
            return Err(PageError::ChoosePassword);
        }
        let (db, who, asked) = (site.db(), session.who(), Asked::of(&request, verb)?);
        let found = site.run(async move { asked.find(&db, &who, verb).await }).await?;
        let origin = origin(&request, web);
        Ok(Self { site, session, origin, token, found, request })
    }

    /// What the browser holds.
    pub(in crate::web) const fn token(&self) -> &BrowserToken {
        &self.token
    }

    /// For decisions about rows.
    pub(in crate::web) fn who(&self) -> Who {
        self.session.who()
    }

    /// They, who change something.
    pub(super) fn acting(&self) -> Acting {
        Acting { db: self.db(), actor: self.session.actor(self.origin.clone()) }
    }

    /// Where rows are.
    pub(in crate::web) fn db(&self) -> Db {
        self.site.db()
    }

    /// Does work on the threads of the whole process.
    pub(in crate::web) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        self.site.run(work).await
    }

    /// What a page shows around what it is about.
    pub(in crate::web) fn frame(&self, here: &'static str) -> Frame {
        Frame {
            name: self.session.user.name.clone(),
            is_administrator: self.session.user.standing() == Standing::Administrator,
            csrf: self.token.form_token(),
            here,
        }
    }

    /// The account of the address, with what they are there for.
    pub(super) fn account(&self) -> Result<&(Account, Option<Role>), PageError> {
        self.found.account().ok_or(PageError::NotFound)
    }

    /// The project of the address.
    pub(super) fn project(&self) -> Result<&Project, PageError> {
        self.found.project().ok_or(PageError::NotFound)
    }

    /// The job of the address, with its project.
    pub(in crate::web) fn job(&self) -> Result<&(Job, Project), PageError> {
        self.found.job().ok_or(PageError::NotFound)
    }

    /// A part of the address; what cannot be one names nothing.
    pub(super) fn segment<T: FromStr>(&self, name: &str) -> Result<T, PageError> {
        Ok(segment(&self.request, name)?)
    }
}

impl FromRequest for Visit {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        Box::pin(Self::of(request.clone()))
    }
}

/// A page as an answer.
pub(in crate::web) fn html(page: &impl Template) -> Result<HttpResponse, PageError> {
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page.render()?))
}

/// A page that says why a form was not taken.
pub(super) fn refused(page: &impl Template) -> Result<HttpResponse, PageError> {
    let mut answer = HttpResponse::UnprocessableEntity();
    Ok(answer.content_type("text/html; charset=utf-8").body(page.render()?))
}

/// A page that says why a form was not taken, or the page itself.
pub(super) fn shown(
    page: &impl Template,
    refusal: Option<&impl Sized>,
) -> Result<HttpResponse, PageError> {
    if refusal.is_some() { refused(page) } else { html(page) }
}

/// "Look there": what is answered to a form that was taken, so that it is not sent twice.
pub(super) fn see(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("Location", place)).finish()
}
