//! Who reads a Dockerfile, and what it is handed.
//!
//! A first line such as `# syntax=docker/dockerfile:1` names an image of a registry that is to read
//! the rest. That of very many Dockerfiles asks for what builders have themselves, so the line is
//! left out. Any other image could fetch what its owner did not give away, so it has to be allowed.

use std::collections::BTreeMap;

/// A Dockerfile names a frontend that nobody allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line} of the Dockerfile: the frontend `{frontend}` is not one of those that the setting \
     `builder.frontends` allows"
)]
pub struct ForeignFrontend {
    /// The line, from 1.
    pub line: usize,
    /// Its name, cut where it is long.
    pub frontend: String,
}

/// A Dockerfile as a builder gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The text.
    pub text: String,
    /// The frontend that it named, and that the builder stands in for.
    pub replaced: Option<String>,
}

/// Longest name of a frontend that is shown.
const SHOWN: usize = 80;

/// Makes a Dockerfile ready: the frontend is chosen, and images are called by other names.
///
/// `names` maps images as they are written to what they are called instead. They are replaced as
/// whole words of `FROM`, `ARG`, `COPY` and `RUN --mount`; what is put together from variables is not.
///
/// # Errors
///
/// When it names a frontend that is not allowed.
pub fn prepare(
    text: &str,
    allowed: &[String],
    names: &BTreeMap<String, String>,
) -> Result<Prepared, ForeignFrontend> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut replaced = None;
    let mut kept = Vec::new();
    let mut header = Header::default();
    let mut left_out = 0;
    for (index, line) in lines.into_iter().enumerate() {
        let plain = if index == 0 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        match header.frontend(plain) {
            None => kept.push(line_renamed(line, names)),
            Some(frontend) if allowed.iter().any(|allowed| allowed == frontend) => {
                kept.push(line.to_owned());
            }
            Some(frontend) if is_dockerfile_1(frontend) => {
                left_out += 1;
                replaced = Some(frontend.to_owned());
            }
            Some(frontend) => {
                let shown = frontend.chars().filter(|c| !c.is_control()).take(SHOWN);
                return Err(ForeignFrontend { line: index + 1, frontend: shown.collect() });
            }
        }
    }
    // Behind the directives, which a blank line would end, so that faults keep their lines.
    let directives = kept.iter().take_while(|line| is_directive(line)).count();
    if kept.get(directives).is_some() {
        kept.splice(directives..directives, vec!["\n".to_owned(); left_out]);
    }
    Ok(Prepared { text: kept.concat(), replaced })
}

/// Where in a file a frontend can still be named.
#[derive(Default)]
struct Header {
    is_over: bool,
}

impl Header {
    /// The frontend that a line names, in any of the forms that builders know or will know.
    fn frontend<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        if self.is_over {
            return None;
        }
        let line = line.trim();
        if line.starts_with('{') {
            // A whole file in JSON may name one.
            self.is_over = true;
            return Some(line);
        }
        let comment = line.strip_prefix('#').or_else(|| line.strip_prefix("//"));
        let Some(comment) = comment else {
            self.is_over = !line.is_empty();
            return None;
        };
        let (key, value) = comment.split_once('=')?;
        key.trim().eq_ignore_ascii_case("syntax").then_some(value.trim())
    }
}

