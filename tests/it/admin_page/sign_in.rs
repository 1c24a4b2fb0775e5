//! In, and out.

use pierhead::domain::access::Standing;
use pierhead::people::{UserEdit, first_run_token, reset_password, set_user};

use crate::admin_page::House;
use crate::support::signed_in::{Answer, Visitor};

const GOOD: &str = "an ocean liner at the pier";

async fn sign_in(visitor: &mut Visitor, name: &str, password: &str) -> Answer {
    visitor.get("/admin/sign-in").await;
    let email = format!("{name}@example.org");
    visitor.post("/admin/sign-in", &[("email", &email), ("password", password)]).await
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let house = House::empty().await;
    let token = first_run_token(&house.db).await.unwrap();
    let place = format!("/admin/first-run?token={}", token.secret());
    let mut ana = Visitor::new(house.address);
    let page = ana.get(&place).await;
    assert_eq!(page.status, 200);
    let mut bea = ana.clone();

    let form = |email, password, again| {
        [
            ("token", token.secret()),
            ("name", "Ana"),
            ("email", email),
            ("password", password),
            ("again", again),
        ]
    };
    let short = ana.post("/admin/first-run", &form("ana@example.org", "short", "short")).await;
    assert_eq!(short.status, 422);
    assert!(short.refusal().contains("at least 12 characters"), "{}", short.text);
    assert!(!short.page().contains("short\""), "a password is shown again");
    let differs = ana.post("/admin/first-run", &form("ana@example.org", GOOD, "else")).await;
    assert!(differs.refusal().contains("differ"), "{}", differs.text);

    let made = ana.post("/admin/first-run", &form("ana@example.org", GOOD, GOOD)).await;
    assert_eq!((made.status, made.field("location")), (303, Some("/admin")));
    let home = ana.get("/admin").await;
    assert!(home.page().contains("/admin/users"), "she administrates: {}", home.text);
    // The token is used up, whoever comes with it, and no other is made.
    assert_eq!(
        bea.post("/admin/first-run", &form("bea@example.org", GOOD, GOOD)).await.status,
        404
    );
    assert_eq!(bea.get(&place).await.status, 404);
    let error = first_run_token(&house.db).await.unwrap_err();
    assert_eq!(error.to_string(), "this installation has an administrator: sign in");
    house.stop().await;
}

#[tokio::test]
async fn a_first_run_needs_the_token_that_was_printed_last() {
    let house = House::empty().await;
    let older = first_run_token(&house.db).await.unwrap();
    let newest = first_run_token(&house.db).await.unwrap();
    let mut visitor = Visitor::new(house.address);
    let status = |answer: Answer| answer.status;
    let at = |token: &str| format!("/admin/first-run?token={token}");
    assert_eq!(status(visitor.get("/admin/first-run").await), 404);
    assert_eq!(status(visitor.get(&at("x")).await), 404);
    assert_eq!(status(visitor.get(&at(older.secret())).await), 422);
    assert_eq!(status(visitor.get(&at(newest.secret())).await), 200);
    house.execute("UPDATE first_run SET expires_at = now() - interval '1 s'".to_owned()).await;
    assert_eq!(status(visitor.get(&at(newest.secret())).await), 422);
    house.stop().await;
}

#[tokio::test]
async fn a_password_for_one_sign_in_has_to_be_replaced_and_works_once() {
    let house = House::start().await;
    let once = house.person("bea", Standing::Person, None).await;
    let mut bea = Visitor::new(house.address);
    let before = bea.get("/admin/sign-in").await.field("set-cookie").unwrap().to_owned();
    let wanted = bea
        .post(
            "/admin/sign-in",
            &[("email", " Bea@Example.org "), ("password", &once), ("next", "/admin/keys")],
        )
        .await;
    assert_eq!((wanted.status, wanted.field("location")), (303, Some("/admin/keys")));
    let cookie = wanted.field("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"), "{cookie}");
    // Whoever knew what the browser held before knows nothing now.
    assert_ne!(before.split(';').next(), cookie.split(';').next());

    for path in ["/admin", "/admin/keys", "/jobs/1"] {
        let answer = bea.get(path).await;
        assert_eq!(answer.field("location"), Some("/admin/password"), "{path}");
    }
    let refused = bea.post("/admin/keys", &[("key", "x")]).await;
    assert_eq!(refused.field("location"), Some("/admin/password"));
    let mut other = Visitor::new(house.address);
    assert_eq!(sign_in(&mut other, "bea", &once).await.status, 422);

    let same = bea.post("/admin/password", &[("password", GOOD), ("again", GOOD)]).await;
    assert_eq!(same.field("location"), Some("/admin?done=password"));
    assert_eq!(bea.get("/admin/keys").await.status, 200);
    assert_eq!(sign_in(&mut other, "bea", GOOD).await.status, 303);

    // Now it takes the one that she has, and ends what others hold.
    let form = [
        ("current", "wrong wrong wrong"),
        ("password", "another liner"),
        ("again", "another liner"),
    ];
    let wrong = bea.post("/admin/password", &form).await;
    assert_eq!(wrong.refusal(), "this is not your password");
    assert_eq!(other.get("/admin").await.status, 200);
    let form = [("current", GOOD), ("password", "another liner"), ("again", "another liner")];
    assert_eq!(bea.post("/admin/password", &form).await.status, 303);
    assert_eq!(bea.get("/admin").await.status, 200);
    assert_eq!(other.get("/admin").await.field("location"), Some("/admin/sign-in"));
    house.stop().await;
}

