//! Pages for requests that get nothing else.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use tracing::error;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// There is nothing at this address.
    #[error("there is no such page")]
    NotFound,
    /// The rows cannot be read.
    #[error("PostgreSQL: {0}")]
    Db(#[from] diesel::result::Error),
    /// The page cannot be written.
    #[error("a template failed: {0}")]
    Template(#[from] askama::Error),
}

#[derive(Template)]
#[template(path = "message.html", config = ".askama.toml")]
struct Message {
    headline: &'static str,
    advice: &'static str,
    /// Seconds after which the page tries again.
    again: Option<u32>,
}

impl Message {
    const fn new(headline: &'static str, advice: &'static str) -> Self {
        Self { headline, advice, again: None }
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Db(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let message = match self {
            Self::NotFound => Message::new(
                "There is no such page",
                "The address of a job is long: was it copied whole?",
            ),
            Self::Db(source) => {
                error!("Could not read what a page shows: {source}");
                let advice = "This page tries again in a moment.";
                Message { again: Some(5), ..Message::new("The database does not answer", advice) }
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
