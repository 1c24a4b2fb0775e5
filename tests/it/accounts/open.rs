//! Connections that were open when somebody lost what they came in with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::accounts::{admin, front_door};
use crate::support::app::App;
use crate::support::app::developer::{Copy, finish};

impl Copy {
    /// From now on, `pierhead admin <words>` is done in the middle of each push: git runs its hook
    /// when the server has answered and before anything is sent to it.
    fn administrate_while_pushing(&self, app: &App, words: &str) {
        let (program, configuration) = (env!("CARGO_BIN_EXE_pierhead"), app.configuration());
        let hook = self.path.join(".git/hooks/pre-push");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        let configuration = configuration.display();
        let text = format!(
            "#!/bin/sh\nexec env PIERHEAD_CONFIG='{configuration}' '{program}' admin {words} >&2\n"
        );
        fs::write(&hook, text).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test]
async fn whoever_loses_their_right_while_they_push_stores_nothing() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let copy = ana.hello("acme/shop").await;
    let own = format!("delete key {}", ana.fingerprint());
    let again = format!("create key ana@example.org {}.pub", ana.key().display());
    for (words, says, back) in [
        (
            "set user ana@example.org --disabled true",
            "your user is disabled",
            "set user ana@example.org --disabled false",
        ),
        (
            "create member acme ana@example.org --role viewer",
            "you may look at `acme/shop`, but not do this",
            "create member acme ana@example.org --role developer",
        ),
        (
            "delete member acme ana@example.org",
            "`acme/shop` not found",
            "create member acme ana@example.org",
        ),
        ("delete project acme/shop", "this project is deleted", "restore project acme/shop"),
        (&own, "this key was removed: register another one", &again),
    ] {
        copy.administrate_while_pushing(&app, words);
        let refused = copy.push(&["main"]).await;
        refused.assert_code(1).assert_says(says).assert_says("pre-receive hook declined");
        admin(&app, back).await.assert_ok();
        assert_eq!(app.tip("shop", "refs/heads/main").await, None, "{words}");
    }
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    copy.administrate_while_pushing(&app, "list accounts");
    copy.push(&["-o", "skip", "main"]).await.assert_ok();
    app.stop().await;
}

#[tokio::test]
async fn each_command_of_a_connection_that_stays_open_is_asked_for_its_key() {
    let app = App::start_with(front_door()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    let socket = ana.key().with_extension("socket");
    let over = async |words: &[&str]| {
        let mut command = ana.command("ssh", Path::new("/"));
        command.args(ana.ssh_options()).arg("-S").arg(&socket).args(words);
        finish(command).await
    };
    // It goes to the background when it has signed in.
    over(&["-M", "-f", "-N", "git@127.0.0.1"]).await.assert_ok();
    // What has a socket asks for no key, so it goes over that connection.
    fs::rename(ana.key(), ana.key().with_extension("elsewhere")).unwrap();
    let info = async || over(&["git@127.0.0.1", "info", "shop"]).await;
    info().await.assert_ok();
    admin(&app, &format!("delete key {}", ana.fingerprint())).await.assert_ok();
    info().await.assert_code(128).assert_says("this key was removed: register another one");
    over(&["-O", "exit", "git@127.0.0.1"]).await.assert_ok();
    app.stop().await;
}
