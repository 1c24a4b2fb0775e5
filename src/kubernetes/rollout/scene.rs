//! A workload with everything that is made for it, as it is seen.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream, SelectAll};
use kube::runtime::watcher::Event;
use serde_json::Value;

use crate::kubernetes::digest::{Digest, Why, ended_containers};
use crate::kubernetes::happening::Happening;
use crate::kubernetes::json::{controller, count, number, pairs, text};
use crate::kubernetes::object::{
    DEPLOYMENT, EVENT, JOB, Kind, ObjectRef, POD, REPLICA_SET, STATEFUL_SET,
};
use crate::kubernetes::remove::JOB_OF_POD;
use crate::kubernetes::rollout::conditions::{self, Stand};
use crate::kubernetes::rollout::trouble::{Trouble, troubles};
use crate::kubernetes::rollout::{OldPods, stuck};
use crate::kubernetes::watch::{Mirror, Selection, Watch};
use crate::kubernetes::{Cluster, Error};

/// How often it is looked at when nothing changes, for what depends on time.
const TICK: std::time::Duration = std::time::Duration::from_secs(1);

/// Happenings that are kept to explain a failure.
const LAST_HAPPENINGS: usize = 10;

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Workload,
    Sets,
    Pods,
    Events,
}

type Seen = (Part, Result<Event<Value>, Error>);

/// A workload with everything that is made for it.
pub(in crate::kubernetes) struct Scene {
    object: ObjectRef,
    kind: &'static Kind,
    uid: String,
    /// Since when it was past its deadline, when it began to be watched.
    past_before: Option<String>,
    changes: SelectAll<BoxStream<'static, Seen>>,
    tick: tokio::time::Interval,
    workload: Mirror,
    sets: Mirror,
    pods: Mirror,
    events: Mirror,
    /// Whether events may be seen; without them less is explained.
    has_events: bool,
}

/// How a workload looks at one moment.
#[derive(Debug)]
pub(in crate::kubernetes) struct Look {
    pub(in crate::kubernetes) stand: Stand,
    pub(super) is_observed: bool,
    pub(in crate::kubernetes) ready: i64,
    pub(in crate::kubernetes) wanted: i64,
    /// Why no pod may be made, if that is so.
    pub(super) refused: Option<String>,
    pub(super) troubles: Vec<Trouble>,
}

impl Scene {
    /// Begins to watch what is made for a workload.
    pub(in crate::kubernetes) fn open(
        cluster: &Cluster,
        kind: &'static Kind,
        found: &Value,
    ) -> Self {
        let object = kind.named(cluster.namespace(), text(found, "/metadata/name"));
        let uid = text(found, "/metadata/uid").to_owned();
        let labels = if *kind == JOB {
            format!("{JOB_OF_POD}={uid}")
        } else {
            let labels = pairs(found, "/spec/selector/matchLabels");
            labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
        };
        let labelled = Selection::Labelled(labels);
        let everything = Selection::Labelled(String::new());
        let mut watches = vec![
            (Part::Workload, cluster.watch(kind, &Selection::Named(object.name.clone()))),
            (Part::Pods, cluster.watch(&POD, &labelled)),
            (Part::Events, cluster.watch(&EVENT, &everything)),
        ];
        if *kind == DEPLOYMENT {
            watches.push((Part::Sets, cluster.watch(&REPLICA_SET, &labelled)));
        }
        let changes = watches.into_iter().map(|(part, watch)| seen(part, watch)).collect();
        let mut sets = Mirror::default();
        if *kind != DEPLOYMENT {
            sets.take(Event::InitDone);
        }
        Self {
            object,
            kind,
            uid,
            past_before: conditions::past_deadline(found).map(str::to_owned),
            changes,
            tick: tokio::time::interval(TICK),
            workload: Mirror::default(),
            sets,
            pods: Mirror::default(),
            events: Mirror::default(),
            has_events: true,
        }
    }

    /// Waits until something changed, or time went by.
    ///
    /// # Errors
    ///
    /// When it cannot be watched.
    pub(in crate::kubernetes) async fn change(&mut self) -> Result<(), Error> {
        let changed = tokio::select! {
            Some(changed) = self.changes.next() => changed,
            _ = self.tick.tick() => return Ok(()),
        };
        match changed {
            (Part::Workload, event) => self.workload.take(event?),
            (Part::Sets, event) => self.sets.take(event?),
            (Part::Pods, event) => self.pods.take(event?),
            (Part::Events, Ok(event)) => self.events.take(event),
            // They explain, and decide little.
            (Part::Events, Err(Error::Denied { .. })) => self.has_events = false,
            (Part::Events, Err(error)) => return Err(error),
        }
        Ok(())
    }

    /// Whether everything has been seen once.
    pub(in crate::kubernetes) fn is_complete(&self) -> bool {
        let events = self.events.is_complete() || !self.has_events;
        [&self.workload, &self.sets, &self.pods].iter().all(|part| part.is_complete()) && events
    }

    /// The workload, if it is there and the same.
    pub(in crate::kubernetes) fn found(&self) -> Option<&Value> {
        let found = self.workload.named(&self.object.name);
        found.filter(|found| text(found, "/metadata/uid") == self.uid)
    }

    /// Whether the cluster still speaks of a deadline that was over before.
    pub(super) fn is_past_as_before(&self) -> bool {
        let past = self.found().and_then(conditions::past_deadline);
        self.past_before.is_some() && past == self.past_before.as_deref()
    }

