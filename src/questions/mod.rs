//! Questions about what runs: asked at a door, answered by a worker, who alone can look.
//!
//! A door has neither the keys that open secrets nor a way to clusters. It writes what somebody wants
//! to know, and reads what a worker says as that comes. Rows carry both, and nobody keeps them: a part
//! of an answer is gone once it was read, and all of it when the asker is.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;
use uuid::Uuid;

use crate::db::feed::{Bell, Feed, Listener};
use crate::db::models::question::{self, Room, Standing};
use crate::db::pool::{Db, told};
use crate::domain::ids::{EnvironmentId, QuestionId};
use crate::domain::question::{Question, Told};

/// Longest wait until a worker takes a question.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// Time between two signs that somebody still waits for an answer; rows say for how long each lasts.
const SIGN_EVERY: Duration = Duration::from_secs(10);

/// Time between two looks whether a worker took the question, and whether anybody wants the answer.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Pause in which more of an answer is collected before it is told, and while nobody reads.
pub const COLLECTED: Duration = Duration::from_millis(50);

/// Where questions are asked and answered.
#[derive(Debug, Clone)]
pub struct Questions {
    db: Db,
    feed: Feed,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No worker took the question.
    #[error("no worker answers: see whether one runs, and ask again")]
    NoWorker,
    /// The worker does not go on.
    #[error("the worker that answered has gone, or was not listened to: ask again")]
    Left,
    /// The worker could not answer, in words for whoever asked.
    #[error("{0}")]
    Fault(String),
    /// The database does not answer.
    #[error("{}", told(.0))]
    Db(#[from] diesel::result::Error),
}

impl Questions {
    /// Questions of an installation.
    pub const fn new(db: Db, feed: Feed) -> Self {
        Self { db, feed }
    }

    /// Asks something about an environment.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn ask(
        &self,
        environment: EnvironmentId,
        asked: Question,
    ) -> Result<Answer, NoAnswer> {
        // Subscribed before anything can be said.
        let bells = self.feed.subscribe();
        let id = QuestionId::from(Uuid::now_v7());
        let asking = self.db.transaction(async move |connection| {
            question::ask(connection, (id, environment), &asked).await
        });
        asking.await?;
        let now = Instant::now();
        let (db, end) = (self.db.clone(), None);
        Ok(Answer { db, bells, id, asked_at: now, signed_at: now, is_taken: false, end })
    }

    /// Asks something whose answer comes to an end, and waits for all of it.
    ///
    /// # Errors
    ///
    /// When there is no answer, or the database does not answer.
    pub async fn ask_for_all(
        &self,
        environment: EnvironmentId,
        asked: Question,
    ) -> Result<Vec<Told>, NoAnswer> {
        let mut answer = self.ask(environment, asked).await?;
        let mut all = Vec::new();
        let ended = loop {
            match answer.next().await {
                Ok(Some(said)) => all.extend(said),
                Ok(None) => break Ok(all),
                Err(error) => break Err(error),
            }
        };
        answer.close().await;
        ended
    }

    /// Takes the oldest question that nobody answers yet.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn take(&self, worker: &str) -> diesel::QueryResult<Option<Asked>> {
        let worker = worker.to_owned();
        let taken = self
            .db
            .transaction(async move |connection| question::take(connection, &worker).await)
            .await?;
        Ok(taken.map(|taken: question::Taken| Asked {
            db: self.db.clone(),
            id: taken.id,
            environment: taken.environment,
            question: taken.asked,
        }))
    }

    /// Hears when something is asked from now on.
    pub fn bells(&self) -> Listener {
        self.feed.subscribe()
    }
}

/// An answer, as it comes.
#[derive(Debug)]
pub struct Answer {
    db: Db,
    bells: Listener,
    id: QuestionId,
    asked_at: Instant,
    signed_at: Instant,
    is_taken: bool,
    /// How it ended, once it has.
    end: Option<Option<String>>,
}

