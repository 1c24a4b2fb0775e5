//! What is secret in lines of containers, hidden also where it is of a release that does not serve yet.

use crate::db::models::release::Release;
use crate::deploy::Deployer;
use crate::deploy::answers::{Serving, Unanswered};
use crate::domain::ids::{EnvironmentId, ProjectId, ReleaseId};
use crate::domain::question::{Speaker, Told};
use crate::domain::redact::{Redactor, Secrets};
use crate::tasks::blocking;

/// Hides secrets of the newest release, and of the one that serves.
///
/// On a cluster the pods of a release that is rolled out have the labels of those that serve, and print
/// before it does. A release is stored before anything of it is started, so whoever has a line in hand
/// finds all that can be secret in it.
pub(super) struct Hush<'a> {
    deployer: &'a Deployer,
    environment: EnvironmentId,
    project: ProjectId,
    /// The newest release whose secrets it knows.
    newest: Option<ReleaseId>,
    redactor: Redactor,
}

impl<'a> Hush<'a> {
    /// What is secret in what serves is hidden in whatever its targets say.
    pub(super) fn new(deployer: &'a Deployer, serving: &Serving) -> Self {
        let live = &serving.live.release;
        Self {
            deployer,
            environment: live.environment_id,
            project: serving.project,
            newest: Some(live.id),
            redactor: Redactor::default(),
        }
    }

    /// Lines as they may be told.
    pub(super) async fn lines(
        &mut self,
        lines: Vec<(Speaker, String)>,
    ) -> Result<Vec<Told>, Unanswered> {
        let (db, environment) = (self.deployer.jobs.db(), self.environment);
        let newest = db.run(async move |connection| Release::newest(connection, environment).await);
        let newest: Option<ReleaseId> = newest.await?;
        if newest != self.newest {
            self.learn(newest).await?;
            self.newest = newest;
        }
        let line =
            |(of, text): (Speaker, String)| Told::Line { of, text: self.redactor.text(&text) };
        Ok(lines.into_iter().map(line).collect())
    }

    /// Learns what is secret in the newest release, in what serves and in what served before: of others
    /// nothing runs.
    async fn learn(&mut self, newest: Option<ReleaseId>) -> Result<(), Unanswered> {
        let environment = self.environment;
        let found = self.deployer.jobs.db().run(async move |connection| {
            let live = Release::live(connection, environment).await?;
            let other = newest.filter(|newest| live.as_ref().is_none_or(|live| live.id != *newest));
            let other = match other {
                Some(other) => Some(Release::find(connection, other).await?),
                None => None,
            };
            let before = match &live {
                Some(live) => Release::served_before(connection, environment, live.number).await?,
                None => None,
            };
            Ok::<_, diesel::result::Error>([other, before, live])
        });
        let mut secrets = Secrets::default();
        for release in found.await?.into_iter().flatten() {
            self.deployer.opened(release, self.project, &mut secrets).await?;
        }
        self.redactor = blocking(move || Redactor::new(&secrets)).await;
        Ok(())
    }
}
