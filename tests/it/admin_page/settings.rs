//! What a project is, where it goes, and its end.

use pierhead::domain::access::{Role, Standing};

use crate::admin_page::House;
use crate::support::signed_in::{Answer, Visitor};

const SHOP: &str = "/admin/projects/acme/shop";

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: main, user: ana}}]
clusters: [{name: main, cluster: {server: 'https://192.0.2.7:6443', insecure-skip-tls-verify: true}}]
users: [{name: ana, user: {token: hunter2-of-the-cluster}}]
";

/// Where somebody is sent when a form was taken.
fn sent_to(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.page());
    answer.field("location").unwrap()
}

async fn settings(visitor: &mut Visitor) -> String {
    visitor.get(&format!("{SHOP}/settings")).await.page().to_owned()
}

/// The value of a hidden field of a page.
fn seen(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"seen\" value=\"").expect("it says what was seen");
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn an_owner_changes_rules_and_names_and_no_more() {
    let house = House::start().await;
    let mut ana = house.visitor("ana").await;
    let rule = [("pattern", "refs/tags/v*"), ("environment", "staging"), ("protected", "on")];
    let set = ana.post(&format!("{SHOP}/rules"), &rule).await;
    assert_eq!(sent_to(&set), format!("{SHOP}/settings?done=rule"));
    assert!(settings(&mut ana).await.contains("<code>refs/tags/v*</code>"));
    for (pattern, priority) in [("refs/tags/../x", "0"), ("refs/heads/a", "first")] {
        let rule = [("pattern", pattern), ("environment", "staging"), ("priority", priority)];
        let bad = ana.post(&format!("{SHOP}/rules"), &rule).await;
        assert_eq!(bad.status, 422, "{pattern}");
        assert!(!bad.refusal().is_empty() && bad.page().contains(pattern), "{}", bad.page());
    }
    let gone = [("pattern", "refs/tags/v*")];
    let gone = ana.post(&format!("{SHOP}/rules/delete"), &gone).await;
    assert_eq!(sent_to(&gone), format!("{SHOP}/settings?done=rule-gone"));

    // Whether it is suspended is not hers to say.
    let page = settings(&mut ana).await;
    assert!(!page.contains("id=\"suspended\"") && !page.contains("id=\"registry\""), "{page}");
    let old = seen(&page);
    let form = [("prefix", "blue"), ("suspended", "on"), ("seen", &old)];
    assert_eq!(
        sent_to(&ana.post(&format!("{SHOP}/settings"), &form).await).rsplit('=').next(),
        Some("changed")
    );
    let page = settings(&mut ana).await;
    assert!(page.contains("value=\"blue\"") && !page.contains("suspended</span>"), "{page}");
    // What somebody else has changed meanwhile is not written over.
    let late = ana.post(&format!("{SHOP}/settings"), &[("prefix", "red"), ("seen", &old)]).await;
    assert_eq!(late.status, 422);
    assert!(late.refusal().contains("somebody else has changed"), "{}", late.refusal());
    house.stop().await;
}

#[tokio::test]
async fn where_images_go_and_commits_come_from_is_set_and_nothing_secret_is_shown() {
    let house = House::start().await;
    let mut root = house.visitor("root").await;
    let form = [
        ("registry", "registry.example.org/acme"),
        ("registry_username", "robot"),
        ("password", "hunter2-of-the-registry"),
    ];
    let set = root.post(&format!("{SHOP}/registry"), &form).await;
    assert_eq!(sent_to(&set), format!("{SHOP}/settings?done=registry"));
    let bad = [("registry", "no registry"), ("password", "hunter2")];
    let bad = root.post(&format!("{SHOP}/registry"), &bad).await;
    assert_eq!(bad.status, 422);
    assert!(!bad.page().contains("hunter2"), "{}", bad.page());

    let form = [
        ("url", "https://git.example.org/acme/shop.git"),
        ("token", "hunter2-of-the-source"),
        ("check_every", "5m"),
    ];
    let set = root.post(&format!("{SHOP}/source"), &form).await;
    assert_eq!(sent_to(&set), format!("{SHOP}/settings?done=source"));
    for (field, text, says) in [
        ("url", "file:///etc", "https"),
        ("check_every", "1s", "from a minute to a week"),
        ("host_keys", "no key", "host"),
    ] {
        let mut form = vec![("url", "https://git.example.org/acme/shop.git"), (field, text)];
        form.reverse();
        let bad = root.post(&format!("{SHOP}/source"), &form).await;
        assert_eq!(bad.status, 422, "{field}");
        assert!(bad.refusal().contains(says), "{field}: {}", bad.refusal());
    }
    let made = [("url", "git@git.example.org:acme/shop.git"), ("new_key", "on")];
    sent_to(&root.post(&format!("{SHOP}/source"), &made).await);
    let page = settings(&mut root).await;
    assert!(page.contains("ssh-ed25519 AAAA") && page.contains("robot"), "{page}");
    assert!(!page.contains("hunter2") && !page.contains("PRIVATE"), "{page}");
    let shop = root.get(SHOP).await;
    assert!(shop.page().contains("git@git.example.org:acme/shop.git"), "{}", shop.page());
    sent_to(&root.post(&format!("{SHOP}/source/delete"), &[]).await);
    sent_to(&root.post(&format!("{SHOP}/registry/delete"), &[]).await);
    assert_eq!(root.post(&format!("{SHOP}/registry/delete"), &[]).await.status, 404);
    house.stop().await;
}

