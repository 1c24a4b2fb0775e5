//! Single values, free content, and mappings that are one of several kinds.

use crate::paas::compiled::Version;
use crate::paas::fault::{Code, Fault};
use crate::paas::grammar::{Form, Kind};
use crate::paas::lexeme::Lexeme;
use crate::paas::node::{Content, Entry, Node, Text};
use crate::paas::report::shown;
use crate::paas::validate::{NON_EMPTY_LIST, Spot, Validator};

impl Validator<'_> {
    /// Checks a mapping that is one of several kinds.
    pub(super) fn kinds(&mut self, node: &mut Node, kinds: &'static [Kind], spot: &Spot) {
        if !matches!(node.content, Content::Mapping(_)) {
            return self.wrong_shape(node, "a mapping", spot);
        }
        let is_there = |kind: &&Kind| {
            node.entry(kind.discriminant).is_some_and(|entry| !entry.value.is_null())
        };
        let mut found = kinds.iter().filter(is_there);
        if let (Some(kind), None) = (found.next(), found.next()) {
            if let Content::Mapping(entries) = &mut node.content {
                let is_discriminant = |key: &str| kinds.iter().any(|kind| kind.discriminant == key);
                entries.retain(|entry| {
                    !(entry.value.is_null() && is_discriminant(&entry.key.text.value))
                });
            }
            return self.section(node, kind.section, spot);
        }
        let names: Vec<_> = kinds.iter().map(|kind| kind.discriminant).collect();
        let message = format!("use exactly one of {}", names.join(", "));
        let reports = &mut *self.reports;
        let written =
            |entry: &Entry| reports.meant(entry.key.text.as_written(), names.iter().copied());
        let meant = match &node.content {
            Content::Mapping(entries) => entries
                .iter()
                .filter(|entry| !names.contains(&entry.key.text.value.as_str()))
                .find_map(written),
            Content::Scalar(_) | Content::List(_) | Content::Poisoned => None,
        };
        let hint = meant.map(|meant| format!("did you mean \"{meant}\"?"));
        self.reports.add(Fault::new(Code::VolumeKind, &spot.path, spot.key, message).hint(hint));
        node.content = Content::Poisoned;
    }

    pub(super) fn free(&mut self, node: &mut Node, form: Form, spot: &Spot) {
        let fits = match (&node.content, form) {
            (Content::Poisoned, _) | (_, Form::Any) => true,
            (Content::Mapping(entries), Form::Entries) => !entries.is_empty(),
            (Content::Mapping(_) | Content::List(_), Form::Collection) => true,
            (Content::Scalar(_) | Content::List(_), Form::Entries)
            | (Content::Scalar(_), Form::Collection) => false,
        };
        if !fits {
            let expected = match form {
                Form::Entries => "a non-empty mapping",
                Form::Collection | Form::Any => "a mapping",
            };
            self.wrong_shape(node, expected, spot);
        }
    }

    pub(super) fn scalar(&mut self, node: &mut Node, lexeme: Lexeme, spot: &Spot) {
        let place = spot.place(node);
        let Content::Scalar(scalar) = &mut node.content else {
            return self.wrong_shape(node, &lexeme.expected(), spot);
        };
        if scalar.is_null() {
            return self.wrong_shape(node, &lexeme.expected(), spot);
        }
        if matches!(lexeme, Lexeme::Token | Lexeme::ClusterToken) {
            scalar.text = Text::new(scalar.text.value.trim());
        }
        let text = &scalar.text.value;
        let needs_newer = match lexeme {
            Lexeme::Word(words) => {
                self.version == Version::V1 && words.newer.contains(&text.as_str())
            }
            Lexeme::Token
            | Lexeme::ClusterToken
            | Lexeme::Text
            | Lexeme::Int(..)
            | Lexeme::IntOrNull(..)
            | Lexeme::Bool
            | Lexeme::Quantity => false,
        };
        if needs_newer {
            let message = format!("`{text}` needs `paas.version: v1.1`");
            self.reports.add(Fault::new(Code::NeedsNewerVersion, &spot.path, place, message));
            node.content = Content::Poisoned;
        } else if let Some(problem) = lexeme.problem(text) {
            let spot = Spot { path: spot.path.clone(), key: place };
            self.bad_value(lexeme, text, &problem, &spot);
            node.content = Content::Poisoned;
        }
    }

    pub(super) fn bad_value(&mut self, lexeme: Lexeme, text: &str, problem: &str, spot: &Spot) {
        let (code, words) = match lexeme {
            Lexeme::Quantity => (Code::BadQuantity, [].as_slice()),
            Lexeme::Word(words) => (Code::BadValue, words.all),
            Lexeme::Token
            | Lexeme::ClusterToken
            | Lexeme::Text
            | Lexeme::Int(..)
            | Lexeme::IntOrNull(..)
            | Lexeme::Bool => (Code::BadValue, [].as_slice()),
        };
        let hint = if text.contains("${") {
            Some("variables cannot stand here".to_owned())
        } else {
            self.reports.did_you_mean(text, words.iter().copied())
        };
        let message = format!("\"{}\" {problem}", shown(text));
        self.reports.add(Fault::new(code, &spot.path, spot.key, message).hint(hint));
    }

    pub(super) fn wrong_shape(&mut self, node: &mut Node, expected: &str, spot: &Spot) {
        let message = format!("expected {expected}, not {}", node.kind());
        let fault = Fault::new(Code::WrongShape, &spot.path, spot.place(node), message);
        let hint = match &node.content {
            Content::Scalar(scalar) if expected == NON_EMPTY_LIST && !scalar.is_null() => {
                Some(format!("write [{}]", shown(scalar.text.as_written())))
            }
            Content::Scalar(_) | Content::List(_) | Content::Mapping(_) | Content::Poisoned => None,
        };
        self.reports.add(fault.hint(hint));
        node.content = Content::Poisoned;
    }
}
