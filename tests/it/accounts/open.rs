//! Connections that were open when somebody lost what they came in with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::accounts::{admin, front_door};
use crate::support::app::App;
use crate::support::app::developer::Copy;

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
        (&own, "this key is no longer accepted", &again),
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
