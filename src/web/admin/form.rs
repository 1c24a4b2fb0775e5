//! What people send: read whole, within a time, and only from pages that were shown to them.

use std::collections::BTreeMap;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, Utc};
use futures::future::LocalBoxFuture;

use crate::domain::seen::Seen;
use crate::people::BrowserToken;
use crate::web::admin::visit::Visit;
use crate::web::admin::{cookie, multipart};
use crate::web::asked::origin;
use crate::web::page_error::PageError;
use crate::web::sent;
use crate::web::site::Site;

/// The field with the form's token.
const TOKEN: &str = "csrf";

/// The field that says what of a thing was shown.
const SEEN: &str = "seen";

/// Fields by name. A handler reads those that it knows, so nobody sets what is not asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    /// The text of a field; nothing when it was not sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The same without blanks around it.
    pub(super) fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// Whether a box is checked.
    pub(super) fn is_checked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Whether a choice is this one.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// A field read as something, or why it cannot be.
    pub(super) fn read<T: FromStr<Err: ToString>>(&self, name: &str) -> Result<T, PageError> {
        self.trimmed(name).parse().map_err(|error: T::Err| PageError::Refused(error.to_string()))
    }

    /// What was shown of the thing that is changed.
    pub(super) fn seen(&self) -> Seen {
        let micros = self.get(SEEN).parse().ok();
        match micros.and_then(DateTime::<Utc>::from_timestamp_micros) {
            Some(at) => Seen::Of(at),
            None => Seen::Nothing,
        }
    }

    /// Sets a field, to be shown.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Says what is shown, so that a change of it that nobody saw is noticed.
    pub(super) fn set_seen(&mut self, changed_at: DateTime<Utc>) {
        self.set(SEEN, changed_at.timestamp_micros().to_string());
    }

    /// Without what must not be shown again.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    fn parse(content_type: &str, body: &[u8]) -> Result<Self, PageError> {
        let pairs = match multipart::boundary(content_type) {
            Some(boundary) => {
                multipart::parts(body, boundary).map_err(|_bad| PageError::Unreadable)?
            }
            None => {
                let text = std::str::from_utf8(body).map_err(|_no_text| PageError::Unreadable)?;
                let read = Query::<Vec<(String, String)>>::from_query(text);
                read.map_err(|_bad| PageError::Unreadable)?.into_inner()
            }
        };
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            // The first counts, whatever comes behind it.
            fields.entry(name).or_insert(value);
        }
        Ok(Self(fields))
    }

    /// Refuses a form that is of no page shown to the browser with this token.
    fn check(&self, token: &BrowserToken) -> Result<(), PageError> {
        if self.get(TOKEN) == token.form_token() { Ok(()) } else { Err(PageError::Foreign) }
    }
}

async fn read(
    request: &HttpRequest,
    payload: Payload,
    token: &BrowserToken,
) -> Result<Form, PageError> {
    if let Some(site) = request.headers().get("Sec-Fetch-Site")
        && site != "same-origin"
        && site != "none"
    {
        return Err(PageError::Foreign);
    }
    let body = sent::read(request, payload).await?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let form = Form::parse(kind.unwrap_or_default(), &body)?;
    form.check(token)?;
    Ok(form)
}

/// A form of somebody who is signed in.
pub(super) struct Posted {
    /// Who.
    pub(super) visit: Visit,
    /// What.
    pub(super) form: Form,
}

impl FromRequest for Posted {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let visit = Visit::of(request.clone()).await?;
            let form = read(&request, payload, visit.token()).await?;
            Ok(Self { visit, form })
        })
    }
}

/// A form of a browser in which nobody is signed in.
pub(super) struct Strangers {
    /// What pages are made from.
    pub(super) site: Data<Site>,
    /// The browser.
    pub(super) token: BrowserToken,
    /// Where it is.
    pub(super) origin: String,
    /// What was sent.
    pub(super) form: Form,
}

impl FromRequest for Strangers {
    type Error = PageError;
    type Future = LocalBoxFuture<'static, Result<Self, PageError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let site = Site::of(&request)?;
            let web = &site.parts().web;
            let token = cookie::token(&request, web).ok_or(PageError::Foreign)?;
            let form = read(&request, payload, &token).await?;
            let origin = origin(&request, web);
            Ok(Self { site, token, origin, form })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_both_forms_and_the_first_counts() {
        let form = Form::parse("", b"a=1&a=2&b=%C3%A9+x").unwrap();
        assert_eq!((form.get("a"), form.get("b"), form.get("c")), ("1", "é x", ""));
        let body = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--";
        assert_eq!(Form::parse("multipart/form-data; boundary=x", body).unwrap().get("a"), "1");
        assert!(Form::parse("", b"\xff").is_err());
    }

    #[test]
    fn a_form_is_of_the_browser_that_it_was_shown_to() {
        let (own, other) = (BrowserToken::new(), BrowserToken::new());
        let mut form = Form::default();
        assert!(form.check(&own).is_err());
        form.set(TOKEN, own.form_token());
        assert!(form.check(&own).is_ok());
        assert!(form.check(&other).is_err());
        form.set(TOKEN, own.secret());
        assert!(form.check(&own).is_err());
    }

    #[test]
    fn what_was_shown_comes_back_as_it_was() {
        let mut form = Form::default();
        assert_eq!(form.seen(), Seen::Nothing);
        let at = DateTime::from_timestamp_micros(1_764_547_200_123_456).unwrap();
        form.set_seen(at);
        assert_eq!(form.seen(), Seen::Of(at));
    }
}
