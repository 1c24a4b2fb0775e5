//! What an administrator is told who types something else.

use insta::assert_snapshot;

use crate::sources::admin;
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};

#[tokio::test]
async fn what_cannot_be_a_source_is_told_and_nothing_secret_is_repeated() {
    let settings = Settings { roles: &["ssh"], ..Settings::default() };
    let app = App::start_with(settings).await;
    app.project_without_target("shop").await;
    let mut said = String::new();
    for (words, input) in [
        ("set source acme/shop https://ana:hunter2-x@git.example.org/shop", ""),
        ("set source acme/shop http://git.example.org/shop", ""),
        ("set source acme/shop git@git.example.org:shop", ""),
        ("set source acme/shop git@git.example.org:shop --token -", "hunter2-of-source"),
        ("set source acme/shop git@git.example.org:shop --key -", "hunter2"),
        ("set source acme/shop git@git.example.org:shop --new-key --host-key -", "hello"),
        ("set source acme/shop https://git.example.org/shop --token -", "short"),
        ("set source acme/shop https://git.example.org/shop --username a:b", ""),
        ("set source acme/shop https://git.example.org/shop --check-every 5", ""),
        ("set source acme/none https://git.example.org/shop", ""),
        ("check source acme/shop", ""),
        ("unset source acme/shop", ""),
    ] {
        let done = administrate(&app, &format!("admin {words}"), input).await;
        assert_ne!(done.code, 0, "{words}");
        let first = done.stderr.lines().next().unwrap_or_default();
        said.push_str(&format!("{first}\n"));
    }
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said, @"
    pierhead: leave names, passwords and tokens out of an address: --username says who signs in, --token names the file of the token, --key that of an SSH key
    pierhead: http:// is not encrypted: write https:// or ssh://
    pierhead: a source by SSH needs a key: give one by --key, or have one made by --new-key
    pierhead: a source by SSH is signed in at with a key, not a token
    pierhead: this is no private key of OpenSSH
    pierhead: line 1 has no host key that is understood
    pierhead: `token` is secret: the value is too short to be hidden in output: make it at least 6 characters, spaces not counted
    pierhead: who signs in is named by up to 64 of a-z, A-Z, 0-9, `.`, `_`, `-` and `+`
    error: invalid value '5' for '--check-every <TIME>': write how often it is looked at: 5m, 1h or 1d, from a minute to a week; or `never`
    pierhead: `acme/none` not found
    pierhead: `acme/shop` has no source: it is pushed to
    pierhead: `source of acme/shop` not found
    ");
    let words = "set source acme/shop https://git.example.org/shop --check-every 5m";
    admin(&app, words).await.assert_ok();
    let audit = admin(&app, "audit --what set-source --json").await;
    audit.assert_ok().assert_says("\"url\":\"https://git.example.org/shop\"");
    let listed = admin(&app, "list sources").await;
    listed.assert_ok().assert_says("https://git.example.org/shop  every 5m  never checked");
    app.stop().await;
}
