//! What workers say about what runs, in lines.

use serde_json::{Value, json};

use crate::domain::push_option::Format;
use crate::domain::question::{Speaker, Told};

/// Makes lines of answers, for one reader.
#[derive(Debug, Clone, Copy)]
pub struct Teller {
    format: Format,
    /// How many targets the answer may be about.
    targets: usize,
}

impl Teller {
    /// A teller of an answer about so many targets.
    pub const fn new(format: Format, targets: usize) -> Self {
        Self { format, targets }
    }

    /// The lines that a part of an answer is shown as.
    pub fn lines(&self, told: &Told) -> Vec<String> {
        match self.format {
            Format::Json => json(told).iter().map(Value::to_string).collect(),
            Format::Full | Format::Quiet => self.text(told),
        }
    }

    fn text(&self, told: &Told) -> Vec<String> {
        match told {
            Told::Difference { cluster, summary, lines } => {
                let lines = lines.iter().map(|line| format!("  {line}"));
                std::iter::once(format!("{cluster}: {summary}")).chain(lines).collect()
            }
            Told::Container { of, state, ready, restarts, since } => {
                let since = since.map(|since| since.format("since %Y-%m-%d %H:%M").to_string());
                let state = if *ready || state != "running" { state } else { "not ready" };
                let again = match restarts {
                    0 => String::new(),
                    1 => "1 restart".to_owned(),
                    restarts => format!("{restarts} restarts"),
                };
                let (name, since) = (self.name(of), since.unwrap_or_default());
                let line = format!("{name:<32}  {state:<28}  {since:<22}  {again}");
                vec![line.trim_end().to_owned()]
            }
            Told::Line { of, text } => vec![format!("{} | {text}", self.name(of))],
            Told::Tried { summary, missing } => {
                std::iter::once(summary).chain(missing).cloned().collect()
            }
            Told::End { .. } => Vec::new(),
        }
    }

    /// `web[1]/app`, behind the target where there are several.
    fn name(&self, of: &Speaker) -> String {
        let Speaker { cluster, pod, replica, container } = of;
        let cluster = if self.targets > 1 { format!("{cluster}: ") } else { String::new() };
        format!("{cluster}{pod}[{replica}]/{container}")
    }
}

/// The same for programs; nothing for an end, which is no part of what was asked.
fn json(told: &Told) -> Option<Value> {
    match told {
        Told::Difference { cluster, summary, lines } => {
            Some(json!({"cluster": cluster, "summary": summary, "lines": lines}))
        }
        Told::Container { of, state, ready, restarts, since } => Some(json!({
            "cluster": of.cluster,
            "pod": of.pod,
            "replica": of.replica,
            "container": of.container,
            "state": state,
            "ready": ready,
            "restarts": restarts,
            "since": since,
        })),
        Told::Line { of, text } => Some(json!({
            "cluster": of.cluster,
            "pod": of.pod,
            "replica": of.replica,
            "container": of.container,
            "text": text,
        })),
        Told::Tried { summary, missing } => Some(json!({"summary": summary, "missing": missing})),
        Told::End { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn speaker(replica: &str) -> Speaker {
        Speaker {
            cluster: "main".to_owned(),
            pod: "web".to_owned(),
            replica: replica.to_owned(),
            container: "app".to_owned(),
        }
    }

    fn container(replica: &str, state: &str, restarts: i64) -> Told {
        let (state, ready) = (state.to_owned(), state == "running" && restarts == 0);
        let since = "2026-01-31T10:00:00Z".parse().ok().filter(|_| state == "running");
        Told::Container { of: speaker(replica), state, ready, restarts, since }
    }

    #[test]
    fn what_runs_is_told_in_columns_and_by_target_where_there_are_several() {
        let all = [
            container("1", "running", 0),
            container("2", "running", 1),
            container("3", "CrashLoopBackOff, exited 3", 2),
            Told::Line { of: speaker("1"), text: "GET /".to_owned() },
            Told::End { fault: None },
        ];
        let told = |targets: usize| {
            let teller = Teller::new(Format::Full, targets);
            all.iter().flat_map(|told| teller.lines(told)).collect::<Vec<_>>().join("\n")
        };
        assert_snapshot!(told(1), @"
        web[1]/app                        running                       since 2026-01-31 10:00
        web[2]/app                        not ready                     since 2026-01-31 10:00  1 restart
        web[3]/app                        CrashLoopBackOff, exited 3                            2 restarts
        web[1]/app | GET /
        ");
        assert!(told(2).starts_with("main: web[1]/app   "), "{}", told(2));
    }

    #[test]
    fn programs_read_one_object_a_line() {
        let difference = Told::Difference {
            cluster: "main".to_owned(),
            summary: "1 changed".to_owned(),
            lines: vec!["~ pod web".to_owned()],
        };
        let line = Told::Line { of: speaker("1"), text: "GET /".to_owned() };
        let teller = Teller::new(Format::Json, 1);
        let told: Vec<_> = [difference, line].iter().flat_map(|told| teller.lines(told)).collect();
        assert_snapshot!(told.join("\n"), @r#"
        {"cluster":"main","lines":["~ pod web"],"summary":"1 changed"}
        {"cluster":"main","container":"app","pod":"web","replica":"1","text":"GET /"}
        "#);
    }
}
