//! A request of a program: who asks, what they may, and what it is about.
//!
//! A handler takes a [`Call`], and there is none of somebody who may not do what the route is for:
//! all of it is decided here, before a byte of the body is read.

use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest};
use chrono::{TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use crate::db::acting::Acting;
use crate::db::models::account::Account;
use crate::db::models::audit::NewEntry;
use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::pool::Db;
use crate::domain::access::{Verb, What, Who, authorise};
use crate::domain::environment::EnvironmentName;
use crate::domain::seen::Seen;
use crate::people::{Bearer, bearer, touch_token};
use crate::projects::find_environment;
use crate::web::api::answer::{Address, time};
use crate::web::api::problem::{Kind, Problem, bad_token, no_token};
use crate::web::api::{body, routes};
use crate::web::asked::{Asked, Found, origin, segment};
use crate::web::site::Site;

/// Age after which the last use of a token is noted anew.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// A request of somebody who may make it.
pub(super) struct Call {
    site: Data<Site>,
    bearer: Bearer,
    verb: Verb,
    found: Found,
    request: HttpRequest,
    payload: Payload,
}

/// The state that a change is made from.
pub(super) enum Expected {
    /// Whichever it is.
    Any,
    /// The one with this tag.
    Tag(String),
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move { Self::new(request, payload).await }.boxed_local()
    }
}

impl Call {
    async fn new(request: HttpRequest, payload: Payload) -> Result<Self, Problem> {
        let verb = routes::right_of(&request)?;
        let site = Site::of(&request)?;
        let token = token_of(&request)?;
        let (db, origin) = (site.db(), origin(&request, &site.parts().web));
        let bearer = site.run(async move { identify(&db, token, origin).await }).await?;
        let (db, who, asked) = (site.db(), bearer.who(), Asked::of(&request, verb)?);
        let found = site.run(async move { asked.find(&db, &who, verb).await }).await?;
        Ok(Self { site, bearer, verb, found, request, payload })
    }

    /// Who asks.
    pub(super) fn bearer(&self) -> &Bearer {
        &self.bearer
    }

    /// Who asks, for decisions about rows.
    pub(super) fn who(&self) -> Who {
        self.bearer.who()
    }

    /// Where rows are.
    pub(super) fn db(&self) -> Db {
        self.site.db()
    }

    /// What all of it is made from.
    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// Whoever asks, who changes something.
    pub(super) fn acting(&self) -> Acting {
        let origin = origin(&self.request, &self.site.parts().web);
        Acting { db: self.db(), actor: self.bearer.actor(origin) }
    }

    /// Does work on the threads of the whole process.
    pub(super) async fn run<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        self.site.run(work).await.map_err(Into::into)
    }

    /// Notes what was done where that is not noted by what did it.
    pub(super) async fn note(&self, entry: NewEntry) -> Result<(), Problem> {
        let db = self.db();
        let noting =
            async move { db.run(async move |connection| entry.insert(connection).await).await };
        self.run(noting).await
    }

    /// The account of the address.
    pub(super) fn account(&self) -> Result<&Account, Problem> {
        self.found.account().map(|(account, _)| account).ok_or_else(|| self.misused())
    }

    /// The project of the address.
    pub(super) fn project(&self) -> Result<&Project, Problem> {
        self.found.project().ok_or_else(|| self.misused())
    }

    /// The job of the address.
    pub(super) fn job(&self) -> Result<&Job, Problem> {
        self.found.job().map(|(job, _)| job).ok_or_else(|| self.misused())
    }

    /// A route whose right is of something else than its handler is.
    fn misused(&self) -> Problem {
        Problem::new(Kind::Broken, format!("the right {} is none of this", self.verb))
    }

    /// The environment of the address.
    pub(super) async fn environment(&self) -> Result<Environment, Problem> {
        let (db, project) = (self.db(), self.project()?.clone());
        let name: EnvironmentName = self.segment("environment")?;
        self.run(async move { find_environment(&db, &project, name).await }).await
    }

    /// A part of the address; what cannot be one names nothing.
    pub(super) fn segment<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        Ok(segment(&self.request, name)?)
    }

    /// What stands behind the `?`.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let text = self.request.query_string();
        if text.contains("%00") || text.contains('\0') {
            return Err(Problem::new(Kind::BadRequest, "no text may hold the character U+0000"));
        }
        let read = Query::<T>::from_query(text);
        read.map(Query::into_inner).map_err(|error| {
            let text = error.to_string();
            let text = text.strip_prefix("Query deserialize error: ").unwrap_or(&text);
            let next = "see /api/v1/openapi.json for the parameters of this address";
            Problem::new(Kind::BadRequest, format!("a parameter cannot be read: {text}")).next(next)
        })
    }

    /// The address of the list that is asked for.
    pub(super) fn address(&self) -> Address {
        Address::new(self.request.path(), self.request.query_string())
    }

    /// The same, of a list that goes on after a number.
    pub(super) fn address_by(&self, parameter: &'static str) -> Address {
        Address::numbered(self.request.path(), self.request.query_string(), parameter)
    }

    /// The body.
    pub(super) async fn body<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        body::read(&self.request, std::mem::replace(&mut self.payload, Payload::None)).await
    }

    /// The body, if there is one.
    pub(super) async fn body_if_any<T: DeserializeOwned + Default>(
        &mut self,
    ) -> Result<T, Problem> {
        body::read_some(&self.request, std::mem::replace(&mut self.payload, Payload::None)).await
    }

    /// The state that the change is made from, without which it might undo what others did.
    pub(super) fn expected(&self) -> Result<Expected, Problem> {
        let Some(value) = self.request.headers().get(header::IF_MATCH) else {
            return Err(Problem::new(Kind::NoPrecondition, "there is no If-Match"));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Expected::Any);
        }
        if text.is_empty() {
            return Err(Problem::parameter("If-Match", "give an ETag, or `*`"));
        }
        // A weak tag, or several of them, is none that was given out.
        let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Ok(Expected::Tag(tag.unwrap_or_default().to_owned()))
    }

    /// The same, of something whose state is when it was changed last.
    pub(super) fn seen(&self) -> Result<Seen, Problem> {
        match self.expected()? {
            Expected::Any => Ok(Seen::Whatever),
            Expected::Tag(tag) => time(&tag).map(Seen::Of).ok_or_else(|| {
                Problem::new(Kind::Changed, "If-Match is no ETag that was given out")
            }),
        }
    }
}

/// Who comes with this token.
async fn identify(db: &Db, token: String, origin: String) -> Result<Bearer, Problem> {
    let Some(found) = bearer(db, &token).await? else {
        return Err(bad_token("nobody has this token, or it was ended"));
    };
    authorise(&found.who(), Verb::Identify, What::Oneself)?;
    let now = Utc::now();
    if found.token.last_used_at.is_none_or(|last| now - last >= NOTED) {
        touch_token(db, found.token.id, origin).await?;
    }
    Ok(found)
}

fn token_of(request: &HttpRequest) -> Result<String, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        return Err(no_token("there is no token"));
    };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(token.trim().to_owned())
        }
        _ => Err(no_token("there is no token in `Authorization`")),
    }
}
