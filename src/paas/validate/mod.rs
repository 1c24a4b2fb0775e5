//! The tree against the grammar; what is wrong is reported once and poisoned.

mod values;

use std::collections::BTreeSet;

use crate::paas::compiled::Version;
use crate::paas::context::Context;
use crate::paas::fault::{Code, Fault};
use crate::paas::grammar::{DEFAULTS, Deploys, Emptiness, Key, Need, ROOT, Rule, Section, Shape};
use crate::paas::lexeme::Lexeme;
use crate::paas::node::{self, Content, Entry, Node, Place, Text};
use crate::paas::report::{Path, Reports, shown};

/// What is expected where a list is due.
const NON_EMPTY_LIST: &str = "a non-empty list";

/// Checks a file against the grammar of its version.
///
/// Afterwards every key that the grammar requires is there, if only as something poisoned; keys
/// without a value are gone, and so are those that mean nothing.
///
/// What no target can do yet is a fault when the file is to be deployed now.
pub(super) fn validate(
    root: &mut Node,
    version: Version,
    context: &Context,
    reports: &mut Reports,
) {
    let spot = Spot { path: Path::default(), key: Place::START };
    Validator { version, on_docker: context.is_for_docker(), reports }.section(root, &ROOT, &spot);
}

/// Checks values for what a file leaves out that come from elsewhere (paas-yaml.md §2, P6).
pub(super) fn validate_defaults(defaults: &mut Node, path: &Path, reports: &mut Reports) {
    let spot = Spot { path: path.clone(), key: defaults.place };
    let version = Version::V1_1;
    Validator { version, on_docker: false, reports }.section(defaults, &DEFAULTS, &spot);
}

/// Where a value stands.
struct Spot {
    path: Path,
    /// Of its key; of an item, its own.
    key: Place,
}

impl Spot {
    fn of(&self, entry: &Entry) -> Self {
        Self { path: self.path.key(entry.key.text.as_written()), key: entry.key.place }
    }

    /// Where a person looks for a value: its own place when it is on one line.
    fn place(&self, node: &Node) -> Place {
        match &node.content {
            Content::Scalar(scalar) if !scalar.is_null() => node.place,
            Content::Scalar(_) | Content::List(_) | Content::Mapping(_) | Content::Poisoned => {
                self.key
            }
        }
    }
}

struct Validator<'a> {
    version: Version,
    /// Whether it will be deployed to a Docker Engine now.
    on_docker: bool,
    reports: &'a mut Reports,
}

