//! People who mean harm.

use pierhead::domain::access::{Role, Standing};
use pierhead::people::{KeyTerms, create_key};
use pierhead::projects::{AccountEdit, create_account, create_project, delete_member, set_account};

use crate::admin_page::House;
use crate::support::http::{say, status};
use crate::support::signed_in::Visitor;

const ATTACK: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";

#[tokio::test]
async fn names_are_text_wherever_they_are_shown() {
    let house = House::start().await;
    let mut root = house.visitor("root").await;
    // Whatever takes a free text takes this one.
    let made = root.post("/admin/users", &[("email", "\"<b>\"@example.org"), ("name", ATTACK)]);
    assert_eq!(made.await.status, 200);
    let name = AccountEdit { name: Some("<i>Acme</i>".to_owned()), ..AccountEdit::default() };
    set_account(&house.acting(), "acme".parse().unwrap(), name).await.unwrap();
    let key = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIFifbGaj8GcjInSckiHALB/ugaUUXK+lYTYKyd17wEP9 <script>x</script>";
    create_key(&house.acting(), "root@example.org", key, KeyTerms::default()).await.unwrap();
    let variable = [("name", "A"), ("value", ATTACK)];
    assert_eq!(root.post("/admin/projects/acme/shop/variables", &variable).await.status, 303);
    let member = [("email", "\"<b>\"@example.org"), ("role", "viewer")];
    assert_eq!(root.post("/admin/accounts/acme/members", &member).await.status, 303);
    // What is refused is shown once more, too.
    let refused = [
        root.post("/admin/accounts", &[("account", ATTACK), ("owner", ATTACK)]).await,
        root.post("/admin/users", &[("email", ATTACK), ("name", ATTACK)]).await,
        root.post("/admin/keys", &[("key", ATTACK), ("name", ATTACK)]).await,
        root.post("/admin/accounts/acme/projects", &[("project", ATTACK), ("branch", ATTACK)])
            .await,
        root.post("/admin/accounts/acme", &[("name", ATTACK), ("quotas", ATTACK)]).await,
        root.post("/admin/projects/acme/shop/variables", &[("name", ATTACK), ("value", ATTACK)])
            .await,
        root.post("/admin/projects/acme/shop/redeploy", &[("environment", ATTACK)]).await,
        root.post(
            "/admin/projects/acme/shop/clusters",
            &[("environment", ATTACK), ("address", ATTACK), ("name", ATTACK)],
        )
        .await,
    ];
    let mut answers: Vec<_> = refused.into_iter().map(|answer| (422, answer)).collect();
    let query = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for path in [
        "/admin",
        "/admin/users",
        "/admin/keys",
        "/admin/accounts",
        "/admin/accounts/acme",
        "/admin/projects/acme/shop",
        "/admin/projects/acme/shop/variables?name=A&in=",
        "/admin/audit",
        &format!("/admin/audit?who={query}&subject={query}&deed={query}"),
        &format!("/admin?done={query}"),
        &format!("/admin/projects/acme/shop/variables?name={query}&in={query}"),
    ] {
        answers.push((200, root.get(path).await));
    }
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{}", answer.text);
        for tag in ["<script>", "<img src=x", "<b>", "<i>Acme"] {
            assert!(!answer.page().contains(tag), "{tag} in {}", answer.text);
        }
    }
    house.stop().await;
}

