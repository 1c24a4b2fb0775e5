//! Build hooks and what each kind takes (paas-yaml.md §10.6, platform.md §5.0).

use crate::paas::compile::{Setting, paths};
use crate::paas::compiled::{Hook, Value};
use crate::paas::context::HookKind;
use crate::paas::fault::{Code, Fault};
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

const COMPOSER: &[&str] = &[
    "install",
    "update",
    "upgrade",
    "require",
    "dump-autoload",
    "dumpautoload",
    "run",
    "run-script",
    "exec",
];
const NPM: &[&str] = &["install", "ci", "update", "test", "run", "login"];
const PIP: &[&str] = &["install", "download", "wheel", "debug"];

/// Characters of a shell that no action and no argument has.
const FORBIDDEN: [char; 5] = ['&', '|', '<', '>', ';'];

/// Compiles the section `builds`.
pub(super) fn compile(
    root: &View<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<Vec<Hook>, Poisoned> {
    let mut hooks = Vec::new();
    let mut result = Ok(());
    for step in root.names("builds")? {
        if step.value.is_poisoned() {
            result = Err(Poisoned);
        }
        for named in step.value.entries() {
            match hook(&step.name.value, &named, setting, reports) {
                Ok(hook) => hooks.push(hook),
                Err(Poisoned) => result = Err(Poisoned),
            }
        }
    }
    result.map(|()| hooks)
}

fn hook(
    step: &str,
    named: &Named<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<Hook, Poisoned> {
    let Named { name, value: view } = named;
    if view.is_poisoned() {
        return Err(Poisoned);
    }
    let known = &setting.context.platform.hooks;
    let Some(kind) = known.get(&name.value) else {
        let message = format!("hook `{}` is not available", shown(name.as_written()));
        let meant = reports.did_you_mean(&name.value, known.keys().map(String::as_str));
        let hint = meant.unwrap_or_else(|| match known.len() {
            0 => "this platform has no hooks".to_owned(),
            _ => format!("available: {}", known.keys().cloned().collect::<Vec<_>>().join(", ")),
        });
        return Err(reports.add(view.key_fault(Code::UnknownHook, message).hint(hint)));
    };
    let options = match view.value()? {
        Value::Null => Value::List(Vec::new()),
        Value::Bool(switch) => Value::List(vec![Value::Text(switch.to_string())]),
        text @ Value::Text(_) => Value::List(vec![text]),
        options @ (Value::List(_) | Value::Mapping(_)) => options,
    };
    let problem = match kind {
        HookKind::Git => repository(view, reports)?,
        HookKind::Composer => command(view, COMPOSER, reports)?,
        HookKind::Npm => command(view, NPM, reports)?,
        HookKind::Pip => command(view, PIP, reports)?,
        HookKind::Make | HookKind::Symfony | HookKind::Exec => command(view, &[], reports)?,
    };
    match problem {
        Some(fault) => Err(reports.add(fault)),
        None => Ok(Hook { step: step.to_owned(), hook: name.value.clone(), options }),
    }
}

/// What is wrong with the options of a hook that runs a command of these actions, or of any.
fn command(
    view: &View<'_>,
    actions: &[&str],
    reports: &mut Reports,
) -> Result<Option<Fault>, Poisoned> {
    let bad = |view: &View<'_>, message: String| Some(view.fault(Code::BadHookOptions, message));
    let given = |key: &str| Ok(view.field(key)?.filter(|field| !field.is_null()));
    let is_mapping = !view.entries().is_empty();
    let (action, arguments) = if is_mapping {
        for Named { name, value } in view.entries() {
            if !["action", "arguments", "path"].contains(&name.value.as_str()) {
                let message = format!("no option `{}`", shown(name.as_written()));
                let hint = "options: action, arguments, path".to_owned();
                let fault = value.key_fault(Code::BadHookOptions, message).hint(hint);
                return Ok(Some(fault));
            }
        }
        match given("path")? {
            Some(path) if path.is_collection() => {
                return Ok(bad(&path, "a path is a single value".to_owned()));
            }
            Some(path) => drop(paths::in_repository(&path, reports)?),
            None => {}
        }
        let arguments = match given("arguments")? {
            None => Vec::new(),
            Some(field) if field.list().is_err() => {
                return Ok(bad(&field, "arguments are a list".to_owned()));
            }
            Some(field) => field.list()?,
        };
        (given("action")?, arguments)
    } else if view.is_collection() {
        let mut items = view.list().unwrap_or_default().into_iter();
        (items.next(), items.collect())
    } else if view.is_null() {
        (None, Vec::new())
    } else {
        (Some(view.clone()), Vec::new())
    };
    let Some(action) = action else {
        if actions.is_empty() {
            return Ok(None);
        }
        let message = "no action is given".to_owned();
        let hint = format!("actions: {}", actions.join(", "));
        return Ok(Some(view.key_fault(Code::BadHookOptions, message).hint(hint)));
    };
    for word in [&action].into_iter().chain(&arguments) {
        let Ok(text) = word.text() else {
            return Ok(bad(word, "actions and arguments are single values".to_owned()));
        };
        if text.value.contains(FORBIDDEN) {
            let message = format!("\"{}\": no shell takes part here", shown(text.as_written()));
            return Ok(bad(word, message));
        }
        if text.value.contains(char::is_control) {
            let message = format!("\"{}\" has a control character", shown(text.as_written()));
            return Ok(Some(word.fault(Code::ControlCharacter, message)));
        }
    }
    let text = action.text()?;
    if !actions.is_empty() && !actions.contains(&text.value.as_str()) {
        let message = format!("no action `{}`", shown(text.as_written()));
        let meant = reports.did_you_mean(&text.value, actions.iter().copied());
        let hint = meant.unwrap_or_else(|| format!("actions: {}", actions.join(", ")));
        return Ok(bad(&action, message).map(|fault| fault.hint(hint)));
    }
    Ok(None)
}

/// What is wrong with the options of a hook that clones another repository.
fn repository(view: &View<'_>, reports: &mut Reports) -> Result<Option<Fault>, Poisoned> {
    const OPTIONS: [&str; 4] = ["url", "path", "branch", "key"];
    let missing = |what: &str| {
        let message = format!("option `{what}` is missing");
        let hint = format!("options: {}", OPTIONS.join(", "));
        Some(view.key_fault(Code::BadHookOptions, message).hint(hint))
    };
    for Named { name, value } in view.entries() {
        if !OPTIONS.contains(&name.value.as_str()) {
            let message = format!("no option `{}`", shown(name.as_written()));
            return Ok(Some(value.key_fault(Code::BadHookOptions, message)));
        }
        if value.is_collection() {
            let message = "options of this hook are single values";
            return Ok(Some(value.key_fault(Code::BadHookOptions, message)));
        }
    }
    let Some(url) = view.filled("url")? else { return Ok(missing("url")) };
    let path = view.field("path")?.filter(|path| !path.is_null());
    let Some(path) = path else { return Ok(missing("path")) };
    paths::in_repository(&path, reports)?;
    let is_https = url.starts_with("https://");
    let is_ssh = url.starts_with("ssh://") || (!url.contains("://") && url.contains(':'));
    if !is_https && !is_ssh {
        let message = "the address of a repository begins with https:// or ssh://";
        return Ok(Some(view.required("url")?.fault(Code::BadHookOptions, message)));
    }
    if is_ssh && view.filled("key")?.is_none() {
        return Ok(missing("key"));
    }
    Ok(None)
}
