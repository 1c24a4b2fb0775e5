//! Every page of the table, by everybody who may not ask for it.

use pierhead::domain::access::{
    Denied, KeyScope, Role, Standing, Subject, Verb, What, Who, authorise,
};
use pierhead::web::Route;
use pierhead::web::admin::{OPEN, PAGES};

use crate::admin_page::House;
use crate::support::signed_in::{Answer, Visitor};

/// The address of a page, about what is there.
fn path(route: &Route) -> String {
    let path = route.path.replace("{account}", "acme").replace("{project}", "shop");
    let path = path.replace("{job}", "1").replace("{environment}", "production");
    let path = path.replace("{cluster}", "engine");
    assert!(!path.contains('{'), "{path}");
    path
}

/// A page of the table, asked for with an empty form.
async fn ask(visitor: &mut Visitor, route: &Route) -> Answer {
    match route.method {
        "GET" => visitor.get(&path(route)).await,
        _ => visitor.post(&path(route), &[]).await,
    }
}

/// Why somebody may not ask, by the decision itself.
fn decide(verb: Verb, standing: Standing, role: Option<Role>) -> Result<(), Denied> {
    let nil = uuid::Uuid::nil();
    let what = match verb.subject() {
        Subject::Oneself => What::Oneself,
        Subject::Project => What::Project { id: nil.into(), account: nil.into(), role },
        Subject::Account => What::Account { id: nil.into(), role },
        Subject::Installation => What::Installation,
    };
    let who = Who { user: nil.into(), standing, bar: None, scope: KeyScope::FREE };
    authorise(&who, verb, what)
}

/// What a refusal looks like from outside.
fn told(denied: Denied) -> u16 {
    match denied {
        Denied::Unseen => 404,
        Denied::Barred(_) | Denied::Forbidden | Denied::Key => 403,
    }
}

impl House {
    /// There has to be a job to ask about.
    async fn with_a_job() -> Self {
        let house = Self::start().await;
        let mut root = house.visitor("root").await;
        let form = [("environment", "production")];
        let begun = root.post("/admin/projects/acme/shop/redeploy", &form).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        house
    }
}

#[tokio::test]
async fn every_page_is_refused_to_whom_it_is_not_for() {
    let house = House::with_a_job().await;
    let mut wrong = Vec::new();
    let mut stranger = Visitor::new(house.address);
    for route in PAGES {
        let answer = ask(&mut stranger, route).await;
        let place = answer.field("location").unwrap_or_default();
        if answer.status != 303 || !place.starts_with("/admin/sign-in") {
            wrong.push(format!("nobody: {route:?}: {}", answer.status));
        }
    }
    let mut refusals = 0;
    for (name, role) in [
        ("olga", Some(Role::Owner)),
        ("dora", Some(Role::Developer)),
        ("vic", Some(Role::Viewer)),
        ("eve", None),
    ] {
        house.person(name, Standing::Person, role).await;
        let mut visitor = house.visitor(name).await;
        for route in PAGES {
            // What is allowed is tried where it is told what comes of it.
            let Err(denied) = decide(route.verb, Standing::Person, role) else { continue };
            refusals += 1;
            let answer = ask(&mut visitor, route).await;
            if answer.status != told(denied) {
                wrong.push(format!("{name}: {route:?}: {}, not {denied:?}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refusals > PAGES.len(), "{refusals}");
    house.stop().await;
}

#[tokio::test]
async fn whoever_is_shut_out_sees_no_page_but_why() {
    let house = House::with_a_job().await;
    let mut ana = house.visitor("ana").await;
    house
        .execute("UPDATE users SET disabled_at = now() WHERE email = 'ana@example.org'".to_owned())
        .await;
    for route in PAGES {
        let answer = ask(&mut ana, route).await;
        assert_eq!(answer.status, 403, "{route:?}");
        assert!(answer.page().contains("your user is disabled"), "{route:?}");
    }
    house.stop().await;
}

#[tokio::test]
async fn an_administrator_may_ask_for_every_page() {
    let house = House::with_a_job().await;
    let mut root = house.visitor("root").await;
    // What is followed comes to no end, a text is no page, and nothing is live that workers could be
    // asked about; what they show is tried elsewhere.
    let others = ["/history", "/log", "/diff", "/containers", "/output"];
    let is_other = |route: &Route| others.iter().any(|end| route.path.ends_with(end));
    let is_page = |route: &&Route| route.method == "GET" && !is_other(route);
    for route in PAGES.iter().filter(is_page) {
        let answer = root.get(&path(route)).await;
        assert_eq!(answer.status, 200, "{route:?}");
        let page = answer.page();
        assert!(page.contains("<html lang=\"en\">") && page.contains("href=\"#main\""));
        assert!(!page.contains(" style=") && !page.contains("<style"), "{route:?}");
        assert!(!page.contains(" onclick") && !page.contains("<script>"), "{route:?}");
    }
    // There is an administrator, and she is signed in.
    assert_eq!(root.get("/admin/first-run").await.status, 404);
    assert_eq!(root.get("/admin/sign-in").await.status, 303);
    assert_eq!(root.get("/").await.field("location"), Some("/admin"));
    house.stop().await;
}

#[tokio::test]
async fn no_form_is_taken_that_was_not_shown_to_this_browser() {
    let house = House::with_a_job().await;
    let mut root = house.visitor("root").await;
    let other = house.visitor("root").await.form_token();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let forms = PAGES.iter().filter(|route| route.method == "POST").map(path);
    let open = OPEN.iter().filter(|(method, _)| *method == "POST");
    for path in forms.chain(open.map(|(_, path)| (*path).to_owned())) {
        let without = root.post_as_it_is(&path, &[]).await;
        assert_eq!(without.status, 403, "{path}");
        let foreign = root.post_as_it_is(&path, &[("csrf", &other)]).await;
        assert_eq!(foreign.status, 403, "{path}");
        assert!(foreign.page().contains("This form was not taken"), "{path}");
        // Browsers say when a page of another site has sent a form.
        let token = format!("csrf={}", root.form_token());
        let fields = format!("{kind}Sec-Fetch-Site: cross-site\r\n");
        let cross = root.send(("POST", &path), &fields, &token).await;
        assert_eq!(cross.status, 403, "{path}");
        // Nothing that changes anything is reached by a link.
        let linked = root.get(&format!("{path}?{token}")).await;
        assert!([200, 303, 404].contains(&linked.status), "{path}: {}", linked.status);
    }
    assert_eq!(root.get("/admin").await.status, 200, "she is still signed in");
    house.stop().await;
}
