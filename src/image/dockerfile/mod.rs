//! Which images a Dockerfile takes something from.
//!
//! Only that is read; everything else is the builder's business. An image that is missed here is
//! one that its owner did not give away, so what a builder could read in another way is refused.

mod frontend;
mod lines;
mod mounts;
mod reader;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::image::dockerfile::lines::readings;
use crate::image::dockerfile::reader::Reader;

pub use frontend::{ForeignFrontend, Prepared, prepare, renamed};
pub use mounts::{Confined, ForeignFlag, check_triggers, confine, with_own_secrets};

/// An instruction that builders may read in several ways.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`: name images without quotes, escapes and values that only builders know")]
pub struct Unclear(String);

/// Longest part of an instruction that is shown.
const SHOWN: usize = 40;

impl Unclear {
    fn of(line: &str) -> Self {
        Self(line.chars().filter(|c| !c.is_control()).take(SHOWN).collect())
    }
}

/// What a Dockerfile takes from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// The images of `FROM` and `COPY --from`, with build arguments put in, stages left out.
    pub images: Vec<String>,
    /// The platforms that a `FROM` names, other than by what builders call their own.
    pub platforms: BTreeSet<String>,
}

/// What a Dockerfile takes from elsewhere.
///
/// # Errors
///
/// When an instruction could name another image than it seems to.
pub fn bases(text: &str, args: &BTreeMap<String, String>) -> Result<Taken, Unclear> {
    let mut all = Taken::default();
    for reading in readings(text) {
        let mut reader = Reader::new(args);
        for line in &reading {
            reader.instruction(line)?;
        }
        all.images.extend(reader.taken.images);
        all.platforms.extend(reader.taken.platforms);
    }
    let mut known = BTreeSet::new();
    all.images.retain(|base| known.insert(base.clone()));
    Ok(all)
}

/// The images of `COPY --from` that an image's own triggers name; they run when something is built
/// from it.
///
/// # Errors
///
/// As above.
pub fn bases_of_triggers(triggers: &[String]) -> Result<Vec<String>, Unclear> {
    let mut images = Vec::new();
    // Builders read each for itself.
    for trigger in triggers {
        images.extend(bases(trigger, &BTreeMap::new())?.images);
    }
    Ok(images)
}

/// Whether some instruction of a Dockerfile, or of an image's triggers, runs a command.
pub fn runs_commands(text: &str) -> bool {
    readings(text).iter().flatten().any(|line| lower(split(line).0) == "run")
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

/// The first word, and what follows it.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// Lower case, letter by letter, as builders compare.
fn lower(word: &str) -> String {
    word.chars().filter_map(|c| c.to_lowercase().next()).collect()
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
        bases(text, &args).map(|taken| taken.images)
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
            "FROM a\nLABEL a=b\\\\\nCOPY --from=hidden / /\n",
            "FROM a\nCOPY <<'E x\\' /z\nE x\\\nCOPY --from=hidden / /\n",
            "FROM a\nARG C=\"q A=scratch r\"\nFROM hidden\n",
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
            "RUN --mount=type=bind,target=\"/a b\",from=acme/shop,source=/ true",
            "FROM ${TARGETARCH:+acme/shop}",
            "FROM a-$BUILDARCH",
            "FROM --PLATFORM=x a",
            "RUN <<a\\b",
            "RUN <<#a",
        ] {
            assert!(try_bases_of(&format!("FROM a\n{line}\n")).is_err(), "{line}");
        }
        for text in [
            "ARG A=acme/shop\nARG C=\"q A=scratch r\"\nARG C=\"q A=x\nFROM $A\n",
            "ARG A=acme/shop\nARG A\nFROM $A\n",
            "ARG A=acme/shop\nARG \"A\"=scratch\nFROM $A\n",
            "FROM ${VERSION:-acme/shop}\n",
        ] {
            assert!(try_bases_of(text).is_err(), "{text}");
        }
        let unclear = try_bases_of("ARG A='$B'\nFROM $A\n").unwrap_err();
        assert_eq!(
            unclear.to_string(),
            "`FROM $A`: name images without quotes, escapes and values that only builders know"
        );
    }

    #[test]
    fn what_does_not_name_images_may_be_written_in_any_way() {
        let text = "FROM a\nRUN echo 'x' \"$y\" $((1<<n)) <<< z \\\n  && true\nENV A='b c'\nCOPY [\"a b\", \"/\"]\n";
        assert_eq!(bases_of(text), ["a"]);
    }

    #[test]
    fn lines_of_another_language_name_no_images() {
        let text = "FROM a\nRUN <<EOF\nfrom flask import Flask\nfrom b import (c,\nEOF\n";
        assert_eq!(bases_of(text), ["a"]);
    }

    #[test]
    fn platforms_are_told_but_the_builders_own() {
        let platforms = |text: &str| bases(text, &BTreeMap::new()).unwrap().platforms;
        let own = "FROM --platform=$BUILDPLATFORM a\nFROM --platform=${TARGETPLATFORM} b\n";
        assert_eq!(platforms(own), BTreeSet::new());
        let other = "ARG P=linux/arm64 BUILDPLATFORM=linux/s390x\n\
                     FROM --platform=$P a\nFROM --platform=$BUILDPLATFORM b\n";
        assert_eq!(
            platforms(other),
            BTreeSet::from(["linux/arm64", "linux/s390x"].map(str::to_owned))
        );
    }

    #[test]
    fn what_later_builds_will_run_counts_too() {
        assert_eq!(bases_of("FROM a\nONBUILD COPY --from=acme/b:1 / /\n"), ["a", "acme/b:1"]);
        let triggers = ["LABEL a=b \\".to_owned(), "COPY --from=acme/b:1 / /".to_owned()];
        assert_eq!(bases_of_triggers(&triggers).unwrap(), ["acme/b:1"]);
    }

    #[test]
    fn a_mounted_image_counts() {
        let text = "FROM a AS one\n\
                    RUN --mount=type=cache,target=/x --mount=type=bind,FROM=acme/b:1,target=/b \\\n  true\n\
                    RUN --mount=from=one --mount=type=cache,target=/a true\n";
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
