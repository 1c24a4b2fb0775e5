//! Pages, as a browser gets them.

mod long;

use std::net::SocketAddr;
use std::time::Duration;

use insta::assert_snapshot;
use pierhead::db::models::job::Job;
use pierhead::domain::history::{EntryKind, NewEntry, Step};
use pierhead::domain::ids::Fence;
use pierhead::domain::job::Outcome;
use pierhead::tasks::Tasks;
use pierhead::web::serve;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::database::TestDatabase;
use crate::support::http::{body, read_all, read_until, say, status};
use crate::support::rows::{Shop, end};
use crate::support::signed_in::cookie_of;
use crate::support::site::parts;

/// A server of pages, and a shop whose jobs it shows.
struct Pages {
    address: SocketAddr,
    tasks: Tasks,
    shop: Shop,
    /// By what ana is known.
    cookie: String,
    // Last, so that it is dropped when nobody needs it any more.
    database: TestDatabase,
}

impl Pages {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let tasks = Tasks::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (parts, own) = (parts(&database, &tasks), tasks.clone());
        drop(tasks.start(async move { serve(listener, parts, own).await.unwrap() }));
        let shop = Shop::new(database.db()).await;
        let cookie = cookie_of(&database.db(), "ana@example.org").await;
        Self { address, tasks, shop, cookie, database }
    }

    async fn get(&self, path: &str) -> String {
        say(self.address, self.request(path, "")).await
    }

    fn request(&self, path: &str, fields: &str) -> String {
        request(path, &format!("Cookie: {}\r\n{fields}", self.cookie))
    }

    /// Follows a job; the answer's begin is read already.
    async fn follow(&self, path: &str, fields: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(self.request(path, fields).as_bytes()).await.unwrap();
        let head = read_until(&mut socket, "retry: 1000\n\n").await;
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        socket
    }

    async fn stop(self) {
        self.tasks.shut_down(Duration::from_secs(10)).await.unwrap();
    }
}

fn request(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n")
}

fn page_of(job: &Job) -> String {
    format!("/jobs/{}", job.id)
}

fn history_of(job: &Job) -> String {
    format!("/jobs/{}/history", job.id)
}

fn line(text: &str) -> NewEntry {
    NewEntry::new(Step::Image, EntryKind::Line, text)
}

/// The numbers of the rows in a stream, in order.
fn ids(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
}

/// What a page says in the element with this id.
fn element<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    rest.split_once('>').unwrap().1.split_once('<').unwrap().0
}

#[tokio::test]
async fn a_page_shows_all_there_is_to_know_about_a_job() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    let fence: Fence = pages.shop.claim(&job).await;
    pages.shop.release(&job, fence).await;
    let rows = vec![
        NewEntry::new(Step::Image, EntryKind::Step, ""),
        line("\u{1b}[32mStep 1/2\u{1b}[0m : FROM caddy"),
        NewEntry::result(Step::Image, "shop/web  6 of 8 layers cached", 14_000),
    ];
    pages.shop.say(&job, rows).await;
    let running = pages.get(&page_of(&job)).await;
    let text = "http://shop.localhost:8080   33 s in all";
    let last = NewEntry::end(Step::Live, text, Some(33_000), end(Outcome::Live, ""));
    pages.shop.end(&job, last).await;
    let ended = pages.get(&page_of(&job)).await;

    assert_eq!(status(&running), 200);
    let facts = ["project", "environment", "number", "commit", "subject", "ref", "pusher"]
        .map(|id| format!("{id}: {}", element(&running, id)));
    assert_snapshot!(facts.join("\n"), @"
    project: acme/shop
    environment: production
    number: Job 1
    commit: 3f3f3f3
    subject: Add cart
    ref: main
    pusher: ana
    ");
    assert_eq!(["state", "release"].map(|id| element(&running, id)), ["running", "v1"]);
    assert_eq!(["state", "release"].map(|id| element(&ended, id)), ["live", "v1"]);
    let list =
        ended.split_once("<ol id=\"history\"").unwrap().1.split_once("</ol>\n</div>").unwrap().0;
    assert_snapshot!(list.trim(), @r#"
    class="live">
    <li id="e1" class="step silent"><span class="verb">image</span><span class="text">…</span></li>
    <li class="lines" data-step="image"><details open><summary><span class="verb">image</span><span class="text">output (<span class="count">1</span>)</span></summary><ol><li id="e2" class="line"><span class="verb">image</span><span class="text"><span class="fg2">Step 1/2</span> : FROM caddy</span></li>
    </ol></details></li>
    <li id="e3" class="result"><span class="verb">image</span><span class="text">shop/web  6 of 8 layers cached</span><span class="took">14.0 s</span></li>
    <li id="e4" class="end live"><span class="verb">live</span><span class="text"><a rel="noreferrer nofollow" href="http://shop.localhost:8080">http://shop.localhost:8080</a>   33 s in all</span><span class="took">33.0 s</span></li>
    "#);
    pages.stop().await;
}

#[tokio::test]
async fn a_page_of_a_job_that_goes_on_comes_again_without_scripts() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    let goes_on = pages.get(&page_of(&job)).await;
    assert!(goes_on.contains("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"));
    assert!(goes_on.contains(&format!("data-follow=\"/jobs/{}/history?after=0\"", job.id)));

    pages.shop.claim(&job).await;
    let failed = end(Outcome::Failed, "rollout: web exited 1");
    pages.shop.end(&job, NewEntry::end(Step::Rollout, "web exited 1", None, failed)).await;
    let ended = pages.get(&page_of(&job)).await;
    assert!(!ended.contains("refresh") && !ended.contains("<script"), "{ended}");
    assert_eq!(element(&ended, "state"), "failed");
    assert_eq!(element(&ended, "reason"), "rollout: web exited 1");
    pages.stop().await;
}

