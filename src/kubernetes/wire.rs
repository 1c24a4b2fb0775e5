//! Calls of a cluster's API: said once, and again while that may help.

use std::error::Error as StdError;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WARNING};
use hyper::{Method, Request, Response};
use kube::client::Body;
use serde_json::Value;
use tokio::time::Instant;

use crate::domain::causes::with_causes;
use crate::kubernetes::again::{Setback, retry_after};
use crate::kubernetes::error::refused;
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::{Cluster, Error, warning};

/// Longest answer that is read, in bytes; a page of a list is far from it.
const LONGEST_ANSWER: usize = 64 << 20;

/// Form in which objects are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Apply,
    MergePatch,
    JsonPatch,
}

impl Form {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Apply => "application/apply-patch+yaml",
            Self::MergePatch => "application/merge-patch+json",
            Self::JsonPatch => "application/json-patch+json",
        }
    }
}

/// Whether a call may be made twice when nobody knows whether the first one was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    Allowed,
    Never,
}

/// One question or order.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) content: Option<(Form, Vec<u8>)>,
    pub(super) accept: &'static str,
    pub(super) repeat: Repeat,
    /// What it is about.
    pub(super) object: ObjectRef,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) bytes: Vec<u8>,
    pub(super) warnings: Vec<String>,
    retry_after: Option<Duration>,
}

/// Why there was no answer.
pub(super) enum Failure {
    /// Nobody answered.
    Away(String),
    /// Somebody did who cannot be trusted.
    Untrusted(String),
    /// Trying again changes nothing.
    Garbled(String),
}

impl Call {
    /// A question.
    pub(super) fn get(path: String, object: ObjectRef) -> Self {
        Self {
            method: Method::GET,
            path,
            query: Vec::new(),
            content: None,
            accept: "application/json",
            repeat: Repeat::Allowed,
            object,
        }
    }

    /// An order.
    pub(super) fn order(
        method: Method,
        path: String,
        form: Form,
        content: &Value,
        object: ObjectRef,
    ) -> Self {
        let content = Some((form, content.to_string().into_bytes()));
        Self { method, content, ..Self::get(path, object) }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.query.push((name, value.to_owned()));
        self
    }

    fn request(&self) -> Result<Request<Body>, hyper::http::Error> {
        let mut uri = self.path.clone();
        for (index, (name, value)) in self.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            escape(value, &mut uri);
        }
        let mut request =
            Request::builder().method(&self.method).uri(uri).header(ACCEPT, self.accept);
        if let Some((form, _)) = &self.content {
            request = request.header(CONTENT_TYPE, form.media_type());
        }
        let content = self.content.as_ref().map(|(_, content)| content.clone());
        request.body(Body::from(content.unwrap_or_default()))
    }

    /// What it does, as permissions name it.
    fn verb(&self) -> &'static str {
        match self.method {
            Method::GET => "get",
            Method::POST => "create",
            Method::DELETE => "delete",
            _ => "patch",
        }
    }
}

