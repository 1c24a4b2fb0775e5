//! Which images a Dockerfile takes something from.
//!
//! Only that is read; everything else is the builder's business. An image that is missed here is
//! one that its owner did not give away, so what a builder could read in another way is refused.

mod frontend;
mod lines;
mod mounts;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::image::dockerfile::lines::readings;
use crate::image::dockerfile::words::{Values, expand, expand_quoted};

pub use frontend::{ForeignFrontend, Prepared, prepare};
pub use mounts::{Confined, ForeignFlag, check_triggers, confine};

/// An instruction that builders may read in several ways.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`: name images without quotes and escapes")]
pub struct Unclear(String);

/// Longest part of an instruction that is shown.
const SHOWN: usize = 40;

impl Unclear {
    fn of(line: &str) -> Self {
        Self(line.chars().filter(|c| !c.is_control()).take(SHOWN).collect())
    }
}

/// The images of `FROM` and `COPY --from`, with build arguments put in, stages left out.
///
/// # Errors
///
/// When an instruction could name another image than it seems to.
pub fn bases(text: &str, args: &BTreeMap<String, String>) -> Result<Vec<String>, Unclear> {
    let mut bases = Vec::new();
    for reading in readings(text) {
        let mut reader = Reader::new(args);
        for line in &reading {
            reader.instruction(line)?;
        }
        bases.extend(reader.bases);
    }
    let mut known = BTreeSet::new();
    bases.retain(|base| known.insert(base.clone()));
    Ok(bases)
}

/// The images of `COPY --from` that an image's own triggers name; they run when something is built
/// from it.
///
/// # Errors
///
/// As above.
pub fn bases_of_triggers(triggers: &[String]) -> Result<Vec<String>, Unclear> {
    let text: String = triggers.iter().map(|trigger| format!("{trigger}\n")).collect();
    bases(&text, &BTreeMap::new())
}

/// Whether some command of a Dockerfile is to be shown a secret.
pub fn shows_secrets(text: &str) -> bool {
    let is_secret = |flag: &str| {
        let options = flag.strip_prefix("--mount=").unwrap_or_default();
        options.split(',').any(|option| option.replace(['"', '\''], "") == "type=secret")
    };
    let readings = readings(text);
    let mut instructions = readings.iter().flatten();
    instructions.any(|line| {
        let (word, rest) = split(line);
        let flags = rest.split_whitespace().take_while(|word| word.starts_with("--"));
        lower(word) == "run" && flags.into_iter().any(is_secret)
    })
}

