//! `vars`: what a project keeps with the server.

use insta::assert_snapshot;
use pierhead::domain::access::Role;

use crate::secrets::{ask, dump};
use crate::support::app::typed::typed;
use crate::support::app::{App, Settings};

/// A front door without any private key.
fn front_door() -> Settings {
    let settings = Settings { roles: &["ssh"], ..Settings::default() };
    settings.with("seal", "private_keys = [\"/nonexistent/private.pem\"]")
}

#[tokio::test]
async fn variables_are_set_listed_and_removed() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    app.cluster("shop", "other", "staging").await;
    let ana = app.developer("ana").await;
    let mut said = String::new();
    for (words, input) in [
        ("vars shop", ""),
        ("vars shop set COLOUR", "red\n"),
        ("vars shop production set COLOUR", "blue"),
        ("vars shop staging set MOTD", "two\nlines \u{1b}[2J\r\n"),
        ("vars shop set DB_PASSWORD --secret", "hunter2-of-all\n"),
        ("vars shop", ""),
        ("vars shop production", ""),
        ("vars shop staging --json", ""),
        // What is secret stays secret, in each environment too.
        ("vars shop set DB_PASSWORD --json", "hunter3-of-all"),
        ("vars shop staging set DB_PASSWORD", "hunter4-of-all"),
        ("vars shop unset COLOUR", ""),
        ("vars acme/shop staging unset MOTD --json", ""),
        ("vars shop", ""),
    ] {
        let done = typed(&ana, words, input.as_bytes()).await;
        said.push_str(&format!("$ {words}\n{}{}", done.assert_ok().stdout, done.stderr));
    }
    assert_snapshot!(said, @r#"
    $ vars shop
    no variables yet; ssh -p 2222 git@localhost vars shop set NAME reads a value and keeps it
    $ vars shop set COLOUR
    COLOUR of acme/shop is set, from the next deployment on
    $ vars shop production set COLOUR
    COLOUR of acme/shop production is set, from the next deployment on
    $ vars shop staging set MOTD
    MOTD of acme/shop staging is set, from the next deployment on
    $ vars shop set DB_PASSWORD --secret
    DB_PASSWORD of acme/shop is set as a secret, from the next deployment on
    $ vars shop
    COLOUR                    everywhere    red
    COLOUR                    production    blue
    DB_PASSWORD               everywhere    (secret)
    MOTD                      staging       two\nlines \u{1b}[2J
    $ vars shop production
    COLOUR                    production    blue
    DB_PASSWORD               everywhere    (secret)
    $ vars shop staging --json
    {"environment":null,"name":"COLOUR","secret":false,"value":"red"}
    {"environment":null,"name":"DB_PASSWORD","secret":true,"value":null}
    {"environment":"staging","name":"MOTD","secret":false,"value":"two\nlines \u001b[2J"}
    $ vars shop set DB_PASSWORD --json
    {"answer":"set","environment":null,"name":"DB_PASSWORD","secret":true,"text":"DB_PASSWORD of acme/shop is set as a secret, from the next deployment on"}
    $ vars shop staging set DB_PASSWORD
    DB_PASSWORD of acme/shop staging is set as a secret, from the next deployment on
    $ vars shop unset COLOUR
    COLOUR of acme/shop is unset, from the next deployment on
    $ vars acme/shop staging unset MOTD --json
    {"answer":"unset","environment":"staging","name":"MOTD","secret":null,"text":"MOTD of acme/shop staging is unset, from the next deployment on"}
    $ vars shop
    COLOUR                    production    blue
    DB_PASSWORD               everywhere    (secret)
    DB_PASSWORD               staging       (secret)
    "#);
    app.stop().await;
}

#[tokio::test]
async fn the_front_door_alone_stores_a_secret_and_nobody_there_can_read_it() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set TOKEN --secret", b"hunter2-of-all\n").await.assert_ok();
    let listed = ana.ssh(&["vars", "shop"]).await;
    listed.assert_ok().assert_says("TOKEN").assert_says("(secret)");
    let seen = format!("{listed:?}{}{}", app.process("ssh").log(), dump(&app).await);
    assert!(!seen.contains("hunter2"), "{seen}");
    let sealed = ask(&app, "SELECT sealed ->> 'alg' AS line FROM variables").await;
    assert_eq!(sealed, ["rsa-oaep-256+a256gcm"]);
    app.stop().await;
}

