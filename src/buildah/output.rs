//! What Buildah says of a build, as lines for people.

use std::collections::BTreeMap;

use crate::building::Steps;
use crate::domain::output::clean;

/// Listens to a build.
#[derive(Debug)]
pub(super) struct Output {
    /// How labels of ours are written as steps; nobody wrote those, so they are not told.
    labels: Vec<String>,
    /// Names in whose place there are others, and those.
    names: Vec<(String, String)>,
    step: Step,
    steps: Steps,
    /// What may be the fault that ends the build, or a line that begins like it.
    held: Option<String>,
}

/// What the build is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Base,
    Own,
    Label,
}

impl Output {
    /// For a build with these labels, in which some images are called by other names.
    pub(super) fn new(labels: &BTreeMap<String, String>, names: Vec<(String, String)>) -> Self {
        let labels = labels.keys().map(|key| format!("LABEL \"{key}\"=")).collect();
        Self { labels, names, step: Step::Base, steps: Steps::default(), held: None }
    }

    /// Hears a line, and gives what is shown.
    pub(super) fn hear(&mut self, line: String) -> Vec<String> {
        let mut shown: Vec<String> = self.held.take().into_iter().collect();
        if line.starts_with("Error: ") {
            self.held = Some(line);
        } else {
            shown.extend(self.show(line));
        }
        shown
    }

    fn show(&mut self, line: String) -> Option<String> {
        if let Some((place, what)) = step(&line) {
            self.step = match what {
                what if what.starts_with("FROM ") => Step::Base,
                what if self.labels.iter().any(|label| what.starts_with(label)) => Step::Label,
                _ => Step::Own,
            };
            if self.step == Step::Own {
                self.steps.all += 1;
            }
            let mut what = what.to_owned();
            for (name, other) in &self.names {
                what = what.replace(other, name);
            }
            return (self.step != Step::Label).then(|| format!("Step {place} : {what}"));
        }
        if line.starts_with("--> Using cache ") {
            if self.step == Step::Own {
                self.steps.cached += 1;
            }
            return (self.step == Step::Own).then(|| " ---> Using cache".to_owned());
        }
        (!is_bookkeeping(&line)).then_some(line)
    }

    /// What was counted.
    pub(super) const fn steps(&self) -> Steps {
        self.steps
    }

    /// The fault that ended the build, if it said one.
    pub(super) fn fault(&mut self) -> Option<String> {
        self.held.take().map(|line| plain(&line).to_owned())
    }
}

/// `[2/3] STEP 4/7: RUN make`: the place of a step, and what it does. How many there are is not
/// told: those of ours are among them.
fn step(line: &str) -> Option<(String, &str)> {
    let (stage, rest) = match line.strip_prefix('[') {
        Some(rest) => {
            let (stage, rest) = rest.split_once("] ")?;
            (Some(stage), rest)
        }
        None => (None, line),
    };
    let (place, what) = rest.strip_prefix("STEP ")?.split_once(": ")?;
    let (number, _) = place.split_once('/')?;
    number.parse::<usize>().ok()?;
    Some((
        stage.map_or_else(|| number.to_owned(), |stage| format!("{number} of stage {stage}")),
        what,
    ))
}

/// Names of layers, and what is said about storing them.
fn is_bookkeeping(line: &str) -> bool {
    const BEGINS: [&str; 9] = [
        "--> ",
        "COMMIT",
        "Successfully tagged ",
        "Getting image source signatures",
        "Copying blob ",
        "Copying config ",
        "Writing manifest to image destination",
        "Storing signatures",
        "subprocess exited ",
    ];
    let is_id = line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit());
    let bare = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((stage, rest)) if stage.contains('/') => rest,
        _ => line,
    };
    is_id || bare.starts_with("COMMIT") || BEGINS.iter().any(|begin| line.starts_with(begin))
}

/// What a program complained of when it refused.
pub(super) fn complaint(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let fault = lines.iter().rposition(|line| line.starts_with("Error: "));
    let words = lines.get(fault.unwrap_or_else(|| lines.len().saturating_sub(1))..);
    plain(&clean(words.unwrap_or_default().join(" ").as_bytes())).to_owned()
}

/// A complaint without the names of those who passed it on.
fn plain(words: &str) -> &str {
    const PASSED_ON: [&str; 3] = ["Error: ", "creating build container: ", "building: "];
    let mut words = words.trim();
    while let Some(rest) = PASSED_ON.iter().find_map(|name| words.strip_prefix(name)) {
        words = rest;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_and_counted_and_those_of_ours_are_not() {
        let said = [
            "[1/2] STEP 1/2: FROM localhost/by-digest:ab AS a",
            "[1/2] STEP 2/2: RUN echo one > /one",
            "--> Using cache c1ca1d81daf45c5b9b1b8e5a73be0bbdc44847e1b0047380e0398fd3d38cc143",
            "--> c1ca1d81daf",
            "[2/2] STEP 1/4: FROM busybox:stable",
            "[2/2] STEP 2/4: RUN make",
            "Error: this is the program's own",
            "made",
            "[2/2] STEP 3/4: LABEL \"pierhead.dev/job\"=\"1\"",
            "--> Using cache b1a89cb8570a29c33af1e39c529f221f87c9666b4f1dbe8be183e20230efc3d4",
            "[2/2] STEP 4/4: LABEL \"mine\"=\"1\"",
            "[2/2] COMMIT acme/x:1",
            "Successfully tagged localhost/acme/x:1",
            "9aac5965cabdeaae347f49d8204aaa274c7827b4b3521a9dfd312b3c7da762fd",
        ];
        let labels = BTreeMap::from([("pierhead.dev/job".to_owned(), "1".to_owned())]);
        let names = vec![("a@sha256:1".to_owned(), "localhost/by-digest:ab".to_owned())];
        let mut output = Output::new(&labels, names);
        let shown: Vec<String> =
            said.iter().flat_map(|line| output.hear((*line).to_owned())).collect();
        assert_eq!(
            shown,
            [
                "Step 1 of stage 1/2 : FROM a@sha256:1 AS a",
                "Step 2 of stage 1/2 : RUN echo one > /one",
                " ---> Using cache",
                "Step 1 of stage 2/2 : FROM busybox:stable",
                "Step 2 of stage 2/2 : RUN make",
                "Error: this is the program's own",
                "made",
                "Step 4 of stage 2/2 : LABEL \"mine\"=\"1\"",
            ]
        );
        assert_eq!(output.steps(), Steps { all: 3, cached: 1 });
        assert_eq!(output.fault(), None);
    }

    #[test]
    fn the_last_complaint_is_the_fault() {
        let mut output = Output::new(&BTreeMap::new(), Vec::new());
        assert!(output.hear("Error: building: no stages to build".to_owned()).is_empty());
        assert_eq!(output.fault().as_deref(), Some("no stages to build"));
        let text = "time=1 level=error\nError: creating build container: a:1: image not known\n";
        assert_eq!(complaint(text), "a:1: image not known");
        assert_eq!(complaint(""), "");
    }
}
