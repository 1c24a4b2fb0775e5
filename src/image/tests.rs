//! Plans of deployments with images of every kind.

use indexmap::IndexMap;

use super::*;
use crate::paas::compiled::{
    Container, Deployment, DockerfileImage, EmbeddedImage, EmbeddedVolume, Image, ImageRef, Mount,
    Origin, Pod, SharedVolume,
};

fn image(name: &str) -> Image {
    let path = format!("docker/{name}");
    Image::Dockerfile(DockerfileImage::new(name, "production", &path))
}

fn reference(name: &str, origin: Origin) -> ImageRef {
    ImageRef { origin, name: name.to_owned(), tag: "production".to_owned() }
}

fn runs(name: &str, origin: Origin) -> Container {
    Container::new("app", reference(name, origin))
}

/// An image with a folder of the commit in it.
fn embedded(name: &str, base: ImageRef) -> Image {
    let volume = EmbeddedVolume {
        name: "code-1".to_owned(),
        paths: vec!["src".to_owned(), "web/public/".to_owned()],
        local_path: "/volume".to_owned(),
        mount_path: "/app/".to_owned(),
        writables: vec!["var/*".to_owned()],
    };
    Image::Embedded(EmbeddedImage {
        name: name.to_owned(),
        tag: "production".to_owned(),
        base,
        volumes: IndexMap::from([("code".to_owned(), volume)]),
    })
}

fn deployment(images: Vec<Image>, containers: Vec<Container>) -> Deployment {
    let pods = vec![Pod::new("web", containers)];
    Deployment { images, pods, ..Deployment::new("shop", "production") }
}

fn planned(deployment: &Deployment, dockerfiles: &[(&str, &str)]) -> Result<Vec<Node>, PlanError> {
    let labels = BTreeMap::from([("pierhead.dev/job".to_owned(), "42".to_owned())]);
    let provenance = Provenance {
        account: &"acme".parse().unwrap(),
        project: &"shop".parse().unwrap(),
        job: JobNumber(42),
        commit: "3f9c1ab0000000000000000000000000000000aa".parse().unwrap(),
        committed_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        labels: &labels,
        volume_base: "busybox:stable",
        writer: User { uid: 1_000, gid: 1_000 },
    };
    let owned = |(name, text): &(&str, &str)| {
        (Folder { root: Root::Checkout, path: format!("docker/{name}") }, (*text).to_owned())
    };
    plan(deployment, &provenance, &dockerfiles.iter().map(owned).collect())
}

/// What is planned, each with what it needs.
fn order(nodes: &[Node]) -> Vec<String> {
    let told = nodes.iter().map(|node| {
        let needs: Vec<_> = node.needs.iter().map(String::as_str).collect();
        format!("{} <- {}", node.build.reference(), needs.join(", "))
    });
    told.collect()
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
    let nodes = planned(&deployment, &[]).unwrap();
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[1].build, Build::Stock("unused:production".to_owned()));
    insta::assert_debug_snapshot!(nodes[0], @r#"
    Node {
        build: Dockerfile(
            ImageBuild {
                reference: "web:production",
                context: Folder {
                    root: Checkout,
                    path: "docker/web",
                },
                tag: "acme/shop/web:production",
                own_tag: "acme/shop/web:production-job42",
                bases: [],
                platforms: {},
                pins: {},
                own: {},
                platform: None,
                account: "acme",
                args: {},
                labels: {
                    "org.opencontainers.image.created": "2026-09-21T14:13:20Z",
                    "org.opencontainers.image.revision": "3f9c1ab0000000000000000000000000000000aa",
                    "org.opencontainers.image.title": "web",
                    "pierhead.dev/job": "42",
                },
            },
        ),
        needs: {},
    }
    "#);
}

#[test]
fn a_base_comes_first_even_when_no_container_runs_it() {
    let deployment = deployment(
        vec![image("web"), image("middle"), image("base")],
        vec![runs("web", Origin::Built)],
    );
    let nodes = planned(
        &deployment,
        &[
            ("web", "FROM acme/shop/middle:production"),
            ("middle", "FROM docker.io/acme/shop/base:production"),
            ("base", "FROM debian:13"),
        ],
    );
    let nodes = nodes.unwrap();
    // Each is called by the name that no other job takes over.
    let Build::Dockerfile(middle) = &nodes[1].build else { panic!("{nodes:?}") };
    let pin = ("docker.io/acme/shop/base:production", "acme/shop/base:production-job42");
    let pins: Vec<_> =
        middle.pins.iter().map(|(name, pin)| (name.as_str(), pin.as_str())).collect();
    assert_eq!(pins, [pin]);
    assert_eq!(
        order(&nodes),
        [
            "base:production <- ",
            "middle:production <- base:production",
            "web:production <- middle:production"
        ]
    );
}

