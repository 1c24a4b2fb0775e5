//! A plan: what deploying a commit would change on every target, told and not done.
//!
//! Engines and clusters are only asked. What runs is compared with what would run: on an engine by
//! what the live release has stored, on a cluster by what the cluster says of both.

use crate::db::models::job::Job;
use crate::db::models::release::Release;
use crate::deploy::Deployment;
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::secrets::{add_secrets_of, add_secrets_of_release};
use crate::deploy::steps::images::Images;
use crate::deploy::steps::known_images::Live;
use crate::deploy::stored::{self, Objects};
use crate::deploy::targets::{Target, Targets};
use crate::domain::difference::{Entry, summary};
use crate::domain::history::Step;
use crate::domain::ids::ReleaseNumber;
use crate::domain::job::{Outcome, PLAN_ONLY};
use crate::domain::redact::Redactor;
use crate::domain::run::RunOutcome;
use crate::history::Stopwatch;
use crate::jobs::{RunEnd, RunError};
use crate::manifests::Built;
use crate::paas::compiled;
use crate::seal::NotOpened;
use crate::stack::{Stack, entries, render};
use crate::tasks::blocking;

impl Deployment<'_> {
    /// Tells what a deployment would change. It fails where that would fail before it changes
    /// anything, and with the same words.
    pub(in crate::deploy) async fn plan(&mut self) -> Result<(), Failure> {
        self.open().await?;
        let root = self.check_out().await?;
        let model = self.compile().await?;
        self.begin(Step::Image);
        let (live, objects) = match self.run.live_release().await? {
            Some(live) => {
                let (live, objects) = self.live(live, &model).await?;
                (Some(live), objects)
            }
            None => (None, Objects::default()),
        };
        let targets = self.targets().await?;
        let images = self.known_images(&model, &targets, (&root, live.as_ref())).await?;
        self.clear_workspace().await;
        // A quiet reader gets what stands behind it.
        self.begin(Step::Plan);
        self.recorder.step(Step::Plan, "").await;
        self.plan_engines(&model, &images, (&targets, &objects)).await?;
        self.plan_clusters(&model, &images, &targets).await
    }

    /// Writes the last row of a plan.
    pub(in crate::deploy) async fn end_plan(&mut self) -> Result<(), RunError> {
        self.recorder.flush().await;
        self.run
            .end(RunEnd {
                outcome: Outcome::Planned,
                failed_step: None,
                reason: PLAN_ONLY.to_owned(),
                step: Step::Ended,
                text: "plan only: nothing was changed".to_owned(),
                run: RunOutcome::Planned,
            })
            .await
    }

    /// Opens the live release, and hides its secrets too from then on: they may have been others.
    async fn live(
        &mut self,
        release: Release,
        model: &compiled::Deployment,
    ) -> Result<(Live, Objects), Failure> {
        let opener = self.settings().keyring.opener.clone();
        let live = Live {
            number: release.number.to_string(),
            commit: release.commit_oid,
            model: stored::model(&opener, &release).await?,
            images: stored::images(&release.images)?,
        };
        let objects = stored::objects(&opener, &release).await?;
        let (id, project) = (release.job_id, self.run.project());
        let job = self.jobs().db().run(async move |connection| Job::find(connection, id).await);
        let job = job.await.map_err(RunError::from)?;
        let models = [live.model.clone(), model.clone()];
        let (mut secrets, _) = self.opened.hidden();
        let redactor = blocking(move || {
            let [before, after] = &models;
            add_secrets_of_release(&opener, (&job, project), before, &mut secrets)?;
            drop(add_secrets_of(after, &mut secrets));
            Ok::<_, NotOpened>(Redactor::new(&secrets))
        });
        self.hide(redactor.await?);
        Ok((live, objects))
    }

    async fn plan_engines(
        &mut self,
        model: &compiled::Deployment,
        images: &Images,
        (targets, live): (&Targets, &Objects),
    ) -> Result<(), Failure> {
        let mut stacks = Vec::new();
        for (target, pinned) in targets.docker.iter().zip(&images.of_engines) {
            let (cluster, labels) = (&target.cluster, &target.driver.labels);
            let stack = render(model, &self.owner(), cluster, pinned, labels);
            stacks.push((cluster, stack.map_err(Cause::Unrenderable)?));
        }
        let entrances = stacks.iter().flat_map(|(_, stack)| Stack::entrances(stack)).collect();
        self.run.check_entrances(entrances).await?;
        for (cluster, stack) in &stacks {
            let watch = Stopwatch::start();
            let before = live.docker.iter().find(|on| on.cluster == cluster.id);
            let entries = entries(before.map(|on| &on.placed.stack), stack, &self.redactor);
            self.tell_plan(name(&cluster.name, targets), (&entries, &[]), watch).await;
        }
        Ok(())
    }

    async fn plan_clusters(
        &mut self,
        model: &compiled::Deployment,
        images: &Images,
        targets: &Targets,
    ) -> Result<(), Failure> {
        let mut facts = Vec::new();
        for Target { cluster, driver } in &targets.kubernetes {
            facts.push(driver.target(cluster).await?);
        }
        // Nothing is numbered: what has the number is no part of the comparison.
        let number = ReleaseNumber(i32::MAX);
        let manifests = self.manifests(model, &images.of_clusters, (targets, &facts), number)?;
        for note in manifests.iter().flat_map(|manifests| &manifests.notes) {
            self.recorder.line(Step::Plan, note.to_string()).await;
        }
        for (Target { cluster, driver }, manifests) in targets.kubernetes.iter().zip(&manifests) {
            let watch = Stopwatch::start();
            let planned = driver.plan(manifests, Built::Anew).await?;
            let told = (planned.entries.as_slice(), planned.warnings.as_slice());
            self.tell_plan(name(&cluster.name, targets), told, watch).await;
        }
        Ok(())
    }

    async fn tell_plan(
        &mut self,
        cluster: Option<&str>,
        (entries, warnings): (&[Entry], &[String]),
        watch: Stopwatch,
    ) {
        let cluster = cluster.map(|name| format!("{name}: ")).unwrap_or_default();
        self.recorder.result(Step::Plan, format!("{cluster}{}", summary(entries)), watch).await;
        for warning in warnings {
            self.recorder.line(Step::Plan, format!("warning: {warning}")).await;
        }
        for line in entries.iter().flat_map(Entry::lines) {
            let line = self.redactor.text(&line);
            self.recorder.line(Step::Plan, line).await;
        }
    }
}

/// The name of a target, where there are several.
fn name<'a>(target: &'a str, targets: &Targets) -> Option<&'a str> {
    let are_several = targets.docker.len() + targets.kubernetes.len() > 1;
    are_several.then_some(target)
}
