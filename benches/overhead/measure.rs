//! The rounds: each a push to Pierhead, and the same by hand.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl as _;
use pierhead::db::models::history;
use pierhead::db::models::job::Job;
use pierhead::domain::history::{Entry, EntryKind, Step};
use pierhead::domain::ids::Seq;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::runtime::Runtime;

use crate::by_hand::{ByHand, Parts};
use crate::engine_watch::{EngineWatch, Work};
use crate::numbers::Numbers;
use crate::support::app::developer::Copy;
use crate::support::app::{App, Settings};
use crate::support::environment_variable;

/// Rounds that are measured unless another number is given.
const ROUNDS: usize = 10;

/// Rows of a History that are read; a push of the hello application writes some twenty.
const MOST_ROWS: i64 = 1_000;

/// Steps that say how long they took.
const STEPS: [Step; 7] = [
    Step::Checkout,
    Step::Check,
    Step::Image,
    Step::Release,
    Step::Rollout,
    Step::Route,
    Step::Ref,
];

/// A push, as its pusher has seen it.
struct Pushed {
    began: Instant,
    ended: Instant,
    exited: DateTime<Utc>,
    /// From the end of the pack to the first line of the server.
    first_line: Duration,
}

impl Pushed {
    /// A moment of this push, on the clock of the engine's socket.
    fn instant(&self, moment: DateTime<Utc>) -> Instant {
        self.ended.checked_sub(span(moment, self.exited)).expect("this machine ran by then")
    }
}

pub(crate) fn run() {
    let given = env::args().skip(1).find_map(|argument| argument.parse().ok());
    let rounds: usize = given.unwrap_or(ROUNDS);
    let numbers = Runtime::new().unwrap().block_on(measure(rounds));
    let mut out = std::io::stdout().lock();
    write!(out, "\n{rounds} pushes of the hello application\n\n{numbers}").unwrap();
}

/// A server as it is installed; the harness has less patience.
fn as_installed() -> Settings {
    Settings::default()
        .with("log", "filter = \"info,apalis=warn,russh=warn\"")
        .with("worker", "lease = \"30s\"")
        .with("worker", "janitor_interval = \"15s\"")
        .with("worker", "sweep_interval = \"1m\"")
}

async fn measure(rounds: usize) -> Numbers {
    let engine = environment_variable("TEST_DOCKER_HOST", "a Docker Engine's socket");
    let watch = EngineWatch::start(&engine);
    let app = App::start_with(as_installed()).await;
    app.project_without_target("shop").await;
    app.cluster_at(&watch.address(), "shop", ("docker", "production")).await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let mut by_hand = ByHand::start(&ana, &engine).await;
    let mut numbers = Numbers::default();
    for round in 0..=rounds {
        let pushed = push(&app, &copy, &format!("round {round}")).await;
        // Another text, or the builder would have it already.
        let parts = by_hand.round(&format!("round {round} by hand")).await;
        // The first round makes what every later one finds: connections, a release to replace.
        if round > 0 {
            let job = app.ended(i64::try_from(round + 1).unwrap()).await;
            let steps = steps(&app, &job).await;
            add(&mut numbers, &watch, (&pushed, &job, &parts), steps);
        }
    }
    app.assert_nothing_left().await;
    app.stop().await;
    numbers
}

