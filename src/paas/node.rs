//! The file as a tree in which everything knows its place in the text.

use crate::paas::compiled::Value;

/// A stretch of one line of the text; lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) length: usize,
}

impl Place {
    /// Where a text begins.
    pub(super) const START: Self = Self { line: 1, column: 1, length: 0 };

    /// Of what is not in the file.
    pub(super) const NOWHERE: Self = Self { line: 0, column: 0, length: 0 };

    /// Where the text of a scalar begins, when it stands in the file as it is, with or without
    /// quotes.
    pub(super) fn text_start(self, text: &str) -> Option<usize> {
        match self.length.checked_sub(text.chars().count()) {
            Some(0) => Some(self.column),
            Some(2) => Some(self.column + 1),
            _ => None,
        }
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) place: Place,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    /// In the order of the file.
    Mapping(Vec<Entry>),
    /// A fault was reported here; whoever reads it has nothing to add.
    Poisoned,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Node,
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) text: Text,
    pub(super) place: Place,
}

/// A value without parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    pub(super) text: Text,
    pub(super) style: Style,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: it may mean null, a number or a boolean.
    Plain,
    /// In quotes or as a block: text and nothing else.
    Quoted,
}

/// Text before and after its variables were put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// What it means. Of a plain scalar the source text: `8.10` stays `8.10`.
    pub(super) value: String,
    /// What the file has, when that differs. Faults show this, since variables may be secret.
    pub(super) written: Option<String>,
}

impl Text {
    pub(super) fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), written: None }
    }

    /// The text as it stands in the file.
    pub(super) fn as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.value)
    }
}

impl Scalar {
    /// Whether it means that there is no value (paas-yaml.md §3).
    pub(super) fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.value.as_str(), "" | "~" | "null")
    }
}

impl Node {
    /// A value from elsewhere than the file, all of it at one place.
    pub(super) fn of(value: &Value, place: Place) -> Self {
        let scalar = |text: &str, style| Content::Scalar(Scalar { text: Text::new(text), style });
        let content = match value {
            Value::Null => scalar("null", Style::Plain),
            Value::Bool(true) => scalar("true", Style::Plain),
            Value::Bool(false) => scalar("false", Style::Plain),
            Value::Text(text) => scalar(text, Style::Quoted),
            Value::List(items) => {
                Content::List(items.iter().map(|item| Self::of(item, place)).collect())
            }
            Value::Mapping(entries) => {
                let entry = |(key, value): (&String, &Value)| {
                    let key = Key { text: Text::new(key), place };
                    Entry { key, value: Self::of(value, place) }
                };
                Content::Mapping(entries.iter().map(entry).collect())
            }
        };
        Self { content, place }
    }

    pub(super) fn poisoned(place: Place) -> Self {
        Self { content: Content::Poisoned, place }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.is_null())
    }

    /// The entry of a key, whatever its value is.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.content {
            Content::Mapping(entries) => entries.iter().find(|entry| entry.key.text.value == key),
            Content::Scalar(_) | Content::List(_) | Content::Poisoned => None,
        }
    }

    /// The same, to be changed.
    pub(super) fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        match &mut self.content {
            Content::Mapping(entries) => {
                entries.iter_mut().find(|entry| entry.key.text.value == key)
            }
            Content::Scalar(_) | Content::List(_) | Content::Poisoned => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(self) -> Vec<Entry> {
        match self.content {
            Content::Mapping(entries) => entries,
            Content::Scalar(_) | Content::List(_) | Content::Poisoned => Vec::new(),
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(self) -> Vec<Self> {
        match self.content {
            Content::List(items) => items,
            Content::Scalar(_) | Content::Mapping(_) | Content::Poisoned => Vec::new(),
        }
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.content, Content::Mapping(_))
    }

    /// Whether it is a mapping or a list of nothing.
    pub(super) fn is_empty(&self) -> bool {
        match &self.content {
            Content::Mapping(entries) => entries.is_empty(),
            Content::List(items) => items.is_empty(),
            Content::Scalar(_) | Content::Poisoned => false,
        }
    }

    /// How many values it is, itself included.
    pub(super) fn size(&self) -> usize {
        1 + match &self.content {
            Content::Scalar(_) | Content::Poisoned => 0,
            Content::List(items) => items.iter().map(Self::size).sum(),
            Content::Mapping(entries) => entries.iter().map(|entry| entry.value.size()).sum(),
        }
    }

    /// The same with all of it at one place.
    pub(super) fn at(&self, place: Place) -> Self {
        let content = match &self.content {
            Content::Scalar(scalar) => Content::Scalar(scalar.clone()),
            Content::Poisoned => Content::Poisoned,
            Content::List(items) => {
                Content::List(items.iter().map(|item| item.at(place)).collect())
            }
            Content::Mapping(entries) => {
                let entry = |entry: &Entry| {
                    let key = Key { text: entry.key.text.clone(), place };
                    Entry { key, value: entry.value.at(place) }
                };
                Content::Mapping(entries.iter().map(entry).collect())
            }
        };
        Self { content, place }
    }

    /// What it is, for a person.
    pub(super) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) if scalar.is_null() => "nothing",
            Content::Scalar(_) => "a single value",
            Content::List(items) if items.is_empty() => "an empty list",
            Content::List(_) => "a list",
            Content::Mapping(entries) if entries.is_empty() => "an empty mapping",
            Content::Mapping(_) => "a mapping",
            Content::Poisoned => "something else",
        }
    }
}
