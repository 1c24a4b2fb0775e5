//! `.dockerignore`: which files of a folder are no part of its build context.
//!
//! The rules are Docker's, not git's: every pattern begins at the context's root, `*` stays within
//! one name, `**` goes over any number of them, `!` takes back what earlier lines left out, the last
//! line that matches decides, and what matches a folder matches everything in it.

use std::collections::BTreeSet;

/// The patterns of one file.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
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
struct Pattern {
    kind: Kind,
    tokens: Vec<Token>,
    /// The names before the first wildcard.
    literal: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    LeaveOut,
    TakeBack,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// This character.
    Char(char),
    /// `?`: any character of a name.
    One,
    /// `*`: any characters of a name.
    Some,
    /// `**` at the end: any characters.
    Rest,
    /// `**` elsewhere: nothing, or folders with the slash behind them.
    Folders,
    /// `[a-z]`: a character in, or outside of, some ranges.
    Class(Ranges),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ranges {
    Within(Vec<(char, char)>),
    Outside(Vec<(char, char)>),
}

/// A place in a pattern while a path is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Before the token with this index.
    Before(usize),
    /// Within the folders that this token stands for.
    Within(usize),
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
            Pattern::parse(text).ok_or_else(|| BadPattern { line, text: text.to_owned() })
        });
        Ok(Self { patterns: patterns.collect::<Result<_, _>>()? })
    }

    /// What is said about a path, of whose folder `parent` was said.
    pub fn judge(&self, path: &str, parent: &Verdict) -> Verdict {
        let above = parent.matched.iter().copied().chain(std::iter::repeat(false));
        let mut verdict = Verdict::default();
        for (pattern, above) in self.patterns.iter().zip(above) {
            let matches = above || pattern.matches(path);
            if matches {
                verdict.is_ignored = pattern.kind == Kind::LeaveOut;
            }
            verdict.matched.push(matches);
        }
        verdict
    }

    /// Whether something in an ignored folder may be part of the context all the same.
    pub fn may_keep_in(&self, folder: &str) -> bool {
        self.patterns.iter().filter(|pattern| pattern.kind == Kind::TakeBack).any(|pattern| {
            let names = folder.split('/');
            names.zip(&pattern.literal).all(|(name, literal)| name == literal)
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (kind, text) = match text.strip_prefix('!') {
            Some(rest) => (Kind::TakeBack, rest.trim()),
            None => (Kind::LeaveOut, text),
        };
        if text.is_empty() {
            return None;
        }
        let path = clean(text);
        let is_literal = |name: &&str| !name.contains(['*', '?', '[', '\\']);
        let literal = path.split('/').take_while(is_literal).map(str::to_owned).collect();
        Some(Self { kind, tokens: tokens(&path)?, literal })
    }

    fn matches(&self, path: &str) -> bool {
        let mut places = BTreeSet::new();
        self.enter(0, &mut places);
        for c in path.chars() {
            let mut next = BTreeSet::new();
            for place in places {
                self.step(place, c, &mut next);
            }
            if next.is_empty() {
                return false;
            }
            places = next;
        }
        places.contains(&Place::Before(self.tokens.len()))
    }

    /// Adds a place, and those that are reached from it without a character.
    ///
    /// There are two of those in a row at most, see [`tokens`].
    fn enter(&self, index: usize, places: &mut BTreeSet<Place>) {
        if !places.insert(Place::Before(index)) {
            return;
        }
        match self.tokens.get(index) {
            Some(Token::Some | Token::Rest) => self.enter(index + 1, places),
            Some(Token::Folders) => {
                places.insert(Place::Within(index));
                self.enter(index + 1, places);
            }
            Some(Token::Char(_) | Token::One | Token::Class(_)) | None => {}
        }
    }

    /// Adds the places that a character leads to.
    fn step(&self, place: Place, c: char, places: &mut BTreeSet<Place>) {
        match place {
            Place::Within(index) => {
                places.insert(place);
                if c == '/' {
                    self.enter(index + 1, places);
                }
            }
            Place::Before(index) => match self.tokens.get(index) {
                Some(Token::Char(own)) if *own == c => self.enter(index + 1, places),
                Some(Token::One) if c != '/' => self.enter(index + 1, places),
                Some(Token::Class(ranges)) if c != '/' && ranges.contain(c) => {
                    self.enter(index + 1, places);
                }
                Some(Token::Some) if c != '/' => self.enter(index, places),
                Some(Token::Rest) => self.enter(index, places),
                Some(
                    Token::Char(_) | Token::One | Token::Class(_) | Token::Some | Token::Folders,
                )
                | None => {}
            },
        }
    }
}

impl Ranges {
    fn contain(&self, c: char) -> bool {
        let among = |ranges: &[(char, char)]| ranges.iter().any(|(a, z)| (*a..=*z).contains(&c));
        match self {
            Self::Within(ranges) => among(ranges),
            Self::Outside(ranges) => !among(ranges),
        }
    }
}

/// The shortest path that means the same, from the context's root.
fn clean(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            // At a root, nothing is above.
            ".." if text.starts_with('/') => {}
            name => names.push(name),
        }
    }
    names.join("/")
}

/// The tokens of a pattern; one [`Token::Folders`] means the same as many.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                chars.next_if_eq(&'/');
                if chars.peek().is_some() { Token::Folders } else { Token::Rest }
            }
            '*' => Token::Some,
            '?' => Token::One,
            '[' => Token::Class(class(&mut chars)?),
            '\\' => Token::Char(chars.next()?),
            c => Token::Char(c),
        };
        if token != Token::Folders || tokens.last() != Some(&Token::Folders) {
            tokens.push(token);
        }
    }
    Some(tokens)
}

/// The rest of a class, its opening bracket taken.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Ranges> {
    let is_outside = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || chars.peek() != Some(&']') {
        let first = class_character(chars)?;
        let last = match chars.next_if_eq(&'-') {
            Some(_) => class_character(chars)?,
            None => first,
        };
        ranges.push((first, last));
    }
    chars.next();
    Some(if is_outside { Ranges::Outside(ranges) } else { Ranges::Within(ranges) })
}

fn class_character(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
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
