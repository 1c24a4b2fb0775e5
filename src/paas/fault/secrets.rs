//! What of a file's lines may be shown: never the value of a secret.

use crate::paas::condition::is_condition;
use crate::paas::fault::Fault;
use crate::paas::source::Source;

/// Root keys beside `secrets`: one of them begins another section.
const OTHERS: [&str; 11] = [
    "paas",
    "defaults",
    "maps",
    "images",
    "builds",
    "volumes",
    "jobs",
    "pods",
    "services",
    "ingresses",
    "enhancements",
];

const SECTION: &str = "secrets";

/// The lines of a file that may hold values of secrets, as far as its text tells: it may be no YAML.
///
/// One answer a line.
#[derive(Debug)]
pub(super) struct Secrets(Vec<bool>);

impl Secrets {
    /// Finds the lines from `secrets:` up to the next section. What cannot be told is among them.
    pub(super) fn of(source: &Source<'_>) -> Self {
        // How far the section is indented that the line is in, and what stands at the root above.
        let (mut section, mut root) = (None, "");
        let covered = (1..=source.count()).map(|number| {
            let line = source.line(number);
            let key = key(line);
            let is_other = key.is_some_and(|key| OTHERS.contains(&key) || is_condition(key));
            if section.is_some_and(|section| is_other && indentation(line) <= section) {
                section = None;
            }
            if let Some(key) = key.filter(|_| indentation(line) == 0) {
                root = key;
            }
            // Elsewhere it is the name of something.
            let is_root = indentation(line) == 0 || is_condition(root);
            if section.is_none() && key.is_some_and(may_be_section) && is_root {
                section = Some(indentation(line));
            } else if section.is_none() && in_flow(line, root) {
                // Indentation says nothing inside of brackets.
                section = Some(0);
            }
            section.is_some()
        });
        Self(covered.collect())
    }

    /// What of a fault's line is shown when it may hold a value: its key, if the fault names it.
    pub(super) fn cover(&self, fault: &Fault, line: &str) -> Option<String> {
        let mut parts = fault.path.split('.').skip_while(|part| is_condition(part));
        let is_secret = parts.next() == Some(SECTION);
        let index = fault.line.checked_sub(1);
        let is_covered = index.and_then(|index| self.0.get(index)).copied().unwrap_or(false);
        if !is_secret && !is_covered {
            return None;
        }
        let blank: String = line.chars().take(indentation(line)).collect();
        // A line of a value that has several may look like one with a key.
        let named = key(line).filter(|key| {
            *key == SECTION || fault.path.contains(key) || fault.message.contains(key)
        });
        let end = named.and_then(|key| Some(line.find(key)? + key.len()));
        let (shown, rest) = end.and_then(|end| line.split_at_checked(end)).unwrap_or(("", line));
        match rest.split_once(':') {
            _ if shown.is_empty() => Some(format!("{blank}…")),
            Some((quote, rest)) if rest.trim().is_empty() => Some(format!("{shown}{quote}:")),
            Some((quote, _)) => Some(format!("{shown}{quote}: …")),
            None => Some(format!("{shown}…")),
        }
    }
}

/// Whether a key is `secrets`, or might be with an escape in it.
fn may_be_section(key: &str) -> bool {
    key == SECTION || key.contains('\\')
}

