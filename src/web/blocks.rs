//! A History in parts: what Pierhead says stands by itself, and what a tool prints is folded away
//! where nobody needs it.

use askama::Template;

use crate::domain::job::{JobState, Outcome};
use crate::web::view::EntryView;

/// Lines of a tool that are shown at once, however well it went.
const FEW: usize = 20;

/// What stands below each other on the page of a job.
pub(super) enum Block {
    /// A row of Pierhead's.
    Row(EntryView),
    /// Lines that a tool has printed one after the other.
    Lines(Lines),
}

/// Lines of one step without another row between them.
#[derive(Template)]
#[template(path = "lines.html", config = ".askama.toml")]
pub(super) struct Lines {
    rows: Vec<EntryView>,
    /// Whether they are shown at once.
    is_open: bool,
}

impl Block {
    /// Its markup.
    pub(super) fn html(&self) -> askama::Result<String> {
        match self {
            Self::Row(row) => row.html(),
            Self::Lines(lines) => lines.render(),
        }
    }
}

impl Lines {
    /// What lines that come are put into.
    pub(super) const EMPTY: Self = Self { rows: Vec::new(), is_open: true };

    fn step(&self) -> &'static str {
        self.rows.first().map_or("", |row| row.step.as_str())
    }
}

/// Puts rows of a job into parts.
pub(super) fn blocks(state: JobState, rows: Vec<EntryView>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for row in rows {
        match blocks.last_mut() {
            _ if !row.is_line() => blocks.push(Block::Row(row)),
            Some(Block::Lines(lines)) if lines.step() == row.step.as_str() => lines.rows.push(row),
            Some(Block::Lines(_) | Block::Row(_)) | None => {
                blocks.push(Block::Lines(Lines { rows: vec![row], is_open: true }));
            }
        }
    }
    // Who looks at what failed wants all of it.
    if state.outcome().is_some_and(Outcome::is_good) {
        for block in &mut blocks {
            if let Block::Lines(lines) = block {
                lines.is_open = lines.rows.len() <= FEW;
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::domain::history::{Entry, EntryKind, Extra, Step};
    use crate::domain::ids::{Attempt, Seq};

    /// The parts of as many lines as these of two steps, with a result behind the first ones.
    fn parts(state: JobState, lines: [usize; 2]) -> Vec<String> {
        let row = |step, kind| {
            let (text, date) = ("text".to_owned(), DateTime::UNIX_EPOCH);
            let (seq, attempt, extra) = (Seq(1), Attempt(1), Extra::default());
            EntryView::new(&Entry { seq, attempt, step, kind, text, date, extra })
        };
        let many =
            |step, count| std::iter::repeat_with(move || row(step, EntryKind::Line)).take(count);
        let mut rows: Vec<_> = many(Step::Hooks, lines[0]).collect();
        rows.push(row(Step::Hooks, EntryKind::Result));
        rows.extend(many(Step::Hooks, 1).chain(many(Step::Image, lines[1])));
        let said = |block: Block| match block {
            Block::Row(_) => "row".to_owned(),
            Block::Lines(lines) => {
                format!("{} {} {}", lines.step(), lines.rows.len(), lines.is_open)
            }
        };
        blocks(state, rows).into_iter().map(said).collect()
    }

    #[test]
    fn many_lines_are_folded_away_where_all_went_well() {
        assert_eq!(
            parts(JobState::Ended(Outcome::Live), [20, 21]),
            ["hooks 20 true", "row", "hooks 1 true", "image 21 false"]
        );
        for state in [JobState::Running, JobState::Ended(Outcome::Failed)] {
            assert_eq!(parts(state, [30, 30])[0], "hooks 30 true");
        }
    }
}
