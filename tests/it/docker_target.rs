//! Deployments on a real engine.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pierhead::deploy::docker_target::{
    Leftovers, RolloutError, StartError, Unhealthy, plan_images,
};
use pierhead::deploy::ready::PodReady;
use pierhead::domain::ids::{Fence, JobNumber};
use pierhead::domain::pinned::Pinned;
use pierhead::domain::release::PinnedImages;
use pierhead::image::layer::User;
use pierhead::image::{Node, Provenance};
use pierhead::paas::compiled::{DockerfileImage, EnvValue, Image, Probe, Resource};
use pierhead::stack::{Phase, Placed, Stack};
use tokio::sync::mpsc;

use crate::docker_host::{DockerHost, checked, container, deployment, folder, pod};

/// Enough for a busy machine; nothing waits for it when all is well.
const LIMIT: Duration = Duration::from_secs(120);

const IDLE: &str = "CMD [\"sh\", \"-c\", \"trap exit TERM; sleep 1000 & wait\"]";

const WEB: &str = "RUN mkdir /www && echo it works > /www/index.html\n\
                   CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]";

fn http(path: &str) -> Probe {
    Probe::Http { port: 8080, path: path.to_owned(), secure: false }
}

fn command(words: &[&str]) -> Probe {
    Probe::Command { command: words.iter().map(|word| (*word).to_owned()).collect() }
}

async fn start_healthy(host: &DockerHost, stack: &Stack) -> Placed {
    let placed = host.target.start(stack).await.unwrap();
    host.target.wait_healthy(&placed, LIMIT, |_| {}).await.unwrap();
    placed
}

async fn unhealthy(host: &DockerHost, stack: &Stack, limit: Duration) -> Unhealthy {
    let placed = host.target.start(stack).await.unwrap();
    match host.target.wait_healthy(&placed, limit, |_| {}).await {
        Err(RolloutError::Unhealthy(unhealthy)) => *unhealthy,
        other => panic!("{other:?}"),
    }
}

/// The first name of a container of a pod in a stack.
fn name<'a>(stack: &'a Stack, pod: &str) -> &'a str {
    let group = stack.groups.iter().find(|group| group.pod == pod).unwrap();
    &group.containers[0].name
}

#[tokio::test]
async fn a_healthy_stack_answers_at_its_routes_and_may_be_started_twice() {
    let mut host = DockerHost::connect().await;
    host.image("app", WEB).await;
    host.image("client", IDLE).await;
    let asks = ["wget", "-q", "-O", "/dev/null", "http://web-service:8080/"];
    let stack = host.stack(
        1,
        vec![
            pod("web", 2, vec![checked(container("app"), http("/index.html"))]),
            pod("client", 1, vec![checked(container("client"), command(&asks))]),
        ],
    );
    let placed = host.target.start(&stack).await.unwrap();
    let mut progress = Vec::new();
    let waited = host.target.wait_healthy(&placed, LIMIT, |pods| progress.push(pods.to_vec()));
    waited.await.unwrap();
    let ready = |pod: &str, ready| PodReady { pod: pod.to_owned(), ready, total: ready };
    assert_eq!(progress.last().unwrap()[..], [ready("web", 2), ready("client", 1)]);

    let routes = placed.routes();
    assert_eq!(routes[0].host.as_str(), "web.localhost");
    assert_eq!(routes[0].upstreams.len(), 2);
    for upstream in &routes[0].upstreams {
        tokio::net::TcpStream::connect(upstream).await.unwrap();
    }

    let before = host.inspect(name(&stack, "web")).await;
    assert_eq!(host.target.start(&stack).await.unwrap(), placed);
    let after = host.inspect(name(&stack, "web")).await;
    assert_eq!(
        (before.id, before.state.unwrap().started_at),
        (after.id, after.state.unwrap().started_at)
    );
    let stored: Placed = serde_json::from_str(&serde_json::to_string(&placed).unwrap()).unwrap();
    assert_eq!(stored, placed);
}

#[tokio::test]
async fn a_container_that_exits_ends_the_rollout_with_its_last_words() {
    let mut host = DockerHost::connect().await;
    host.image("app", "CMD [\"sh\", \"-c\", \"echo missing env DATABASE_URL >&2; exit 3\"]").await;
    let stack = host.stack(1, vec![pod("web", 1, vec![container("app")])]);
    let unhealthy = unhealthy(&host, &stack, LIMIT).await;
    let text = unhealthy.to_string();
    assert!(text.starts_with("web: container \"app\" exited 3 after start, "), "{text}");
    assert_eq!(unhealthy.last_lines.last().unwrap(), "missing env DATABASE_URL");
}

