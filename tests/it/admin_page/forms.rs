//! Forms, and what becomes of what is filled in.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use pierhead::domain::access::Standing;

use crate::admin_page::House;
use crate::support::http::{say, status};
use crate::support::signed_in::{Answer, Visitor};

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIFifbGaj8GcjInSckiHALB/ugaUUXK+lYTYKyd17wEP9 ana@laptop";

const VARIABLES: &str = "/admin/projects/acme/shop/variables";

/// The value of a hidden field.
fn hidden<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let marker = format!("name=\"{name}\" value=\"");
    let (_, rest) = answer.page().split_once(&marker).unwrap_or_else(|| panic!("no {name}"));
    rest.split_once('"').unwrap().0
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Everything that was noted, and every variable as it is stored.
async fn stored(house: &House) -> String {
    let rows: diesel::QueryResult<Vec<Row>> = house
        .db
        .run(async move |connection| {
            diesel::sql_query(
                "SELECT to_jsonb(audit)::text AS text FROM audit \
                 UNION ALL SELECT to_jsonb(variables)::text FROM variables",
            )
            .load(connection)
            .await
        })
        .await;
    rows.unwrap().into_iter().map(|row| row.text).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn accounts_members_and_projects_are_made() {
    let house = House::start().await;
    let (mut root, mut ana) = (house.visitor("root").await, house.visitor("ana").await);
    let made = root.post("/admin/accounts", &[("account", "wharf"), ("owner", "ana@example.org")]);
    assert_eq!(made.await.field("location"), Some("/admin/accounts/wharf?done=account"));
    let again = root.post("/admin/accounts", &[("account", "wharf")]).await;
    assert_eq!((again.status, again.refusal()), (422, "`wharf` exists"));
    let bad = root.post("/admin/accounts", &[("account", "Wh\u{430}rf")]).await;
    assert!(bad.refusal().contains("is not a name"), "{}", bad.refusal());

    // Its owner goes on.
    house.person("bea", Standing::Person, None).await;
    let form = [("email", "bea@example.org"), ("role", "viewer")];
    let member = ana.post("/admin/accounts/wharf/members", &form).await;
    assert_eq!(member.field("location"), Some("/admin/accounts/wharf?done=member"));
    let form = [("email", "nobody@example.org"), ("role", "viewer")];
    let nobody = ana.post("/admin/accounts/wharf/members", &form).await;
    assert_eq!(nobody.refusal(), "nobody has the address `nobody@example.org`");
    let made = ana.post("/admin/accounts/wharf/projects", &[("project", "crane")]).await;
    assert_eq!(made.field("location"), Some("/admin/projects/wharf/crane?done=project"));
    let page = ana.get("/admin/projects/wharf/crane?done=project").await;
    assert!(page.page().contains("ssh://git@localhost:2222/wharf/crane"), "{}", page.text);
    assert!(page.page().contains("The project is there: push to it."));

    let mut bea = house.visitor("bea").await;
    assert_eq!(bea.get("/admin/projects/wharf/crane").await.status, 200);
    let gone = ana.post("/admin/accounts/wharf/members/delete", &[("email", "bea@example.org")]);
    assert_eq!(gone.await.status, 303);
    assert_eq!(bea.get("/admin/projects/wharf/crane").await.status, 404);
    let noted = stored(&house).await;
    for deed in ["create-account", "set-member", "create-project", "delete-member"] {
        assert!(noted.contains(&format!("\"deed\": \"{deed}\"")), "{noted}");
    }
    assert!(noted.contains("\"door\": \"web\"") && noted.contains("\"origin\": \"127.0.0.1\""));
    house.stop().await;
}

#[tokio::test]
async fn a_key_is_pasted_or_its_file_chosen_and_only_its_owner_removes_it() {
    let house = House::start().await;
    house.person("eve", Standing::Person, None).await;
    let (mut ana, mut eve) = (house.visitor("ana").await, house.visitor("eve").await);
    let pasted = ana.post("/admin/keys", &[("key", KEY), ("expires", "90d")]).await;
    assert_eq!(pasted.field("location"), Some("/admin/keys?done=key"), "{}", pasted.text);
    let page = ana.get("/admin/keys?done=key").await;
    let fingerprint = hidden(&page, "fingerprint").to_owned();
    assert!(fingerprint.starts_with("SHA256:") && page.page().contains("ana@laptop"));
    let again = ana.post("/admin/keys", &[("key", KEY)]).await;
    assert_eq!(again.refusal(), "this key is registered already");
    let taken = eve.post("/admin/keys", &[("key", KEY)]).await;
    assert_eq!(taken.refusal(), "this key is already in use");

    let theirs = eve.post("/admin/keys/delete", &[("fingerprint", &fingerprint)]).await;
    assert_eq!(theirs.status, 422);
    assert!(ana.get("/admin/keys").await.page().contains(&fingerprint));
    let gone = ana.post("/admin/keys/delete", &[("fingerprint", &fingerprint)]).await;
    assert_eq!(gone.status, 303);

    // As a browser sends a file.
    let token = ana.form_token();
    let part = |name: &str, rest: &str, content: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{content}\r\n")
    };
    let form = [
        part("csrf", "", &token),
        part("key", "", ""),
        part("file", "; filename=\"id.pub\"\r\nContent-Type: text/plain", &format!("{KEY}\n")),
        "--x--\r\n".to_owned(),
    ];
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    let chosen = ana.send(("POST", "/admin/keys"), kind, &form.concat()).await;
    assert_eq!(chosen.field("location"), Some("/admin/keys?done=key"), "{}", chosen.text);
    house.stop().await;
}

