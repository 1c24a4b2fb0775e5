//! Dockerfiles that want what is not theirs, or that nobody wrote by hand.

use crate::support::app::App;

/// An image that no other test has on the engine, which they share.
const VICTIM: &str = "acme/vault/hello:production";

#[tokio::test]
async fn another_projects_image_is_not_reached_however_it_is_written() {
    let app = App::start().await;
    app.project("vault").await;
    app.project("thief").await;
    let ana = app.developer("ana").await;
    let victim = ana.hello("acme/vault").await;
    victim.write("index.html", "the secret of the vault");
    victim.commit("Keep a secret").await;
    victim.push(&["main"]).await.assert_ok();

    let thief = ana.hello("acme/thief").await;
    let backslashed = VICTIM.replace("vault", "va\\ult");
    let copy = format!("COPY --from={VICTIM} /www /www");
    for first_lines in [
        format!("FROM {VICTIM}"),
        format!("\u{feff}FROM {VICTIM}"),
        format!("FROM {backslashed}"),
        format!("FROM busybox:stable\nCOPY --from=\"{VICTIM}\" /www /www"),
        format!("FROM busybox:stable\nRUN true \\\n  # a comment\n{copy}"),
        format!("FROM busybox:stable\nRUN true \\\u{c}\n{copy}"),
        format!("# a = b\n# escape=`\nFROM busybox:stable\nRUN true # `\n{copy}"),
    ] {
        thief.write("Dockerfile", &format!("{first_lines}\nRUN cat /www/index.html\n"));
        thief.commit("Steal").await;
        let push = thief.push(&["main"]).await;
        push.assert_code(1);
        assert!(!push.stderr.contains("the secret"), "{first_lines:?}\n{}", push.stderr);
        let refused = ["is not on this engine under that name", "name images without quotes"];
        assert!(refused.iter().any(|text| push.stderr.contains(text)), "{}", push.stderr);
    }
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_dockerfile_as_deep_as_it_is_long_is_an_error_and_nothing_else() {
    let app = App::start().await;
    app.project("shop").await;
    let copy = app.developer("ana").await.hello("acme/shop").await;
    let deep = format!("FROM {}x{}\n", "${A:-".repeat(100_000), "}".repeat(100_000));
    copy.write("Dockerfile", &deep);
    copy.commit("Nest").await;
    let push = copy.push(&["main"]).await;
    push.assert_code(1).assert_says("name images without quotes and escapes");
    copy.write_hello("hello");
    copy.commit("Say hello again").await;
    copy.push(&["main"]).await.assert_ok();
    app.assert_nothing_left().await;
    app.stop().await;
}
