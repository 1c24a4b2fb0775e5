//! The text of a file by lines.

use crate::paas::node::Place;

/// A text and its lines.
#[derive(Debug)]
pub(super) struct Source<'a> {
    text: &'a str,
    /// Each with its number of characters, which is asked for again and again.
    lines: Vec<(&'a str, usize)>,
}

impl<'a> Source<'a> {
    /// Cuts a text where YAML does: after line feeds, carriage returns, and both together.
    pub(super) fn new(text: &'a str) -> Self {
        // Editors put a byte-order mark before the first character; it has no column.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.split('\n').flat_map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            line.split('\r')
        });
        let lines = lines.map(|line| (line, line.chars().count()));
        Self { text, lines: lines.collect() }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// A line, counted from 1; empty behind the last.
    pub(super) fn line(&self, number: usize) -> &'a str {
        self.measured_line(number).0
    }

    fn measured_line(&self, number: usize) -> (&'a str, usize) {
        let index = number.checked_sub(1);
        index.and_then(|index| self.lines.get(index)).copied().unwrap_or_default()
    }

    /// The place that begins at a line and column and ends before another column of that line, or
    /// at its end; moved inside the text when it is not.
    pub(super) fn place(&self, line: usize, column: usize, end: Option<usize>) -> Place {
        let line = line.clamp(1, self.lines.len().max(1));
        let (_, length) = self.measured_line(line);
        let column = column.clamp(1, length + 1);
        let end = end.unwrap_or(length + 1).clamp(column, length + 1);
        Place { line, column, length: end - column }
    }

    /// Behind the last character.
    pub(super) fn end(&self) -> Place {
        self.place(self.lines.len(), usize::MAX, None)
    }
}
