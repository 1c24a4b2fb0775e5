//! What was fetched may have come for long: whether it may still be deployed.

use crate::db::models::project::Project;
use crate::db::models::source::Source;
use crate::db::models::source_check::Taken;
use crate::db::models::user::User;
use crate::domain::access::{KeyScope, Verb, Who};
use crate::people::{bearer_by_key, identify};
use crate::projects::check_right;
use crate::sources::check::Subject;
use crate::sources::fault::SourceFault;
use crate::sources::{BY_PAGE, Sources};

impl Sources {
    /// Looks again at what may have changed since a look began: that it is the project's source, that
    /// the project is deployed, and that whoever asked may have it deployed.
    pub(super) async fn still(&self, taken: &Taken, subject: &Subject) -> Result<(), SourceFault> {
        let id = subject.project.id;
        let rows = self.jobs.db().run(async move |connection| {
            let source = Source::of_project(connection, id).await?;
            Ok::<_, diesel::result::Error>((source, Project::find(connection, id).await?))
        });
        let (source, project) = rows.await?;
        if !source.is_some_and(|source| is_same(&source, &subject.source)) {
            return Err(SourceFault::Changed);
        }
        project.check_active()?;
        let Some(who) = self.asker(taken).await? else { return Ok(()) };
        Ok(check_right(self.jobs.db(), &who, &project, Verb::Deploy).await?)
    }

    /// Who asked; nobody for a schedule, and for whoever runs the server.
    async fn asker(&self, taken: &Taken) -> Result<Option<Who>, SourceFault> {
        let db = self.jobs.db();
        if taken.fingerprint.is_empty() {
            return Ok(None);
        }
        // Whoever was purged meanwhile has no row any more.
        let id = taken.user_id.ok_or(SourceFault::Key)?;
        if taken.fingerprint == BY_PAGE {
            let finding = db.run(async move |connection| User::find(connection, id).await);
            let user: User = finding.await?;
            let (standing, bar) = (user.standing(), user.bar());
            return Ok(Some(Who { user: id, standing, bar, scope: KeyScope::FREE }));
        }
        let who = match bearer_by_key(db, &taken.fingerprint).await? {
            Some(bearer) => Some(bearer.who()),
            None => identify(db, &taken.fingerprint).await?.map(|identity| identity.who()),
        };
        Ok(Some(who.filter(|who| who.user == id).ok_or(SourceFault::Key)?))
    }
}

/// Whether what was fetched comes from where the project takes its commits now. Keys of the host may
/// have been pinned meanwhile, where none were: by this look, or by somebody.
fn is_same(now: &Source, before: &Source) -> bool {
    let pins = before.host_keys.is_empty() || now.host_keys == before.host_keys;
    now.url == before.url && now.username == before.username && pins
}
