//! Whether a ref of a source is deployed.

use crate::domain::ids::{EnvironmentId, JobNumber};
use crate::domain::job::{JobState, Outcome};
use crate::domain::oid::Oid;

/// Who wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Nobody: it is time to look. What was tried is not tried again, or a commit that cannot be
    /// deployed would be deployed at each look.
    Schedule,
    /// Somebody, who wants what failed to be tried again.
    Person,
}

/// What was done about a ref before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// Where it was.
    pub commit: Oid,
    /// Where it was to be deployed to.
    pub environment: EnvironmentId,
    /// The job that was made, with what became of it; `None` when there is none, or none any more.
    pub job: Option<(JobNumber, JobState)>,
}

/// What is known of a ref here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known {
    /// Where it is here: it moves when its deployment serves.
    pub tip: Option<Oid>,
    /// What was done about it before.
    pub tried: Option<Tried>,
}

/// What is to be done about a ref of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing: it is deployed.
    UpToDate,
    /// Nothing: this job deploys it.
    UnderWay(JobNumber),
    /// Nothing: it was tried, by this job if there was one.
    Tried(Option<JobNumber>),
    /// Fetch and deploy it.
    Deploy,
}

/// Decides about a ref that is at a commit elsewhere, and deploys to an environment.
pub fn next_step(commit: Oid, to: EnvironmentId, known: Known, asker: Asker) -> NextStep {
    let is_here = known.tip == Some(commit);
    let Some(tried) = known.tried.filter(|tried| tried.commit == commit) else {
        // What a push brought before there was a source is deployed already.
        return if is_here { NextStep::UpToDate } else { NextStep::Deploy };
    };
    if tried.environment != to {
        // Another rule speaks of it by now.
        return NextStep::Deploy;
    }
    match tried.job {
        Some((job, JobState::Queued | JobState::Running)) => NextStep::UnderWay(job),
        _ if is_here => NextStep::UpToDate,
        // Another commit came before it: now it is compared with that.
        Some((_, JobState::Ended(Outcome::Stale))) => NextStep::Deploy,
        Some((job, JobState::Ended(_))) => again(Some(job), asker),
        None => again(None, asker),
    }
}

const fn again(job: Option<JobNumber>, asker: Asker) -> NextStep {
    match asker {
        Asker::Person => NextStep::Deploy,
        Asker::Schedule => NextStep::Tried(job),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NEW: Oid = Oid::from_bytes([2; 20]);
    const OLD: Oid = Oid::from_bytes([1; 20]);

    fn environment(number: u128) -> EnvironmentId {
        Uuid::from_u128(number).into()
    }

    fn tried(commit: Oid, state: Option<JobState>) -> Tried {
        let job = state.map(|state| (JobNumber(42), state));
        Tried { commit, environment: environment(1), job }
    }

    fn step(tip: Option<Oid>, tried: Option<Tried>, asker: Asker) -> NextStep {
        next_step(NEW, environment(1), Known { tip, tried }, asker)
    }

    #[test]
    fn what_is_new_is_deployed_and_what_is_here_is_not() {
        for asker in [Asker::Schedule, Asker::Person] {
            assert_eq!(step(None, None, asker), NextStep::Deploy);
            assert_eq!(step(Some(OLD), None, asker), NextStep::Deploy);
            assert_eq!(step(Some(NEW), None, asker), NextStep::UpToDate);
            let live = tried(NEW, Some(JobState::Ended(Outcome::Live)));
            assert_eq!(step(Some(NEW), Some(live), asker), NextStep::UpToDate);
            assert_eq!(step(Some(NEW), Some(tried(NEW, None)), asker), NextStep::UpToDate);
            // One commit further than what was tried.
            let before = tried(OLD, Some(JobState::Ended(Outcome::Failed)));
            assert_eq!(step(None, Some(before), asker), NextStep::Deploy);
        }
    }

    #[test]
    fn what_failed_is_tried_again_only_when_somebody_asks() {
        for outcome in [Outcome::Failed, Outcome::Cancelled, Outcome::Superseded, Outcome::Lost] {
            let failed = Some(tried(NEW, Some(JobState::Ended(outcome))));
            let job = Some(JobNumber(42));
            assert_eq!(step(Some(OLD), failed, Asker::Schedule), NextStep::Tried(job), "{outcome}");
            assert_eq!(step(Some(OLD), failed, Asker::Person), NextStep::Deploy, "{outcome}");
        }
        let refused = Some(tried(NEW, None));
        assert_eq!(step(Some(OLD), refused, Asker::Schedule), NextStep::Tried(None));
        assert_eq!(step(Some(OLD), refused, Asker::Person), NextStep::Deploy);
        let stale = Some(tried(NEW, Some(JobState::Ended(Outcome::Stale))));
        assert_eq!(step(Some(OLD), stale, Asker::Schedule), NextStep::Deploy);
    }

    #[test]
    fn what_is_under_way_is_left_to_its_job() {
        for state in [JobState::Queued, JobState::Running] {
            for asker in [Asker::Schedule, Asker::Person] {
                let own = Some(tried(NEW, Some(state)));
                assert_eq!(step(Some(OLD), own, asker), NextStep::UnderWay(JobNumber(42)));
            }
        }
    }

    #[test]
    fn a_rule_that_leads_elsewhere_deploys_what_was_deployed() {
        let live = Some(tried(NEW, Some(JobState::Ended(Outcome::Live))));
        let known = Known { tip: Some(NEW), tried: live };
        let elsewhere = next_step(NEW, environment(2), known, Asker::Schedule);
        assert_eq!(elsewhere, NextStep::Deploy);
    }
}
