//! The decision about each ref of a push, and its answer.

use std::collections::HashMap;

use serde_json::json;
use tracing::{error, warn};

use crate::db::models::environment::Environment;
use crate::db::models::job::Job;
use crate::db::models::project::Project;
use crate::db::models::push::PushRef;
use crate::db::models::release::Release;
use crate::db::models::{deploy_rule, push};
use crate::domain::deploy_rule::DeployRule;
use crate::domain::ids::{EnvironmentId, JobId};
use crate::domain::output::clean;
use crate::domain::push_option::{Format, PushOptions, Wait};
use crate::domain::push_ref::Decision;
use crate::jobs::JobsError;
use crate::progress::{Audience, Printer, message};
use crate::push::choose::{Choice, choices};
use crate::push::{
    Answer, Lines, PushSession, Pushes, RawUpdate, RefAnswer, Stage, Update, Watched,
};

/// A push being handled.
pub(super) struct Handling<'a> {
    pub(super) pushes: &'a Pushes,
    pub(super) session: &'a PushSession,
    pub(super) lines: &'a Lines,
    pub(super) options: PushOptions,
    pub(super) project: Project,
    pub(super) rules: Vec<DeployRule>,
    pub(super) environments: HashMap<EnvironmentId, Environment>,
}

/// What becomes of one ref.
pub(super) enum Fate {
    /// It has its answer.
    Answered(Answer),
    /// A job decides.
    Followed(Box<Job>),
}

impl Pushes {
    /// Decides about every ref of a push and follows its jobs until each ref has an answer.
    ///
    /// Everything that changes something happens before anything is followed, whoever hangs up.
    pub async fn handle(
        &self,
        session: &PushSession,
        options: &[Vec<u8>],
        updates: &[RawUpdate],
        lines: &Lines,
    ) -> Vec<RefAnswer> {
        session.reach(Stage::Handling);
        let answers = match self.prepare(session, options, lines).await {
            Ok(handling) => handling.run(updates).await,
            Err(error) => {
                let answer = internal(&error);
                let answer =
                    |raw: &RawUpdate| RefAnswer { name: raw.name.clone(), answer: answer.clone() };
                updates.iter().map(answer).collect()
            }
        };
        session.finish_with(Answer::exit_code(&answers));
        answers
    }

    /// Closes the record of a push, once; its exit status only when somebody was there to get it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn finish(&self, session: &PushSession) -> diesel::QueryResult<()> {
        let (id, exit_code) = (session.push, session.exit_code());
        self.jobs
            .db()
            .run(async move |connection| push::finish(connection, id, exit_code).await)
            .await
    }

    async fn prepare<'a>(
        &'a self,
        session: &'a PushSession,
        options: &[Vec<u8>],
        lines: &'a Lines,
    ) -> Result<Handling<'a>, JobsError> {
        // What pre-receive has accepted reads again.
        let options = PushOptions::parse(options).unwrap_or_default();
        let project = session.project;
        let (project, rules, environments) = self
            .jobs
            .db()
            .run(async move |connection| {
                let rules = deploy_rule::of_project(connection, project).await?;
                let environments = Environment::of_project(connection, project).await?;
                Ok::<_, JobsError>((Project::find(connection, project).await?, rules, environments))
            })
            .await?;
        let environments = environments.into_iter().map(|row| (row.id, row)).collect();
        Ok(Handling { pushes: self, session, lines, options, project, rules, environments })
    }
}

fn internal(error: &JobsError) -> Answer {
    error!("Could not handle a push: {error:?}");
    Answer::rejected(error.to_string())
}

