//! What BuildKit says of a build, as lines for people.

use std::collections::BTreeMap;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex};

use crate::building::Steps;
use crate::domain::output::{Lines, clean};
use crate::domain::redact::Redactor;

/// Shortest time of a step that is told, in milliseconds.
const TOLD: i64 = 100;

/// A step of the Dockerfile.
#[derive(Debug, Default)]
struct Seen {
    is_base: bool,
    is_cached: bool,
    stage: Stage,
}

/// How far a step has come.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Known,
    Begun,
    Ended,
}

/// Listens to a build.
#[derive(Debug)]
pub(super) struct Trace {
    redactor: Redactor,
    steps: BTreeMap<String, Seen>,
    /// What commands said since their last whole line.
    said: BTreeMap<String, Lines>,
}

impl Trace {
    /// Of a build whose commands may know these secrets.
    pub(super) fn new(redactor: &Redactor) -> Self {
        Self { redactor: redactor.clone(), steps: BTreeMap::new(), said: BTreeMap::new() }
    }

    /// Hears news, and gives what is shown of them.
    pub(super) fn hear(&mut self, news: StatusResponse) -> Vec<String> {
        let mut shown = Vec::new();
        for vertex in &news.vertexes {
            self.step(vertex, &mut shown);
        }
        for log in news.logs {
            shown.extend(
                self.said
                    .entry(log.vertex)
                    .or_insert_with(|| Lines::new(&self.redactor))
                    .push(&log.msg),
            );
        }
        shown
    }

    fn step(&mut self, vertex: &Vertex, shown: &mut Vec<String>) {
        let Some((place, what)) = step(&vertex.name) else { return };
        let seen = self.steps.entry(vertex.digest.clone()).or_default();
        seen.is_base = what.starts_with("FROM ");
        let begins = vertex.started.is_some() || vertex.cached || vertex.completed.is_some();
        if begins && seen.stage < Stage::Begun {
            seen.stage = Stage::Begun;
            shown.push(clean(format!("Step {place} : {what}").as_bytes()));
        }
        if vertex.cached && !seen.is_cached {
            seen.is_cached = true;
            if !seen.is_base {
                shown.push(" ---> Using cache".to_owned());
            }
        }
        let (Some(from), Some(to)) = (vertex.started, vertex.completed) else { return };
        if seen.stage == Stage::Ended {
            return;
        }
        seen.stage = Stage::Ended;
        let milliseconds =
            (to.seconds - from.seconds) * 1_000 + i64::from(to.nanos - from.nanos) / 1_000_000;
        if milliseconds >= TOLD && !seen.is_cached && vertex.error.is_empty() {
            let (seconds, tenths) = (milliseconds / 1_000, milliseconds % 1_000 / 100);
            shown.push(format!(" ---> {place} took {seconds}.{tenths} s"));
        }
    }

    /// What was never completed.
    pub(super) fn finish(&mut self) -> Vec<String> {
        self.said.values_mut().flat_map(Lines::finish).collect()
    }

    /// What was counted.
    pub(super) fn steps(&self) -> Steps {
        let steps = || self.steps.values().filter(|step| !step.is_base);
        Steps { all: steps().count(), cached: steps().filter(|step| step.is_cached).count() }
    }
}

/// `[web 2/3] RUN make`: the place of a step, and what it does.
fn step(name: &str) -> Option<(&str, &str)> {
    let (place, what) = name.strip_prefix('[')?.split_once("] ")?;
    let (number, all) = place.rsplit(' ').next()?.split_once('/')?;
    let is_number = |text: &str| text.parse::<usize>().is_ok();
    (is_number(number) && is_number(all)).then_some((place, what))
}

/// An engine's words without the names of those who passed them on.
pub(super) fn plain(words: &str) -> String {
    const PASSED_ON: [&str; 6] = [
        "failed to solve with frontend dockerfile.v0: ",
        "failed to solve with frontend gateway.v0: ",
        "failed to solve: ",
        "failed to create LLB definition: ",
        "failed to read dockerfile: ",
        "rpc error: code = Unknown desc = ",
    ];
    let mut words = words.trim();
    while let Some(rest) = PASSED_ON.iter().find_map(|start| words.strip_prefix(start)) {
        words = rest;
    }
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use bollard::moby::buildkit::v1::VertexLog;

    use super::*;

    fn vertex(digest: &str, name: &str) -> Vertex {
        Vertex { digest: digest.to_owned(), name: name.to_owned(), ..Vertex::default() }
    }

    #[test]
    fn steps_are_told_once_with_what_they_say_and_how_long_they_took() {
        let at = |seconds, nanos| {
            let mut vertex = vertex("2", "[web 2/3] RUN make");
            let begun = vertex.started.get_or_insert_default();
            begun.seconds = 10;
            begun.nanos = 900_000_000;
            if seconds > 0 {
                let ended = vertex.completed.get_or_insert_default();
                (ended.seconds, ended.nanos) = (seconds, nanos);
            }
            vertex
        };
        let cached = Vertex { cached: true, ..vertex("3", "[web 3/3] COPY a /a") };
        let log = |text: &str| VertexLog {
            vertex: "2".to_owned(),
            msg: text.as_bytes().to_vec(),
            ..VertexLog::default()
        };
        let news = |vertexes: Vec<Vertex>, logs| StatusResponse {
            vertexes,
            logs,
            ..StatusResponse::default()
        };
        let mut trace = Trace::new(&Redactor::default());
        let known = vec![
            vertex("0", "[internal] load metadata for docker.io/library/busybox:stable"),
            Vertex { cached: true, ..vertex("1", "[web 1/3] FROM docker.io/library/busybox") },
            vertex("2", "[web 2/3] RUN make"),
            vertex("3", "[web 3/3] COPY a /a"),
        ];
        let mut shown = trace.hear(news(known, vec![]));
        shown.extend(
            trace.hear(news(vec![at(0, 0), at(0, 0)], vec![log("one\ntw"), log("o\nend")])),
        );
        shown.extend(trace.hear(news(vec![at(12, 100_000_000), cached], vec![])));
        shown.extend(trace.finish());
        assert_eq!(
            shown,
            [
                "Step web 1/3 : FROM docker.io/library/busybox",
                "Step web 2/3 : RUN make",
                "one",
                "two",
                " ---> web 2/3 took 1.2 s",
                "Step web 3/3 : COPY a /a",
                " ---> Using cache",
                "end",
            ]
        );
        assert_eq!(trace.steps(), Steps { all: 2, cached: 1 });
    }

    #[test]
    fn words_are_those_of_whoever_said_them_first() {
        assert_eq!(
            plain(
                "failed to solve with frontend dockerfile.v0: failed to create LLB definition: \
                 dockerfile parse error line 1: unknown instruction: FORM"
            ),
            "dockerfile parse error line 1: unknown instruction: FORM"
        );
    }
}
