//! Secrets that builds and applications print, and what people see of it.

use diesel::sql_types::Text;
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl as _;

use crate::redaction::corpus::{SECRETS, outputs};
use crate::redaction::encodings::base64;
use crate::redaction::oracle::Oracle;
use crate::support::app::App;
use crate::support::app::developer::{Copy, Developer, Done};
use crate::support::http::say;
use crate::support::signed_in::cookie_of;

/// Outputs of the corpus that one build prints; a push shows no more lines.
const COUNT: usize = 500;

/// All of the corpus.
const ALL: usize = 10_000;

/// How many builds print: twenty for all of the corpus, which takes ten minutes; one where nobody asks.
#[expect(clippy::disallowed_methods, reason = "tests have no configuration file")]
fn rounds() -> usize {
    let asked = std::env::var("TEST_REDACTION_ROUNDS").ok();
    asked.map_or(1, |rounds| rounds.parse().expect("TEST_REDACTION_ROUNDS is a number"))
}

/// One of the secrets, as a shell may have it without quotes.
const TOKEN: &str = SECRETS[2].1;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// A project whose file has all secrets of the corpus.
async fn with_secrets(ana: &Developer) -> Copy {
    let copy = ana.hello("acme/shop").await;
    let entry =
        |(name, value): &(&str, &str)| format!("{name}: {}", serde_json::to_string(value).unwrap());
    let entries: Vec<_> = SECRETS.iter().map(entry).collect();
    let section = format!(
        "secrets:\n  app:\n    provider: map\n    options:\n      USER: postgres\n      {}\n",
        entries.join("\n      ")
    );
    copy.write(".paas.yaml", &format!("{}{section}", copy.paas_yaml()));
    copy
}

/// Everything that is stored of jobs and shown of them, each with its name.
async fn seen(app: &App, ana: &Developer, number: i64) -> Vec<(&'static str, String)> {
    let rows: QueryResult<Vec<Row>> = app
        .db
        .run(async move |connection| {
            sql_query(
                "SELECT to_jsonb(history)::text AS row FROM history \
                 UNION ALL SELECT to_jsonb(jobs)::text FROM jobs",
            )
            .load(connection)
            .await
        })
        .await;
    let rows: Vec<String> = rows.unwrap().into_iter().map(|row| row.row).collect();
    let job = app.job(number).await.id;
    let port = app.process("web").port("web");
    let cookie = cookie_of(&app.db, &ana.email()).await;
    let request = format!(
        "GET /jobs/{job} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    let page = say(([127, 0, 0, 1], port).into(), request).await;
    assert!(page.contains("[secret app.TOKEN]"), "{page}");
    let number = number.to_string();
    let logs = ana.ssh(&["logs", &number]).await;
    logs.assert_says("[secret app.TOKEN]");
    let json = ana.ssh(&["logs", &number, "--json"]).await;
    let mut log = String::new();
    for process in &app.processes {
        log.push_str(&process.log());
    }
    vec![
        ("the database", rows.join("\n")),
        ("the page", page),
        ("logs", logs.stdout + &json.stdout),
        ("what the operator reads", log),
    ]
}

async fn assert_hidden(app: &App, ana: &Developer, (push, number): (&Done, i64)) {
    let mut all = seen(app, ana, number).await;
    all.push(("the push", format!("{}\n{}", push.stdout, push.stderr)));
    let oracle = Oracle::new();
    for (name, text) in all {
        let found = oracle.leak(&text);
        assert_eq!(found, None, "in {name}:\n{text}");
    }
}

#[tokio::test]
async fn what_a_build_prints_of_secrets_is_seen_by_nobody() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = with_secrets(&ana).await;
    let (half, rest) = TOKEN.split_at(TOKEN.len() / 2);
    copy.write(
        "print.sh",
        &format!(
            "cat corpus.txt\nprintf '{half}'; sleep 0.2; printf '\\033[31m{rest}\\033[0m\\n'\n\
             printf '%990s{TOKEN}\\n' '' | tr ' ' x\n\
             for n in 1 22 333; do echo $n-{TOKEN} | base64; done\n"
        ),
    );
    copy.write(
        "Dockerfile",
        &format!(
            "FROM busybox:stable\nCOPY . /\nRUN sh /print.sh\nRUN echo {TOKEN} {}; exit 3\n",
            base64(format!(":{TOKEN}").as_bytes()),
        ),
    );
    let texts = outputs(ALL).map(|output| String::from_utf8(output.text).unwrap());
    let texts: Vec<_> = texts.collect();
    for (number, texts) in (1..).zip(texts.chunks(COUNT).take(rounds())) {
        copy.write("corpus.txt", &texts.join("\n"));
        copy.commit("Print everything").await;
        let push = copy.push(&["main"]).await;
        push.assert_code(1)
            .assert_says("not hidden in output, being short, ordinary or too many: app.USER")
            .assert_says("| [secret app.TOKEN] Om[secret app.TOKEN]");
        let refs = push.refs().join("\n");
        assert!(refs.contains("`echo [secret app.TOKEN] "), "{refs}");
        assert_hidden(&app, &ana, (&push, number)).await;
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn what_an_application_prints_of_secrets_before_it_exits_is_seen_by_nobody() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = with_secrets(&ana).await;
    let encoded = base64(format!("user:{TOKEN}").as_bytes());
    copy.write(
        "Dockerfile",
        &format!(
            "FROM busybox:stable\n\
             CMD [\"sh\", \"-c\", \"echo cannot use {TOKEN}; echo {encoded} >&2; exit 1\"]\n"
        ),
    );
    copy.commit("Need a database").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("| cannot use [secret app.TOKEN]");
    assert_hidden(&app, &ana, (&push, 1)).await;
    app.stop().await;
}
