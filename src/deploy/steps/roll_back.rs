//! A rollback: a stored release applied once more, without a build or a compilation.
//!
//! Its model, its variables and its images are those of then; its targets, their credentials, the
//! registry and the quotas are those of today. Work that ends is not run again, and no disk is emptied.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::db::models::release::Release;
use crate::deploy::Deployment;
use crate::deploy::docker_target::{DockerTarget, ImageError};
use crate::deploy::failure::{Cause, Failure, Gone};
use crate::deploy::secrets::add_secrets_of;
use crate::deploy::steps::images::Images;
use crate::deploy::stored::{self, Objects};
use crate::deploy::targets::{Target, Targets};
use crate::docker::PullError;
use crate::domain::history::Step;
use crate::domain::ids::{ClusterId, ReleaseNumber};
use crate::domain::oid::Oid;
use crate::domain::pinned::Pinned;
use crate::domain::redact::Redactor;
use crate::domain::release::{PinnedImages, volume_reference};
use crate::jobs::RunError;
use crate::oci::{Oci, OciError};
use crate::paas::{check_pods, compiled};
use crate::tasks::blocking;

/// Lines of a registry that may wait to be written.
const BACKLOG: usize = 256;

/// Longest wait for a registry that is asked whether it has an image.
const REGISTRY_TIME: Duration = Duration::from_secs(10);

/// A release that is applied again, opened.
struct Source {
    number: ReleaseNumber,
    commit: Oid,
    model: compiled::Deployment,
    /// Those of all its targets.
    images: PinnedImages,
    objects: Objects,
}

impl Source {
    /// What a target ran; releases that were stored before targets were told apart say it of all.
    fn images_of(&self, cluster: ClusterId) -> &PinnedImages {
        let own = self.objects.images_of(cluster).filter(|images| !images.is_empty());
        own.unwrap_or(&self.images)
    }

    /// What is started again: what serves, and work with a schedule.
    fn pods(&self) -> impl Iterator<Item = &compiled::Pod> {
        self.model.lasting_pods()
    }

    /// References of what that runs and mounts.
    fn needed(&self) -> BTreeSet<String> {
        let containers = self.pods().flat_map(|pod| &pod.containers);
        let images = containers.map(|container| container.image.reference());
        images.chain(self.model.volumes.keys().map(|key| volume_reference(key))).collect()
    }
}

