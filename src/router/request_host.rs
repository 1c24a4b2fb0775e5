//! Which host a request is for, without any doubt.

use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

use crate::domain::route::Host;
use crate::router::page::Refusal;

/// The host of a request, and how the client wrote it: with the port, if it named one.
///
/// # Errors
///
/// When the request names none, or could be read as naming several.
pub(super) fn request_host(request: &Parts) -> Result<(Host, Authority), Refusal> {
    let mut given = request.headers.get_all(HOST).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Refusal::BadRequest("A request names its host in exactly one Host header."));
    };
    let no_host = Refusal::BadRequest("The Host header holds no host.");
    let authority = match Authority::try_from(value.as_bytes()) {
        Ok(authority) if is_plain(&authority) => authority,
        Ok(_) | Err(_) => return Err(no_host),
    };
    // `GET http://a/ HTTP/1.1` with `Host: b`: some would believe the one, some the other.
    if request.uri.authority().is_some_and(|target| *target != authority) {
        return Err(Refusal::BadRequest("The target and the Host header name different hosts."));
    }
    match authority.host().parse() {
        Ok(host) => Ok((host, authority)),
        // An IPv6 address, for example: well-formed, but nothing is ever deployed at one.
        Err(_not_a_name) => Err(Refusal::UnknownAddress),
    }
}

/// Whether it is `host` or `host:port`.
fn is_plain(authority: &Authority) -> bool {
    let after_host = authority.as_str().strip_prefix(authority.host());
    match after_host {
        Some("") => true,
        Some(_) => authority.port_u16().is_some(),
        // Something stands before the host: `user@host`.
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn host(target: &str, hosts: &[&str]) -> Result<(String, String), Refusal> {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (host, authority) = request_host(&parts)?;
        Ok((host.to_string(), authority.to_string()))
    }

    fn is_bad(target: &str, hosts: &[&str]) -> bool {
        matches!(host(target, hosts), Err(Refusal::BadRequest(_)))
    }

    #[test]
    fn a_host_is_read_without_its_port_and_in_lower_case() {
        let expected = |name: &str, written: &str| Ok((name.to_owned(), written.to_owned()));
        assert_eq!(host("/", &["Shop.localhost"]), expected("shop.localhost", "Shop.localhost"));
        assert_eq!(host("/x", &["a.b:8080"]), expected("a.b", "a.b:8080"));
        assert_eq!(host("http://A.b/x", &["a.b"]), expected("a.b", "a.b"));
    }

    #[test]
    fn a_host_that_is_missing_doubled_or_contradicted_is_refused() {
        assert!(is_bad("/", &[]));
        assert!(is_bad("/", &["a.b", "a.b"]));
        assert!(is_bad("/", &["a.b", "c.d"]));
        assert!(is_bad("http://a.b/", &[]));
        assert!(is_bad("http://a.b/", &["c.d"]));
        assert!(is_bad("http://a.b:81/", &["a.b"]));
        assert!(is_bad("http://user@a.b/", &["a.b"]));
    }

    #[test]
    fn a_host_with_anything_but_a_port_is_refused() {
        for text in ["", " ", "a b", "a/b", "a:b", "a:99999", "a:", "u@a.b", "a.b:80:80"] {
            assert!(is_bad("/", &[text]), "{text:?}");
        }
    }

    #[test]
    fn an_address_in_brackets_is_a_host_where_nothing_is_deployed() {
        assert_eq!(host("/", &["[::1]:8080"]), Err(Refusal::UnknownAddress));
    }
}