#[tokio::test]
async fn without_a_key_plain_variables_are_kept_and_secrets_refused_with_the_reason() {
    let settings = front_door().with("seal", "public_key = \"/nonexistent/public.pem\"");
    let app = App::start_with(settings).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set COLOUR", b"red").await.assert_ok();
    let refused = typed(&ana, "vars shop set TOKEN --secret", b"hunter2-of-all").await;
    refused.assert_code(1).assert_says(
        "there is no public sealing key /nonexistent/public.pem yet: start a worker once",
    );
    assert_eq!(app.count("SELECT count(*) FROM variables").await, 1);
    app.process("ssh").until_logged("No secret can be stored").await;
    app.stop().await;
}

#[tokio::test]
async fn a_viewer_lists_and_changes_nothing() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let viewer = app.stranger("vic").await;
    let (acme, email) = ("acme".parse().unwrap(), viewer.email());
    pierhead::projects::set_member(&app.admin(), acme, email, Role::Viewer).await.unwrap();
    viewer.ssh(&["vars", "shop"]).await.assert_ok().assert_says("no variables yet");
    for words in ["vars shop set A", "vars shop unset A", "vars shop production set A --secret"] {
        let refused = typed(&viewer, words, b"hunter2-of-all").await;
        refused.assert_code(128).assert_says("you may look at `shop`, but not do this");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_a_variable_is_refused_and_its_value_never_said() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set COLOUR", b"red").await.assert_ok();
    let long = "hunter2".repeat(5_000);
    let mut said = String::new();
    for (words, input) in [
        ("vars shop set JOB_ID", "hunter2"),
        ("vars shop set 1A", "hunter2"),
        ("vars shop set A --secret", "hunt\n"),
        ("vars shop set A", long.as_str()),
        ("vars shop set A", "hunter2\0"),
        ("vars shop testing set A", "hunter2"),
        ("vars shop unset COLUOR", ""),
        ("vars shop production unset COLOUR", ""),
        ("vars shop set", ""),
        ("vars", ""),
    ] {
        let done = typed(&ana, words, input.as_bytes()).await;
        said.push_str(&format!("$ {words}\n{}{}exit {}\n", done.stdout, done.stderr, done.code));
    }
    for name in ["B", "C", "D", "E", "F", "G", "H", "I"] {
        let done = typed(&ana, &format!("vars shop set {name}"), &[b'x'; 32 * 1024]).await;
        let last = if name == "I" { (1, "of 256 KiB in all") } else { (0, "is set") };
        done.assert_code(last.0).assert_says(last.1);
    }
    typed(&ana, "vars shop set A", b"\xff").await.assert_code(1).assert_says("is no text");
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said, @"
    $ vars shop set JOB_ID
    pierhead: `JOB_ID` is set by Pierhead: names beginning with JOB_ cannot be given
    exit 1
    $ vars shop set 1A
    pierhead: `1A` is not a variable name: use letters, digits and `_`, a letter first
    exit 1
    $ vars shop set A --secret
    pierhead: `A` is secret: the value is too short to be hidden in output: make it at least 6 characters, spaces not counted
    exit 1
    $ vars shop set A
    pierhead: standard input has more than 32 KiB
    exit 1
    $ vars shop set A
    pierhead: the value of `A` is no text
    exit 1
    $ vars shop testing set A
    pierhead: `acme/shop` has no environment `testing`; it has production
    exit 1
    $ vars shop unset COLUOR
    pierhead: there is no variable `COLUOR`; did you mean `COLOUR`?
    exit 1
    $ vars shop production unset COLOUR
    pierhead: there is no variable `COLOUR`
    exit 1
    $ vars shop set
    pierhead: the following required arguments were not provided:
      <NAME>

    Usage: ssh -p 2222 git@localhost vars <PROJECT> set <NAME>

    `ssh -p 2222 git@localhost help` lists what there is.
    exit 2
    $ vars
    pierhead: the following required arguments were not provided:
      <PROJECT>

    Usage: ssh -p 2222 git@localhost vars <PROJECT> [ENVIRONMENT]

    `ssh -p 2222 git@localhost help` lists what there is.
    exit 2
    ");
    assert_eq!(app.count("SELECT count(*) FROM variables").await, 8);
    app.stop().await;
}
