//! What programs send: JSON, and nothing that is not asked for.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::web::api::problem::{Kind, Problem};
use crate::web::sent;

/// Reads a body of JSON.
pub(super) async fn read<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, Problem> {
    check_type(request)?;
    parse(&sent::read(request, payload).await?)
}

/// The same, of a body that may be left out.
pub(super) async fn read_some<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    payload: Payload,
) -> Result<T, Problem> {
    let has_none = request.headers().get(header::CONTENT_LENGTH).is_none_or(|length| length == "0")
        && !request.headers().contains_key(header::TRANSFER_ENCODING);
    if has_none { Ok(T::default()) } else { read(request, payload).await }
}

fn check_type(request: &HttpRequest) -> Result<(), Problem> {
    let value = request.headers().get(header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(Kind::NotJson, "a body is sent as application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if has_nul(bytes) {
        return Err(Problem::new(Kind::Invalid, "no text may hold the character U+0000"));
    }
    // Else the fields of an object could be sent without their names.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::invalid("", "a body is an object, not a list"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        fault(error.inner(), pointer)
    })?;
    deserializer.end().map_err(|error| fault(&error, String::new()))?;
    Ok(value)
}

/// Whether a text in some JSON has the character that no table takes: `\u0000`, itself not escaped.
fn has_nul(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.windows(6).position(|window| window == b"\\u0000") {
        let before = rest.get(..at).unwrap_or_default();
        let slashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            return true;
        }
        rest = rest.get(at + 6..).unwrap_or_default();
    }
    false
}

fn fault(error: &serde_json::Error, pointer: String) -> Problem {
    let text = error.to_string();
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            Problem::new(Kind::BadRequest, format!("the body is no JSON: {text}"))
        }
        Category::Data => {
            // Whoever sends one object in one line is helped by the place of the field only.
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
            let field = ["unknown field `", "missing field `", "duplicate field `"];
            let named = field.iter().find_map(|start| text.strip_prefix(start));
            let pointer = match named.and_then(|rest| rest.split('`').next()) {
                Some(name) if !pointer.ends_with(&step(name)) => pointer + &step(name),
                _ => pointer,
            };
            Problem::invalid(pointer, text)
        }
    }
}

/// A place as RFC 6901 writes it.
fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => step(key),
            Segment::Enum { variant } => step(variant),
            Segment::Unknown => String::new(),
        })
        .collect()
}

fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use serde::Deserialize;

    use super::*;
    use crate::domain::slug::AccountSlug;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        #[expect(dead_code, reason = "only whether it is read matters")]
        account: AccountSlug,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        #[expect(dead_code, reason = "only whether it is read matters")]
        rows: Vec<Row>,
    }

    fn told(text: &str) -> String {
        let problem = parse::<Sent>(text.as_bytes()).unwrap_err();
        format!("{} {problem} {:?}", problem.status_code().as_u16(), problem.place())
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        for (text, expected) in [
            (r#"{"rows": [{"account": "acme"}, {"account": "-x"}]}"#, "/rows/1/account"),
            (r#"{"rows": [{"account": "acme", "a/b": 1}]}"#, "/rows/0/a~1b"),
            (r#"{"rows": [{}]}"#, "/rows/0/account"),
            (r#"{"rows": 1}"#, "/rows"),
            (r"[]", ""),
            (r#"[[{"account": "acme"}]]"#, ""),
            (r#"{"rows": [], "rows": []}"#, "/rows"),
        ] {
            let told = told(text);
            assert!(told.starts_with("422 "), "{text}: {told}");
            assert!(told.ends_with(&format!("Some({expected:?})")), "{text}: {told}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_with_line_and_column() {
        for text in ["", "{", "{\"rows\": []} {}", "{\"rows\": [}"] {
            let told = told(text);
            assert!(told.starts_with("400 the body is no JSON: "), "{text}: {told}");
        }
    }

    #[test]
    fn a_text_with_nul_is_refused_and_one_about_it_is_not() {
        assert!(has_nul(br#"{"a": "\u0000"}"#));
        assert!(has_nul(br#"{"a": "\\\u0000"}"#));
        assert!(!has_nul(br#"{"a": "\\u0000"}"#));
        assert!(!has_nul(br#"{"a": "\\u0000 \\\\u0000"}"#));
    }
}
