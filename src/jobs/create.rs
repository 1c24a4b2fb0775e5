//! A job comes into being.

use diesel::OptionalExtension as _;
use diesel_async::AsyncPgConnection;

use crate::db::lock::RepositoryLock;
use crate::db::models::environment::Environment;
use crate::db::models::job::{Job, NewJob};
use crate::db::models::outbox;
use crate::domain::git_ref::RefName;
use crate::domain::history::{EntryKind, NewEntry, Step};
use crate::domain::ids::{JobNumber, ProjectId};
use crate::domain::job::{JobState, Outcome};
use crate::domain::oid::Oid;
use crate::git::bare_repository::Swap;
use crate::history::{Appended, Writer, append};
use crate::jobs::{Jobs, JobsError, Verdict, end, end_and_ring};
use crate::progress::number_in_header;

/// Characters of a fingerprint that are shown: its kind and enough to tell keys apart.
const SHOWN_FINGERPRINT: usize = 13;

/// The job that deploys what was asked for.
#[derive(Debug, Clone)]
pub enum Created {
    /// A new one.
    New(Job),
    /// An open one with the same key, created by somebody before.
    Attached(Job),
}

impl Created {
    /// The job.
    pub const fn job(&self) -> &Job {
        match self {
            Self::New(job) | Self::Attached(job) => job,
        }
    }
}

/// What came of moving a ref before its deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MovedAtOnce {
    /// It is at the pushed commit.
    Moved,
    /// The release is live already: the job's end moves the ref.
    AtItsEnd,
    /// It was somewhere else.
    Elsewhere(Option<Oid>),
    /// git does not allow it.
    Refused(String),
}

impl Jobs {
    /// Creates a job, its first row and its bell, or finds the open job with the same key.
    ///
    /// A deployment's commit is pinned before anybody can see the job. An environment without a
    /// target refuses the job, which is kept so that people see why.
    ///
    /// # Errors
    ///
    /// When the database or the repository does not answer.
    pub async fn create(&self, project: ProjectId, new: NewJob) -> Result<Created, JobsError> {
        let jobs = self.clone();
        self.db
            .transaction(async move |connection| {
                RepositoryLock::take(connection, project).await?;
                drop(Environment::lock(connection, new.environment_id).await?);
                match new.insert(connection).await? {
                    Some(job) => {
                        jobs.begin(connection, project, &new, &job).await?;
                        Ok(Created::New(Job::find(connection, job.id).await?))
                    }
                    None => Ok(find(connection, &new).await?),
                }
            })
            .await
    }

    async fn begin(
        &self,
        connection: &mut AsyncPgConnection,
        project: ProjectId,
        new: &NewJob,
        job: &Job,
    ) -> Result<(), JobsError> {
        // What a rollback deploys is pinned by the job that deployed it first: going back needs no
        // repository.
        if let (Some(commit), None) = (job.new_oid, job.source) {
            let number = job.number;
            self.in_repository(project, move |repository| repository.pin(number, commit)).await?;
        }
        let header = NewEntry::new(Step::Job, EntryKind::Step, header(new, job.number));
        match append(connection, job.id, Writer::Outside, &[header]).await? {
            Appended::Written | Appended::Refused => {}
        }
        if job.snapshot.clusters.is_empty() {
            let reason = format!("no cluster serves `{}`", job.snapshot.environment);
            end(connection, job, &Verdict::new(Outcome::Refused, reason)).await?;
        } else {
            outbox::ring(connection, job.id).await?;
        }
        Ok(())
    }

