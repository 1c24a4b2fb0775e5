//! Images of other projects on a real engine.

use std::path::Path;

use pierhead::deploy::docker_target::ImageError;
use pierhead::domain::pinned::Pinned;
use pierhead::image::Build;
use tokio::sync::mpsc;

use crate::docker_host::{DockerHost, folder};

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
