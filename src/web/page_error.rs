//! Pages for requests that get nothing else.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use diesel::result::Error;
use tracing::error;

use crate::db::models::project::Inactive;
use crate::domain::access::{Bar, Denied};
use crate::jobs::{JobsError, NoRollback};
use crate::people::{PeopleError, SignInError};
use crate::projects::ProjectError;
use crate::questions::NoAnswer;
use crate::web::admin::sign_in_place;
use crate::web::refusal::{Refusal, told_by};
use crate::web::sent::{BadBody, MOST};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// There is nothing at this address, or nothing that they may know of.
    #[error("there is no such page")]
    NotFound,
    /// Nobody is signed in who asks for this.
    #[error("nobody is signed in")]
    SignedOut(String),
    /// They have to choose a password first.
    #[error("a password has to be chosen first")]
    ChoosePassword,
    /// They may look, but not do this.
    #[error("you may look at this, but not change it")]
    Forbidden,
    /// They may do nothing at all.
    #[error(transparent)]
    Barred(#[from] Bar),
    /// A form that was not shown to whoever sends it.
    #[error("this form is not of a page that was shown to you")]
    Foreign,
    /// A form that browsers do not send.
    #[error("this is no form")]
    Unreadable,
    /// A form of more than it may have.
    #[error("this is too much for a form")]
    TooLarge,
    /// A form that did not come in time.
    #[error("this took too long")]
    TooSlow,
    /// What they want cannot be done.
    #[error("{0}")]
    Refused(String),
    /// The rows cannot be read, or something else is away.
    #[error("{0}")]
    Unavailable(String),
    /// Something is wrong here.
    #[error("{0}")]
    Broken(String),
    /// The page cannot be written.
    #[error("a template failed: {0}")]
    Template(#[from] askama::Error),
}

impl PageError {
    /// What is said above a form that was not taken; whatever is not about the form is passed on.
    pub(super) fn told(self) -> Result<String, Self> {
        if let Self::Refused(text) = self { Ok(text) } else { Err(self) }
    }
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable(source) => Self::Unavailable(source),
            Refusal::Broken(source) => Self::Broken(source),
            Refusal::Barred(bar) => Self::Barred(bar),
            Refusal::NotFound(_) => Self::NotFound,
            Refusal::Forbidden(_) | Refusal::Narrow(_) => Self::Forbidden,
            Refusal::Missing(text)
            | Refusal::Silent(text)
            | Refusal::Changed(text)
            | Refusal::Conflict(text)
            | Refusal::Invalid(_, text) => Self::Refused(text),
        }
    }
}

impl From<SignInError> for PageError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Db(error) => error.into(),
            SignInError::People(error) => error.into(),
            error @ (SignInError::Wrong
            | SignInError::WrongPassword
            | SignInError::TooMany
            | SignInError::Barred(_)
            | SignInError::Password(_)
            | SignInError::WrongCode
            | SignInError::TooLate
            | SignInError::HasSecondFactor
            | SignInError::NoKey
            | SignInError::Token
            | SignInError::FirstRunIsOver) => Self::Refused(error.to_string()),
        }
    }
}

impl From<BadBody> for PageError {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::TooLarge => Self::TooLarge,
            BadBody::TooSlow => Self::TooSlow,
            BadBody::BrokenOff(_) => Self::Unreadable,
        }
    }
}

told_by! { PageError: Error Denied Inactive JobsError NoAnswer NoRollback ProjectError PeopleError }

#[derive(Template)]
#[template(path = "message.html", config = ".askama.toml")]
struct Message {
    headline: &'static str,
    advice: String,
    /// Seconds after which the page tries again.
    again: Option<u32>,
}

impl Message {
    fn new(headline: &'static str, advice: impl Into<String>) -> Self {
        Self { headline, advice: advice.into(), again: None }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignedOut(_) | Self::ChoosePassword => StatusCode::SEE_OTHER,
            Self::Forbidden | Self::Barred(_) | Self::Foreign => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) | Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let message = match self {
            Self::SignedOut(next) => return self.look_at(&sign_in_place(next)),
            Self::ChoosePassword => return self.look_at("/admin/password"),
            Self::NotFound => Message::new(
                "There is no such page",
                "It may be gone, or not be yours to see. Was the address copied whole?",
            ),
            Self::Forbidden => Message::new("You may not do this", "You may look at it."),
            Self::Barred(bar) => Message::new("You are shut out", bar.to_string()),
            Self::Foreign => Message::new(
                "This form was not taken",
                "It is not of a page that was shown to you here, or you have signed in anew since. \
                 Open the page again.",
            ),
            Self::Unreadable => Message::new("This is no form", "Browsers send others."),
            Self::TooLarge => {
                Message::new("This is too much", format!("A form may have {} KiB.", MOST / 1024))
            }
            Self::TooSlow => Message::new("This took too long", "Open the page again."),
            Self::Refused(text) => Message::new("This cannot be done", text.as_str()),
            Self::Unavailable(source) => {
                error!("Could not do what a page is for: {source}");
                let advice = "This page tries again in a moment.";
                Message {
                    again: Some(5),
                    ..Message::new("Something that is needed is away", advice)
                }
            }
            Self::Broken(source) => {
                error!("Could not do what a page is for: {source}");
                Message::new("The server could not do it", "Its log says why.")
            }
            Self::Template(source) => {
                error!("Could not write a page: {source}");
                Message::new("This page is broken", "The server's log says more.")
            }
        };
        let mut response = HttpResponse::build(self.status_code());
        match message.render() {
            Ok(page) => response.content_type("text/html; charset=utf-8").body(page),
            Err(_broken) => response.body(message.headline),
        }
    }
}

impl PageError {
    fn look_at(&self, place: &str) -> HttpResponse {
        HttpResponse::build(self.status_code()).insert_header((LOCATION, place)).finish()
    }
}
