//! `.dockerignore`: which files of a folder are no part of its build context.
//!
//! The rules are Docker's, not git's: every pattern begins at the context's root, `*` stays within
//! one name, `**` goes over any number of them, `!` takes back what earlier lines left out, the last
//! line that matches decides, and what matches a folder matches everything in it.

use crate::image::pattern::Pattern;

/// The patterns of one file.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    lines: Vec<Line>,
}

/// A line is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(".dockerignore, line {line}: `{text}` is no pattern")]
pub struct BadPattern {
    /// The line, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
}

/// What the patterns say about one path; needed for the paths below it.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    matched: Vec<bool>,
    /// Whether the path is no part of the context.
    pub is_ignored: bool,
}

#[derive(Debug, Clone)]
struct Line {
    kind: Kind,
    pattern: Pattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    LeaveOut,
    TakeBack,
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    ///
    /// When a line is no pattern.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#'));
        let lines = lines.map(|(number, line)| (number, line.trim()));
        let patterns = lines.filter(|(_, line)| !line.is_empty()).map(|(line, text)| {
            Line::parse(text).ok_or_else(|| BadPattern { line, text: text.to_owned() })
        });
        Ok(Self { lines: patterns.collect::<Result<_, _>>()? })
    }

    /// What is said about a path, of whose folder `parent` was said.
    pub fn judge(&self, path: &str, parent: &Verdict) -> Verdict {
        let above = parent.matched.iter().copied().chain(std::iter::repeat(false));
        let mut verdict = Verdict::default();
        for (line, above) in self.lines.iter().zip(above) {
            let matches = above || line.pattern.matches(path);
            if matches {
                verdict.is_ignored = line.kind == Kind::LeaveOut;
            }
            verdict.matched.push(matches);
        }
        verdict
    }

    /// Whether something in an ignored folder may be part of the context all the same.
    pub fn may_keep_in(&self, folder: &str) -> bool {
        self.lines.iter().filter(|line| line.kind == Kind::TakeBack).any(|line| {
            let names = folder.split('/');
            names.zip(line.pattern.literal()).all(|(name, literal)| name == literal)
        })
    }
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let (kind, text) = match text.strip_prefix('!') {
            Some(rest) => (Kind::TakeBack, rest.trim()),
            None => (Kind::LeaveOut, text),
        };
        Some(Self { kind, pattern: Pattern::parse(text)? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ignores(ignore: &Ignore, path: &str) -> bool {
        let mut verdict = Verdict::default();
        for (end, _) in path.match_indices('/') {
            verdict = ignore.judge(path.split_at(end).0, &verdict);
        }
        ignore.judge(path, &verdict).is_ignored
    }

    fn check(text: &str, ignored: &[&str], kept: &[&str]) {
        let ignore = Ignore::parse(text).unwrap();
        for path in ignored {
            assert!(ignores(&ignore, path), "{text:?} should leave out {path}");
        }
        for path in kept {
            assert!(!ignores(&ignore, path), "{text:?} should keep {path}");
        }
    }

    #[test]
    fn a_pattern_begins_at_the_root_and_covers_what_is_below() {
        check("node_modules", &["node_modules", "node_modules/a/b"], &["web/node_modules", "node"]);
        check("/build/", &["build", "build/x"], &["a/build"]);
        check("./a/../b//c", &["b/c", "b/c/d"], &["a", "b", "c"]);
        check("*.md", &["README.md"], &["docs/README.md", "README.mdx"]);
        check("*/temp*", &["a/temp", "a/temporary.txt"], &["temp", "a/b/temp"]);
        check("temp?", &["tempa"], &["temp", "temp/", "tempab"]);
        check("..", &[], &["a", "a/b"]);
    }

    #[test]
    fn two_stars_go_over_folders() {
        check("**/*.go", &["a.go", "a/b/c.go"], &["a.goo", "go"]);
        check("**", &["a", "a/b/.c"], &[]);
        check("a/**", &["a/b", "a/b/c"], &["a", "b/a"]);
        check("a/**/z", &["a/z", "a/b/c/z", "a/z/x"], &["a/bz", "z"]);
        check("**/node_modules", &["node_modules", "x/node_modules/y"], &["node_modules2"]);
        check("a**z", &["az", "ab/z"], &["abz"]);
    }

    #[test]
    fn the_last_line_that_matches_decides() {
        check("*.md\n!README.md", &["a.md"], &["README.md"]);
        check("*.md\n!README*.md\nREADME-secret.md", &["README-secret.md"], &["README-x.md"]);
        check("*.md\nREADME-secret.md\n!README*.md", &[], &["README-secret.md"]);
        check("*\n!src\n! src/../lib \nsrc/private", &["a", "src/private/x"], &["src/a", "lib"]);
        check("folder\n!folder/keep", &["folder/a"], &["folder/keep", "folder/keep/b"]);
    }

    #[test]
    fn classes_and_escapes_are_understood() {
        check("[a-c]x", &["ax", "cx"], &["dx", "-x"]);
        check("[^a-c]x", &["dx"], &["ax", "/x"]);
        check("\\*a[\\]]", &["*a]"], &["ba]"]);
        check("a.b$", &["a.b$"], &["axb$", "a.b"]);
    }

    #[test]
    fn comments_blank_lines_and_line_ends_of_other_systems_are_nothing() {
        check("\u{feff}# all\r\n\r\n  a  \r\n#b\r\n # c", &["a", "# c"], &["b", "#b"]);
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_line() {
        let text = |text: &str| Ignore::parse(text).unwrap_err().to_string();
        assert_eq!(text("a\n\n[a"), ".dockerignore, line 3: `[a` is no pattern");
        assert_eq!(text("!"), ".dockerignore, line 1: `!` is no pattern");
        assert_eq!(text("a\\"), ".dockerignore, line 1: `a\\` is no pattern");
        assert_eq!(text("[]a]"), ".dockerignore, line 1: `[]a]` is no pattern");
    }

    #[test]
    fn an_ignored_folder_is_entered_only_when_something_in_it_may_be_kept() {
        let ignore = Ignore::parse("*\n!src/app/main.rs\n!docs/*.md").unwrap();
        assert!(ignore.may_keep_in("src"));
        assert!(ignore.may_keep_in("src/app"));
        assert!(ignore.may_keep_in("docs"));
        assert!(!ignore.may_keep_in("src/lib"));
        assert!(!ignore.may_keep_in("node_modules"));
        assert!(Ignore::parse("*\n!**/a").unwrap().may_keep_in("x/y"));
    }

    #[test]
    fn a_pattern_of_stars_alone_ends() {
        check(&format!("{}x", "**/".repeat(100_000)), &["x", "a/x", "a/b/x"], &["a", "xa"]);
        check(&format!("{}x", "*".repeat(100_001)), &["x", "ax"], &["a"]);
    }

    proptest! {
        #[test]
        fn many_stars_take_no_time(path in "[ab/]{0,200}") {
            let ignore = Ignore::parse(&"*a**/b?".repeat(30)).unwrap();
            ignores(&ignore, &path);
        }

        #[test]
        fn a_name_is_matched_by_itself(path in "[a-z0-9._-]{1,8}(/[a-z0-9_-]{1,8}){0,3}") {
            prop_assume!(!path.starts_with('.') && !path.starts_with('#'));
            let ignore = Ignore::parse(&path).unwrap();
            prop_assert!(ignores(&ignore, &path));
        }

        #[test]
        fn no_text_is_too_strange(text in "([*?!\\[\\]\\^\\\\/.#\n-]|[a-c]){0,30}", path in "[a-c/]{0,9}") {
            if let Ok(ignore) = Ignore::parse(&text) {
                ignores(&ignore, &path);
            }
        }
    }
}
