//! Keys, registered over SSH by their owners and at the terminal by administrators.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use pierhead::domain::ssh_key::SshKey;

use crate::accounts::{admin, front_door};
use crate::support::app::App;
use crate::support::app::developer::{Developer, Done};
use crate::support::app::typed::{administrate, typed};

/// A new key of somebody, beside the one they have: its file.
async fn new_key(app: &App, owner: &Developer, name: &str, kind: &[&str]) -> PathBuf {
    let file = app.folder.path().join(name);
    let mut command = owner.command("ssh-keygen", app.folder.path());
    command.args(["-q", "-N", "", "-C", name, "-f"]).arg(&file).args(kind);
    crate::support::app::developer::finish(command).await.assert_ok();
    file
}

fn public(file: &Path) -> String {
    fs::read_to_string(file.with_extension("pub")).unwrap()
}

fn fingerprint(file: &Path) -> String {
    SshKey::parse(&public(file)).unwrap().fingerprint
}

/// `ssh -i <file> git@host <words>`.
async fn ssh_with(owner: &Developer, file: &Path, words: &str) -> Done {
    let mut command = owner.command("ssh", Path::new("/"));
    let own = owner.key().display().to_string();
    let with = |option: String| if option == own { file.display().to_string() } else { option };
    command.args(owner.ssh_options().into_iter().map(with)).args(["git@127.0.0.1", words]);
    crate::support::app::developer::finish(command).await
}

