//! The bell that wakes workers: apalis on Redis.
//!
//! A bell says "look at the environment of this job" and nothing else. It may be lost, doubled,
//! late or forged: the rows in `PostgreSQL` decide, and the janitor rings again. What apalis
//! offers beyond that (retries, priorities, results) is not used.

use std::time::Duration;

use apalis::layers::WorkerBuilderExt;
use apalis::prelude::{BoxDynError, Data, TaskSink, WorkerBuilder};
use apalis_core::backend::Vacuum;
use apalis_core::backend::ext::BackendExt;
use apalis_redis::RedisStorage;
use redis::AsyncCommands;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::domain::ids::JobId;
use crate::tasks::Tasks;

/// How often Redis is asked for a bell: half of this is what a job waits on average.
const POLL: Duration = Duration::from_millis(50);

/// Time Redis has to answer. The client's default of half a second ends a worker at the first
/// stall of the machine.
const RESPONSE: Duration = Duration::from_secs(20);

/// Most bells waiting in Redis. apalis moves them with one Lua `unpack`, which fails for good
/// from about 8,000 on.
const MOST_WAITING: usize = 1_000;

/// Pauses before a consumer that failed starts again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// Age in seconds after which a consumer that was never heard of again is forgotten.
const FORGOTTEN_AFTER: i64 = 86_400;

/// What is in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    v: u8,
    job: JobId,
}

/// The version of messages that this program writes and reads.
const VERSION: u8 = 1;

/// Why a bell could not be rung.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The address is no address.
    #[error("`{url}` is not the address of a Redis")]
    Address {
        /// As configured.
        url: String,
        /// What is wrong with it.
        #[source]
        source: redis::RedisError,
    },
    /// Redis is away.
    #[error("Redis does not answer")]
    Redis(#[from] redis::RedisError),
    /// apalis could not store the message.
    #[error("could not store the message: {0}")]
    Push(String),
    /// There is no room.
    #[error("{0} bells wait in Redis and nobody takes them")]
    Full(usize),
}

/// The queue of one installation.
#[derive(Debug, Clone)]
pub struct Queue {
    client: redis::Client,
    name: String,
}

impl Queue {
    /// Names a queue; connects when it is used.
    ///
    /// # Errors
    ///
    /// When the address cannot be read.
    pub fn new(url: &str, name: &str) -> Result<Self, QueueError> {
        let client = redis::Client::open(url)
            .map_err(|source| QueueError::Address { url: url.to_owned(), source })?;
        Ok(Self { client, name: name.to_owned() })
    }