struct Reader<'a> {
    args: &'a BTreeMap<String, String>,
    /// Arguments declared before the first stage; only these count in `FROM`.
    globals: Values,
    stages: usize,
    /// Those of them that have a name.
    names: BTreeSet<String>,
    bases: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(args: &'a BTreeMap<String, String>) -> Self {
        let (globals, names, bases) = (Values::new(), BTreeSet::new(), Vec::new());
        Self { args, globals, stages: 0, names, bases }
    }

    fn instruction(&mut self, line: &str) -> Result<(), Unclear> {
        let (word, rest) = split(line);
        match lower(word).as_str() {
            "arg" if self.stages == 0 => self.argument(rest),
            "from" => self.from(line, rest)?,
            "copy" | "add" => {
                check_heredocs(line)?;
                self.copy(line, rest)?;
            }
            "run" => {
                check_heredocs(line)?;
                self.mounts(line, rest)?;
            }
            "onbuild" if lower(split(rest).0) != "onbuild" => self.instruction(rest)?,
            _ => {}
        }
        Ok(())
    }

    fn argument(&mut self, rest: &str) {
        for declaration in rest.split_whitespace() {
            let (name, default) = declaration.split_once('=').unwrap_or((declaration, ""));
            let value = match self.args.get(name) {
                Some(given) => Some(given.clone()),
                None => expand_quoted(default, &self.globals),
            };
            self.globals.insert(name.to_owned(), value);
        }
    }

    fn from(&mut self, line: &str, rest: &str) -> Result<(), Unclear> {
        let mut words = without_flags(line, rest)?.1;
        let name = match words.as_slice() {
            [_, as_, name] if as_.eq_ignore_ascii_case("as") => stage_name(name),
            _ => None,
        };
        // More words than these are a mistake, unless a builder takes the first for a flag's value.
        words.truncate(if name.is_some() { 1 } else { words.len() });
        for word in words {
            let image = expand(word, &self.globals).ok_or_else(|| Unclear::of(line))?;
            let is_stage = self.names.contains(&lower(&image));
            if !image.is_empty() && !is_stage && image != "scratch" {
                self.bases.push(image);
            }
        }
        self.stages += 1;
        self.names.extend(name);
        Ok(())
    }

    fn copy(&mut self, line: &str, rest: &str) -> Result<(), Unclear> {
        for flag in without_flags(line, rest)?.0 {
            if lower(flag) == "--from" {
                return Err(Unclear::of(line));
            }
            let Some(from) = flag.strip_prefix("--from=") else { continue };
            self.source(line, from)?;
        }
        Ok(())
    }

    /// `RUN --mount=type=bind,from=IMAGE`.
    fn mounts(&mut self, line: &str, rest: &str) -> Result<(), Unclear> {
        let flags = rest.split_whitespace().take_while(|word| word.starts_with("--"));
        let mounts = flags.filter(|flag| lower(flag).starts_with("--mount"));
        // Without its value it is a mistake, unless a builder takes the next word for that.
        let takes = |flag: &&str| !flag.contains('=') || lower(flag).contains("from");
        for mount in mounts.filter(takes) {
            let is_unclear = !mount.is_ascii() || mount.contains(['"', '\'', '\\', '`', '$']);
            let Some(options) = mount.strip_prefix("--mount=").filter(|_| !is_unclear) else {
                return Err(Unclear::of(line));
            };
            let options = options.split(',').filter_map(|option| option.split_once('='));
            for (_, from) in options.filter(|(key, _)| lower(key.trim()) == "from") {
                self.source(line, from)?;
            }
        }
        Ok(())
    }

    /// What files are taken from: a stage, or an image.
    fn source(&mut self, line: &str, from: &str) -> Result<(), Unclear> {
        if from.contains('$') {
            // Builders put no values in here yet; one that did would reach what is not looked at.
            return Err(Unclear::of(line));
        }
        // A number is never an image: it is a stage, or a mistake.
        let is_index = from.parse::<i64>().is_ok();
        if !from.is_empty() && !is_index && !self.names.contains(&lower(from)) {
            self.bases.push(from.to_owned());
        }
        Ok(())
    }
}

/// The first word, and what follows it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// Lower case, letter by letter, as builders compare.
fn lower(word: &str) -> String {
    word.chars().filter_map(|c| c.to_lowercase().next()).collect()
}

/// The flags of an instruction, and its other words.
fn without_flags<'a>(line: &str, rest: &'a str) -> Result<(Vec<&'a str>, Vec<&'a str>), Unclear> {
    let is_flag = |word: &&str| word.starts_with("--");
    let flags: Vec<&str> = rest.split_whitespace().take_while(is_flag).collect();
    // Builders take quotes and escapes away, and some cut other characters into bytes.
    let is_unclear = |flag: &&str| !flag.is_ascii() || flag.contains(['"', '\'', '\\', '`']);
    if flags.iter().any(is_unclear) {
        return Err(Unclear::of(line));
    }
    Ok((flags, rest.split_whitespace().skip_while(is_flag).collect()))
}

/// The name of a stage, if it can be one. No image of a project has such a name.
fn stage_name(name: &str) -> Option<String> {
    let name = lower(name);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    name.bytes().all(allowed).then_some(name)
}

