//! What is built for a deployment: which images, in which order, under which names.

pub mod dockerfile;
pub mod dockerignore;
pub mod layer;
mod naming;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::ids::JobNumber;
use crate::domain::oid::Oid;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::image::dockerfile::{Unclear, bases};
use crate::paas::compiled::{Deployment, DockerfileImage, Image, ImageRef, Origin};

/// One image to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// How containers name it, such as `web:production`.
    pub reference: String,
    /// Folder of the Dockerfile and its context, relative to the repository's root.
    pub context: String,
    /// Its name on the engine; later builds take it over.
    pub tag: String,
    /// A second name that no other job takes over, so that nobody's clean-up finds the image
    /// nameless while a release can still be rolled back to it.
    pub own_tag: String,
    /// Images that its Dockerfile takes something from, as written there.
    pub bases: Vec<String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// Where the files of a build come from.
#[derive(Debug, Clone)]
pub struct Provenance<'a> {
    /// The account.
    pub account: &'a AccountSlug,
    /// The project.
    pub project: &'a ProjectSlug,
    /// The job that builds.
    pub job: JobNumber,
    /// The commit.
    pub commit: Oid,
    /// When it was made.
    pub committed_at: DateTime<Utc>,
    /// Labels of everything the run makes.
    pub labels: &'a BTreeMap<String, String>,
}

/// Why images cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Images are built from each other in a circle.
    #[error("image `{0}` is built from itself")]
    Circle(String),
    /// An instruction that may name an image of somebody else.
    #[error("image `{image}`: {source}")]
    Unclear {
        /// The image.
        image: String,
        /// The instruction.
        source: Unclear,
    },
    /// An argument that would steer the builder.
    #[error("image `{image}`: build argument `{argument}` is reserved for the builder")]
    Argument {
        /// The image.
        image: String,
        /// The argument.
        argument: String,
    },
}

/// Images from registries that some container runs, each once.
pub fn stock(deployment: &Deployment) -> BTreeSet<String> {
    images_of(deployment, Origin::External)
}

fn images_of(deployment: &Deployment, origin: Origin) -> BTreeSet<String> {
    let containers = deployment.pods.iter().flat_map(|pod| &pod.containers);
    let images = containers.map(|container| &container.image);
    images.filter(|image| image.origin == origin).map(ImageRef::reference).collect()
}

/// The images that some container runs, and those they are built from, bases first.
///
/// `dockerfiles` holds the text of every Dockerfile by the folder it is in; an image whose text is
/// missing is taken to have no base among the others.
///
/// # Errors
///
/// When images are built from each other in a circle, or an argument is reserved.
pub fn plan(
    deployment: &Deployment,
    provenance: &Provenance<'_>,
    dockerfiles: &BTreeMap<String, String>,
) -> Result<Vec<ImageBuild>, PlanError> {
    let used = images_of(deployment, Origin::Built);
    let mut order = Order::default();
    for image in dockerfile_images(deployment) {
        let mut build = build(image, provenance);
        let dockerfile = dockerfiles.get(&image.path).map_or("", String::as_str);
        match bases(dockerfile, &build.args) {
            Ok(bases) => build.bases = bases,
            Err(unclear) => drop(order.unclear.insert(build.reference.clone(), unclear)),
        }
        order.builds.push(build);
    }
    for build in order.builds.clone() {
        if used.contains(&build.reference) {
            order.visit(&build)?;
        }
    }
    Ok(order.planned)
}

/// The images that are built from Dockerfiles.
pub fn dockerfile_images(deployment: &Deployment) -> impl Iterator<Item = &DockerfileImage> {
    deployment.images.iter().filter_map(|image| match image {
        Image::Dockerfile(image) => Some(image),
        Image::Embedded(_) => None,
    })
}

fn build(image: &DockerfileImage, provenance: &Provenance<'_>) -> ImageBuild {
    let args: BTreeMap<String, String> =
        image.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let repository = naming::repository(provenance.account, provenance.project, &image.name);
    let created = provenance.committed_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut labels = provenance.labels.clone();
    labels.extend([
        ("org.opencontainers.image.title".to_owned(), image.name.clone()),
        ("org.opencontainers.image.revision".to_owned(), provenance.commit.to_string()),
        ("org.opencontainers.image.created".to_owned(), created),
    ]);
    ImageBuild {
        reference: format!("{}:{}", image.name, image.tag),
        context: image.path.clone(),
        tag: format!("{repository}:{}", naming::tag(&image.tag, "")),
        own_tag: format!(
            "{repository}:{}",
            naming::tag(&image.tag, &format!("-job{}", provenance.job))
        ),
        bases: Vec::new(),
        args,
        labels,
    }
}

/// How far the ordering has come with an image.
enum Stage {
    Begun,
    Done,
}

/// Puts bases before what is built from them.
#[derive(Default)]
struct Order {
    builds: Vec<ImageBuild>,
    /// Why the bases of an image are not known.
    unclear: BTreeMap<String, Unclear>,
    stages: BTreeMap<String, Stage>,
    planned: Vec<ImageBuild>,
}

