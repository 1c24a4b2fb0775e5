//! Maps and secrets (paas-yaml.md §10.2).

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::paas::compile::paths::not_blank;
use crate::paas::compiled::{Map, Secret, Value};
use crate::paas::fault::Code;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// The sections `maps` and `secrets`.
#[derive(Debug, Default)]
pub(super) struct Sets {
    maps: Section<Map>,
    secrets: Section<Secret>,
}

#[derive(Debug)]
struct Section<T> {
    entries: Vec<T>,
    /// Of all entries, those with faults too.
    names: BTreeSet<String>,
    is_poisoned: bool,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), names: BTreeSet::new(), is_poisoned: false }
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetKind {
    Map,
    Secret,
}

impl SetKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Secret => "secret",
        }
    }
}

impl Sets {
    pub(super) fn compile(root: &View<'_>, reports: &mut Reports) -> Self {
        let maps = section(root.names("maps"), |named| map(named, reports));
        let secrets = section(root.names("secrets"), |named| secret(named, reports));
        Self { maps, secrets }
    }

    /// Warns of one that the file does not declare: it may be at the cluster.
    pub(super) fn refer(&self, kind: SetKind, name: &str, view: &View<'_>, reports: &mut Reports) {
        let (names, is_poisoned) = match kind {
            SetKind::Map => (&self.maps.names, self.maps.is_poisoned),
            SetKind::Secret => (&self.secrets.names, self.secrets.is_poisoned),
        };
        if is_poisoned || names.contains(name) {
            return;
        }
        let kind = kind.as_str();
        // What a variable made of it may be a secret.
        let written = view.text().ok().and_then(|text| text.written.as_deref());
        let quoted = shown(written.unwrap_or(name));
        let message = format!("this file declares no {kind} `{quoted}`: it must be at the cluster");
        let is_plain = written.is_none();
        let names = names.iter().map(String::as_str);
        let hint = is_plain.then(|| reports.did_you_mean(name, names)).flatten();
        reports.add(view.fault(Code::Undeclared, message).hint(hint));
    }

    pub(super) fn into_model(self) -> (Vec<Map>, Vec<Secret>) {
        (self.maps.entries, self.secrets.entries)
    }
}

fn section<T>(
    section: Result<Vec<Named<'_>>, Poisoned>,
    mut entry: impl FnMut(&Named<'_>) -> Result<T, Poisoned>,
) -> Section<T> {
    let Ok(section) = section else { return Section { is_poisoned: true, ..Section::default() } };
    let mut result = Section::default();
    for named in section {
        result.names.insert(named.name.value.clone());
        result.entries.extend(entry(&named));
    }
    result
}

fn map(named: &Named<'_>, reports: &mut Reports) -> Result<Map, Poisoned> {
    let Named { name, value: view } = named;
    if view.is_poisoned() {
        return Err(Poisoned);
    }
    let mut options = IndexMap::new();
    let mut result = Ok(());
    for Named { name: key, value } in view.entries() {
        if value.is_collection() {
            let message = "targets may only know single values here";
            reports.add(value.key_fault(Code::StructuredMapValue, message));
        }
        match value.value() {
            Ok(value) => drop(options.insert(key.value.clone(), value)),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| Map { name: name.value.clone(), options })
}

fn secret(named: &Named<'_>, reports: &mut Reports) -> Result<Secret, Poisoned> {
    let Named { name, value: view } = named;
    let provider = view
        .required("provider")
        .and_then(|provider| not_blank(&provider, provider.text()?, reports).map(str::to_owned));
    let options: Result<Value, Poisoned> =
        view.required("options").and_then(|options| options.value());
    let kind = view.filled("type").map(|kind| kind.unwrap_or("default").to_owned());
    Ok(Secret { name: name.value.clone(), provider: provider?, kind: kind?, options: options? })
}
