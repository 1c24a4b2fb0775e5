//! The JSON API, as programs use it: over HTTP, with a token.

mod accounts;
mod bodies;
mod jobs;
mod projects;
mod rights;
mod schemathesis;
mod targets;
mod tokens;
mod variables;

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use pierhead::db::acting::Acting;
use pierhead::db::pool::Db;
use pierhead::domain::access::{Role, Standing};
use pierhead::domain::api_token::TokenAccess;
use pierhead::domain::audit::{Actor, Entrance};
use pierhead::domain::cluster::{ClusterKind, KubernetesOptions};
use pierhead::people::{TokenFor, TokenTerms, create_token, create_user};
use pierhead::projects::{NewTarget, create_account, create_cluster, create_project, set_member};
use pierhead::tasks::Tasks;
use pierhead::web::serve;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::database::TestDatabase;
use crate::support::http::{body, say, status};
use crate::support::site::parts;

/// A server of the API, with the account `acme` and its project `shop`, which deploys to `production`.
struct Api {
    address: SocketAddr,
    tasks: Tasks,
    by: Acting,
    // Last, so that it is dropped when nobody needs it any more.
    _database: TestDatabase,
}

/// What was answered.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Value,
}

impl Reply {
    /// A header of the answer.
    fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut fields = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        fields.next().map(|(_, value)| value)
    }

    /// The word of the kind of a problem.
    fn problem(&self) -> &str {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        assert_eq!(self.body["status"], self.status, "{self:?}");
        assert!(self.body["next"].as_str().is_some_and(|next| !next.is_empty()), "{self:?}");
        let kind = self.body["type"].as_str().unwrap();
        kind.strip_prefix("urn:pierhead:problem:").unwrap()
    }

    /// Where in the body the fault is.
    fn pointer(&self) -> &str {
        self.body["errors"][0]["pointer"].as_str().unwrap_or_else(|| panic!("{self:?}"))
    }

    #[track_caller]
    fn assert(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag: {self:?}")).to_owned()
    }

    /// The rows of a list.
    fn items(&self) -> &Vec<Value> {
        self.body["items"].as_array().unwrap_or_else(|| panic!("no list: {self:?}"))
    }
}

impl Api {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let tasks = Tasks::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (parts, own) = (parts(&database, &tasks), tasks.clone());
        drop(tasks.start(async move { serve(listener, parts, own).await.unwrap() }));
        let actor = Actor {
            entrance: Entrance::Admin,
            who: "test".to_owned(),
            user: None,
            key: None,
            origin: "test".to_owned(),
        };
        let api =
            Self { address, tasks, by: Acting { db: database.db(), actor }, _database: database };
        create_account(&api.by, "acme".parse().unwrap(), None).await.unwrap();
        api.project("shop").await;
        let target = NewTarget {
            project: "acme/shop".parse().unwrap(),
            name: "engine".to_owned(),
            environment: "production".parse().unwrap(),
            kind: ClusterKind::Docker,
            address: "unix:///nonexistent/docker.sock".to_owned(),
            namespace: None,
            kubernetes: KubernetesOptions::default(),
        };
        create_cluster(&api.by, target, None).await.unwrap();
        api
    }

    fn db(&self) -> &Db {
        &self.by.db
    }

    async fn project(&self, name: &str) {
        let names = ("acme".parse().unwrap(), name.parse().unwrap());
        create_project(&self.by, names, "main").await.unwrap();
    }

    /// Somebody who is there in `acme` for this, or not at all; with a token for all that they may.
    async fn person(&self, name: &str, role: Option<Role>) -> String {
        self.somebody(name, role, Standing::Person).await
    }

    async fn administrator(&self) -> String {
        self.somebody("root", None, Standing::Administrator).await
    }

    async fn somebody(&self, name: &str, role: Option<Role>, standing: Standing) -> String {
        let email = format!("{name}@example.org");
        create_user(&self.by, &email, name, standing).await.unwrap();
        if let Some(role) = role {
            let account = "acme".parse().unwrap();
            set_member(&self.by, account, email.clone(), role).await.unwrap();
        }
        self.token(&email, TokenAccess::Write, TokenFor::Everything).await
    }

    async fn token(&self, email: &str, access: TokenAccess, of: TokenFor) -> String {
        let expires_at = Some(Utc::now() + TimeDelta::days(1));
        let terms = TokenTerms { name: "test".to_owned(), access, of, expires_at };
        create_token(&self.by, email, terms).await.unwrap().token
    }

    /// One request, as it stands on the wire behind its first line and before its body.
    async fn send(&self, line: &str, fields: &str, text: &str) -> Reply {
        let length = if text.is_empty() && !fields.contains("application/json") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", text.len())
        };
        let (method, path) = line.split_once(' ').unwrap();
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             {fields}{length}\r\n{text}"
        );
        let answer = say(self.address, request).await;
        let head = answer.split("\r\n\r\n").next().unwrap().to_owned();
        let body = match body(&answer) {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| panic!("{answer}")),
        };
        Reply { status: status(&answer), head, body }
    }

    /// `GET …`, `DELETE …` or a POST without a body, of somebody.
    async fn ask(&self, token: &str, line: &str) -> Reply {
        self.send(line, &bearer(token), "").await
    }

    /// A request with a body, of somebody.
    async fn tell(&self, token: &str, line: &str, body: &Value) -> Reply {
        let fields = format!("{}Content-Type: application/json\r\n", bearer(token));
        self.send(line, &fields, &body.to_string()).await
    }

    /// The same, of a change that was made from a state.
    async fn change(&self, token: &str, line: &str, etag: &str, body: &Value) -> Reply {
        let fields =
            format!("{}Content-Type: application/json\r\nIf-Match: {etag}\r\n", bearer(token));
        self.send(line, &fields, &body.to_string()).await
    }

    async fn stop(self) {
        self.tasks.shut_down(Duration::from_secs(10)).await.unwrap();
    }
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}