    /// Moves the ref of an open job that a push does not wait for.
    ///
    /// When that fails, a job that this push made ends as stale; one that was there before stays
    /// as it was.
    ///
    /// # Errors
    ///
    /// When the database or the repository does not answer.
    pub async fn move_at_once(
        &self,
        project: ProjectId,
        created: &Created,
    ) -> Result<MovedAtOnce, JobsError> {
        let (jobs, id) = (self.clone(), created.job().id);
        let made_here = matches!(created, Created::New(_));
        self.db
            .transaction(async move |connection| {
                let lock = RepositoryLock::take(connection, project).await?;
                let job = Job::find(connection, id).await?;
                drop(Environment::lock(connection, job.environment_id).await?);
                let job = Job::lock(connection, id).await?;
                let (Some(name), Some(new)) = (job.ref_name.clone(), job.new_oid) else {
                    return Ok(MovedAtOnce::AtItsEnd);
                };
                let expected = match job.state {
                    JobState::Ended(Outcome::Stale) => {
                        return Ok(MovedAtOnce::Elsewhere(jobs.tip(project, name).await?));
                    }
                    // The claim of a job that moves its ref at once has moved it.
                    JobState::Running if made_here => return Ok(MovedAtOnce::Moved),
                    JobState::Ended(_) => {
                        let is_there = jobs.tip(project, name).await? == Some(new);
                        let why =
                            || MovedAtOnce::Refused(format!("job {}: {}", job.number, job.reason));
                        return Ok(if is_there { MovedAtOnce::Moved } else { why() });
                    }
                    JobState::Running if job.ref_result.is_some() => {
                        return Ok(MovedAtOnce::AtItsEnd);
                    }
                    JobState::Running => job.expected_tip,
                    JobState::Queued => job.old_oid,
                };
                let moved = match jobs.swap(&lock, &name, expected, Some(new)).await? {
                    Swap::Done => MovedAtOnce::Moved,
                    Swap::Elsewhere(tip) if tip == Some(new) => MovedAtOnce::Moved,
                    Swap::Elsewhere(tip) => MovedAtOnce::Elsewhere(tip),
                    Swap::Refused(why) => MovedAtOnce::Refused(why),
                };
                if moved == MovedAtOnce::Moved {
                    Job::set_moves_at_once(connection, id).await?;
                } else if made_here {
                    let reason = moved.reason(&name);
                    end_and_ring(connection, &job, &Verdict::new(Outcome::Stale, reason)).await?;
                }
                Ok(moved)
            })
            .await
    }
}

impl MovedAtOnce {
    /// Why the ref is not where it was pushed to, in git's rejection line.
    pub fn reason(&self, name: &RefName) -> String {
        match self {
            Self::Moved | Self::AtItsEnd => String::new(),
            Self::Elsewhere(tip) => moved_elsewhere(name, *tip),
            Self::Refused(why) => why.clone(),
        }
    }
}

/// Why a job must not go on: its ref is somewhere else by now.
pub(super) fn moved_elsewhere(name: &RefName, tip: Option<Oid>) -> String {
    let name = name.short();
    match tip {
        Some(tip) => {
            format!("{name} moved to {} while this waited: fetch, merge, push again", tip.short())
        }
        None => format!("{name} was deleted while this waited: push again"),
    }
}

/// Finds what stood in the way: the job itself, when an answer was lost, or one of the same key.
async fn find(connection: &mut AsyncPgConnection, new: &NewJob) -> diesel::QueryResult<Created> {
    if let Some(own) = Job::find(connection, new.id).await.optional()? {
        return Ok(Created::New(own));
    }
    match new.find_open(connection).await? {
        Some(job) => Ok(Created::Attached(job)),
        None => Err(diesel::result::Error::NotFound),
    }
}

/// The first row of a History: who deploys what where.
fn header(new: &NewJob, number: JobNumber) -> String {
    let snapshot = &new.snapshot;
    let commit =
        new.new_oid.map(|commit| format!("{} \"{}\"{}", commit.short(), new.subject, origin(new)));
    let what = match (new.source, commit) {
        (Some(release), Some(commit)) => format!("{} to {release}, {commit}", new.kind),
        (None, Some(commit)) => commit,
        (_, None) => new.kind.to_string(),
    };
    let mut fingerprint: String = new.fingerprint.chars().take(SHOWN_FINGERPRINT).collect();
    // Whoever came without a key is told of by a word.
    if fingerprint.len() < new.fingerprint.len() {
        fingerprint.push('…');
    }
    let number = number_in_header(number);
    // Somebody at the server's terminal came with no key, and a schedule neither.
    let key = if fingerprint.is_empty() { fingerprint } else { format!(" ({fingerprint})") };
    let place = format!("{}/{}", snapshot.project, snapshot.environment);
    format!("pierhead · {place} · {what}{number}{}{key}", new.pusher)
}

/// Where the commit comes from, if nobody pushed it.
fn origin(new: &NewJob) -> String {
    match (&new.snapshot.source, new.push_id) {
        (Some(source), None) => format!(" from {}", source.site()),
        (Some(_) | None, _) => String::new(),
    }
}
