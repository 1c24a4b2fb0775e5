//! Pages as somebody sees them who is signed in.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::Utc;
use pierhead::db::models::user::User;
use pierhead::db::models::web_session::NewSession;
use pierhead::db::pool::Db;
use pierhead::people::BrowserToken;

use crate::support::http::{body, say, status};

/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3_600);

/// By what a browser is known in which somebody has signed in.
pub(crate) async fn cookie_of(db: &Db, email: &str) -> String {
    let token = BrowserToken::new();
    let (id, email) = (token.digest(), email.to_owned());
    let signed_in: diesel::QueryResult<()> = db
        .run(async move |connection| {
            let user = User::by_email(connection, &email).await?.expect("there is this person");
            let expires_at = Utc::now() + HOUR;
            // They have chosen a password of their own.
            let chosen = diesel::sql_query("UPDATE users SET password_once = false WHERE id = $1");
            let chosen = chosen.bind::<diesel::sql_types::Uuid, _>(user.id);
            diesel_async::RunQueryDsl::execute(chosen, connection).await?;
            let (user_id, origin) = (user.id, "test".to_owned());
            NewSession { id, user_id, origin, expires_at }.insert(connection).await
        })
        .await;
    signed_in.unwrap();
    format!("pierhead={}", token.secret())
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    /// What a field of it says.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The page.
    pub(crate) fn page(&self) -> &str {
        body(&self.text)
    }

    /// What it says why something was not taken.
    pub(crate) fn refusal(&self) -> &str {
        let (_, rest) = self.page().split_once("role=\"alert\">").unwrap_or(("", ""));
        rest.split_once("</").map_or("", |(text, _)| text.trim_start_matches("<p>"))
    }
}

/// A browser without a window, a page or patience.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) address: SocketAddr,
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self { address, cookie: None }
    }

    /// Somebody who has signed in.
    pub(crate) async fn signed_in(address: SocketAddr, db: &Db, email: &str) -> Self {
        Self { address, cookie: Some(cookie_of(db, email).await) }
    }

    /// What its forms carry.
    pub(crate) fn form_token(&self) -> String {
        let token = self.cookie.as_deref().and_then(|cookie| cookie.split_once('='));
        token
            .and_then(|(_, token)| BrowserToken::read(token))
            .map_or("".to_owned(), |t| t.form_token())
    }

    /// Sends exactly this besides what is always sent.
    pub(crate) async fn send(
        &mut self,
        (method, path): (&str, &str),
        fields: &str,
        sent: &str,
    ) -> Answer {
        let cookie = self.cookie.iter().map(|cookie| format!("Cookie: {cookie}\r\n"));
        let cookie: String = cookie.collect();
        let length = sent.len();
        let text = say(
            self.address,
            format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Content-Length: {length}\r\n{cookie}{fields}\r\n{sent}"
            ),
        )
        .await;
        let answer = Answer { status: status(&text), text };
        if let Some(set) = answer.field("set-cookie") {
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(("GET", path), "", "").await
    }

    /// Sends a form, as a page of this browser does.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token();
        let all = [&[("csrf", token.as_str())], fields].concat();
        self.post_as_it_is(path, &all).await
    }

    /// The same without the form's token.
    pub(crate) async fn post_as_it_is(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send(("POST", path), kind, &pairs.join("&")).await
    }
}

fn encoded(text: &str) -> String {
    let byte = |b: u8| match b.is_ascii_alphanumeric() {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
