//! Every request that there is, by everybody who may not make it.

use futures::future::join_all;
use pierhead::domain::access::{
    Bar, Denied, KeyAccess, KeyScope, Role, Standing, Subject, Verb, What, Who, authorise,
};
use pierhead::domain::ids::{AccountId, ProjectId};
use pierhead::projects::set_member;
use pierhead::ssh::RIGHTS;

use crate::accounts::{admin, front_door};
use crate::support::app::App;
use crate::support::app::developer::{Developer, Done};

const PAGE: &str = include_str!("../../../docs/accounts.md");
const BEGIN: &str = "<!-- rights -->\n";
const END: &str = "<!-- end of rights -->";

/// Whose columns the page has; `None` is no member.
const COLUMNS: [(&str, Standing, Option<Role>, KeyAccess); 6] = [
    ("no member", Standing::Person, None, KeyAccess::Deploy),
    ("viewer", Standing::Person, Some(Role::Viewer), KeyAccess::Deploy),
    ("developer", Standing::Person, Some(Role::Developer), KeyAccess::Deploy),
    ("owner", Standing::Person, Some(Role::Owner), KeyAccess::Deploy),
    ("administrator", Standing::Administrator, None, KeyAccess::Deploy),
    ("owner, key to read", Standing::Person, Some(Role::Owner), KeyAccess::Read),
];

/// Somebody, and what the decision must be told of them.
struct Person {
    developer: Developer,
    role: Option<Role>,
    bar: Option<Bar>,
    scope: KeyScope,
}

impl Person {
    async fn new(app: &App, name: &str, role: Option<Role>) -> Self {
        let developer = app.stranger(name).await;
        if let Some(role) = role {
            let email = developer.email();
            set_member(&app.admin(), "acme".parse().unwrap(), email, role).await.unwrap();
        }
        Self { developer, role, bar: None, scope: KeyScope::FREE }
    }

    fn decide(&self, verb: Verb, project: ProjectId) -> Result<(), Denied> {
        let what = what_of(verb, (project, uuid::Uuid::nil().into()), self.role);
        let user = uuid::Uuid::nil().into();
        let (bar, scope) = (self.bar, self.scope.clone());
        authorise(&Who { user, standing: Standing::Person, bar, scope }, verb, what)
    }
}

/// What a right is wanted of: over SSH of oneself or of a project.
fn what_of(verb: Verb, (id, account): (ProjectId, AccountId), role: Option<Role>) -> What {
    match verb.subject() {
        Subject::Oneself => What::Oneself,
        Subject::Project => What::Project { id, account, role },
        Subject::Account => What::Account { id: account, role },
        Subject::Installation => What::Installation,
    }
}

/// The table of the page, by the decision itself.
fn table() -> String {
    let mut table = "| request | right |".to_owned();
    for (column, ..) in COLUMNS {
        table.push_str(&format!(" {column} |"));
    }
    table.push_str(&format!("\n|---|---|{}\n", "---|".repeat(COLUMNS.len())));
    let user = uuid::Uuid::nil().into();
    let shop = (uuid::Uuid::nil().into(), uuid::Uuid::nil().into());
    for right in RIGHTS {
        table.push_str(&format!("| `{}` | {} |", right.words, right.verb));
        for (_, standing, role, access) in COLUMNS {
            let scope = KeyScope { access, ..KeyScope::FREE };
            let who = Who { user, standing, bar: None, scope };
            let cell = match authorise(&who, right.verb, what_of(right.verb, shop, role)) {
                Ok(()) => "yes",
                Err(Denied::Unseen) => "not found",
                Err(Denied::Barred(_) | Denied::Forbidden | Denied::Key) => "no",
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
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/accounts.md");
    std::fs::write(file, page).unwrap();
    assert_eq!(found, table(), "run `cp {file} docs/accounts.md`");
}

/// What the server decided, by what it says.
fn decided(done: &Done) -> Result<(), Denied> {
    let says = |text: &str| done.stderr.contains(text);
    if says("your user is disabled") {
        Err(Denied::Barred(Bar::UserDisabled))
    } else if says("your user is deleted") {
        Err(Denied::Barred(Bar::UserDeleted))
    } else if says("this key has expired") {
        Err(Denied::Barred(Bar::KeyExpired))
    } else if says("not found") {
        Err(Denied::Unseen)
    } else if says("you may look at") {
        Err(Denied::Forbidden)
    } else if says("the key that you came with") {
        Err(Denied::Key)
    } else {
        Ok(())
    }
}

/// Makes every request as one person, and gives what was decided otherwise than it should be.
async fn try_all(person: &Person, project: ProjectId) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = &person.developer.name;
    for right in RIGHTS {
        let done = person.developer.ssh(&[right.words]).await;
        let (expected, found) = (person.decide(right.verb, project), decided(&done));
        if found != expected {
            wrong.push(format!("{name}: {}: {found:?}, not {expected:?}\n{done:?}", right.words));
        }
        // A refusal has one exit status, whatever it is for.
        if expected.is_err() && done.code != 128 {
            wrong.push(format!("{name}: {}: exit status {}", right.words, done.code));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_decided_as_the_table_of_rights_says() {
    let app = App::start_with(front_door().with("push", "wait_limit = \"200ms\"")).await;
    app.project("shop").await;
    app.project_without_target("other").await;
    let shop = app.project_row("shop").await.id;
    let other = app.project_row("other").await.id;
    // There has to be a job to ask about.
    let ana = app.developer("ana").await;
    ana.hello("acme/shop").await.push(&["-o", "no-wait", "main"]).await.assert_ok();

    let mut people = Vec::new();
    for (name, role) in [
        ("olga", Some(Role::Owner)),
        ("dora", Some(Role::Developer)),
        ("vic", Some(Role::Viewer)),
        ("eve", None),
        ("dan", Some(Role::Owner)),
        ("deb", Some(Role::Owner)),
        ("exe", Some(Role::Owner)),
        ("rea", Some(Role::Owner)),
        ("one", Some(Role::Owner)),
    ] {
        people.push(Person::new(&app, name, role).await);
    }
    let [_, _, _, _, dan, deb, exe, rea, one] = people.as_mut_slice() else { panic!() };
    admin(&app, "set user dan@example.org --disabled true").await.assert_ok();
    dan.bar = Some(Bar::UserDisabled);
    admin(&app, "delete user deb@example.org").await.assert_ok();
    deb.bar = Some(Bar::UserDeleted);
    exe.bar = Some(Bar::KeyExpired);
    app.execute(
        "UPDATE ssh_keys SET expires_at = now() - interval '1 hour' FROM users \
         WHERE users.id = user_id AND users.name = 'exe'",
    )
    .await;
    rea.scope.access = KeyAccess::Read;
    app.execute(
        "UPDATE ssh_keys SET access = 'read' FROM users \
         WHERE users.id = user_id AND users.name = 'rea'",
    )
    .await;
    one.scope.projects = Some(vec![other]);
    app.execute(
        "WITH changed AS (UPDATE ssh_keys SET all_projects = false FROM users \
             WHERE users.id = user_id AND users.name = 'one' RETURNING ssh_keys.id) \
         INSERT INTO ssh_key_projects SELECT changed.id, projects.id FROM changed, projects \
             WHERE slug = 'other'",
    )
    .await;

    let wrong = join_all(people.iter().map(|person| try_all(person, shop))).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    app.stop().await;
}
