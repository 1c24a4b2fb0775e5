//! What containers printed.

use crate::domain::output::Lines;
use crate::kubernetes::digest::{Digest, Output, Why};
use crate::kubernetes::object::POD;
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