fn indentation(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// The key that a line begins with.
fn key(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    // Notes about the key, and the mark of one that is written at length.
    while let Some((note, behind)) = rest.split_once(' ')
        && (note == "?" || note.starts_with(['&', '!']))
    {
        rest = behind.trim_start();
    }
    let is_long = rest.len() < line.trim_start().len();
    let (key, behind) = match rest.chars().next()? {
        quote @ ('"' | '\'') => {
            let (key, behind) = rest.get(1..)?.split_once(quote)?;
            (key, behind.trim_start())
        }
        _ => {
            let end = rest.find(':').unwrap_or(rest.len());
            let (key, behind) = rest.split_at_checked(end)?;
            (key.trim_end(), behind)
        }
    };
    let ends = behind.is_empty() && is_long
        || behind
            .strip_prefix(':')
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    (ends && !key.is_empty()).then_some(key)
}

/// Whether the section begins within brackets on this line, below a root key.
fn in_flow(line: &str, root: &str) -> bool {
    let root_is_flow = root.is_empty() || root.starts_with('{');
    line.match_indices(SECTION).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default().trim_end_matches(['"', '\'']).trim_end();
        let behind = line.get(at + SECTION.len()..).unwrap_or_default();
        let behind = behind.trim_start_matches(['"', '\'']).trim_start();
        (before.is_empty() && root_is_flow || before.ends_with(['{', ',']))
            && behind.starts_with(':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paas::fault::{Code, render_warnings};
    use crate::paas::node::Place;
    use crate::paas::report::Path;

    /// How every line of a text is shown, when a fault without a path stands at its end.
    fn shown(text: &str) -> String {
        let source = Source::new(text);
        let lines = (1..=source.count()).map(|number| {
            let place = source.place(number, usize::MAX, None);
            let fault = Fault::new(Code::NotYaml, &Path::default(), place, "no");
            let lines = render_warnings(&[fault], text.as_bytes(), "f");
            lines.get(1).map_or_else(String::new, |line| {
                line.split_once(" | ").map_or("", |(_, text)| text).to_owned()
            })
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_line_of_the_section_is_never_shown_whole() {
        insta::assert_snapshot!(shown("\
maps: {a: {b: shown}}
secrets:
  a: {options: {b: hidden}}
  b:
    options:
      c: |
        hidden: hidden
hidden
pods:
  secrets:
    image: shown
  web: shown
if{A=b}:
  secrets:
    a: hidden
  maps: shown
images: shown"), @"
        maps: {a: {b: shown}}
        secrets:
          …
          …
            …
              …
                …
        …
        pods:
          secrets:
            image: shown
          web: shown
        if{A=b}:
          secrets:
            …
          maps: shown
        images: shown
        ");
    }

    #[test]
    fn sections_within_brackets_and_with_quotes_are_found() {
        for text in [
            "{maps: {a: 1}, secrets: {a: hidden}}",
            "{\n  maps: {},\n  \"secrets\" : {a: hidden,\nb: hidden}}",
            "'secrets': {a: hidden}",
            "\"secrets\" :\n  a: hidden",
            "? secrets\n: a: hidden",
            "&a secrets: hidden",
            "if{A=b}: {secrets: {a: hidden}}",
            "secrets: &a\n\thidden",
        ] {
            assert!(!shown(text).contains("hidden"), "{text}: {}", shown(text));
        }
        assert_eq!(shown("a: my secrets: shown"), "a: my secrets: shown");
    }

    #[test]
    fn a_key_is_shown_that_the_fault_names() {
        let told = |path: &[&str], line: &str, (column, length): (usize, usize)| {
            let path = path.iter().fold(Path::default(), |path, key| path.key(key));
            let place = Place { line: 2, column, length };
            let fault = Fault::new(Code::UnknownKey, &path, place, "unknown key \"optoins\"");
            let text = format!("secrets:\n{line}");
            render_warnings(&[fault], text.as_bytes(), "f").join("\n")
        };
        insta::assert_snapshot!(told(&["secrets", "a"], "  optoins: {pw: hidden}", (3, 7)), @r#"
        f:2:3: error[E-201]: secrets.a: unknown key "optoins"
         2 |   optoins: …
           |   ^^^^^^^
        "#);
        insta::assert_snapshot!(told(&["secrets", "a"], "  a: {pw: hidden, optoins: 1}", (19, 7)), @r#"
        f:2:19: error[E-201]: secrets.a: unknown key "optoins"
         2 |   a: …
           |      ^
        "#);
        insta::assert_snapshot!(told(&["secrets", "a", "options", "tls.key"], "  tls.key: hidden", (12, 6)), @r#"
        f:2:12: error[E-201]: secrets.a.options.tls.key: unknown key "optoins"
         2 |   tls.key: …
           |            ^
        "#);
        insta::assert_snapshot!(told(&["secrets", "b"], "  other: hidden", (10, 6)), @r#"
        f:2:10: error[E-201]: secrets.b: unknown key "optoins"
         2 |   …
           |   ^
        "#);
        insta::assert_snapshot!(told(&["secrets", "b"], "  \"b\" : hidden", (10, 6)), @r#"
        f:2:10: error[E-201]: secrets.b: unknown key "optoins"
         2 |   "b" : …
           |         ^
        "#);
    }
}
