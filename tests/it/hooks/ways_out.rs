//! Hooks with a list of hosts: what is in it is reached, and nothing else.

use pierhead::tasks::Tasks;

use crate::hooks::{Runner, copy, settings};
use crate::support::app::App;
use crate::support::upstream::Upstream;

/// Asks the way out for targets, and then goes around it.
const ASK: &str = r#"
import os, socket, sys

def ask(target):
    with socket.create_connection(("127.0.0.1", 3128), timeout=10) as way:
        way.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        status = way.recv(4096).decode().split(" ")[1]
        if status != "200": return f"refused with {status}"
        way.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        said = b""
        while part := way.recv(4096): said += part
        return said.decode().splitlines()[-1]

for target in sys.argv[1:]:
    print(target.split(":")[0], "by the way:", ask(target))
    try:
        host, port = target.rsplit(":", 1)
        socket.create_connection((host, int(port)), timeout=2).close()
        print("ESCAPED to", target)
    except OSError as error:
        print("around it refused:", error)
print("interfaces", [name for _, name in socket.if_nameindex()])
print(os.environ["https_proxy"], os.environ["HTTP_PROXY"])
"#;

/// What hooks never reach: the metadata address, the gateway, Redis, and whoever is not listed.
const REFUSED: [&str; 4] =
    ["169.254.169.254:80", "172.17.0.1:443", "127.0.0.1:6379", "evil.example.org:443"];

async fn only_listed_hosts_are_reached(runner: Runner) {
    if !runner.may_run() {
        return;
    }
    let tasks = Tasks::default();
    let host = Upstream::saying(&tasks, "from the listed host").await;
    let listed = format!("localhost:{}", host.address.port());
    let network = format!("network = [{listed:?}, {:?}]", host.address.ip().to_string());
    let app = App::start_with(settings(runner, &[]).await.with("hooks.py", &network)).await;
    let words = [&["ask.py", &listed], REFUSED.as_slice()].concat();
    let copy = copy(&app, &format!("{{ask: {{py: {words:?}}}}}")).await;
    copy.write("ask.py", ASK);
    copy.commit("Ask").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok().assert_says("| localhost by the way: from the listed host");
    push.assert_says("| http://127.0.0.1:3128 http://127.0.0.1:3128");
    for target in REFUSED {
        let name = target.split(':').next().unwrap();
        push.assert_says(&format!("| {name} by the way: refused with 403"));
        // The push says what to add, should it be right.
        push.assert_says(&format!("| pierhead: {name}"));
    }
    let logs = copy.developer.ssh(&["logs", "1", "--json"]).await;
    assert!(logs.stdout.contains("add evil.example.org to network of hook py"), "{}", logs.stdout);
    assert_eq!(push.stderr.matches("around it refused:").count(), REFUSED.len() + 1);
    assert!(!push.stderr.contains("ESCAPED"), "{}", push.stderr);
    push.assert_says("interfaces ['lo']");
    assert_eq!(host.connections(), 1);
    app.assert_nothing_left().await;
    app.stop().await;
    tasks.stop();
}

#[tokio::test]
async fn a_hook_in_a_container_reaches_only_listed_hosts() {
    only_listed_hosts_are_reached(Runner::Container).await;
}

#[tokio::test]
async fn a_hook_in_a_cage_reaches_only_listed_hosts() {
    only_listed_hosts_are_reached(Runner::Process).await;
}
