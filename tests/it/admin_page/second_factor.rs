//! Codes besides a password.

use chrono::Utc;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pierhead::domain::access::Standing;
use sha1::Sha1;

use crate::admin_page::House;
use crate::support::signed_in::{Answer, Visitor};

const PASSWORD: &str = "an ocean liner at the pier";

/// What an authenticator shows, some steps from now.
fn code(secret: &str, steps: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(Utc::now().timestamp() / 30 + steps).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let four: [u8; 4] = digest[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// What stands in an element of a page.
fn shown<'a>(answer: &'a Answer, begin: &str) -> Vec<&'a str> {
    let parts = answer.page().split(begin).skip(1);
    parts.map(|rest| rest.split_once('<').unwrap().0).collect()
}

async fn say_password(house: &House) -> (Visitor, Answer) {
    let mut visitor = Visitor::new(house.address);
    visitor.get("/admin/sign-in").await;
    let form = [("email", "bea@example.org"), ("password", PASSWORD), ("next", "/admin/keys")];
    let answer = visitor.post("/admin/sign-in", &form).await;
    (visitor, answer)
}

/// Somebody with a password, who has turned it on: with the secret, and codes for who loses it.
async fn guarded(house: &House) -> (Visitor, String, Vec<String>) {
    let once = house.person("bea", Standing::Person, None).await;
    let mut bea = Visitor::new(house.address);
    bea.get("/admin/sign-in").await;
    bea.post("/admin/sign-in", &[("email", "bea@example.org"), ("password", &once)]).await;
    let chosen = bea.post("/admin/password", &[("password", PASSWORD), ("again", PASSWORD)]).await;
    assert_eq!(chosen.status, 303, "{}", chosen.page());
    let begun = bea.post("/admin/second-factor", &[("password", "another liner at sea")]).await;
    assert_eq!((begun.status, begun.refusal()), (422, "this is not your password"));
    let begun = bea.post("/admin/second-factor", &[("password", PASSWORD)]).await;
    let secret = shown(&begun, "id=\"secret\" class=\"value\">")[0].to_owned();
    let address = shown(&begun, "id=\"otpauth\" href=\"")[0].split('"').next().unwrap();
    let address = address.replace("&amp;", "&").replace("&#38;", "&");
    let wrong = [("code", "000000"), ("secret", secret.as_str()), ("address", &address)];
    let wrong = bea.post("/admin/second-factor/confirm", &wrong).await;
    assert!(wrong.refusal().contains("this code is wrong"), "{}", wrong.page());
    assert!(wrong.page().contains(&secret), "it goes on");
    let on = bea.post("/admin/second-factor/confirm", &[("code", &code(&secret, -1))]).await;
    let codes: Vec<_> =
        shown(&on, "<li><code class=\"value\">").into_iter().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{}", on.page());
    let again = bea.get("/admin/second-factor").await;
    assert!(!again.page().contains(&codes[0]) && !again.page().contains(&secret));
    (bea, secret, codes)
}

