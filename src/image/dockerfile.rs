//! Which images a Dockerfile takes something from.
//!
//! Only that is read, as the classic builder reads it; everything else is the builder's business.

use std::collections::BTreeMap;

/// The images of `FROM` and `COPY --from`, with build arguments put in, stages left out.
pub(super) fn bases(text: &str, args: &BTreeMap<String, String>) -> Vec<String> {
    let mut reader = Reader { args, globals: BTreeMap::new(), stages: vec![], bases: vec![] };
    for line in instructions(text) {
        reader.instruction(&line);
    }
    reader.bases
}

struct Reader<'a> {
    args: &'a BTreeMap<String, String>,
    /// Arguments declared before the first stage; only these count in `FROM`.
    globals: BTreeMap<String, String>,
    /// Names of the stages so far, empty for those without one.
    stages: Vec<String>,
    bases: Vec<String>,
}

impl Reader<'_> {
    fn instruction(&mut self, line: &str) {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match word.to_ascii_uppercase().as_str() {
            "ARG" if self.stages.is_empty() => self.argument(rest),
            "FROM" => self.from(rest),
            "COPY" | "ADD" => self.copy(rest),
            "ONBUILD" => self.instruction(rest.trim_start()),
            _ => {}
        }
    }

    fn argument(&mut self, rest: &str) {
        for declaration in rest.split_whitespace() {
            let (name, default) = declaration.split_once('=').unwrap_or((declaration, ""));
            let value = match self.args.get(name) {
                Some(given) => given.clone(),
                None => expand(default, &self.globals),
            };
            self.globals.insert(name.to_owned(), value);
        }
    }

    fn from(&mut self, rest: &str) {
        let mut words = rest.split_whitespace().skip_while(|word| word.starts_with("--"));
        let image = expand(words.next().unwrap_or_default(), &self.globals);
        let is_stage = self.stages.contains(&image.to_ascii_lowercase());
        if !image.is_empty() && !is_stage && image != "scratch" {
            self.bases.push(image);
        }
        let name = words.nth(1).unwrap_or_default().to_ascii_lowercase();
        self.stages.push(name);
    }

    fn copy(&mut self, rest: &str) {
        let flags = rest.split_whitespace().take_while(|word| word.starts_with("--"));
        for from in flags.filter_map(|flag| flag.strip_prefix("--from=")) {
            let is_index = from.parse().is_ok_and(|index: usize| index < self.stages.len());
            let is_name = self.stages.contains(&from.to_ascii_lowercase());
            if !from.is_empty() && !is_index && !is_name {
                self.bases.push(from.to_owned());
            }
        }
    }
}

/// The instructions, each on one line, without comments.
fn instructions(text: &str) -> Vec<String> {
    let escape = escape_character(text);
    let mut instructions = Vec::new();
    let mut pending = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        match line.trim_end().strip_suffix(escape) {
            Some(part) => pending.push_str(part),
            None if line.trim().is_empty() => {}
            None => {
                pending.push_str(line);
                instructions.push(pending.trim().to_owned());
                pending.clear();
            }
        }
    }
    instructions.push(pending.trim().to_owned());
    instructions
}

/// What continues a line: a backslash, or a backtick where the first lines say so.
fn escape_character(text: &str) -> char {
    let directives = text.lines().map_while(|line| line.trim().strip_prefix('#'));
    let mut pairs = directives.map_while(|directive| directive.split_once('='));
    let escape = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    if escape.is_some_and(|(_, value)| value.trim() == "`") { '`' } else { '\\' }
}

/// Puts values in for `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; takes quotes
/// away.
fn expand(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.strip_prefix(c).unwrap_or_default();
        rest = after;
        match c {
            '"' | '\'' => {}
            '$' if after.starts_with('{') => {
                let end = matching_brace(after);
                let (inside, outside) = after.split_at_checked(end).unwrap_or((after, ""));
                expanded.push_str(&substitute(inside.strip_prefix('{').unwrap_or(inside), values));
                rest = outside.strip_prefix('}').unwrap_or(outside);
            }
            '$' => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let (name, outside) =
                    after.split_at_checked(end.unwrap_or(after.len())).unwrap_or((after, ""));
                expanded.push_str(values.get(name).map_or("", String::as_str));
                rest = outside;
            }
            c => expanded.push(c),
        }
    }
    expanded
}

/// Where the brace that a text begins with is closed.
fn matching_brace(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn substitute(inside: &str, values: &BTreeMap<String, String>) -> String {
    let value = |name: &str| values.get(name).filter(|value| !value.is_empty()).cloned();
    if let Some((name, default)) = inside.split_once(":-") {
        value(name).unwrap_or_else(|| expand(default, values))
    } else if let Some((name, other)) = inside.split_once(":+") {
        value(name).map(|_| expand(other, values)).unwrap_or_default()
    } else {
        value(inside).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bases_of(text: &str) -> Vec<String> {
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
                    FROM ${IMAGE}\n\
                    ARG LATE=1\n\
                    FROM ${LATE:-fallback:${VERSION:+new}}\n\
                    FROM $MISSING\n";
        assert_eq!(bases_of(text), ["node:22-alpine", "fallback:new"]);
    }

    #[test]
    fn lines_go_on_behind_the_escape_character() {
        let text = "FROM \\\n# a comment between\n\n  debian:13\nRUN echo \\\nFROM no\n";
        assert_eq!(bases_of(text), ["debian:13"]);
        let text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM `\ndebian:13\nRUN a\\\nFROM x\n";
        assert_eq!(bases_of(text), ["debian:13", "x"]);
    }

    #[test]
    fn what_later_builds_will_run_counts_too() {
        assert_eq!(bases_of("FROM a\nONBUILD COPY --from=acme/b:1 / /\n"), ["a", "acme/b:1"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(FROM |ARG |COPY --from=|[$\\{}:+\\-\\\\`#=\n\"é]|[a-z]){0,40}") {
            bases_of(&text);
        }
    }
}