#[tokio::test]
async fn what_people_push_is_never_markup() {
    let pages = Pages::start().await;
    let attack = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    let job = pages.shop.job(attack).await;
    pages.shop.claim(&job).await;
    pages.shop.say(&job, vec![line(attack)]).await;
    let failed = end(Outcome::Failed, attack);
    pages.shop.end(&job, NewEntry::end(Step::Image, attack, None, failed)).await;

    let page = pages.get(&page_of(&job)).await;
    let stream = pages.get(&history_of(&job)).await;
    for answer in [&page, &stream] {
        assert!(answer.contains("&lt;img src=x") || answer.contains("&#60;img src=x"), "{answer}");
        for event in answer.split("data: ").skip(1).filter_map(|data| data.split_once("\n\n")) {
            let json: serde_json::Value = serde_json::from_str(event.0).unwrap();
            assert!(!json["html"].as_str().unwrap().contains("<img"), "{json}");
        }
    }
    assert!(!page.contains("<img src=x") && !page.contains("<script>"), "{page}");
    pages.stop().await;
}

#[tokio::test]
async fn pages_may_load_and_do_nothing_but_what_is_served_here() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    let page = pages.get(&page_of(&job)).await;
    for field in [
        "content-security-policy: default-src 'none'; style-src 'self'; script-src 'self';",
        "x-content-type-options: nosniff\r\n",
        "referrer-policy: no-referrer\r\n",
        "x-frame-options: DENY\r\n",
        "cache-control: no-store\r\n",
    ] {
        assert!(page.contains(field), "{page}");
    }
    assert!(!page.contains(" style=") && !page.contains("<style"), "{page}");

    let links = page.split(['"', '\'']).filter(|part| part.starts_with("/assets/"));
    for asset in links {
        let answer = pages.get(asset).await;
        assert_eq!(status(&answer), 200);
        assert!(answer.contains("cache-control: max-age=300\r\n"), "{asset}");
        assert!(answer.contains("x-content-type-options: nosniff\r\n"), "{asset}");
        assert!(!body(&answer).contains("http:") || asset.ends_with("svg"), "{asset}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn what_is_not_there_has_a_page_that_says_so() {
    let pages = Pages::start().await;
    let unknown = "0199d3a0-0000-7000-8000-000000000000";
    for path in [
        "/nowhere".to_owned(),
        "/jobs/42".to_owned(),
        format!("/jobs/{unknown}"),
        format!("/jobs/{unknown}/history"),
        "/jobs/%3Cscript%3E".to_owned(),
        "/assets/../Cargo.toml".to_owned(),
    ] {
        let answer = pages.get(&path).await;
        assert_eq!(status(&answer), 404, "{path}");
        assert!(answer.contains("<h1>There is no such page</h1>"), "{path}");
        assert!(answer.contains("content-security-policy: "), "{path}");
    }
    pages.stop().await;
}

#[tokio::test]
async fn a_follower_sees_rows_as_they_come_and_then_the_end() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.say(&job, vec![line("first")]).await;
    let mut follower = pages.follow(&history_of(&job), "").await;
    let first = read_until(&mut follower, "first").await;
    assert!(first.contains("\"state\":\"queued\""), "{first}");

    pages.shop.claim(&job).await;
    pages.shop.say(&job, vec![line("second"), line("third")]).await;
    let next = read_until(&mut follower, "third").await;
    assert_eq!(ids(&next), ["2", "3"]);
    // Told when it is noticed: before those rows, or behind them.
    if !next.contains("\"state\":\"running\"") {
        read_until(&mut follower, "\"state\":\"running\"").await;
    }

    let last = NewEntry::end(Step::Live, "it is live", None, end(Outcome::Live, ""));
    pages.shop.end(&job, last).await;
    let rest = read_all(&mut follower).await;
    assert_eq!(ids(&rest), ["4"]);
    assert!(rest.contains("\"ended\":true"), "{rest}");
    pages.stop().await;
}

