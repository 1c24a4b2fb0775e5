//! Variables: secrets go in and never come out.

use pierhead::domain::access::Role;
use serde_json::json;

use crate::api::Api;
use crate::support::database::count;

const VARIABLES: &str = "/projects/acme/shop/variables";
const SECRET: &str = "correct horse battery staple";

#[tokio::test]
async fn a_secret_goes_in_and_never_comes_out() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    let put = |name: &str| format!("PUT {VARIABLES}/{name}");
    let plain = api.tell(&ana, &put("GREETING"), &json!({"value": "hello"})).await.assert(200);
    assert_eq!(plain.body, json!({"name": "GREETING", "environment": null, "secret": false}));
    let secret = json!({"value": SECRET, "secret": true});
    let set = api.tell(&ana, &put("TOKEN"), &secret).await.assert(200);
    assert_eq!(set.body["secret"], true);
    // What was secret stays so.
    let again = api.tell(&ana, &put("TOKEN"), &json!({"value": SECRET})).await.assert(200);
    assert_eq!(again.body["secret"], true);
    let own = "PUT /projects/acme/shop/environments/production/variables/GREETING";
    let set = api.tell(&ana, own, &json!({"value": "bonjour"})).await.assert(200);
    assert_eq!(set.body["environment"], "production");

    let root = api.administrator().await;
    let list = api.ask(&root, &format!("GET {VARIABLES}")).await.assert(200);
    let expected = json!([
        {"name": "GREETING", "environment": null, "secret": false, "value": "hello"},
        {"name": "GREETING", "environment": "production", "secret": false, "value": "bonjour"},
        {"name": "TOKEN", "environment": null, "secret": true, "value": null},
    ]);
    assert_eq!(list.body["items"], expected);
    let audit = api.ask(&root, "GET /audit").await.assert(200);
    assert!(!audit.body.to_string().contains(SECRET), "{}", audit.body);
    let rows = "SELECT count(*) FROM variables WHERE variables::text LIKE '%horse%'";
    assert_eq!(count(api.db(), rows).await, 0);

    api.ask(&ana, &format!("DELETE {VARIABLES}/TOKEN")).await.assert(204);
    let gone = api.ask(&ana, &format!("DELETE {VARIABLES}/TOKEN")).await.assert(404);
    assert_eq!(gone.problem(), "not-found");
    let near = api.ask(&ana, &format!("DELETE {VARIABLES}/GREETINGS")).await.assert(404);
    let detail = near.body["detail"].as_str().unwrap();
    assert!(detail.contains("did you mean `GREETING`?"), "{detail}");
    api.stop().await;
}

#[tokio::test]
async fn what_cannot_be_a_variable_is_told() {
    let api = Api::start().await;
    let ana = api.person("ana", Some(Role::Developer)).await;
    for (name, new) in [
        ("JOB_ID", json!({"value": "x"})),
        ("1A", json!({"value": "x"})),
        ("A%20B", json!({"value": "x"})),
        ("A'%3B%20DROP%20TABLE%20variables%3B--", json!({"value": "x"})),
        ("A", json!({"value": "abc", "secret": true})),
        ("A", json!({"value": "x".repeat(33 * 1024)})),
    ] {
        let line = format!("PUT {VARIABLES}/{name}");
        let refused = api.tell(&ana, &line, &new).await.assert(422);
        assert_eq!(refused.problem(), "invalid", "{name}");
    }
    let list = api.ask(&ana, &format!("GET {VARIABLES}")).await.assert(200);
    assert!(list.items().is_empty());
    api.stop().await;
}
