//! The rollout: everything started beside what serves, healthy, and people sent over.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::db::models::release::Release;
use crate::deploy::Deployment;
use crate::deploy::failure::Failure;
use crate::deploy::ready::PodReady;
use crate::deploy::steps::release::Rendered;
use crate::deploy::stored::{InCluster, Objects, OnCluster};
use crate::deploy::targets::Targets;
use crate::domain::history::Step;
use crate::domain::ids::Fence;
use crate::domain::sealed::ReleasePart;
use crate::routing::wait_until_served;
use crate::stack::Stack;

/// Time routers have to follow (job.md §6).
pub(in crate::deploy) const ROUTERS_TIME: Duration = Duration::from_secs(5);

/// States of a rollout that may wait to be written.
const BACKLOG: usize = 64;

impl Deployment<'_> {
    /// Starts the release on every target and waits until all of it is healthy.
    pub(super) async fn start(
        &mut self,
        release: &Release,
        rendered: Rendered,
        targets: &Targets,
        live: Option<&Release>,
    ) -> Result<Objects, Failure> {
        let watch = self.begin(Step::Rollout);
        let Rendered { stacks, manifests, images } = rendered;
        let entrances = stacks.iter().flat_map(Stack::entrances).collect();
        self.run.begin_applying(entrances).await?;
        let environment = self.run.job().environment_id;
        let keep: Vec<Fence> =
            live.map(|live| live.fence).into_iter().chain([self.run.fence()]).collect();
        let mut objects = Objects::default();
        for ((target, stack), images) in targets.docker.iter().zip(stacks).zip(images.of_engines) {
            let leftovers = target.driver.leftovers(environment, &keep).await?;
            self.run.still_owns().await?;
            self.ledger.touch(target.cluster.id);
            target.driver.remove(leftovers).await?;
            let placed = target.driver.start(&stack).await?;
            objects.docker.push(OnCluster { cluster: target.cluster.id, placed, images });
        }
        for (target, manifests) in targets.kubernetes.iter().zip(manifests) {
            let cluster = target.cluster.id;
            let mut others = self.owed(live, &target.cluster).await?;
            let new = target.driver.others(&manifests).await?;
            for object in new {
                if !others.iter().any(|other| other.is_same(&object)) {
                    others.push(object);
                }
            }
            let images = images.of_clusters.clone();
            objects.kubernetes.push(InCluster { cluster, manifests, others, images });
        }
        // From here whoever takes over, or rolls back to it, knows what is where.
        self.run.store_objects(release, self.sealed(ReleasePart::Objects, &objects)?).await?;
        let limit = self.settings().limits.rollout.duration();
        let mut ready = Vec::new();
        for (target, on) in targets.docker.iter().zip(&objects.docker) {
            let (told, waiting) = mpsc::channel(BACKLOG);
            let waiting_for = async move {
                let tell = |pods: &[PodReady]| {
                    // A state that is not written is followed by a later one.
                    drop(told.try_send(pods.to_vec()));
                };
                target.driver.wait_healthy(&on.placed, limit, tell).await
            };
            let (healthy, last) = tokio::join!(waiting_for, self.tell_progress(waiting));
            healthy?;
            ready.extend(last);
        }
        ready.extend(self.roll_out_clusters(&targets.kubernetes, &objects.kubernetes).await?);
        self.recorder.result(Step::Rollout, progress(&ready), watch).await;
        Ok(objects)
    }

    /// Writes how far the rollout is, and gives the last state.
    async fn tell_progress(&mut self, mut states: mpsc::Receiver<Vec<PodReady>>) -> Vec<PodReady> {
        let mut last: Vec<PodReady> = Vec::new();
        while let Some(state) = states.recv().await {
            self.tell_state(&state).await;
            last = state;
        }
        last
    }

    /// Writes how far pods are, unless they are where they shall be.
    pub(super) async fn tell_state(&mut self, pods: &[PodReady]) {
        if pods.iter().any(|pod| pod.ready != pod.total) {
            self.recorder.step(Step::Rollout, progress(pods)).await;
        }
    }

    /// Sends people to the release, and waits until every router does.
    pub(super) async fn route(
        &mut self,
        release: &Release,
        objects: &Objects,
    ) -> Result<(), Failure> {
        if objects.docker.is_empty() {
            // Ingresses of clusters are objects like others.
            self.run.switch_routes(Some(release.id), Vec::new()).await?;
            return Ok(());
        }
        let watch = self.begin(Step::Route);
        let routes = objects.routes();
        let texts: Vec<String> =
            routes.iter().map(|route| format!("{}{}", route.host, route.path)).collect();
        let is_reached = !routes.is_empty();
        let version = self.run.switch_routes(Some(release.id), routes).await?;
        if is_reached {
            wait_until_served(self.jobs().db(), self.feed(), version, ROUTERS_TIME).await?;
            self.recorder.result(Step::Route, texts.join(", "), watch).await;
        }
        Ok(())
    }
}

/// `web 1/2 ready, worker 1/1 ready`
fn progress(pods: &[PodReady]) -> String {
    let pod = |pod: &PodReady| format!("{} {}/{} ready", pod.pod, pod.ready, pod.total);
    if pods.is_empty() {
        return "nothing to run".to_owned();
    }
    pods.iter().map(pod).collect::<Vec<_>>().join(", ")
}
