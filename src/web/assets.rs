//! The few files that pages load, part of the program.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Path;

use crate::web::page_error::PageError;

/// Files by name, with their type.
const ASSETS: [(&str, &str, &str); 3] = [
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("live.js", "text/javascript; charset=utf-8", include_str!("assets/live.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

/// How long browsers may keep one: long enough for a visit, short enough for an upgrade.
const FRESH_FOR: &str = "max-age=300";

/// `GET /assets/{name}`
pub(super) async fn asset(name: Path<String>) -> Result<HttpResponse, PageError> {
    let found = ASSETS.into_iter().find(|(asset, ..)| *asset == name.as_str());
    let (_, kind, content) = found.ok_or(PageError::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CACHE_CONTROL, FRESH_FOR))
        .body(content))
}
