//! Answers: JSON, the state that it shows, and the way to the next part of a list.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::api::problem::Problem;

/// What a handler gives.
pub(super) type Answered = Result<HttpResponse, Problem>;

/// Where the API begins.
pub(super) const PREFIX: &str = "/api/v1";

/// Rows of a part of a list, if nobody says.
const ROWS: u16 = 50;

/// Most rows of a part.
const MOST_ROWS: u16 = 200;

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Rows {
    /// Most rows.
    #[param(minimum = 1, maximum = 200)]
    pub(super) limit: Option<u16>,
    /// Where the list goes on, from `next`.
    pub(super) cursor: Option<String>,
}

/// Part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct List<T> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// The address of the next part, as in the header `Link`; null of the last one.
    pub(super) next: Option<String>,
}

/// An answer of JSON.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> HttpResponse {
    match serde_json::to_string(value) {
        Ok(text) => HttpResponse::build(status).content_type("application/json").body(text),
        Err(_unwritable) => HttpResponse::InternalServerError().finish(),
    }
}

/// What was asked for.
pub(super) fn ok<T: Serialize>(value: &T) -> HttpResponse {
    json(StatusCode::OK, value)
}

/// What was asked for, in this state.
pub(super) fn ok_at<T: Serialize>(value: &T, version: &str) -> HttpResponse {
    with_version(ok(value), version)
}

/// What was made, and where it is.
pub(super) fn created<T: Serialize>(value: &T, location: &str) -> HttpResponse {
    let mut response = json(StatusCode::CREATED, value);
    if let Ok(value) = header::HeaderValue::try_from(format!("{PREFIX}{location}")) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// The same answer, with the state it shows.
pub(super) fn with_version(mut response: HttpResponse, version: &str) -> HttpResponse {
    if let Ok(value) = header::HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// It is done, and there is nothing to say.
pub(super) fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// What tells one state of a row from another: when it was changed last.
pub(super) fn version(changed: DateTime<Utc>) -> String {
    format!("{:x}", changed.timestamp_micros())
}

/// The time that a version stands for.
pub(super) fn time(version: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(i64::from_str_radix(version, 16).ok()?)
}

/// How many rows are read for so many rows shown: one more tells that there is a next part.
pub(super) fn most(limit: Option<u16>) -> Result<i64, Problem> {
    let limit = limit.unwrap_or(ROWS);
    if (1..=MOST_ROWS).contains(&limit) {
        return Ok(i64::from(limit) + 1);
    }
    Err(Problem::parameter("limit", format!("give a number from 1 to {MOST_ROWS}")))
}

/// A part of a list of what was read.
///
/// `address` is that of the list with everything but where it goes on; `cursor` says where that is
/// after a row.
pub(super) fn part<R, T: Serialize>(
    mut rows: Vec<R>,
    most: i64,
    address: &Address,
    cursor: impl FnOnce(&R) -> String,
    view: impl FnMut(R) -> T,
) -> HttpResponse {
    let shown = usize::try_from(most - 1).unwrap_or(usize::MAX);
    let has_more = rows.len() > shown;
    rows.truncate(shown);
    let next = rows.last().filter(|_| has_more).map(|last| address.with_cursor(&cursor(last)));
    let items = rows.into_iter().map(view).collect();
    let link = next.as_ref().map(|next| format!("<{next}>; rel=\"next\""));
    let mut response = ok(&List { items, next });
    if let Some(Ok(value)) = link.map(header::HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, value);
    }
    response
}

/// A list that is all there is.
pub(super) fn whole<T: Serialize>(items: Vec<T>) -> HttpResponse {
    ok(&List { items, next: None })
}

/// The address of a list.
#[derive(Debug)]
pub(super) struct Address {
    path: String,
    /// The query, without the cursor.
    query: String,
    /// Name of the parameter that says where it goes on.
    parameter: &'static str,
    /// How that is told.
    cursor: Cursor,
}

/// How it is told where a list goes on.
#[derive(Debug, Clone, Copy)]
enum Cursor {
    /// As something to pass on unread.
    Opaque,
    /// As it is.
    Plain,
}

impl Address {
    /// The list that was asked for by this path and query.
    pub(super) fn new(path: &str, query: &str) -> Self {
        Self::going_on_by(path, query, "cursor", Cursor::Opaque)
    }

    /// The same, of one that goes on after a number.
    pub(super) fn numbered(path: &str, query: &str, parameter: &'static str) -> Self {
        Self::going_on_by(path, query, parameter, Cursor::Plain)
    }

    fn going_on_by(path: &str, query: &str, parameter: &'static str, cursor: Cursor) -> Self {
        let is_other = |pair: &&str| pair.split('=').next() != Some(parameter) && !pair.is_empty();
        let query: Vec<&str> = query.split('&').filter(is_other).collect();
        Self { path: path.to_owned(), query: query.join("&"), parameter, cursor }
    }

    fn with_cursor(&self, cursor: &str) -> String {
        let Self { path, query, parameter, .. } = self;
        let cursor = match self.cursor {
            Cursor::Plain => cursor.to_owned(),
            Cursor::Opaque => Base64UrlUnpadded::encode_string(cursor.as_bytes()),
        };
        let and = if query.is_empty() { "" } else { "&" };
        format!("{path}?{query}{and}{parameter}={cursor}")
    }
}

/// Reads where a list goes on.
pub(super) fn cursor<K>(
    text: Option<&str>,
    read: impl FnOnce(&str) -> Option<K>,
) -> Result<Option<K>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let bytes = Base64UrlUnpadded::decode_vec(text).ok();
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let key = plain.and_then(|plain| read(&plain));
    key.map(Some).ok_or_else(|| {
        Problem::parameter("cursor", "this is no cursor: follow the address in `next`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_is_asked_for_with_what_was_asked_for() {
        let address = Address::new("/api/v1/jobs", "state=ended&cursor=x&limit=2");
        let next = address.with_cursor("42");
        assert_eq!(next, "/api/v1/jobs?state=ended&limit=2&cursor=NDI");
        assert_eq!(cursor(Some("NDI"), |text| text.parse().ok()).unwrap(), Some(42));
        assert!(cursor(Some("NDI"), |_| None::<i64>).is_err());
        assert!(cursor(Some("ä"), |text| text.parse::<i64>().ok()).is_err());
    }

    #[test]
    fn a_version_is_the_time_of_a_change() {
        let changed = DateTime::from_timestamp_micros(1_764_000_000_123_456).unwrap();
        assert_eq!(time(&version(changed)), Some(changed));
        for text in ["", "x", "zz", "ffffffffffffffffff"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
