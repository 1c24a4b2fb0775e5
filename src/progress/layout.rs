//! Columns of a line.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::domain::history::Step;
use crate::progress::duration::measured;

/// Most columns of a line, git's `remote: ` left out.
pub const COLUMNS: usize = 92;

/// Columns of the verb.
const VERB: usize = 10;

/// A line that starts or ends a step: verb, text, and the time it took at the right.
pub(super) fn step(columns: usize, step: Step, text: &str, ms: Option<u64>) -> String {
    line(columns, step.as_str(), text, ms)
}

/// A line of the same form that belongs to no job.
pub fn message(verb: &str, text: &str) -> String {
    line(COLUMNS, verb, text, None)
}

pub(super) fn line(columns: usize, verb: &str, text: &str, ms: Option<u64>) -> String {
    let time = ms.map(measured).unwrap_or_default();
    let taken = VERB + if time.is_empty() { 0 } else { time.width() + 1 };
    let text = cropped(text, columns.saturating_sub(taken));
    if time.is_empty() {
        return format!("{verb:<VERB$}{text}");
    }
    let gap = columns.saturating_sub(VERB + visible_width(&text) + time.width());
    format!("{verb:<VERB$}{text}{:gap$}{time}", "")
}

/// A line of a tool, set off from our own.
pub(super) fn tool(columns: usize, text: &str) -> String {
    format!("{:<VERB$}| {}", "", cropped(text, columns.saturating_sub(VERB + 2)))
}

/// Cuts a text to so many columns; colours take none, and are ended.
pub(super) fn cropped(text: &str, columns: usize) -> String {
    if visible_width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::with_capacity(text.len());
    let (mut width, mut in_escape, mut coloured) = (0, false, false);
    for c in text.chars() {
        if c == '\u{1b}' {
            (in_escape, coloured) = (true, true);
        }
        if in_escape {
            in_escape = c != 'm';
        } else {
            width += c.width().unwrap_or(0);
            if width >= columns {
                break;
            }
        }
        kept.push(c);
    }
    kept.push('…');
    if coloured {
        kept.push_str("\u{1b}[0m");
    }
    kept
}

fn visible_width(text: &str) -> usize {
    if !text.contains('\u{1b}') {
        return text.width();
    }
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().width();
    let after = |part: &str| part.split_once('m').map_or(0, |(_, text)| text.width());
    first + parts.map(after).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_stand_at_the_right() {
        let line = step(COLUMNS, Step::Image, "shop/web", Some(14_000));
        assert_eq!(line.width(), COLUMNS);
        assert!(line.starts_with("image     shop/web  ") && line.ends_with("  14.0 s"), "{line}");
    }

    #[test]
    fn a_long_text_is_cut_and_its_colour_ended() {
        let text = format!("\u{1b}[31m{}", "x".repeat(200));
        let line = tool(COLUMNS, &text);
        assert_eq!(visible_width(&line), COLUMNS);
        assert!(line.ends_with("…\u{1b}[0m"));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_a_terminal(text in "\\PC{0,200}", ms in proptest::option::of(any::<u64>())) {
            prop_assert!(visible_width(&step(COLUMNS, Step::Rollout, &text, ms)) <= COLUMNS);
            prop_assert!(visible_width(&tool(COLUMNS, &text)) <= COLUMNS);
        }
    }
}
