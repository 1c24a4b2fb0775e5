//! What would become of things, in lines for people.

mod fields;

use std::fmt;

pub use fields::{Field, Rules, fields};

/// Most columns of a line; one of a tool has so many left in a push.
const COLUMNS: usize = 80;

/// What would become of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is, such as `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What would become of it.
    pub fate: Fate,
}

/// What would become of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It would be made.
    Created,
    /// It would be deleted.
    Removed,
    /// It is work that would run, whether it has changed or not.
    Runs,
    /// Fields of it would change.
    Changed(Vec<Field>),
    /// It would be deleted and made again: some field of it never changes.
    Remade(Vec<Field>),
    /// It would lose its data.
    Emptied,
}

impl Entry {
    /// What would become of the thing of this kind and name.
    pub fn new(kind: impl fmt::Display, name: impl Into<String>, fate: Fate) -> Self {
        Self { kind: kind.to_string(), name: name.into(), fate }
    }

    /// Whether something would be other than it was.
    pub fn is_change(&self) -> bool {
        self.fate != Fate::Runs
    }

    /// One line, or one and another for each field.
    pub fn lines(&self) -> Vec<String> {
        let Self { kind, name, fate } = self;
        match fate {
            Fate::Created => vec![format!("+ {kind} {name}")],
            Fate::Removed => vec![format!("- {kind} {name}")],
            Fate::Runs => vec![format!("  {kind} {name}  runs")],
            Fate::Emptied => vec![format!("~ {kind} {name}  loses its data")],
            Fate::Changed(fields) => with_fields(format!("~ {kind} {name}"), fields),
            Fate::Remade(fields) => {
                let mut lines = vec![format!("~ {kind} {name}  is deleted and made again")];
                lines.extend(fields.iter().flat_map(below));
                lines
            }
        }
    }
}

fn with_fields(head: String, fields: &[Field]) -> Vec<String> {
    if let [field] = fields {
        let line = format!("{head}  {field}");
        if line.chars().count() <= COLUMNS {
            return vec![line];
        }
    }
    std::iter::once(head).chain(fields.iter().flat_map(below)).collect()
}

/// A field below its thing, on as few lines as hold it.
fn below(field: &Field) -> Vec<String> {
    let fits = |line: &String| line.chars().count() <= COLUMNS;
    let line = format!("    {field}");
    if fits(&line) {
        return vec![line];
    }
    let Field { path, change, becomes } = field;
    let becomes = becomes.iter().map(|becomes| format!("        → {becomes}"));
    [format!("    {path}:"), format!("        {change}")].into_iter().chain(becomes).collect()
}

/// All of it in a few words, such as `1 created, 2 changed`.
pub fn summary(entries: &[Entry]) -> String {
    let count =
        |is_meant: fn(&Fate) -> bool| entries.iter().filter(|entry| is_meant(&entry.fate)).count();
    let counts = [
        (count(|fate| *fate == Fate::Created), "created"),
        (
            count(|fate| matches!(fate, Fate::Changed(_) | Fate::Remade(_) | Fate::Emptied)),
            "changed",
        ),
        (count(|fate| *fate == Fate::Removed), "removed"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let mut words: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    if words.is_empty() {
        words.push("nothing would change".to_owned());
    }
    match count(|fate| *fate == Fate::Runs) {
        0 => {}
        1 => words.push("1 job runs".to_owned()),
        jobs => words.push(format!("{jobs} jobs run")),
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn field(path: &str, change: &str, becomes: &str) -> Field {
        let becomes = Some(becomes.to_owned());
        Field { path: path.to_owned(), change: change.to_owned(), becomes }
    }

    #[test]
    fn one_field_stands_beside_its_thing_and_several_or_long_ones_below() {
        let replicas = field("spec.replicas", "1", "2");
        let long =
            field("spec.template.spec.containers[app].resources.limits.memory", "64Mi", "1Gi");
        let image = field(
            "spec.template.spec.containers[app].image",
            "registry.example:5000/acme/shop/web@sha256:9d1e9d1e9d1e",
            "built by this push",
        );
        let entries = [
            Entry::new("Service", "api", Fate::Created),
            Entry::new("Deployment", "web-dplmt", Fate::Changed(vec![replicas.clone()])),
            Entry::new("Deployment", "api-dplmt", Fate::Changed(vec![long.clone()])),
            Entry::new("Deployment", "db-dplmt", Fate::Changed(vec![replicas.clone(), long])),
            Entry::new("StatefulSet", "db-sfset", Fate::Remade(vec![replicas, image])),
            Entry::new("PersistentVolumeClaim", "data", Fate::Emptied),
            Entry::new("Job", "migrate-job", Fate::Runs),
            Entry::new("ConfigMap", "old-map", Fate::Removed),
        ];
        let lines: Vec<String> = entries.iter().flat_map(Entry::lines).collect();
        assert_snapshot!(lines.join("\n"), @r"
        + Service api
        ~ Deployment web-dplmt  spec.replicas: 1 → 2
        ~ Deployment api-dplmt
            spec.template.spec.containers[app].resources.limits.memory: 64Mi → 1Gi
        ~ Deployment db-dplmt
            spec.replicas: 1 → 2
            spec.template.spec.containers[app].resources.limits.memory: 64Mi → 1Gi
        ~ StatefulSet db-sfset  is deleted and made again
            spec.replicas: 1 → 2
            spec.template.spec.containers[app].image:
                registry.example:5000/acme/shop/web@sha256:9d1e9d1e9d1e
                → built by this push
        ~ PersistentVolumeClaim data  loses its data
          Job migrate-job  runs
        - ConfigMap old-map
        ");
        assert_eq!(summary(&entries), "1 created, 5 changed, 1 removed, 1 job runs");
    }

    #[test]
    fn nothing_is_said_to_change_when_only_work_runs() {
        let job = Entry::new("Job", "a", Fate::Runs);
        assert_eq!(summary(&[]), "nothing would change");
        assert_eq!(summary(&[job.clone(), job]), "nothing would change, 2 jobs run");
    }
}
