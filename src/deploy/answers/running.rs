//! Which containers run.

use crate::deploy::Deployer;
use crate::deploy::answers::{Serving, Unanswered};
use crate::deploy::failure::Cause;
use crate::deploy::kubernetes_target::Workload;
use crate::domain::question::{Speaker, Told};
use crate::questions::Asked;
use crate::stack::{ContainerFacts, Group, Phase};

impl Deployer {
    pub(super) async fn tell_running(&self, asked: &Asked) -> Result<(), Unanswered> {
        let serving = self.serving(asked.environment).await?;
        let mut told = serving.on_docker().await?;
        told.extend(serving.on_kubernetes().await?);
        // Whoever does not hear it has gone.
        let _heard: bool = asked.tell(told).await;
        Ok(())
    }
}

impl Serving {
    async fn on_docker(&self) -> Result<Vec<Told>, Cause> {
        let mut told = Vec::new();
        for (target, on) in self.on_engines() {
            for group in &on.placed.stack.groups {
                for container in &group.containers {
                    let facts = target.driver.engine.container(&container.name).await?;
                    let of = speaker(&target.cluster.name, group, &container.container);
                    told.push(container_on_engine(of, facts));
                }
            }
        }
        Ok(told)
    }

    async fn on_kubernetes(&self) -> Result<Vec<Told>, Cause> {
        let mut told = Vec::new();
        for (target, on) in self.on_clusters() {
            let cluster = &target.cluster.name;
            for workload in Workload::all(&on.manifests) {
                let pods = target.driver.pods(&workload).await?;
                for (pod, containers) in pods.into_iter().map(|pod| (pod.name, pod.containers)) {
                    told.extend(containers.into_iter().map(|container| Told::Container {
                        of: workload.speaker(cluster, &pod, &container.name),
                        state: container.state,
                        ready: container.is_ready,
                        restarts: container.restarts,
                        since: container.since,
                    }));
                }
            }
        }
        Ok(told)
    }
}

/// A container of an engine.
pub(super) fn speaker(cluster: &str, group: &Group, container: &str) -> Speaker {
    Speaker {
        cluster: cluster.to_owned(),
        pod: group.pod.clone(),
        replica: group.replica.to_string(),
        container: container.to_owned(),
    }
}

fn container_on_engine(of: Speaker, facts: Option<ContainerFacts>) -> Told {
    let Some(facts) = facts else {
        let state = "gone".to_owned();
        return Told::Container { of, state, ready: false, restarts: 0, since: None };
    };
    let state = match facts.phase {
        Phase::Created => "not started".to_owned(),
        Phase::Running => "running".to_owned(),
        Phase::Restarting => format!("restarting, exited {}", facts.exit_code),
        Phase::Stopped => format!("exited {}", facts.exit_code),
        Phase::Broken => "being removed".to_owned(),
    };
    let ready = facts.phase == Phase::Running;
    Told::Container { of, state, ready, restarts: facts.restarts, since: facts.started_at }
}
