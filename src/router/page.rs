//! What the entrance answers itself when no application can.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{HeaderMap, Response, StatusCode};

use crate::domain::route::Host;

/// Why a request is not answered by an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody can say for sure what is asked for.
    BadRequest(&'static str),
    /// The client asks to be connected to somewhere else.
    NoProxy,
    /// No route has this host.
    UnknownHost(Host),
    /// Routes of this host are for other paths.
    UnknownPath(Host),
    /// The host is no name.
    UnknownAddress,
    /// The client stopped in the middle of its request.
    SilentClient,
    /// No upstream accepts connections, or the one that did broke off.
    Down(Host),
    /// The upstream did not begin an answer in time.
    Silent(Host),
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Html,
    /// For everybody else.
    Text,
}

impl Form {
    /// What the sender of these fields likes to read.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        if accepted.any(|value| value.contains("text/html")) { Self::Html } else { Self::Text }
    }
}

impl Refusal {
    /// The status of the answer.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NoProxy => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownHost(_) | Self::UnknownPath(_) | Self::UnknownAddress => {
                StatusCode::NOT_FOUND
            }
            Self::SilentClient => StatusCode::REQUEST_TIMEOUT,
            Self::Down(_) => StatusCode::BAD_GATEWAY,
            Self::Silent(_) => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// A headline, and what one can do.
    ///
    /// Both go into HTML as they are: a [`Host`] has no character that means anything there.
    fn words(&self) -> (String, &'static str) {
        match self {
            Self::BadRequest(problem) => ("This request is not clear".to_owned(), problem),
            Self::NoProxy => (
                "This server connects to nothing else".to_owned(),
                "It answers for the applications that are deployed here, and for nobody else.",
            ),
            Self::UnknownHost(host) => (
                format!("Nothing is deployed at {host}"),
                "Check the address. If it was deployed a moment ago, look at its last deployment.",
            ),
            Self::UnknownPath(host) => (
                format!("Nothing is deployed at this path of {host}"),
                "Other paths of this host lead to an application.",
            ),
            Self::UnknownAddress => (
                "Nothing is deployed at this host".to_owned(),
                "Applications are reached by their host name.",
            ),
            Self::SilentClient => (
                "The request did not arrive in time".to_owned(),
                "Its body stopped before it was complete.",
            ),
            Self::Down(host) => (
                format!("The application at {host} is down"),
                "It does not accept connections, or breaks them off. Try again in a moment.",
            ),
            Self::Silent(host) => (
                format!("The application at {host} did not answer in time"),
                "It is busy, or it hangs. Try again in a moment.",
            ),
        }
    }

    /// The whole answer.
    pub(super) fn response(&self, form: Form) -> Response<Full<Bytes>> {
        let status = self.status();
        let (headline, advice) = self.words();
        let (kind, text) = match form {
            Form::Html => ("text/html; charset=utf-8", html(status, &headline, advice)),
            Form::Text => ("text/plain; charset=utf-8", format!("{headline}\n{advice}\n")),
        };
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status;
        for (name, value) in
            [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
        {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn html(status: StatusCode, headline: &str, advice: &str) -> String {
    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{headline}</title>\n\
         <style>\n\
         body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem }}\n\
         h1 {{ font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere }}\n\
         small {{ opacity: .6 }}\n\
         </style>\n\
         <h1>{headline}</h1>\n\
         <p>{advice}</p>\n\
         <p><small>{} · Pierhead</small></p>\n\
         </html>\n",
        status.as_u16()
    )
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn text(refusal: &Refusal) -> String {
        let (headline, advice) = refusal.words();
        format!("{} {headline} | {advice}", refusal.status().as_u16())
    }

    #[test]
    fn every_refusal_says_what_happened_and_what_to_do() {
        let host: Host = "shop.localhost".parse().unwrap();
        let all = [
            Refusal::BadRequest("The Host header holds no host."),
            Refusal::NoProxy,
            Refusal::UnknownHost(host.clone()),
            Refusal::UnknownPath(host.clone()),
            Refusal::UnknownAddress,
            Refusal::SilentClient,
            Refusal::Down(host.clone()),
            Refusal::Silent(host),
        ];
        assert_snapshot!(all.iter().map(text).collect::<Vec<_>>().join("\n"), @r"
        400 This request is not clear | The Host header holds no host.
        405 This server connects to nothing else | It answers for the applications that are deployed here, and for nobody else.
        404 Nothing is deployed at shop.localhost | Check the address. If it was deployed a moment ago, look at its last deployment.
        404 Nothing is deployed at this path of shop.localhost | Other paths of this host lead to an application.
        404 Nothing is deployed at this host | Applications are reached by their host name.
        408 The request did not arrive in time | Its body stopped before it was complete.
        502 The application at shop.localhost is down | It does not accept connections, or breaks them off. Try again in a moment.
        504 The application at shop.localhost did not answer in time | It is busy, or it hangs. Try again in a moment.
        ");
    }

    #[test]
    fn people_get_html_and_programs_get_text() {
        let accepting = |value| HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))]);
        assert_eq!(Form::accepted(&accepting("text/html,*/*;q=0.8")), Form::Html);
        assert_eq!(Form::accepted(&accepting("*/*")), Form::Text);
        assert_eq!(Form::accepted(&HeaderMap::new()), Form::Text);
    }
}
