//! What `RUN` asks for beside its command, for builders that would follow it out of the build.
//!
//! Buildah joins the paths of mounts to folders of the machine, and some of its releases follow
//! links on the way: of another image, of the context, or out of a cache that a command filled. So
//! for it mounts name no image and no path but of the context, and caches have names of ours.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::image::dockerfile::lines::readings;
use crate::image::dockerfile::{lower, split};

/// A command asks for what is not given to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`RUN {flag}`: with this builder {why}")]
pub struct ForeignFlag {
    /// What it asks for, cut where it is long.
    pub flag: String,
    /// What is the matter.
    pub why: &'static str,
}

/// A Dockerfile whose mounts stay where they belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    /// The text.
    pub text: String,
    /// Paths of the context that are mounted; whoever has it sees where they lead.
    pub sources: Vec<String>,
}

/// Longest flag that is shown.
const SHOWN: usize = 80;

/// Digits of the name of a cache.
const DIGITS: usize = 16;

fn foreign(flag: &str, why: &'static str) -> ForeignFlag {
    let flag = flag.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    ForeignFlag { flag, why }
}

/// Gives caches names of ours, and refuses what would lead out of the build.
///
/// # Errors
///
/// When a command asks for a mount of another image, or for one in a way that could be read as such.
pub fn confine(text: &str) -> Result<Confined, ForeignFlag> {
    let mut sources = Vec::new();
    let mut renamed = BTreeMap::new();
    for flag in flags(text) {
        match Mount::read(&flag)? {
            // It may be read in several manners.
            Some(Mount::Context(source)) if !sources.contains(&source) => sources.push(source),
            Some(Mount::Cache(named)) if named != flag => drop(renamed.insert(flag, named)),
            Some(_) | None => {}
        }
    }
    if let Some(flag) = renamed.keys().find(|flag| !text.contains(flag.as_str())) {
        return Err(foreign(flag, "a mount stands on one line"));
    }
    let text = replaced(text, &renamed);
    // Nothing else may have come of it.
    for flag in flags(&text) {
        if let Some(Mount::Cache(named)) = Mount::read(&flag)?
            && named != flag
        {
            return Err(foreign(&flag, "a mount is written in one way"));
        }
    }
    Ok(Confined { text, sources })
}

