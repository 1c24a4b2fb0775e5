//! Images of other projects on a real engine.

use std::path::Path;

use pierhead::deploy::docker_target::ImageError;
use pierhead::domain::pinned::Pinned;
use pierhead::domain::registry::Registry;
use pierhead::image::Build;
use tokio::sync::mpsc;

use crate::docker_host::{DockerHost, folder};
use crate::support::registry::{OwnRegistry, PASSWORD};

#[tokio::test]
async fn nobody_runs_or_builds_upon_another_projects_image() {
    let mut victim = DockerHost::connect().await;
    let id = victim.image("secret", "RUN echo secret > /key").await;
    let tag = victim.plan("secret").tag;
    let mut host = DockerHost::connect().await;
    let (sender, _lines) = mpsc::channel(1_000);
    let foreign = |error: ImageError| matches!(error, ImageError::Foreign(_));

    let root = folder(&[("Dockerfile", "FROM busybox:stable\n")]);
    let sources = host.sources(root.path());
    let digits: String = id.chars().skip("sha256:".len()).take(12).collect();
    for base in [&tag, &id, &digits] {
        let stock = host.target.stock_image(base, &host.sources(Path::new("/")), &sender).await;
        assert!(foreign(stock.unwrap_err()), "{base}");
        let mut build = host.plan("thief");
        build.bases = vec![base.to_owned()];
        let built =
            host.target.obtain(&Build::Dockerfile(build), (&sources, &host.images), &sender).await;
        assert!(foreign(built.unwrap_err()), "{base}");
    }
    // Nor by what an image of their own does when it is built upon.
    host.image("base", &format!("ONBUILD COPY --from={tag} /key /key")).await;
    let mut build = host.plan("thief");
    build.bases = vec![host.plan("base").tag];
    let built =
        host.target.obtain(&Build::Dockerfile(build), (&sources, &host.images), &sender).await;
    assert!(foreign(built.unwrap_err()));

    let own =
        victim.target.stock_image(&tag, &victim.sources(Path::new("/")), &sender).await.unwrap();
    assert_eq!(own, Pinned::ImageId(id));
    let stock = host
        .target
        .stock_image("busybox:stable", &host.sources(Path::new("/")), &sender)
        .await
        .unwrap();
    let busybox = host.engine().image("busybox:stable").await.unwrap().unwrap();
    assert_eq!(stock, Pinned::ImageId(busybox.id));
}

#[tokio::test]
async fn what_a_registry_gave_to_one_project_is_asked_for_again_for_another() {
    let server = OwnRegistry::start().await;
    let (first, second) = (DockerHost::connect().await, DockerHost::connect().await);
    let engine = first.engine();
    let (sender, _lines) = mpsc::channel(1_000);
    let registry = server.with(PASSWORD);
    let busybox = engine.image("busybox:stable").await.unwrap().unwrap();
    let pinned = engine.push(&busybox.id, "private/base:1", &registry, &sender).await.unwrap();
    let reference = registry.address.repository("private/base:1");
    for name in [pinned.reference(), &reference] {
        engine.remove_image(name).await.unwrap();
    }

    let of = |host: &DockerHost, registry: Option<Registry>| {
        let mut sources = host.sources(Path::new("/"));
        sources.registry = registry;
        sources
    };
    let own = of(&first, Some(registry.clone()));
    first.target.stock_image(&reference, &own, &sender).await.unwrap();
    for registry in [None, Some(server.with("wrong"))] {
        let sources = of(&second, registry);
        let refused = second.target.stock_image(&reference, &sources, &sender).await;
        assert_eq!(
            refused.unwrap_err().to_string(),
            format!(
                "image `{reference}` is private: its registry does not give it to this project"
            )
        );
        let same = second.target.stock_image("busybox:stable", &sources, &sender).await;
        assert!(same.is_ok(), "by another name everybody has it");
    }
    let sources = of(&second, Some(registry));
    second.target.stock_image(&reference, &sources, &sender).await.unwrap();

    let image = engine.image(&reference).await.unwrap().unwrap();
    let names = image.tags.iter().chain(&image.digests);
    for name in names.filter(|name| name.contains("private")) {
        engine.remove_image(name).await.unwrap();
    }
}