impl Answer {
    /// What was said since, never empty; `None` when all of it was.
    ///
    /// # Errors
    ///
    /// When there is no answer, or the database stays away.
    pub async fn next(&mut self) -> Result<Option<Vec<Told>>, NoAnswer> {
        loop {
            match &self.end {
                Some(None) => return Ok(None),
                Some(Some(fault)) => return Err(NoAnswer::Fault(fault.clone())),
                None => {}
            }
            let id = self.id;
            let mut said: Vec<Told> =
                self.db.run(async move |connection| question::read(connection, id).await).await?;
            if let Some(Told::End { fault }) = said.last() {
                self.end = Some(fault.clone());
                said.pop();
            }
            if !said.is_empty() {
                self.is_taken = true;
                return Ok(Some(said));
            }
            if self.end.is_some() {
                continue;
            }
            if !self.is_taken || self.signed_at.elapsed() >= SIGN_EVERY {
                self.sign().await?;
            }
            let wait = if self.is_taken { SIGN_EVERY } else { LOOK_EVERY };
            self.bells.heard_any(&[Bell::Answers(id)], wait).await;
        }
    }

    /// Says that somebody waits.
    async fn sign(&mut self) -> Result<(), NoAnswer> {
        let id = self.id;
        let standing =
            self.db.run(async move |connection| question::wait_on(connection, id).await).await?;
        self.signed_at = Instant::now();
        self.is_taken = standing == Standing::Answered;
        match standing {
            Standing::Answered => Ok(()),
            Standing::Asked if self.asked_at.elapsed() < TAKEN_WITHIN => Ok(()),
            Standing::Asked => Err(NoAnswer::NoWorker),
            Standing::Left => Err(NoAnswer::Left),
        }
    }

    /// Says that nobody waits any more.
    pub async fn close(self) {
        let id = self.id;
        let dropped = self.db.run(async move |connection| question::drop(connection, id).await);
        // It is forgotten anyway, some time later.
        if let Err(error) = dropped.await {
            let error: diesel::result::Error = error;
            warn!("Could not take a question back: {error}");
        }
    }
}

/// A question that this worker answers.
#[derive(Debug, Clone)]
pub struct Asked {
    db: Db,
    id: QuestionId,
    /// What it is about.
    pub environment: EnvironmentId,
    /// What is asked.
    pub question: Question,
}

impl Asked {
    /// Says something; `false` when nobody hears it.
    ///
    /// Waits while the asker has not read what was said before.
    pub async fn tell(&self, said: Vec<Told>) -> bool {
        let id = self.id;
        loop {
            let room = self.db.run(async move |connection| question::room(connection, id).await);
            match room.await {
                Ok(Room::Free) => break,
                Ok(Room::Full) => tokio::time::sleep(COLLECTED).await,
                Ok(Room::Unwanted) => return false,
                Err(error) => {
                    let error: diesel::result::Error = error;
                    warn!("Could not see whether an answer is wanted: {error}");
                    return false;
                }
            }
        }
        let telling = self
            .db
            .transaction(async move |connection| question::tell(connection, id, &said).await);
        let told: diesel::QueryResult<()> = telling.await;
        // Whoever asked has gone meanwhile, and the question with them.
        told.is_ok()
    }

    /// Says that there is no more, and why, if that is a fault.
    pub async fn end(&self, fault: Option<String>) {
        // Who does not hear it has gone.
        let _heard: bool = self.tell(vec![Told::End { fault }]).await;
    }

    /// Waits until nobody wants the answer.
    pub async fn unwanted(&self) {
        let id = self.id;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let room = self.db.run(async move |connection| question::room(connection, id).await);
            match room.await {
                Ok(Room::Free | Room::Full) => {}
                Ok(Room::Unwanted) => return,
                Err(error) => {
                    let error: diesel::result::Error = error;
                    warn!("Could not see whether an answer is wanted: {error}");
                }
            }
        }
    }
}
