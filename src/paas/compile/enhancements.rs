//! Data for extensions, wherever the grammar lets it stand (paas-yaml.md §4.14).

use crate::paas::compiled::Enhancement;
use crate::paas::grammar::{ROOT, Section, Shape};
use crate::paas::view::{Named, View};

/// All of it, in the order of the file.
pub(super) fn collect(root: &View<'_>) -> Vec<Enhancement> {
    let mut found = Vec::new();
    in_section(root, &ROOT, &mut found);
    found
}

fn in_section(view: &View<'_>, section: &Section, found: &mut Vec<Enhancement>) {
    for Named { name, value } in view.entries() {
        let Some(key) = section.key(&name.value) else { continue };
        if key.name == "enhancements" {
            // What is poisoned stops the deployment, so nothing is lost here.
            if let Ok(content) = value.value() {
                found.push(Enhancement { path: value.path().to_string(), value: content });
            }
        } else {
            in_shape(&value, key.shape, found);
        }
    }
}

fn in_shape(view: &View<'_>, shape: Shape, found: &mut Vec<Enhancement>) {
    match shape {
        Shape::Section(section) => in_section(view, section, found),
        Shape::List(item) => {
            for view in view.list().unwrap_or_default() {
                in_shape(&view, *item, found);
            }
        }
        Shape::Names(_, _, entry) => {
            for Named { value, .. } in view.entries() {
                in_shape(&value, *entry, found);
            }
        }
        Shape::Scalar(_) | Shape::Variables(_) | Shape::Kinds(_) | Shape::Free(_) => {}
    }
}
