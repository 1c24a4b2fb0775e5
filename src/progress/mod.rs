//! The History, and what workers say, made into what a person or a program reads.
//!
//! Lines are whole, at most [`COLUMNS`] wide, and hold no control characters but colours: git
//! shows them behind `remote: `, and an SSH command as they are.

mod duration;
mod layout;
mod told;

use serde_json::{Value, json};

use crate::domain::environment::EnvironmentName;
use crate::domain::history::{End, Entry, EntryKind, Step};
use crate::domain::ids::JobNumber;
use crate::domain::job::Outcome;
use crate::domain::push_option::Format;

pub use duration::spoken;
pub use layout::{COLUMNS, message};
pub use told::Teller;

/// Tool lines of one step that are shown while it runs. The rest is counted, and is stored.
const MOST_TOOL_LINES: usize = 2_000;

/// Lines of a failing step that a quiet reader still gets.
const MOST_HELD: usize = 50;

/// Who is told about which job.
#[derive(Debug, Clone)]
pub struct Printer {
    format: Format,
    job: JobNumber,
    environment: EnvironmentName,
    label: String,
    columns: usize,
    shown: Option<(Step, usize)>,
    held: Vec<String>,
    current: Step,
}

/// Whether a reader follows one job or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One: lines need no name.
    OneJob,
    /// Several: each line begins with its environment.
    SeveralJobs,
}

impl Printer {
    /// A printer for one reader of one job.
    pub fn new(
        format: Format,
        job: JobNumber,
        environment: EnvironmentName,
        audience: Audience,
    ) -> Self {
        let label = match audience {
            Audience::OneJob => String::new(),
            Audience::SeveralJobs => format!("{environment:<12.40} "),
        };
        let columns = COLUMNS.saturating_sub(label.len());
        let (shown, held, current) = (None, Vec::new(), Step::Queue);
        Self { format, job, environment, label, columns, shown, held, current }
    }

    /// The lines a row is shown as.
    pub fn entry(&mut self, entry: &Entry) -> Vec<String> {
        self.current = entry.step;
        match self.format {
            Format::Json => vec![self.json(entry)],
            Format::Full => self.full(entry),
            Format::Quiet => self.quiet(entry),
        }
    }

    /// The step of the last row that was shown.
    pub const fn current(&self) -> Step {
        self.current
    }

    /// A line that is seen and never stored: a place in the queue, a sign of life.
    pub fn aside(&self, verb: &str, text: &str) -> Vec<String> {
        match self.format {
            Format::Full => vec![self.labelled(layout::line(self.columns, verb, text, None))],
            Format::Quiet => Vec::new(),
            Format::Json => {
                let (job, environment) = (self.job, &self.environment);
                let aside =
                    json!({"job": job, "environment": environment, "aside": verb, "text": text});
                vec![aside.to_string()]
            }
        }
    }

    fn json(&self, entry: &Entry) -> String {
        let mut object = json!({"job": self.job, "environment": self.environment});
        if let (Some(object), Ok(Value::Object(fields))) =
            (object.as_object_mut(), serde_json::to_value(entry))
        {
            object.extend(fields);
        }
        object.to_string()
    }

    fn full(&mut self, entry: &Entry) -> Vec<String> {
        let mut lines = Vec::new();
        if entry.kind == EntryKind::Line {
            let count = self.count_tool_line(entry.step);
            if count <= MOST_TOOL_LINES {
                lines.push(self.labelled(layout::tool(self.columns, &entry.text)));
            }
            return lines;
        }
        if let Some((_, count @ MOST_TOOL_LINES..)) = self.shown.take() {
            let omitted = count - MOST_TOOL_LINES;
            if omitted > 0 {
                lines.push(
                    self.labelled(layout::tool(
                        self.columns,
                        &format!("… {omitted} lines omitted"),
                    )),
                );
            }
        }
        if !entry.text.is_empty() {
            lines.push(self.labelled(self.row(entry)));
        }
        lines
    }

    fn count_tool_line(&mut self, step: Step) -> usize {
        let before = match self.shown {
            Some((of, count)) if of == step => count,
            _ => 0,
        };
        self.shown = Some((step, before + 1));
        before + 1
    }

    /// The first row, what a plan says, what came last in a step that failed, and the end.
    fn quiet(&mut self, entry: &Entry) -> Vec<String> {
        match (entry.kind, entry.step, &entry.extra.end) {
            (EntryKind::Step, Step::Job | Step::Live, _) | (EntryKind::Result, Step::Plan, _) => {
                vec![self.labelled(self.row(entry))]
            }
            (EntryKind::Line, Step::Plan, _) => {
                vec![self.labelled(layout::tool(self.columns, &entry.text))]
            }
            (EntryKind::End, _, Some(end)) => {
                let held = std::mem::take(&mut self.held);
                let failed = !end.outcome.is_good();
                let end = (!entry.text.is_empty()).then(|| self.labelled(self.row(entry)));
                held.into_iter().filter(|_| failed).chain(end).collect()
            }
            (EntryKind::Line, ..) => {
                self.hold(layout::tool(self.columns, &entry.text));
                Vec::new()
            }
            (EntryKind::Step, ..) => {
                self.held.clear();
                Vec::new()
            }
            (EntryKind::Result | EntryKind::End, ..) => {
                self.hold(self.row(entry));
                Vec::new()
            }
        }
    }

    fn hold(&mut self, line: String) {
        if self.held.len() >= MOST_HELD {
            self.held.remove(0);
        }
        self.held.push(self.labelled(line));
    }

    fn row(&self, entry: &Entry) -> String {
        if entry.step == Step::Job {
            return layout::header(self.columns, &entry.text, &number_in_header(self.job));
        }
        layout::step(self.columns, entry.step, &entry.text, entry.extra.ms)
    }

