//! What is told while something is waited for: how far it is, and what work prints.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::deploy::kubernetes_target::reference;
use crate::deploy::ready::PodReady;
use crate::domain::output::Excerpt;
use crate::kubernetes::{Cluster, Error, Printed, Progress};
use crate::manifests::Manifest;

/// Lines of one Job that may wait to be told; then its logs wait.
const BACKLOG: usize = 64;

/// Lines of all work after which people may not have seen the last ones: a push shows only so many.
const SEEN: usize = 1_000;

/// Who hears how far things are on a cluster, and what work prints there.
#[derive(Debug, Clone)]
pub struct Telling {
    /// Before the name of everything, where there are several clusters.
    pub cluster: Option<String>,
    /// Hears how far pods and work are.
    pub states: mpsc::Sender<PodReady>,
    /// Hears lines, without secrets.
    pub lines: mpsc::Sender<String>,
    /// How many lines work has printed on all clusters.
    pub printed: Arc<AtomicUsize>,
}

impl Telling {
    /// Nobody hears anything.
    pub fn nobody() -> Self {
        let ((states, _), (lines, _)) = (mpsc::channel(1), mpsc::channel(1));
        Self { cluster: None, states, lines, printed: Arc::default() }
    }

    pub(super) fn state(&self, item: &Manifest, progress: &Progress) {
        let number = |count: i64| u32::try_from(count).unwrap_or_default();
        let (ready, total) = (number(progress.ready), number(progress.wanted));
        // A state that is not heard is followed by a later one.
        drop(self.states.try_send(PodReady { pod: self.name(item), ready, total }));
    }

    pub(super) async fn line(&self, line: String) {
        // Nobody hears it when what was waited for was given up.
        self.lines.send(line).await.ok();
    }

    /// What the file calls it.
    pub(super) fn name(&self, item: &Manifest) -> String {
        let name = thing(&item.at);
        match &self.cluster {
            Some(cluster) => format!("{cluster}: {name}"),
            None => name,
        }
    }

    /// Tells what a Job prints until it is waited for no more, and gives containers whose logs people
    /// have seen to their end.
    ///
    /// Each line is led by `name`, if there is one. Of what one Job prints the first and the last 128 KiB are told.
    pub(super) async fn print(
        &self,
        (api, item): (&Cluster, &Manifest),
        name: Option<String>,
        over: oneshot::Receiver<()>,
    ) -> Result<BTreeSet<(String, String)>, Error> {
        let (said, mut heard) = mpsc::channel(BACKLOG);
        let job = reference(&item.object);
        let following = async move {
            let over = async { over.await.unwrap_or_default() };
            api.follow_job(&job, over, &said).await
        };
        let passing = async {
            let speakers = Speakers::of(item.object.value());
            let mut excerpt = Excerpt::default();
            while let Some(printed) = heard.recv().await {
                let line = speakers.led(name.clone(), printed);
                self.printed.fetch_add(1, Ordering::Relaxed);
                if let Some(line) = excerpt.push(line) {
                    self.line(line).await;
                }
            }
            for line in excerpt.finish() {
                self.line(line).await;
            }
        };
        let read = tokio::join!(following, passing).0?;
        Ok(if self.printed.load(Ordering::Relaxed) <= SEEN { read } else { BTreeSet::new() })
    }
}

/// A pod or work as people call it, by its place in the file: `web`, `count/run`.
pub(super) fn thing(at: &str) -> String {
    let at = at.strip_prefix("pods.").or_else(|| at.strip_prefix("jobs.")).unwrap_or(at);
    at.replace(".pods.", "/")
}

/// Who may print in a Job.
#[derive(Debug, Clone, Copy)]
struct Speakers {
    are_pods: bool,
    are_containers: bool,
}

impl Speakers {
    fn of(job: &Value) -> Self {
        let completions = job.pointer("/spec/completions").and_then(Value::as_i64);
        let containers = job.pointer("/spec/template/spec/containers").and_then(Value::as_array);
        Self {
            are_pods: completions.is_some_and(|completions| completions > 1),
            are_containers: containers.is_some_and(|containers| containers.len() > 1),
        }
    }

    /// A line, led by as much as is needed to know who printed it.
    fn led(self, name: Option<String>, printed: Printed) -> String {
        let Printed { pod, index, container, line } = printed;
        let pod = index.unwrap_or_else(|| pod.rsplit('-').next().unwrap_or_default().to_owned());
        let of_pod = self.are_pods.then(|| format!("[{pod}]"));
        let parts = [
            name.map(|name| format!("{name}{}", of_pod.as_deref().unwrap_or_default())).or(of_pod),
            self.are_containers.then_some(container),
        ];
        let speaker: Vec<String> = parts.into_iter().flatten().collect();
        if speaker.is_empty() { line } else { format!("{} | {line}", speaker.join("/")) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_led_by_no_more_than_is_needed() {
        let led = |completions: u32, containers: usize, name: Option<&str>, index: Option<&str>| {
            let containers = vec![json!({}); containers];
            let spec = json!({"containers": containers});
            let job = json!({"spec": {"completions": completions, "template": {"spec": spec}}});
            Speakers::of(&job).led(
                name.map(str::to_owned),
                Printed {
                    pod: "count-run-job-x7k2p".to_owned(),
                    index: index.map(str::to_owned),
                    container: "app".to_owned(),
                    line: "hi".to_owned(),
                },
            )
        };
        assert_eq!(led(1, 1, None, None), "hi");
        assert_eq!(led(1, 1, Some("count/run"), None), "count/run | hi");
        assert_eq!(led(3, 1, Some("count/run"), Some("2")), "count/run[2] | hi");
        assert_eq!(led(3, 1, None, None), "[x7k2p] | hi");
        assert_eq!(led(1, 2, None, None), "app | hi");
        assert_eq!(led(3, 2, Some("count/run"), Some("0")), "count/run[0]/app | hi");
    }
}