impl Validator<'_> {
    fn shape(&mut self, node: &mut Node, shape: Shape, spot: &Spot) {
        match shape {
            Shape::Scalar(lexeme) => self.scalar(node, lexeme, spot),
            Shape::List(item) => self.list(node, item, spot),
            Shape::Section(section) => self.section(node, section, spot),
            Shape::Names(emptiness, key, entry) => {
                self.names(node, (emptiness, key), entry, spot);
            }
            Shape::Variables(section) => self.variables(node, section, spot),
            Shape::Kinds(kinds) => self.kinds(node, kinds, spot),
            Shape::Free(form) => self.free(node, form, spot),
        }
    }

    fn section(&mut self, node: &mut Node, section: &'static Section, spot: &Spot) {
        let Content::Mapping(entries) = &mut node.content else {
            return self.wrong_shape(node, "a mapping", spot);
        };
        let mut gaps = Gaps::default();
        let mut kept = Vec::with_capacity(entries.len());
        for mut entry in std::mem::take(entries) {
            let known = section.key(&entry.key.text.value);
            let stays = match known {
                Some(key) => self.known_key(key, &mut entry, spot, &mut gaps),
                None => {
                    gaps.unknown = true;
                    gaps.meant.extend(self.unknown_key(section, &entry.key, spot));
                    false
                }
            };
            if stays {
                kept.push(entry);
            }
        }
        if section.rule == Rule::One && kept.len() != 1 && !gaps.unknown {
            self.one_of(section, node, spot);
            return;
        }
        for key in section.keys {
            if !kept.iter().any(|entry| entry.key.text.value == key.name) {
                kept.extend(self.absent_key(key, spot, &gaps));
            }
        }
        node.content = Content::Mapping(kept);
    }

    /// Checks a key and its value; whether the entry says something that later phases can read.
    fn known_key(
        &mut self,
        key: &'static Key,
        entry: &mut Entry,
        spot: &Spot,
        gaps: &mut Gaps,
    ) -> bool {
        let own = spot.of(entry);
        if key.since > self.version {
            let message = format!("`{}` needs `paas.version: v1.1`", key.name);
            self.reports.add(Fault::new(Code::NeedsNewerVersion, &own.path, own.key, message));
            return false;
        }
        if entry.value.is_null() {
            match key.need {
                Need::OptionalEmpty => {
                    entry.value.content = Content::Mapping(Vec::new());
                    return true;
                }
                Need::OptionalNull => return true,
                Need::Required | Need::Optional => {
                    gaps.null.push((key.name, own.key));
                    return false;
                }
            }
        }
        let refused = match key.deploys {
            Deploys::Everywhere => None,
            Deploys::OnKubernetes => self.on_docker.then_some("on Docker targets "),
        };
        if let Some(target) = refused {
            let message = format!("`{}` is not supported {target}yet", key.name);
            self.reports.add(Fault::new(Code::NotSupportedYet, &own.path, own.key, message));
            // One that must be there is not missed as well.
            entry.value.content = Content::Poisoned;
            return key.need == Need::Required;
        }
        self.shape(&mut entry.value, key.shape, &own);
        true
    }

    /// Reports a key that means nothing here; the key that was meant, if that can be guessed.
    fn unknown_key(
        &mut self,
        section: &'static Section,
        key: &node::Key,
        spot: &Spot,
    ) -> Option<&'static str> {
        let names = || section.keys.iter().map(|key| key.name);
        let written = key.text.as_written();
        let meant = self.reports.meant(written, names());
        let hint = match meant {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("keys here: {}", names().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("unknown key \"{}\"", shown(written));
        let fault = Fault::new(Code::UnknownKey, &spot.path, key.place, message);
        self.reports.add(fault.hint(hint));
        meant
    }

    /// What stands for a key that is not there, if anything does.
    fn absent_key(&mut self, key: &Key, spot: &Spot, gaps: &Gaps) -> Option<Entry> {
        let null = gaps.null.iter().find(|(name, _)| *name == key.name);
        let place = null.map_or(spot.key, |(_, place)| *place);
        // A key that was misspelt has its fault already.
        if !gaps.meant.contains(key.name) {
            if key.need != Need::Required {
                return None;
            }
            let message = format!("missing key `{}`", key.name);
            let fault = Fault::new(Code::MissingKey, &spot.path, place, message);
            let about = key.about.trim_end_matches('.');
            self.reports.add(fault.hint(format!("{}: {about}", key.name)));
        }
        let key = node::Key { text: Text::new(key.name), place };
        Some(Entry { key, value: Node::poisoned(place) })
    }

    fn one_of(&mut self, section: &Section, node: &mut Node, spot: &Spot) {
        let names: Vec<_> = section.keys.iter().map(|key| format!("`{}`", key.name)).collect();
        let message = format!("use exactly one of {}", names.join(", "));
        self.reports.add(Fault::new(Code::ProbeCount, &spot.path, spot.key, message));
        node.content = Content::Poisoned;
    }

    fn names(
        &mut self,
        node: &mut Node,
        (emptiness, key): (Emptiness, Lexeme),
        entry_shape: &'static Shape,
        spot: &Spot,
    ) {
        let expected = match emptiness {
            Emptiness::Allowed => "a mapping",
            Emptiness::Refused => "a non-empty mapping",
        };
        let Content::Mapping(entries) = &mut node.content else {
            return self.wrong_shape(node, expected, spot);
        };
        if entries.is_empty() && emptiness == Emptiness::Refused {
            return self.wrong_shape(node, expected, spot);
        }
        for entry in entries {
            let own = spot.of(entry);
            let name = entry.key.text.value.trim().to_owned();
            let is_free = matches!(entry_shape, Shape::Free(_) | Shape::Scalar(_));
            if entry.value.is_null() && !is_free {
                // Its missing keys say more than that it is no mapping.
                entry.value.content = Content::Mapping(Vec::new());
            }
            self.shape(&mut entry.value, *entry_shape, &own);
            if let Some(problem) = key.problem(&name) {
                self.bad_value(key, entry.key.text.as_written(), &problem, &own);
                entry.value.content = Content::Poisoned;
            }
            if !matches!(key, Lexeme::Text) {
                entry.key.text = Text::new(name);
            }
        }
    }

    fn variables(&mut self, node: &mut Node, section: &'static Section, spot: &Spot) {
        let Content::Mapping(entries) = &mut node.content else {
            return self.wrong_shape(node, "a non-empty mapping", spot);
        };
        if entries.is_empty() {
            return self.wrong_shape(node, "a non-empty mapping", spot);
        }
        let mut kept = Vec::with_capacity(entries.len());
        for mut entry in std::mem::take(entries) {
            let own = spot.of(&entry);
            if let Some(key) = section.key(&entry.key.text.value) {
                if self.known_key(key, &mut entry, spot, &mut Gaps::default()) {
                    kept.push(entry);
                }
                continue;
            }
            if !matches!(entry.value.content, Content::Scalar(_)) {
                let message =
                    format!("a variable must be a single value, not {}", entry.value.kind());
                let fault = Fault::new(Code::StructuredVariable, &own.path, own.key, message);
                let names = section.keys.iter().map(|key| key.name);
                let hint = self.reports.did_you_mean(&entry.key.text.value, names);
                self.reports.add(fault.hint(hint));
                entry.value.content = Content::Poisoned;
            }
            kept.push(entry);
        }
        node.content = Content::Mapping(kept);
    }

    fn list(&mut self, node: &mut Node, item_shape: &'static Shape, spot: &Spot) {
        let Content::List(items) = &mut node.content else {
            return self.wrong_shape(node, NON_EMPTY_LIST, spot);
        };
        if items.is_empty() {
            return self.wrong_shape(node, NON_EMPTY_LIST, spot);
        }
        for (index, item) in items.iter_mut().enumerate() {
            let own = Spot { path: spot.path.item(index), key: item.place };
            self.shape(item, *item_shape, &own);
        }
    }
}

/// What is known of the keys that a section does not have.
#[derive(Default)]
struct Gaps {
    /// Keys that a misspelt one stands for.
    meant: BTreeSet<&'static str>,
    /// Keys that have no value.
    null: Vec<(&'static str, Place)>,
    /// Whether there was a key of no meaning.
    unknown: bool,
}