impl Order {
    fn visit(&mut self, build: &ImageBuild) -> Result<(), PlanError> {
        match self.stages.get(&build.reference) {
            Some(Stage::Done) => return Ok(()),
            Some(Stage::Begun) => return Err(PlanError::Circle(build.reference.clone())),
            None => {}
        }
        if let Some(source) = self.unclear.get(&build.reference).cloned() {
            return Err(PlanError::Unclear { image: build.reference.clone(), source });
        }
        if let Some(argument) = build.args.keys().find(|name| name.starts_with("BUILDKIT_")) {
            let (image, argument) = (build.reference.clone(), argument.clone());
            return Err(PlanError::Argument { image, argument });
        }
        self.stages.insert(build.reference.clone(), Stage::Begun);
        for base in &build.bases {
            let name = base.strip_prefix("docker.io/").unwrap_or(base);
            if let Some(base) = self.builds.iter().find(|build| build.tag == name).cloned() {
                self.visit(&base)?;
            }
        }
        self.stages.insert(build.reference.clone(), Stage::Done);
        self.planned.push(build.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paas::compiled::{Container, Pod};

    fn image(name: &str) -> Image {
        let path = format!("docker/{name}");
        Image::Dockerfile(DockerfileImage::new(name, "production", &path))
    }

    fn runs(name: &str, origin: Origin) -> Container {
        let image = ImageRef { origin, name: name.to_owned(), tag: "production".to_owned() };
        Container::new("app", image)
    }

    fn deployment(images: Vec<Image>, containers: Vec<Container>) -> Deployment {
        let pods = vec![Pod::new("web", containers)];
        Deployment { images, pods, ..Deployment::new("shop", "production") }
    }

    fn planned(
        deployment: &Deployment,
        dockerfiles: &[(&str, &str)],
    ) -> Result<Vec<ImageBuild>, PlanError> {
        let labels = BTreeMap::from([("pierhead.dev/job".to_owned(), "42".to_owned())]);
        let provenance = Provenance {
            account: &"acme".parse().unwrap(),
            project: &"shop".parse().unwrap(),
            job: JobNumber(42),
            commit: "3f9c1ab0000000000000000000000000000000aa".parse().unwrap(),
            committed_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            labels: &labels,
        };
        let owned = |(name, text): &(&str, &str)| (format!("docker/{name}"), (*text).to_owned());
        plan(deployment, &provenance, &dockerfiles.iter().map(owned).collect())
    }

    fn tags(builds: &[ImageBuild]) -> Vec<&str> {
        builds.iter().map(|build| build.tag.as_str()).collect()
    }

    #[test]
    fn only_what_a_container_runs_is_built_each_once() {
        let deployment = deployment(
            vec![image("unused"), image("web")],
            vec![
                runs("web", Origin::Built),
                runs("web", Origin::Built),
                runs("unused", Origin::External),
            ],
        );
        let builds = planned(&deployment, &[]).unwrap();
        assert_eq!(tags(&builds), ["acme/shop/web:production"]);
        assert_eq!(stock(&deployment), BTreeSet::from(["unused:production".to_owned()]));
        insta::assert_debug_snapshot!(builds[0], @r#"
        ImageBuild {
            reference: "web:production",
            context: "docker/web",
            tag: "acme/shop/web:production",
            own_tag: "acme/shop/web:production-job42",
            bases: [],
            args: {},
            labels: {
                "org.opencontainers.image.created": "2026-09-21T14:13:20Z",
                "org.opencontainers.image.revision": "3f9c1ab0000000000000000000000000000000aa",
                "org.opencontainers.image.title": "web",
                "pierhead.dev/job": "42",
            },
        }
        "#);
    }

    #[test]
    fn a_base_comes_first_even_when_no_container_runs_it() {
        let deployment = deployment(
            vec![image("web"), image("middle"), image("base")],
            vec![runs("web", Origin::Built)],
        );
        let builds = planned(
            &deployment,
            &[
                ("web", "FROM acme/shop/middle:production"),
                ("middle", "FROM docker.io/acme/shop/base:production"),
                ("base", "FROM debian:13"),
            ],
        );
        assert_eq!(
            tags(&builds.unwrap()),
            [
                "acme/shop/base:production",
                "acme/shop/middle:production",
                "acme/shop/web:production"
            ]
        );
    }

    #[test]
    fn a_circle_and_a_reserved_argument_are_refused() {
        let mut deployment =
            deployment(vec![image("a"), image("b")], vec![runs("a", Origin::Built)]);
        let circle = planned(
            &deployment,
            &[("a", "FROM acme/shop/b:production"), ("b", "FROM acme/shop/a:production")],
        );
        assert_eq!(circle, Err(PlanError::Circle("a:production".to_owned())));

        let mut reserved = DockerfileImage::new("a", "production", "docker/a");
        reserved.variables.insert("BUILDKIT_CACHE_MOUNT_NS".to_owned(), "other".to_owned());
        deployment.images[0] = Image::Dockerfile(reserved);
        assert_eq!(
            planned(&deployment, &[]).unwrap_err().to_string(),
            "image `a:production`: build argument `BUILDKIT_CACHE_MOUNT_NS` is reserved for the \
             builder"
        );
    }
}
