//! Reading a validated tree: what is absent, what is poisoned, and where everything is.

use indexmap::IndexMap;

use crate::paas::compiled::Value;
use crate::paas::fault::{Code, Fault};
use crate::paas::lexeme;
use crate::paas::node::{Content, Node, Place, Style, Text};
use crate::paas::report::{Path, Poisoned};

/// A value and where it is.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    node: &'a Node,
    /// Place of its key; of an item, its own.
    key: Place,
    path: Path,
}

/// An entry of a mapping whose keys the file chose.
#[derive(Debug, Clone)]
pub(super) struct Named<'a> {
    pub(super) name: &'a Text,
    pub(super) value: View<'a>,
}

impl<'a> View<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { node, key: Place::START, path: Path::default() }
    }

    /// The value of a key; nothing when the key is absent.
    pub(super) fn field(&self, key: &str) -> Result<Option<Self>, Poisoned> {
        if matches!(self.node.content, Content::Poisoned) {
            return Err(Poisoned);
        }
        let Some(entry) = self.node.entry(key) else { return Ok(None) };
        match &entry.value.content {
            Content::Poisoned => Err(Poisoned),
            Content::Scalar(_) | Content::List(_) | Content::Mapping(_) => {
                let path = self.path.key(key);
                Ok(Some(Self { node: &entry.value, key: entry.key.place, path }))
            }
        }
    }

    /// The value of a key that the grammar requires.
    pub(super) fn required(&self, key: &str) -> Result<Self, Poisoned> {
        self.field(key)?.ok_or(Poisoned)
    }

    /// The entries of a mapping whose keys the file chose, poisoned ones included; none when the
    /// key is absent.
    pub(super) fn names(&self, key: &str) -> Result<Vec<Named<'a>>, Poisoned> {
        let Some(field) = self.field(key)? else { return Ok(Vec::new()) };
        match &field.node.content {
            Content::Mapping(_) => Ok(field.entries()),
            Content::Scalar(_) | Content::List(_) | Content::Poisoned => Err(Poisoned),
        }
    }

    /// The items of a list, poisoned ones included; none when the key is absent.
    pub(super) fn items(&self, key: &str) -> Result<Vec<Self>, Poisoned> {
        self.field(key)?.map_or(Ok(Vec::new()), |field| field.list())
    }

    /// The items of this list, poisoned ones included.
    pub(super) fn list(&self) -> Result<Vec<Self>, Poisoned> {
        let Self { node, path, .. } = self;
        let Content::List(items) = &node.content else { return Err(Poisoned) };
        let items = items.iter().enumerate();
        let view = |(index, node): (usize, &'a Node)| Self {
            node,
            key: node.place,
            path: path.item(index),
        };
        Ok(items.map(view).collect())
    }

    /// The text of a single value.
    pub(super) fn text(&self) -> Result<&'a Text, Poisoned> {
        match &self.node.content {
            Content::Scalar(scalar) => Ok(&scalar.text),
            Content::List(_) | Content::Mapping(_) | Content::Poisoned => Err(Poisoned),
        }
    }

    /// The text of a key's value, blanks around it taken away; nothing when it is absent or blank.
    pub(super) fn filled(&self, key: &str) -> Result<Option<&'a str>, Poisoned> {
        let Some(field) = self.field(key)?.filter(|field| !field.is_null()) else {
            return Ok(None);
        };
        let text = field.text()?.value.trim();
        Ok((!text.is_empty()).then_some(text))
    }

    /// Free content; of a single value the text, unless it is a boolean or nothing.
    pub(super) fn value(&self) -> Result<Value, Poisoned> {
        value(self.node)
    }

    /// The entries of this mapping, whose keys the file chose; none when it is no mapping.
    pub(super) fn entries(&self) -> Vec<Named<'a>> {
        let Content::Mapping(entries) = &self.node.content else { return Vec::new() };
        let named = entries.iter().map(|entry| {
            let path = self.path.key(entry.key.text.as_written());
            let value = Self { node: &entry.value, key: entry.key.place, path };
            Named { name: &entry.key.text, value }
        });
        named.collect()
    }

    /// Whether it is a mapping or a list.
    pub(super) fn is_collection(&self) -> bool {
        matches!(self.node.content, Content::Mapping(_) | Content::List(_))
    }

    /// A whole number, in the range that the grammar gives it.
    pub(super) fn int<T: TryFrom<i64>>(&self) -> Result<T, Poisoned> {
        let number = lexeme::int(&self.text()?.value).ok_or(Poisoned)?;
        T::try_from(number).or(Err(Poisoned))
    }

    pub(super) fn boolean(&self) -> Result<bool, Poisoned> {
        lexeme::boolean(&self.text()?.value).ok_or(Poisoned)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_poisoned(&self) -> bool {
        matches!(self.node.content, Content::Poisoned)
    }

    pub(super) fn is_null(&self) -> bool {
        self.node.is_null()
    }

    /// A fault of this value.
    pub(super) fn fault(&self, code: Code, message: impl Into<String>) -> Fault {
        let on_one_line = match &self.node.content {
            Content::Scalar(scalar) => scalar.style == Style::Quoted || !scalar.is_null(),
            Content::List(_) | Content::Mapping(_) | Content::Poisoned => false,
        };
        let place = if on_one_line { self.node.place } else { self.key };
        Fault::new(code, &self.path, place, message)
    }

    /// A fault of this value's key.
    pub(super) fn key_fault(&self, code: Code, message: impl Into<String>) -> Fault {
        Fault::new(code, &self.path, self.key, message)
    }
}

fn value(node: &Node) -> Result<Value, Poisoned> {
    Ok(match &node.content {
        Content::Poisoned => return Err(Poisoned),
        Content::Scalar(scalar) if scalar.is_null() => Value::Null,
        Content::Scalar(scalar) => match (scalar.style, scalar.text.value.as_str()) {
            (Style::Plain, "true") => Value::Bool(true),
            (Style::Plain, "false") => Value::Bool(false),
            (Style::Plain | Style::Quoted, text) => Value::Text(text.to_owned()),
        },
        Content::List(items) => Value::List(items.iter().map(value).collect::<Result<_, _>>()?),
        Content::Mapping(entries) => {
            let entries = entries.iter();
            let entries =
                entries.map(|entry| Ok((entry.key.text.value.clone(), value(&entry.value)?)));
            Value::Mapping(entries.collect::<Result<IndexMap<_, _>, Poisoned>>()?)
        }
    })
}
