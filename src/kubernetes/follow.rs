//! What the pods of a Job, or of what serves, print, told while they do.
//!
//! Each container is read by one connection at a time, and by the next one where that ended: for a
//! server that goes away, a log that is quiet for long, or a container that was started again.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use chrono::SecondsFormat;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::domain::output::Lines;
use crate::domain::stamped::Stamped;
use crate::kubernetes::json::{annotation, count, list, number, text};
use crate::kubernetes::object::{ObjectRef, POD};
use crate::kubernetes::remove::JOB_OF_POD;
use crate::kubernetes::watch::{Mirror, Selection};
use crate::kubernetes::wire::{Call, Failure, failure};
use crate::kubernetes::{Cluster, Error};

/// Pause before a container is read on.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest time in which a connection brings nothing: it may be dead without a word.
const QUIET: Duration = Duration::from_secs(60);

/// Longest wait for what ended containers printed, and for those that run on, when the Job is over.
const LAST_WORDS: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(2));

/// Lines that are told of what could not be read in time, and what leads them.
const LAST_LINES: usize = 50;
const SKIPPED: &str = "… what came before the following was printed faster than it was read …";

/// A line that a container printed, safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The pod.
    pub pod: String,
    /// Which completion it is for, where they are numbered.
    pub index: Option<String>,
    /// The container.
    pub container: String,
    /// The line.
    pub line: String,
}

/// A pod and one of its containers.
type Key = (String, String);

/// A container that is read.
struct Reader {
    key: Key,
    index: Option<String>,
    stamped: Stamped,
    lines: Lines,
    /// How many lines it begins with; none: all of them.
    last: Option<u32>,
    /// How often it had been started again when it was read last.
    restarts: i64,
    /// Whether it had ended for good before it was read last.
    was_over: bool,
    ended: Result<(), Error>,
}

/// Which run of a container is read, and whether for as long as it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Previous,
    Follow,
    Rest,
}

/// Everything that is read.
struct Desk<'s> {
    cluster: Cluster,
    said: &'s mpsc::Sender<Printed>,
    /// How many lines of before are told; none: all of them.
    last: Option<u32>,
    begun: BTreeSet<Key>,
    reading: FuturesUnordered<BoxFuture<'static, Reader>>,
    /// Containers that were read to their end.
    read: BTreeSet<Key>,
}

impl Cluster {
    /// Tells what a Job's containers print, until it is over and what is left was read.
    ///
    /// Gives pods and containers that were read to their end. May be dropped at any time.
    ///
    /// # Errors
    ///
    /// When logs may not be read, or the cluster does not answer for longer than patience lasts.
    pub async fn follow_job(
        &self,
        job: &ObjectRef,
        over: impl Future<Output = ()>,
        said: &mpsc::Sender<Printed>,
    ) -> Result<BTreeSet<(String, String)>, Error> {
        let job = self.placed(job);
        let cluster = self.clone().within(job.namespace.as_deref().unwrap_or(&self.namespace));
        let Some(found) = self.get(&job).await? else { return Ok(BTreeSet::new()) };
        let labels = format!("{JOB_OF_POD}={}", text(&found, "/metadata/uid"));
        cluster.follow(labels, None, over, said).await
    }

    /// Tells what containers of pods with these labels print, after so many lines of before, for as
    /// long as somebody hears it. Pods may come and go.
    ///
    /// # Errors
    ///
    /// When logs may not be read, or the cluster does not answer for longer than patience lasts.
    pub async fn follow_pods(
        &self,
        labels: String,
        last: u32,
        said: &mpsc::Sender<Printed>,
    ) -> Result<(), Error> {
        self.follow(labels, Some(last), said.closed(), said).await.map(drop)
    }

