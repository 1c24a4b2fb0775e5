//! When a container that was just started may serve.
//!
//! ```text
//!   not running ──runs──▶ up ──initial delay──▶ asked every period ──successes in a row──▶ ready
//!        ▲                 └── no health check: stays up for a while ───────────────────────▲
//!        └──────────────────────────── exits, from anywhere ────────────────────────────────┘
//! ```
//!
//! It has failed for good when it exits again and again, or gives as many bad answers in a row as its
//! health check allows; both only after a grace, for what waits for another container of the release
//! does the same at first.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::stack::{ContainerFacts, HealthCheck, Phase, Probe};

/// So many restarts are no accident, once a container had the time in which it should have shown that
/// it stays up.
const MOST_RESTARTS: i64 = 3;

/// For so long after its initial delay a container may give bad answers, whatever its threshold.
///
/// The usual threshold is one bad answer, and the usual initial delay is a guess.
const GRACE: Duration = Duration::from_secs(60);

/// What a container answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is well.
    Good,
    /// It is not, in a few words.
    Bad(String),
}

/// Why a container does not become ready any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It exits.
    Exited {
        /// With this code.
        code: i64,
        /// After it was started again so often.
        restarts: i64,
    },
    /// It needs more memory than it may use.
    OutOfMemory,
    /// It does not answer its health check as it should.
    Ill {
        /// Time since it was seen to run.
        after: Duration,
        /// What was asked.
        question: String,
        /// What it answered last.
        answer: String,
    },
    /// Time was over.
    NotInTime {
        /// The time it had.
        limit: Duration,
        /// What it answered last, if it was asked.
        answer: Option<String>,
    },
    /// Somebody removed it.
    Gone,
    /// The engine cannot start it, in its words.
    NotStarted(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code, restarts: 0 } => write!(f, "exited {code} after start"),
            Self::Exited { code, restarts: 1 } => write!(f, "exited {code} after start, 1 restart"),
            Self::Exited { code, restarts } => {
                write!(f, "exited {code} after start, {restarts} restarts")
            }
            Self::OutOfMemory => f.write_str("used more memory than its limit"),
            Self::Ill { after, question, answer } => {
                write!(f, "is not healthy after {} s: {question}: {answer}", after.as_secs())
            }
            Self::NotInTime { limit, answer } => {
                write!(f, "is not ready after {} s", limit.as_secs())?;
                answer.iter().try_for_each(|answer| write!(f, ": {answer}"))
            }
            Self::Gone => f.write_str("was removed while it started"),
            Self::NotStarted(words) => write!(f, "cannot be started: {words}"),
        }
    }
}

/// Follows one container until it is ready. Times count from the beginning of the wait.
#[derive(Debug)]
pub struct Readiness {
    check: Option<HealthCheck>,
    min_ready: Duration,
    first_seen_at: Option<Duration>,
    life: Option<Life>,
    bad_answer: Option<String>,
}

/// One uninterrupted run of a container.
#[derive(Debug)]
struct Life {
    started_at: Option<DateTime<Utc>>,
    seen_at: Duration,
    asked_at: Option<Duration>,
    good: u32,
    bad: u32,
}

impl Readiness {
    /// Begins to follow a container.
    ///
    /// Without a health check it is ready when it has stayed up for `min_ready`.
    pub fn new(check: Option<HealthCheck>, min_ready: Duration) -> Self {
        Self { check, min_ready, first_seen_at: None, life: None, bad_answer: None }
    }

    /// Takes note of what the engine says.
    ///
    /// # Errors
    ///
    /// When the container has failed for good.
    pub fn see(&mut self, facts: &ContainerFacts, now: Duration) -> Result<(), Why> {
        let age = now.saturating_sub(*self.first_seen_at.get_or_insert(now));
        match facts.phase {
            Phase::Running => {
                let is_known =
                    self.life.as_ref().is_some_and(|life| life.started_at == facts.started_at);
                if !is_known {
                    let started_at = facts.started_at;
                    self.life =
                        Some(Life { started_at, seen_at: now, asked_at: None, good: 0, bad: 0 });
                }
            }
            Phase::Restarting if facts.restarts < MOST_RESTARTS || age < self.min_ready => {
                self.life = None;
            }
            Phase::Restarting | Phase::Stopped if facts.out_of_memory => {
                return Err(Why::OutOfMemory);
            }
            Phase::Restarting | Phase::Stopped => {
                return Err(Why::Exited { code: facts.exit_code, restarts: facts.restarts });
            }
            Phase::Created => self.life = None,
            Phase::Broken => return Err(Why::Gone),
        }
        Ok(())
    }

    /// What to ask now, if it is time to.
    pub fn question(&self, now: Duration) -> Option<&Probe> {
        let (check, life) = (self.check.as_ref()?, self.life.as_ref()?);
        let due = match life.asked_at {
            Some(asked_at) => asked_at.saturating_add(check.period),
            None => life.seen_at.saturating_add(check.initial_delay),
        };
        (now >= due).then_some(&check.probe)
    }