    /// How it looks; `None` if it is gone.
    pub(in crate::kubernetes) fn look(&self, old_pods: OldPods) -> Option<Look> {
        let found = self.found()?;
        let told = self.told();
        let stand = match self.kind {
            kind if *kind == DEPLOYMENT => {
                conditions::deployment(found, self.past_before.as_deref())
            }
            kind if *kind == STATEFUL_SET => conditions::stateful_set(found, old_pods),
            _ => Stand::Going,
        };
        let (seen, wanted) = self.progress(found);
        // What is told of the sets behind it may come later.
        let is_all = stand == Stand::Done && old_pods != OldPods::Stay;
        let ready = if is_all { wanted } else { seen };
        Some(Look {
            stand,
            is_observed: conditions::is_observed(found),
            ready,
            wanted,
            refused: self.refused(found, &told),
            troubles: self.troubles(&told),
        })
    }

    /// Pods of a StatefulSet that block those which come after them.
    pub(super) fn stuck_pods(&self, old_pods: OldPods) -> Vec<Value> {
        let Some(found) = self.found() else { return Vec::new() };
        let own = self.pods.all().filter(|pod| controller(pod) == Some(&self.uid));
        stuck(found, own, old_pods)
    }

    /// The pods that shall serve, or that a Job made.
    pub(in crate::kubernetes) fn current_pods(&self) -> impl Iterator<Item = &Value> {
        let set = self.current_set().map(|set| text(set, "/metadata/uid"));
        let update = self.found().map(|found| text(found, "/status/updateRevision"));
        self.pods.all().filter(move |pod| match self.kind {
            kind if *kind == DEPLOYMENT => set.is_some() && controller(pod) == set,
            kind if *kind == STATEFUL_SET => {
                controller(pod) == Some(&self.uid) && Some(conditions::revision_of(pod)) == update
            }
            _ => controller(pod) == Some(&self.uid),
        })
    }

    fn current_set(&self) -> Option<&Value> {
        let found = self.found()?;
        let is_current =
            |set: &&Value| controller(set) == Some(&self.uid) && conditions::is_current(set, found);
        self.sets.all().find(is_current)
    }

    /// How many are ready, and how many there shall be.
    fn progress(&self, found: &Value) -> (i64, i64) {
        let wanted = conditions::wanted(found);
        match self.kind {
            kind if *kind == DEPLOYMENT => {
                let set = self.current_set();
                (set.map_or(0, |set| count(set, "/status/availableReplicas")), wanted)
            }
            kind if *kind == STATEFUL_SET => {
                let ready = self.current_pods().filter(|pod| conditions::is_ready(pod)).count();
                (i64::try_from(ready).unwrap_or(wanted).min(wanted), wanted)
            }
            _ => {
                let wanted = number(found, "/spec/completions").unwrap_or(1);
                (count(found, "/status/succeeded"), wanted)
            }
        }
    }

    /// What is told of the workload, of what stands behind it, and of its pods: in a namespace of
    /// many workloads that is little of all that is told.
    fn told(&self) -> Vec<Happening> {
        let own = self.own_uids();
        let is_own = |event: &&Value| own.contains(text(event, "/involvedObject/uid"));
        self.events.all().filter(is_own).map(Happening::of).collect()
    }

    fn own_uids(&self) -> BTreeSet<&str> {
        [self.uid.as_str()]
            .into_iter()
            .chain(self.current_set().map(|set| text(set, "/metadata/uid")))
            .chain(self.current_pods().map(|pod| text(pod, "/metadata/uid")))
            .collect()
    }

    /// Why no pod may be made: what its ReplicaSet says, or the last that was told of it.
    fn refused(&self, found: &Value, told: &[Happening]) -> Option<String> {
        if *self.kind == DEPLOYMENT {
            return conditions::replica_failure(self.current_set()?).map(str::to_owned);
        }
        let has_all = if *self.kind == JOB {
            self.pods.all().next().is_some()
        } else {
            count(found, "/status/replicas") >= conditions::wanted(found)
        };
        if has_all {
            return None;
        }
        let last = |reason: &str| {
            let own = told.iter().filter(|it| it.uid == self.uid && it.reason == reason);
            own.max_by_key(|it| &it.last)
        };
        let failed = last("FailedCreate")?;
        let is_last = last("SuccessfulCreate").is_none_or(|done| done.last <= failed.last);
        is_last.then(|| failed.words.clone())
    }

    fn troubles(&self, told: &[Happening]) -> Vec<Trouble> {
        let mut all: Vec<_> = self.current_pods().flat_map(|pod| troubles(pod, told)).collect();
        all.sort_by(|a, b| a.cause.cmp(&b.cause));
        all
    }

    /// What explains a failure.
    pub(in crate::kubernetes) fn digest(&self, why: Why) -> Digest {
        let told = self.told();
        let mut digest = Digest::new(self.object.clone(), why);
        digest.troubles = self.troubles(&told);
        if let Some(found) = self.found() {
            (digest.ready, digest.wanted) = self.progress(found);
        }
        let mut own = told;
        own.sort_by(|a, b| (a.is_warning, &a.last).cmp(&(b.is_warning, &b.last)));
        own.drain(..own.len().saturating_sub(LAST_HAPPENINGS));
        own.sort_by(|a, b| a.last.cmp(&b.last));
        digest.happenings = own;
        let containers = self.current_pods().flat_map(ended_containers);
        digest.suspects = containers.collect();
        digest
    }
}

/// What a watch sees, until it ends with an error.
fn seen(part: Part, watch: Watch) -> BoxStream<'static, Seen> {
    let next = async |watch: Option<Watch>| {
        let mut watch = watch?;
        match watch.next().await {
            Ok(event) => Some((Ok(event), Some(watch))),
            Err(error) => Some((Err(error), None)),
        }
    };
    stream::unfold(Some(watch), next).map(move |event| (part, event)).boxed()
}
