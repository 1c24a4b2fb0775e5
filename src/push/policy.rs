//! The policy of a whole push, while its objects are in quarantine.

use std::path::PathBuf;

use serde_json::json;

use crate::db::acting::Acting;
use crate::db::models::audit::NewEntry;
use crate::db::models::project::{Inactive, Project};
use crate::db::models::source::Source;
use crate::db::models::{deploy_rule, push};
use crate::domain::access::Verb;
use crate::domain::audit::Deed;
use crate::domain::deploy_rule::{DeployRule, Protection, choose};
use crate::domain::git_ref::RefKind;
use crate::domain::push_option::{BadPushOption, PushOptions};
use crate::domain::source::SourceUrl;
use crate::git::bare_repository::{BareRepository, GitError};
use crate::git::quarantine::{Oversized, oversized};
use crate::jobs::JobsError;
use crate::people::identify;
use crate::progress::message;
use crate::projects::{ProjectError, check_right};
use crate::push::{BadUpdate, PushSession, Pushes, RawUpdate, Update};
use crate::tasks::blocking;

/// Why a push is rejected as a whole. Nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing of this project is taken.
    #[error(transparent)]
    Inactive(#[from] Inactive),
    /// Its commits come from elsewhere.
    #[error("this project takes its commits from {0}: push there")]
    Source(SourceUrl),
    /// They may no longer push.
    #[error(transparent)]
    Right(ProjectError),
    /// Their key was removed since they came in.
    #[error("this key was removed: register another one")]
    Key,
    /// Too many refs.
    #[error("this push changes {given} refs; at most {most}")]
    TooManyRefs {
        /// How many it changes.
        given: usize,
        /// How many it may.
        most: usize,
    },
    /// A ref that cannot be pushed.
    #[error(transparent)]
    Update(#[from] BadUpdate),
    /// A push option.
    #[error(transparent)]
    Option(#[from] BadPushOption),
    /// The default branch.
    #[error("`{0}` is the default branch and cannot be deleted")]
    DefaultBranch(String),
    /// A branch that must keep its commits.
    #[error("`{0}` is protected: it cannot be forced; merge what is there and push again")]
    Protected(String),
    /// A branch that must stay.
    #[error("`{0}` is protected: it cannot be deleted")]
    Undeletable(String),
    /// A branch at something else.
    #[error("`{0}` is not at a commit")]
    NotACommit(String),
    /// An object that is too large to be read.
    #[error(transparent)]
    Oversized(#[from] Oversized),
    /// The policy could not be checked.
    #[error("could not check this push: {0}")]
    Jobs(#[from] JobsError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Jobs(error.into())
    }
}

impl From<ProjectError> for Refusal {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only one kind is for the log")]
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Db(error) => error.into(),
            error => Self::Right(error),
        }
    }
}

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Self {
        Self::Jobs(error.into())
    }
}

/// How a refusal is told to somebody who pushed with these options.
///
/// The options may be what is refused: all that counts is whether they ask for JSON.
pub fn rejected(options: &[Vec<u8>], refusal: &str) -> String {
    if options.iter().any(|option| option == b"json") {
        json!({"aside": "rejected", "text": refusal}).to_string()
    } else {
        message("rejected", refusal)
    }
}

impl Pushes {
    /// Checks the policy of a whole push and records it.
    ///
    /// # Errors
    ///
    /// Why it is rejected.
    pub async fn check(
        &self,
        session: &PushSession,
        options: &[Vec<u8>],
        updates: &[RawUpdate],
        quarantine: Option<PathBuf>,
    ) -> Result<(), Refusal> {
        let (project, rules, source) = self.begin(session).await?;
        self.check_right(session, &project).await?;
        project.check_active()?;
        if let Some(source) = source {
            return Err(Refusal::Source(source.url));
        }
        let (given, most) = (updates.len(), self.max_refs.get());
        if given > most {
            return Err(Refusal::TooManyRefs { given, most });
        }
        drop(PushOptions::parse(options)?);
        let updates =
            updates.iter().map(Update::try_from).collect::<Result<Vec<_>, BadUpdate>>()?;
        let deleted =
            updates.iter().find(|u| u.new.is_none() && project.is_default_branch(&u.name));
        if let Some(update) = deleted {
            return Err(Refusal::DefaultBranch(update.name.short().to_owned()));
        }
        let repositories = self.jobs.repositories().clone();
        blocking(move || {
            let mut repository = repositories.open(project.id)?;
            if let Some(objects) = quarantine {
                // Before any of them is read.
                if let Some(large) = oversized(&objects)? {
                    return Err(large.into());
                }
                repository = repository.with_quarantine(&objects)?;
            }
            updates.iter().try_for_each(|update| check_update(&repository, &rules, update))
        })
        .await
    }

    /// Objects may arrive for long: the right that was there when they began may be gone.
    async fn check_right(&self, session: &PushSession, project: &Project) -> Result<(), Refusal> {
        let db = self.jobs.db();
        let identity = identify(db, session.fingerprint()).await?;
        let who = identity.filter(|identity| identity.user.id == session.user);
        let who = who.ok_or(Refusal::Key)?.who();
        Ok(check_right(db, &who, project, Verb::Push).await?)
    }

    async fn begin(
        &self,
        session: &PushSession,
    ) -> diesel::QueryResult<(Project, Vec<DeployRule>, Option<Source>)> {
        let (id, project, user) = (session.push, session.project, session.user);
        let fingerprint = session.fingerprint().to_owned();
        let db = self.jobs.db().clone();
        let by = Acting { db: db.clone(), actor: session.actor.clone() };
        let entry = by.entry(Deed::Push, "").with("push", id.to_string());
        db.transaction(async move |connection| {
            push::begin(connection, id, project, user, &fingerprint).await?;
            let rules = deploy_rule::of_project(connection, project).await?;
            let source = Source::of_project(connection, project).await?;
            let project = Project::find(connection, project).await?;
            NewEntry { subject: project.name().to_string(), ..entry }.insert(connection).await?;
            Ok((project, rules, source))
        })
        .await
    }
}

fn check_update(
    repository: &BareRepository,
    rules: &[DeployRule],
    update: &Update,
) -> Result<(), Refusal> {
    let name = || update.name.short().to_owned();
    let rule = choose(rules, &update.name);
    let protected = rule.is_some_and(|rule| rule.protection == Protection::Protected);
    let Some(new) = update.new else {
        return if protected { Err(Refusal::Undeletable(name())) } else { Ok(()) };
    };
    let fits = match update.name.kind() {
        RefKind::Branch => repository.is_commit(new)?,
        // A tag may name anything, unless it is to be deployed.
        RefKind::Tag => rule.is_none() || repository.peel(new).is_ok(),
    };
    if !fits {
        return Err(Refusal::NotACommit(name()));
    }
    if let (true, Some(old)) = (protected, update.old)
        && !repository.descends(new, old)?
    {
        return Err(Refusal::Protected(name()));
    }
    Ok(())
}
