//! Releases on the page and in the API: compared, looked at, and made to serve again.

use std::net::SocketAddr;

use pierhead::domain::access::Role;
use pierhead::projects::set_member;
use serde_json::Value;

use crate::support::app::App;
use crate::support::app::developer::Copy;
use crate::support::app::typed::{administrate, typed};
use crate::support::http::body;
use crate::support::signed_in::{Answer, Visitor};

const PLACE: &str = "/admin/projects/acme/shop/environments/production";

/// An application whose two releases differ in a variable, and whoever looks at it.
struct Shop {
    app: App,
    copy: Copy,
    ana: Visitor,
    /// What her programs send.
    bearer: String,
}

impl Shop {
    async fn open() -> Self {
        let app = App::start().await;
        app.project("shop").await;
        let developer = app.developer("ana").await;
        let copy = developer.hello("acme/shop").await;
        copy.push(&["main"]).await.assert_ok();
        typed(&developer, "vars shop set TOKEN --secret", b"hunter2-of-page").await.assert_ok();
        copy.write_hello("second");
        let listen = "        listen: [8080]\n";
        let with_token = format!("{listen}        variables: {{TOKEN: '${{TOKEN}}'}}\n");
        copy.write(".paas.yaml", &copy.paas_yaml().replace(listen, &with_token));
        copy.commit("Say something else").await;
        copy.push(&["main"]).await.assert_ok();
        let address = SocketAddr::from(([127, 0, 0, 1], app.process("web").port("web")));
        let ana = Visitor::signed_in(address, &app.db, "ana@example.org").await;
        let token = administrate(&app, "admin create token --name ci ana@example.org", "").await;
        let bearer = format!("Authorization: Bearer {}\r\n", token.assert_ok().stdout.trim());
        Self { app, copy, ana, bearer }
    }

    /// What a program is told.
    async fn api(&self, method: &str, path: &str, text: &str) -> (u16, Value) {
        let path = format!("/api/v1/projects/acme/shop/environments/production{path}");
        let fields = format!("{}Content-Type: application/json\r\n", self.bearer);
        let mut program = Visitor::new(self.ana.address);
        let answer: Answer = program.send((method, &path), &fields, text).await;
        (answer.status, serde_json::from_str(body(&answer.text)).unwrap())
    }

    /// What serves says.
    async fn serves(&self) -> String {
        self.app.get(&self.copy.host(), "/").await.1
    }
}

#[tokio::test]
async fn releases_are_compared_looked_at_and_made_to_serve_again() {
    let mut shop = Shop::open().await;
    let second = shop.serves().await;
    let place = shop.ana.get(PLACE).await;
    assert_eq!(place.status, 200);
    assert!(place.page().contains("Make it serve again: v1"), "{}", place.page());
    assert!(!place.page().contains("Make it serve again: v2"), "it serves");

    let diff = shop.ana.get(&format!("{PLACE}/diff?from=v1&to=v2")).await;
    assert!(diff.page().contains("env.TOKEN: added"), "{}", diff.page());
    assert!(!diff.page().contains("hunter2"), "{}", diff.page());
    let (status, told) = shop.api("GET", "/diff?from=1", "").await;
    assert_eq!((status, &told["from"], &told["to"]), (200, &1.into(), &2.into()));
    let lines = told["targets"][0]["lines"].to_string();
    assert!(lines.contains("env.TOKEN: added") && !lines.contains("hunter2"), "{told}");

    let containers = shop.ana.get(&format!("{PLACE}/containers")).await;
    assert!(containers.page().contains("running"), "{}", containers.page());
    let (_, told) = shop.api("GET", "/containers", "").await;
    let container = &told["items"][0];
    assert_eq!((&container["pod"], &container["state"]), (&"web".into(), &"running".into()));
    for (asked, status) in [("/output?pod=web", 200), ("/output?last=0", 400)] {
        assert_eq!(shop.api("GET", asked, "").await.0, status, "{asked}");
    }
    assert_eq!(shop.ana.get(&format!("{PLACE}/output?pod=web")).await.status, 200);

    let back = [("environment", "production"), ("release", "v1")];
    let began = shop.ana.post("/admin/projects/acme/shop/rollback", &back).await;
    assert_eq!(began.status, 303, "{}", began.page());
    let job = shop.app.job(3).await.id;
    assert_eq!(began.field("location"), Some(format!("/jobs/{job}").as_str()));
    shop.app.ended(3).await;
    assert_ne!(shop.serves().await, second);
    assert!(shop.ana.get(PLACE).await.page().contains("v1 again: "));

    let (status, told) = shop.api("POST", "/rollbacks", "{\"release\": 2}").await;
    assert_eq!((status, &told["kind"], &told["number"]), (202, &"rollback".into(), &4.into()));
    shop.app.ended(4).await;
    assert_eq!(shop.serves().await, second);
    let (_, told) = shop.api("GET", "/releases?limit=1", "").await;
    assert_eq!(told["items"][0]["source"], 2, "{told}");
    let deeds = "SELECT count(*) FROM audit WHERE deed = 'rollback' AND door IN ('web', 'api')";
    assert_eq!(shop.app.count(deeds).await, 2);
    shop.app.stop().await;
}

