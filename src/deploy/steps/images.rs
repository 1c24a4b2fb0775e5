//! Images: built from the workspace or found by name, several at a time, and pinned.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::building::ContextLimits;
use crate::deploy::Deployment;
use crate::deploy::docker_target::{
    Demand, DockerTarget, ImageError, Obtained, Sources, plan_images,
};
use crate::deploy::failure::{Cause, Failure};
use crate::deploy::targets::{Target, Targets, workshop};
use crate::domain::history::Step;
use crate::domain::pinned::Pinned;
use crate::domain::release::PinnedImages;
use crate::history::Stopwatch;
use crate::image::{Build, Node, Provenance};
use crate::oci::Oci;
use crate::paas::compiled;
use crate::stack::{Labels, Owner};
use crate::tasks::blocking;

/// Lines of builds that may wait to be written. When the database falls behind, the builds do.
const BACKLOG: usize = 256;

/// A line of a tool, and the image that it is about.
type Said = mpsc::Sender<(Arc<str>, String)>;

/// An image that is there, or why not.
type Made = (Node, Stopwatch, Result<Obtained, Cause>);

/// What a deployment runs.
#[derive(Debug, Default)]
pub(super) struct Images {
    /// Of each engine.
    pub(super) of_engines: Vec<PinnedImages>,
    /// Of all clusters.
    pub(super) of_clusters: PinnedImages,
}

