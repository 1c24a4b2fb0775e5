//! Every request of the table, by everybody who may not make it.

use pierhead::domain::access::{
    Bar, Denied, KeyAccess, KeyScope, Role, Standing, Subject, Verb, What, Who, authorise,
};
use pierhead::domain::api_token::TokenAccess;
use pierhead::domain::ids::{AccountId, ProjectId};
use pierhead::people::TokenFor;
use pierhead::web::Route;
use pierhead::web::api::ROUTES;

use crate::api::{Api, Reply, bearer};

const PAGE: &str = include_str!("../../../docs/api.md");
const BEGIN: &str = "<!-- routes -->\n";
const END: &str = "<!-- end of routes -->";

/// Somebody, and what the decision must be told of them.
struct Person {
    name: &'static str,
    token: String,
    standing: Standing,
    role: Option<Role>,
    bar: Option<Bar>,
    scope: KeyScope,
}

impl Person {
    fn decide(&self, verb: Verb, (project, account): (ProjectId, AccountId)) -> Result<(), Denied> {
        let what = what_of(verb, (project, account), self.role);
        let (standing, bar, scope) = (self.standing, self.bar, self.scope.clone());
        authorise(&Who { user: uuid::Uuid::nil().into(), standing, bar, scope }, verb, what)
    }
}

fn what_of(verb: Verb, (id, account): (ProjectId, AccountId), role: Option<Role>) -> What {
    match verb.subject() {
        Subject::Oneself => What::Oneself,
        Subject::Project => What::Project { id, account, role },
        Subject::Account => What::Account { id: account, role },
        Subject::Installation => What::Installation,
    }
}

/// The request of a route, about what is there.
fn line(route: &Route) -> String {
    let path = route
        .path
        .replace("{account}", "acme")
        .replace("{project}", "shop")
        .replace("{environment}", "production")
        .replace("{variable}", "NAME")
        .replace("{cluster}", "engine")
        .replace("{job}", "1")
        .replace("{user}", "root@example.org")
        .replace("{key}", "00000000-0000-0000-0000-000000000000")
        .replace("{token}", "00000000-0000-0000-0000-000000000000");
    assert!(!path.contains('{'), "{path}");
    format!("{} {path}", route.method)
}

/// What a refusal looks like from outside.
fn told(denied: Denied) -> (u16, &'static str) {
    match denied {
        Denied::Barred(_) => (401, "unauthenticated"),
        Denied::Unseen => (404, "not-found"),
        Denied::Forbidden | Denied::Key => (403, "forbidden"),
    }
}

