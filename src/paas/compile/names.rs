//! Names as they are deployed (paas-yaml.md §12).

use std::collections::BTreeMap;

use crate::paas::context::{Context, TargetKind};
use crate::paas::fault::Code;
use crate::paas::naming::{LONGEST_LABEL, deployed, is_dns_label};
use crate::paas::report::{Poisoned, Reports};
use crate::paas::view::{Named, View};

/// Checks that every name can be deployed with the project's prefix, and each only once.
pub(super) fn check(root: &View<'_>, context: &Context, reports: &mut Reports) {
    let on_kubernetes = context.targets.iter().any(|target| target.kind == TargetKind::Kubernetes);
    // What Kubernetes' names end in: the longest there is for the kind.
    let suffix = |suffix| if on_kubernetes { suffix } else { "" };
    let prefix = context.prefix.as_str();
    for (section, end) in [
        ("maps", suffix("-map")),
        ("secrets", suffix("-secret")),
        ("pods", suffix("-dplmt")),
        ("services", ""),
        ("ingresses", suffix("-ingress")),
    ] {
        Checker::new(prefix, end, reports).section(root.names(section));
    }
    for pod in root.names("pods").into_iter().flatten() {
        // Containers of a pod find each other by their names alone.
        Checker::new("", "", reports).section(pod.value.names("containers"));
    }
    let mut known = BTreeMap::new();
    for job in root.names("jobs").into_iter().flatten() {
        let is_scheduled = matches!(job.value.field("schedule"), Ok(Some(_)) | Err(Poisoned));
        let end = suffix(if is_scheduled { "-cronjob" } else { "-job" });
        let prefix = deployed(prefix, &job.name.value);
        // Two jobs may come to the same by pods of theirs.
        let mut checker = Checker { known, ..Checker::new(&prefix, end, reports) };
        checker.section(job.value.names("pods"));
        known = checker.known;
        for pod in job.value.names("pods").into_iter().flatten() {
            Checker::new("", "", reports).section(pod.value.names("containers"));
        }
    }
}

struct Checker<'a> {
    prefix: &'a str,
    /// What the target adds.
    end: &'a str,
    /// Names so far, by what they are deployed as.
    known: BTreeMap<String, String>,
    reports: &'a mut Reports,
}

impl<'a> Checker<'a> {
    fn new(prefix: &'a str, end: &'a str, reports: &'a mut Reports) -> Self {
        Self { prefix, end, known: BTreeMap::new(), reports }
    }

    fn section(&mut self, section: Result<Vec<Named<'_>>, Poisoned>) {
        for named in section.into_iter().flatten() {
            // A name that is none has its fault already.
            if named.value.is_poisoned() {
                continue;
            }
            let name = &named.name.value;
            let label = format!("{}{}", deployed(self.prefix, name), self.end);
            let message = if label.len() > LONGEST_LABEL {
                Some(format!("`{label}` has {} characters; at most {LONGEST_LABEL}", label.len()))
            } else if !is_dns_label(&label) {
                Some(format!("`{label}` cannot be a DNS name"))
            } else {
                self.known
                    .get(&label)
                    .map(|other| format!("`{name}` and `{other}` are deployed as `{label}`"))
            };
            if let Some(message) = message {
                self.reports.add(named.value.key_fault(Code::BadDeployedName, message));
            }
            self.known.entry(label).or_insert_with(|| name.clone());
        }
    }
}