#[tokio::test]
async fn a_row_is_json_with_its_markup() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.say(&job, vec![NewEntry::result(Step::Image, "shop/web", 1_500)]).await;
    let mut follower = pages.follow(&history_of(&job), "").await;
    let events = read_until(&mut follower, "</li>").await;
    let (_, row) = events.split_once("id: 1\ndata: ").unwrap();
    let row: serde_json::Value = serde_json::from_str(row.lines().next().unwrap()).unwrap();
    insta::assert_json_snapshot!(row, { ".date" => "[date]" }, @r#"
    {
      "attempt": 0,
      "date": "[date]",
      "html": "<li id=\"e1\" class=\"result\"><span class=\"verb\">image</span><span class=\"text\">shop/web</span><span class=\"took\">1.5 s</span></li>",
      "kind": "result",
      "ms": 1500,
      "seq": 1,
      "step": "image",
      "text": "shop/web"
    }
    "#);
    drop(follower);
    pages.stop().await;
}

#[tokio::test]
async fn whoever_comes_back_goes_on_where_he_was() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    pages.shop.claim(&job).await;
    pages.shop.say(&job, (1..=700).map(|n| line(&format!("line {n}"))).collect()).await;
    let mut late = pages.follow(&history_of(&job), "Last-Event-ID: 699\r\n").await;
    assert_eq!(ids(&read_until(&mut late, "line 700").await), ["700"]);
    let mut from_page = pages.follow(&format!("{}?after=698", history_of(&job)), "").await;
    assert_eq!(ids(&read_until(&mut from_page, "line 700").await), ["699", "700"]);

    let last = NewEntry::end(Step::Live, "it is live", None, end(Outcome::Live, ""));
    pages.shop.end(&job, last).await;
    assert_eq!(ids(&read_all(&mut late).await), ["701"]);
    // Who has seen all is told not to come again; who asks for the first time gets all.
    let seen = say(pages.address, pages.request(&history_of(&job), "Last-Event-ID: 701\r\n")).await;
    assert_eq!(status(&seen), 204);
    let all = pages.get(&history_of(&job)).await;
    assert_eq!(ids(&all).len(), 701);
    assert!(all.ends_with("\r\n0\r\n\r\n"), "the stream is complete");
    drop(from_page);
    pages.stop().await;
}

#[tokio::test]
async fn stopping_ends_followers_and_waits_for_nobody_else() {
    let pages = Pages::start().await;
    let job = pages.shop.job("Add cart").await;
    let mut follower = pages.follow(&history_of(&job), "").await;
    pages.stop().await;
    assert!(read_all(&mut follower).await.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn health_is_that_the_database_answers() {
    let pages = Pages::start().await;
    assert_eq!(body(&pages.get("/healthz").await), "ok\n");
    pages.database.go_away().await;
    let away = pages.get("/healthz").await;
    assert_eq!((status(&away), body(&away)), (503, "the database does not answer\n"));
    pages.database.come_back().await;
    assert_eq!(status(&pages.get("/healthz").await), 200);
    pages.stop().await;
}