fn is_directive(line: &str) -> bool {
    let Some(comment) = line.trim().strip_prefix('#') else { return false };
    comment.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim();
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// Whether builders are this frontend themselves: `docker/dockerfile:1`, `:1.7`, or the newest.
fn is_dockerfile_1(frontend: &str) -> bool {
    let name = frontend.strip_prefix("docker.io/").unwrap_or(frontend);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let Some(tag) = name.strip_prefix("docker/dockerfile") else { return false };
    let is_one = |tag: &str| {
        let mut numbers = tag.split('.');
        numbers.next() == Some("1") && numbers.all(|number| number.parse::<u32>().is_ok())
    };
    tag.is_empty() || tag == ":latest" || tag.strip_prefix(':').is_some_and(is_one)
}

/// A Dockerfile with images called by other names, as in [`prepare`].
pub fn renamed(text: &str, names: &BTreeMap<String, String>) -> String {
    text.split_inclusive('\n').map(|line| line_renamed(line, names)).collect()
}

/// A line with images called by their other names.
fn line_renamed(line: &str, names: &BTreeMap<String, String>) -> String {
    let first = line.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let names_images = matches!(first.as_str(), "from" | "arg" | "copy" | "run" | "onbuild");
    let mut line = line.to_owned();
    if !names_images {
        return line;
    }
    for (name, other) in names {
        let mut searched = 0;
        while let Some(found) = line.get(searched..).and_then(|rest| rest.find(name.as_str())) {
            let (start, end) = (searched + found, searched + found + name.len());
            let is_part = |c: char| c.is_alphanumeric() || "._-/:@".contains(c);
            let before = line.get(..start).and_then(|text| text.chars().next_back());
            let behind = line.get(end..).and_then(|text| text.chars().next());
            if before.is_some_and(is_part) || behind.is_some_and(is_part) {
                searched = end;
            } else {
                line.replace_range(start..end, other);
                searched = start + other.len();
            }
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Result<Prepared, ForeignFrontend> {
        prepare(text, &["acme/front:2".to_owned()], &BTreeMap::new())
    }

    #[test]
    fn the_builders_own_frontend_is_left_out_and_lines_keep_their_numbers() {
        for (text, expected) in [
            ("# syntax=docker/dockerfile:1\nFROM a\n", "\nFROM a\n"),
            ("#Syntax = docker.io/docker/dockerfile:1.7@sha256:ab\nFROM a\n", "\nFROM a\n"),
            ("# syntax=docker/dockerfile\n# escape=`\nFROM a\n", "# escape=`\n\nFROM a\n"),
            ("FROM a\n# syntax=other\n", "FROM a\n# syntax=other\n"),
            ("# syntax=acme/front:2\nFROM a\n", "# syntax=acme/front:2\nFROM a\n"),
        ] {
            assert_eq!(prepared(text).unwrap().text, expected, "{text}");
        }
        let replaced = prepared("# syntax=docker/dockerfile:1.4\nFROM a").unwrap().replaced;
        assert_eq!(replaced.as_deref(), Some("docker/dockerfile:1.4"));
    }

    #[test]
    fn another_frontend_is_refused_in_whatever_form_it_is_named() {
        for text in [
            "# syntax=evil/front",
            "\u{feff}# syntax=evil/front",
            "#!/usr/bin/env x\n# syntax=evil/front",
            "# a comment\n\n#SYNTAX= evil/front\nFROM a",
            "// syntax=evil/front\n",
            "{\"syntax\": \"evil/front\"}",
            "# syntax=docker/dockerfile:1-labs",
            "# syntax=docker/dockerfile-upstream:master",
            "# syntax=docker/dockerfile:2",
        ] {
            assert!(prepared(text).is_err(), "{text}");
        }
        assert_eq!(
            prepared("# escape=\\\n# syntax=evil/front:1\nFROM a").unwrap_err().to_string(),
            "line 2 of the Dockerfile: the frontend `evil/front:1` is not one of those that the \
             setting `builder.frontends` allows"
        );
    }

    #[test]
    fn images_are_called_by_their_other_names_as_whole_words() {
        let names = BTreeMap::from([("acme/shop/a:1".to_owned(), "acme/shop/a:1-job7".to_owned())]);
        let text = "ARG A=acme/shop/a:1\nFROM acme/shop/a:1 AS x\nFROM acme/shop/a:12\n\
                    COPY --from=acme/shop/a:1 / /\nLABEL a=acme/shop/a:1\n";
        assert_eq!(
            prepare(text, &[], &names).unwrap().text,
            "ARG A=acme/shop/a:1-job7\nFROM acme/shop/a:1-job7 AS x\nFROM acme/shop/a:12\n\
             COPY --from=acme/shop/a:1-job7 / /\nLABEL a=acme/shop/a:1\n"
        );
    }
}