/// Adds the numbers of one round.
fn add(
    numbers: &mut Numbers,
    watch: &EngineWatch,
    (pushed, job, parts): (&Pushed, &Job, &Parts),
    steps: Vec<(String, Duration)>,
) {
    let (whole, ended) = (pushed.ended - pushed.began, job.ended_at.expect("it has ended"));
    let in_job = (pushed.instant(job.created_at), pushed.instant(ended));
    let job = span(job.created_at, ended);
    numbers.add("first line, after the pack", pushed.first_line);
    numbers.add("**git push**", whole);
    numbers.add("git push, without its job", whole - job);
    for (name, step) in steps {
        numbers.add(&name, step);
    }
    numbers.add("**job: all**", job);
    for (name, work) in [
        ("in the engine: build", Work::Build),
        ("in the engine: network and container made, started", Work::Start),
        ("in the engine: the old ones stopped, removed", Work::Remove),
        ("in the engine: looks", Work::Look),
    ] {
        numbers.add(name, watch.worked(in_job, |other| other == work));
    }
    let in_engine = watch.worked(in_job, |_| true);
    for (name, part) in [
        ("in the engine: all", in_engine),
        ("by hand: git push to sshd", parts.push),
        ("by hand: docker build", parts.build),
        ("by hand: docker run", parts.run),
        ("by hand: the application's first answer", parts.answer),
        ("by hand: docker stop, docker rm", parts.remove),
        ("**by hand: all**", parts.sum()),
        ("git push, more than by hand", whole.saturating_sub(parts.sum())),
        ("**own overhead of the job**", job.saturating_sub(in_engine + parts.answer)),
    ] {
        numbers.add(name, part);
    }
}

/// Pushes a changed application.
async fn push(app: &App, copy: &Copy, text: &str) -> Pushed {
    copy.write("index.html", text);
    copy.commit(text).await;
    let trace = app.folder.path().join("trace");
    let mut command = copy.command(&["push", "pierhead", "main"]);
    command.env("GIT_TRACE2_EVENT", &trace);
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut first_line, mut said) = (None, String::new());
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with("remote:") {
            first_line.get_or_insert_with(Utc::now);
        }
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().await.unwrap();
    let (ended, exited) = (Instant::now(), Utc::now());
    assert!(status.success(), "{said}");
    assert_eq!(app.get(&copy.host(), "/").await, (200, text.to_owned()));
    let first_line = first_line.expect("the server says something");
    let first_line = span(end_of_pack(&trace), first_line);
    fs::remove_file(&trace).unwrap();
    Pushed { began, ended, exited, first_line }
}

/// When git has written the pack, by the trace of the client's own processes.
fn end_of_pack(trace: &Path) -> DateTime<Utc> {
    let text = fs::read_to_string(trace).unwrap();
    let mut events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let is_end =
        |event: &Value| event["event"] == "region_leave" && event["label"] == "write-pack-file";
    let end = events.find(is_end).expect("git says when a pack is written");
    end["time"].as_str().unwrap().parse().unwrap()
}

fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}

/// How long each part of a job took, by its rows.
async fn steps(app: &App, job: &Job) -> Vec<(String, Duration)> {
    let id = job.id;
    let rows = app.db.run(async move |c| history::after(c, id, Seq(0), MOST_ROWS).await).await;
    let rows = rows.unwrap();
    let waited = span(job.created_at, claimed_at(app, job).await);
    let mut steps = vec![("job: waits for its worker".to_owned(), waited)];
    for step in STEPS {
        let of_step = |row: &&Entry| row.step == step && row.kind == EntryKind::Result;
        let ms: u64 = rows.iter().filter(of_step).filter_map(|row| row.extra.ms).sum();
        steps.push((format!("job: {step}"), Duration::from_millis(ms)));
    }
    let is_live = |row: &&Entry| row.step == Step::Live && row.kind == EntryKind::Step;
    let live = rows.iter().find(is_live).expect("it went live").date;
    let ended = job.ended_at.expect("it has ended");
    steps.push(("job: from `live` to its end".to_owned(), span(live, ended)));
    steps
}

/// When a worker took a job.
async fn claimed_at(app: &App, job: &Job) -> DateTime<Utc> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        started_at: DateTime<Utc>,
    }
    let number = job.number.0;
    let query = "SELECT started_at FROM job_runs JOIN jobs ON id = job_id WHERE number = $1";
    let asked = app.db.run(async move |c| {
        let row: QueryResult<Row> = sql_query(query).bind::<BigInt, _>(number).get_result(c).await;
        row
    });
    asked.await.unwrap().started_at
}