#[test]
fn files_come_upon_a_built_image_and_upon_one_from_a_registry() {
    let deployment = deployment(
        vec![
            image("php"),
            embedded("php-1", reference("php", Origin::Built)),
            embedded("nginx-1", reference("nginx", Origin::External)),
        ],
        vec![runs("nginx-1", Origin::Embedded), runs("php-1", Origin::Embedded)],
    );
    let nodes = planned(&deployment, &[]).unwrap();
    assert_eq!(
        order(&nodes),
        [
            "nginx:production <- ",
            "nginx-1:production <- nginx:production",
            "php:production <- ",
            "php-1:production <- php:production"
        ]
    );
    insta::assert_debug_snapshot!(nodes[1].build, @r#"
    Layers(
        LayerBuild {
            reference: "nginx-1:production",
            repository: "acme/shop/nginx-1",
            tag: Fixed(
                "production",
            ),
            own_tag: "production-job42",
            base: "nginx:production",
            placements: [
                Placement {
                    source: "src",
                    folder: "/app/",
                },
                Placement {
                    source: "web/public/",
                    folder: "/app/",
                },
            ],
            writables: [
                "/app/var/*",
            ],
            user: User {
                uid: 1000,
                gid: 1000,
            },
            command: None,
            annotations: {
                "org.opencontainers.image.base.name": "nginx:production",
                "org.opencontainers.image.title": "nginx-1",
            },
            labels: {
                "pierhead.dev/job": "42",
            },
        },
    )
    "#);
}

#[test]
fn a_volume_is_built_once_and_only_when_a_container_mounts_it() {
    let shared = SharedVolume {
        name: "assets-shop".to_owned(),
        paths: vec!["public".to_owned()],
        local_path: "/volume".to_owned(),
        mount_path: "/mnt".to_owned(),
    };
    let mut container = runs("web", Origin::External);
    let mount = Mount::Shared {
        volume: "assets".to_owned(),
        name: "assets-shop".to_owned(),
        mount_path: "/srv".to_owned(),
    };
    container.volumes = IndexMap::from([("files".to_owned(), mount)]);
    let mut deployment = deployment(vec![], vec![container.clone(), container]);
    deployment.volumes = [("unused", shared.clone()), ("assets", shared)]
        .map(|(key, volume)| (key.to_owned(), volume))
        .into();
    let nodes = planned(&deployment, &[]).unwrap();
    assert_eq!(
        order(&nodes),
        ["web:production <- ", "busybox:stable <- ", "volumes.assets <- busybox:stable"]
    );
    insta::assert_debug_snapshot!(nodes[2].build, @r#"
    Layers(
        LayerBuild {
            reference: "volumes.assets",
            repository: "acme/shop/assets-shop",
            tag: ByContent(
                "production",
            ),
            own_tag: "production-job42",
            base: "busybox:stable",
            placements: [
                Placement {
                    source: "public",
                    folder: "/volume",
                },
            ],
            writables: [],
            user: User {
                uid: 1000,
                gid: 1000,
            },
            command: Some(
                [
                    "sh",
                    "-c",
                    "cp -afv \"$0/.\" \"$MOUNT_PATH\"",
                    "/volume",
                ],
            ),
            annotations: {
                "org.opencontainers.image.base.name": "busybox:stable",
                "org.opencontainers.image.title": "assets-shop",
            },
            labels: {
                "pierhead.dev/job": "42",
            },
        },
    )
    "#);
}

#[test]
fn a_circle_and_a_reserved_argument_are_refused() {
    let mut deployment = deployment(vec![image("a"), image("b")], vec![runs("a", Origin::Built)]);
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
        "a:production: build argument `BUILDKIT_CACHE_MOUNT_NS` is reserved for the \
         builder"
    );
}
