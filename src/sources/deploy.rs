//! What becomes of each ref of a source.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::db::models::job::{Job, NewJob};
use crate::db::models::source_check::Taken;
use crate::db::models::source_tip::{self, NewTip};
use crate::domain::cache::Cache;
use crate::domain::deploy_rule::{DeployRule, Protection, choose};
use crate::domain::git_ref::{RefKind, RefName};
use crate::domain::ids::JobId;
use crate::domain::job::{JobKind, JobState};
use crate::domain::oid::Oid;
use crate::domain::ref_move::RefMoves;
use crate::domain::source::{Asker, Fate, Found, Known, NextStep, next_step};
use crate::domain::stored_variables::StoredVariables;
use crate::git::bare_repository::GitError;
use crate::jobs::{Created, RefChange};
use crate::sources::Sources;
use crate::sources::check::Subject;
use crate::sources::fault::SourceFault;
use crate::tasks::blocking;

/// Who ends the waiting jobs of a branch that is gone.
const SOURCE: &str = "the source, where the branch is gone";

/// A ref that is to be fetched.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Its name.
    pub(super) name: RefName,
    /// Where it is there.
    commit: Oid,
    /// Where it is here.
    tip: Option<Oid>,
    /// What it deploys by.
    rule: &'a DeployRule,
    /// The ref that deploys to the same environment in its place.
    outranked_by: Option<RefName>,
}

/// What is to be done about the refs of a source.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    /// Those that are to be fetched.
    pub(super) wanted: Vec<Wanted<'a>>,
    /// Those about which all is known.
    pub(super) found: Vec<Found>,
    /// How many others there are.
    pub(super) others: usize,
}

/// What is known of a commit that was fetched.
struct Fetched {
    commit: Oid,
    subject: String,
    forced: bool,
}

/// Decides about every ref that is there.
///
/// Of several that are new and deploy to one environment the best-ranked rule's does, as in a push
/// (push.md §1).
pub(super) fn plan<'a>(
    subject: &'a Subject,
    (listed, tips): (&[(RefName, Oid)], &HashMap<RefName, Oid>),
    asker: Asker,
    most: usize,
) -> Plan<'a> {
    let mut plan = Plan::default();
    for (name, commit) in listed {
        let mut found = |fate| {
            plan.found.push(Found { name: name.clone(), commit: Some(*commit), fate });
        };
        let Some(rule) = choose(&subject.rules, name) else {
            match subject.project.is_default_branch(name) {
                true => found(Fate::NoRule),
                false => plan.others += 1,
            }
            continue;
        };
        let (tip, tried) = (tips.get(name).copied(), subject.tried.get(name).copied());
        match next_step(*commit, rule.environment, Known { tip, tried }, asker) {
            NextStep::UpToDate => found(Fate::UpToDate),
            NextStep::UnderWay(job) => found(Fate::UnderWay { job }),
            NextStep::Tried(job) => found(Fate::Tried { job }),
            NextStep::Deploy if plan.wanted.len() >= most => found(Fate::Later),
            NextStep::Deploy => plan.wanted.push(Wanted {
                name: name.clone(),
                commit: *commit,
                tip,
                rule,
                outranked_by: None,
            }),
        }
    }
    rank(&mut plan.wanted);
    plan
}

/// Finds which of several refs deploys to an environment.
fn rank(wanted: &mut [Wanted<'_>]) {
    let best_for = |of: &Wanted<'_>| {
        let rivals = wanted.iter().filter(|other| other.rule.environment == of.rule.environment);
        let best = rivals.reduce(|best, other| {
            let better = other.rule.precedes(&other.name, best.rule, &best.name);
            if better { other } else { best }
        });
        best.map(|best| best.name.clone()).filter(|best| *best != of.name)
    };
    let outranked: Vec<_> = wanted.iter().map(best_for).collect();
    for (wanted, by) in wanted.iter_mut().zip(outranked) {
        wanted.outranked_by = by;
    }
}

impl Wanted<'_> {
    /// What would become of it.
    pub(super) fn would(&self, subject: &Subject) -> Found {
        let environment = subject.environments.get(&self.rule.environment);
        let fate = match (&self.outranked_by, environment) {
            (Some(by), _) => Fate::Stored { by: by.clone() },
            (None, Some(row)) => Fate::WouldDeploy { environment: row.name.clone() },
            (None, None) => Fate::NoRule,
        };
        Found { name: self.name.clone(), commit: Some(self.commit), fate }
    }
}

impl Sources {
    /// Deploys or stores a ref that was fetched, and is at this commit.
    pub(super) async fn settle(
        &self,
        (taken, subject): (&Taken, &Subject),
        wanted: &Wanted<'_>,
        commit: Oid,
    ) -> Result<Fate, SourceFault> {
        let Some(fetched) = self.fetched(subject, wanted, commit).await? else {
            self.note(subject, wanted, (commit, None)).await?;
            return Ok(Fate::NotACommit);
        };
        if fetched.forced && wanted.rule.protection == Protection::Protected {
            self.note(subject, wanted, (commit, None)).await?;
            return Ok(Fate::Protected);
        }
        match &wanted.outranked_by {
            Some(by) => self.store(subject, wanted, (commit, by)).await,
            None => self.deploy((taken, subject), wanted, fetched).await,
        }
    }

    async fn fetched(
        &self,
        subject: &Subject,
        wanted: &Wanted<'_>,
        commit: Oid,
    ) -> Result<Option<Fetched>, GitError> {
        let (repositories, project) = (self.jobs.repositories().clone(), subject.project.id);
        let (kind, tip) = (wanted.name.kind(), wanted.tip);
        blocking(move || {
            let repository = repositories.open(project)?;
            let fits = match kind {
                RefKind::Branch => repository.is_commit(commit)?,
                RefKind::Tag => repository.peel(commit).is_ok(),
            };
            if !fits {
                return Ok(None);
            }
            // A tip that is no commit was overwritten, not continued.
            let kept = |tip| repository.descends(commit, tip).unwrap_or(false);
            let forced = tip.is_some_and(|tip| !kept(tip));
            Ok(Some(Fetched { commit, subject: repository.subject(commit)?, forced }))
        })
        .await
    }

