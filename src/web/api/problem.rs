//! What programs are told that get nothing else: `application/problem+json` (RFC 9457).

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use diesel::result::Error;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::db::models::project::Inactive;
use crate::domain::access::Denied;
use crate::jobs::{JobsError, NoRollback};
use crate::people::PeopleError;
use crate::projects::ProjectError;
use crate::questions::NoAnswer;
use crate::web::refusal::{Refusal, told_by};
use crate::web::sent::BadBody;

/// What kinds of problems there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BadRequest,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Slow,
    Conflict,
    Changed,
    TooLarge,
    NotJson,
    Invalid,
    NoPrecondition,
    Broken,
    Unavailable,
}

impl Kind {
    /// Its word in `type`, its status, its title, and what to do about it if nothing better is known.
    #[expect(clippy::too_many_lines, reason = "a table")]
    const fn words(self) -> (&'static str, StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (
                "bad-request",
                StatusCode::BAD_REQUEST,
                "The request cannot be read",
                "compare it with /api/v1/openapi.json",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                StatusCode::UNAUTHORIZED,
                "Who asks is not known",
                "send `Authorization: Bearer` and a token; `tokens add` over SSH makes one",
            ),
            Self::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "You may not do this",
                "ask an owner of the account, or an administrator",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is no such thing",
                "see what there is by a GET of its list",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This cannot be done to it",
                "use one of the methods that `Allow` names",
            ),
            Self::Slow => (
                "slow",
                StatusCode::REQUEST_TIMEOUT,
                "The request took too long to arrive",
                "send it again",
            ),
            Self::Conflict => (
                "conflict",
                StatusCode::CONFLICT,
                "It cannot be done as things stand",
                "change what stands against it first",
            ),
            Self::Changed => (
                "changed",
                StatusCode::PRECONDITION_FAILED,
                "Somebody else changed it",
                "GET it again, and send the new ETag in If-Match",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request is too large",
                "send less",
            ),
            Self::NotJson => (
                "not-json",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This is not JSON",
                "send `Content-Type: application/json`",
            ),
            Self::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "What was sent cannot be stored",
                "change what `errors` points at",
            ),
            Self::NoPrecondition => (
                "no-precondition",
                StatusCode::PRECONDITION_REQUIRED,
                "Nobody knows what this change was made from",
                "GET it, and send its ETag in If-Match",
            ),
            Self::Broken => (
                "broken",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server could not do it",
                "its log says why, by the number in `detail`",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot reach what it needs",
                "try again in a moment",
            ),
        }
    }
}

/// Something about one place of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProblemPlace)]
pub(super) struct Place {
    /// A JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    /// The name of a parameter or a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    /// What is wrong with it.
    pub(super) detail: String,
}

/// A problem as it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Body {
    /// What kind it is, for programs: `urn:pierhead:problem:` and a word.
    r#type: String,
    /// What kind it is, for people.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened this time.
    detail: String,
    /// What to do about it.
    next: String,
    /// The places that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Place>,
}

