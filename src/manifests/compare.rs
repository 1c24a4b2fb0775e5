//! What differs between the objects of two releases, as both were sent.

use crate::domain::difference::{Entry, Fate};
use crate::domain::redact::Redactor;
use crate::manifests::{Built, Duty, Manifest, Phase, Settings, fields};

/// What is done with work that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfWork {
    /// It is compared like anything else.
    Compared,
    /// It is left out: one of the releases was applied without it.
    LeftOut,
}

/// What became of each object from one release to the other.
///
/// Credentials of images are always today's and no part of it, nor are copies for work.
pub fn entries(
    before: &[Manifest],
    after: &[Manifest],
    of_work: OfWork,
    (settings, redactor): (&Settings, &Redactor),
) -> Vec<Entry> {
    let is_told = |item: &&Manifest| match item.phase {
        Phase::PullSecrets => false,
        Phase::Before | Phase::Jobs => of_work == OfWork::Compared && item.duty != Duty::Copy,
        Phase::Namespace
        | Phase::Claims
        | Phase::Configuration
        | Phase::Workloads
        | Phase::CronJobs
        | Phase::Entrance
        | Phase::Quota => item.duty != Duty::Copy,
    };
    let entry = |item: &Manifest, fate| Entry::new(item.object.kind(), item.object.name(), fate);
    let before: Vec<&Manifest> = before.iter().filter(is_told).collect();
    let after: Vec<&Manifest> = after.iter().filter(is_told).collect();
    let mut entries = Vec::new();
    for item in &after {
        match before.iter().find(|known| known.object.is_same(&item.object)) {
            None => entries.push(entry(item, Fate::Created)),
            Some(known) => {
                let values = [known.object.value(), item.object.value()];
                let fields = fields(values, settings, Built::Anew, redactor);
                if !fields.is_empty() {
                    entries.push(entry(item, Fate::Changed(fields)));
                }
            }
        }
    }
    let is_there = |item: &Manifest| after.iter().any(|it| it.object.is_same(&item.object));
    let gone = before.into_iter().filter(|item| !is_there(item));
    entries.extend(gone.map(|item| entry(item, Fate::Removed)));
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifests::Object;

    fn item(phase: Phase, kind: &str, name: &str, data: &str) -> Manifest {
        let api_version = if kind == "Job" { "batch/v1" } else { "v1" };
        let object = json!({
            "apiVersion": api_version, "kind": kind, "metadata": {"name": name, "labels": {}},
            "data": {"a": data},
        });
        let object: Object = serde_json::from_value(object).unwrap();
        Manifest { phase, at: String::new(), duty: Duty::Plain, object }
    }

    #[test]
    fn credentials_and_work_that_was_not_done_are_no_difference() {
        let before = [
            item(Phase::PullSecrets, "Secret", "pull", "1"),
            item(Phase::Configuration, "ConfigMap", "kept", "1"),
            item(Phase::Configuration, "ConfigMap", "other", "1"),
            item(Phase::Configuration, "ConfigMap", "gone", "1"),
            item(Phase::Jobs, "Job", "work", "1"),
        ];
        let after = [
            item(Phase::PullSecrets, "Secret", "pull", "2"),
            item(Phase::Configuration, "ConfigMap", "kept", "1"),
            item(Phase::Configuration, "ConfigMap", "other", "2"),
            item(Phase::Configuration, "ConfigMap", "new", "1"),
        ];
        let (settings, redactor) = (Settings::default(), Redactor::default());
        let told = |of_work| {
            let entries = entries(&before, &after, of_work, (&settings, &redactor));
            entries.iter().flat_map(Entry::lines).collect::<Vec<_>>()
        };
        assert_eq!(
            told(OfWork::LeftOut),
            ["~ ConfigMap other  data.a: changed", "+ ConfigMap new", "- ConfigMap gone"]
        );
        assert_eq!(told(OfWork::Compared).last().unwrap(), "- Job work");
    }
}