    async fn follow(
        &self,
        labels: String,
        last: Option<u32>,
        over: impl Future<Output = ()>,
        said: &mpsc::Sender<Printed>,
    ) -> Result<BTreeSet<Key>, Error> {
        let cluster = self;
        let mut watch = cluster.watch(&POD, &Selection::Labelled(labels.clone()));
        let mut pods = Mirror::default();
        let mut desk = Desk {
            cluster: cluster.clone(),
            said,
            last,
            begun: BTreeSet::new(),
            reading: FuturesUnordered::new(),
            read: BTreeSet::new(),
        };
        let mut over = pin!(over);
        loop {
            tokio::select! {
                () = &mut over => break,
                event = watch.next() => {
                    pods.take(event?);
                    pods.all().for_each(|pod| desk.begin(pod));
                }
                Some(reader) = desk.reading.next() => desk.go_on(reader, pods.all()).await?,
            }
        }
        drop(watch);
        let pods = cluster.list(&POD, &labels, "application/json").await?;
        pods.iter().for_each(|pod| desk.begin(pod));
        let since = Instant::now();
        loop {
            let (of_ended, of_others) = LAST_WORDS;
            let limit = if desk.lacks_ended(&pods) { of_ended } else { of_others };
            match tokio::time::timeout_at(since + limit, desk.reading.next()).await {
                Ok(Some(reader)) => desk.go_on(reader, pods.iter()).await?,
                Ok(None) => return Ok(desk.read),
                Err(_elapsed) => {
                    desk.skip_to_end(&pods).await;
                    return Ok(desk.read);
                }
            }
        }
    }

    /// Reads a container's log from where it was read to.
    async fn read_log(
        &self,
        reader: &mut Reader,
        turn: Turn,
        said: &mpsc::Sender<Printed>,
    ) -> Result<(), Error> {
        let (pod, container) = &reader.key;
        let name = POD.named(&self.namespace, pod);
        let call = Call::get(format!("{}/log", self.path(&POD, &name)), name);
        let call = call.with("container", container).with("timestamps", "true");
        let call = match turn {
            Turn::Previous => call.with("previous", "true"),
            Turn::Follow => call.with("follow", "true"),
            Turn::Rest => call,
        };
        let call = match (reader.stamped.since(), reader.last) {
            (Some(since), _) => {
                call.with("sinceTime", &since.to_rfc3339_opts(SecondsFormat::Secs, true))
            }
            (None, Some(last)) => call.with("tailLines", &last.to_string()),
            (None, None) => call,
        };
        let mut log = self.open(&call).await?;
        reader.stamped.turn();
        loop {
            let frame = match tokio::time::timeout(QUIET, log.frame()).await {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => frame.map_err(|error| self.failed(failure(&error)))?,
                Err(_elapsed) => {
                    let words = format!("nothing for {} s", QUIET.as_secs());
                    return Err(self.failed(Failure::Away(words)));
                }
            };
            let Some(chunk) = frame.data_ref() else { continue };
            let fresh = reader.stamped.push(chunk);
            let lines = reader.lines.push(&fresh);
            reader.tell(lines, said).await;
        }
    }
}

impl Reader {
    async fn tell(&self, lines: Vec<String>, said: &mpsc::Sender<Printed>) {
        let (pod, container) = self.key.clone();
        for line in lines {
            let (pod, container) = (pod.clone(), container.clone());
            // Nobody hears it when the wait was given up.
            said.send(Printed { pod, index: self.index.clone(), container, line }).await.ok();
        }
    }
}

