//! Accounts, people, what they may, and what is noted of it.

mod audit;
mod deletion;
mod keys;
mod open;
mod quotas;
mod rights;
mod seen;

use crate::support::app::developer::Done;
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};

/// Only what people talk to: nothing is deployed.
fn front_door() -> Settings {
    Settings { roles: &["ssh"], ..Settings::default() }
}

/// `pierhead admin <words>`.
pub(crate) async fn admin(app: &App, words: &str) -> Done {
    administrate(app, &format!("admin {words}"), "").await
}

/// What several of them say, each behind its words.
async fn said(app: &App, all: &[&str]) -> String {
    let mut said = String::new();
    for words in all {
        let done = admin(app, words).await;
        said.push_str(&format!("$ {words}\n{}{}", done.stdout, done.stderr));
    }
    said
}