    /// Takes note of an answer.
    ///
    /// # Errors
    ///
    /// When the container has failed for good.
    pub fn hear(&mut self, answer: Answer, now: Duration) -> Result<(), Why> {
        let (Some(check), Some(life)) = (&self.check, &mut self.life) else {
            return Ok(());
        };
        life.asked_at = Some(now);
        match answer {
            Answer::Good => {
                (life.good, life.bad) = (life.good.saturating_add(1), 0);
                self.bad_answer = None;
            }
            Answer::Bad(answer) => {
                (life.good, life.bad) = (0, life.bad.saturating_add(1));
                let after = now.saturating_sub(life.seen_at);
                if life.bad >= check.failures && after >= check.initial_delay + GRACE {
                    let question = check.probe.to_string();
                    return Err(Why::Ill { after, question, answer });
                }
                self.bad_answer = Some(answer);
            }
        }
        Ok(())
    }

    /// Whether it may serve.
    pub fn is_ready(&self, now: Duration) -> bool {
        self.life.as_ref().is_some_and(|life| match &self.check {
            Some(check) => life.good >= check.successes,
            None => now.saturating_sub(life.seen_at) >= self.min_ready,
        })
    }

    /// Why it is not ready when time is over.
    pub fn too_late(&self, limit: Duration) -> Why {
        Why::NotInTime { limit, answer: self.bad_answer.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(phase: Phase, restarts: i64) -> ContainerFacts {
        ContainerFacts {
            id: "1".to_owned(),
            image: "sha256:1".to_owned(),
            labels: std::collections::BTreeMap::new(),
            phase,
            exit_code: 7,
            out_of_memory: false,
            restarts,
            started_at: DateTime::from_timestamp(restarts, 0),
        }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn check(successes: u32, failures: u32) -> Option<HealthCheck> {
        Some(HealthCheck {
            probe: Probe::Tcp { port: 80 },
            initial_delay: at(5),
            period: at(10),
            successes,
            failures,
        })
    }

    fn bad() -> Answer {
        Answer::Bad("connection refused".to_owned())
    }

    #[test]
    fn without_a_check_it_is_ready_after_staying_up() {
        let mut readiness = Readiness::new(None, at(10));
        readiness.see(&facts(Phase::Running, 0), at(1)).unwrap();
        assert!(!readiness.is_ready(at(10)));
        assert!(readiness.is_ready(at(11)));
        readiness.see(&facts(Phase::Running, 1), at(12)).unwrap();
        assert!(!readiness.is_ready(at(21)), "a restart begins a new life");
        readiness.see(&facts(Phase::Restarting, 2), at(22)).unwrap();
        assert!(!readiness.is_ready(at(90)), "it does not run");
    }

    #[test]
    fn it_is_asked_after_the_delay_and_then_every_period() {
        let mut readiness = Readiness::new(check(2, 1), at(0));
        assert_eq!(readiness.question(at(9)), None, "not running yet");
        readiness.see(&facts(Phase::Running, 0), at(0)).unwrap();
        assert_eq!(readiness.question(at(4)), None);
        assert!(readiness.question(at(5)).is_some());
        readiness.hear(Answer::Good, at(5)).unwrap();
        assert_eq!(readiness.question(at(14)), None);
        assert!(!readiness.is_ready(at(14)), "two good answers are asked for");
        readiness.hear(bad(), at(15)).unwrap();
        readiness.hear(Answer::Good, at(25)).unwrap();
        assert!(!readiness.is_ready(at(25)), "in a row");
        readiness.hear(Answer::Good, at(35)).unwrap();
        assert!(readiness.is_ready(at(35)));
    }

    #[test]
    fn bad_answers_end_the_wait_after_the_grace_and_the_threshold() {
        let mut readiness = Readiness::new(check(1, 3), at(0));
        readiness.see(&facts(Phase::Running, 0), at(0)).unwrap();
        for seconds in [5, 15, 25, 35, 64] {
            readiness.hear(bad(), at(seconds)).unwrap();
        }
        let why = readiness.hear(bad(), at(65)).unwrap_err();
        let said = "is not healthy after 65 s: connect to port 80: connection refused";
        assert_eq!(why.to_string(), said);
    }

    #[test]
    fn exits_end_the_wait_once_it_should_have_shown_that_it_stays_up() {
        let mut readiness = Readiness::new(None, at(10));
        readiness.see(&facts(Phase::Restarting, 5), at(1)).unwrap();
        readiness.see(&facts(Phase::Restarting, 6), at(10)).unwrap();
        readiness.see(&facts(Phase::Restarting, 2), at(11)).unwrap();
        readiness.see(&facts(Phase::Running, 7), at(12)).unwrap();
        let why = readiness.see(&facts(Phase::Restarting, 7), at(13)).unwrap_err();
        assert_eq!(why.to_string(), "exited 7 after start, 7 restarts");
        let hungry = ContainerFacts { out_of_memory: true, ..facts(Phase::Restarting, 3) };
        assert_eq!(readiness.see(&hungry, at(14)), Err(Why::OutOfMemory));
        let why = readiness.see(&facts(Phase::Stopped, 0), at(0)).unwrap_err();
        assert_eq!(why.to_string(), "exited 7 after start");
    }

    #[test]
    fn what_was_not_ready_in_time_is_told_with_its_last_answer() {
        let mut readiness = Readiness::new(check(1, 1), at(0));
        readiness.see(&facts(Phase::Running, 0), at(0)).unwrap();
        assert_eq!(readiness.too_late(at(600)).to_string(), "is not ready after 600 s");
        readiness.hear(bad(), at(5)).unwrap();
        assert_eq!(
            readiness.too_late(at(600)).to_string(),
            "is not ready after 600 s: connection refused"
        );
    }
}
