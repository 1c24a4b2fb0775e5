//! Header fields on their way through.

use std::net::{IpAddr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::{CONNECTION, EXPECT, FORWARDED, HOST, HeaderName, HeaderValue, UPGRADE};
use hyper::http::uri::Authority;

use crate::domain::hop_by_hop::connection_options;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The protocol that a message asks or agrees to go on with.
///
/// HTTP/2 is none: requests within it would reach the application without having been checked.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = connection_options(headers).any(|option| option.eq_ignore_ascii_case("upgrade"));
    let protocol = headers.get(UPGRADE)?;
    let is_http = protocol.as_bytes().to_ascii_lowercase().starts_with(b"h2");
    (asked && !is_http).then(|| protocol.clone())
}

/// Says that the connection goes on with another protocol.
pub(super) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// Replaces everything that a client says about itself by what is known about it.
pub(super) fn introduce(headers: &mut HeaderMap, peer: SocketAddr, host: &Authority) {
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name)).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
    // The entrance itself asks the client for the body, as soon as the upstream reads it.
    headers.remove(EXPECT);

    let address = peer.ip().to_canonical();
    let node = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let forwarded = format!("for={node};host=\"{host}\";proto=http");
    for (name, value) in [
        (HOST, host.to_string()),
        (X_FORWARDED_FOR, address.to_string()),
        (X_FORWARDED_HOST, host.to_string()),
        (X_FORWARDED_PROTO, "http".to_owned()),
        (FORWARDED, forwarded),
    ] {
        // Addresses and hosts have no character that a value could not have.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// Whether a field is one that applications believe when it comes from a proxy.
fn is_claim(name: &HeaderName) -> bool {
    // CGI and its heirs read `X_Forwarded_For` and `X-Forwarded-For` as the same variable.
    let name = name.as_str().replace('_', "-");
    // `Proxy` would become `HTTP_PROXY`, which many programs take as the proxy to use.
    matches!(name.as_str(), "forwarded" | "x-real-ip" | "x-client-ip" | "proxy")
        || name.starts_with("x-forwarded-")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::hop_by_hop::tests::{headers, shown};

    #[test]
    fn claims_are_replaced_by_what_is_known() {
        let mut headers = headers(&[
            ("host", "shop.localhost"),
            ("cookie", "a=b"),
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "7.7.7.7"),
            ("x_forwarded_for", "8.8.8.8"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=6.6.6.6"),
            ("x-real-ip", "6.6.6.6"),
            ("proxy", "http://evil"),
            ("expect", "100-continue"),
        ]);
        let host = "shop.localhost:8080".parse().unwrap();
        introduce(&mut headers, "[::ffff:192.0.2.7]:5000".parse().unwrap(), &host);
        assert_snapshot!(shown(&headers), @r#"
        cookie: a=b
        forwarded: for=192.0.2.7;host="shop.localhost:8080";proto=http
        host: shop.localhost:8080
        x-forwarded-for: 192.0.2.7
        x-forwarded-host: shop.localhost:8080
        x-forwarded-proto: http
        "#);
    }

    #[test]
    fn an_ipv6_client_is_quoted_in_forwarded_only() {
        let mut headers = HeaderMap::new();
        introduce(&mut headers, "[2001:db8::7]:5000".parse().unwrap(), &"a.b".parse().unwrap());
        assert_eq!(headers["forwarded"], "for=\"[2001:db8::7]\";host=\"a.b\";proto=http");
        assert_eq!(headers["x-forwarded-for"], "2001:db8::7");
    }

    #[test]
    fn an_upgrade_is_asked_for_by_two_fields_and_never_to_http() {
        let asks = |lines| upgrade(&headers(lines));
        let both = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];
        assert_eq!(asks(&both), Some(HeaderValue::from_static("websocket")));
        assert_eq!(asks(&[("upgrade", "websocket")]), None);
        assert_eq!(asks(&[("connection", "upgrade")]), None);
        assert_eq!(asks(&[("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c")]), None);
    }
}