/// Refuses an image whose own triggers mount something.
///
/// # Errors
///
/// When one does.
pub fn check_triggers(triggers: &[String]) -> Result<(), ForeignFlag> {
    // Builders read each for itself.
    for text in triggers {
        let confined = confine(text)?;
        match flags(text).into_iter().next() {
            Some(flag) if confined.text != *text || !confined.sources.is_empty() => {
                return Err(foreign(&flag, "what a base triggers mounts nothing"));
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// Puts a prefix before the ids of the secrets that commands are shown.
///
/// A builder remembers a command by its text: another project's command of the same text would get
/// what came of this one, and of the secret.
pub fn with_own_secrets(text: &str, prefix: &str) -> String {
    let mut renamed = BTreeMap::new();
    for flag in flags(text) {
        if let Some(own) = own_secret(&flag, prefix) {
            renamed.insert(flag, own);
        }
    }
    replaced(text, &renamed)
}

/// A flag that shows a secret, with another id and the same target.
fn own_secret(flag: &str, prefix: &str) -> Option<String> {
    let options = flag.strip_prefix("--mount=")?.split(',');
    let value = |keys: &'static [&str]| {
        let mut pairs = options.clone().filter_map(|option| option.split_once('='));
        pairs.find(|(key, _)| keys.contains(&lower(key).as_str())).map(|(_, value)| value)
    };
    value(&["type"]).filter(|kind| *kind == "secret")?;
    let target = value(&["target", "dst", "destination"]);
    let of_target = || target.and_then(|target| target.rsplit('/').next());
    let id = value(&["id"]).or_else(of_target)?;
    let others = options.clone().filter(|option| !lower(option).starts_with("id="));
    let mut own = format!("--mount={},id={prefix}{id}", others.collect::<Vec<_>>().join(","));
    if target.is_none() && value(&["env"]).is_none() {
        own.push_str(&format!(",target=/run/secrets/{id}"));
    }
    Some(own)
}

/// Puts other flags in their places.
fn replaced(text: &str, renamed: &BTreeMap<String, String>) -> String {
    // What begins with another one first.
    renamed.iter().rev().fold(text.to_owned(), |text, (flag, other)| text.replace(flag, other))
}

/// The flags of every `RUN`, in whatever manner the text is read.
fn flags(text: &str) -> Vec<String> {
    let mut flags = Vec::new();
    for line in readings(text).into_iter().flatten() {
        let (mut word, mut rest) = split(&line);
        while lower(word) == "onbuild" {
            (word, rest) = split(rest);
        }
        if lower(word) == "run" {
            let own = rest.split_whitespace().take_while(|word| word.starts_with("--"));
            flags.extend(own.map(str::to_owned));
        }
    }
    flags
}

/// What a flag mounts.
enum Mount {
    /// A path of the context.
    Context(String),
    /// A cache; the flag with the name of ours in it.
    Cache(String),
    /// Nothing that has a path on the machine.
    Other,
}

impl Mount {
    /// `None` when the flag is no mount, and harmless.
    fn read(flag: &str) -> Result<Option<Self>, ForeignFlag> {
        if !flag.is_ascii() || flag.contains(['"', '\'', '\\', '`', '$']) {
            return Err(foreign(flag, "flags are written without quotes and variables"));
        }
        if matches!(flag, "--network=none" | "--network=default") {
            return Ok(None);
        }
        let options = flag.strip_prefix("--mount=");
        let options = options.ok_or_else(|| foreign(flag, "commands are given mounts only"))?;
        let mut pairs = BTreeMap::new();
        for option in options.split(',') {
            let (key, value) = option.split_once('=').unwrap_or((option, "true"));
            let key = match key {
                "src" => "source",
                "dst" | "destination" => "target",
                "readonly" => "ro",
                key => key,
            };
            if pairs.insert(key, value).is_some() {
                return Err(foreign(flag, "each option is given once"));
            }
        }
        let kind = pairs.get("type").copied().unwrap_or("bind");
        let known: &[&str] = match kind {
            "bind" => &["type", "source", "target", "ro"],
            "cache" => &["type", "id", "target", "sharing", "mode", "uid", "gid"],
            "secret" => &["type", "id", "target", "required", "mode", "uid", "gid", "env"],
            "tmpfs" => &["type", "target", "size"],
            _ => return Err(foreign(flag, "mounts are bind, cache, secret or tmpfs")),
        };
        if pairs.contains_key("from") {
            return Err(foreign(flag, "mounts name no image; use COPY --from"));
        }
        if pairs.keys().any(|key| !known.contains(key)) {
            return Err(foreign(flag, "a mount has no such options"));
        }
        if pairs.get("ro").is_some_and(|value| *value != "true") {
            return Err(foreign(flag, "the context is mounted to be read"));
        }
        Ok(Some(match kind {
            "bind" => Self::Context(pairs.get("source").copied().unwrap_or_default().to_owned()),
            "cache" => Self::Cache(named(options, &pairs)),
            _ => Self::Other,
        }))
    }
}

/// The mount of a cache under a name of ours.
fn named(options: &str, pairs: &BTreeMap<&str, &str>) -> String {
    let key = pairs.get("id").or_else(|| pairs.get("target")).copied().unwrap_or_default();
    let is_ours = key.len() == DIGITS
        && key.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut name = if is_ours { key.to_owned() } else { hex(&Sha256::digest(key)) };
    name.truncate(DIGITS);
    let rest = options.split(',').filter(|option| !option.starts_with("id="));
    format!("--mount=id={name},{}", rest.collect::<Vec<_>>().join(","))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_have_names_that_lead_nowhere() {
        let text = "FROM a\nRUN --mount=type=cache,target=/root/.npm --mount=type=cache,id=../../etc,target=/x npm ci\n\
                    RUN --mount=type=cache,target=/root/.npm/l true\n";
        let confined = confine(text).unwrap().text;
        assert_eq!(confined.matches("--mount=id=").count(), 3, "{confined}");
        assert!(!confined.contains("etc"), "{confined}");
        assert_eq!(confine(&confined).unwrap().text, confined);
    }

    #[test]
    fn what_is_mounted_of_the_context_is_told() {
        let text = "FROM a\nRUN --mount=source=package.json,target=/p \\\n  --mount=type=bind,target=/all npm ci\n";
        let confined = confine(text).unwrap();
        assert_eq!(confined.sources, ["package.json", ""]);
        assert_eq!(confined.text, text);
    }

    #[test]
    fn what_could_lead_out_is_refused() {
        for flag in [
            "--mount=from=b,source=/l,target=/x",
            "--mount=type=cache,from=b,target=/x",
            "--mount=type=cache,source=..,target=/x",
            "--mount=type=bind,source=a,source=b,target=/x",
            "--mount=type=bind,source=a,target=/x,rw",
            "--mount=type=bind,source=a,target=/x,readonly=false",
            "--mount=type=bind,source=a,target=/x,bind-propagation=shared",
            "--mount=type=cache,id=$A,target=/x",
            "--mount=\"type=cache,id=a\",target=/x",
            "--mou\\nt=type=bind",
            "--mount=type=ssh",
            "--mount",
            "--security=insecure",
            "--network=host",
            "--device=/dev/sda",
        ] {
            for line in [format!("RUN {flag} true"), format!("ONBUILD RUN {flag} true")] {
                assert!(confine(&format!("FROM a\n{line}\n")).is_err(), "{line}");
            }
        }
        assert_eq!(
            confine("FROM a\nRUN --mount=from=b,target=/x true\n").unwrap_err().to_string(),
            "`RUN --mount=from=b,target=/x`: with this builder mounts name no image; use COPY \
             --from"
        );
    }

    #[test]
    fn secrets_are_those_of_a_project() {
        let text = "FROM a\nRUN --mount=type=secret,id=ab --mount=type=secret,id=a,required=true x\n\
                    RUN --mount=type=secret,id=a \\\n --mount=TYPE=secret,dst=/x/b y\n\
                    RUN --mount=type=secret,env=C,id=c --mount=type=cache,id=a,target=/a z\n";
        assert_eq!(
            with_own_secrets(text, "7."),
            "FROM a\nRUN --mount=type=secret,id=7.ab,target=/run/secrets/ab \
             --mount=type=secret,required=true,id=7.a,target=/run/secrets/a x\n\
             RUN --mount=type=secret,id=7.a,target=/run/secrets/a \\\n \
             --mount=TYPE=secret,dst=/x/b,id=7.b y\n\
             RUN --mount=type=secret,env=C,id=7.c --mount=type=cache,id=a,target=/a z\n"
        );
    }

    #[test]
    fn what_a_base_triggers_mounts_nothing_of_the_context() {
        let trigger = |text: &str| check_triggers(&[text.to_owned()]);
        assert!(trigger("RUN make").is_ok());
        assert!(trigger("RUN --mount=type=secret,id=a make").is_ok());
        assert!(trigger("RUN --mount=source=l,target=/x make").is_err());
        let hidden = ["LABEL a=b \\".to_owned(), "RUN --network=host make".to_owned()];
        assert!(check_triggers(&hidden).is_err());
        assert!(trigger("RUN --mount=type=cache,id=..,target=/x make").is_err());
    }
}
