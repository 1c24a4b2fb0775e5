//! Many browsers that follow one job.

use std::fmt;
use std::time::{Duration, Instant};

use futures::future::join_all;
use pierhead::db::models::job::Job;
use pierhead::domain::history::{EntryKind, NewEntry, Step};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::interval;

use crate::measure::address;
use crate::support::rows::Shop;
use crate::support::signed_in::Visitor;

/// How many follow.
const FOLLOWERS: usize = 200;

/// Lines that are added, and the time between two of them.
const LINES: usize = 200;
const EVERY: Duration = Duration::from_millis(50);

/// How long lines took to everybody.
pub(crate) struct Followed(Vec<Duration>);

impl fmt::Display for Followed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = |hundredth: usize| {
            let rank = (sorted.len() * hundredth).div_ceil(100).max(1);
            format!("{:.1} ms", sorted[rank - 1].as_secs_f64() * 1_000.0)
        };
        writeln!(f, "{FOLLOWERS} followers of one job, {LINES} lines, one every {EVERY:?}\n")?;
        writeln!(f, "| median | p95 | p99 | worst |\n|---:|---:|---:|---:|")?;
        writeln!(f, "| {} | {} | {} | {} |", at(50), at(95), at(99), at(100))
    }
}

/// Adds lines while everybody reads.
pub(crate) async fn measure(shop: &Shop, job: &Job, visitor: &Visitor) -> Followed {
    let (said, saying) = watch::channel(Vec::<Instant>::new());
    let follow = (0..FOLLOWERS).map(|_| follower(visitor, job, saying.clone()));
    let followers = join_all(join_all(follow).await);
    let ((), read) = tokio::join!(say(shop, job, said), followers);
    Followed(read.concat())
}

/// Adds the lines.
async fn say(shop: &Shop, job: &Job, said: watch::Sender<Vec<Instant>>) {
    let mut every = interval(EVERY);
    for line in 0..LINES {
        every.tick().await;
        let text = format!("line {line} of a build");
        shop.say(job, vec![NewEntry::new(Step::Image, EntryKind::Line, text)]).await;
        said.send_modify(|said| said.push(Instant::now()));
    }
}

/// Somebody who follows already, and gives how long each line took to them.
async fn follower(
    visitor: &Visitor,
    job: &Job,
    said: watch::Receiver<Vec<Instant>>,
) -> impl Future<Output = Vec<Duration>> + use<> {
    let mut socket = TcpStream::connect(address(visitor)).await.unwrap();
    let cookie = visitor.cookie.as_deref().unwrap();
    let request = format!(
        "GET /jobs/{}/history HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n",
        job.id
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(socket).lines();
    while !lines.next_line().await.unwrap().unwrap().starts_with("event: job") {}
    async move {
        let mut read = Vec::new();
        while read.len() < LINES {
            let line = lines.next_line().await.unwrap().unwrap();
            if line.starts_with("id: ") {
                read.push(Instant::now());
            }
        }
        let mut said = said;
        let said = said.wait_for(|said| said.len() == LINES).await.unwrap().clone();
        // Read before the writer knew that it was committed: at once.
        read.iter().zip(said).map(|(read, said)| read.saturating_duration_since(said)).collect()
    }
}
