//! Faults as a compiler prints them.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::paas::fault::{Fault, Faults};
use crate::paas::report::visible;
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
        let Some(first) = self.0.first() else { return file_name.to_owned() };
        let mut message: String = first.message.chars().take(LONGEST_MESSAGE).collect();
        if message.len() < first.message.len() {
            message.push('…');
        }
        let count = match self.0.len() {
            1 => String::new(),
            count => format!(" ({count} faults)"),
        };
        format!("{file_name}:{}:{} {message}{count}", first.line, first.column)
    }

    /// Every fault with its line of the file, a caret and a hint.
    pub fn render(&self, text: &[u8], file_name: &str) -> Vec<String> {
        render_warnings(&self.0, text, file_name)
    }
}

/// Faults, warnings among them, with their lines of the file.
pub fn render_warnings(faults: &[Fault], text: &[u8], file_name: &str) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let source = Source::new(&text);
    let mut lines = Vec::new();
    for fault in faults.iter().take(MOST_SHOWN) {
        lines.extend(head(fault, file_name));
        lines.extend(excerpt(fault, &source));
        if let Some(hint) = &fault.hint {
            lines.extend(wrapped(&format!("hint: {hint}"), "      "));
        }
    }
    if let Some(more @ 1..) = faults.len().checked_sub(MOST_SHOWN) {
        lines.push(format!("… and {more} more"));
    }
    lines
}

fn head(fault: &Fault, file_name: &str) -> Vec<String> {
    let Fault { line, column, message, code, .. } = fault;
    let severity = code.severity().as_str();
    let path = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
    let head = format!("{file_name}:{line}:{column}: {severity}[{code}]: {path}{message}");
    wrapped(&head, "    ")
}

/// The line of a fault and the caret below it.
fn excerpt(fault: &Fault, source: &Source<'_>) -> Vec<String> {
    let line = source.line(fault.line);
    if line.trim().is_empty() {
        return Vec::new();
    }
    let number = fault.line.to_string();
    let (text, start, width) = window(line, fault.column.saturating_sub(1), fault.length);
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
    let skipped = match line.chars().map(columns).sum::<usize>() > EXCERPT {
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

/// A text in lines that are not too long, broken between words where that is possible.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let text: String = text.chars().map(visible).collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.trim().is_empty() && line.width() + 1 + word.width() > COLUMNS {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(0) > COLUMNS {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
            }
            line.push(c);
        }
    }
    lines.push(line);
    lines
}
