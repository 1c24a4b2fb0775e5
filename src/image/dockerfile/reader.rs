//! Reads instructions one by one, for the images that they name.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::dockerfile::words::{Values, expand, expand_quoted, split_quoted};
use crate::image::dockerfile::{Taken, Unclear, lower, split};

/// What builders know of platforms, and nobody who reads the text.
const KNOWN_TO_BUILDERS: [&str; 11] = [
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "BUILDOSVERSION",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETOSVERSION",
    "TARGETSTAGE",
];

/// Those of them that are the platform which is built for.
const OWN_PLATFORM: [&str; 2] = ["BUILDPLATFORM", "TARGETPLATFORM"];

/// Reads one manner of lines.
pub(super) struct Reader<'a> {
    args: &'a BTreeMap<String, String>,
    /// Arguments declared before the first stage; only these count in `FROM`.
    globals: Values,
    stages: usize,
    /// Those of them that have a name.
    names: BTreeSet<String>,
    pub(super) taken: Taken,
}

impl<'a> Reader<'a> {
    pub(super) fn new(args: &'a BTreeMap<String, String>) -> Self {
        // Some builders put in what was given also where it was not declared.
        let given = args.keys().map(String::as_str);
        let unknown = KNOWN_TO_BUILDERS.into_iter().chain(given);
        let globals = unknown.map(|name| (name.to_owned(), None)).collect();
        Self { args, globals, stages: 0, names: BTreeSet::new(), taken: Taken::default() }
    }

    pub(super) fn instruction(&mut self, line: &str) -> Result<(), Unclear> {
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
        let Some(declarations) = split_quoted(rest) else {
            // What is declared, and as what, depends on who reads it.
            let names = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            self.globals.extend(names.map(|name| (name.to_owned(), None)));
            return;
        };
        for declaration in declarations {
            let (name, default) = match declaration.split_once('=') {
                Some((name, default)) => (name, Some(default)),
                None => (declaration, None),
            };
            let value = match (self.args.get(name), default) {
                (Some(given), _) => Some(given.clone()),
                (None, Some(default)) => expand_quoted(default, &self.globals),
                // Some builders take away what it was before, some do not.
                (None, None) if self.globals.contains_key(name) => None,
                (None, None) => Some(String::new()),
            };
            self.globals.insert(name.to_owned(), value);
        }
    }

    fn from(&mut self, line: &str, rest: &str) -> Result<(), Unclear> {
        let (flags, words) = without_flags(line, rest)?;
        let takes_next = flags.iter().any(|flag| !flag.contains('='));
        let (images, name) = match words.as_slice() {
            [image, as_, name] if as_.eq_ignore_ascii_case("as") => {
                (vec![*image], stage_name(name))
            }
            [image] => (vec![*image], None),
            // Unless a builder takes the first word for a flag's value, this is a mistake, or a
            // line of some other language.
            _ if takes_next => (words, None),
            _ => return Ok(()),
        };
        for word in images {
            let image = expand(word, &self.globals).ok_or_else(|| Unclear::of(line))?;
            let is_stage = self.names.contains(&lower(&image));
            if !image.is_empty() && !is_stage && image != "scratch" {
                self.taken.images.push(image);
            }
        }
        for flag in flags {
            self.platform(line, flag)?;
        }
        self.stages += 1;
        self.names.extend(name);
        Ok(())
    }

    fn platform(&mut self, line: &str, flag: &str) -> Result<(), Unclear> {
        let Some(value) = flag.strip_prefix("--platform=") else {
            return match lower(flag).starts_with("--platform=") {
                true => Err(Unclear::of(line)),
                false => Ok(()),
            };
        };
        let name = value.strip_prefix('$').map(|name| {
            name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name)
        });
        let is_untouched = |name: &str| self.globals.get(name) == Some(&None);
        if name.is_some_and(|name| {
            OWN_PLATFORM.contains(&name) && is_untouched(name) && !self.args.contains_key(name)
        }) {
            return Ok(());
        }
        let platform = expand(value, &self.globals).ok_or_else(|| Unclear::of(line))?;
        if !platform.is_empty() {
            self.taken.platforms.insert(platform);
        }
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
        let (flags, _) = without_flags(line, rest)?;
        let mounts = flags.into_iter().filter(|flag| lower(flag).starts_with("--mount"));
        // Without its value it is a mistake, unless a builder takes the next word for that.
        let takes = |flag: &&str| !flag.contains('=') || lower(flag).contains("from");
        for mount in mounts.filter(takes) {
            let Some(options) =
                mount.strip_prefix("--mount=").filter(|options| !options.contains('$'))
            else {
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
            self.taken.images.push(from.to_owned());
        }
        Ok(())
    }
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