#[tokio::test]
async fn targets_are_added_changed_and_taken_away_and_logins_are_not_shown() {
    let house = House::start().await;
    let mut root = house.visitor("root").await;
    let targets = format!("{SHOP}/clusters");
    let form = [
        ("kind", "kubernetes"),
        ("name", "main site"),
        ("environment", "production"),
        ("kubeconfig", KUBECONFIG),
        ("namespace_manage", "create"),
        ("adoption", "never"),
    ];
    let added = root.post(&targets, &form).await;
    assert_eq!(sent_to(&added), format!("{targets}?done=cluster"));
    let own = format!("{targets}/main%20site");
    let page = root.get(&own).await;
    assert!(page.page().contains("<code>https://192.0.2.7:6443</code>"), "{}", page.page());
    assert!(page.page().contains("not checked"), "{}", page.page());
    for (field, text, says) in [
        ("kubeconfig", "kind: hunter2", ""),
        ("name", "a/b", "without `/`"),
        ("address", "http://192.0.2.7", ""),
    ] {
        let mut bad = form.to_vec();
        bad.insert(0, (field, text));
        let bad = root.post(&targets, &bad).await;
        assert_eq!(bad.status, 422, "{field}");
        assert!(!bad.refusal().is_empty() && bad.refusal().contains(says), "{}", bad.page());
        assert!(!bad.page().contains("hunter2"), "{}", bad.page());
    }

    // Of two who save one form, the second is told.
    let seen = seen(page.page());
    let change = |namespace: &'static str| {
        let fields = [("namespace_manage", "never"), ("adoption", "next")];
        [fields.to_vec(), vec![("namespace", namespace), ("unverified", "on")]].concat()
    };
    let mut first = change("first");
    first.push(("seen", &seen));
    assert_eq!(sent_to(&root.post(&own, &first).await), format!("{own}?done=changed"));
    let mut second = change("second");
    second.push(("seen", &seen));
    let late = root.post(&own, &second).await;
    assert_eq!(late.status, 422, "{}", late.page());
    assert!(late.page().contains("<dd>first</dd>") && late.page().contains("value=\"second\""));
    // Who signs in is sealed for the address.
    let page = root.get(&own).await;
    let now = self::seen(page.page());
    let elsewhere = [change("first"), vec![("address", "https://192.0.2.8"), ("seen", &now)]];
    let refused = root.post(&own, &elsewhere.concat()).await;
    assert_eq!(refused.status, 422);

    let nobody = root.post(&format!("{own}/test"), &[]).await;
    assert_eq!(nobody.status, 422);
    assert!(nobody.refusal().contains("no worker answers"), "{}", nobody.refusal());
    let gone = root.post(&format!("{own}/delete"), &[]).await;
    assert_eq!(sent_to(&gone), format!("{targets}?done=cluster-gone"));
    assert_eq!(root.get(&own).await.status, 404);
    house.stop().await;
}

#[tokio::test]
async fn what_is_deleted_comes_back_or_goes_for_good() {
    let house = House::start().await;
    let (mut root, mut ana) = (house.visitor("root").await, house.visitor("ana").await);
    house.person("bea", Standing::Person, Some(Role::Viewer)).await;
    let slip = ana.post(&format!("{SHOP}/delete"), &[("confirm", "shop")]).await;
    assert_eq!(slip.status, 422);
    assert!(slip.refusal().contains("write acme/shop"), "{}", slip.refusal());
    let deleted = ana.post(&format!("{SHOP}/delete"), &[("confirm", "acme/shop")]).await;
    assert_eq!(sent_to(&deleted), "/admin?done=project-gone");
    assert_eq!(ana.get(SHOP).await.status, 404);
    sent_to(&root.post("/admin/users/delete", &[("email", "bea@example.org")]).await);
    let own = root.post("/admin/users/delete", &[("email", "root@example.org")]).await;
    assert_eq!(own.status, 422, "{}", own.page());
    let slip = root.post("/admin/accounts/acme/delete", &[("confirm", "acm")]).await;
    assert_eq!(slip.status, 422);

    let bin = root.get("/admin/deleted").await;
    assert!(bin.page().contains("acme/shop") && bin.page().contains("bea@example.org"));
    for form in [
        [("kind", "project"), ("name", "acme/shop")],
        [("kind", "user"), ("name", "bea@example.org")],
    ] {
        let back = root.post("/admin/deleted/restore", &form).await;
        assert!(sent_to(&back).starts_with("/admin/deleted?done=back"), "{form:?}");
        let again = root.post("/admin/deleted/restore", &form).await;
        assert_eq!(again.status, 422, "{form:?}");
    }
    assert_eq!(ana.get(SHOP).await.status, 200);
    let not_yet = [("kind", "account"), ("name", "acme")];
    assert_eq!(root.post("/admin/deleted/purge", &not_yet).await.status, 422);
    sent_to(&root.post("/admin/accounts/acme/delete", &[("confirm", "acme")]).await);
    sent_to(&root.post("/admin/deleted/purge", &not_yet).await);
    assert!(root.get("/admin/deleted").await.page().contains("There is nothing"));
    house.stop().await;
}