/// Writes a value of a query.
fn escape(value: &str, uri: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let digit = |value: u8| HEX.get(usize::from(value)).copied().map_or('0', char::from);
            uri.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

impl Answer {
    /// The object or list that it holds.
    pub(super) fn value(&self) -> Option<Value> {
        serde_json::from_slice(&self.bytes).ok()
    }
}

impl Cluster {
    /// Makes a call, and makes it again while that may help and patience lasts.
    ///
    /// # Errors
    ///
    /// When nobody answers, or the answer is no.
    pub(super) async fn call(&self, call: &Call) -> Result<Answer, Error> {
        let answer = self.ask(call).await?;
        if answer.status < 300 {
            return Ok(answer);
        }
        Err(self.refusal(call, &answer))
    }

    /// The same for what is found or not.
    pub(super) async fn find(&self, call: &Call) -> Result<Option<Value>, Error> {
        match self.call(call).await {
            Ok(answer) => self.understood(&answer).map(Some),
            Err(Error::Absent(_) | Error::NamespaceMissing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object or list in an answer.
    pub(super) fn understood(&self, answer: &Answer) -> Result<Value, Error> {
        answer.value().ok_or_else(|| self.garbled("no JSON"))
    }

    fn garbled(&self, words: &str) -> Error {
        Error::Garbled { address: self.address.clone(), words: words.to_owned() }
    }

    fn refusal(&self, call: &Call, answer: &Answer) -> Error {
        match answer.value().filter(|body| body["kind"] == "Status") {
            Some(body) => refused(&self.address, answer.status, &body, call.verb(), &call.object),
            None if answer.status == 401 => Error::SignedOut { address: self.address.clone() },
            // Whoever is before the cluster may have other words, and it has words of its own.
            None if matches!(answer.status, 429 | 502..=504) => Error::Busy {
                address: self.address.clone(),
                status: answer.status,
                words: "it gives no reason".to_owned(),
            },
            None => self.garbled(&format!("status {} without its reason", answer.status)),
        }
    }

    async fn ask(&self, call: &Call) -> Result<Answer, Error> {
        let deadline = Instant::now() + self.limits.patience;
        let (mut tries, mut crossed) = (0, 0);
        loop {
            let (setback, result) = match self.once(call).await {
                Ok(answer) => {
                    let is_crossed = answer.status == 409
                        && answer.value().is_some_and(|body| is_crossing(&body));
                    let setback = match Setback::of(answer.status, answer.retry_after) {
                        None if is_crossed => Some(Setback::Crossed),
                        // A rule of the cluster that fails fails again.
                        Some(Setback::Fault) if self.is_ruled(call, &answer) => None,
                        setback => setback,
                    };
                    (setback, Ok(answer))
                }
                Err(failure) => {
                    let is_away = matches!(failure, Failure::Away(_));
                    (is_away.then_some(Setback::Away), Err(self.failed(failure)))
                }
            };
            tries += 1;
            let setback = match (setback, call.repeat) {
                // Busy servers say so before they do anything.
                (Some(busy @ Setback::Busy(_)), _) => busy,
                (Some(setback), Repeat::Allowed) => setback,
                (None, _) | (_, Repeat::Never) => return result,
            };
            crossed += u32::from(setback == Setback::Crossed);
            let left = deadline.saturating_duration_since(Instant::now());
            let tries = if setback == Setback::Crossed { crossed } else { tries };
            let Some(pause) = setback.pause(tries, left) else { return result };
            if let Err(error) = &result {
                tracing::debug!(cluster = self.address, "Asking again in {pause:?}: {error}");
            }
            tokio::time::sleep(pause).await;
        }
    }

    fn is_ruled(&self, call: &Call, answer: &Answer) -> bool {
        let error = self.refusal(call, answer);
        matches!(error, Error::Admission { .. } | Error::UnknownFields { .. })
    }

    /// Why there is no answer, as it is told.
    pub(super) fn failed(&self, failure: Failure) -> Error {
        let address = self.address.clone();
        match failure {
            Failure::Away(cause) => Error::Unreachable { address, cause },
            Failure::Untrusted(cause) => Error::Untrusted { address, cause },
            Failure::Garbled(words) => self.garbled(&words),
        }
    }

    /// Makes a call once, whose answer may have no end.
    ///
    /// # Errors
    ///
    /// When nobody answers, or the answer is no.
    pub(super) async fn open(&self, call: &Call) -> Result<Body, Error> {
        let answered = self.in_time(async {
            let response = self.carry(call).await?;
            if response.status().is_success() {
                return Ok(Ok(response.into_body()));
            }
            read(response).await.map(Err)
        });
        let answer = answered.await.map_err(|failure| self.failed(failure))?;
        answer.map_err(|answer| self.refusal(call, &answer))
    }

    async fn carry(&self, call: &Call) -> Result<Response<Body>, Failure> {
        let request = call.request().map_err(|error| Failure::Garbled(error.to_string()))?;
        self.client.send(request).await.map_err(|error| failure(&error))
    }

    async fn once(&self, call: &Call) -> Result<Answer, Failure> {
        self.in_time(async { read(self.carry(call).await?).await }).await
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::time::timeout(self.limits.answer, answer).await.unwrap_or_else(|_elapsed| {
            Err(Failure::Away(format!("no answer within {} s", self.limits.answer.as_secs())))
        })
    }
}

async fn read(response: Response<Body>) -> Result<Answer, Failure> {
    let (parts, body) = response.into_parts();
    let body = http_body_util::Limited::new(body, LONGEST_ANSWER);
    let bytes = body.collect().await.map_err(|error| failure(&*error))?.to_bytes();
    Ok(Answer {
        status: parts.status.as_u16(),
        bytes: bytes.into(),
        warnings: warnings(&parts.headers),
        retry_after: header(&parts.headers, RETRY_AFTER.as_str()).and_then(retry_after),
    })
}

/// Somebody else changed the object while the server did; it says so with this advice.
fn is_crossing(body: &Value) -> bool {
    let words = body["message"].as_str().unwrap_or_default();
    words.contains("the object has been modified") || words.contains("please try again")
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn warnings(headers: &HeaderMap) -> Vec<String> {
    let headers = headers.get_all(WARNING).iter();
    let texts = headers.filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
    texts.flat_map(warning::texts).collect()
}

/// Why the client got nothing: it cannot trust who is there, or nobody is.
pub(super) fn failure(error: &(dyn StdError + 'static)) -> Failure {
    match untrusted(error) {
        Some(words) => Failure::Untrusted(words),
        None => Failure::Away(innermost(error)),
    }
}

/// What is wrong with the certificate of whoever answers, if that is it.
pub(super) fn untrusted(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let found = unwrapped(error).downcast_ref::<rustls::Error>();
        if let Some(rustls::Error::InvalidCertificate(fault)) = found {
            return Some(in_words(fault));
        }
        cause = error.source();
    }
    None
}

/// What an `io::Error` wraps, which may be one again; its source is that of what it wraps.
fn unwrapped<'e>(error: &'e (dyn StdError + 'static)) -> &'e (dyn StdError + 'static) {
    let mut inner = error;
    while let Some(wrapped) =
        inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
    {
        inner = wrapped;
    }
    inner
}

fn in_words(fault: &rustls::CertificateError) -> String {
    use rustls::CertificateError as Fault;
    if *fault == Fault::UnknownIssuer {
        "another CA issued its certificate".to_owned()
    } else if matches!(fault, Fault::Expired | Fault::ExpiredContext { .. }) {
        "its certificate has run out".to_owned()
    } else if matches!(fault, Fault::NotValidForName | Fault::NotValidForNameContext { .. }) {
        "its certificate is for another name than that in the address".to_owned()
    } else {
        format!("its certificate is not accepted ({fault})")
    }
}

/// The innermost cause, which is what a person understands.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(std::io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(std::io::ErrorKind::ConnectionReset) => "connection reset".to_owned(),
        _ => with_causes(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_escaped() {
        let call = Call::get("/api/v1/pods".to_owned(), ObjectRef::new("v1", "Pod", ""));
        let call = call.with("labelSelector", "pierhead.dev/project=a b,c=é").with("limit", "1");
        assert_eq!(
            call.request().unwrap().uri(),
            "/api/v1/pods?labelSelector=pierhead.dev%2Fproject%3Da%20b%2Cc%3D%C3%A9&limit=1"
        );
    }
}