    /// Connects for ringing.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn ringer(&self) -> Result<Ringer, QueueError> {
        Ok(Ringer { storage: self.storage().await? })
    }

    async fn storage(&self) -> Result<RedisStorage<Message>, QueueError> {
        let settings = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE))
            .set_connection_timeout(Some(RESPONSE))
            .set_number_of_retries(2);
        let connection = ConnectionManager::new_with_config(self.client.clone(), settings).await?;
        let config = apalis_redis::Config::default()
            .queue(&self.name)
            .batch_size(1)
            .heartbeat_interval(Duration::from_secs(5))
            .missed_heartbeats(3)
            .lock_tasks(false)
            .emit_events(false)
            .persist_results(true);
        Ok(RedisStorage::new(connection).with_config(config))
    }

    /// Hands every bell to `handler`, `concurrency` of them at a time, until the tasks stop.
    ///
    /// Whatever becomes of Redis, the consumer comes back. A handler's future is dropped when
    /// the connection breaks, so what must go on has to run elsewhere.
    pub async fn consume<F>(
        &self,
        consumer: &str,
        concurrency: usize,
        tasks: &Tasks,
        handler: impl Fn(JobId) -> F + Clone + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let (mut pause, longest) = PAUSES;
        let mut generation = 0_u32;
        while !tasks.is_stopping() {
            // apalis refuses a name for 15 s after its consumer ended; a new one is free.
            generation = generation.wrapping_add(1);
            let name = format!("{consumer}-{generation}");
            let started = tokio::time::Instant::now();
            match self.consume_once(&name, concurrency, tasks, handler.clone()).await {
                Ok(()) => info!("The consumer of bells stopped"),
                Err(error) => warn!("The consumer of bells starts again: {error}"),
            }
            if started.elapsed() > longest {
                pause = PAUSES.0;
            }
            tasks.pause(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    async fn consume_once<H, F>(
        &self,
        name: &str,
        concurrency: usize,
        tasks: &Tasks,
        handler: H,
    ) -> Result<(), BoxDynError>
    where
        H: Fn(JobId) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let storage = self.storage().await?;
        let stop = tasks.clone();
        let stopped = async move {
            stop.stopping().await;
            Ok::<(), std::io::Error>(())
        };
        let worker = WorkerBuilder::new(name)
            .backend(storage.poll_with_interval(POLL))
            .concurrency(concurrency)
            .data(handler)
            .build(handle::<H, F>);
        Ok(worker.run_until(stopped).await?)
    }
}

async fn handle<H, F>(message: Message, handler: Data<H>) -> Result<(), BoxDynError>
where
    H: Fn(JobId) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    if message.v == VERSION {
        handler(message.job).await;
    } else {
        warn!("Ignored a bell of version {}", message.v);
    }
    // Always acknowledged: whether there is something to do is decided by the rows.
    Ok(())
}

/// A connection for ringing.
#[derive(Debug, Clone)]
pub struct Ringer {
    storage: RedisStorage<Message>,
}

impl Ringer {
    /// Wakes a worker for the environment of this job.
    ///
    /// # Errors
    ///
    /// When Redis is away or full.
    pub async fn ring(&mut self, job: JobId) -> Result<(), QueueError> {
        let waiting = self.waiting().await?;
        if waiting >= MOST_WAITING {
            return Err(QueueError::Full(waiting));
        }
        self.storage
            .push(Message { v: VERSION, job })
            .await
            .map_err(|error| QueueError::Push(error.to_string()))
    }

    /// How many bells nobody has taken yet.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn waiting(&mut self) -> Result<usize, QueueError> {
        let (active, scheduled) = {
            let config = self.storage.get_config();
            (config.active_jobs_list(), config.scheduled_jobs_set())
        };
        let connection = self.storage.get_connection();
        let active: usize = connection.llen(active).await?;
        let scheduled: usize = connection.zcard(scheduled).await?;
        Ok(active + scheduled)
    }

    /// Removes what apalis keeps of bells that were answered and of consumers that are gone.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn tidy(&mut self, now: i64) -> Result<(), QueueError> {
        self.storage.vacuum().await.map_err(|error| QueueError::Push(error.to_string()))?;
        let (sets, workers, queue) = {
            let config = self.storage.get_config();
            let sets = [config.done_jobs_set(), config.dead_jobs_set(), config.failed_jobs_set()];
            (sets, config.workers_set(), config.queue.to_string())
        };
        let connection = self.storage.get_connection();
        let _: usize = connection.unlink(&sets).await?;
        let before = now.saturating_sub(FORGOTTEN_AFTER);
        let gone: Vec<String> = connection.zrangebyscore(&workers, "-inf", before).await?;
        for consumer in gone {
            let _: usize = connection.zrem(&workers, &consumer).await?;
            let metadata = format!("{queue}:workers:metadata:{consumer}");
            let _: usize = connection.unlink(metadata).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_message_is_a_version_and_a_job() {
        let message = Message { v: VERSION, job: JobId::from(Uuid::from_u128(42)) };
        insta::assert_snapshot!(
            serde_json::to_string(&message).unwrap(),
            @r#"{"v":1,"job":"00000000-0000-0000-0000-00000000002a"}"#
        );
    }
}
