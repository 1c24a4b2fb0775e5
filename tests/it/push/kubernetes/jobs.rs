//! Work that ends with the deployment, and a disk that it shares with what serves.

use crate::push::kubernetes::{Harbour, RUNNER, page};

/// Two pods on one disk, a Job of three runs, and one whose exit code is spoken of.
fn file(said: &str, code: u8) -> String {
    let disk = "volumes: {data: {mount-path: /www/data, persistent: true, name: shared, \
                storage-size: 64Mi, write-many: true}}";
    let serving = page(said)
        // An image that only a job runs.
        .replace("path: .}", "path: .}, task: {path: task}")
        .replace("        listen", &format!("        {disk}\n        listen"))
        .replace("; httpd", "; touch /www/data/$HOSTNAME; httpd");
    format!(
        "{serving}jobs:
  count:
    is-parallel: true
    completions: {{count: 3, mode: indexed, time-limit: 60}}
    pods:
      run:
        containers:
          app:
            image: runner
            {disk}
            variables: {{RUN: echo {said} $JOB_COMPLETION_INDEX | tee /www/data/run-$JOB_COMPLETION_INDEX}}
  import:
    completions: {{success-on: [0, 3], fail-on: [7], limit-on: app}}
    pods:
      run: {{containers: {{app: {{image: task, variables: {{RUN: echo imported; exit {code}}}}}}}}}
"
    )
}

#[tokio::test]
async fn jobs_end_as_their_exit_codes_say_and_pods_share_a_disk_with_them() {
    let Some(harbour) = Harbour::open("jobs").await else { return };
    let copy = harbour.ana.empty("acme/shop").await;
    copy.write("Dockerfile", RUNNER);
    copy.write("task/Dockerfile", RUNNER);
    copy.write(".paas.yaml", &file("first", 3));
    let push = harbour.push(&copy, "First").await;
    push.assert_ok().assert_says("web 2/2 ready, count/run 3/3 ready, import/run 1/1 ready");
    push.assert_says("| import/run | imported");
    for index in 0..3 {
        push.assert_says(&format!("| count/run[{index}] | first {index}"));
        let answer = harbour.ask("web:80", &format!("/data/run-{index}")).await;
        assert_eq!(answer, Ok(format!("first {index}")));
    }
    for (pod, other) in [(0, 1), (1, 0)] {
        let path = format!("/data/web-sfset-{other}");
        let answer = harbour.asked("pods", &format!("web-sfset-{pod}:8080"), &path).await;
        assert_eq!(answer, Ok(String::new()), "{path}");
    }

    copy.write(".paas.yaml", &file("second", 7));
    let push = harbour.push(&copy, "Second").await;
    push.assert_code(1)
        .assert_says("Job import-run-job: ended with code 7, which counts as a failure");
    push.assert_says("imported").assert_says("v1 kept serving");
    assert_eq!(harbour.ask("web:80", "/").await, Ok("first".to_owned()));
    harbour.close().await;
}