impl Desk<'_> {
    /// Begins to read what printed something and is not read yet.
    fn begin(&mut self, pod: &Value) {
        for status in list(pod, "/status/containerStatuses") {
            if !has_printed(status) {
                continue;
            }
            let name = text(pod, "/metadata/name");
            let key = (name.to_owned(), text(status, "/name").to_owned());
            if !self.begun.insert(key.clone()) {
                continue;
            }
            let index = annotation(pod, "batch.kubernetes.io/job-completion-index");
            let reader = Reader {
                key,
                index: Some(index).filter(|index| !index.is_empty()).map(str::to_owned),
                stamped: Stamped::default(),
                lines: Lines::new(&self.cluster.redactor),
                last: self.last,
                // Of what ended before somebody asked for the last lines nothing is told.
                restarts: self.last.map_or(0, |_| count(status, "/restartCount")),
                was_over: false,
                ended: Ok(()),
            };
            self.read_on(reader, (pod, status), Duration::ZERO);
        }
    }

    /// Reads a container once more.
    fn read_on(&self, mut reader: Reader, (pod, status): (&Value, &Value), pause: Duration) {
        let (cluster, said) = (self.cluster.clone(), self.said.clone());
        let restarts = count(status, "/restartCount");
        reader.was_over = is_over(pod, status);
        self.reading.push(Box::pin(async move {
            tokio::time::sleep(pause).await;
            if restarts > reader.restarts {
                reader.restarts = restarts;
                // It may be gone already: the log of the run under way is worth more.
                cluster.read_log(&mut reader, Turn::Previous, &said).await.ok();
            }
            let turn = if reader.was_over { Turn::Rest } else { Turn::Follow };
            reader.ended = cluster.read_log(&mut reader, turn, &said).await;
            reader
        }));
    }

    /// What comes after a turn: the next one, unless everything was read.
    async fn go_on<'p>(
        &mut self,
        mut reader: Reader,
        mut pods: impl Iterator<Item = &'p Value>,
    ) -> Result<(), Error> {
        let (name, container) = &reader.key;
        let pod = pods.find(|pod| text(pod, "/metadata/name") == name);
        let status = pod.and_then(|pod| status(pod, container).map(|status| (pod, status)));
        let is_read = reader.was_over && reader.ended.is_ok();
        match std::mem::replace(&mut reader.ended, Ok(())) {
            Err(error @ Error::Denied { .. }) => return Err(error),
            // Its pod was deleted, and its log with it.
            Err(Error::Absent(_)) => {}
            _ if is_read => {}
            ended => {
                if let Some((pod, status)) = status {
                    let has_ended = ended.is_ok() && is_over(pod, status);
                    let pause = if has_ended { Duration::ZERO } else { PAUSE };
                    self.read_on(reader, (pod, status), pause);
                    return Ok(());
                }
            }
        }
        let last = reader.lines.finish();
        reader.tell(last, self.said).await;
        if is_read {
            self.read.insert(reader.key);
        }
        Ok(())
    }

    /// Whether something that has ended was not read to its end.
    fn lacks_ended(&self, pods: &[Value]) -> bool {
        pods.iter().any(|pod| self.unread(pod).next().is_some())
    }

    /// Containers of a pod that have ended and were not read to their end.
    fn unread<'p>(&self, pod: &'p Value) -> impl Iterator<Item = &'p str> {
        list(pod, "/status/containerStatuses").iter().filter_map(|status| {
            let (name, container) = (text(pod, "/metadata/name"), text(status, "/name"));
            let key = (name.to_owned(), container.to_owned());
            let lacks = is_over(pod, status) && has_printed(status) && !self.read.contains(&key);
            lacks.then_some(container)
        })
    }

    /// Tells the last lines of what printed faster than it was read.
    async fn skip_to_end(&mut self, pods: &[Value]) {
        self.reading.clear();
        let unread: Vec<_> = pods
            .iter()
            .flat_map(|pod| self.unread(pod).map(move |container| (pod, container)))
            .collect();
        let (cluster, said) = (self.cluster.clone(), self.said.clone());
        for (pod, container) in unread {
            let name = text(pod, "/metadata/name");
            let last = cluster.last_lines(name, container, LAST_LINES).await;
            let index = annotation(pod, "batch.kubernetes.io/job-completion-index");
            // They may be gone by now, and that is told too.
            for line in [SKIPPED.to_owned()].into_iter().chain(last.unwrap_or_default()) {
                let printed = Printed {
                    pod: name.to_owned(),
                    index: Some(index).filter(|it| !it.is_empty()).map(str::to_owned),
                    container: container.to_owned(),
                    line,
                };
                said.send(printed).await.ok();
            }
        }
    }
}

fn status<'p>(pod: &'p Value, container: &str) -> Option<&'p Value> {
    let mut statuses = list(pod, "/status/containerStatuses").iter();
    statuses.find(|status| text(status, "/name") == container)
}

/// Whether a container has been started, now or before.
fn has_printed(status: &Value) -> bool {
    let was = |path| status.pointer(path).is_some();
    was("/state/running") || was("/state/terminated") || was("/lastState/terminated")
}

/// Whether a container has ended and will not be started again.
fn is_over(pod: &Value, status: &Value) -> bool {
    let Some(code) = number(status, "/state/terminated/exitCode") else { return false };
    let is_last = code == 0 || text(pod, "/spec/restartPolicy") == "Never";
    is_last || ["Succeeded", "Failed"].contains(&text(pod, "/status/phase"))
}
