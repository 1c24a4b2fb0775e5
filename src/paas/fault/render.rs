//! Faults as a compiler prints them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::paas::fault::secrets::Secrets;
use crate::paas::fault::{Branch, Code, Fault, Faults, Severity};
use crate::paas::report::{shown, visible};
use crate::paas::source::Source;

/// Most columns of a line.
const COLUMNS: usize = 90;

/// Most columns of a line of the file beside its number.
const EXCERPT: usize = 76;

/// Most faults that are shown; more help nobody.
const MOST_SHOWN: usize = 50;

/// Most characters of a message in the one line that git shows.
const LONGEST_MESSAGE: usize = 100;

impl Faults {
    /// The first fault and how many there are: `.paas.yaml:12:3 unknown key "replica" (3 faults)`.
    pub fn first_line(&self, file_name: &str) -> String {
        let Some(first) = self.kept.first() else { return file_name.to_owned() };
        let mut message: String = first.message.chars().take(LONGEST_MESSAGE).collect();
        if message.len() < first.message.len() {
            message.push('…');
        }
        let count = match self.count() {
            1 => String::new(),
            count => format!(" ({count} faults)"),
        };
        match first.line {
            0 => format!("{message}{count}"),
            line => format!("{file_name}:{line}:{} {message}{count}", first.column),
        }
    }

    /// Every fault with its line of the file, a caret and a hint.
    pub fn render(&self, text: &[u8], file_name: &str) -> Vec<String> {
        // Warnings among them count as what they stand beside.
        rendered(&self.kept, self.left_out, |_| Severity::Error, (text, file_name))
    }
}

/// Faults, warnings among them, with their lines of the file.
pub fn render_warnings(faults: &[Fault], text: &[u8], file_name: &str) -> Vec<String> {
    rendered(faults, 0, Code::severity, (text, file_name))
}

/// Which conditions held.
pub fn render_branches(branches: &[Branch], file_name: &str) -> Vec<String> {
    let line = |branch: &Branch| {
        let Branch { condition, line, column, .. } = branch;
        let taken = if branch.taken { "taken" } else { "not taken" };
        format!("{file_name}:{line}:{column}: {}: {taken}", shown(condition))
    };
    branches.iter().map(line).collect()
}

fn rendered(
    faults: &[Fault],
    left_out: usize,
    severity: fn(Code) -> Severity,
    (text, file_name): (&[u8], &str),
) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let source = Source::new(&text);
    let secrets = Secrets::of(&source);
    let mut lines = Vec::new();
    for fault in faults.iter().take(MOST_SHOWN) {
        lines.extend(head(fault, severity(fault.code), file_name));
        lines.extend(excerpt(fault, &source, &secrets));
        if let Some(hint) = &fault.hint {
            lines.extend(wrapped(&format!("hint: {hint}"), COLUMNS, "      "));
        }
    }
    let more = faults.len().saturating_sub(MOST_SHOWN) + left_out;
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines
}

fn head(fault: &Fault, severity: Severity, file_name: &str) -> Vec<String> {
    let Fault { line, column, message, code, .. } = fault;
    let severity = severity.as_str();
    let path = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
    let head = match line {
        0 => format!("{severity}[{code}]: {path}{message}"),
        line => format!("{file_name}:{line}:{column}: {severity}[{code}]: {path}{message}"),
    };
    wrapped(&head, COLUMNS, "    ")
}

/// The line of a fault and the caret below it.
fn excerpt(fault: &Fault, source: &Source<'_>, secrets: &Secrets) -> Vec<String> {
    let line = source.line(fault.line);
    if line.trim().is_empty() {
        return Vec::new();
    }
    let number = fault.line.to_string();
    let start = fault.column.saturating_sub(1);
    let covered = secrets.cover(fault, line);
    let (text, start, width) = match &covered {
        None => window(line, start, fault.length),
        // The caret does not point behind what is shown.
        Some(covered) => window(covered, start.min(covered.chars().count() - 1), fault.length),
    };
    let carets = "^".repeat(width.max(1));
    let blank = " ".repeat(number.len());
    let below = format!(" {blank} | {:start$}{carets}", "");
    vec![format!(" {number} | {text}").trim_end().to_owned(), below]
}

/// A part of a line that shows so many characters from `start` on: the part, and at which column
/// of it they begin and how many columns they have.
fn window(line: &str, start: usize, length: usize) -> (String, usize, usize) {
    let columns = |c: char| visible(c).width().unwrap_or(0);
    let before: usize = line.chars().take(start).map(columns).sum();
    // Two thirds of the room are for what comes before the fault, when it does not all fit.
    let mut room = EXCERPT;
    let fits = line.chars().map(columns).all(|width| {
        let left = room.checked_sub(width);
        room = left.unwrap_or_default();
        left.is_some()
    });
    let skipped = match !fits {
        true => before.saturating_sub(EXCERPT * 2 / 3),
        false => 0,
    };
    let mut text = String::new();
    let (mut column, mut used, mut caret_start, mut caret_width) = (0, 0, 0, 0);
    if skipped > 0 {
        text.push('…');
        used = 1;
    }
    for (index, c) in line.chars().enumerate() {
        let width = columns(c);
        column += width;
        if column <= skipped {
            continue;
        }
        if used + width >= EXCERPT {
            text.push('…');
            break;
        }
        if index < start {
            caret_start = used + width;
        } else if index < start + length {
            caret_width += width;
        }
        used += width;
        text.push(visible(c));
    }
    (text, caret_start, caret_width)
}

