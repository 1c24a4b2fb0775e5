//! `pierhead check` and `pierhead explain`, as somebody without a server types them.

mod examples;
mod job_context;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const FINE: &str = "\
pods:
  web:
    containers:
      app: {image: nginx, version: \"${TAG}\", listen: [8080]}
services:
  web: {ports: [{listen: 80, target: 8081}]}
";

/// Three mistakes that have nothing to do with each other.
const WRONG: &str = "\
pods:
  web:
    replica: 2
    containers:
      app: {image: nginx, listen: [http]}
services:
  web: {prots: [], ports: [{listen: 80, target: 80}]}
";

/// A folder with files in it.
struct Desk {
    folder: TempDir,
}

/// What a command came to.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Done {
    /// All of it, what is on standard error marked by `!`.
    fn told(&self) -> String {
        let errors: String = self
            .stderr
            .lines()
            .map(|line| format!("{}\n", format!("! {line}").trim_end()))
            .collect();
        format!("{}{errors}exit code {}", self.stdout, self.code)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Desk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("Store Front")).unwrap();
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("Store Front")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    async fn run(&self, args: &[&str]) -> Done {
        self.run_reading(args, "").await
    }

    async fn run_reading(&self, args: &[&str], input: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .env_clear()
            // Only what asks a server reads its configuration, and then it is named.
            .env("PIERHEAD_CONFIG", "/nowhere/pierhead.toml")
            .current_dir(self.path())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever reads a file does not read this.
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Done {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[tokio::test]
async fn a_file_is_fine_and_its_warnings_are_told() {
    let desk = Desk::new();
    desk.write(".paas.yaml", FINE);
    assert_snapshot!(desk.run(&["check", "--var", "TAG=1.27"]).await.told(), @"
    .paas.yaml:6:38: warning[W-05]: services.web: no container of the pod listens on port 8081
     6 |   web: {ports: [{listen: 80, target: 8081}]}
       |                                      ^^^^
    .paas.yaml is fine: 1 pod (1 warning)
    exit code 0
    ");
    assert_snapshot!(desk.run(&["check", "--var", "TAG=1.27", "--strict"]).await.told(), @"
    .paas.yaml:6:38: error[W-05]: services.web: no container of the pod listens on port 8081
     6 |   web: {ports: [{listen: 80, target: 8081}]}
       |                                      ^^^^
    .paas.yaml has 1 fault
    exit code 1
    ");
}

#[tokio::test]
async fn three_mistakes_are_told_in_one_run() {
    let desk = Desk::new();
    let done = desk.run_reading(&["check", "-"], WRONG).await;
    assert_snapshot!(done.told(), @r#"
    <stdin>:3:5: error[E-201]: pods.web: unknown key "replica"
     3 |     replica: 2
       |     ^^^^^^^
    hint: did you mean "replicas"?
    <stdin>:5:36: error[E-204]: pods.web.containers.app.listen[0]: "http" is not a whole
        number
     5 |       app: {image: nginx, listen: [http]}
       |                                    ^^^^
    <stdin>:7:9: error[E-201]: services.web: unknown key "prots"
     7 |   web: {prots: [], ports: [{listen: 80, target: 80}]}
       |         ^^^^^
    hint: did you mean "ports"?
    <stdin> has 3 faults
    exit code 1
    "#);
    let json = desk.run_reading(&["check", "-", "--json"], WRONG).await;
    assert_eq!(json.code, 1);
    let json = json.json();
    assert_eq!(json["model"], Value::Null);
    assert_eq!(json["faults"].as_array().unwrap().len(), 3);
    assert_snapshot!(json["faults"][0], @r#"{"code":"E-201","column":5,"hint":"did you mean \"replicas\"?","length":7,"line":3,"message":"unknown key \"replica\"","path":"pods.web"}"#);
}

#[tokio::test]
async fn no_fault_shows_the_value_of_a_secret() {
    let desk = Desk::new();
    for secrets in [
        "keys: {provider: map, options: {password: s3cret}, optoins: {}}",
        "keys: {provider: map, options: {password: s3cret, password: s3cret}}",
        "keys: {provider: map, options: s3cret}",
        "keys: {provider: [s3cret], options: {password: !s3cret value}}",
        "keys:\n    provider: map\n    options: {password: 'r{s3cret} ${s3cret-}'}",
        "keys: {provider: map, options: {password: 's3cret}}",
        "keys:\n    provider: map\n    options:\n      password: s3cret: s3cret",
        "keys:\n    provider: map\n    options:\n      password: *s3cret",
        "keys:\n    provider: map\n    options: {password: |\ns3cret",
    ] {
        let pods = "pods: {web: {containers: {app: {image: \"${UNKNOWN}\"}}}}\n";
        let text = format!("secrets:\n  {secrets}\n{pods}");
        for format in [&["check", "-"][..], &["check", "-", "--json"]] {
            let done = desk.run_reading(format, &text).await;
            assert_eq!(done.code, 1, "{}", done.told());
            assert!(!done.told().contains("s3cret"), "{}", done.told());
        }
    }
}

#[tokio::test]
async fn conditions_tell_which_way_they_went() {
    let desk = Desk::new();
    let text = "\
pods:
  web:
    containers: {app: {image: nginx}}
    if{ENV=prod}: {replicas: 2}
    if{ENV!=prod}: {replicas: 1}
";
    let done = desk.run_reading(&["check", "-", "--var", "ENV=prod"], text).await;
    assert_snapshot!(done.told(), @"
    <stdin>:4:5: if{ENV=prod}: taken
    <stdin>:5:5: if{ENV!=prod}: not taken
    <stdin> is fine: 1 pod
    exit code 0
    ");
    let json = desk.run_reading(&["check", "-", "--json"], text).await.json();
    let branch = &json["branches"][0];
    assert_eq!((&branch["condition"], &branch["taken"]), (&"if{ENV=prod}".into(), &false.into()));
    assert_eq!(
        (&branch["line"], &branch["column"], &branch["length"]),
        (&4.into(), &5.into(), &12.into())
    );
}

#[tokio::test]
async fn what_the_command_line_says_wins_over_the_context() {
    let desk = Desk::new();
    desk.write(
        "context.toml",
        "project = 'Blog'\nenvironment = 'staging'\nprefix = 'acme'\n[variables]\nTAG = '1'\n\
         OTHER = 'x'\n[[quotas]]\ncategory = 'compute'\ntype = 'cpu'\ncapacity = '1'\n",
    );
    let text = "\
pods:
  web:
    containers:
      app:
        image: \"${JOB_PROJECT_NAME}/${JOB_ENV_TAG}\"
        version: \"${TAG}-${OTHER}\"
        resources: [{type: cpu, require: 50%}]
";
    let image = |json: &Value| json["model"]["pods"][0]["containers"][0].clone();
    let plain = ["check", "-", "--json", "--context", "context.toml"];
    let json = image(&desk.run_reading(&plain, text).await.json());
    assert_eq!(json["image"]["name"], "blog/staging");
    assert_eq!(
        (&json["image"]["tag"], &json["resources"][0]["limit"]),
        (&"1-x".into(), &500.into())
    );
    let more = ["--env", "Next One", "--var", "TAG=2", "--account-quota", "cpu:compute:4:2"];
    let json = image(&desk.run_reading(&[&plain[..], &more[..]].concat(), text).await.json());
    assert_eq!(json["image"]["name"], "blog/next-one");
    assert_eq!(
        (&json["image"]["tag"], &json["resources"][0]["limit"]),
        (&"2-x".into(), &2000.into())
    );
    let model = [
        "check",
        "-",
        "--json",
        "--var",
        "TAG=2",
        "--var",
        "OTHER=",
        "--account-quota",
        "cpu:compute:4",
    ];
    let json = desk.run_reading(&model, text).await.json();
    assert_eq!(json["model"]["project_name"], "storefront", "the folder's name");
    assert_eq!(json["model"]["environment_tag"], "production");
}

#[tokio::test]
async fn what_cannot_be_checked_has_an_exit_status_of_its_own() {
    let desk = Desk::new();
    desk.write(".paas.yaml", FINE);
    desk.write("context.toml", "project = 'a'\nenvironment = 'b'\nprefx = 'c'\n");
    let mut told = String::new();
    for words in [
        "check none.yaml",
        "check ..",
        "check --context none.toml",
        "check --context context.toml",
        "check --var TAG",
        "check --var 1A=b",
        "check --var TAG=1 --var TAG=2",
        "check --account-quota cpu:8",
    ] {
        let args: Vec<_> = words.split(' ').collect();
        told.push_str(&format!("$ {words}\n{}\n", desk.run(&args).await.told()));
    }
    assert_snapshot!(told, @"
    $ check none.yaml
    ! none.yaml: error[E-101]: could not read it: No such file or directory (os error 2)
    exit code 2
    $ check ..
    ! ..: error[E-101]: could not read it: Is a directory (os error 21)
    exit code 2
    $ check --context none.toml
    ! pierhead: could not read none.toml: No such file or directory (os error 2)
    exit code 2
    $ check --context context.toml
    ! pierhead: context.toml: unknown key `prefx`; did you mean `prefix`?
    exit code 2
    $ check --var TAG
    ! pierhead: --var: write NAME=VALUE
    exit code 2
    $ check --var 1A=b
    ! pierhead: --var: `1A` is not a variable name: use letters, digits and `_`, a letter first
    exit code 2
    $ check --var TAG=1 --var TAG=2
    ! pierhead: --var: `TAG` is given twice
    exit code 2
    $ check --account-quota cpu:8
    ! error: invalid value 'cpu:8' for '--account-quota <TYPE:CATEGORY:CAPACITY[:REQUIRES]>': write TYPE:CATEGORY:CAPACITY[:REQUIRES], such as cpu:compute:8 or memory:memory:16Gi:8Gi
    !
    ! For more information, try '--help'.
    exit code 2
    ");
    let json = desk.run(&["check", "none.yaml", "--json"]).await.json();
    assert_eq!((&json["model"], &json["faults"][0]["code"]), (&Value::Null, &"E-101".into()));
}

#[tokio::test]
async fn codes_are_explained() {
    let desk = Desk::new();
    assert_snapshot!(desk.run(&["explain", "e-712"]).await.told(), @"
    E-712: the quota's capacity is exceeded

    The limits of all containers, times the replicas of their pods, stay within the capacity
    of their type. They are counted in the order of the file, jobs before pods, and the
    message says how much was left.

    This file has it:

        paas: {quotas: [{category: memory, type: memory, capacity: 256Mi}]}
        pods:
          web:
            replicas: 3
            containers:
              app: {image: nginx, resources: [{type: memory, require: 64Mi, limit: 100Mi}]}

    Lower limits or replicas, or raise the capacity up to what the account grants.
    exit code 0
    ");
    assert_snapshot!(desk.run(&["explain", "E-713x"]).await.told(), @r#"
    ! pierhead: there is no code "E-713X"; did you mean E-713?
    exit code 2
    "#);
    assert_snapshot!(desk.run(&["explain", "nonsense"]).await.told(), @r#"
    ! pierhead: there is no code "NONSENSE"; `pierhead explain` lists them
    exit code 2
    "#);
    let list = desk.run(&["explain"]).await.stdout;
    assert!(list.contains("W-05   a service's target that no container listens on\n"), "{list}");
    let all = desk.run(&["explain", "--all"]).await.stdout;
    assert_eq!(all, include_str!("../../../docs/faults.md"));
}