    fn labelled(&self, line: String) -> String {
        if self.label.is_empty() { line } else { format!("{}{line}", self.label) }
    }
}

/// What stands in a History's first row between what is deployed and who deploys it.
pub fn number_in_header(job: JobNumber) -> String {
    format!(" · job {job} · ")
}

/// Why a push is not live, in git's rejection line.
pub fn rejection(job: JobNumber, end: &End) -> String {
    match end.failed_step {
        None if end.outcome == Outcome::Planned => end.reason.clone(),
        Some(step) => format!("{step}: {}, job {job}", end.reason),
        None => format!("job {job}: {}", end.reason),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::history::{Extra, NewEntry};
    use crate::domain::ids::{Attempt, Seq};

    fn history() -> Vec<Entry> {
        let end = End {
            outcome: Outcome::Failed,
            failed_step: Some(Step::Rollout),
            reason: "web exited 1".to_owned(),
            exit_code: 1,
        };
        let rows = [
            NewEntry::new(Step::Job, EntryKind::Step, "pierhead · shop/production · job 42"),
            NewEntry::result(Step::Check, ".paas.yaml: 2 pods", 12),
            NewEntry::new(Step::Image, EntryKind::Step, "building web"),
            NewEntry::new(Step::Image, EntryKind::Line, "Step 1/2 : FROM busybox"),
            NewEntry::result(Step::Image, "web 9d1e", 14_000),
            NewEntry::new(Step::Rollout, EntryKind::Step, ""),
            NewEntry::result(Step::Rollout, "web 0/2: exited 1 after start", 45_000),
            NewEntry::new(Step::Rollout, EntryKind::Line, "missing env DATABASE_URL"),
            NewEntry::result(Step::Undone, "v17 kept serving", 20),
            NewEntry::end(Step::Help, "ssh git@host logs 42 --step rollout", None, end),
        ];
        let entry = |(seq, row): (i64, NewEntry)| Entry {
            seq: Seq(seq),
            attempt: Attempt(1),
            step: row.step,
            kind: row.kind,
            text: row.text,
            date: DateTime::UNIX_EPOCH,
            extra: row.extra,
        };
        (1..).zip(rows).map(entry).collect()
    }

    fn printed(format: Format, audience: Audience) -> String {
        let environment = "production".parse().unwrap();
        let mut printer = Printer::new(format, JobNumber(42), environment, audience);
        let lines: Vec<_> = history().iter().flat_map(|entry| printer.entry(entry)).collect();
        lines.join("\n")
    }

    #[test]
    fn a_person_reads_a_line_a_step_and_what_the_tools_said() {
        assert_snapshot!(printed(Format::Full, Audience::OneJob), @"
        pierhead · shop/production · job 42
        check     .paas.yaml: 2 pods                                                           0.0 s
        image     building web
                  | Step 1/2 : FROM busybox
        image     web 9d1e                                                                    14.0 s
        rollout   web 0/2: exited 1 after start                                               45.0 s
                  | missing env DATABASE_URL
        undone    v17 kept serving                                                             0.0 s
        help      ssh git@host logs 42 --step rollout
        ");
    }

    #[test]
    fn a_quiet_reader_gets_the_first_the_failing_and_the_last_lines() {
        assert_snapshot!(printed(Format::Quiet, Audience::SeveralJobs), @"
        production   pierhead · shop/production · job 42
        production   rollout   web 0/2: exited 1 after start                                  45.0 s
        production             | missing env DATABASE_URL
        production   undone    v17 kept serving                                                0.0 s
        production   help      ssh git@host logs 42 --step rollout
        ");
    }

    #[test]
    fn a_program_reads_one_object_a_line() {
        let text = printed(Format::Json, Audience::SeveralJobs);
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&first["job"], &first["seq"]), (&json!(42), &json!(1)));
        assert_snapshot!(text.lines().last().unwrap(), @r#"{"attempt":1,"date":"1970-01-01T00:00:00Z","end":{"exit_code":1,"failed_step":"rollout","outcome":"failed","reason":"web exited 1"},"environment":"production","job":42,"kind":"end","seq":10,"step":"help","text":"ssh git@host logs 42 --step rollout"}"#);
    }

    #[test]
    fn of_too_many_tool_lines_the_rest_is_counted() {
        let environment = "production".parse().unwrap();
        let mut printer = Printer::new(Format::Full, JobNumber(1), environment, Audience::OneJob);
        let row = |kind, extra| Entry {
            seq: Seq(1),
            attempt: Attempt(1),
            step: Step::Image,
            kind,
            text: "x".to_owned(),
            date: DateTime::UNIX_EPOCH,
            extra,
        };
        let line = row(EntryKind::Line, Extra::default());
        let shown = (0..MOST_TOOL_LINES + 7).flat_map(|_| printer.entry(&line)).count();
        let end = printer.entry(&row(EntryKind::Result, Extra::default()));
        assert_eq!((shown, end[0].trim()), (MOST_TOOL_LINES, "| … 7 lines omitted"));
    }

    #[test]
    fn a_rejection_names_step_cause_and_job() {
        let end = history().pop().unwrap().extra.end.unwrap();
        assert_eq!(rejection(JobNumber(42), &end), "rollout: web exited 1, job 42");
        let end = End { failed_step: None, reason: "superseded by job 43".to_owned(), ..end };
        assert_eq!(rejection(JobNumber(42), &end), "job 42: superseded by job 43");
        let end = End { outcome: Outcome::Planned, reason: "plan only".to_owned(), ..end };
        assert_eq!(rejection(JobNumber(42), &end), "plan only");
    }
}