impl Images {
    /// All of them; where targets have different ones of a name, the others by longer names.
    pub(super) fn all(&self) -> PinnedImages {
        let mut all = self.of_clusters.clone();
        for (engine, images) in (1..).zip(&self.of_engines) {
            for (reference, image) in images {
                let name = match all.get(reference) {
                    Some(known) if known != image => format!("{reference} of engine {engine}"),
                    Some(_) | None => reference.clone(),
                };
                all.insert(name, image.clone());
            }
        }
        all
    }
}

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

    /// Builds or finds every image that the deployment runs: on every engine, and once for all
    /// clusters.
    pub(super) async fn images(
        &mut self,
        model: &compiled::Deployment,
        targets: &Targets,
        root: &Path,
    ) -> Result<Images, Failure> {
        let sources = Arc::new(self.sources(root));
        let nodes = self.nodes(model, &sources).await?;
        let mut images = Images::default();
        for Target { driver: docker, .. } in &targets.docker {
            self.make_room(&nodes, docker).await?;
            images.of_engines.push(self.obtain(nodes.clone(), docker, &sources).await?);
        }
        if !targets.kubernetes.is_empty() {
            images.of_clusters = self.images_in_registries(model, nodes, &sources).await?;
        }
        Ok(images)
    }

    /// Images as clusters pull them, all by digest: built ones from the project's registry, others
    /// from their own.
    async fn images_in_registries(
        &mut self,
        model: &compiled::Deployment,
        nodes: Vec<Node>,
        sources: &Arc<Sources>,
    ) -> Result<PinnedImages, Failure> {
        let (made, others) = split(nodes, model);
        let mut pinned = PinnedImages::new();
        if let Some(built) = made.iter().find(|node| is_built(node)) {
            if sources.registry.is_none() {
                return Err(Cause::NoRegistry(built.build.reference().to_owned()).into());
            }
            let workshop = workshop(self.settings(), &self.redactor).await?;
            self.make_room(&made, &workshop).await?;
            pinned = self.obtain(made, &workshop, sources).await?;
            // What is only on that engine is of no use to a cluster.
            pinned.retain(|_, image| matches!(image, Pinned::Digest(_)));
        }
        pinned.extend(self.pin(others, sources).await?);
        Ok(pinned)
    }

    /// What images of others are by now, as their registries say.
    pub(super) async fn pin(
        &mut self,
        others: Vec<String>,
        sources: &Sources,
    ) -> Result<PinnedImages, Failure> {
        let mut pinned = PinnedImages::new();
        let oci = Oci::new(sources.registry.as_slice());
        for reference in others {
            let watch = self.begin(Step::Image);
            let limit = self.settings().limits.image;
            let too_long = |_elapsed| Cause::ImageTooLong {
                image: reference.clone(),
                limit: limit.to_string(),
            };
            let image = tokio::time::timeout(limit.duration(), oci.pin(&reference)).await;
            let fails = |source| Cause::Image { image: reference.clone(), source };
            let image = image.map_err(too_long)?.map_err(ImageError::from).map_err(fails)?;
            let image = Pinned::Digest(image);
            self.recorder
                .result(Step::Image, format!("{reference} {}", image.short()), watch)
                .await;
            pinned.insert(reference, image);
        }
        Ok(pinned)
    }

    async fn make_room(&self, nodes: &[Node], docker: &DockerTarget) -> Result<(), Failure> {
        if !nodes.iter().any(is_built) {
            return Ok(());
        }
        let reserve = self.settings().builder.keep_free;
        let demand = Demand { nodes, files: self.files, reserve };
        let kept = self.kept_images().await?;
        Ok(docker.make_room(demand, self.run.job().environment_id, &kept).await?)
    }

    pub(super) fn sources(&self, root: &Path) -> Sources {
        let settings = self.settings();
        Sources {
            checkout: root.to_owned(),
            library: settings.builder.library.clone(),
            secrets: self.opened.build_secrets(),
            registry: self.opened.registry.clone(),
            frontends: settings.builder.frontends.clone(),
            platforms: settings.builder.platforms.clone(),
            uses_cache: settings.builder.cache,
            limits: ContextLimits {
                bytes: settings.git.max_checkout,
                files: settings.git.max_files,
            },
            project: self.run.project(),
        }
    }

    /// What there is to build and find, in its order.
    pub(super) async fn nodes(
        &self,
        model: &compiled::Deployment,
        sources: &Sources,
    ) -> Result<Vec<Node>, Failure> {
        let (commit, project) = (self.commit(), self.run.project());
        let repositories = self.jobs().repositories().clone();
        let committed_at = blocking(move || repositories.open(project)?.committed_at(commit)).await;
        let committed_at = committed_at.map_err(|error| Cause::Checkout(error.into()))?;
        let labels = Labels::new(&self.settings().docker.label_domain);
        let labels = labels.of_image(self.run.project(), self.run.job().environment_id);
        let snapshot = &self.run.job().snapshot;
        let builder = &self.settings().builder;
        let provenance = Provenance {
            account: &snapshot.account,
            project: &snapshot.project,
            job: self.run.job().number,
            commit,
            committed_at,
            labels: &labels,
            volume_base: &builder.volume_base,
            writer: builder.writer.parse().map_err(Cause::Writer)?,
        };
        Ok(plan_images(model, &provenance, sources).await?)
    }

    /// Has every image, each as soon as those are there that it needs.
    ///
    /// The first failure ends the others.
    async fn obtain(
        &mut self,
        nodes: Vec<Node>,
        docker: &DockerTarget,
        sources: &Arc<Sources>,
    ) -> Result<PinnedImages, Failure> {
        let parallel = self.settings().builder.parallel.get();
        let are_several = nodes.iter().filter(|node| is_built(node)).count() > 1;
        let (said, mut heard) = mpsc::channel::<(Arc<str>, String)>(BACKLOG);
        let told = |(image, line)| if are_several { format!("{image} | {line}") } else { line };
        let mut waiting = nodes;
        let mut pinned = PinnedImages::new();
        let mut running: FuturesUnordered<BoxFuture<'static, Made>> = FuturesUnordered::new();
        self.begin(Step::Image);
        loop {
            while running.len() < parallel
                && let Some(index) = waiting.iter().position(|node| is_ready(node, &pinned))
            {
                let node = waiting.remove(index);
                if is_built(&node) {
                    let name = node.build.reference();
                    self.recorder.step(Step::Image, format!("building {name}")).await;
                }
                let making = self.making(node, (docker, sources, &pinned), said.clone());
                running.push(Box::pin(making));
            }
            tokio::select! {
                biased;
                Some(line) = heard.recv() => self.recorder.line(Step::Image, told(line)).await,
                made = running.next() => match made {
                    Some((node, watch, made)) => {
                        // What it said before it ended.
                        while let Ok(line) = heard.try_recv() {
                            self.recorder.line(Step::Image, told(line)).await;
                        }
                        let obtained = made?;
                        let reference = node.build.reference().to_owned();
                        let text = format!("{reference} {}", obtained.text());
                        self.recorder.result(Step::Image, text, watch).await;
                        pinned.insert(reference, obtained.pinned);
                    }
                    None => return Ok(pinned),
                },
            }
        }
    }

    /// Builds or finds one image, within its time.
    fn making(
        &self,
        node: Node,
        (docker, sources, pinned): (&DockerTarget, &Arc<Sources>, &PinnedImages),
        said: Said,
    ) -> impl Future<Output = Made> + Send + 'static {
        let (docker, sources, pinned) = (docker.clone(), Arc::clone(sources), pinned.clone());
        let limit = self.settings().limits.image;
        let watch = Stopwatch::start();
        async move {
            let image = node.build.reference().to_owned();
            let (lines, mut own) = mpsc::channel(BACKLOG);
            let making = async {
                // Ends with this future, and with it the loop that reads them.
                let lines = lines;
                let making = docker.obtain(&node.build, (&sources, &pinned), &lines);
                tokio::time::timeout(limit.duration(), making).await
            };
            let name: Arc<str> = image.as_str().into();
            let passing = async {
                while let Some(line) = own.recv().await {
                    // Nobody hears it when the others have ended this one.
                    said.send((Arc::clone(&name), line)).await.ok();
                }
            };
            let (made, ()) = tokio::join!(making, passing);
            let made = match made {
                Ok(made) => made.map_err(|source| Cause::Image { image, source }),
                Err(_elapsed) => Err(Cause::ImageTooLong { image, limit: limit.to_string() }),
            };
            (node, watch, made)
        }
    }
}

/// What has to be made on an engine with all that it is made of, and the references of images that
/// others have made and containers name.
pub(super) fn split(nodes: Vec<Node>, model: &compiled::Deployment) -> (Vec<Node>, Vec<String>) {
    let named: BTreeSet<String> =
        model.containers().map(|container| container.image.reference()).collect();
    let built = nodes.iter().filter(|node| is_built(node));
    let needed: BTreeSet<String> = built.flat_map(|node| node.needs.iter().cloned()).collect();
    let others = nodes.iter().filter(|node| !is_built(node));
    let others = others.map(|node| node.build.reference()).filter(|image| named.contains(*image));
    let others = others.map(str::to_owned).collect();
    let is_made = |node: &Node| is_built(node) || needed.contains(node.build.reference());
    (nodes.into_iter().filter(is_made).collect(), others)
}

/// Whether making it is told before it is there.
pub(super) fn is_built(node: &Node) -> bool {
    match node.build {
        Build::Dockerfile(_) | Build::Layers(_) => true,
        Build::Stock(_) => false,
    }
}

fn is_ready(node: &Node, pinned: &PinnedImages) -> bool {
    node.needs.iter().all(|reference| pinned.contains_key(reference))
}
