//! Environment variables (paas-yaml.md §4.10, §10.8).

use indexmap::IndexMap;

use crate::paas::compile::paths::not_blank;
use crate::paas::compile::sets::{SetKind, Sets};
use crate::paas::compiled::{EnvValue, Import};
use crate::paas::fault::Code;
use crate::paas::node::Text;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Keys of the section that are no variables.
const SPECIAL: [&str; 4] = ["from-secrets", "import-secrets", "from-maps", "import-maps"];

/// Variables of a container, and sets all of whose entries are some.
pub(super) type Environment = (IndexMap<String, EnvValue>, Vec<Import>);

/// Compiles the variables of a container.
pub(super) fn compile(
    container: &View<'_>,
    sets: &Sets,
    reports: &mut Reports,
) -> Result<Environment, Poisoned> {
    let Some(view) = container.field("variables")? else { return Ok(Environment::default()) };
    let mut result = Ok(());
    let mut env = IndexMap::new();
    for Named { name, value } in view.entries() {
        if SPECIAL.contains(&name.value.as_str()) {
            if let Some(written) = &name.written {
                let message = format!("\"{}\" gave a word of the language", shown(written));
                return Err(reports.add(value.key_fault(Code::BadValue, message)));
            }
            continue;
        }
        match variable(name, &value, reports) {
            Ok(text) => drop(env.insert(name.value.clone(), EnvValue::Text(text))),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    for (key, kind) in [("from-secrets", SetKind::Secret), ("from-maps", SetKind::Map)] {
        let Ok(entries) = view.names(key) else {
            result = Err(Poisoned);
            continue;
        };
        for Named { name, value } in entries {
            if env.contains_key(&name.value) {
                let name = shown(name.as_written());
                let message = format!("variable `{name}` is defined above already");
                result = Err(reports.add(value.key_fault(Code::DuplicateVariable, message)));
                continue;
            }
            match reference(name, &value, (kind, sets), reports) {
                Ok(entry) => drop(env.insert(name.value.clone(), entry)),
                Err(Poisoned) => result = Err(Poisoned),
            }
        }
    }
    let mut imports = Vec::new();
    for (key, kind) in [("import-secrets", SetKind::Secret), ("import-maps", SetKind::Map)] {
        let Ok(items) = view.items(key) else {
            result = Err(Poisoned);
            continue;
        };
        for item in items {
            match set_name(&item, (kind, sets), reports) {
                Ok(name) => imports.push(match kind {
                    SetKind::Secret => Import::Secret(name),
                    SetKind::Map => Import::Map(name),
                }),
                Err(Poisoned) => result = Err(Poisoned),
            }
        }
    }
    result.map(|()| (env, imports))
}

/// The name of a map or a secret, which the cluster may have.
pub(super) fn set_name(
    view: &View<'_>,
    (kind, sets): (SetKind, &Sets),
    reports: &mut Reports,
) -> Result<String, Poisoned> {
    let name = not_blank(view, view.text()?, reports)?;
    sets.refer(kind, name, view, reports);
    Ok(name.to_owned())
}

/// One variable; of null, its value is empty.
pub(super) fn variable(
    name: &Text,
    view: &View<'_>,
    reports: &mut Reports,
) -> Result<String, Poisoned> {
    let text = view.text()?;
    check_name(name, view, reports)?;
    if text.value.contains('\0') {
        let message = "a variable cannot hold a NUL character";
        return Err(reports.add(view.fault(Code::ControlCharacter, message)));
    }
    Ok(if view.is_null() { String::new() } else { text.value.clone() })
}

fn check_name(name: &Text, view: &View<'_>, reports: &mut Reports) -> Result<(), Poisoned> {
    if name.value.is_empty() || name.value.contains(|c: char| c == '=' || c.is_control()) {
        let message = format!("\"{}\" is not a name of a variable", shown(name.as_written()));
        return Err(reports.add(view.key_fault(Code::BadValue, message)));
    }
    Ok(())
}

/// A variable that is an entry of a secret or a map: `set.entry`, cut at the first point.
fn reference(
    name: &Text,
    view: &View<'_>,
    (kind, sets): (SetKind, &Sets),
    reports: &mut Reports,
) -> Result<EnvValue, Poisoned> {
    check_name(name, view, reports)?;
    let text = view.text()?;
    let parts = text.value.trim().split_once('.');
    let Some((set, key)) = parts.filter(|(set, key)| !set.is_empty() && !key.is_empty()) else {
        let message = format!("\"{}\" names no entry", shown(text.as_written()));
        let hint = match kind {
            SetKind::Secret => "write secret.entry",
            SetKind::Map => "write map.entry",
        };
        return Err(reports.add(view.fault(Code::BadValue, message).hint(hint.to_owned())));
    };
    sets.refer(kind, set, view, reports);
    let (set, key) = (set.to_owned(), key.to_owned());
    Ok(match kind {
        SetKind::Secret => EnvValue::SecretKey { secret: set, key },
        SetKind::Map => EnvValue::MapKey { map: set, key },
    })
}
