//! What Jobs print is read while they run, once, whatever happens to connections and containers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use pierhead::kubernetes::{
    Access, Cluster, JobEnded, Limits, ObjectRef, Patience, Printed, SuccessCodes,
};
use pierhead::tasks::Tasks;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::kubernetes::{Ground, job, script, soon};
use crate::support::PATIENCE;
use crate::support::upstream::Upstream;

/// Stands before an API server, and ends all connections when it is told to.
struct Passage {
    address: String,
    cut: watch::Sender<()>,
    tasks: Tasks,
}

impl Passage {
    async fn before(address: &str) -> Self {
        let behind: SocketAddr = address.trim_start_matches("https://").parse().unwrap();
        let (cut, cuts) = watch::channel(());
        let tasks = Tasks::default();
        let before = Upstream::raw(&tasks, move |mut socket| {
            let mut cuts = cuts.clone();
            cuts.mark_unchanged();
            async move {
                let mut server = TcpStream::connect(behind).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut socket, &mut server) => {}
                    _ = cuts.changed() => {}
                }
            }
        })
        .await;
        Self { address: format!("https://{}", before.address), cut, tasks }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

/// Prints something, and something more when it is asked to.
const ASKED: &str = "mkdir -p /www/cgi-bin; cd /www/cgi-bin
printf '#!/bin/sh\ntouch /asked; echo; echo gone on\n' > go; chmod +x go; httpd -p 8080 -h /www
echo begun $JOB_COMPLETION_INDEX; until test -e /asked; do usleep 50000; done
echo over $JOB_COMPLETION_INDEX";

/// What each completion or pod printed.
type Lines = BTreeMap<String, Vec<String>>;

/// Waits for a Job and reads it to its end; `hear` is told all that was printed so far.
async fn read(
    cluster: &Cluster,
    job: &Value,
    mut hear: impl AsyncFnMut(&Lines),
) -> (JobEnded, Lines) {
    let name = &ObjectRef::of(job);
    let patience = Patience { limit: Duration::from_secs(80), ..Patience::default() };
    let ((said, mut heard), (over, is_over)) = (mpsc::channel(1), oneshot::channel());
    let waiting = async {
        let ended =
            cluster.wait_job(name, &SuccessCodes::default(), &patience, |_| {}).await.unwrap();
        over.send(()).unwrap();
        ended
    };
    let following = async move {
        cluster.follow_job(name, async { is_over.await.unwrap() }, &said).await.unwrap()
    };
    let hearing = async {
        let mut lines = Lines::new();
        while let Some(Printed { pod, index, container, line }) = heard.recv().await {
            assert_eq!(container, "app");
            lines.entry(index.unwrap_or(pod)).or_default().push(line);
            hear(&lines).await;
        }
        lines
    };
    let (ended, read, lines) =
        soon(Box::pin(async { tokio::join!(waiting, following, hearing) })).await;
    assert_eq!(read.len(), lines.len(), "{read:?}");
    (ended, lines)
}

#[tokio::test]
async fn what_pods_print_is_read_once_though_connections_end() {
    let Some(ground) = Ground::open("output").await else { return };
    let passage = Passage::before(&ground.access.address).await;
    let access = Access { address: passage.address.clone(), ..ground.access.clone() };
    let cluster = Cluster::connect(&access, Limits::default()).unwrap();
    let work = job(
        "work",
        script(ASKED),
        json!({"completions": 2, "parallelism": 2, "completionMode": "Indexed"}),
    );
    ground.apply(&work).await.unwrap();
    let both = Notify::new();
    let hear = async |lines: &Lines| {
        if lines.values().map(Vec::len).collect::<Vec<_>>() == [1, 1] {
            both.notify_one();
        }
    };
    // Both run: nothing more is printed until they are asked.
    let asking = async {
        both.notified().await;
        passage.cut.send(()).unwrap();
        for (pod, _) in &ground.pods("work").await {
            ask(&ground, pod).await;
        }
        std::future::pending::<()>().await;
    };
    let (ended, lines) = tokio::select! {
        read = read(&cluster, &work, hear) => read,
        () = asking => unreachable!("it never ends"),
    };
    assert!(matches!(ended, JobEnded::Succeeded { .. }), "{ended:?}");
    let of =
        |index: &str| (index.to_owned(), vec![format!("begun {index}"), format!("over {index}")]);
    assert_eq!(lines, Lines::from([of("0"), of("1")]));
}

/// Asks a pod to go on, through the cluster.
async fn ask(ground: &Ground, pod: &str) {
    let path = format!("/api/v1/namespaces/{}/pods/{pod}:8080/proxy/cgi-bin/go", ground.namespace);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let request = hyper::Request::get(&path).body(Vec::new()).unwrap();
        // It may not listen yet.
        match ground.admin.request_text(request).await {
            Ok(answer) => return assert_eq!(answer.trim(), "gone on"),
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

#[tokio::test]
async fn containers_and_pods_that_are_tried_again_are_read_each_time() {
    let Some(ground) = Ground::open("tries").await else { return };
    let mut same_pod = job(
        "same-pod",
        script(
            "if test -e /data/tried; then echo second; else echo first; touch /data/tried; exit 1; fi",
        ),
        json!({"backoffLimit": 3}),
    );
    let pod = &mut same_pod["spec"]["template"]["spec"];
    pod["restartPolicy"] = "OnFailure".into();
    pod["volumes"] = json!([{"name": "data", "emptyDir": {}}]);
    pod["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    let other_pod = job("other-pod", script("printf tried; exit 1"), json!({"backoffLimit": 1}));
    ground.apply(&same_pod).await.unwrap();
    ground.apply(&other_pod).await.unwrap();
    let same_pod = read(&ground.cluster, &same_pod, async |_| {});
    let other_pod = read(&ground.cluster, &other_pod, async |_| {});
    let (same_pod, other_pod) = futures::future::join(same_pod, other_pod).await;
    let lines: Vec<_> = same_pod.1.into_values().collect();
    assert_eq!(lines, [["first", "second"]], "{:?}", same_pod.0);
    let lines: Vec<_> = other_pod.1.into_values().collect();
    assert_eq!(lines, [["tried"], ["tried"]]);
    let JobEnded::Failed(digest) = other_pod.0 else { panic!("it fails") };
    assert_eq!(digest.output.unwrap().lines, ["tried"], "also told with the failure");
}
