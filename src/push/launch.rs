//! Refs that are deployed: their file is compiled, their job created.

use tracing::warn;
use uuid::Uuid;

use crate::db::models::job::NewJob;
use crate::domain::deploy_rule::DeployRule;
use crate::domain::ids::{EnvironmentId, JobId};
use crate::domain::job::JobKind;
use crate::domain::oid::Oid;
use crate::domain::push_option::Wait;
use crate::domain::push_ref::Decision;
use crate::domain::ref_move::RefMoves;
use crate::domain::snapshot::Snapshot;
use crate::jobs::{Created, JobsError, MovedAtOnce};
use crate::paas_file::{Broken, Launch, compile_at};
use crate::push::handle::{Fate, Handling};
use crate::push::{Answer, Update};
use crate::tasks::blocking;

/// What is known of a commit whose file compiles.
struct Launched {
    subject: String,
    forced: bool,
}

impl Handling<'_> {
    /// Compiles a ref's file and creates its job.
    pub(super) async fn launch(
        &self,
        update: &Update,
        rule: &DeployRule,
        new: Oid,
    ) -> Result<Fate, JobsError> {
        let environment = self.environments.get(&rule.environment);
        let environment = environment.ok_or(diesel::result::Error::NotFound)?;
        let snapshot = self.pushes.jobs.snapshot(&self.project, environment).await?;
        let launched = match self.compile(new, update.old, &snapshot).await {
            Ok(launched) => launched,
            Err(broken) => {
                for line in broken.lines() {
                    self.say_line(update, line).await;
                }
                if let Broken::Git(error) = &broken {
                    warn!("Could not read a commit: {error:?}");
                }
                return Ok(Fate::Answered(Answer::rejected(broken.to_string())));
            }
        };
        let job = self.new_job(update, rule.environment, new, (launched, snapshot));
        let created = self.pushes.jobs.create(self.project.id, job).await?;
        let decision = match &created {
            Created::New(_) => Decision::Deployed,
            Created::Attached(_) => Decision::Attached,
        };
        let job = created.job();
        // From here there is a job, and whatever fails does not end it.
        if let Err(error) = self.record(update, decision, Some(job.id), &Answer::Ok).await {
            warn!("Could not record what became of {}: {error}", update.name);
        }
        Ok(match self.options.wait {
            Wait::No => self.let_go(update, &created).await.unwrap_or_else(|error| {
                warn!("Could not move {} at once: {error:?}", update.name);
                Fate::Answered(self.goes_on(job))
            }),
            Wait::UntilLive | Wait::Skip => Fate::Followed(Box::new(job.clone())),
        })
    }

    fn new_job(
        &self,
        update: &Update,
        environment_id: EnvironmentId,
        new: Oid,
        (launched, snapshot): (Launched, Snapshot),
    ) -> NewJob {
        NewJob {
            id: JobId::from(Uuid::now_v7()),
            kind: JobKind::Deploy,
            environment_id,
            push_id: Some(self.session.push),
            user_id: self.session.user,
            pusher: self.session.pusher.clone(),
            fingerprint: self.session.fingerprint.clone(),
            ref_name: Some(update.name.clone()),
            old_oid: update.old,
            new_oid: Some(new),
            subject: launched.subject,
            forced: launched.forced,
            variables: self.options.variables.clone(),
            variables_hash: self.options.variables.hash(),
            snapshot,
            ref_moves: match self.options.wait {
                Wait::No => RefMoves::AtOnce,
                Wait::UntilLive | Wait::Skip => RefMoves::OnSuccess,
            },
        }
    }

    async fn compile(
        &self,
        new: Oid,
        old: Option<Oid>,
        snapshot: &Snapshot,
    ) -> Result<Launched, Broken> {
        let repositories = self.pushes.jobs.repositories().clone();
        let (project, file) = (self.project.id, self.pushes.paas_file.clone());
        let (platform, max_files) = (self.pushes.platform.clone(), self.pushes.max_files);
        let (snapshot, variables) = (snapshot.clone(), self.options.variables.clone());
        blocking(move || {
            let repository = repositories.open(project)?;
            let (snapshot, variables, platform) = (&snapshot, &variables, &platform);
            let launch = Launch { file: &file, snapshot, variables, platform, max_files };
            drop(compile_at(&repository, new, &launch)?);
            let subject = repository.subject(new)?;
            // A tip that is no commit was overwritten, not continued.
            let kept = |old| repository.descends(new, old).unwrap_or(false);
            Ok(Launched { subject, forced: old.is_some_and(|old| !kept(old)) })
        })
        .await
    }

    /// Moves the ref of a job that the pusher does not wait for.
    async fn let_go(&self, update: &Update, created: &Created) -> Result<Fate, JobsError> {
        let moved = self.pushes.jobs.move_at_once(self.project.id, created).await?;
        let job = created.job();
        Ok(match &moved {
            MovedAtOnce::AtItsEnd => Fate::Followed(Box::new(job.clone())),
            MovedAtOnce::Moved => {
                let attach = self.pushes.jobs.command(&format!("attach {}", job.number));
                let (name, environment) = (update.name.short(), &job.snapshot.environment);
                let text =
                    format!("{name} to {environment}, job {}   follow: {attach}", job.number);
                self.say(update, "queued", &text).await;
                Fate::Answered(Answer::Ok)
            }
            MovedAtOnce::Elsewhere(_) | MovedAtOnce::Refused(_) => {
                Fate::Answered(Answer::rejected(moved.reason(&update.name)))
            }
        })
    }
}