#[tokio::test]
async fn a_private_key_is_refused_with_words_and_never_shown() {
    let house = House::start().await;
    let mut ana = house.visitor("ana").await;
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n\
        -----END OPENSSH PRIVATE KEY-----\n";
    let refused = ana.post("/admin/keys", &[("key", private), ("name", "laptop")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.refusal().contains("private key"), "{}", refused.refusal());
    assert!(!refused.page().contains("b3Blbn"), "it is shown again");
    assert!(refused.page().contains("value=\"laptop\""));
    assert!(!stored(&house).await.contains("b3Blbn"));
    house.stop().await;
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let house = House::start().await;
    let mut ana = house.visitor("ana").await;
    let secret = "correct horse battery";
    let form = [("name", "TOKEN"), ("value", secret), ("secret", "on")];
    assert_eq!(ana.post(VARIABLES, &form).await.status, 303);
    let plain = [("name", "COLOUR"), ("value", "blue\r\ngreen")];
    assert_eq!(ana.post(VARIABLES, &plain).await.status, 303);
    let change = format!("{VARIABLES}?name=TOKEN&in=");
    for path in ["/admin/projects/acme/shop", VARIABLES, &change] {
        let page = ana.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.page().contains("TOKEN") && !page.page().contains(secret), "{path}");
        assert!(page.page().contains("blue\ngreen"), "{path}");
    }
    assert!(!stored(&house).await.contains(secret));
    // What is not taken is not shown either.
    let long = "x".repeat(40_000);
    let form = [("name", "TOKEN2"), ("value", long.as_str()), ("secret", "on")];
    let refused = ana.post(VARIABLES, &form).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(!refused.page().contains("xxxx"));
    let gone = ana.post(&format!("{VARIABLES}/delete"), &[("name", "TOKEN")]).await;
    assert_eq!(gone.status, 303);
    assert!(!ana.get(VARIABLES).await.page().contains("TOKEN"));
    house.stop().await;
}

#[tokio::test]
async fn of_two_who_change_one_variable_the_second_is_told_what_the_first_has_set() {
    let house = House::start().await;
    let (mut ana, mut root) = (house.visitor("ana").await, house.visitor("root").await);
    // Both add it.
    assert_eq!(ana.post(VARIABLES, &[("name", "A"), ("value", "1")]).await.status, 303);
    let late = root.post(VARIABLES, &[("name", "A"), ("value", "2")]).await;
    assert_eq!(late.status, 422);
    assert!(late.refusal().starts_with("somebody else has changed `A` meanwhile"));
    assert!(late.page().contains("<code id=\"now\" class=\"value\">1</code>"), "{}", late.text);

    // Both change it.
    let change = format!("{VARIABLES}?name=A&in=");
    let (of_ana, of_root) = (ana.get(&change).await, root.get(&change).await);
    let seen = hidden(&of_ana, "seen");
    assert_eq!(seen, hidden(&of_root, "seen"));
    let form = |value, seen| [("name", "A"), ("value", value), ("seen", seen)];
    assert_eq!(ana.post(VARIABLES, &form("3", seen)).await.status, 303);
    let late = root.post(VARIABLES, &form("4", seen)).await;
    assert_eq!(late.status, 422);
    assert!(late.page().contains("<code id=\"now\" class=\"value\">3</code>"), "{}", late.text);
    assert!(late.page().contains(">4</textarea>"), "what root wanted is kept: {}", late.text);
    // Whoever has seen both may decide.
    let seen = hidden(&late, "seen").to_owned();
    assert_eq!(root.post(VARIABLES, &form("4", &seen)).await.status, 303);
    assert!(ana.get(VARIABLES).await.page().contains(">4</code>"));
    house.stop().await;
}

