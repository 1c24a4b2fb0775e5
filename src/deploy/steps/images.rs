//! Images: built from the workspace or found by name, and pinned.

use std::path::Path;

use tokio::sync::mpsc;

use crate::deploy::Deployment;
use crate::deploy::docker_target::{DockerTarget, ImageError};
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::targets::Target;
use crate::docker::{ContextLimits, Steps};
use crate::domain::history::Step;
use crate::domain::pinned::Pinned;
use crate::domain::release::PinnedImages;
use crate::image::{ImageBuild, Provenance, stock};
use crate::paas::compiled;
use crate::stack::Owner;
use crate::tasks::blocking;

/// Lines of a build that may wait to be written. When the database falls behind, the build does.
const BACKLOG: usize = 256;

impl Deployment<'_> {
    /// Whose objects those of this run are.
    pub(super) fn owner(&self) -> Owner<'_> {
        let job = self.run.job();
        Owner {
            project: self.run.project(),
            environment: job.environment_id,
            fence: self.run.fence(),
            job: job.number,
            snapshot: &job.snapshot,
        }
    }

    /// Builds or finds every image that the deployment runs, on every target; one list a target.
    pub(super) async fn images(
        &mut self,
        model: &compiled::Deployment,
        targets: &[Target],
        root: &Path,
    ) -> Result<Vec<PinnedImages>, Failure> {
        let mut all = Vec::new();
        for target in targets {
            let mut pinned = PinnedImages::new();
            for build in self.plan(model, &target.docker, root).await? {
                let image = self.build(&build, &target.docker, root).await?;
                pinned.insert(build.reference, image);
            }
            for reference in stock(model) {
                let image = self.find(&reference, &target.docker).await?;
                pinned.insert(reference, image);
            }
            all.push(pinned);
        }
        Ok(all)
    }

    async fn plan(
        &self,
        model: &compiled::Deployment,
        docker: &DockerTarget,
        root: &Path,
    ) -> Result<Vec<ImageBuild>, Failure> {
        let (commit, project) = (self.commit(), self.run.project());
        let repositories = self.jobs().repositories().clone();
        let committed_at = blocking(move || repositories.open(project)?.committed_at(commit)).await;
        let committed_at = committed_at.map_err(|error| Cause::Checkout(error.into()))?;
        let labels = docker.labels.of_image(self.run.project(), self.run.job().environment_id);
        let snapshot = &self.run.job().snapshot;
        let provenance = Provenance {
            account: &snapshot.account,
            project: &snapshot.project,
            job: self.run.job().number,
            commit,
            committed_at,
            labels: &labels,
        };
        Ok(docker.plan_builds(model, &provenance, root).await?)
    }

    async fn build(
        &mut self,
        build: &ImageBuild,
        docker: &DockerTarget,
        root: &Path,
    ) -> Result<Pinned, Failure> {
        let watch = self.begin(Step::Image);
        let name = build.reference.clone();
        self.recorder.step(Step::Image, format!("building {name}")).await;
        let limits = ContextLimits {
            bytes: self.settings().git.max_checkout,
            files: self.settings().git.max_files,
        };
        let limit = self.settings().limits.image;
        let (lines, waiting) = mpsc::channel(BACKLOG);
        let building = async move {
            let built =
                tokio::time::timeout(limit.duration(), docker.build(build, root, limits, &lines));
            // `lines` ends with this future, and with it the loop that reads them.
            built.await
        };
        let (built, ()) = tokio::join!(building, self.pass_on(waiting));
        let (image, steps) = match built {
            Ok(built) => built.map_err(|source| Cause::Image { image: name.clone(), source })?,
            Err(_elapsed) => {
                return Err(Cause::ImageTooLong { image: name, limit: limit.to_string() }.into());
            }
        };
        let cached = match steps {
            Steps { all: 0, .. } => String::new(),
            Steps { all, cached } => format!("  {cached} of {all} steps cached"),
        };
        let text = format!("{name} {}{cached}", image.short());
        self.recorder.result(Step::Image, text, watch).await;
        Ok(image)
    }

    async fn find(&mut self, reference: &str, docker: &DockerTarget) -> Result<Pinned, Failure> {
        let watch = self.begin(Step::Image);
        let (lines, waiting) = mpsc::channel(BACKLOG);
        let project = self.run.project();
        let finding = async move { docker.stock_image(reference, project, &lines).await };
        let (found, ()) = tokio::join!(finding, self.pass_on(waiting));
        let image = found
            .map_err(|source: ImageError| Cause::Image { image: reference.to_owned(), source })?;
        let text = format!("{reference} {}", image.short());
        self.recorder.result(Step::Image, text, watch).await;
        Ok(image)
    }

    /// Writes what a tool says to the History, until it is done.
    async fn pass_on(&mut self, mut lines: mpsc::Receiver<String>) {
        while let Some(line) = lines.recv().await {
            self.recorder.line(Step::Image, line).await;
        }
    }
}
