//! What a use of a build hook comes to: the words that follow its command (platform.md §5.0).
//!
//! Composer, npm and pip take the options that are listed, by their names without dashes, and refuse
//! whatever begins with a dash: a list that only added dashes would let everything through. The
//! other kinds run what the project or the administrator wrote, and pass words on as they are.

mod options;

use crate::paas::compiled::Value;
use crate::paas::context::{HookKind, HookRule};
use crate::paas::hook::options::{ValueOf, actions, is_listed, kind_of_value, listed};

/// Most hooks of one deployment.
pub(super) const MOST_HOOKS: usize = 32;

/// Most arguments of one use.
const MOST_ARGUMENTS: usize = 64;

/// Longest word in bytes.
const LONGEST_WORD: usize = 4 * 1024;

/// Characters of a shell that no action and no argument has.
const FORBIDDEN: [char; 5] = ['&', '|', '<', '>', ';'];

/// Ends the options of a program.
const END_OF_OPTIONS: &str = "--";

/// What a hook is told to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookCall {
    /// The words behind its command.
    pub words: Vec<String>,
    /// The folder of the checkout it runs in, without slashes at its ends; empty: the checkout.
    pub path: String,
}

/// A word of a use of a hook, by which a fault has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The action.
    Action,
    /// One of the arguments, from 0.
    Argument(usize),
}

/// What is wrong with a use of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The kind needs an action.
    NoAction,
    /// More arguments than a use may have.
    TooMany,
    /// This word is wrong.
    At(Word, Wrong),
}

/// What is wrong with a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The kind, or the administrator, does not have this action.
    UnknownAction,
    /// A character of a shell.
    Shell,
    /// A character that cannot be seen.
    Control,
    /// Longer than a word may be.
    TooLong,
    /// It begins with a dash; the name that is listed, when that is what was meant.
    Dash(Option<&'static str>),
    /// Where a value is due, there is none.
    NoValue,
    /// A path that leaves the repository.
    Leaves,
    /// No name of a script follows.
    NoScript,
}

impl HookRule {
    /// The actions there are; none: any.
    pub fn allowed(&self) -> Vec<&str> {
        let own = actions(self.kind);
        if self.actions.is_empty() {
            return own.to_vec();
        }
        let narrowed = self.actions.iter().map(String::as_str);
        narrowed.filter(|action| own.is_empty() || own.contains(action)).collect()
    }

    /// The words of a use.
    pub(super) fn words(
        &self,
        action: Option<&str>,
        arguments: &[&str],
    ) -> Result<Vec<String>, Problem> {
        if arguments.len() > MOST_ARGUMENTS {
            return Err(Problem::TooMany);
        }
        let allowed = self.allowed();
        let Some(action) = action else {
            return if allowed.is_empty() { Ok(Vec::new()) } else { Err(Problem::NoAction) };
        };
        let at = |index| move |wrong| Problem::At(Word::Argument(index), wrong);
        plain(action).map_err(|wrong| Problem::At(Word::Action, wrong))?;
        for (index, argument) in arguments.iter().enumerate() {
            plain(argument).map_err(at(index))?;
        }
        if !allowed.is_empty() && !allowed.contains(&action) {
            return Err(Problem::At(Word::Action, Wrong::UnknownAction));
        }
        let mut words = vec![action.to_owned()];
        if self.kind.is_strict() {
            strict((self.kind, action), arguments, &mut words)?;
        } else {
            words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        }
        Ok(words)
    }

