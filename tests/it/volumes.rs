//! Files that containers share, on a real engine.

use std::time::Duration;

use pierhead::deploy::docker_target::{Leftovers, StartError};
use pierhead::domain::ids::Fence;
use pierhead::domain::pinned::Pinned;
use pierhead::domain::release::volume_reference;
use pierhead::paas::compiled::{Mount, Pod};

use crate::docker_host::{DockerHost, container, pod};

const LIMIT: Duration = Duration::from_secs(60);

/// What the image of a volume runs when nothing is wrong with it.
const COPY: &str = r#"CMD ["sh", "-c", "cp -af \"$0/.\" \"$MOUNT_PATH\"", "/volume"]"#;

/// A pod that ends in 0 as long as it sees the file and cannot write beside it.
const LOOK: &str = "CMD [\"sh\", \"-c\", \"trap exit TERM; cat /srv/file && ! touch /srv/x 2> /dev/null && \
                    sleep 1000 & wait\"]";

/// Builds the image of a volume, and a pod that mounts it.
async fn mounting(host: &mut DockerHost, command: &str) -> Vec<Pod> {
    let text = format!("RUN mkdir /volume && echo shared > /volume/file\n{command}");
    let id = host.image("assets", &text).await;
    host.images.insert(volume_reference("assets"), Pinned::ImageId(id));
    host.image("app", LOOK).await;
    let mut app = container("app");
    let mount = Mount::Shared {
        volume: "assets".to_owned(),
        name: "assets-shop".to_owned(),
        mount_path: "/srv".to_owned(),
    };
    app.volumes.insert("files".to_owned(), mount);
    vec![pod("web", 2, vec![app])]
}

#[tokio::test]
async fn a_volume_is_filled_before_its_containers_start_and_goes_with_its_release() {
    let mut host = DockerHost::connect().await;
    let pods = mounting(&mut host, COPY).await;
    let stack = host.stack(1, pods);
    let placed = host.target.start(&stack).await.unwrap();
    host.target.wait_healthy(&placed, LIMIT, |_| {}).await.unwrap();
    for group in &stack.groups {
        let name = &group.containers[0].name;
        assert_eq!(host.engine().last_lines(name, 9).await.unwrap()[0], "shared");
        let facts = host.inspect(name).await;
        assert_eq!(facts.mounts.unwrap()[0].rw, Some(false));
    }
    let filler = host.inspect(&stack.volumes[0].filler()).await;
    assert_eq!(filler.host_config.unwrap().network_mode, Some("none".to_owned()));

    // Whatever a repeat finds filled it leaves alone, also what people may be reading.
    host.target.revive(&placed).await.unwrap();
    let again = host.inspect(&stack.volumes[0].filler()).await;
    assert_eq!(again.id, filler.id);

    let leftovers = host.target.leftovers(host.environment, &[Fence(2)]).await.unwrap();
    let swept = host.target.remove(leftovers).await.unwrap();
    assert_eq!(swept.volumes, [stack.volumes[0].name.clone()]);
    assert_eq!(host.target.leftovers(host.environment, &[]).await.unwrap(), Leftovers::default());
}

#[tokio::test]
async fn a_volume_that_is_half_filled_is_filled_again() {
    let mut host = DockerHost::connect().await;
    let pods = mounting(&mut host, COPY).await;
    let stack = host.stack(1, pods);
    // As a worker that was killed leaves it: the volume and its container are there, not run.
    host.engine().create_volume(&stack.volumes[0].name, &stack.labels).await.unwrap();
    host.engine().create_filler(&stack.volumes[0], &stack.labels).await.unwrap();
    let placed = host.target.start(&stack).await.unwrap();
    host.target.wait_healthy(&placed, LIMIT, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_volume_that_cannot_be_filled_says_why_and_nothing_mounts_it() {
    let mut host = DockerHost::connect().await;
    let pods = mounting(&mut host, r#"CMD ["sh", "-c", "echo no space left; exit 3"]"#).await;
    let stack = host.stack(1, pods);
    let error = host.target.start(&stack).await.unwrap_err();
    assert!(matches!(error, StartError::Volume { .. }), "{error:?}");
    assert_eq!(error.to_string(), "volume assets: no space left");
    let name = &stack.groups[0].containers[0].name;
    assert!(host.engine().container(name).await.unwrap().is_none());
}
