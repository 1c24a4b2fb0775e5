//! The grammar as data: which keys stand where, and what they hold.

mod table;
mod workloads;

pub(super) use table::{DEFAULTS, ROOT};

use crate::paas::compiled::Version;
use crate::paas::lexeme::Lexeme;

/// A mapping whose keys belong to the language.
#[derive(Debug)]
pub(super) struct Section {
    /// What one of them is called; no two sections share a name.
    pub(super) name: &'static str,
    pub(super) keys: &'static [Key],
    /// What else must hold of its keys together.
    pub(super) rule: Rule,
}

/// A rule on the keys of a section together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// None.
    Any,
    /// Exactly one of the keys is there.
    One,
}

/// A key of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) need: Need,
    /// The first version that has it.
    pub(super) since: Version,
    /// Which targets can do it.
    pub(super) deploys: Deploys,
    /// One line for people.
    pub(super) about: &'static str,
}

/// Which targets can do what a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deploys {
    /// All.
    Everywhere,
    /// Kubernetes clusters.
    OnKubernetes,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
    /// It may be there with nothing under it, which counts as an empty mapping.
    OptionalEmpty,
    /// It may be there with nothing under it, which is not the same as being absent.
    OptionalNull,
}

/// What stands under a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// One value.
    Scalar(Lexeme),
    /// A list of at least one.
    List(&'static Self),
    /// A mapping of the language.
    Section(&'static Section),
    /// A mapping whose keys are names that the file gives.
    Names(Emptiness, Lexeme, &'static Self),
    /// A mapping of at least one name to text; the section's keys have another meaning.
    Variables(&'static Section),
    /// A mapping that is one of these kinds, told apart by the key that only one of them has.
    Kinds(&'static [Kind]),
    /// Anything in this form.
    Free(Form),
}

/// One kind of a mapping of several.
#[derive(Debug)]
pub(super) struct Kind {
    /// The key that tells it apart.
    pub(super) discriminant: &'static str,
    pub(super) section: &'static Section,
}

/// What free content looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A mapping of at least one entry.
    Entries,
    /// A mapping or a list, both of which may be empty.
    Collection,
    /// Anything at all.
    Any,
}

/// Whether a mapping may have no entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Emptiness {
    Allowed,
    Refused,
}

impl Section {
    /// The same by its name.
    const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The key of a name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}