/// A text in lines of at most so many columns, broken between words where that is possible.
pub fn wrapped(text: &str, columns: usize, indent: &str) -> Vec<String> {
    let text: String = text.chars().map(visible).collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.trim().is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(0) > columns {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
            }
            line.push(c);
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paas::node::Place;
    use crate::paas::report::Path;

    fn fault(line: usize, column: usize, length: usize) -> Fault {
        let path = Path::default().key("pods").key("web");
        let place = Place { line, column, length };
        Fault::new(Code::UnknownKey, &path, place, "unknown key \"replica\"")
            .hint("did you mean \"replicas\"?".to_owned())
    }

    fn rendered(text: &str, fault: Fault) -> String {
        render_warnings(&[fault], text.as_bytes(), ".paas.yaml").join("\n")
    }

    #[test]
    fn a_fault_is_shown_as_compilers_do() {
        insta::assert_snapshot!(rendered("pods:\n  web:\n    replica: 2\n", fault(3, 5, 7)), @r#"
        .paas.yaml:3:5: error[E-201]: pods.web: unknown key "replica"
         3 |     replica: 2
           |     ^^^^^^^
        hint: did you mean "replicas"?
        "#);
    }

    #[test]
    fn carets_stand_below_tabs_wide_and_invisible_characters() {
        insta::assert_snapshot!(rendered("\t\u{1b}世界: replica: 2", fault(1, 7, 7)), @r#"
        .paas.yaml:1:7: error[E-201]: pods.web: unknown key "replica"
         1 |  �世界: replica: 2
           |         ^^^^^^^
        hint: did you mean "replicas"?
        "#);
        insta::assert_snapshot!(rendered("{e\u{301}\u{202e}: 世界}", fault(1, 7, 2)), @r#"
        .paas.yaml:1:7: error[E-201]: pods.web: unknown key "replica"
         1 | {é�: 世界}
           |      ^^^^
        hint: did you mean "replicas"?
        "#);
    }

    #[test]
    fn of_a_long_line_the_faulty_part_is_shown() {
        let line = format!("{} replica {}", "x ".repeat(100), "y ".repeat(100));
        insta::assert_snapshot!(rendered(&line, fault(1, 202, 7)), @r#"
        .paas.yaml:1:202: error[E-201]: pods.web: unknown key "replica"
         1 | … x x x x x x x x x x x x x x x x x x x x x x x x  replica y y y y y y y y …
           |                                                    ^^^^^^^
        hint: did you mean "replicas"?
        "#);
        let line = format!("replica {}", "界".repeat(100));
        insta::assert_snapshot!(rendered(&line, fault(1, 1, 7)), @r#"
        .paas.yaml:1:1: error[E-201]: pods.web: unknown key "replica"
         1 | replica 界界界界界界界界界界界界界界界界界界界界界界界界界界界界界界界界界…
           | ^^^^^^^
        hint: did you mean "replicas"?
        "#);
        let line = "z".repeat(1_000);
        insta::assert_snapshot!(rendered(&line, fault(1, 10, 900)), @r#"
        .paas.yaml:1:10: error[E-201]: pods.web: unknown key "replica"
         1 | zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz…
           |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        hint: did you mean "replicas"?
        "#);
    }

    #[test]
    fn behind_the_end_there_is_no_line_to_show() {
        let mut fault = fault(9, 1, 0);
        fault.hint = None;
        insta::assert_snapshot!(rendered("a: 1", fault), @r#".paas.yaml:9:1: error[E-201]: pods.web: unknown key "replica""#);
    }

    #[test]
    fn long_messages_are_broken_between_words_or_at_the_end_of_a_line() {
        let mut fault = fault(1, 1, 1);
        fault.path = "pods.".repeat(10);
        fault.message = format!("expected {} and {}", "word ".repeat(15), "w".repeat(200));
        insta::assert_snapshot!(rendered("", fault), @r#"
        .paas.yaml:1:1: error[E-201]: pods.pods.pods.pods.pods.pods.pods.pods.pods.pods.: expected
            word word word word word word word word word word word word word word word  and
            wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww
            wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww
            wwwwwwwwwwwwwwwwwwwwwwwwwwww
        hint: did you mean "replicas"?
        "#);
    }

    #[test]
    fn the_first_line_is_short_and_counts_the_others() {
        let one = Faults::new(vec![fault(12, 3, 7)], 0).unwrap();
        assert_eq!(one.first_line(".paas.yaml"), ".paas.yaml:12:3 unknown key \"replica\"");
        let mut long = fault(2, 1, 1);
        long.message = "x".repeat(300);
        let many = Faults::new(vec![fault(12, 3, 7), long, fault(7, 1, 1)], 0).unwrap();
        let line = many.first_line(".paas.yaml");
        assert!(
            line.starts_with(".paas.yaml:2:1 xxx") && line.ends_with("x… (3 faults)"),
            "{line}"
        );
        assert!(line.chars().count() <= 150);
    }

    #[test]
    fn many_faults_are_cut() {
        let faults = vec![fault(1, 1, 1); 60];
        let lines = render_warnings(&faults, b"", ".paas.yaml");
        assert_eq!(lines.last().map(String::as_str), Some("… and 10 more"));
    }
}
