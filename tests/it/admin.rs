//! `pierhead admin`, as an administrator types it.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use insta::assert_snapshot;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::database::{TestDatabase, count};

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIPyoEF562Xt1qeYViSt3hKzO2ILAsRnFBiTcdbespCCq ana@laptop";

/// Somebody at the server's terminal.
struct Administrator {
    database: TestDatabase,
    folder: TempDir,
}

impl Administrator {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let folder = TempDir::new().unwrap();
        let text = format!("[database]\nurl = {:?}\n", database.url());
        fs::write(folder.path().join("pierhead.toml"), text).unwrap();
        Self { database, folder }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs `pierhead admin create …` and gives all it says: what is data is marked by `>`.
    async fn create(&self, words: &str) -> String {
        self.create_reading(words, "").await
    }

    async fn create_reading(&self, words: &str, input: &str) -> String {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pierhead"))
            .env_clear()
            .env("PIERHEAD_CONFIG", self.folder.path().join("pierhead.toml"))
            .current_dir(self.folder.path())
            .args(["admin", "create"])
            .args(words.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Whoever does not ask for a key does not read.
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let mut said = String::from_utf8(output.stderr).unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            said.push_str(&format!("> {line}\n"));
        }
        if !output.status.success() {
            said.push_str(&format!("exit code {}\n", output.status.code().unwrap()));
        }
        said
    }

    async fn count(&self, sql: &'static str) -> i64 {
        count(&self.database.db(), sql).await
    }
}