/// With fingerprints and days replaced by words.
fn redacted(text: &str) -> String {
    let word = |word: &str| match word {
        _ if word.starts_with("SHA256:") => "SHA256:[key]".to_owned(),
        _ if word.len() == 10 && word.matches('-').count() == 2 => "[day]".to_owned(),
        other => other.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

const ED25519: [&str; 2] = ["-t", "ed25519"];

#[tokio::test]
async fn keys_are_added_listed_used_and_removed_by_their_owner() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    app.project_without_target("other").await;
    let ana = app.developer("ana").await;
    let laptop = new_key(&app, &ana, "laptop", &ED25519).await;
    let ci = new_key(&app, &ana, "ci", &ED25519).await;
    let mirror = new_key(&app, &ana, "mirror", &ED25519).await;
    let add = |words: &'static str, file: &Path| {
        let (ana, line) = (ana.clone(), public(file));
        async move { typed(&ana, words, line.as_bytes()).await }
    };
    add("keys add --expires 90d --name Laptop", &laptop).await.assert_ok();
    let added = add("keys add --project shop --json", &ci).await;
    let answer = format!("{{\"answer\":\"added\",\"fingerprint\":{:?}}}\n", fingerprint(&ci));
    assert_eq!(added.assert_ok().stdout, answer);
    add("keys add --read-only", &mirror).await.assert_ok();

    // Each does what it is for, and no more.
    ssh_with(&ana, &laptop, "jobs shop").await.assert_ok();
    ssh_with(&ana, &ci, "jobs shop").await.assert_ok();
    ssh_with(&ana, &ci, "jobs other").await.assert_code(128).assert_says("`other` not found");
    let projects = ssh_with(&ana, &ci, "projects").await;
    assert!(!projects.assert_ok().stdout.contains("other"), "{projects:?}");
    ssh_with(&ana, &mirror, "jobs other").await.assert_ok();
    let refused = ssh_with(&ana, &mirror, "vars shop set A").await;
    refused.assert_code(128).assert_says("the key that you came with may only read `shop`");
    assert_snapshot!(redacted(&ana.ssh(&["keys"]).await.assert_ok().stdout), @"
    SHA256:[key]  ssh-ed25519  ana  all projects  does not expire  used [day] from 127.0.0.1  (this one)
    SHA256:[key]  ssh-ed25519  Laptop  all projects  expires [day]  used [day] from 127.0.0.1
    SHA256:[key]  ssh-ed25519  ci  acme/shop  does not expire  used [day] from 127.0.0.1
    SHA256:[key]  ssh-ed25519  mirror  reads all projects  does not expire  used [day] from 127.0.0.1
    ");

    // One for less tells nothing of the others, nor of a project that its owner left.
    let listed = ssh_with(&ana, &ci, "keys").await;
    assert_eq!(listed.assert_ok().stdout.lines().count(), 1, "{listed:?}");
    listed.assert_says(&fingerprint(&ci));
    admin(&app, "delete member acme ana@example.org").await.assert_ok();
    let left = ana.ssh(&["keys"]).await;
    assert!(!left.assert_ok().stdout.contains("shop"), "{left:?}");
    admin(&app, "create member acme ana@example.org").await.assert_ok();

    // None removes itself.
    let words = format!("keys remove {}", fingerprint(&laptop));
    let own = ssh_with(&ana, &laptop, &words).await;
    own.assert_code(1).assert_says("you came with this key: remove it with another one");
    ana.ssh(&[&words]).await.assert_ok().assert_says("is removed");
    ssh_with(&ana, &laptop, "whoami").await.assert_code(255);
    ana.ssh(&[&words]).await.assert_code(1).assert_says("there is no key SHA256:");
    let eve = app.stranger("eve").await;
    let foreign = eve.ssh(&["keys", "remove", &ana.fingerprint()]).await;
    foreign.assert_code(1).assert_says("there is no key SHA256:");
    // What was removed is free, also for somebody else.
    typed(&eve, "keys add", public(&laptop).as_bytes()).await.assert_ok();
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_ends_makes_none_that_lasts_longer() {
    let app = App::start_with(front_door()).await;
    let ana = app.developer("ana").await;
    let next = new_key(&app, &ana, "next", &ED25519).await;
    app.execute("UPDATE ssh_keys SET expires_at = now() + interval '10 days'").await;
    for words in ["keys add", "keys add --expires 11d"] {
        let refused = typed(&ana, words, public(&next).as_bytes()).await;
        refused.assert_code(1).assert_says("the key that you came with ends on");
    }
    typed(&ana, "keys add --expires 9d", public(&next).as_bytes()).await.assert_ok();
    app.execute("UPDATE ssh_keys SET expires_at = now() - interval '1 second'").await;
    ana.ssh(&["whoami"]).await.assert_code(128).assert_says("pierhead: this key has expired");
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_key_to_register_is_told_why_and_stores_nothing() {
    let app = App::start_with(front_door()).await;
    let (ana, eve) = (app.developer("ana").await, app.stranger("eve").await);
    let short = new_key(&app, &ana, "short", &["-t", "rsa", "-b", "1024"]).await;
    let rsa = new_key(&app, &ana, "rsa", &["-t", "rsa", "-b", "2048"]).await;
    let good = new_key(&app, &ana, "good", &ED25519).await;
    let (line, other) = (public(&good), public(&rsa));
    let commented = format!("{} another comment", ana.public_key().rsplit_once(' ').unwrap().0);
    let cut: String = line.chars().take(60).collect();
    let mut said = String::new();
    for (what, text) in [
        ("nothing", String::new()),
        ("a private key", fs::read_to_string(&good).unwrap()),
        ("an RSA key of 1024 bits", public(&short)),
        ("a DSA key", "ssh-dss AAAAB3NzaC1kc3MAAACBAP1/U4Ed ana".to_owned()),
        ("a certificate", line.replace("ssh-ed25519 ", "ssh-ed25519-cert-v01@openssh.com ")),
        ("a key of RFC 4716", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n".to_owned()),
        ("options before the key", format!("command=\"id\",no-pty {line}")),
        ("two keys", format!("{line}{other}")),
        ("another type than it has", line.replace("ssh-ed25519 ", "ssh-rsa ")),
        ("half a key", cut),
        ("20 KiB", format!("{} {}", line.trim_end(), "a".repeat(20_000))),
        ("one's own key with another comment", commented),
        ("somebody else's key", eve.public_key()),
    ] {
        let done = typed(&ana, "keys add", text.as_bytes()).await;
        assert_eq!(done.code, 1, "{what}: {done:?}");
        said.push_str(&format!("{what}\n  {}", done.stderr));
    }
    assert_snapshot!(said, @"
    nothing
      pierhead: this is not an OpenSSH public key
    a private key
      pierhead: this is a private key: give the public one, the file that ends in .pub
    an RSA key of 1024 bits
      pierhead: an RSA key needs at least 2048 bits, this one has 1024
    a DSA key
      pierhead: keys of type ssh-dss are not accepted: use ssh-ed25519
    a certificate
      pierhead: this is a certificate: give the plain public key
    a key of RFC 4716
      pierhead: this is a public key in another form: `ssh-keygen -i -f FILE` makes an OpenSSH one of it
    options before the key
      pierhead: options before the key are not accepted: the line begins with the key's type
    two keys
      pierhead: give one public key, on one line
    another type than it has
      pierhead: this is not an OpenSSH public key
    half a key
      pierhead: this is not an OpenSSH public key
    20 KiB
      pierhead: a public key is one line of at most 16 KiB
    one's own key with another comment
      pierhead: this key is registered already
    somebody else's key
      pierhead: this key is already in use
    ");
    let log = app.process("ssh").log();
    assert!(!log.contains("BEGIN OPENSSH PRIVATE KEY"), "{log}");
    assert_eq!(app.count("SELECT count(*) FROM ssh_keys").await, 2);

    // A comment that nobody can read is not shown, and keeps nobody from the key.
    let hostile = format!("{} \u{1b}[2J\u{202e}", line.rsplit_once(' ').unwrap().0);
    typed(&ana, "keys add", hostile.as_bytes()).await.assert_ok();
    let listed = ana.ssh(&["keys"]).await;
    assert!(!listed.assert_ok().stdout.contains(['\u{1b}', '\u{202e}']), "{listed:?}");
    typed(&ana, "keys add", other.as_bytes()).await.assert_ok();
    app.stop().await;
}

#[tokio::test]
async fn two_who_register_one_key_at_once_are_one_owner_and_one_refusal() {
    let app = App::start_with(front_door()).await;
    let (ana, eve) = (app.developer("ana").await, app.stranger("eve").await);
    let shared = new_key(&app, &ana, "shared", &ED25519).await;
    let line = public(&shared);
    let (one, other) = tokio::join!(
        typed(&ana, "keys add", line.as_bytes()),
        typed(&eve, "keys add", line.as_bytes()),
    );
    let (added, refused) = if one.code == 0 { (one, other) } else { (other, one) };
    added.assert_ok();
    refused.assert_code(1);
    assert_eq!(refused.stderr.trim(), "pierhead: this key is already in use");
    app.execute(
        "INSERT INTO ssh_keys (id, user_id, name, algorithm, public_key, fingerprint) \
         SELECT gen_random_uuid(), users.id, 'x', 'x', 'x', 'SHA256:' || n \
         FROM users, generate_series(1, 49) n WHERE name = 'ana'",
    )
    .await;
    let more = new_key(&app, &ana, "more", &ED25519).await;
    let refused = typed(&ana, "keys add", public(&more).as_bytes()).await;
    refused.assert_code(1).assert_says("a user may have 50 keys: remove one first");
    app.stop().await;
}

#[tokio::test]
async fn an_administrator_registers_and_removes_keys_of_others() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let ci = new_key(&app, &ana, "ci", &ED25519).await;
    let words = "admin create key ana@example.org - --project acme/shop --read-only --expires 12w";
    administrate(&app, words, &public(&ci)).await.assert_ok();
    ssh_with(&ana, &ci, "jobs shop").await.assert_ok();
    let listed = admin(&app, "list keys ana@example.org").await;
    assert_snapshot!(redacted(&listed.assert_ok().stdout), @"
    ana@example.org  SHA256:[key]  ana  deploy  all projects  never used
    ana@example.org  SHA256:[key]  ci   read    acme/shop     used [day]  until [day]
    ");
    // Of the projects that it was for none is left, which is not all of them.
    admin(&app, "delete project acme/shop").await.assert_ok();
    admin(&app, "purge project acme/shop").await.assert_ok();
    app.project("next").await;
    ssh_with(&ana, &ci, "jobs next").await.assert_code(128).assert_says("not found");
    admin(&app, &format!("delete key {}", fingerprint(&ci))).await.assert_ok();
    ssh_with(&ana, &ci, "whoami").await.assert_code(255);
    app.stop().await;
}
