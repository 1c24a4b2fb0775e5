//! Single values in the schema.
//!
//! A reader makes numbers and booleans of what is not quoted, so each type takes those too.

use serde_json::{Value as Json, json};

use crate::paas::lexeme::{Lexeme, Words};
use crate::paas::schema::{Nothing, merge};

const TOKEN: &str = r"\s*[A-Za-z][A-Za-z0-9-]+\s*$";
const CLUSTER_TOKEN: &str = r"\s*[A-Za-z][A-Za-z0-9 -]*[A-Za-z0-9-]\s*$";
const QUANTITY: &str = r"^[0-9]+(\.[0-9]+)?(%|pc|m|[KMGTPE]i?)?$";

/// The schema of a value.
pub(super) fn single(lexeme: Lexeme, nothing: Nothing) -> Json {
    let mut types = match lexeme {
        Lexeme::Token | Lexeme::ClusterToken => vec!["string"],
        Lexeme::Text => vec!["string", "number", "boolean"],
        Lexeme::Int(..) | Lexeme::IntOrNull(..) => vec!["integer", "string"],
        Lexeme::Bool => vec!["boolean", "string", "integer"],
        Lexeme::Quantity => vec!["string", "number"],
        Lexeme::Word(words) => return one_of(words, nothing),
    };
    if nothing == Nothing::Allowed || matches!(lexeme, Lexeme::IntOrNull(..)) {
        types.push("null");
    }
    let mut schema = match lexeme {
        Lexeme::Token => json!({ "pattern": format!("^{TOKEN}") }),
        Lexeme::ClusterToken => json!({ "pattern": format!("^{CLUSTER_TOKEN}") }),
        Lexeme::Text | Lexeme::Word(_) => json!({}),
        Lexeme::Int(least, most) => json!({
            "minimum": least, "maximum": most, "pattern": format!("^({})$", digits(least, most)),
        }),
        Lexeme::IntOrNull(least, most) => json!({
            "minimum": least,
            "maximum": most,
            "pattern": format!("^(null|{})$", digits(least, most)),
        }),
        Lexeme::Bool => json!({ "minimum": 0, "maximum": 1, "pattern": "^(true|false|1|0)$" }),
        Lexeme::Quantity => json!({
            "minimum": 0, "pattern": QUANTITY, "examples": ["500m", "2", "1.5Gi", "25%"],
        }),
    };
    match types.as_slice() {
        [only] => merge(&mut schema, json!({ "type": only })),
        types => merge(&mut schema, json!({ "type": types })),
    }
    if let Some(problem) = lexeme.problem("\0") {
        // What editors say of a text that does not match.
        merge(&mut schema, json!({ "patternErrorMessage": format!("This {problem}.") }));
    }
    schema
}

/// One of some words, whether or not the reader makes a number of it.
fn one_of(words: Words, nothing: Nothing) -> Json {
    let numbers = words.all.iter().filter_map(|word| word.parse::<f64>().ok());
    let mut distinct: Vec<f64> = Vec::new();
    for number in numbers {
        if !distinct.contains(&number) {
            distinct.push(number);
        }
    }
    let words = words.all.iter().map(|word| json!(word));
    let mut all: Vec<_> = words.chain(distinct.into_iter().map(|number| json!(number))).collect();
    all.extend((nothing == Nothing::Allowed).then_some(Json::Null));
    json!({ "enum": all })
}

/// The schema of names of this type, among which conditions may stand; none if all texts are.
pub(super) fn names(lexeme: Lexeme, condition: &str) -> Option<Json> {
    let pattern = match lexeme {
        Lexeme::Token => TOKEN,
        Lexeme::ClusterToken => CLUSTER_TOKEN,
        Lexeme::Text
        | Lexeme::Int(..)
        | Lexeme::IntOrNull(..)
        | Lexeme::Bool
        | Lexeme::Quantity
        | Lexeme::Word(_) => return None,
    };
    let problem = lexeme.problem("")?;
    Some(json!({
        "pattern": format!("{condition}|^{pattern}"),
        "patternErrorMessage": format!("This {problem}."),
    }))
}

/// What a definition about such values is called.
pub(super) fn name_of(lexeme: Lexeme) -> String {
    match lexeme {
        Lexeme::Token => "name".to_owned(),
        Lexeme::ClusterToken => "cluster-name".to_owned(),
        Lexeme::Text => "text".to_owned(),
        Lexeme::Int(least, most) | Lexeme::IntOrNull(least, most) => format!("{least}-to-{most}"),
        Lexeme::Bool => "bool".to_owned(),
        Lexeme::Quantity => "quantity".to_owned(),
        Lexeme::Word(words) => words.all.join("-or-"),
    }
}

/// A pattern of the whole numbers between two bounds, of which the lower is 0 or 1, in digits.
fn digits(least: i64, most: i64) -> String {
    let text = most.to_string();
    let places = text.len();
    let mut patterns = Vec::new();
    if let Some(more) = places.checked_sub(2) {
        patterns.push(format!("[1-9][0-9]{{0,{more}}}"));
    }
    for (place, digit) in text.char_indices() {
        let lowest = if place == 0 { '1' } else { '0' };
        let before = text.get(..place).unwrap_or_default();
        let behind = places - place - 1;
        let lower: String = (lowest..digit).collect();
        if !lower.is_empty() {
            patterns.push(format!("{before}[{lower}][0-9]{{{behind}}}"));
        }
    }
    patterns.push(text);
    let zero = if least == 0 { "|[+-]?0+" } else { "" };
    format!(r"\+?0*({}){zero}", patterns.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_digits_have_bounds() {
        assert_eq!(
            digits(0, 255),
            r"\+?0*([1-9][0-9]{0,1}|[1][0-9]{2}|2[01234][0-9]{1}|25[01234][0-9]{0}|255)|[+-]?0+"
        );
        assert_eq!(digits(1, 9), r"\+?0*([12345678][0-9]{0}|9)");
    }
}