impl Deployment<'_> {
    /// Everything up to the point at which people are sent to a stored release again.
    pub(in crate::deploy) async fn roll_back(&mut self) -> Result<Release, Failure> {
        self.open().await?;
        let source = self.source().await?;
        self.begin(Step::Image);
        let targets = self.targets().await?;
        let images = self.images_again(&source, &targets).await?;
        self.bring_up(&source.model, images, &targets).await
    }

    /// Opens the release that is applied again, and hides its secrets from then on.
    async fn source(&mut self) -> Result<Source, Failure> {
        let watch = self.begin(Step::Check);
        let environment = self.run.job().environment_id;
        // A rollback is claimed only when it names one. Releases go with their environment, and so
        // would this run.
        let number = self.run.job().source.ok_or(RunError::Lost)?;
        let found = self
            .jobs()
            .db()
            .run(async move |connection| Release::by_number(connection, environment, number).await);
        let release = found.await.map_err(RunError::from)?.ok_or(RunError::Lost)?;
        let opener = self.settings().keyring.opener.clone();
        let source = Source {
            number,
            commit: release.commit_oid,
            model: stored::model(&opener, &release).await?,
            images: stored::images(&release.images)?,
            objects: stored::objects(&opener, &release).await?,
        };
        let (mut secrets, _) = self.opened.hidden();
        let model = source.model.clone();
        let redactor = blocking(move || {
            // Those that cannot be hidden were named when they were deployed.
            drop(add_secrets_of(&model, &mut secrets));
            Redactor::new(&secrets)
        });
        self.hide(redactor.await);
        let held = check_pods(&source.pods().collect::<Vec<_>>(), &self.run.job().snapshot.quotas);
        held.map_err(|why| {
            let (release, commit) = (number, source.commit.short());
            Cause::BeyondQuotas { release, why, commit }
        })?;
        let text = format!("{number} as it was stored: {}", source.model.summary());
        self.recorder.result(Step::Check, text, watch).await;
        Ok(source)
    }

    /// The images of a stored release, when every target can have those that it will run.
    async fn images_again(
        &mut self,
        source: &Source,
        targets: &Targets,
    ) -> Result<Images, Failure> {
        let watch = self.begin(Step::Image);
        let needed = source.needed();
        let mut images = Images::default();
        for target in &targets.docker {
            let known = source.images_of(target.cluster.id);
            for (reference, image) in known.iter().filter(|(known, _)| needed.contains(*known)) {
                let place = format!("cluster `{}`", target.cluster.name);
                let had = self.have(target, image).await?;
                had.map_err(|why| source.gone(reference, image, (place, why)))?;
            }
            images.of_engines.push(known.clone());
        }
        if let Some(target) = targets.kubernetes.first() {
            let known = source.images_of(target.cluster.id).clone();
            self.have_in_registries(source, &known, &needed).await?;
            images.of_clusters = known;
        }
        let count = needed.len();
        let images_are = if count == 1 { "1 image is" } else { &format!("{count} images are") };
        self.recorder.result(Step::Image, format!("{images_are} there"), watch).await;
        Ok(images)
    }

    /// Sees to it that an engine has an image; the inner error says why nobody has it.
    async fn have(
        &mut self,
        target: &Target<DockerTarget>,
        image: &Pinned,
    ) -> Result<Result<(), Option<String>>, Failure> {
        let sources = self.sources(Path::new(""));
        let limit = self.settings().limits.image;
        let (lines, mut said) = mpsc::channel(BACKLOG);
        let having = async {
            // Ends with this future, and with it the loop that reads them.
            let lines = lines;
            let had = target.driver.pinned_image(image, &sources, &lines);
            tokio::time::timeout(limit.duration(), had).await
        };
        let telling = async {
            while let Some(line) = said.recv().await {
                self.recorder.line(Step::Image, line).await;
            }
        };
        let (had, ()) = tokio::join!(having, telling);
        let image = image.short().to_owned();
        match had {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(ImageError::Gone(_))) => Ok(Err(None)),
            Ok(Err(ImageError::Pull(PullError::Refused { words, .. }))) => Ok(Err(Some(words))),
            Ok(Err(source)) => Err(Cause::Image { image, source }.into()),
            Err(_elapsed) => Err(Cause::ImageTooLong { image, limit: limit.to_string() }.into()),
        }
    }

    /// Asks registries whether they still have what clusters will pull.
    ///
    /// One that does not answer stops nobody: nodes may have the image, and the rollout tells.
    async fn have_in_registries(
        &mut self,
        source: &Source,
        known: &PinnedImages,
        needed: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let oci = Oci::new(self.opened.registry.as_slice());
        let asked = known.iter().filter_map(|(reference, image)| match image {
            Pinned::Digest(digest) if needed.contains(reference) => {
                Some((reference, image, digest))
            }
            Pinned::Digest(_) | Pinned::ImageId(_) => None,
        });
        let answers = asked.map(async |(reference, image, digest)| {
            let answer = tokio::time::timeout(REGISTRY_TIME, oci.pin(digest)).await;
            (reference, image, answer)
        });
        for (reference, image, answer) in join_all(answers).await {
            let words = match answer {
                Ok(Ok(_)) => continue,
                Ok(Err(OciError::Absent(digest))) => {
                    let place = "its registry".to_owned();
                    let why = Some(format!("there is no image `{digest}`"));
                    return Err(source.gone(reference, image, (place, why)).into());
                }
                Ok(Err(error)) => error.to_string(),
                Err(_elapsed) => format!("no answer in {} s", REGISTRY_TIME.as_secs()),
            };
            let text = format!("warning: {reference} could not be looked for: {words}");
            self.recorder.line(Step::Image, text).await;
        }
        Ok(())
    }
}

impl Source {
    fn gone(&self, reference: &str, image: &Pinned, at: (String, Option<String>)) -> Cause {
        let (place, why) = at;
        Cause::Gone(Box::new(Gone {
            image: reference.to_owned(),
            digits: image.short().to_owned(),
            release: self.number,
            commit: self.commit.short(),
            place,
            why,
        }))
    }
}
