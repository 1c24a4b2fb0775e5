//! Definitions that build on those of the platform (paas-yaml.md §6).

mod check;

pub use check::check_libraries;

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::paas::compiled::{Value, Version};
use crate::paas::condition::Conditions;
use crate::paas::context::Libraries;
use crate::paas::fault::{Code, Fault};
use crate::paas::merge::{Seat, merge};
use crate::paas::node::{Content, Node, Place};
use crate::paas::report::{Path, Poisoned, Reports, shown};
use crate::paas::version;

/// The key that names a definition of the platform.
const EXTENDS: &str = "extends";

/// Most values that the definitions of the platform add to a file.
const MOST_ADDED: usize = 1_000_000;

/// Most names of a library that a fault lists.
const MOST_LISTED: usize = 20;

/// Lays the definitions of a file over those that they extend.
///
/// # Errors
///
/// When there are none of these names, or they make the file too large.
pub(super) fn resolve(
    root: &mut Node,
    version: Version,
    libraries: &Libraries,
    conditions: &Conditions<'_>,
    reports: &mut Reports,
) -> Result<(), Poisoned> {
    let known = HashMap::new();
    let mut expansion =
        Expansion { version, libraries, conditions, reports, known, left: Some(MOST_ADDED) };
    for kind in [Kind::Job, Kind::Pod, Kind::Service, Kind::Ingress] {
        // The older version has no jobs, which is what will be said of them.
        if kind != Kind::Job || version >= Version::V1_1 {
            expansion.section(root, kind, &Path::default());
        }
    }
    reports.stop_on_errors()
}

/// What a definition describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Job,
    Pod,
    Container,
    Service,
    Ingress,
}

impl Kind {
    /// The key of definitions, and the name of their library.
    const fn section(self) -> &'static str {
        match self {
            Self::Job => "jobs",
            Self::Pod => "pods",
            Self::Container => "containers",
            Self::Service => "services",
            Self::Ingress => "ingresses",
        }
    }

    /// What such a definition has definitions of.
    const fn nested(self) -> Option<Self> {
        match self {
            Self::Job => Some(Self::Pod),
            Self::Pod => Some(Self::Container),
            Self::Container | Self::Service | Self::Ingress => None,
        }
    }

    const fn library(self, libraries: &Libraries) -> &IndexMap<String, Value> {
        match self {
            Self::Job => &libraries.jobs,
            Self::Pod => &libraries.pods,
            Self::Container => &libraries.containers,
            Self::Service => &libraries.services,
            Self::Ingress => &libraries.ingresses,
        }
    }
}

struct Expansion<'a> {
    version: Version,
    libraries: &'a Libraries,
    conditions: &'a Conditions<'a>,
    reports: &'a mut Reports,
    /// Definitions that were extended already.
    known: HashMap<(Kind, &'a str), Definition>,
    /// Values that may still be added; nothing once there were more.
    left: Option<usize>,
}

/// A definition of the platform, its conditions evaluated.
struct Definition {
    node: Node,
    size: usize,
}

impl<'a> Expansion<'a> {
    /// All definitions of a kind in what has them, and then those inside each.
    fn section(&mut self, holder: &mut Node, kind: Kind, path: &Path) {
        let Some(entry) = holder.entry_mut(kind.section()) else { return };
        let Content::Mapping(definitions) = &mut entry.value.content else { return };
        let path = path.key(kind.section());
        for definition in definitions {
            let path = path.key(definition.key.text.as_written());
            if let Ok(Some(base)) = self.base(&definition.value, kind, &path) {
                let own = std::mem::replace(&mut definition.value, Node::poisoned(Place::NOWHERE));
                definition.value = merge(base, [own], Seat::Highest);
            }
            if let Some(nested) = kind.nested() {
                self.section(&mut definition.value, nested, &path);
            }
        }
    }

    /// What a definition extends, as if it stood where its name does.
    fn base(&mut self, own: &Node, kind: Kind, path: &Path) -> Result<Option<Node>, Poisoned> {
        let Some(entry) = own.entry(EXTENDS) else { return Ok(None) };
        let own_path = path.key(EXTENDS);
        let place = entry.value.place;
        let name = match &entry.value.content {
            Content::Scalar(scalar) if scalar.is_null() => return Ok(None),
            Content::Scalar(scalar) => &scalar.text.value,
            Content::List(_) | Content::Mapping(_) => {
                let message = format!("expected a name, not {}", entry.value.kind());
                let fault = Fault::new(Code::BadExtends, &own_path, entry.key.place, message);
                return Err(self.reports.add(fault));
            }
            Content::Poisoned => return Err(Poisoned),
        };
        let library = kind.library(self.libraries);
        let Some((name, value)) = library.get_key_value(name) else {
            return Err(self.unknown(name, kind, &own_path, place));
        };
        let left = self.left.ok_or(Poisoned)?;
        let definition = self.known.entry((kind, name.as_str())).or_insert_with(|| {
            let node = Node::of(value, place);
            let node = match self.version {
                Version::V1 => {
                    version::refuse_conditions_in(&node, path, self.reports);
                    node
                }
                Version::V1_1 => self.conditions.filter_definition(node, path, self.reports),
            };
            Definition { size: node.size(), node }
        });
        self.left = left.checked_sub(definition.size);
        if self.left.is_none() {
            let message = format!("what the file extends adds more than {MOST_ADDED} values to it");
            let fault = Fault::new(Code::OverLimit, &own_path, place, message);
            return Err(self.reports.add(fault));
        }
        Ok(Some(definition.node.at(place)))
    }

    fn unknown(&mut self, name: &str, kind: Kind, path: &Path, place: Place) -> Poisoned {
        let library = kind.library(self.libraries);
        let listed: Vec<_> = library.keys().take(MOST_LISTED).map(|name| shown(name)).collect();
        let available = match library.len().saturating_sub(MOST_LISTED) {
            0 if listed.is_empty() => "it is empty".to_owned(),
            0 => format!("available: {}", listed.join(", ")),
            more => format!("available: {} and {more} more", listed.join(", ")),
        };
        let section = kind.section();
        let message = format!("no \"{}\" in the {section} library; {available}", shown(name));
        let hint = self.reports.did_you_mean(name, library.keys().map(String::as_str));
        self.reports.add(Fault::new(Code::UnknownDefinition, path, place, message).hint(hint))
    }
}

#[cfg(test)]
mod tests;
