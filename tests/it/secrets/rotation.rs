//! A new key takes the place of an old one.

use insta::assert_snapshot;

use crate::secrets::{ask, configure, dump, write_shown};
use crate::support::app::secrets::{next_pair, private_key};
use crate::support::app::typed::{administrate, typed};
use crate::support::app::{App, Settings};
use crate::support::registry::OwnRegistry;

#[tokio::test]
async fn after_everything_is_sealed_anew_the_old_key_is_not_needed() {
    let mut app = App::start_with(Settings::default()).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set A --secret", b"hunter2-of-project").await.assert_ok();
    let registry = OwnRegistry::start().await;
    let words = registry.set("shop");
    administrate(&app, &words, "hunter2-of-registry").await.assert_ok();
    let cluster = "admin create cluster acme/shop far --environment staging --kind kubernetes \
                   --address https://127.0.0.1:1 --token -";
    administrate(&app, cluster, "hunter2-of-cluster\n").await.assert_ok();
    app.project_without_target("lib").await;
    let source = "admin set source acme/lib https://git.example.org/lib --token -";
    administrate(&app, source, "hunter2-of-source").await.assert_ok();
    let copy = ana.hello("acme/shop").await;
    write_shown(&copy, "${A}", "");
    copy.commit("Show it").await;
    copy.push(&["-o", "A=hunter2-of-launch", "main"]).await.assert_ok();
    // As it was stored before there were keys.
    app.execute("UPDATE releases SET variables = '{\"web/app/SHOWN\": \"hunter2-of-launch\"}'")
        .await;

    app.take("serve").terminate().await;
    let old = private_key(&app.folder);
    let (public, new) = next_pair(&app.folder);
    configure(&mut app, &public, &[&new]);
    let early = administrate(&app, "admin reseal", "").await;
    early.assert_code(1).assert_says("variable of the project, `A` (key 908e07425e1bcfb1)");
    configure(&mut app, &public, &[&new, &old]);
    let done = administrate(&app, "admin reseal", "").await;
    done.assert_ok().assert_says("all are sealed with key");
    let again = administrate(&app, "admin reseal", "").await;
    again.assert_ok().assert_says("0 values were sealed anew");
    let dump = dump(&app).await;
    assert!(!dump.contains("908e07425e1bcfb1"), "rows of the old key are left");
    assert!(!dump.contains("hunter2"), "clear rows are left");

    std::fs::remove_file(&old).unwrap();
    configure(&mut app, &public, &[&new]);
    app.spawn("serve").await;
    let port = app.process("ssh").port("SSH");
    let ana = ana.at(port);
    let redeployed = ana.ssh(&["redeploy", "shop", "production"]).await;
    redeployed.assert_ok().assert_says("nothing changed since v1");
    assert_eq!(app.get(&copy.host(), "/").await, (200, "hunter2-of-launch\n".to_owned()));
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn a_worker_makes_the_first_keys_and_does_not_start_without_them_later() {
    let app = App::start_with(Settings { roles: &[], ..Settings::default() }).await;
    let mut app = app;
    let folder = app.folder.path().join("seal");
    let (public, private) = (folder.join("public.pem"), folder.join("private.pem"));
    configure(&mut app, &public, &[&private]);
    app.spawn("worker").await;
    assert!(public.exists() && private.exists());
    app.take("worker").terminate().await;
    let made = administrate(&app, "keygen", "").await;
    made.assert_code(1).assert_says("private.pem exists");

    std::fs::remove_file(&private).unwrap();
    let refused = administrate(&app, "worker", "").await;
    refused.assert_code(1).assert_says("is gone: without it nothing opens that was stored");
    let next = folder.join("next");
    let made = administrate(&app, &format!("keygen {}", next.display()), "").await;
    assert_eq!(made.assert_ok().stdout.trim().len(), 16);
    let steps = made.stderr.replace(&folder.display().to_string(), "[folder]");
    assert_snapshot!(steps, @"
    Made [folder]/next/private.pem and [folder]/next/public.pem.
    Only workers may read the private key. Keep a copy: nothing opens without it.
    To rotate: add [folder]/next/private.pem to seal.private_keys and set seal.public_key to [folder]/next/public.pem. Restart workers, then ssh and web (or pierhead.service): whoever was started before seals with the old key. Run `pierhead admin reseal`, and once more: take the old key out when the second one says that 0 values were sealed anew.
    ");
    assert_eq!(ask(&app, "SELECT name::text AS line FROM variables").await, [""; 0]);
    app.stop().await;
}

#[test]
fn the_readme_rotates_in_the_order_that_keygen_says() {
    let readme = include_str!("../../../README.md");
    let (_, rotation) = readme.split_once("pierhead keygen").unwrap();
    let steps = [
        "restart pierhead-worker  ",
        "restart pierhead-ssh pierhead-web",
        "admin reseal\n",
        "admin reseal            # 0 values were sealed anew",
        "the old one can leave `seal.private_keys`",
    ];
    let places: Vec<_> = steps.iter().map(|step| rotation.find(step)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
}
