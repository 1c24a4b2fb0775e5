//! What containers print: their last lines, and what comes then.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{BoxFuture, try_join_all};
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::db::models::environment::Environment;
use crate::deploy::Deployer;
use crate::deploy::answers::hush::Hush;
use crate::deploy::answers::running::speaker;
use crate::deploy::answers::{Serving, Unanswered};
use crate::deploy::docker_target::DockerTarget;
use crate::deploy::failure::Cause;
use crate::deploy::kubernetes_target::{KubernetesTarget, Workload};
use crate::docker::{Begin, EngineError};
use crate::domain::ids::{ClusterId, EnvironmentId, ReleaseId};
use crate::domain::question::Speaker;
use crate::kubernetes::Printed;
use crate::questions::{Asked, COLLECTED};
use crate::stack::Phase;

/// Lines that may wait to be told; then containers are read more slowly.
const BACKLOG: usize = 256;

/// Lines that are told at once.
const AT_ONCE: usize = 100;

/// Pause before a container is read on that has ended, and between two looks at what serves.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes lines, each with who printed it.
type Said = mpsc::Sender<(Speaker, String)>;

impl Deployer {
    pub(super) async fn tell_printed(
        &self,
        asked: &Asked,
        pod: Option<&str>,
        (last, is_followed): (u32, bool),
    ) -> Result<(), Unanswered> {
        let serving = self.serving(asked.environment).await?;
        if let Some(pod) = pod {
            serving.check_pod(pod)?;
        }
        let mut hush = Hush::new(self, &serving);
        if !is_followed {
            for lines in serving.last_lines(pod, last).await?.chunks(AT_ONCE) {
                if !asked.tell(hush.lines(lines.to_vec()).await?).await {
                    break;
                }
            }
            return Ok(());
        }
        let (said, heard) = mpsc::channel(BACKLOG);
        tokio::select! {
            failed = self.follow(serving, pod, (last, &said)) => failed,
            passed = pass(asked, heard, hush) => passed,
        }
    }

    /// Follows what serves, and each release that serves after it, for as long as that can be done.
    async fn follow(
        &self,
        mut serving: Serving,
        pod: Option<&str>,
        (mut last, said): (u32, &Said),
    ) -> Result<(), Unanswered> {
        let environment = serving.live.release.environment_id;
        let mut workloads = Workloads::default();
        loop {
            let live = serving.live.release.id;
            workloads.begin(&serving, pod, (last, said));
            tokio::select! {
                failed = serving.follow_stacks(pod, (last, said)) => failed?,
                failed = workloads.read() => failed?,
                replaced = self.replaced(environment, live) => replaced?,
            }
            serving = self.serving(environment).await?;
            // Of what was started for it all is new.
            last = u32::MAX;
        }
    }

    /// Waits until another release serves.
    async fn replaced(
        &self,
        environment: EnvironmentId,
        live: ReleaseId,
    ) -> Result<(), Unanswered> {
        loop {
            tokio::time::sleep(PAUSE).await;
            let db = self.jobs.db();
            let found =
                db.run(async move |connection| Environment::find(connection, environment).await);
            let found: Environment = found.await?;
            if found.live_release.is_some_and(|release| release != live) {
                return Ok(());
            }
        }
    }
}

/// Passes lines on until nobody hears them.
async fn pass(
    asked: &Asked,
    mut heard: mpsc::Receiver<(Speaker, String)>,
    mut hush: Hush<'_>,
) -> Result<(), Unanswered> {
    while let Some(first) = heard.recv().await {
        let mut lines = vec![first];
        let more = async {
            while lines.len() < AT_ONCE
                && let Some(line) = heard.recv().await
            {
                lines.push(line);
            }
        };
        // Those that are there by then are told together.
        drop(timeout(COLLECTED, more).await);
        if !asked.tell(hush.lines(lines).await?).await {
            break;
        }
    }
    Ok(())
}

impl Serving {
    fn check_pod(&self, pod: &str) -> Result<(), Unanswered> {
        let groups = self.on_engines().flat_map(|(_, on)| &on.placed.stack.groups);
        let mut known: Vec<String> = groups.map(|group| group.pod.clone()).collect();
        let workloads = self.on_clusters().flat_map(|(_, on)| Workload::all(&on.manifests));
        known.extend(workloads.map(|workload| workload.pod));
        known.sort();
        known.dedup();
        if known.iter().any(|known| known == pod) {
            return Ok(());
        }
        let release = self.live.release.number;
        Err(Unanswered::NoPod { pod: pod.to_owned(), release, known })
    }