#[tokio::test]
async fn a_container_that_answers_badly_is_not_ready_in_time() {
    let mut host = DockerHost::connect().await;
    host.image("app", WEB).await;
    let fails = ["sh", "-c", "echo no database; exit 2"];
    for (fence, probe, answer) in [
        (1, http("/missing"), "answered 404"),
        (2, Probe::Tcp { port: 9 }, "connection refused"),
        (3, command(&fails), "exited 2: no database"),
        (4, command(&["sleep", "1000"]), "no answer within 1 s"),
    ] {
        let stack = host.stack(fence, vec![pod("web", 1, vec![checked(container("app"), probe)])]);
        let unhealthy = unhealthy(&host, &stack, Duration::from_secs(1)).await;
        assert_eq!(
            unhealthy.to_string(),
            format!("web: container \"app\" is not ready after 1 s: {answer}")
        );
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_not_joined_by_more() {
    let mut host = DockerHost::connect().await;
    host.image("app", IDLE).await;
    let hangs = checked(container("app"), command(&["sleep", "999"]));
    let stack = host.stack(1, vec![pod("web", 1, vec![hangs])]);
    let unhealthy = unhealthy(&host, &stack, Duration::from_secs(4)).await;
    assert!(unhealthy.to_string().ends_with("the last command is still running"), "{unhealthy}");
    let processes = host.docker.top_processes(name(&stack, "web"), None).await.unwrap();
    let processes = processes.processes.unwrap();
    let hanging = processes.iter().filter(|row| row.iter().any(|cell| cell == "sleep 999"));
    assert_eq!(hanging.count(), 1, "{processes:?}");
}

#[tokio::test]
async fn what_cannot_run_is_told_in_words() {
    let mut host = DockerHost::connect().await;
    host.image("app", "CMD []").await;
    let stack = host.stack(1, vec![pod("web", 1, vec![container("app")])]);
    let error = host.target.start(&stack).await.unwrap_err();
    assert!(matches!(error, StartError::Container { .. }), "{error:?}");
    let text = error.to_string();
    let start = "pod web: container \"app\" cannot be started: ";
    assert!(text.starts_with(start) && text.contains("No command specified"), "{text}");

    // The init is there; what it should run is not.
    host.image("typo", "CMD [\"/bin/nothing\"]").await;
    let stack = host.stack(2, vec![pod("web", 1, vec![container("typo")])]);
    let unhealthy = unhealthy(&host, &stack, LIMIT).await;
    let text = unhealthy.to_string();
    assert!(text.starts_with("web: container \"typo\" exited 127 after start, "), "{text}");
    let last = unhealthy.last_lines.last().unwrap();
    assert!(last.contains("exec /bin/nothing failed: No such file or directory"), "{last}");
}

#[tokio::test]
async fn a_sweep_keeps_what_serves_and_nothing_else() {
    let mut host = DockerHost::connect().await;
    let live = host.image("app", IDLE).await;
    let pods = || vec![pod("web", 1, vec![container("app"), container("app")])];
    let pods = || {
        let mut pods = pods();
        pods[0].containers[1].name = "other".to_owned();
        pods
    };
    let stacks = [1, 2, 3].map(|fence| host.stack(fence, pods()));
    for stack in &stacks {
        host.target.start(stack).await.unwrap();
    }
    let leftovers = host.target.leftovers(host.environment, &[Fence(2)]).await.unwrap();
    // Whoever lists may stand still for minutes before it removes.
    let newer = host.stack(4, pods());
    host.target.start(&newer).await.unwrap();
    let swept = host.target.remove(leftovers).await.unwrap();
    let names = |stack: &Stack| -> BTreeSet<String> {
        let groups = stack.groups.iter();
        groups.flat_map(|group| &group.containers).map(|own| own.name.clone()).collect()
    };
    let over = names(&stacks[0]).union(&names(&stacks[2])).cloned().collect();
    assert_eq!(swept.containers.into_iter().collect::<BTreeSet<_>>(), over);
    assert_eq!(swept.networks.len(), 2);
    let left = names(&stacks[1]).union(&names(&newer)).cloned().collect::<BTreeSet<_>>();
    assert_eq!(host.container_names().await, left);
    let again = host.target.leftovers(host.environment, &[Fence(2), Fence(4)]).await.unwrap();
    assert_eq!(again, Leftovers::default());

    let old = host.image("old", "CMD [\"sleep\", \"1\"]").await;
    let kept = host.image("kept", "CMD [\"sleep\", \"2\"]").await;
    let keep = BTreeSet::from([kept.clone()]);
    let spare = host.target.spare_images(host.environment, &keep).await.unwrap();
    let removed = host.target.remove_images(spare).await.unwrap();
    assert_eq!(removed, [old], "{kept} is to be kept, {live} runs");
}

#[tokio::test]
async fn reviving_brings_back_what_is_missing_or_stands_still() {
    let mut host = DockerHost::connect().await;
    host.image("app", WEB).await;
    host.image("beside", IDLE).await;
    let asks = ["wget", "-q", "-O", "/dev/null", "http://app:8080/"];
    let beside = checked(container("beside"), command(&asks));
    let stack =
        host.stack(1, vec![pod("web", 3, vec![checked(container("app"), http("/")), beside])]);
    let placed = start_healthy(&host, &stack).await;
    let revived = async || {
        host.target.revive(&placed).await.unwrap();
        host.target.wait_healthy(&placed, LIMIT, |_| {}).await.unwrap();
        for (group, address) in placed.groups() {
            let facts = host.inspect(&group.containers[0].name).await;
            let networks = facts.network_settings.unwrap().networks.unwrap();
            assert_eq!(networks[&stack.network].ip_address, Some(address.to_string()));
        }
    };

    let engine = host.engine();
    let container = |group: usize, index: usize| &stack.groups[group].containers[index].name;
    engine.remove_container(container(0, 0)).await.unwrap();
    engine.stop_container(container(1, 0), 0).await.unwrap();
    engine.remove_container(container(2, 1)).await.unwrap();
    revived().await;

    for group in &stack.groups {
        for container in &group.containers {
            engine.stop_container(&container.name, 0).await.unwrap();
        }
    }
    let network = engine.network(&stack.network).await.unwrap().unwrap();
    engine.remove_network(&network.id).await.unwrap();
    revived().await;
}

#[tokio::test]
async fn limits_and_hardening_stand_on_the_container() {
    let mut host = DockerHost::connect().await;
    let id = host.image("app", IDLE).await;
    let mut app = container("app");
    let password = EnvValue::Text("a$b \"c\"\nd".to_owned());
    app.env.insert("PASSWORD".to_owned(), password);
    let resource = |kind: &str, require, limit| Resource {
        kind: kind.to_owned(),
        require,
        limit,
        automatic: false,
    };
    app.resources = vec![resource("cpu", 100, 250), resource("memory", 16 << 20, 64 << 20)];
    let stack = host.stack(7, vec![pod("web", 1, vec![app])]);
    start_healthy(&host, &stack).await;

    let facts = host.inspect(name(&stack, "web")).await;
    assert_eq!(facts.image, Some(id));
    let config = facts.config.unwrap();
    assert!(config.env.unwrap().contains(&"PASSWORD=a$b \"c\"\nd".to_owned()));
    let labels: BTreeMap<String, String> = config.labels.unwrap().into_iter().collect();
    for (label, value) in [
        ("account", "acme"),
        ("project", &host.project.to_string()),
        ("environment", &host.environment.to_string()),
        ("fence", "7"),
        ("job", "42"),
        ("pod", "web"),
        ("container", "app"),
        ("replica", "1"),
    ] {
        assert_eq!(labels[&format!("pierhead.dev/{label}")], value, "{label}");
    }
    let limits = facts.host_config.unwrap();
    assert_eq!(limits.nano_cpus, Some(250_000_000));
    assert_eq!(limits.memory, Some(64 << 20));
    assert_eq!(limits.memory_reservation, Some(16 << 20));
    assert_eq!(limits.pids_limit, Some(4_096));
    assert_eq!(limits.privileged, Some(false));
    assert_eq!(limits.security_opt, Some(vec!["no-new-privileges".to_owned()]));
    assert_eq!(limits.cap_drop, Some(vec!["MKNOD".to_owned(), "NET_RAW".to_owned()]));
    assert_eq!(limits.binds, None);
    let policy = limits.restart_policy.unwrap().name.unwrap();
    assert_eq!(policy, bollard::models::RestartPolicyNameEnum::UNLESS_STOPPED);
    let log = limits.log_config.unwrap();
    assert_eq!(log.typ, Some("json-file".to_owned()));
    assert_eq!(log.config.unwrap()["max-size"], "10m");
}

#[tokio::test]
async fn addresses_that_the_machine_reaches_elsewhere_are_left_alone() {
    let mut host = DockerHost::connect().await;
    host.image("app", IDLE).await;
    // Such as another engine's network, or a VPN: of four networks of the pool, one is free.
    host.target.pool = "10.215.254.0/24".parse().unwrap();
    let routes = ["10.215.254.0/25", "10.215.254.128/26"];
    host.on_the_host(&routes.map(|route| format!("ip route add {route} dev lo")).join("; ")).await;
    let stack = host.stack(1, vec![pod("a", 1, vec![container("app")])]);
    let placed = host.target.start(&stack).await;
    let other = host.stack(2, vec![pod("a", 1, vec![container("app")])]);
    let refused = host.target.start(&other).await;
    host.on_the_host(&routes.map(|route| format!("ip route del {route} dev lo")).join("; ")).await;
    assert_eq!(placed.unwrap().subnet.to_string(), "10.215.254.192/26");
    assert!(matches!(refused, Err(StartError::NoFreeNetwork(_))), "{refused:?}");
}

#[tokio::test]
async fn two_stacks_never_share_addresses_and_a_full_pool_is_told() {
    let mut host = DockerHost::connect().await;
    host.image("app", IDLE).await;
    host.target.pool = "10.215.255.128/25".parse().unwrap();
    let stacks =
        [1, 2, 3].map(|fence| host.stack(fence, vec![pod("a", 1, vec![container("app")])]));
    let first = host.target.start(&stacks[0]).await.unwrap();
    let second = host.target.start(&stacks[1]).await.unwrap();
    assert_ne!(first.subnet, second.subnet);
    let full = host.target.start(&stacks[2]).await.unwrap_err();
    assert_eq!(
        full.to_string(),
        "no network of 10.215.255.128/25 is free; raise docker.networks or remove networks"
    );

    let leftovers = host.target.leftovers(host.environment, &[Fence(2)]).await.unwrap();
    host.target.remove(leftovers).await.unwrap();
    host.target.start(&stacks[2]).await.unwrap();
    let taken = host.target.revive(&first).await.unwrap_err();
    assert!(matches!(taken, StartError::AddressesTaken(_)), "{taken:?}");
}

#[tokio::test]
async fn an_image_is_built_upon_another_one_of_the_same_deployment() {
    let host = DockerHost::connect().await;
    let account = format!("test-{}", host.environment).parse().unwrap();
    let base = format!("FROM {account}/shop/base:test\nCOPY file /copy\nRUN cat /original /copy\n");
    let root = folder(&[
        ("web/Dockerfile", &base),
        ("web/file", "upon it\n"),
        ("base/Dockerfile", "FROM busybox:stable\nRUN echo the base > /original\n"),
    ]);
    let image = |name: &str| Image::Dockerfile(DockerfileImage::new(name, "test", name));
    let mut deployment = deployment(vec![pod("web", 1, vec![container("web")])]);
    deployment.images = vec![image("web"), image("base"), image("unused")];
    let provenance = Provenance {
        account: &account,
        project: &"shop".parse().unwrap(),
        job: JobNumber(42),
        commit: "3f9c1ab0000000000000000000000000000000aa".parse().unwrap(),
        committed_at: chrono::DateTime::UNIX_EPOCH,
        labels: &host.labels(1),
        volume_base: "busybox:stable",
        writer: User { uid: 1_000, gid: 1_000 },
    };
    let sources = host.sources(root.path());
    let nodes = plan_images(&deployment, &provenance, &sources).await.unwrap();
    let names: Vec<&str> = nodes.iter().map(|node| node.build.reference()).collect();
    assert_eq!(names, ["base:test", "web:test"]);

    let (sender, mut lines) = mpsc::channel(1_000);
    let mut pinned = PinnedImages::new();
    for Node { build, .. } in &nodes {
        let obtained = host.target.obtain(build, (&sources, &host.images), &sender).await.unwrap();
        pinned.insert(build.reference().to_owned(), obtained.pinned);
    }
    drop(sender);
    let mut output = Vec::new();
    while let Some(line) = lines.recv().await {
        output.push(line);
    }
    assert!(output.windows(2).any(|lines| lines == ["the base", "upon it"]), "{output:?}");
    let own_tag = format!("{account}/shop/web:test-job42");
    let web = host.engine().image(&own_tag).await.unwrap().unwrap();
    assert_eq!(pinned["web:test"], Pinned::ImageId(web.id));
    assert_eq!(web.labels["org.opencontainers.image.created"], "1970-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_container_of_somebody_else_is_left_alone() {
    let mut host = DockerHost::connect().await;
    host.image("app", IDLE).await;
    let stack = host.render(1, &deployment(vec![pod("web", 1, vec![container("app")])]));
    let mut other = stack.clone();
    other.labels.insert("pierhead.dev/fence".to_owned(), "99".to_owned());
    other.network = format!("{}-other", stack.network);
    host.target.start(&other).await.unwrap();
    let error = host.target.start(&stack).await.unwrap_err();
    let taken = name(&stack, "web");
    assert_eq!(
        error.to_string(),
        format!("the name `{taken}` is taken on the engine by something else")
    );
    let facts = host.engine().container(taken).await.unwrap().unwrap();
    assert_eq!(facts.phase, Phase::Running);
}