    async fn deploy(
        &self,
        (taken, subject): (&Taken, &Subject),
        wanted: &Wanted<'_>,
        Fetched { commit, subject: first_line, forced }: Fetched,
    ) -> Result<Fate, SourceFault> {
        let environment = subject.environments.get(&wanted.rule.environment);
        let environment = environment.ok_or(diesel::result::Error::NotFound)?;
        let snapshot = self.jobs.snapshot(&subject.project, environment).await?;
        let variables = StoredVariables::default();
        let new = NewJob {
            id: JobId::from(Uuid::now_v7()),
            kind: JobKind::Deploy,
            environment_id: environment.id,
            push_id: None,
            user_id: taken.user_id,
            pusher: taken.asked_by.clone(),
            fingerprint: taken.fingerprint.clone(),
            ref_name: Some(wanted.name.clone()),
            old_oid: wanted.tip,
            new_oid: Some(commit),
            subject: first_line,
            forced,
            variables_hash: Cache::Used.key(variables.hash()),
            variables,
            snapshot,
            ref_moves: RefMoves::OnSuccess,
            source: None,
        };
        let created = self.jobs.create(subject.project.id, new).await?;
        let job = created.job();
        self.note(subject, wanted, (commit, Some(job.id))).await?;
        let number = job.number;
        Ok(match (&created, job.state) {
            // There is no target.
            (_, JobState::Ended(_)) => {
                Fate::Refused { why: format!("job {number}: {}", job.reason) }
            }
            (Created::New(_), JobState::Queued | JobState::Running) => {
                Fate::Deploys { job: number, environment: environment.name.clone() }
            }
            (Created::Attached(_), JobState::Queued | JobState::Running) => {
                Fate::UnderWay { job: number }
            }
        })
    }

    /// Stores a ref without deploying it.
    async fn store(
        &self,
        subject: &Subject,
        wanted: &Wanted<'_>,
        (commit, by): (Oid, &RefName),
    ) -> Result<Fate, SourceFault> {
        let (project, name) = (subject.project.id, wanted.name.clone());
        let change = self.jobs.change_ref(project, name, wanted.tip, Some(commit)).await?;
        Ok(match change {
            RefChange::Done => {
                self.note(subject, wanted, (commit, None)).await?;
                Fate::Stored { by: by.clone() }
            }
            RefChange::Deploying(job) => Fate::UnderWay { job },
            // Seen by the next look.
            RefChange::Elsewhere(_) => Fate::Later,
            RefChange::Refused(why) => Fate::Refused { why },
        })
    }

    /// Notes what was done, so that a schedule does not do it again.
    async fn note(
        &self,
        subject: &Subject,
        wanted: &Wanted<'_>,
        (commit, job): (Oid, Option<JobId>),
    ) -> diesel::QueryResult<()> {
        let (project, environment) = (subject.project.id, wanted.rule.environment);
        let name = wanted.name.clone();
        self.jobs
            .db()
            .run(async move |connection| {
                let tip = NewTip { project, name: &name, commit, environment, job };
                source_tip::note(connection, &tip).await
            })
            .await
    }

    /// Forgets refs that came from the source and are not there any more.
    pub(super) async fn forget_gone(
        &self,
        subject: &Subject,
        listed: &[(RefName, Oid)],
        most: usize,
    ) -> Result<Vec<Found>, SourceFault> {
        let mut found = Vec::new();
        // A repository without any ref is one that somebody makes anew.
        if listed.is_empty() {
            return Ok(found);
        }
        let there: HashSet<&RefName> = listed.iter().map(|(name, _)| name).collect();
        let gone = subject.tried.keys().filter(|name| !there.contains(name)).take(most);
        for name in gone {
            let fate = self.forget(subject, name).await?;
            found.push(Found { name: name.clone(), commit: None, fate });
        }
        Ok(found)
    }

    async fn forget(&self, subject: &Subject, name: &RefName) -> Result<Fate, SourceFault> {
        let kept = |why: &str| Ok(Fate::Kept { why: why.to_owned() });
        if subject.project.is_default_branch(name) {
            return kept("it is the default branch");
        }
        let rule = choose(&subject.rules, name);
        if rule.is_some_and(|rule| rule.protection == Protection::Protected) {
            return kept("its rule is protected");
        }
        let project = subject.project.id;
        let (of, db) = (name.clone(), self.jobs.db());
        let open = db.run(async move |connection| Job::open_of_ref(connection, project, &of).await);
        let open: diesel::QueryResult<Vec<Job>> = open.await;
        for job in open? {
            if job.state == JobState::Queued {
                self.jobs.cancel(job.id, SOURCE.to_owned()).await.map(|_answer| ())?;
            }
        }
        let tip = self.jobs.tip(project, name.clone()).await?;
        match self.jobs.change_ref(project, name.clone(), tip, None).await? {
            RefChange::Done => {
                let of = name.clone();
                let forgetting = db.run(async move |connection| {
                    source_tip::forget(connection, project, &of).await
                });
                let forgotten: diesel::QueryResult<()> = forgetting.await;
                forgotten?;
                Ok(Fate::Deleted)
            }
            RefChange::Deploying(job) => kept(&format!("job {job} is deploying it")),
            RefChange::Elsewhere(_) => kept("it moves just now"),
            RefChange::Refused(why) => kept(&why),
        }
    }
}
