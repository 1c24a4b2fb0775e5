//! Names as they are deployed (paas-yaml.md §12).

use std::collections::BTreeMap;

use crate::paas::fault::Code;
use crate::paas::naming::{LONGEST_LABEL, deployed, is_dns_label};
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

/// Checks that every name can be deployed with the project's prefix, and each only once.
pub(super) fn check(root: &View<'_>, prefix: &str, reports: &mut Reports) {
    for section in ["pods", "services", "ingresses"] {
        check_section(root.names(section), prefix, reports);
    }
    for pod in root.names("pods").into_iter().flatten() {
        // Containers of a pod find each other by their names alone.
        check_section(pod.value.names("containers"), "", reports);
    }
}

fn check_section(section: Result<Vec<Named<'_>>, Poisoned>, prefix: &str, reports: &mut Reports) {
    let mut known = BTreeMap::new();
    for named in section.into_iter().flatten() {
        // A name that is none has its fault already.
        if named.value.is_poisoned() {
            continue;
        }
        let name = &named.name.value;
        let label = deployed(prefix, name);
        let message = if label.len() > LONGEST_LABEL {
            Some(format!("`{label}` has {} characters; at most {LONGEST_LABEL}", label.len()))
        } else if !is_dns_label(&label) {
            Some(format!("`{label}` cannot be a DNS name"))
        } else {
            known
                .get(&label)
                .map(|other| format!("`{name}` and `{other}` are deployed as `{label}`"))
        };
        if let Some(message) = message {
            reports.add(named.value.key_fault(Code::BadDeployedName, message));
        }
        known.entry(label).or_insert_with(|| name.clone());
    }
}
