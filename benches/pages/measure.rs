//! Each page, asked for again and again.

use std::env;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pierhead::domain::ids::JobId;
use pierhead::tasks::Tasks;
use pierhead::web::admin::PAGES;
use pierhead::web::serve;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::followers;
use crate::seed::fill;
use crate::support::database::TestDatabase;
use crate::support::rows::Shop;
use crate::support::signed_in::Visitor;
use crate::support::site::parts;

/// How often each page is asked for, unless another number is given.
const ROUNDS: usize = 20;

/// Pages that tell what a worker says, or what comes: they take as long as that.
const OTHERS: [&str; 4] = ["/history", "/diff", "/containers", "/output"];

/// A page, how large it is, and how long each request took.
struct Asked {
    path: String,
    bytes: usize,
    took: Vec<Duration>,
}

pub(crate) fn run() {
    let given = env::args().skip(1).find_map(|argument| argument.parse().ok());
    Runtime::new().unwrap().block_on(measure(given.unwrap_or(ROUNDS)));
}

async fn measure(rounds: usize) {
    let database = TestDatabase::create().await;
    let tasks = Tasks::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (parts, own) = (parts(&database, &tasks), tasks.clone());
    drop(tasks.start(async move { serve(listener, parts, own).await.unwrap() }));
    let shop = Shop::new(database.db()).await;
    let open = shop.job("Add cart").await;
    let long = fill(&database.db()).await;
    let visitor = Visitor::signed_in(address, &database.db(), "ana@example.org").await;

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\n{rounds} times each page\n\n| page | bytes | median | worst |\n|---|---:|---:|---:|"
    )
    .unwrap();
    for Asked { path, bytes, mut took } in pages(&visitor, long.id, rounds).await {
        took.sort();
        let ms = |duration: Duration| format!("{:.1} ms", duration.as_secs_f64() * 1_000.0);
        let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
        writeln!(out, "| `{path}` | {bytes} | {} | {} |", ms(median), ms(worst)).unwrap();
    }
    let followed = followers::measure(&shop, &open, &visitor).await;
    write!(out, "\n{followed}").unwrap();
    tasks.shut_down(Duration::from_secs(10)).await.unwrap();
}

/// Asks for every page of the table, and for parts of a long History.
async fn pages(visitor: &Visitor, long: JobId, rounds: usize) -> Vec<Asked> {
    let is_page = |path: &&str| !OTHERS.iter().any(|end| path.ends_with(end));
    let table = PAGES.iter().filter(|route| route.method == "GET").map(|route| route.path);
    let mut paths: Vec<String> = table
        .filter(is_page)
        .map(|path| {
            let path = path.replace("{account}", "acme").replace("{project}", "shop");
            let path = path.replace("{environment}", "production").replace("{cluster}", "engine");
            path.replace("{job}", &long.to_string())
        })
        .collect();
    paths.push(format!("/jobs/{long}?before=50000"));
    paths.push(format!("/jobs/{long}?q=Step+99999"));
    let mut all = Vec::new();
    for path in paths {
        let (mut took, mut bytes) = (Vec::new(), 0);
        for _ in 0..rounds {
            let mut visitor = visitor.clone();
            let began = Instant::now();
            let answer = visitor.get(&path).await;
            took.push(began.elapsed());
            assert_eq!(answer.status, 200, "{path}");
            bytes = answer.text.len();
        }
        all.push(Asked { path: path.replace(&long.to_string(), "{job}"), bytes, took });
    }
    all
}

/// Where pages are served.
pub(crate) const fn address(visitor: &Visitor) -> SocketAddr {
    visitor.address
}
