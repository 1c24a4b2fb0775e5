//! What a person does who has a server, git and Docker, and no Pierhead.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::plain_server::PlainServer;
use crate::support::app::PATIENCE;
use crate::support::app::developer::{Copy, Developer};
use crate::support::http::{body, say, status};

/// The person's working copy, and what they have running.
pub(crate) struct ByHand {
    _server: PlainServer,
    copy: Copy,
    docker_host: String,
    /// Their network, and what the names of their containers and images begin with.
    name: String,
    /// The first address of the network.
    network: Ipv4Addr,
    round: usize,
}

/// How long each part took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) push: Duration,
    pub(crate) build: Duration,
    pub(crate) run: Duration,
    /// From the end of `docker run` to the first answer.
    pub(crate) answer: Duration,
    pub(crate) remove: Duration,
}

impl Parts {
    pub(crate) fn sum(&self) -> Duration {
        self.push + self.build + self.run + self.answer + self.remove
    }
}

impl ByHand {
    pub(crate) async fn start(developer: &Developer, docker_host: &str) -> Self {
        let server = PlainServer::start(&developer.public_key()).await;
        let developer = developer.at(server.port());
        let copy = developer.hello("by-hand").await;
        copy.git(&["remote", "set-url", "pierhead", &server.url()]).await.assert_ok();
        let name = format!("pierhead-bench-{}", Uuid::now_v7().simple());
        let (docker_host, network) = (docker_host.to_owned(), Ipv4Addr::UNSPECIFIED);
        let mut by_hand = Self { _server: server, copy, docker_host, name, network, round: 0 };
        by_hand.make_network();
        by_hand
    }

    /// A network in which addresses can be chosen: nobody has to ask for one after the start.
    fn make_network(&mut self) {
        let made = (0..=u8::MAX).find_map(|third| {
            let network = Ipv4Addr::new(10, 214, third, 0);
            let subnet = format!("{network}/24");
            let output = self.try_docker(&["network", "create", "--subnet", &subnet, &self.name]);
            output.status.success().then_some(network)
        });
        self.network = made.expect("a network of 10.214.0.0/16 is free");
    }

    /// Brings a changed application to its first answer, and removes the one before.
    pub(crate) async fn round(&mut self, text: &str) -> Parts {
        self.copy.write("index.html", text);
        self.copy.commit(text).await;
        let began = Instant::now();
        self.copy.push(&["main"]).await.assert_ok();
        let push = began.elapsed();

        let before = self.container();
        self.round += 1;
        let (container, folder) = (self.container(), self.copy.path.display().to_string());
        let build = self.docker(&["build", "-q", "-t", &container, &folder]).1;
        // Two addresses in turn: the one before serves until this one does.
        let last = u32::from(self.round.is_multiple_of(2)) + 2;
        let address = Ipv4Addr::from(u32::from(self.network) + last);
        let (name, network, ip) = (&container, &self.name, &address.to_string());
        let place = ["--name", name, "--network", network, "--ip", ip];
        let run = self.docker(&[&["run", "-d", "--init"], &place[..], &[name]].concat()).1;
        let ran = Instant::now();
        wait_for(SocketAddr::from((address, 8080)), text).await;
        let answer = ran.elapsed();

        let mut remove = Duration::ZERO;
        if self.round > 1 {
            remove += self.docker(&["stop", &before]).1;
            remove += self.docker(&["rm", &before]).1;
        }
        Parts { push, build, run, answer, remove }
    }

    fn container(&self) -> String {
        format!("{}-{}", self.name, self.round)
    }

    fn docker(&self, args: &[&str]) -> (String, Duration) {
        let began = Instant::now();
        let output = self.try_docker(args);
        let took = began.elapsed();
        assert!(output.status.success(), "docker {args:?}: {output:?}");
        (String::from_utf8(output.stdout).unwrap(), took)
    }

    fn try_docker(&self, args: &[&str]) -> Output {
        let mut command = Command::new("docker");
        // The builder that Pierhead uses too, where the client has what that needs.
        let buildx = Command::new("docker").args(["buildx", "version"]).output();
        let buildkit = match buildx.is_ok_and(|output| output.status.success()) {
            true => "1",
            false => "0",
        };
        command.env("DOCKER_HOST", &self.docker_host).env("DOCKER_BUILDKIT", buildkit).args(args);
        command.output().expect("docker's client is installed")
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        for round in 0..=self.round {
            let name = format!("{}-{round}", self.name);
            // Most are gone already.
            drop(self.try_docker(&["rm", "-f", &name]));
            drop(self.try_docker(&["rmi", "-f", &name]));
        }
        drop(self.try_docker(&["network", "rm", &self.name]));
    }
}

async fn wait_for(address: SocketAddr, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            let answer = say(address, "GET / HTTP/1.0\r\n\r\n").await;
            assert_eq!((status(&answer), body(&answer)), (200, text));
            return;
        }
        assert!(Instant::now() < deadline, "the application never answered");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
