//! Waits until what was started may serve.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use tokio::time::Instant;

use crate::deploy::docker_target::{DockerTarget, Joined};
use crate::deploy::ready::PodReady;
use crate::docker::{EngineError, Prober};
use crate::stack::{Container, Group, Phase, Placed, Readiness, Why};

/// Pause between two looks at all containers.
const TICK: Duration = Duration::from_millis(250);

/// Lines of a container's output that are told when it fails.
const LAST_LINES: usize = 50;

/// A container that does not become ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pod}: container \"{container}\" {why}")]
pub struct Unhealthy {
    /// The pod.
    pub pod: String,
    /// Which replica of it, from 1.
    pub replica: u32,
    /// The container, as the file calls it.
    pub container: String,
    /// Why.
    pub why: Why,
    /// The last lines it wrote.
    pub last_lines: Vec<String>,
}

impl Unhealthy {
    /// What is to blame in the file, such as `pods.web.containers.app.healthcheck`.
    pub fn at(&self) -> String {
        let Self { pod, container, why, .. } = self;
        let part = match why {
            Why::Ill { .. } | Why::NotInTime { answer: Some(_), .. } => ".healthcheck",
            Why::Exited { .. }
            | Why::OutOfMemory
            | Why::NotInTime { answer: None, .. }
            | Why::Gone
            | Why::NotStarted(_) => "",
        };
        format!("pods.{pod}.containers.{container}{part}")
    }
}

/// Why a rollout did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// A container does not become ready.
    #[error(transparent)]
    Unhealthy(Box<Unhealthy>),
    /// The engine is away.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A container under watch.
struct Watched<'a> {
    container: &'a Container,
    prober: Prober,
    readiness: Readiness,
}

impl Watched<'_> {
    /// Looks at the container, and asks it when it is time to.
    async fn look(
        &mut self,
        target: &DockerTarget,
        began: Instant,
    ) -> Result<Result<(), Why>, EngineError> {
        let facts = target.engine.container(&self.container.name).await?;
        let Some(facts) = facts else { return Ok(Err(Why::Gone)) };
        if let Err(why) = self.readiness.see(&facts, began.elapsed()) {
            return Ok(Err(why));
        }
        let Some(probe) = self.readiness.question(began.elapsed()) else { return Ok(Ok(())) };
        let probe = probe.clone();
        let answer = self.prober.ask(&target.engine, &probe).await?;
        Ok(self.readiness.hear(answer, began.elapsed()))
    }
}

/// A group under watch.
struct WatchedGroup<'a> {
    group: &'a Group,
    containers: Vec<Watched<'a>>,
}

impl WatchedGroup<'_> {
    fn is_ready(&self, now: Duration) -> bool {
        self.containers.iter().all(|watched| watched.readiness.is_ready(now))
    }

    /// Looks at every container; the first that failed is told.
    async fn look(&mut self, target: &DockerTarget, began: Instant) -> Result<(), RolloutError> {
        if let Joined::Refused { container, words } = target.join(self.group).await? {
            return Err(target.unhealthy(self.group, container, Why::NotStarted(words)).await);
        }
        let looks = self.containers.iter_mut().map(async |watched| {
            let container = watched.container;
            (container, watched.look(target, began).await)
        });
        for (container, result) in join_all(looks).await {
            if let Err(why) = result? {
                return Err(target.unhealthy(self.group, container, why).await);
            }
        }
        Ok(())
    }
}

impl DockerTarget {
    /// Waits until every container is ready, all at the same time.
    ///
    /// `on_progress` is called with all pods, in order of the file, whenever one of them changes.
    ///
    /// # Errors
    ///
    /// When a container failed for good, time is over, or the engine is away.
    pub async fn wait_healthy(
        &self,
        placed: &Placed,
        limit: Duration,
        mut on_progress: impl FnMut(&[PodReady]),
    ) -> Result<(), RolloutError> {
        let began = Instant::now();
        let mut groups: Vec<WatchedGroup<'_>> = Vec::new();
        for (group, address) in placed.groups() {
            let watch = |container| self.watch(container, address);
            let containers = group.containers.iter().map(watch).collect();
            groups.push(WatchedGroup { group, containers });
        }
        let mut told = Vec::new();
        loop {
            try_join_all(groups.iter_mut().map(|group| group.look(self, began))).await?;
            let now = began.elapsed();
            let progress = progress(&groups, now);
            if progress != told {
                on_progress(&progress);
                told = progress;
            }
            let late = groups.iter().find(|group| !group.is_ready(now));
            let Some(late) = late else { return Ok(()) };
            if now >= limit {
                return Err(self.too_late(late, now, limit).await);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn watch<'a>(&self, container: &'a Container, address: Ipv4Addr) -> Watched<'a> {
        Watched {
            container,
            prober: Prober::new(&container.name, address),
            readiness: Readiness::new(container.health.clone(), self.min_ready),
        }
    }

    async fn too_late(
        &self,
        late: &WatchedGroup<'_>,
        now: Duration,
        limit: Duration,
    ) -> RolloutError {
        let watched = late.containers.iter().find(|watched| !watched.readiness.is_ready(now));
        let watched = watched.expect("a group is late because a container is");
        let exited = match self.engine.container(&watched.container.name).await {
            Ok(Some(facts)) if facts.phase == Phase::Restarting => {
                Some(Why::Exited { code: facts.exit_code, restarts: facts.restarts })
            }
            Ok(_) => None,
            Err(error) => return error.into(),
        };
        let why = exited.unwrap_or_else(|| watched.readiness.too_late(limit));
        self.unhealthy(late.group, watched.container, why).await
    }

    async fn unhealthy(&self, group: &Group, container: &Container, why: Why) -> RolloutError {
        let last_lines = self.engine.last_lines(&container.name, LAST_LINES).await;
        RolloutError::Unhealthy(Box::new(Unhealthy {
            pod: group.pod.clone(),
            replica: group.replica,
            container: container.container.clone(),
            why,
            // A container without a log has failed all the same.
            last_lines: last_lines.unwrap_or_default(),
        }))
    }
}

fn progress(groups: &[WatchedGroup<'_>], now: Duration) -> Vec<PodReady> {
    let mut pods: Vec<PodReady> = Vec::new();
    for group in groups {
        let ready = u32::from(group.is_ready(now));
        match pods.iter_mut().find(|pod| pod.pod == group.group.pod) {
            Some(pod) => {
                pod.ready += ready;
                pod.total += 1;
            }
            None => pods.push(PodReady { pod: group.group.pod.clone(), ready, total: 1 }),
        }
    }
    pods
}