impl Handling<'_> {
    async fn run(&self, raw: &[RawUpdate]) -> Vec<RefAnswer> {
        let mut updates = Vec::new();
        let mut fates = Vec::new();
        for raw in raw {
            match Update::try_from(raw) {
                Ok(update) => updates.push(update),
                Err(error) => {
                    let answer = Answer::rejected(error.to_string());
                    fates.push((raw.name.clone(), Fate::Answered(answer)));
                }
            }
        }
        let rules = if self.options.wait == Wait::Skip { &[][..] } else { &self.rules };
        // Every job is created before the first is followed.
        for (choice, update) in choices(rules, &updates).into_iter().zip(&updates) {
            let fate = self.decide(choice, update).await;
            fates.push((update.name.as_str().to_owned(), fate));
        }
        self.follow(fates).await
    }

    async fn decide(&self, choice: Choice<'_>, update: &Update) -> Fate {
        let fate = match choice {
            Choice::Change if self.options.wait == Wait::Plan => {
                Ok(Fate::Answered(self.leave(update).await))
            }
            Choice::Change => self.change(update).await.map(Fate::Answered),
            Choice::Deploy { rule, new } => self.launch(update, rule, new).await,
            Choice::Outranked { rule, by } => Ok(Fate::Answered(Answer::rejected(format!(
                "{} is deployed from {} in this push; push it alone or with -o skip",
                self.environment_name(rule.environment),
                by.name.short()
            )))),
        };
        let fate = fate.unwrap_or_else(|error| Fate::Answered(internal(&error)));
        if let Fate::Answered(answer @ Answer::Rejected(_)) = &fate {
            let is_planned = *answer == Answer::plan_only();
            let decision = if is_planned { Decision::Planned } else { Decision::Refused };
            if let Err(error) = self.record(update, decision, None, answer).await {
                error!("Could not record what became of {}: {error}", update.name);
            }
        }
        fate
    }

    pub(super) fn environment_name(&self, id: EnvironmentId) -> String {
        self.environments.get(&id).map_or_else(String::new, |row| row.name.to_string())
    }

    /// Follows every job of the push together.
    async fn follow(&self, fates: Vec<(String, Fate)>) -> Vec<RefAnswer> {
        let followed = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Followed(_))).count();
        let audience = if followed > 1 { Audience::SeveralJobs } else { Audience::OneJob };
        let answers = fates.into_iter().map(|(name, fate)| async move {
            let answer = match fate {
                Fate::Answered(answer) => answer,
                Fate::Followed(job) => self.watch(&job, audience).await.unwrap_or_else(|error| {
                    warn!("Could not follow job {}: {error:?}", job.number);
                    self.goes_on(&job)
                }),
            };
            RefAnswer { name, answer }
        });
        futures::future::join_all(answers).await
    }

    async fn watch(&self, job: &Job, audience: Audience) -> Result<Answer, JobsError> {
        let environment = job.snapshot.environment.clone();
        let printer = Printer::new(self.options.format, job.number, environment, audience);
        let gone = self.session.gone();
        let watched = self.pushes.viewer.watch(job, printer, self.lines, gone).await?;
        let Watched::Ended(end) = watched else {
            return Ok(self.goes_on(job));
        };
        let id = job.id;
        let (job, release) = self
            .pushes
            .jobs
            .db()
            .run(async move |connection| {
                let release = Release::of_job(connection, id).await?;
                Ok::<_, JobsError>((Job::find(connection, id).await?, release))
            })
            .await?;
        let release = release.map(|release| release.number.to_string());
        let tip = match job.ref_name.clone() {
            Some(name) => self.pushes.jobs.tip(self.project.id, name).await?,
            None => None,
        };
        Ok(Answer::at_end(&job, &end, release, tip))
    }

    /// The answer for a job that there is, whatever else is not known of it.
    pub(super) fn goes_on(&self, job: &Job) -> Answer {
        let attach = self.pushes.jobs.command(&format!("attach {}", job.number));
        Answer::rejected(format!("job {} goes on: {attach}", job.number))
    }

    pub(super) async fn say(&self, update: &Update, verb: &str, text: &str) {
        self.say_line(update, message(verb, text)).await;
    }

    pub(super) async fn say_line(&self, update: &Update, line: String) {
        let line = match self.options.format {
            Format::Full | Format::Quiet => clean(line.as_bytes()),
            Format::Json => json!({"ref": update.name, "text": line.trim()}).to_string(),
        };
        // Whoever hung up does not stop the push.
        drop(self.lines.send(line).await);
    }

    pub(super) async fn record(
        &self,
        update: &Update,
        decision: Decision,
        job: Option<JobId>,
        answer: &Answer,
    ) -> diesel::QueryResult<()> {
        let (push, update) = (self.session.push, update.clone());
        let reason = match answer {
            Answer::Rejected(reason) => reason.clone(),
            Answer::Ok | Answer::OkAt(_) => String::new(),
        };
        self.pushes
            .jobs
            .db()
            .run(async move |connection| {
                let row = PushRef {
                    push_id: push,
                    ref_name: &update.name,
                    old_oid: update.old,
                    new_oid: update.new,
                    decision,
                    reason: &reason,
                    job_id: job,
                };
                row.record(connection).await
            })
            .await
    }
}
