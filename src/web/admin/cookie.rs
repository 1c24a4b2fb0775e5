//! The one cookie: by it a browser is known, whether somebody is signed in or not.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;

use crate::config::WebConfig;
use crate::people::BrowserToken;

/// How long a browser is known in which nobody has signed in: as long as a form is filled in.
const NOBODYS: Duration = Duration::from_secs(3_600);

/// Browsers take a name that begins so only by TLS, for this host alone and for all of it.
const BOUND: &str = "__Host-pierhead";

const PLAIN: &str = "pierhead";

fn name(web: &WebConfig) -> &'static str {
    if web.is_https() { BOUND } else { PLAIN }
}

/// The token that a browser sends.
pub(super) fn token(request: &HttpRequest, web: &WebConfig) -> Option<BrowserToken> {
    let name = name(web);
    let fields = request.headers().get_all(COOKIE).filter_map(|field| field.to_str().ok());
    let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    BrowserToken::read(pairs.next()?)
}

/// The field that gives a browser a token.
pub(super) fn set(token: &BrowserToken, web: &WebConfig, signed_in: Option<Duration>) -> String {
    let age = signed_in.unwrap_or(NOBODYS).as_secs();
    field(token.secret(), age, web)
}

/// The field that takes it away.
pub(super) fn clear(web: &WebConfig) -> String {
    field("", 0, web)
}

fn field(value: &str, age: u64, web: &WebConfig) -> String {
    let secure = if web.is_https() { "; Secure" } else { "" };
    let name = name(web);
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn web(url: &str) -> WebConfig {
        WebConfig { url: url.to_owned(), ..WebConfig::default() }
    }

    #[test]
    fn a_cookie_is_for_this_host_and_not_for_scripts() {
        let token = BrowserToken::new();
        let secret = token.secret();
        let day = Some(Duration::from_secs(86_400));
        assert_eq!(
            set(&token, &web("http://build.example.org"), day),
            format!("pierhead={secret}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax")
        );
        assert_eq!(
            set(&token, &web("https://build.example.org"), None),
            format!(
                "__Host-pierhead={secret}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure"
            )
        );
    }

    #[test]
    fn it_is_found_among_others() {
        let own = BrowserToken::new();
        let fields = format!("a=b; xpierhead=1; pierhead={}; pierhead=2", own.secret());
        let request = TestRequest::default().insert_header(("Cookie", fields)).to_http_request();
        assert_eq!(token(&request, &web("")), Some(own));
        assert_eq!(token(&request, &web("https://build.example.org")), None);
        let request = TestRequest::default().insert_header(("Cookie", "pierhead=../x"));
        assert_eq!(token(&request.to_http_request(), &web("")), None);
    }
}