#[tokio::test]
async fn what_is_used_of_a_quota_is_said_with_the_deployment_that_uses_most() {
    let app = App::start().await;
    app.project("shop").await;
    let quotas = "admin set account acme --quota cpu:compute:2:1 --quota memory:memory:1Gi";
    administrate(&app, quotas, "").await.assert_ok();
    let developer = app.developer("ana").await;
    let copy = developer.hello("acme/shop").await;
    let asks = "image: hello\n        resources: [{type: cpu, require: 500m, limit: 700m}, \
                {type: memory, require: 64Mi, limit: 128Mi}]";
    copy.write(".paas.yaml", &copy.paas_yaml().replace("image: hello", asks));
    copy.commit("Ask for some").await;
    copy.push(&["main"]).await.assert_ok();
    let address = SocketAddr::from(([127, 0, 0, 1], app.process("web").port("web")));
    let mut ana = Visitor::signed_in(address, &app.db, "ana@example.org").await;
    let page = ana.get("/admin/accounts/acme").await;
    let says = "50 % by shop production: 700m, of it 500m guaranteed";
    assert!(page.page().contains(says), "{}", page.page());
    assert!(page.page().contains("12 % by shop production: 128Mi"), "{}", page.page());
    let listed = administrate(&app, "admin list quotas acme", "").await;
    assert!(listed.assert_ok().stdout.contains("50 % by shop production"), "{}", listed.stdout);
    let token = administrate(&app, "admin create token --name ci ana@example.org", "").await;
    let bearer = format!("Authorization: Bearer {}\r\n", token.assert_ok().stdout.trim());
    let answer = ana.send(("GET", "/api/v1/accounts/acme/quota-use"), &bearer, "").await;
    let told: Value = serde_json::from_str(body(&answer.text)).unwrap();
    let cpu = &told["items"][0];
    assert_eq!((&cpu["percent"], &cpu["deployment"]), (&50.into(), &"shop production".into()));
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_compared_or_serve_again_is_told() {
    let mut shop = Shop::open().await;
    for (release, says) in [("v2", "v2 serves already"), ("v9", "has no release v9"), ("x", "v17")]
    {
        let form = [("environment", "production"), ("release", release)];
        let refused = shop.ana.post("/admin/projects/acme/shop/rollback", &form).await;
        assert_eq!(refused.status, 422, "{release}");
        assert!(refused.page().contains(says), "{}", refused.page());
    }
    for (sent, status) in [
        ("{\"release\": 2}", 409),
        ("{\"release\": 9}", 404),
        ("{\"release\": -1}", 404),
        ("{\"release\": \"v1\"}", 422),
        ("{\"to\": 1}", 422),
    ] {
        assert_eq!(shop.api("POST", "/rollbacks", sent).await.0, status, "{sent}");
    }
    for asked in ["diff?from=v9&to=v1", "diff?from=%3Cb%3E", "diff"] {
        let refused = shop.ana.get(&format!("{PLACE}/{asked}")).await;
        assert_eq!(refused.status, 422, "{asked}");
    }
    assert_eq!(shop.ana.get("/admin/projects/acme/shop/environments/none").await.status, 404);
    // Whoever only looks is not shown what they may not do.
    let by = shop.app.admin();
    set_member(&by, "acme".parse().unwrap(), "ana@example.org".to_owned(), Role::Viewer)
        .await
        .unwrap();
    assert!(!shop.ana.get(PLACE).await.page().contains("serve again"));
    assert_eq!(shop.app.count("SELECT count(*) FROM jobs").await, 2);
    shop.app.stop().await;
}