/// Why a program gets nothing else.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    next: Option<String>,
    errors: Vec<Place>,
    /// A header that belongs to the answer.
    header: Option<Box<(header::HeaderName, String)>>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), next: None, errors: Vec::new(), header: None }
    }

    /// What somebody sent who may change it, with the place it stands at.
    pub(super) fn invalid(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::new(Kind::Invalid, detail.to_string()).at(pointer)
    }

    /// A parameter or a header that cannot be read.
    pub(super) fn parameter(name: &str, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        let place =
            Place { pointer: None, parameter: Some(name.to_owned()), detail: detail.clone() };
        let errors = vec![place];
        Self { errors, ..Self::new(Kind::BadRequest, format!("{name}: {detail}")) }
    }

    pub(super) fn not_found(what: impl fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("{what} not found"))
    }

    /// The same, about this place of the body.
    #[must_use]
    pub(super) fn at(mut self, pointer: impl Into<String>) -> Self {
        let (pointer, detail) = (Some(pointer.into()), self.detail.clone());
        self.errors = vec![Place { pointer, parameter: None, detail }];
        self
    }

    /// The same, about a place of the body that only whoever calls knows. A problem that is no
    /// fault of what was sent stays what it is.
    #[must_use]
    pub(super) fn moved_to(self, pointer: &str) -> Self {
        match self.kind {
            Kind::Invalid => self.at(pointer),
            Kind::NotFound | Kind::Forbidden => Self { kind: Kind::Invalid, ..self }.at(pointer),
            Kind::BadRequest
            | Kind::Unauthenticated
            | Kind::MethodNotAllowed
            | Kind::Slow
            | Kind::Conflict
            | Kind::Changed
            | Kind::TooLarge
            | Kind::NotJson
            | Kind::NoPrecondition
            | Kind::Broken
            | Kind::Unavailable => self,
        }
    }

    /// The same, with something better to do about it.
    #[must_use]
    pub(super) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// The same, with a header that belongs to it.
    #[must_use]
    pub(super) fn header(self, name: header::HeaderName, value: impl Into<String>) -> Self {
        Self { header: Some(Box::new((name, value.into()))), ..self }
    }

    /// The first place in the body that it is about.
    #[cfg(test)]
    pub(super) fn place(&self) -> Option<&str> {
        self.errors.first()?.pointer.as_deref()
    }

    /// What only the log may tell.
    fn logged(kind: Kind, source: &dyn fmt::Display) -> Self {
        let number: u32 = rand::random();
        error!("Could not answer the API ({number:08x}): {source}");
        Self::new(kind, format!("see {number:08x} in the server's log"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.words().1
    }

    fn error_response(&self) -> HttpResponse {
        let (word, status, title, next) = self.kind.words();
        let body = Body {
            r#type: format!("urn:pierhead:problem:{word}"),
            title,
            status: status.as_u16(),
            detail: self.detail.clone(),
            next: self.next.clone().unwrap_or_else(|| next.to_owned()),
            errors: self.errors.clone(),
        };
        let mut response = HttpResponse::build(status);
        if let Some((name, value)) = self.header.as_deref() {
            response.insert_header((name.clone(), value.as_str()));
        }
        let text = serde_json::to_string(&body).unwrap_or_default();
        response.content_type("application/problem+json").body(text)
    }
}

/// Whoever asks has come without a token.
pub(super) fn no_token(detail: &str) -> Problem {
    challenged(detail, r#"Bearer realm="pierhead""#)
}

/// The token is nobody's, or its owner may not come in.
pub(super) fn bad_token(detail: impl Into<String>) -> Problem {
    challenged(detail, r#"Bearer realm="pierhead", error="invalid_token""#)
}

fn challenged(detail: impl Into<String>, challenge: &str) -> Problem {
    Problem::new(Kind::Unauthenticated, detail).header(header::WWW_AUTHENTICATE, challenge)
}

fn narrow(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::Forbidden, detail).next("come with a token for all that you may")
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable(source) => Self::logged(Kind::Unavailable, &source),
            Refusal::Silent(text) => Self::new(Kind::Unavailable, text),
            Refusal::Broken(source) => Self::logged(Kind::Broken, &source),
            Refusal::Barred(bar) => bad_token(bar.to_string()),
            Refusal::NotFound(text) | Refusal::Missing(text) => Self::new(Kind::NotFound, text),
            Refusal::Forbidden(text) => Self::new(Kind::Forbidden, text),
            Refusal::Narrow(text) => narrow(text),
            Refusal::Changed(text) => Self::new(Kind::Changed, text),
            Refusal::Conflict(text) => Self::new(Kind::Conflict, text),
            Refusal::Invalid(Some(field), text) => Self::invalid(format!("/{field}"), text),
            Refusal::Invalid(None, text) => Self::new(Kind::Invalid, text),
        }
    }
}

impl From<BadBody> for Problem {
    fn from(bad: BadBody) -> Self {
        let kind = match bad {
            BadBody::TooLarge => Kind::TooLarge,
            BadBody::TooSlow => Kind::Slow,
            BadBody::BrokenOff(_) => Kind::BadRequest,
        };
        Self::new(kind, bad.to_string())
    }
}

told_by! { Problem: Error Denied Inactive JobsError NoAnswer NoRollback ProjectError PeopleError }