    /// The last lines of everything that runs, container by container.
    async fn last_lines(
        &self,
        pod: Option<&str>,
        last: u32,
    ) -> Result<Vec<(Speaker, String)>, Cause> {
        let count = usize::try_from(last).unwrap_or(usize::MAX);
        let mut all = Vec::new();
        for (target, on) in self.on_engines() {
            let groups = on.placed.stack.groups.iter();
            for group in groups.filter(|group| is_meant(pod, &group.pod)) {
                for container in &group.containers {
                    let of = speaker(&target.cluster.name, group, &container.container);
                    let lines = match target.driver.engine.last_lines(&container.name, count).await
                    {
                        // It is gone, and its log with it.
                        Err(EngineError::Refused { status: 404, .. }) => Vec::new(),
                        lines => lines?,
                    };
                    all.extend(lines.into_iter().map(|text| (of.clone(), text)));
                }
            }
        }
        for (target, on) in self.on_clusters() {
            let workloads = Workload::all(&on.manifests);
            for workload in workloads.filter(|workload| is_meant(pod, &workload.pod)) {
                let printed = target.driver.last_lines(&workload, count).await?;
                all.extend(printed.into_iter().map(|line| {
                    let of = workload.speaker(&target.cluster.name, &line.pod, &line.container);
                    (of, line.text)
                }));
            }
        }
        Ok(all)
    }

    /// Follows the containers of engines; ends when that fails.
    async fn follow_stacks(
        &self,
        pod: Option<&str>,
        (last, said): (u32, &Said),
    ) -> Result<(), Cause> {
        let mut followed = Vec::new();
        for (target, on) in self.on_engines() {
            let groups = on.placed.stack.groups.iter();
            for group in groups.filter(|group| is_meant(pod, &group.pod)) {
                followed.extend(group.containers.iter().map(|container| {
                    let of = speaker(&target.cluster.name, group, &container.container);
                    let begin = Begin::Lines(last);
                    follow_container(&target.driver, &container.name, (begin, of, said))
                }));
            }
        }
        try_join_all(followed).await?;
        // All of it is gone: something else will serve.
        std::future::pending().await
    }
}

/// Pods of clusters that are followed, from one release to the next.
#[derive(Default)]
struct Workloads {
    known: BTreeSet<(ClusterId, Workload)>,
    reading: FuturesUnordered<BoxFuture<'static, Result<(), Cause>>>,
}

impl Workloads {
    /// Begins to follow what is not followed yet.
    fn begin(&mut self, serving: &Serving, pod: Option<&str>, (last, said): (u32, &Said)) {
        for (target, on) in serving.on_clusters() {
            let workloads = Workload::all(&on.manifests);
            for workload in workloads.filter(|workload| is_meant(pod, &workload.pod)) {
                if !self.known.insert((target.cluster.id, workload.clone())) {
                    continue;
                }
                let (name, driver) = (target.cluster.name.clone(), target.driver.clone());
                let said = said.clone();
                let reading =
                    async move { follow_workload(&driver, &workload, (&name, last, &said)).await };
                self.reading.push(Box::pin(reading));
            }
        }
    }

    /// Goes on reading; ends when that fails.
    async fn read(&mut self) -> Result<(), Cause> {
        while let Some(ended) = self.reading.next().await {
            ended?;
        }
        // Another release may have pods.
        std::future::pending().await
    }
}

fn is_meant(asked: Option<&str>, pod: &str) -> bool {
    asked.is_none_or(|asked| asked == pod)
}

/// Tells what the pods of a workload print, while somebody hears it.
async fn follow_workload(
    target: &KubernetesTarget,
    workload: &Workload,
    (cluster, last, said): (&str, u32, &Said),
) -> Result<(), Cause> {
    let (lines, mut heard) = mpsc::channel(BACKLOG);
    let reading = async {
        // Ends with this future, and with it the loop below.
        let lines = lines;
        target.follow(workload, last, &lines).await
    };
    let passing = async {
        while let Some(Printed { pod, container, line, .. }) = heard.recv().await {
            let of = workload.speaker(cluster, &pod, &container);
            // Nobody hears it when the asker has gone.
            said.send((of, line)).await.ok();
        }
    };
    Ok(tokio::join!(reading, passing).0?)
}

/// Tells what a container prints, whenever it is started again, until it is removed.
async fn follow_container(
    target: &DockerTarget,
    name: &str,
    (begin, of, said): (Begin, Speaker, &Said),
) -> Result<(), Cause> {
    let mut reading = target.engine.reading(begin);
    loop {
        let Some(before) = target.engine.container(name).await? else { return Ok(()) };
        let (lines, mut heard) = mpsc::channel(BACKLOG);
        let turn = async {
            // Ends with this future, and with it the loop below.
            let lines = lines;
            target.engine.follow(name, &mut reading, &lines).await
        };
        let passing = async {
            while let Some(line) = heard.recv().await {
                // Nobody hears it when the asker has gone.
                said.send((of.clone(), line)).await.ok();
            }
        };
        match tokio::join!(turn, passing).0 {
            Ok(()) => {}
            Err(EngineError::Refused { status: 404, .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // Until it is started once more there is nothing to read.
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(facts) = target.engine.container(name).await? else { return Ok(()) };
            if let Some(time) = facts.started_at.filter(|_| facts.started_at != before.started_at) {
                reading.begin_at(time);
                break;
            }
            if facts.phase == Phase::Running {
                // The connection ended, and not the container.
                break;
            }
        }
    }
}
