//! Projects that are deployed from a repository elsewhere: a real SSH server, a real git over HTTPS,
//! and what either may do to whoever fetches from it.

mod changes;
mod deploying;
mod doors;
mod hostile;
mod https_server;
mod meanwhile;
mod rows;
mod said;
mod schedule;
mod ssh_server;

use std::path::PathBuf;

use crate::sources::https_server::HttpsServer;
use crate::support::app::developer::{Copy, Done};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};

/// What lets a test look at this machine.
fn settings() -> Settings {
    let authority = format!("ca_file = {:?}", HttpsServer::authority());
    let settings = Settings::default().with("sources", "allow = [\"127.0.0.1\", \"::1\"]");
    settings.with("sources", &authority)
}

/// `pierhead admin <words>`.
async fn admin(app: &App, words: &str) -> Done {
    administrate(app, &format!("admin {words}"), "").await
}

/// Sets the source of `acme/shop` to what is fetched with a new key, and gives its public half.
async fn set_with_new_key(app: &App, url: &str, more: &str) -> String {
    let done = admin(app, &format!("set source acme/shop {url} --new-key{more}")).await;
    done.assert_ok().stdout.clone()
}

/// A repository elsewhere.
struct Elsewhere {
    path: PathBuf,
    copy: Copy,
}

impl Elsewhere {
    /// An empty one, with a working copy of the hello application, of which nothing is published.
    async fn new(app: &App) -> Self {
        let path = app.folder.path().join("elsewhere/shop.git");
        std::fs::create_dir_all(&path).unwrap();
        let copy = app.developer("ana").await.hello("acme/shop").await;
        let folder = path.display().to_string();
        copy.git(&["init", "-q", "--bare", "-b", "main", &folder]).await.assert_ok();
        let deletes = ["--git-dir", &folder, "config", "receive.denyDeleteCurrent", "ignore"];
        copy.git(&deletes).await.assert_ok();
        Self { path, copy }
    }

    /// The folder that holds it.
    fn root(&self) -> PathBuf {
        self.path.parent().unwrap().to_owned()
    }

    /// Publishes refs there.
    async fn publish(&self, refs: &[&str]) {
        let folder = self.path.display().to_string();
        self.copy.git(&[&["push", "-q", &folder], refs].concat()).await.assert_ok();
    }

    /// Commits what greets so, and publishes it as `main`.
    async fn greet(&self, text: &str) -> String {
        self.copy.write_hello(text);
        let commit = self.copy.commit(text).await;
        self.publish(&["main"]).await;
        commit
    }
}
