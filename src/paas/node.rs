//! The file as a tree in which everything knows its place in the text.

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
