//! Behind `live`: the ref, what was left of the old release, the last row.

use std::collections::BTreeSet;

use tracing::warn;

use crate::db::models::release::Release;
use crate::deploy::Deployment;
use crate::deploy::failure::Cause;
use crate::deploy::stored;
use crate::deploy::targets::Target;
use crate::domain::causes::with_causes;
use crate::domain::history::Step;
use crate::domain::job::{Outcome, RefResult};
use crate::domain::pinned::Pinned;
use crate::domain::run::RunOutcome;
use crate::domain::snapshot::Snapshot;
use crate::jobs::{RunEnd, RunError};

/// Releases before the live one whose images are kept for a rollback.
const KEPT_RELEASES: i64 = 5;

/// Routes that are named in the last line.
const MOST_URLS: usize = 2;

impl Deployment<'_> {
    /// Does what is left to do for a release that is live. Each part may be done twice.
    pub(super) async fn finish(&mut self) -> Result<(), RunError> {
        self.move_ref().await?;
        let text = self.live_text().await?;
        self.recorder.step(Step::Live, text).await;
        if let Some(undo) = self.undo().await? {
            self.recorder.line(Step::Live, format!("undo: {undo}")).await;
        }
        match self.remove_old().await {
            Ok(()) => {}
            Err(Cause::Run(error)) => return Err(error),
            Err(cause) => {
                let words = self.redactor.text(&with_causes(&cause));
                warn!("Could not remove what was left of an old release: {words}");
                let text =
                    format!("warning: {words}; it is tried again, at the latest with the next job");
                self.recorder.line(Step::Live, text).await;
            }
        }
        self.recorder.flush().await;
        self.run
            .end(RunEnd {
                outcome: Outcome::Live,
                failed_step: None,
                reason: String::new(),
                step: Step::Live,
                // People have read it by then: an old release may take its time to end.
                text: String::new(),
                run: RunOutcome::Live,
            })
            .await
    }

    async fn move_ref(&mut self) -> Result<(), RunError> {
        let watch = self.begin(Step::Ref);
        let Some(end) = self.run.move_ref().await? else { return Ok(()) };
        let job = self.run.job();
        let name = job.ref_name.as_ref().map_or("", |name| name.short()).to_owned();
        let tip = end.tip.map_or_else(|| "gone".to_owned(), |tip| format!("at {}", tip.short()));
        let text = match end.result {
            RefResult::Elsewhere if let Some(why) = &end.refusal => {
                format!("{name} stays where it is: {why}")
            }
            RefResult::Moved | RefResult::Pending => format!("{name} {tip}"),
            RefResult::Kept => format!("{name} went on meanwhile: {tip}"),
            RefResult::Elsewhere => {
                format!("{name} is {tip}, not at what is live: fetch, merge, push again")
            }
        };
        self.recorder.result(Step::Ref, text, watch).await;
        Ok(())
    }

    /// Removes everything of the environment but the live release, and images nobody needs.
    async fn remove_old(&mut self) -> Result<(), Cause> {
        let environment = self.run.job().environment_id;
        let Some(live) = self.run.live_release().await? else { return Ok(()) };
        let targets = self.targets().await?;
        let mut failed: Option<Cause> = None;
        if !targets.kubernetes.is_empty() {
            let objects = stored::objects(&self.settings().keyring.opener, &live).await?;
            for Target { cluster, driver } in &targets.kubernetes {
                let Some(on) = objects.in_cluster(cluster.id) else { continue };
                self.run.still_owns().await?;
                // What a release before it took over, and nobody deploys any more, goes back.
                let (_, given) = driver.give_back(&on.not_needed()).await;
                let pruned = match given {
                    Ok(()) => driver.prune(&on.manifests).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = pruned {
                    failed.get_or_insert(error.into());
                }
            }
        }
        let kept = self.kept_images().await?;
        for Target { driver: docker, .. } in targets.docker {
            let leftovers = docker.leftovers(environment, &[live.fence]).await?;
            self.run.still_owns().await?;
            docker.remove(leftovers).await?;
            let images = docker.spare_images(environment, &kept).await?;
            self.run.still_owns().await?;
            docker.remove_images(images).await?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Ids of the images of the live release and of those one may want back.
    pub(super) async fn kept_images(&self) -> Result<BTreeSet<String>, Cause> {
        let environment = self.run.job().environment_id;
        let releases = self
            .jobs()
            .db()
            .run(async move |connection| {
                Release::images_worth_keeping(connection, environment, KEPT_RELEASES).await
            })
            .await
            .map_err(RunError::from)?;
        let mut kept = BTreeSet::new();
        for images in releases {
            for image in stored::images(&images)?.into_values() {
                match image {
                    Pinned::ImageId(id) | Pinned::Digest(id) => kept.insert(id),
                };
            }
        }
        Ok(kept)
    }

    /// The command that makes what served before serve again.
    async fn undo(&self) -> Result<Option<String>, RunError> {
        let (environment, job) = (self.run.job().environment_id, self.run.job());
        let before = self.jobs().db().run(async move |connection| {
            let live = Release::live(connection, environment).await?;
            match live {
                Some(live) => Release::served_before(connection, environment, live.number).await,
                None => Ok(None),
            }
        });
        let before: Option<Release> = before.await?;
        let Snapshot { account, project, environment, .. } = &job.snapshot;
        let words = |release: Release| {
            let command = format!("rollback {account}/{project} {environment} {}", release.number);
            self.jobs().command(&command)
        };
        Ok(before.map(words))
    }

    /// `http://shop.localhost:8080   v18, 33 s in all`
    async fn live_text(&self) -> Result<String, RunError> {
        let live = self.run.live_release().await?;
        let number = live.as_ref().map(|live| live.number.to_string()).unwrap_or_default();
        let opener = &self.settings().keyring.opener;
        let objects = match &live {
            Some(live) => stored::objects(opener, live).await.unwrap_or_default(),
            None => stored::Objects::default(),
        };
        let routes = objects.routes();
        let port = match self.settings().router.port {
            80 => String::new(),
            port => format!(":{port}"),
        };
        let url = |route: &crate::domain::route::Route| {
            let path = if route.path == "/" { "" } else { route.path.as_str() };
            format!("http://{}{port}{path}", route.host)
        };
        let mut urls: Vec<String> = routes.iter().map(url).chain(objects.urls()).collect();
        if urls.len() > MOST_URLS {
            urls.truncate(MOST_URLS);
            urls.push("…".to_owned());
        }
        let seconds = self.began.ms().div_ceil(1_000);
        let urls = if urls.is_empty() { String::new() } else { format!("{}   ", urls.join("  ")) };
        Ok(format!("{urls}{number}, {seconds} s in all"))
    }
}