/// Refuses a here-document whose end could be taken for the beginning of something else: its lines
/// are read as instructions, as builders do that know no here-documents.
fn check_heredocs(line: &str) -> Result<(), Unclear> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '"' | '\'');
    let ends = line.split_whitespace().filter_map(|word| {
        let end = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        Some(end.strip_prefix('-').unwrap_or(end))
    });
    match ends.filter(|end| !end.starts_with('<')).any(|end| !end.chars().all(plain)) {
        true => Err(Unclear::of(line)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bases_of(text: &str) -> Vec<String> {
        try_bases_of(text).unwrap()
    }

    fn try_bases_of(text: &str) -> Result<Vec<String>, Unclear> {
        let args = BTreeMap::from([("VERSION".to_owned(), "22".to_owned())]);
        bases(text, &args)
    }

    #[test]
    fn stages_and_scratch_are_no_bases() {
        let text = "FROM --platform=linux/amd64 node:22 AS Build\n\
                    FROM scratch\n\
                    copy --chown=1:1 --from=build /a /b\n\
                    COPY --from=0 /c /d\n\
                    COPY --from=acme/tools:1 /e /f\n\
                    FROM build\n";
        assert_eq!(bases_of(text), ["node:22", "acme/tools:1"]);
    }

    #[test]
    fn arguments_count_when_declared_before_the_first_stage() {
        let text = "ARG VERSION=20 OS=alpine\n\
                    ARG IMAGE=\"node:${VERSION}-$OS\"\n\
                    ARG UNUSED=\"a 'b'\"\n\
                    FROM ${IMAGE}\n\
                    ARG LATE=1\n\
                    FROM ${LATE:-fallback:${VERSION:+new}}\n\
                    FROM $MISSING\n";
        assert_eq!(bases_of(text), ["node:22-alpine", "fallback:new"]);
    }

    #[test]
    fn an_instruction_that_only_some_builders_see_counts() {
        for text in [
            "FROM a\nRUN b \\\n  # c\nCOPY --from=hidden / /\n",
            "# x = y\n# escape=`\nFROM a\nRUN b # `\nCOPY --from=hidden / /\n",
            "FROM a\nRUN b \\\u{c}\nCOPY --from=hidden / /\n",
            "\u{feff}FROM a\nFROM hidden\n",
            "FROM a\nO\\\nNBU\u{130}LD COPY --from=hidden / /\n",
            "FROM a\nRUN <<EOF\nb \\\nEOF\nCOPY --from=hidden / /\n",
        ] {
            assert_eq!(bases_of(text), ["a", "hidden"], "{text}");
        }
        assert_eq!(bases_of("FROM --platform a b\n"), ["a", "b"]);
    }

    #[test]
    fn an_instruction_that_builders_read_differently_is_refused() {
        for line in [
            "FROM acme/sh\\op",
            "FROM 'a'",
            "FROM ${A%x}",
            "COPY --from=\"acme/shop\" / /",
            "COPY --f\"rom=acme/shop\" / /",
            "COPY --chown=\u{e0}--from=acme/shop / /",
            "COPY --from acme/shop / /",
            "ONBUILD ADD --chown='a' --from=acme/shop / /",
            "COPY --from=$A / /",
            "RUN --mount=from=$A true",
            "RUN --mount=\"type=bind,from=acme/shop\" true",
            "RUN --mount type=bind,from=acme/shop true",
            "RUN <<a\\b",
            "RUN <<#a",
        ] {
            assert!(try_bases_of(&format!("FROM a\n{line}\n")).is_err(), "{line}");
        }
        let unclear = try_bases_of("ARG A='$B'\nFROM $A\n").unwrap_err();
        assert_eq!(unclear.to_string(), "`FROM $A`: name images without quotes and escapes");
    }

    #[test]
    fn what_does_not_name_images_may_be_written_in_any_way() {
        let text = "FROM a\nRUN echo 'x' \"$y\" $((1<<n)) <<< z \\\n  && true\nENV A='b c'\nCOPY [\"a b\", \"/\"]\n";
        assert_eq!(bases_of(text), ["a"]);
    }

    #[test]
    fn what_later_builds_will_run_counts_too() {
        assert_eq!(bases_of("FROM a\nONBUILD COPY --from=acme/b:1 / /\n"), ["a", "acme/b:1"]);
        let triggers = ["RUN x".to_owned(), "COPY --from=acme/b:1 / /".to_owned()];
        assert_eq!(bases_of_triggers(&triggers).unwrap(), ["acme/b:1"]);
    }

    #[test]
    fn a_mounted_image_counts() {
        let text = "FROM a AS one\n\
                    RUN --mount=type=cache,target=/x --mount=type=bind,FROM=acme/b:1,target=/b \\\n  true\n\
                    RUN --mount=from=one --mount=type=cache,target=\"/a b\" true\n";
        assert_eq!(bases_of(text), ["a", "acme/b:1"]);
    }

    #[test]
    fn a_secret_that_is_shown_is_seen() {
        assert!(shows_secrets("FROM a\nRUN --network=none --mount=id=x,type=secret cat x\n"));
        assert!(!shows_secrets(
            "FROM a\nRUN --mount=type=cache,target=/x echo --mount=type=secret\n"
        ));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(FROM |ARG |COPY --from=|[$\\{}:+\\-\\\\`#=\n\"é]|[a-z]){0,40}") {
            drop(try_bases_of(&text));
        }
    }
}
