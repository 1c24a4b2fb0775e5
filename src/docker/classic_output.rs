//! What the classic builder says, without what it says about us.
//!
//! The engine applies labels as steps of their own behind the last one of the Dockerfile. Nobody
//! wrote them, so they are neither shown nor counted.

use crate::building::Steps;

/// Listens to a build.
#[derive(Debug)]
pub(super) struct BuildOutput {
    labels: usize,
    of_labels: bool,
    steps: Steps,
}

impl BuildOutput {
    /// For a build to which so many labels are applied.
    pub(super) fn new(labels: usize) -> Self {
        Self { labels, of_labels: false, steps: Steps::default() }
    }

    /// Hears a line, and gives what is shown of it.
    pub(super) fn hear(&mut self, line: String) -> Option<String> {
        if let Some((number, all, what)) = step(&line) {
            let all = all.saturating_sub(self.labels);
            self.of_labels = number > all;
            self.steps.all = all.saturating_sub(1);
            return (!self.of_labels).then(|| format!("Step {number}/{all} : {what}"));
        }
        if self.of_labels || is_bookkeeping(&line) {
            return None;
        }
        if line.trim() == "---> Using cache" {
            self.steps.cached += 1;
        }
        Some(line)
    }

    /// What was counted.
    pub(super) const fn steps(&self) -> Steps {
        self.steps
    }
}

/// Names of layers and containers that come and go.
fn is_bookkeeping(line: &str) -> bool {
    let is_id = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
    [" ---> ", " ---> Running in ", "Removing intermediate container "]
        .iter()
        .any(|start| line.strip_prefix(start).is_some_and(is_id))
}

/// `Step 2/12 : RUN make`
fn step(line: &str) -> Option<(usize, usize, &str)> {
    let (place, what) = line.strip_prefix("Step ")?.split_once(" : ")?;
    let (number, all) = place.split_once('/')?;
    Some((number.parse().ok()?, all.parse().ok()?, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_ours_and_names_of_layers_are_not_shown() {
        let said = [
            "Step 1/5 : FROM busybox:stable",
            " ---> 43a481b4b343",
            "Step 2/5 : RUN make",
            " ---> Using cache",
            " ---> 8a7e6f9d9c1a",
            "Step 3/5 : CMD run",
            " ---> Running in 3e5d3e5d3e5d",
            " ---> this is the program's own",
            "Removing intermediate container 3e5d3e5d3e5d",
            "Step 4/5 : LABEL pierhead.dev/project=1",
            " ---> Using cache",
            "Step 5/5 : LABEL pierhead.dev/environment=1",
            " ---> Running in 77ab",
            "Successfully built 9d1e",
        ];
        let mut output = BuildOutput::new(2);
        let shown: Vec<_> =
            said.iter().filter_map(|line| output.hear((*line).to_owned())).collect();
        assert_eq!(
            shown,
            [
                "Step 1/3 : FROM busybox:stable",
                "Step 2/3 : RUN make",
                " ---> Using cache",
                "Step 3/3 : CMD run",
                " ---> this is the program's own",
            ]
        );
        assert_eq!(output.steps(), Steps { all: 2, cached: 1 });
    }
}
