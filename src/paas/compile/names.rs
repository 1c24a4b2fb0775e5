//! Names as they are deployed (paas-yaml.md §12).

use std::collections::BTreeMap;

use crate::paas::fault::Code;
use crate::paas::naming::{LONGEST_LABEL, deployed, is_dns_label};
use crate::paas::report::Reports;
use crate::paas::view::View;

/// Checks that every name can be deployed with the project's prefix, and each only once.
pub(super) fn check(root: &View<'_>, prefix: &str, reports: &mut Reports) {
    for section in ["pods", "services", "ingresses"] {
        let Ok(Some(section)) = root.field(section) else { continue };
        check_section(&section, prefix, reports);
    }
    let Ok(Some(pods)) = root.field("pods") else { return };
    for pod in pods.entries().into_iter().flatten() {
        if let Ok(Some(containers)) = pod.value.field("containers") {
            check_section(&containers, "", reports);
        }
    }
}

fn check_section(section: &View<'_>, prefix: &str, reports: &mut Reports) {
    let mut known = BTreeMap::new();
    for named in section.entries().into_iter().flatten() {
        // A name that is none has its fault already.
        if named.value.is_poisoned() {
            continue;
        }
        let name = &named.name.value;
        let label = deployed(prefix, name);
        let message = if label.len() > LONGEST_LABEL {
            Some(format!("`{label}` has {} characters; at most {LONGEST_LABEL}", label.len()))
        } else if !is_dns_label(&label) {
            Some(format!("`{label}` is not a DNS name: it begins or ends with `-`"))
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
