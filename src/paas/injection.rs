//! What a run and its platform add to a file that is valid by itself (paas-yaml.md §2, P4 and P6).

use std::mem;

use crate::paas::context::{Context, Libraries};
use crate::paas::merge::{Seat, merge};
use crate::paas::node::{Content, Entry, Key, Node, Place, Text};
use crate::paas::report::{Path, Reports};
use crate::paas::substitute::{Values, substitute};
use crate::paas::validate::validate_defaults;

/// What faults call the defaults of the run.
const RUN_DEFAULTS: &str = "run-defaults";

/// Lays the platform's images over those of the file that have their names; `filter` evaluates
/// the conditions of a definition.
pub(super) fn library_images(
    root: &mut Node,
    libraries: &Libraries,
    mut filter: impl FnMut(Node, &Path) -> Node,
) {
    let Some(section) = root.entry_mut("images") else { return };
    let Content::Mapping(images) = &mut section.value.content else { return };
    let path = Path::default().key("images");
    for image in images {
        let Some(value) = libraries.images.get(image.key.text.value.trim()) else { continue };
        let above = filter(Node::of(value, image.key.place), &path.key(&image.key.text.value));
        if image.value.is_null() {
            image.value = above;
        } else if image.value.is_mapping() {
            let base = mem::replace(&mut image.value, Node::poisoned(Place::NOWHERE));
            image.value = merge(base, [above], Seat::Highest);
        }
    }
}

/// Lays the file's defaults over those of the run; variables are in both already.
pub(super) fn run_defaults(
    root: &mut Node,
    context: &Context,
    values: &Values<'_>,
    reports: &mut Reports,
) {
    let Some(value) = &context.run_defaults else { return };
    let path = Path::default().key(RUN_DEFAULTS);
    let mut defaults = Node::of(value, Place::NOWHERE);
    validate_defaults(&mut defaults, &path, reports);
    substitute(&mut defaults, &path, values, reports);
    match root.entry_mut("defaults") {
        Some(own) => {
            let mut above = mem::replace(&mut own.value, Node::poisoned(Place::NOWHERE));
            drop_blank(&mut above);
            own.value = merge(defaults, [above], Seat::Highest);
        }
        None => {
            let Content::Mapping(entries) = &mut root.content else { return };
            let key = Key { text: Text::new("defaults"), place: Place::NOWHERE };
            entries.push(Entry { key, value: defaults });
        }
    }
}

/// Takes blank values away, which override none.
fn drop_blank(node: &mut Node) {
    let Content::Mapping(entries) = &mut node.content else { return };
    entries.retain_mut(|entry| match &entry.value.content {
        Content::Scalar(scalar) => !scalar.text.value.trim().is_empty(),
        Content::Mapping(_) if entry.key.text.value == "enhancements" => true,
        Content::Mapping(_) => {
            drop_blank(&mut entry.value);
            true
        }
        Content::List(_) | Content::Poisoned => true,
    });
}
