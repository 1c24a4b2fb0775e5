//! Which right each request needs: one table of the API's requests, and one of those of pages.
//!
//! Requests are handed on by the tables alone, so that nothing is served without a right that stands
//! in one of them; tests ask for each row as everybody who may not.

use actix_web::HttpRequest;

use crate::domain::access::Verb;

/// A request, and the right that it needs.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its address; of the API's, what stands behind `/api/v1`.
    pub path: &'static str,
    /// The right.
    pub verb: Verb,
}

/// The right that a request needs which is handed on by a table whose addresses stand behind this;
/// `None` when there is none: then nobody has it.
pub(super) fn right_of(table: &[Route], prefix: &str, request: &HttpRequest) -> Option<Verb> {
    let path = request.path().strip_prefix(prefix)?;
    let handed = request.match_pattern();
    let handed = handed.as_deref().and_then(|pattern| pattern.strip_prefix(prefix));
    // `/users/me` is not the user `me`, whatever is done to it.
    let pattern = pattern_of(table, path).filter(|pattern| handed == Some(pattern))?;
    let is_it = |route: &&Route| route.path == pattern && route.method == request.method().as_str();
    table.iter().find(is_it).map(|route| route.verb)
}

/// The address in a table that a path is of, a word before a placeholder.
pub(super) fn pattern_of(table: &[Route], path: &str) -> Option<&'static str> {
    let patterns = table.iter().map(|route| route.path);
    let placeholders = |pattern: &&str| pattern.matches('{').count();
    patterns.filter(|pattern| matches(pattern, path)).min_by_key(placeholders)
}

/// Whether a path is of an address.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment))
                if pattern == segment || (pattern.starts_with('{') && !segment.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::admin::PAGES;
    use crate::web::api::ROUTES;

    #[test]
    fn a_word_comes_before_a_placeholder() {
        let of = |path| pattern_of(ROUTES, path);
        assert_eq!(of("/users/me"), Some("/users/me"));
        assert_eq!(of("/users/ana@example.org"), Some("/users/{user}"));
        assert_eq!(of("/users/me/keys"), Some("/users/me/keys"));
        for path in ["", "/", "/users/", "/users//keys", "/nothing", "users"] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn no_request_stands_in_a_table_twice() {
        for table in [ROUTES, PAGES] {
            for (place, route) in table.iter().enumerate() {
                let own = (route.method, route.path);
                let is_same = |other: &Route| (other.method, other.path) == own;
                assert!(!table.iter().take(place).any(is_same), "{own:?}");
            }
        }
    }
}