#[tokio::test]
async fn what_belongs_to_another_account_is_not_there() {
    let house = House::start().await;
    create_account(&house.acting(), "wharf".parse().unwrap(), None).await.unwrap();
    let crane = ("wharf".parse().unwrap(), "crane".parse().unwrap());
    create_project(&house.acting(), crane, "main").await.unwrap();
    let mut ana = house.visitor("ana").await;
    for path in [
        "/admin/accounts/wharf",
        "/admin/accounts/nowhere",
        "/admin/projects/wharf/crane",
        "/admin/projects/wharf/nowhere",
        "/admin/projects/acme/crane",
        "/admin/projects/wharf/shop",
        "/admin/projects/wharf/crane/variables",
        "/admin/projects/..%2Fwharf/crane",
        "/jobs/1",
    ] {
        let answer = ana.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.page().contains("There is no such page"), "{path}");
        assert!(!answer.page().contains("crane"), "{path}");
    }
    for path in ["/admin", "/admin/accounts"] {
        let page = ana.get(path).await;
        assert!(page.page().contains("acme") && !page.page().contains("wharf"), "{path}");
    }
    for (path, field) in [
        ("/admin/projects/wharf/crane/variables", ("name", "A")),
        ("/admin/projects/wharf/crane/variables/delete", ("name", "A")),
        ("/admin/projects/wharf/crane/redeploy", ("environment", "production")),
        ("/admin/accounts/wharf/members", ("email", "ana@example.org")),
        ("/admin/accounts/wharf/projects", ("project", "mine")),
    ] {
        assert_eq!(ana.post(path, &[field, ("role", "owner")]).await.status, 404, "{path}");
    }
    // Whether there is such an account or not.
    for account in ["wharf", "nowhere"] {
        let path = format!("/admin/accounts/{account}");
        assert_eq!(ana.post(&path, &[("name", "mine")]).await.status, 403, "{path}");
    }
    house.stop().await;
}

#[tokio::test]
async fn nobody_makes_more_of_themselves_by_fields_that_no_form_has() {
    let house = House::start().await;
    house.person("vic", Standing::Person, Some(Role::Viewer)).await;
    let mut vic = house.visitor("vic").await;
    let extra =
        [("administrator", "on"), ("role", "owner"), ("user_id", "1"), ("password_once", "")];
    let passwords = [("password", "a viewer of ships"), ("again", "a viewer of ships")];
    vic.post("/admin/password", &[&passwords[..], &extra].concat()).await;
    let key = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIFifbGaj8GcjInSckiHALB/ugaUUXK+lYTYKyd17wEP9";
    let own = [("key", key), ("email", "root@example.org"), ("user", "root@example.org")];
    assert_eq!(vic.post("/admin/keys", &[&own[..], &extra].concat()).await.status, 303);
    assert_eq!(vic.get("/admin/users").await.status, 403);
    let mut root = house.visitor("root").await;
    assert!(root.get("/admin/keys").await.page().contains("You have none yet."));
    let member = [("email", "vic@example.org"), ("role", "owner")];
    assert_eq!(vic.post("/admin/accounts/acme/members", &member).await.status, 403);
    house.stop().await;
}

#[tokio::test]
async fn forms_that_are_too_long_or_broken_are_refused() {
    let house = House::start().await;
    let mut ana = house.visitor("ana").await;
    // Nothing of it is read.
    let long = format!(
        "POST /admin/keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {}\r\n\
         Content-Length: 300000\r\n\r\n",
        ana.cookie.as_ref().unwrap()
    );
    assert_eq!(status(&say(house.address, long).await), 413);
    let token = format!("csrf={}", ana.form_token());
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    assert_eq!(ana.send(("POST", "/admin/keys"), kind, &token).await.status, 400);
    let twice = format!("{token}&csrf=other&key=a&key=b");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(ana.send(("POST", "/admin/keys"), kind, &twice).await.status, 422);
    let json = "Content-Type: application/json\r\n";
    assert_eq!(ana.send(("POST", "/admin/keys"), json, "{\"csrf\":1}").await.status, 403);
    // Neither a cookie of another form nor two of them are anybody's.
    for cookie in ["pierhead=x", "pierhead=", "other=1"] {
        let mut visitor = Visitor { cookie: Some(cookie.to_owned()), ..ana.clone() };
        assert_eq!(visitor.get("/admin").await.status, 303, "{cookie}");
    }
    house.stop().await;
}

#[tokio::test]
async fn who_is_no_member_any_more_sees_nothing_from_then_on() {
    let house = House::start().await;
    let mut ana = house.visitor("ana").await;
    assert_eq!(ana.get("/admin/projects/acme/shop").await.status, 200);
    let email = "ana@example.org".to_owned();
    delete_member(&house.acting(), "acme".parse().unwrap(), email).await.unwrap();
    assert_eq!(ana.get("/admin/projects/acme/shop").await.status, 404);
    assert!(!ana.get("/admin").await.page().contains("acme/shop"));
    house.stop().await;
}
