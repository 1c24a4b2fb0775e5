//! Who is reached at which host and path.

use crate::support::app::App;
use crate::support::app::developer::Copy;

/// Answers at another host than its own, and only below a path.
async fn below(copy: &Copy, host: &str, path: &str, text: &str) {
    copy.write("Dockerfile", &format!("FROM busybox:stable\nCOPY index.html /www{path}/\nCMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n"));
    copy.write("index.html", text);
    let paas_yaml = copy.paas_yaml().replace("path: /}", &format!("path: {path}/}}"));
    let ingress =
        format!("host: {host}, paths: [{{path: {path}, service: {{name: web, port: 80}}}}]");
    let own = format!("host: {}, service: {{name: web, port: 80}}", copy.host());
    copy.write(".paas.yaml", &paas_yaml.replace(&own, &ingress));
    copy.commit(text).await;
}

#[tokio::test]
async fn two_projects_of_an_account_share_a_host_by_paths_that_differ() {
    let app = App::start().await;
    app.project("shop").await;
    app.project("help").await;
    let ana = app.developer("ana").await;
    let shop = ana.hello("acme/shop").await;
    shop.push(&["main"]).await.assert_ok();
    let help = ana.hello("acme/help").await;
    below(&help, &shop.host(), "/help", "how it works").await;
    help.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&shop.host(), "/help/").await, (200, "how it works".to_owned()));
    assert_eq!(app.get(&shop.host(), "/").await, (200, "hello".to_owned()));

    // Not a longer path, only one that looks so.
    app.project("other").await;
    let other = ana.hello("acme/other").await;
    below(&other, &shop.host(), "/help/", "somebody else").await;
    let push = other.push(&["main"]).await;
    push.assert_code(1).assert_says("/help` is taken by another deployment");
    assert_eq!(app.get(&shop.host(), "/help/").await, (200, "how it works".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn nobody_takes_a_path_of_a_host_that_another_account_answers() {
    let app = App::start().await;
    app.project("shop").await;
    app.project("thief").await;
    let ana = app.developer("ana").await;
    app.execute("INSERT INTO accounts (id, slug, name) VALUES (gen_random_uuid(), 'x', 'x')").await;
    app.execute("INSERT INTO account_members SELECT x.id, m.user_id, 'developer' FROM accounts x, account_members m WHERE x.slug = 'x'").await;
    app.execute("UPDATE projects SET account_id = (SELECT id FROM accounts WHERE slug = 'x') WHERE slug = 'thief'").await;
    let shop = ana.hello("acme/shop").await;
    shop.push(&["main"]).await.assert_ok();
    let thief = ana.hello("x/thief").await;
    below(&thief, &shop.host(), "/login", "your password, please").await;
    let push = thief.push(&["main"]).await;
    push.assert_code(1).assert_says("is taken by another deployment");
    assert!(!push.stderr.contains("shop/"), "{}", push.stderr);
    assert_eq!(app.get(&shop.host(), "/login/").await.0, 404);
    app.assert_nothing_left().await;
    app.stop().await;
}