#[tokio::test]
async fn a_code_is_asked_for_and_each_is_taken_once() {
    let house = House::start().await;
    let mut other = Visitor::new(house.address);
    let (mut bea, secret, codes) = guarded(&house).await;
    assert_eq!(bea.get("/admin").await.status, 200, "she stays signed in here");

    let (mut half, asked) = say_password(&house).await;
    assert_eq!(asked.status, 200);
    assert!(asked.page().contains("autocomplete=\"one-time-code\""), "{}", asked.page());
    // Between the two nobody is signed in.
    for page in ["/admin", "/admin/keys", "/admin/second-factor"] {
        assert_eq!(half.clone().get(page).await.status, 303, "{page}");
    }
    let stolen = [("code", code(&secret, 0))];
    let stolen: Vec<_> = stolen.iter().map(|(name, code)| (*name, code.as_str())).collect();
    other.get("/admin/sign-in").await;
    let elsewhere = other.post("/admin/sign-in/code", &stolen).await;
    assert!(elsewhere.refusal().contains("sign in again"), "{}", elsewhere.page());

    // The one that has confirmed it is used up.
    let used = half.post("/admin/sign-in/code", &[("code", &code(&secret, -1))]).await;
    assert_eq!(used.status, 422, "{}", used.page());
    let form = [("code", code(&secret, 0)), ("next", "/admin/keys".to_owned())];
    let form: Vec<_> = form.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let inside = half.clone().post("/admin/sign-in/code", &form).await;
    assert_eq!((inside.status, inside.field("location")), (303, Some("/admin/keys")));
    let twice = half.post("/admin/sign-in/code", &form).await;
    assert_eq!(twice.status, 422, "{}", twice.page());
    let (mut half, _) = say_password(&house).await;
    let replayed = half.post("/admin/sign-in/code", &form).await;
    assert_eq!(replayed.status, 422, "{}", replayed.page());

    // With another password than that which was said, it is too late.
    house
        .execute(
            "UPDATE awaited_codes SET password_hash = 'another one' FROM users \
             WHERE users.id = user_id AND email = 'bea@example.org'"
                .to_owned(),
        )
        .await;
    let late = half.clone().post("/admin/sign-in/code", &[("code", &codes[2])]).await;
    assert!(late.refusal().contains("sign in again"), "{}", late.page());
    house.execute("DELETE FROM sign_in_tries".to_owned()).await;
    let (mut half, _) = say_password(&house).await;

    // Without the phone, once.
    let recovery = [("code", codes[3].as_str())];
    let inside = half.post("/admin/sign-in/code", &recovery).await;
    assert_eq!(inside.status, 303, "{}", inside.page());
    let (mut half, _) = say_password(&house).await;
    assert_eq!(half.post("/admin/sign-in/code", &recovery).await.status, 422);
    let off = bea.post("/admin/second-factor/delete", &[("code", &codes[4])]).await;
    assert_eq!(off.status, 303, "{}", off.page());
    let (_, whole) = say_password(&house).await;
    assert_eq!(whole.field("location"), Some("/admin/keys"));
    let deeds = crate::support::database::count;
    let noted =
        "SELECT count(*) FROM audit WHERE deed IN ('set-second-factor', 'unset-second-factor')";
    assert_eq!(deeds(&house.db, noted).await, 2);
    house.stop().await;
}

#[tokio::test]
async fn wrong_codes_are_counted_and_an_administrator_takes_it_away() {
    let house = House::start().await;
    let (_bea, secret, _codes) = guarded(&house).await;
    let (mut half, _) = say_password(&house).await;
    let mut said = String::new();
    for _ in 0..10 {
        said = half.post("/admin/sign-in/code", &[("code", "123456")]).await.refusal().to_owned();
    }
    assert!(said.contains("too many"), "{said}");
    let right = half.post("/admin/sign-in/code", &[("code", &code(&secret, 0))]).await;
    assert_eq!(right.status, 422, "the right one neither");
    // A right password does not begin the count anew.
    let (_, again) = say_password(&house).await;
    assert!(again.refusal().contains("too many"), "{}", again.page());

    let mut root = house.visitor("root").await;
    assert!(root.get("/admin/users").await.page().contains("second factor</span>"));
    let form = [("email", "bea@example.org")];
    assert_eq!(root.post("/admin/users/second-factor", &form).await.status, 303);
    assert_eq!(root.post("/admin/users/second-factor", &form).await.status, 422);
    house.execute("DELETE FROM sign_in_tries".to_owned()).await;
    let (_, whole) = say_password(&house).await;
    assert_eq!(whole.field("location"), Some("/admin/keys"));
    house.stop().await;
}

#[tokio::test]
async fn a_secret_opens_for_its_owner_only_and_nobody_comes_in_without() {
    let house = House::start().await;
    let (_bea, secret, _codes) = guarded(&house).await;
    // Whoever writes rows gives somebody's secret to somebody else.
    house.person("eve", Standing::Person, None).await;
    house
        .execute(
            "INSERT INTO second_factors (user_id, sealed, confirmed_at) \
             SELECT eve.id, sealed, now() FROM second_factors, users eve \
             WHERE eve.email = 'eve@example.org'"
                .to_owned(),
        )
        .await;
    house
        .execute(
            "UPDATE users SET password_hash = bea.password_hash, password_once = false \
             FROM users bea \
             WHERE users.email = 'eve@example.org' AND bea.email = 'bea@example.org'"
                .to_owned(),
        )
        .await;
    let mut eve = Visitor::new(house.address);
    eve.get("/admin/sign-in").await;
    let form = [("email", "eve@example.org"), ("password", PASSWORD)];
    assert_eq!(eve.post("/admin/sign-in", &form).await.status, 200);
    let refused = eve.post("/admin/sign-in/code", &[("code", &code(&secret, 0))]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.refusal().contains("cannot be checked"), "{}", refused.refusal());
    house.stop().await;
}