#[tokio::test]
async fn an_installation_is_set_up_from_nothing() {
    let admin = Administrator::new().await;
    admin.file("ana.pub", KEY);
    let mut said = Vec::new();
    for words in [
        "user Ana@Example.org --administrator",
        "key ana@example.org ana.pub",
        "account acme --owner ana@example.org",
        "project acme/shop",
        "cluster acme/shop here --environment production",
        "rule acme/shop refs/heads/next --environment staging --protected",
        "member acme ana@example.org --role viewer",
    ] {
        said.push(admin.create(words).await);
    }
    let password = said[0].rsplit("> ").next().unwrap().trim();
    assert_eq!(password.len(), 29, "{password}");
    let said = said.concat().replace(password, "[password]");
    assert_snapshot!(said, @"
    Ana@Example.org was added. The password, shown only now, is for one sign-in.
    > [password]
    Key SHA256:ZevNKHh7aOWMD7g9VGPjJOrwlIQOug3PeBFBO+LvFPE of ana@example.org was added.
    Account acme was added.
    Project acme/shop was added; push to it at this URL.
    > ssh://git@localhost:2222/acme/shop
    Cluster here serves production of acme/shop.
    refs/heads/next of acme/shop deploys to staging.
    ana@example.org is viewer of acme.
    ");
    let rules = "SELECT count(*) FROM deploy_rules";
    assert_eq!(admin.count(rules).await, 2, "the default branch deploys to the first cluster");
}

#[tokio::test]
async fn a_database_that_is_away_is_told_without_its_password() {
    let url = "postgres://ana:secret@127.0.0.1:1/acme";
    let mut command = Command::new(env!("CARGO_BIN_EXE_pierhead"));
    command.env_clear().env("PIERHEAD_DATABASE_URL", url);
    let output = command.args(["admin", "create", "account", "acme"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"pierhead: could not connect to PostgreSQL: error connecting to server; is database.url right, in the configuration or in PIERHEAD_DATABASE_URL?");
}

#[tokio::test]
async fn what_exists_is_said_so_and_left_as_it_is() {
    let admin = Administrator::new().await;
    let mut said = Vec::new();
    for words in [
        "user ana@example.org",
        "user bea@example.org",
        "account acme",
        "project acme/shop",
        "cluster acme/shop here --environment production",
    ] {
        drop(admin.create(words).await);
        said.push(admin.create(words).await);
        said.push(admin.create(&format!("{words} --if-not-exists")).await);
    }
    drop(admin.create_reading("key ana@example.org", KEY).await);
    said.push(admin.create_reading("key ana@example.org", KEY).await);
    said.push(admin.create_reading("key ana@example.org - --if-not-exists", KEY).await);
    said.push(admin.create_reading("key bea@example.org - --if-not-exists", KEY).await);
    assert_snapshot!(said.concat(), @"
    pierhead: `ana@example.org` exists
    exit code 1
    `ana@example.org` exists
    pierhead: `bea@example.org` exists
    exit code 1
    `bea@example.org` exists
    pierhead: `acme` exists
    exit code 1
    `acme` exists
    pierhead: `acme/shop` exists
    exit code 1
    `acme/shop` exists
    pierhead: `here` exists
    exit code 1
    `here` exists
    pierhead: this key is registered already
    exit code 1
    this key is registered already
    pierhead: this key is already in use
    exit code 1
    ");
    assert_eq!(admin.count("SELECT count(*) FROM ssh_keys").await, 1);
}

#[tokio::test]
async fn bad_input_is_told_and_stores_nothing() {
    let admin = Administrator::new().await;
    drop(admin.create("account acme").await);
    drop(admin.create("project acme/shop").await);
    let mut said = Vec::new();
    for words in [
        "user ana",
        "user ana@example.org --name \u{1b}[2J",
        "key nobody@example.org",
        "key nobody@example.org missing.pub",
        "account UPPER",
        "account beta --owner nobody@example.org",
        "member gamma nobody@example.org",
        "member acme nobody@example.org",
        "project shop",
        "project gamma/shop",
        "project acme/next --default-branch a..b",
        "cluster acme/none here --environment production",
        "cluster acme/shop here --environment production --address docker.sock",
        "rule acme/shop main --environment production",
    ] {
        let words_said = admin.create_reading(words, KEY).await;
        said.push(format!("$ {words}\n{words_said}").replace('\u{1b}', "ESC"));
    }
    assert_snapshot!(said.concat(), @r#"
    $ user ana
    pierhead: `ana` is not an e-mail address
    exit code 1
    $ user ana@example.org --name ESC[2J
    pierhead: "\u{1b}[2J" is not a name: give 1 to 64 letters, digits, signs and spaces that can be seen
    exit code 1
    $ key nobody@example.org
    pierhead: nobody has the address `nobody@example.org`
    exit code 1
    $ key nobody@example.org missing.pub
    pierhead: could not read missing.pub: No such file or directory (os error 2)
    exit code 1
    $ account UPPER
    error: invalid value 'UPPER' for '<ACCOUNT>': `UPPER` is not a name: use 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or a digit

    For more information, try '--help'.
    exit code 2
    $ account beta --owner nobody@example.org
    pierhead: nobody has the address `nobody@example.org`
    exit code 1
    $ member gamma nobody@example.org
    pierhead: `gamma` not found
    exit code 1
    $ member acme nobody@example.org
    pierhead: nobody has the address `nobody@example.org`
    exit code 1
    $ project shop
    pierhead: write the project as `account/project`
    exit code 1
    $ project gamma/shop
    pierhead: `gamma` not found
    exit code 1
    $ project acme/next --default-branch a..b
    pierhead: `refs/heads/a..b` is not a valid ref name
    exit code 1
    $ cluster acme/none here --environment production
    pierhead: `acme/none` not found
    exit code 1
    $ cluster acme/shop here --environment production --address docker.sock
    pierhead: `docker.sock` is not the address of a Docker Engine: write unix:///path/of/docker.sock
    exit code 1
    $ rule acme/shop main --environment production
    error: invalid value 'main' for '<PATTERN>': `main` is not a ref pattern: write a full name such as refs/heads/main or refs/tags/v*

    For more information, try '--help'.
    exit code 2
    "#);
    let rows = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM accounts) \
                + (SELECT count(*) FROM clusters) + (SELECT count(*) FROM environments) AS count";
    assert_eq!(admin.count(rows).await, 1);
}