    /// What a use of a model comes to; `None` when its options are no model's.
    pub fn call(&self, options: &Value) -> Option<HookCall> {
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(switch) => Some(switch.to_string()),
            Value::Null | Value::List(_) | Value::Mapping(_) => None,
        };
        let texts = |items: &[Value]| items.iter().map(text).collect::<Option<Vec<_>>>();
        let (action, arguments, path) = match options {
            Value::List(items) => {
                let mut texts = texts(items)?.into_iter();
                (texts.next(), texts.collect(), String::new())
            }
            Value::Mapping(entries) => {
                let arguments = match entries.get("arguments") {
                    Some(Value::List(items)) => texts(items)?,
                    Some(_) | None => Vec::new(),
                };
                let path = entries.get("path").and_then(text).unwrap_or_default();
                (entries.get("action").and_then(text), arguments, beneath(&path)?)
            }
            Value::Null | Value::Bool(_) | Value::Text(_) => return None,
        };
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let words = self.words(action.as_deref(), &arguments).ok()?;
        Some(HookCall { words, path })
    }
}

impl HookKind {
    /// Whether its options are listed.
    const fn is_strict(self) -> bool {
        match self {
            Self::Composer | Self::Npm | Self::Pip => true,
            Self::Make | Self::Symfony | Self::Exec | Self::Git => false,
        }
    }
}

/// A relative path without detours; `None` when it leaves where it begins.
fn beneath(path: &str) -> Option<String> {
    let mut segments = Vec::new();
    for segment in path.trim().split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            segment => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}

/// Checks what holds of every word.
fn plain(word: &str) -> Result<(), Wrong> {
    if word.len() > LONGEST_WORD {
        Err(Wrong::TooLong)
    } else if word.contains(FORBIDDEN) {
        Err(Wrong::Shell)
    } else if word.contains(char::is_control) {
        Err(Wrong::Control)
    } else {
        Ok(())
    }
}

/// Adds the arguments of a kind whose options are listed.
fn strict(
    of: (HookKind, &str),
    arguments: &[&str],
    words: &mut Vec<String>,
) -> Result<(), Problem> {
    let mut rest = arguments.iter().enumerate();
    if of == (HookKind::Npm, "run") {
        let at = |wrong| Err(Problem::At(Word::Argument(0), wrong));
        match rest.next() {
            None => return Err(Problem::At(Word::Action, Wrong::NoScript)),
            Some((_, script)) if script.starts_with('-') => return at(Wrong::NoScript),
            Some((_, script)) => words.push((*script).to_owned()),
        }
        // What follows is the script's own.
        let own = rest.map(|(_, word)| *word).skip_while(|word| *word == END_OF_OPTIONS);
        let mut own = own.map(str::to_owned).peekable();
        if own.peek().is_some() {
            words.push(END_OF_OPTIONS.to_owned());
        }
        words.extend(own);
        return Ok(());
    }
    while let Some((index, argument)) = rest.next() {
        let fails = |wrong| Err(Problem::At(Word::Argument(index), wrong));
        let (name, value) = match argument.split_once('=') {
            // `name==1` asks pip for a version.
            Some((name, value)) if !value.starts_with('=') => (name, Some(value)),
            Some(_) | None => (*argument, None),
        };
        if argument.starts_with('-') {
            let bare = name.trim_start_matches('-');
            return fails(Wrong::Dash(listed(of).find(|known| *known == bare)));
        }
        if !is_listed(of, name) {
            words.push((*argument).to_owned());
            continue;
        }
        let dashes = if name.len() == 1 { "-" } else { "--" };
        words.push(format!("{dashes}{argument}"));
        let takes = kind_of_value(of.0, name);
        let (value, place) = match (value, takes) {
            (Some(value), Some(_)) => (value, index),
            (Some(_), None) | (None, None) => continue,
            (None, Some(_)) => match rest.next() {
                Some((place, value)) => {
                    words.push((*value).to_owned());
                    (*value, place)
                }
                None => return fails(Wrong::NoValue),
            },
        };
        let fails = |wrong| Err(Problem::At(Word::Argument(place), wrong));
        if value.starts_with('-') {
            return fails(Wrong::Dash(None));
        }
        if takes == Some(ValueOf::Path) && (value.starts_with('/') || beneath(value).is_none()) {
            return fails(Wrong::Leaves);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
