//! Build hooks and what each kind takes (paas-yaml.md §10.6, platform.md §5.0).

use crate::paas::compile::{Setting, paths};
use crate::paas::compiled::{Hook, Value};
use crate::paas::context::{HookKind, HookRule};
use crate::paas::fault::{Code, Fault};
use crate::paas::hook::{MOST_HOOKS, Problem, Word, Wrong};
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::view::{Named, View};

/// Compiles the section `builds`.
pub(super) fn compile(
    root: &View<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<Vec<Hook>, Poisoned> {
    let mut hooks = Vec::new();
    let (mut result, mut count) = (Ok(()), 0);
    for step in root.names("builds")? {
        if step.value.is_poisoned() {
            result = Err(Poisoned);
        }
        for named in step.value.entries() {
            count += 1;
            if count == MOST_HOOKS + 1 {
                let message = format!("more than {MOST_HOOKS} hooks");
                result = Err(reports.add(named.value.key_fault(Code::OverLimit, message)));
            }
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
    let Some(rule) = known.get(&name.value) else {
        let message = format!("hook `{}` is not available", shown(name.as_written()));
        let meant = reports.did_you_mean(&name.value, known.keys().map(String::as_str));
        let hint = meant.unwrap_or_else(|| match known.len() {
            0 => "an administrator defines hooks; `check` reads them in its --context".to_owned(),
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
    let problem = match rule.kind {
        HookKind::Git if setting.context.deploys => {
            let message = format!("hook `{}` clones, which is not supported yet", name.value);
            Some(view.key_fault(Code::NotSupportedYet, message))
        }
        HookKind::Git => repository(view, reports)?,
        HookKind::Composer
        | HookKind::Npm
        | HookKind::Pip
        | HookKind::Make
        | HookKind::Symfony
        | HookKind::Exec => command(view, rule, reports)?,
    };
    match problem {
        Some(fault) => Err(reports.add(fault)),
        None => Ok(Hook { step: step.to_owned(), hook: name.value.clone(), options }),
    }
}

/// What is wrong with the options of a hook that runs a command.
fn command(
    view: &View<'_>,
    rule: &HookRule,
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
    let mut texts = Vec::new();
    for word in action.iter().chain(&arguments) {
        let Ok(text) = word.text() else {
            return Ok(bad(word, "actions and arguments are single values".to_owned()));
        };
        texts.push(text.value.as_str());
    }
    let action_text = action.as_ref().and_then(|_| texts.first().copied());
    let argument_texts = texts.get(usize::from(action.is_some())..).unwrap_or_default();
    let Err(problem) = rule.words(action_text, argument_texts) else { return Ok(None) };
    let actions = rule.allowed().join(", ");
    let (word, wrong) = match problem {
        Problem::NoAction => {
            let message = "no action is given".to_owned();
            let hint = format!("actions: {actions}");
            return Ok(Some(view.key_fault(Code::BadHookOptions, message).hint(hint)));
        }
        Problem::TooMany => {
            let message = "a hook takes at most 64 arguments";
            return Ok(Some(view.key_fault(Code::BadHookOptions, message)));
        }
        Problem::At(Word::Action, wrong) => (action.as_ref().unwrap_or(view), wrong),
        Problem::At(Word::Argument(index), wrong) => (arguments.get(index).unwrap_or(view), wrong),
    };
    fault(word, &wrong, rule, reports).map(Some)
}

/// The fault of a word that is wrong.
fn fault(
    word: &View<'_>,
    wrong: &Wrong,
    rule: &HookRule,
    reports: &mut Reports,
) -> Result<Fault, Poisoned> {
    let text = word.text()?;
    let quoted = shown(text.as_written());
    let bad = |message: String| word.fault(Code::BadHookOptions, message);
    let kind = rule.kind;
    Ok(match wrong {
        Wrong::UnknownAction => {
            let meant = reports.did_you_mean(&text.value, rule.allowed());
            let all = || format!("actions: {}", rule.allowed().join(", "));
            bad(format!("no action `{quoted}`")).hint(meant.unwrap_or_else(all))
        }
        Wrong::Shell => bad(format!("\"{quoted}\": no shell takes part here")),
        Wrong::Control => {
            let message = format!("\"{quoted}\" has a control character");
            word.fault(Code::ControlCharacter, message)
        }
        Wrong::TooLong => bad("a word of a hook has at most 4096 bytes".to_owned()),
        Wrong::Dash(meant) => {
            let hint = meant.map(|name| format!("write `{name}`, without dashes"));
            bad(format!("\"{quoted}\" is not an option that {kind} hooks take")).hint(hint)
        }
        Wrong::NoValue => bad(format!("\"{quoted}\" needs a value after it")),
        Wrong::Leaves => {
            let message = format!("\"{quoted}\" is outside the repository");
            word.fault(Code::OutsideRepository, message)
        }
        Wrong::NoScript => {
            let hint = "write the name of a script of package.json first".to_owned();
            bad("no script is given".to_owned()).hint(hint)
        }
    })
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
