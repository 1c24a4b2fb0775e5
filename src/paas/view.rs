//! Reading a validated tree: what is absent, what is poisoned, and where everything is.

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
        let Some(Self { node, path, .. }) = self.field(key)? else { return Ok(Vec::new()) };
        let Content::Mapping(entries) = &node.content else { return Err(Poisoned) };
        let named = entries.iter().map(|entry| {
            let path = path.key(entry.key.text.as_written());
            let value = Self { node: &entry.value, key: entry.key.place, path };
            Named { name: &entry.key.text, value }
        });
        Ok(named.collect())
    }

    /// The items of a list, poisoned ones included; none when the key is absent.
    pub(super) fn items(&self, key: &str) -> Result<Vec<Self>, Poisoned> {
        let Some(Self { node, path, .. }) = self.field(key)? else { return Ok(Vec::new()) };
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

    /// A whole number, in the range that the grammar gives it.
    pub(super) fn int<T: TryFrom<i64>>(&self) -> Result<T, Poisoned> {
        let number = lexeme::int(&self.text()?.value).ok_or(Poisoned)?;
        T::try_from(number).or(Err(Poisoned))
    }

    pub(super) fn boolean(&self) -> Result<bool, Poisoned> {
        lexeme::boolean(&self.text()?.value).ok_or(Poisoned)
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
