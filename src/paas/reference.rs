//! The grammar as tables for people, which stand in docs/paas-yaml.md.

use std::collections::BTreeMap;

use crate::paas::compiled::Version;
use crate::paas::grammar::{Deploys, Emptiness, Form, Key, Need, ROOT, Section, Shape};
use crate::paas::lexeme::Lexeme;

/// Largest whole number of the language, which goes without saying.
const MOST: i64 = 2_147_483_647;

/// For every section that has keys, by its name, a table of them in Markdown.
pub fn reference() -> BTreeMap<&'static str, String> {
    let mut tables = BTreeMap::new();
    add(&ROOT, &mut tables);
    tables
}

fn add(section: &'static Section, tables: &mut BTreeMap<&'static str, String>) {
    if section.keys.is_empty() || tables.contains_key(section.name) {
        return;
    }
    let rows = section.keys.iter().map(row).collect::<String>();
    let table = format!("| Key | Holds | Required | |\n|---|---|---|---|\n{rows}");
    tables.insert(section.name, table);
    for key in section.keys {
        add_below(key.shape, tables);
    }
}

fn add_below(shape: Shape, tables: &mut BTreeMap<&'static str, String>) {
    match shape {
        Shape::Section(section) | Shape::Variables(section) => add(section, tables),
        Shape::List(entry) | Shape::Names(_, _, entry) => add_below(*entry, tables),
        Shape::Kinds(kinds) => {
            for kind in kinds {
                add(kind.section, tables);
            }
        }
        Shape::Scalar(_) | Shape::Free(_) => {}
    }
}

fn row(key: &Key) -> String {
    let Key { name, shape, need, since, deploys, about } = key;
    let required = match need {
        Need::Required => "yes",
        Need::Optional | Need::OptionalEmpty | Need::OptionalNull => "",
    };
    let since = match since {
        Version::V1 => "",
        Version::V1_1 => " Since v1.1.",
    };
    let later = match deploys {
        Deploys::Everywhere => "",
        Deploys::OnKubernetes => " *On Kubernetes only.*",
    };
    format!("| `{name}` | {} | {required} | {about}{since}{later} |\n", holds(*shape))
}

/// What stands under a key, with links to the sections.
fn holds(shape: Shape) -> String {
    match shape {
        Shape::Scalar(lexeme) => single(lexeme),
        Shape::List(item) => format!("list: {}", holds(*item)),
        Shape::Section(section) | Shape::Variables(section) => {
            format!("[{}](#{})", section.name.replace('-', " "), section.name)
        }
        Shape::Names(emptiness, key, entry) => {
            let key = match key {
                Lexeme::Text => "text",
                Lexeme::ClusterToken => "name of a cluster",
                Lexeme::Token
                | Lexeme::Int(..)
                | Lexeme::IntOrNull(..)
                | Lexeme::Bool
                | Lexeme::Quantity
                | Lexeme::Word(_) => "name",
            };
            let least = match emptiness {
                Emptiness::Allowed => "",
                Emptiness::Refused => ", at least one",
            };
            format!("{key} → {}{least}", holds(*entry))
        }
        Shape::Kinds(_) => "[container volume](#container-volume)".to_owned(),
        Shape::Free(Form::Entries) => "key → value, at least one".to_owned(),
        Shape::Free(Form::Collection) => "a mapping or a list".to_owned(),
        Shape::Free(Form::Any) => "anything".to_owned(),
    }
}

fn single(lexeme: Lexeme) -> String {
    match lexeme {
        Lexeme::Text => "text".to_owned(),
        Lexeme::Token | Lexeme::ClusterToken => "a name".to_owned(),
        Lexeme::Int(least, MOST) => format!("whole number, {least} or more"),
        Lexeme::Int(least, most) => format!("whole number, {least} to {most}"),
        Lexeme::IntOrNull(least, _) => format!("whole number, {least} or more, or `null`"),
        Lexeme::Quantity => "a quantity".to_owned(),
        Lexeme::Bool | Lexeme::Word(_) => lexeme.expected(),
    }
}
