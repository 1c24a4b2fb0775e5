//! What a container wrote, and what it writes.

use std::pin::pin;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use tokio::sync::mpsc;

use crate::docker::{Engine, EngineError};
use crate::domain::output::Lines;
use crate::domain::stamped::Stamped;

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

    /// Output of a container about to be read.
    pub fn reading(&self, begin: Begin) -> Reading {
        let stream = || Stream { stamped: Stamped::default(), lines: Lines::new(&self.redactor) };
        Reading { begin, output: stream(), errors: stream() }
    }

    /// Sends what a container writes, made safe to show, until it ends or nobody hears it. What was
    /// read before is left out.
    ///
    /// # Errors
    ///
    /// When there is no such container, or the engine does not answer.
    pub async fn follow(
        &self,
        id: &str,
        reading: &mut Reading,
        said: &mpsc::Sender<String>,
    ) -> Result<(), EngineError> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true);
        let options = options.follow(true).timestamps(true);
        let options = match reading.turn() {
            Begin::Lines(count) => options.tail(&count.to_string()),
            Begin::Since(time) => options.since(time.timestamp().try_into().unwrap_or_default()),
        };
        let mut chunks = pin!(self.docker.logs(id, Some(options.build())));
        while let Some(chunk) = chunks.next().await {
            for line in reading.push(chunk?) {
                if said.send(line).await.is_err() {
                    return Ok(());
                }
            }
        }
        for line in reading.finish() {
            // Nobody hears the rest either.
            said.send(line).await.ok();
        }
        Ok(())
    }
}

/// Where it is begun to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// So many lines before the end.
    Lines(u32),
    /// With what was written since then.
    Since(DateTime<Utc>),
}

/// The output of a container, read in as many turns as it is started.
#[derive(Debug)]
pub struct Reading {
    begin: Begin,
    output: Stream,
    errors: Stream,
}

/// One of its streams: what one began is not finished by the other.
#[derive(Debug)]
struct Stream {
    stamped: Stamped,
    lines: Lines,
}

impl Reading {
    /// Begins there, unless something was read.
    pub const fn begin_at(&mut self, time: DateTime<Utc>) {
        self.begin = Begin::Since(time);
    }

    /// Begins another turn, and says where.
    fn turn(&mut self) -> Begin {
        let read = [&self.output, &self.errors].map(|stream| stream.stamped.since());
        self.output.stamped.turn();
        self.errors.stamped.turn();
        // A turn ends with both streams, so nothing of the one that is behind was left out.
        read.into_iter().flatten().max().map_or(self.begin, Begin::Since)
    }

    fn push(&mut self, chunk: LogOutput) -> Vec<String> {
        match chunk {
            LogOutput::StdErr { message } => self.errors.push(&message),
            LogOutput::StdOut { message }
            | LogOutput::StdIn { message }
            | LogOutput::Console { message } => self.output.push(&message),
        }
    }

    fn finish(&mut self) -> Vec<String> {
        let streams = [&mut self.output, &mut self.errors];
        streams.into_iter().flat_map(|stream| stream.lines.finish()).collect()
    }
}

impl Stream {
    fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        let fresh = self.stamped.push(chunk);
        self.lines.push(&fresh)
    }
}