#[tokio::test]
async fn of_two_who_change_one_account_the_second_is_told_what_the_first_has_set() {
    let house = House::start().await;
    let mut root = house.visitor("root").await;
    let page = root.get("/admin/accounts/acme").await;
    let seen = hidden(&page, "seen");
    let form = |name, quotas, seen| [("name", name), ("quotas", quotas), ("seen", seen)];
    let first = root.post("/admin/accounts/acme", &form("Acme One", "cpu:compute:8", seen)).await;
    assert_eq!(
        first.field("location"),
        Some("/admin/accounts/acme?done=changed"),
        "{}",
        first.text
    );
    let late = root.post("/admin/accounts/acme", &form("Acme Two", "", seen)).await;
    assert_eq!(late.status, 422);
    assert!(late.page().contains("“Acme One”") && late.page().contains("value=\"Acme Two\""));
    let seen = hidden(&late, "seen").to_owned();
    assert_eq!(root.post("/admin/accounts/acme", &form("Acme Two", "", &seen)).await.status, 303);
    let page = root.get("/admin/accounts/acme").await;
    assert!(page.page().contains("Acme Two") && !page.page().contains("cpu:compute:8"));
    house.stop().await;
}

#[tokio::test]
async fn a_new_person_gets_a_password_that_is_shown_once() {
    let house = House::start().await;
    let mut root = house.visitor("root").await;
    let made = root.post("/admin/users", &[("email", "bea@example.org"), ("name", "Bea")]).await;
    assert_eq!(made.status, 200);
    let (_, rest) = made.page().split_once("id=\"one-time\" class=\"value\">").unwrap();
    let password = rest.split_once('<').unwrap().0.to_owned();
    assert!(!root.get("/admin/users").await.page().contains(&password));
    assert!(!stored(&house).await.contains(&password));

    let mut bea = Visitor::new(house.address);
    bea.get("/admin/sign-in").await;
    let form = [("email", "bea@example.org"), ("password", password.as_str())];
    assert_eq!(bea.post("/admin/sign-in", &form).await.status, 303);
    let out = [("email", "bea@example.org"), ("what", "disable")];
    assert_eq!(root.post("/admin/users/change", &out).await.status, 303);
    assert_eq!(bea.get("/admin").await.status, 403);
    let own = [("email", "root@example.org"), ("what", "demote")];
    assert_eq!(root.post("/admin/users/change", &own).await.status, 422);
    house.stop().await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_ended_by_its_owner_alone() {
    let house = House::start().await;
    house.person("eve", Standing::Person, None).await;
    let (mut ana, mut eve) = (house.visitor("ana").await, house.visitor("eve").await);
    for (only, refusal) in [("wharf", "`wharf` is not found"), ("acme/none", "`acme/none` is not")]
    {
        let refused = ana.post("/admin/tokens", &[("name", "ci"), ("only", only)]).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.refusal().contains(refusal), "{}", refused.refusal());
    }
    let form = [("name", "ci"), ("only", "acme/shop"), ("expires", "12w"), ("read", "on")];
    let made = ana.post("/admin/tokens", &form).await;
    let (_, rest) = made.page().split_once("id=\"made\" class=\"value\">").unwrap();
    let token = rest.split_once('<').unwrap().0.to_owned();
    assert!(token.starts_with("pierhead_"), "{token}");
    let page = ana.get("/admin/tokens").await;
    assert!(page.page().contains("reads acme/shop") && !page.page().contains(&token));
    assert!(!stored(&house).await.contains(&token));

    let request = format!(
        "GET /api/v1/users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    assert_eq!(status(&say(house.address, request.clone()).await), 200);
    let id = hidden(&page, "token").to_owned();
    assert_eq!(eve.post("/admin/tokens/delete", &[("token", &id)]).await.status, 422);
    let gone = ana.post("/admin/tokens/delete", &[("token", &id)]).await;
    assert_eq!(gone.field("location"), Some("/admin/tokens?done=token-gone"));
    assert_eq!(status(&say(house.address, request).await), 401);
    house.stop().await;
}
