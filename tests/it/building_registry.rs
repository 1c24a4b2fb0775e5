//! Images are pushed to a registry that asks who is there, by every builder.

use pierhead::building::{Built, Materials};
use pierhead::docker::PushError;
use pierhead::domain::pinned::Pinned;
use pierhead::domain::registry::Registry;
use pierhead::image::ImageBuild;
use tokio::sync::mpsc;

use crate::docker_host::{DockerHost, LIMITS, folder};
use crate::support::registry::{OwnRegistry, PASSWORD};

async fn push(
    host: &DockerHost,
    built: &Built,
    (build, registry): (&ImageBuild, &Registry),
) -> Result<Pinned, PushError> {
    let (sender, _lines) = mpsc::channel(1_000);
    host.engine().push(&built.id, &build.tag, registry, &sender).await
}

#[tokio::test]
async fn what_is_pushed_is_pinned_by_its_digest_and_can_be_built_upon() {
    let server = OwnRegistry::start().await;
    let registry = server.with(PASSWORD);
    for host in DockerHost::for_each_builder().await {
        let root = folder(&[("Dockerfile", &host.dockerfile("RUN echo pushed > /word\n"))]);
        let build = host.plan("pushed");
        let (sender, _lines) = mpsc::channel(1_000);
        let materials = Materials::of(root.path(), LIMITS);
        let built = host.target.builder.build(host.engine(), &build, &materials, &sender).await;
        let built = built.unwrap();
        let pinned = push(&host, &built, (&build, &registry)).await.unwrap();
        let repository = registry.address.repository(&build.tag).replace(":test", "");
        assert!(pinned.reference().starts_with(&format!("{repository}@sha256:")), "{pinned}");
        let image = host.engine().image(pinned.reference()).await.unwrap().unwrap();
        assert_eq!(image.id, built.id, "{host:?}");
        assert_eq!(push(&host, &built, (&build, &registry)).await.unwrap(), pinned, "{host:?}");

        let wrong = push(&host, &built, (&build, &server.with("wrong"))).await.unwrap_err();
        assert!(wrong.to_string().contains(&build.tag), "{host:?}: {wrong}");
        let words = wrong.to_string().to_lowercase();
        assert!(words.contains("auth"), "{host:?}: {wrong}");

        // A base that only somebody who signs in is given.
        for tag in &image.tags {
            host.engine().remove_image(tag).await.unwrap();
        }
        host.engine().remove_image(pinned.reference()).await.unwrap();
        let text = format!("FROM {}\nRUN cat /word\n", pinned.reference());
        let root = folder(&[("Dockerfile", &text)]);
        let registries = [registry.clone()];
        let of = Materials::of(root.path(), LIMITS);
        let materials = Materials { registries: &registries, uses_cache: false, ..of };
        let (result, lines) = host.build_of(&host.plan("upon"), &materials).await;
        result.unwrap_or_else(|error| panic!("{host:?}: {error}: {lines:?}"));
        assert!(lines.iter().any(|line| line == "pushed"), "{host:?}: {lines:?}");
        host.engine().remove_image(pinned.reference()).await.unwrap();
    }
}
