//! What containers printed.

use crate::domain::output::Lines;
use crate::kubernetes::digest::{Digest, Output, Why};
use crate::kubernetes::json::{list, text};
use crate::kubernetes::object::{JOB, ObjectRef, POD};
use crate::kubernetes::remove::JOB_OF_POD;
use crate::kubernetes::rollout::trouble::Cause;
use crate::kubernetes::wire::Call;
use crate::kubernetes::{Cluster, Error};

/// Lines that explain a failure.
const LAST_LINES: usize = 50;

/// Most bytes that are read of what a container printed.
const MOST_BYTES: &str = "1048576";

/// Which run of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Current,
    Previous,
}

impl Cluster {
    /// The last lines that a container printed, without the secrets in them.
    ///
    /// # Errors
    ///
    /// When there is no such container, or the cluster does not answer.
    pub async fn last_lines(
        &self,
        pod: &str,
        container: &str,
        count: usize,
    ) -> Result<Vec<String>, Error> {
        self.lines_of(pod, container, count, Run::Current).await
    }

    /// What every container of a Job's pods printed last.
    ///
    /// # Errors
    ///
    /// When the cluster does not answer.
    pub async fn job_output(&self, job: &ObjectRef, count: usize) -> Result<Vec<Output>, Error> {
        let job = self.placed(job);
        let within = self.clone().within(job.namespace.as_deref().unwrap_or(&self.namespace));
        let Some(found) = self.get(&JOB.named(within.namespace(), &job.name)).await? else {
            return Ok(Vec::new());
        };
        let labels = format!("{JOB_OF_POD}={}", text(&found, "/metadata/uid"));
        let mut printed = Vec::new();
        for pod in within.list(&POD, &labels, "application/json").await? {
            let name = text(&pod, "/metadata/name");
            for container in list(&pod, "/spec/containers") {
                let container = text(container, "/name");
                match within.lines_of(name, container, count, Run::Current).await {
                    Ok(lines) => printed.push(Output {
                        pod: name.to_owned(),
                        container: container.to_owned(),
                        lines,
                    }),
                    // It never started, or was deleted meanwhile.
                    Err(Error::Refused { status: 400, .. } | Error::Absent(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(printed)
    }

    /// The same digest with what the container printed that is to blame.
    pub(in crate::kubernetes) async fn with_output(&self, mut digest: Digest) -> Digest {
        let blamed = match &digest.why {
            Why::Trouble(trouble) => Some(trouble),
            Why::Late { .. } | Why::Refused { .. } | Why::Job { .. } | Why::Gone => {
                digest.troubles.first()
            }
        };
        let prints = blamed.is_none_or(|trouble| {
            matches!(
                trouble.cause,
                Cause::Crash { .. }
                    | Cause::Memory { .. }
                    | Cause::Killed { .. }
                    | Cause::Probe
                    | Cause::Start { .. }
            )
        });
        let is_blamed = |pod: &str, container: &str| {
            blamed.is_none_or(|it| it.pod == pod && it.container.as_deref() == Some(container))
        };
        let mut suspects = digest.suspects.iter();
        let suspect = suspects.find(|it| prints && is_blamed(&it.pod, &it.container)).cloned();
        if let Some(suspect) = suspect {
            let run = if suspect.is_previous { Run::Previous } else { Run::Current };
            let lines = self.lines_of(&suspect.pod, &suspect.container, LAST_LINES, run).await;
            // The digest is told without them if they are gone already.
            if let Ok(lines) = lines {
                digest.output =
                    Some(Output { pod: suspect.pod, container: suspect.container, lines });
            }
        }
        digest
    }

    async fn lines_of(
        &self,
        pod: &str,
        container: &str,
        count: usize,
        run: Run,
    ) -> Result<Vec<String>, Error> {
        let name = POD.named(&self.namespace, pod);
        let call = Call::get(format!("{}/log", self.path(&POD, &name)), name);
        let call = call.with("container", container).with("tailLines", &count.to_string());
        let call = call.with("limitBytes", MOST_BYTES);
        let call = match run {
            Run::Current => call,
            Run::Previous => call.with("previous", "true"),
        };
        let answer = self.call(&call).await?;
        let mut cutter = Lines::new(&self.redactor);
        let mut lines = cutter.push(&answer.bytes);
        lines.extend(cutter.finish());
        Ok(lines)
    }
}
