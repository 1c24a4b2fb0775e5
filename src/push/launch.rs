//! Refs that are deployed: their file is compiled, their job created.

use tracing::warn;
use uuid::Uuid;

use crate::db::models::job::NewJob;
use crate::domain::cache::Cache;
use crate::domain::deploy_rule::DeployRule;
use crate::domain::ids::{EnvironmentId, JobId};
use crate::domain::job::JobKind;
use crate::domain::oid::Oid;
use crate::domain::push_option::Wait;
use crate::domain::push_ref::Decision;
use crate::domain::ref_move::RefMoves;
use crate::domain::snapshot::Snapshot;
use crate::domain::stored_variables::StoredVariables;
use crate::domain::variables::{BadVariable, check_secret};
use crate::jobs::{Created, JobsError, MovedAtOnce};
use crate::paas_file::{Broken, Launch, compile_at};
use crate::push::handle::{Fate, Handling};
use crate::push::{Answer, Update};
use crate::seal::{KeyError, load_public};
use crate::tasks::blocking;

/// What is known of a commit whose file compiles.
struct Launched {
    subject: String,
    forced: bool,
    variables: StoredVariables,
}

/// Why launch variables cannot be stored.
#[derive(Debug, thiserror::Error)]
enum Unstorable {
    #[error(transparent)]
    Variable(#[from] BadVariable),
    #[error("a variable is secret here, and the server cannot seal it; its log says why")]
    Key(#[from] KeyError),
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
        let variables = match self.launch_variables(&snapshot, rule.environment).await {
            Ok(variables) => variables,
            Err(error) => {
                if let Unstorable::Key(error) = &error {
                    warn!("Could not seal a launch variable: {error}");
                }
                return Ok(Fate::Answered(Answer::rejected(error.to_string())));
            }
        };
        let launched = match self.compile(new, update.old, (&snapshot, variables)).await {
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
            _ if self.options.wait == Wait::Plan => Decision::Planned,
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
            Wait::UntilLive | Wait::Skip | Wait::Plan => Fate::Followed(Box::new(job.clone())),
        })
    }

    fn new_job(
        &self,
        update: &Update,
        environment_id: EnvironmentId,
        new: Oid,
        (launched, snapshot): (Launched, Snapshot),
    ) -> NewJob {
        let new_job = NewJob {
            id: JobId::from(Uuid::now_v7()),
            kind: JobKind::Deploy,
            environment_id,
            push_id: Some(self.session.push),
            user_id: Some(self.session.user),
            pusher: self.session.pusher.clone(),
            fingerprint: self.session.fingerprint().to_owned(),
            ref_name: Some(update.name.clone()),
            old_oid: update.old,
            new_oid: Some(new),
            subject: launched.subject,
            forced: launched.forced,
            variables_hash: self.options.cache.key(launched.variables.hash()),
            variables: launched.variables,
            snapshot: Snapshot { without_cache: self.options.cache == Cache::Dropped, ..snapshot },
            ref_moves: match self.options.wait {
                Wait::No => RefMoves::AtOnce,
                Wait::UntilLive | Wait::Skip | Wait::Plan => RefMoves::OnSuccess,
            },
            source: None,
        };
        if self.options.wait != Wait::Plan {
            return new_job;
        }
        // It knows no ref, so it keeps nobody from changing one.
        let (kind, ref_moves) = (JobKind::Plan, RefMoves::Never);
        NewJob { kind, ref_moves, ref_name: None, old_oid: None, forced: false, ..new_job }
    }

    /// The launch variables of the push; those with the names of secrets are sealed.
    async fn launch_variables(
        &self,
        snapshot: &Snapshot,
        environment: EnvironmentId,
    ) -> Result<StoredVariables, Unstorable> {
        let given = &self.options.variables;
        let is_secret = |name: &str| snapshot.variables.is_secret(name);
        let secrets: Vec<_> = given.iter().filter(|(name, _)| is_secret(name)).collect();
        if secrets.is_empty() {
            return Ok(StoredVariables::from(given));
        }
        for (name, value) in secrets {
            check_secret(name, value)?;
        }
        let path = self.pushes.public_key.clone();
        let sealer = blocking(move || load_public(&path)).await?;
        Ok(sealer.seal_launch(given, (self.project.id, environment), is_secret))
    }

    /// Compiles with the names of secrets in their place: nobody here can read them.
    async fn compile(
        &self,
        new: Oid,
        old: Option<Oid>,
        (snapshot, launch): (&Snapshot, StoredVariables),
    ) -> Result<Launched, Broken> {
        let repositories = self.pushes.jobs.repositories().clone();
        let (project, file) = (self.project.id, self.pushes.paas_file.clone());
        let (platform, max_files) = (self.pushes.platform.clone(), self.pushes.max_files);
        let mut all = snapshot.variables.clone();
        all.overlay(launch.clone());
        let (snapshot, named) = (snapshot.clone(), all.with_placeholders());
        blocking(move || {
            let repository = repositories.open(project)?;
            let (snapshot, launched) = (&snapshot, &launch);
            let (variables, platform) = (&named, &platform);
            let with = Launch { file: &file, snapshot, launched, variables, platform, max_files };
            drop(compile_at(&repository, new, &with)?);
            let subject = repository.subject(new)?;
            // A tip that is no commit was overwritten, not continued.
            let kept = |old| repository.descends(new, old).unwrap_or(false);
            let forced = old.is_some_and(|old| !kept(old));
            Ok(Launched { subject, forced, variables: launch })
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