#[tokio::test]
async fn nobody_learns_who_is_known_here() {
    let house = House::start().await;
    let mut visitor = Visitor::new(house.address);
    let wrong = sign_in(&mut visitor, "ana", "not her password").await;
    let nobody = sign_in(&mut visitor, "nobody", "not her password").await;
    assert_eq!((wrong.status, nobody.status), (422, 422));
    assert_eq!(wrong.refusal(), "the address or the password is wrong");
    let without = |answer: &Answer, name| {
        let page = answer.page().replace(&format!("{name}@example.org"), "");
        let (before, after) = page.split_once("name=\"csrf\" value=\"").unwrap();
        format!("{before}{}", after.split_once('"').unwrap().1)
    };
    assert_eq!(without(&wrong, "ana"), without(&nobody, "nobody"));
    house.stop().await;
}

#[tokio::test]
async fn who_guesses_is_stopped_and_the_right_password_does_not_help() {
    let house = House::start().await;
    let once = house.person("bea", Standing::Person, None).await;
    let mut visitor = Visitor::new(house.address);
    for _ in 0..10 {
        let wrong = sign_in(&mut visitor, "bea", "guess").await;
        assert_eq!(wrong.refusal(), "the address or the password is wrong");
    }
    let stopped = sign_in(&mut visitor, "bea", &once).await;
    assert_eq!(stopped.refusal(), "too many wrong passwords: try again in 15 minutes");
    // Whom nobody knows is counted alike, and then the address from which they all come.
    for _ in 0..10 {
        sign_in(&mut visitor, "nobody", "guess").await;
    }
    let stopped = sign_in(&mut visitor, "nobody", "guess").await;
    assert_eq!(stopped.refusal(), "too many wrong passwords: try again in 15 minutes");
    for guess in 0..8 {
        sign_in(&mut visitor, &format!("person{guess}"), "guess").await;
    }
    let stopped = sign_in(&mut visitor, "carl", "guess").await;
    assert_eq!(stopped.refusal(), "too many wrong passwords: try again in 15 minutes");
    house.execute("UPDATE sign_in_tries SET since = now() - interval '16 min'".to_owned()).await;
    assert_eq!(sign_in(&mut visitor, "bea", &once).await.status, 303);
    house.stop().await;
}

#[tokio::test]
async fn sessions_end_by_signing_out_by_time_and_by_an_administrator() {
    let house = House::start().await;
    let mut ana = house.visitor("ana").await;
    let mut elsewhere = house.visitor("ana").await;
    assert_eq!(ana.get("/admin").await.status, 200);
    let kept = ana.clone();
    let out = ana.post("/admin/sign-out", &[]).await;
    assert_eq!(out.field("location"), Some("/admin/sign-in"));
    assert!(out.field("set-cookie").unwrap().starts_with("pierhead=; Path=/; Max-Age=0;"));
    // What the browser held is worth nothing, also to whoever has copied it.
    let next = kept.clone().get("/admin/keys?done=key").await;
    assert_eq!(next.field("location"), Some("/admin/sign-in?next=/admin/keys%3Fdone%3Dkey"));
    assert_eq!(elsewhere.get("/admin").await.status, 200);

    for statement in [
        "UPDATE web_sessions SET seen_at = now() - interval '61 min'",
        "UPDATE web_sessions SET expires_at = now() - interval '1 s'",
    ] {
        let mut visitor = house.visitor("ana").await;
        house.execute(statement.to_owned()).await;
        assert_eq!(visitor.get("/admin").await.status, 303, "{statement}");
    }

    let mut ana = house.visitor("ana").await;
    let disable = UserEdit { disabled: Some(true), ..UserEdit::default() };
    set_user(&house.acting(), "ana@example.org", disable).await.unwrap();
    let barred = ana.get("/admin").await;
    assert_eq!(barred.status, 403);
    assert!(barred.page().contains("your user is disabled; ask your administrator"));
    reset_password(&house.acting(), "ana@example.org").await.unwrap();
    assert_eq!(ana.get("/admin").await.status, 303);
    house.stop().await;
}
