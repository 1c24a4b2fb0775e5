//! The last lines that a container wrote.

use std::pin::pin;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt as _;

use crate::docker::{Engine, EngineError};
use crate::domain::output::Lines;

impl Engine {
    /// The last lines that a container wrote, made safe to show.
    ///
    /// # Errors
    ///
    /// When there is no such container, or the engine does not answer.
    pub async fn last_lines(&self, id: &str, count: usize) -> Result<Vec<String>, EngineError> {
        let tail = count.to_string();
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&tail).build();
        let mut chunks = pin!(self.docker.logs(id, Some(options)));
        // What one stream began is not finished by the other.
        let (mut output, mut errors) = (Lines::new(&self.redactor), Lines::new(&self.redactor));
        let mut lines = Vec::new();
        while let Some(chunk) = chunks.next().await {
            lines.extend(match chunk? {
                LogOutput::StdErr { message } => errors.push(&message),
                LogOutput::StdOut { message }
                | LogOutput::StdIn { message }
                | LogOutput::Console { message } => output.push(&message),
            });
        }
        lines.extend([output.finish(), errors.finish()].into_iter().flatten());
        lines.drain(..lines.len().saturating_sub(count));
        Ok(lines)
    }
}
