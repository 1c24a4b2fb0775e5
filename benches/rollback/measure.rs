//! The rounds: there and back, on an engine and on a cluster.

use std::env;
use std::io::Write as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use pierhead::db::models::history;
use pierhead::db::models::job::Job;
use pierhead::domain::history::{EntryKind, Step};
use pierhead::domain::ids::Seq;
use tokio::runtime::Runtime;

use crate::engine_watch::EngineWatch;
use crate::namespace::Namespace;
use crate::numbers::Numbers;
use crate::support::app::developer::{Copy, Developer};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::environment_variable;
use crate::support::registry::{OwnRegistry, PASSWORD};

/// Rollbacks that are measured unless another number is given.
const ROUNDS: usize = 10;

/// Rows of a History that are read; a rollback writes some ten.
const MOST_ROWS: i64 = 1_000;

/// Steps that say how long they took.
const STEPS: [Step; 5] = [Step::Check, Step::Image, Step::Release, Step::Rollout, Step::Route];

/// One rollback, as its caller has seen it.
struct Back {
    ended: Instant,
    exited: DateTime<Utc>,
    took: Duration,
    job: Job,
}

impl Back {
    /// From the creation of the job to its end.
    fn whole(&self) -> Duration {
        span(self.job.created_at, self.job.ended_at.expect("it has ended"))
    }

    /// A moment of it, on the clock of the engine's socket.
    fn instant(&self, moment: DateTime<Utc>) -> Instant {
        self.ended.checked_sub(span(moment, self.exited)).expect("this machine ran by then")
    }
}

pub(crate) fn run() {
    let given = env::args().skip(1).find_map(|argument| argument.parse().ok());
    let rounds: usize = given.unwrap_or(ROUNDS);
    let runtime = Runtime::new().unwrap();
    let mut out = std::io::stdout().lock();
    let numbers = runtime.block_on(on_engine(rounds));
    write!(out, "\n{rounds} rollbacks on a Docker Engine\n\n{numbers}").unwrap();
    match runtime.block_on(on_cluster(rounds)) {
        Some(numbers) => write!(out, "\n{rounds} rollbacks on a cluster\n\n{numbers}").unwrap(),
        None => {
            writeln!(out, "\nNothing is measured on a cluster: KUBECONFIG names none.").unwrap();
        }
    }
}

/// A server as it is installed; the harness has less patience.
fn as_installed() -> Settings {
    Settings::default()
        .with("log", "filter = \"info,apalis=warn,russh=warn\"")
        .with("worker", "lease = \"30s\"")
        .with("worker", "janitor_interval = \"15s\"")
        .with("worker", "sweep_interval = \"1m\"")
}

async fn on_engine(rounds: usize) -> Numbers {
    let engine = environment_variable("TEST_DOCKER_HOST", "a Docker Engine's socket");
    let watch = EngineWatch::start(&engine);
    let app = App::start_with(as_installed()).await;
    app.project_without_target("shop").await;
    app.cluster_at(&watch.address(), "shop", ("docker", "production")).await;
    let ana = app.developer("ana").await;
    two_releases(&ana.hello("acme/shop").await).await;
    let mut numbers = Numbers::default();
    for round in 0..=rounds {
        let back = go_back(&app, &ana, round).await;
        // The first round makes what every later one finds.
        if round > 0 {
            let ended = back.job.ended_at.expect("it has ended");
            let in_job = (back.instant(back.job.created_at), back.instant(ended));
            let in_engine = watch.worked(in_job, |_| true);
            add_steps(&mut numbers, &app, &back).await;
            numbers.add("in the engine", in_engine);
            numbers.add("**own time**", back.whole().saturating_sub(in_engine));
        }
    }
    app.assert_nothing_left().await;
    app.stop().await;
    numbers
}

async fn on_cluster(rounds: usize) -> Option<Numbers> {
    let namespace = Namespace::find()?;
    let app = App::start_with(as_installed()).await;
    let registry = OwnRegistry::start().await;
    app.project_without_target("shop").await;
    administrate(&app, &registry.set("shop"), PASSWORD).await.assert_ok();
    let words = format!(
        "admin create cluster acme/shop main --environment production --kind kubernetes \
         --namespace-manage create --kubeconfig {} --namespace {}",
        namespace.kubeconfig,
        namespace.name()
    );
    administrate(&app, &words, "").await.assert_ok();
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    two_releases(&copy).await;
    let mut numbers = Numbers::default();
    for round in 0..=rounds {
        let back = go_back(&app, &ana, round).await;
        if round > 0 {
            let rollout = add_steps(&mut numbers, &app, &back).await;
            numbers.add("**own time**", back.whole().saturating_sub(rollout));
        }
    }
    app.stop().await;
    Some(numbers)
}

async fn two_releases(copy: &Copy) {
    for text in ["one", "two"] {
        copy.write("index.html", text);
        copy.commit(text).await;
        copy.push(&["main"]).await.assert_ok();
    }
}

/// Goes to the release that does not serve.
async fn go_back(app: &App, ana: &Developer, round: usize) -> Back {
    let release = if round.is_multiple_of(2) { "v1" } else { "v2" };
    let began = Instant::now();
    let done = ana.ssh(&["rollback", "shop", "production", release]).await;
    let (ended, exited) = (Instant::now(), Utc::now());
    done.assert_ok();
    // Two were pushed before.
    let job = app.ended(i64::try_from(round + 3).unwrap()).await;
    Back { ended, exited, took: ended - began, job }
}

/// Adds what each rollback has; gives how long its rollout took.
async fn add_steps(numbers: &mut Numbers, app: &App, back: &Back) -> Duration {
    let id = back.job.id;
    let rows = app.db.run(async move |c| history::after(c, id, Seq(0), MOST_ROWS).await).await;
    let rows = rows.unwrap();
    let took = |step: Step| {
        let of_step = rows.iter().filter(|row| row.step == step && row.kind == EntryKind::Result);
        Duration::from_millis(of_step.filter_map(|row| row.extra.ms).sum())
    };
    numbers.add("ssh rollback", back.took);
    for step in STEPS {
        numbers.add(&format!("job: {step}"), took(step));
    }
    numbers.add("**job: all**", back.whole());
    took(Step::Rollout)
}

fn span(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}