/// The table of the page, by the decision itself.
fn table() -> String {
    let columns = [
        ("no member", Standing::Person, None, KeyAccess::Deploy),
        ("viewer", Standing::Person, Some(Role::Viewer), KeyAccess::Deploy),
        ("developer", Standing::Person, Some(Role::Developer), KeyAccess::Deploy),
        ("owner", Standing::Person, Some(Role::Owner), KeyAccess::Deploy),
        ("administrator", Standing::Administrator, None, KeyAccess::Deploy),
        ("owner, token to read", Standing::Person, Some(Role::Owner), KeyAccess::Read),
    ];
    let mut table = "| request | right |".to_owned();
    for (column, ..) in columns {
        table.push_str(&format!(" {column} |"));
    }
    table.push_str(&format!("\n|---|---|{}\n", "---|".repeat(columns.len())));
    let ids = (uuid::Uuid::nil().into(), uuid::Uuid::nil().into());
    for Route { method, path, verb } in ROUTES {
        table.push_str(&format!("| `{method} {path}` | {verb} |"));
        for (_, standing, role, access) in columns {
            let scope = KeyScope { access, ..KeyScope::FREE };
            let user = uuid::Uuid::nil().into();
            let who = Who { user, standing, bar: None, scope };
            let cell = match authorise(&who, *verb, what_of(*verb, ids, role)) {
                Ok(()) => "yes".to_owned(),
                Err(denied) => told(denied).0.to_string(),
            };
            table.push_str(&format!(" {cell} |"));
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_page_says_who_may_what() {
    let (before, rest) = PAGE.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let page = format!("{before}{BEGIN}{}{END}{after}", table());
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/api.md");
    std::fs::write(file, page).unwrap();
    assert_eq!(found, table(), "run `cp {file} docs/api.md`");
}

/// A request with a body and a precondition: what is refused is refused whatever else is sent.
async fn request(api: &Api, route: &Route, fields: &str) -> Reply {
    let has_body = route.method != "GET" && route.method != "DELETE";
    let fields = format!("{fields}If-Match: *\r\nContent-Type: application/json\r\n");
    api.send(&line(route), &fields, if has_body { "{\"\": 1}" } else { "" }).await
}

#[tokio::test]
async fn every_request_is_refused_to_whoever_may_not_make_it() {
    let api = Api::start().await;
    let shop = pierhead::projects::named(api.db(), "acme/shop".parse().unwrap()).await.unwrap();
    let ids = (shop.id, shop.account_id);
    let root = api.administrator().await;
    // There has to be a job to ask about; its project is of the same account.
    let job = "POST /projects/acme/shop/environments/production/jobs";
    api.ask(&root, job).await.assert(202);

    let people = everybody(&api, root, shop.account_id).await;
    shut_out(&api).await;

    let mut wrong = Vec::new();
    let mut refusals = 0;
    for route in ROUTES {
        for (who, fields) in [("nobody", String::new()), ("a guess", bearer(&guess()))] {
            let reply = request(&api, route, &fields).await;
            if (reply.status, reply.problem()) != (401, "unauthenticated")
                || reply.header("www-authenticate").is_none()
            {
                wrong.push(format!("{who}: {}: {reply:?}", line(route)));
            }
        }
        for person in &people {
            // What is allowed is tried where it is told what comes of it.
            let Err(denied) = person.decide(route.verb, ids) else { continue };
            refusals += 1;
            let reply = request(&api, route, &bearer(&person.token)).await;
            if (reply.status, reply.problem()) != told(denied) {
                wrong.push(format!("{}: {}: {denied:?}: {reply:?}", person.name, line(route)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(refusals > ROUTES.len() * 4, "{refusals}");
    api.stop().await;
}

/// People and tokens of all kinds, seen from `acme/shop`.
async fn everybody(api: &Api, root: String, account: AccountId) -> Vec<Person> {
    api.project("other").await;
    let other = pierhead::projects::named(api.db(), "acme/other".parse().unwrap()).await.unwrap();
    let mut people = Vec::new();
    let person = |name, token, role| Person {
        name,
        token,
        standing: Standing::Person,
        role,
        bar: None,
        scope: KeyScope::FREE,
    };
    for (name, role) in [
        ("olga", Some(Role::Owner)),
        ("dora", Some(Role::Developer)),
        ("vic", Some(Role::Viewer)),
        ("eve", None),
    ] {
        people.push(person(name, api.person(name, role).await, role));
    }
    let admin = Person { standing: Standing::Administrator, ..person("root", root, None) };
    for (name, access, of, scope) in [
        (
            "reads",
            TokenAccess::Read,
            TokenFor::Everything,
            KeyScope { access: KeyAccess::Read, ..KeyScope::FREE },
        ),
        (
            "other",
            TokenAccess::Write,
            TokenFor::Project(other.id),
            KeyScope { projects: Some(vec![other.id]), ..KeyScope::FREE },
        ),
        (
            "account",
            TokenAccess::Write,
            TokenFor::Account(account),
            KeyScope { account: Some(account), ..KeyScope::FREE },
        ),
    ] {
        let of_admin = api.token("root@example.org", access, of).await;
        let standing = Standing::Administrator;
        let scoped = scope.clone();
        people.push(Person { standing, scope, ..person(name, of_admin, None) });
        let of_owner = api.token("olga@example.org", access, of).await;
        people.push(Person { scope: scoped, ..person(name, of_owner, Some(Role::Owner)) });
    }
    for (name, bar) in
        [("dan", Bar::UserDisabled), ("deb", Bar::UserDeleted), ("exe", Bar::TokenExpired)]
    {
        let token = api.person(name, Some(Role::Owner)).await;
        people.push(Person { bar: Some(bar), ..person(name, token, Some(Role::Owner)) });
    }
    people.push(admin);
    people
}

/// A token that nobody has.
fn guess() -> String {
    pierhead::domain::api_token::token(&[7; 32])
}

async fn shut_out(api: &Api) {
    use pierhead::people::{UserEdit, delete_user, set_user};

    let edit = UserEdit { disabled: Some(true), ..UserEdit::default() };
    set_user(&api.by, "dan@example.org", edit).await.unwrap();
    delete_user(&api.by, "deb@example.org").await.unwrap();
    execute(
        api,
        "UPDATE api_tokens SET expires_at = now() FROM users \
         WHERE users.id = user_id AND users.name = 'exe'",
    )
    .await;
}

/// Changes rows as time would.
pub(super) async fn execute(api: &Api, sql: &'static str) {
    use diesel_async::RunQueryDsl as _;

    let done: diesel::QueryResult<usize> =
        api.db().run(async move |c| diesel::sql_query(sql).execute(c).await).await;
    done.unwrap();
}

#[tokio::test]
async fn whoever_may_gets_what_they_ask_for() {
    let api = Api::start().await;
    let root = api.administrator().await;
    let vic = api.person("vic", Some(Role::Viewer)).await;
    let job = "POST /projects/acme/shop/environments/production/jobs";
    api.ask(&root, job).await.assert(202);
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        let expected = match route.path.rsplit('/').next() {
            // There is none.
            Some("registry" | "source") => 404,
            // It has to be said what is compared.
            Some("diff") => 400,
            // Nothing serves.
            Some("containers" | "output") => 409,
            _ => 200,
        };
        api.ask(&root, &line(route)).await.assert(expected);
        if route.verb.subject() == Subject::Project {
            api.ask(&vic, &line(route)).await.assert(expected);
        }
    }
    api.stop().await;
}

#[tokio::test]
async fn what_is_no_address_is_told_and_what_is_no_method_of_it_too() {
    let api = Api::start().await;
    let root = api.administrator().await;
    let reply = api.ask(&root, "GET /nothing").await.assert(404);
    assert_eq!(reply.problem(), "not-found");
    for (line, allow) in [
        ("PATCH /users/me", "GET"),
        ("DELETE /users/me", "GET"),
        ("PUT /users", "GET, POST"),
        ("POST /openapi.json", "GET"),
        ("TRACE /jobs/1", "GET"),
    ] {
        let reply = api.ask(&root, line).await.assert(405);
        assert_eq!((reply.problem(), reply.header("allow")), ("method-not-allowed", Some(allow)));
    }
    // Also nobody may know what there is.
    let reply = api.send("GET /openapi.json", "", "").await.assert(200);
    assert_eq!(reply.body["openapi"], "3.1.0");
    api.stop().await;
}
