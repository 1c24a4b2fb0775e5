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

/// Columns that a pusher's name is shown in at least, if it has so many.
const PUSHER: usize = 20;

/// The first line of a job, whose number stands between `what` and `who`.
///
/// What does not fit is cut where it matters least: the commit's subject, then the pusher's name;
/// the job's number and the brackets around the key are always there.
pub(super) fn header(columns: usize, text: &str, number: &str) -> String {
    // The last one: a subject may say the same.
    let Some((what, who)) = text.rsplit_once(number) else { return cropped(text, columns) };
    if text.width() <= columns {
        return text.to_owned();
    }
    let (name, key) = who.rfind(" (").map_or((who, ""), |at| who.split_at(at));
    let left = columns.saturating_sub(what.width() + number.width() + key.width());
    let who = format!("{}{key}", cropped(name, left.max(PUSHER)));
    let (subject, quote) = what.strip_suffix('"').map_or((what, ""), |subject| (subject, "\""));
    let left = columns.saturating_sub(quote.len() + number.width() + who.width());
    cropped(&format!("{}{quote}{number}{who}", cropped(subject, left)), columns)
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
    use insta::assert_snapshot;
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

    #[test]
    fn a_long_subject_hides_neither_the_job_nor_the_pusher() {
        let header = |columns, subject: &str, pusher: &str| {
            let what = format!("pierhead · shop/production · 3f9c1ab \"{subject}\"");
            let text = format!("{what} · job 42 · {pusher} (SHA256:MHuR23…)");
            header(columns, &text, " · job 42 · ")
        };
        let subject = "Say \"job 42\" · job 42 · and go on as long as nobody ends this sentence";
        let shown = [
            header(COLUMNS, "Add cart", "ana"),
            header(COLUMNS, subject, "ana"),
            header(COLUMNS, subject, &"Anastasia ".repeat(9)),
            header(COLUMNS - 13, subject, "ana"),
            header(COLUMNS - 41, subject, &"Anastasia ".repeat(9)),
        ];
        assert_snapshot!(shown.join("\n"), @r#"
        pierhead · shop/production · 3f9c1ab "Add cart" · job 42 · ana (SHA256:MHuR23…)
        pierhead · shop/production · 3f9c1ab "Say "job 42" · job 4…" · job 42 · ana (SHA256:MHuR23…)
        pierhead · shop/production · 3f9c1ab "Say…" · job 42 · Anastasia Anastasia… (SHA256:MHuR23…)
        pierhead · shop/production · 3f9c1ab "Say "jo…" · job 42 · ana (SHA256:MHuR23…)
        …" · job 42 · Anastasia Anastasia… (SHA256:MHuR23…)
        "#);
    }

    proptest! {
        #[test]
        fn no_header_is_wider_than_its_columns(
            (columns, what, who) in (1..COLUMNS, "\\PC{0,99}", "\\PC{0,99}"),
        ) {
            let text = format!("{what} · job 1 · {who}");
            prop_assert!(header(columns, &text, " · job 1 · ").width() <= columns);
        }

        #[test]
        fn no_line_is_wider_than_a_terminal(text in "\\PC{0,200}", ms in proptest::option::of(any::<u64>())) {
            prop_assert!(visible_width(&step(COLUMNS, Step::Rollout, &text, ms)) <= COLUMNS);
            prop_assert!(visible_width(&tool(COLUMNS, &text)) <= COLUMNS);
        }
    }
}
