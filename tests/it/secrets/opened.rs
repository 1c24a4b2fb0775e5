//! What a worker gets to read, and nobody else.

use insta::assert_snapshot;
use pierhead::db::models::job::Job;
use pierhead::deploy::opened::Opened;
use secrecy::ExposeSecret as _;

use crate::secrets::{ask, write_shown};
use crate::support::app::secrets::keyring;
use crate::support::app::typed::{administrate, typed};
use crate::support::app::{App, Settings};

async fn opened(app: &App, job: &Job) -> Opened {
    let project = app.project_row("shop").await.id;
    Opened::of_job(&keyring().opener, job, project).unwrap()
}

fn told(opened: &Opened) -> String {
    let mut told = String::new();
    for (name, value) in opened.variables.iter() {
        told.push_str(&format!("{name}={value}\n"));
    }
    for (name, value) in &opened.secrets {
        told.push_str(&format!("secret {name}: {}\n", value.expose_secret()));
    }
    told
}

#[tokio::test]
async fn a_job_brings_the_variables_and_the_registry_of_its_time() {
    let app = App::start_with(Settings { roles: &["ssh"], ..Settings::default() }).await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    for (words, value) in [
        ("vars shop set PASSWORD --secret", "hunter2-of-project"),
        ("vars shop production set PASSWORD", "hunter2-of-environment"),
        ("vars shop set COLOUR", "red"),
    ] {
        typed(&ana, words, value.as_bytes()).await.assert_ok();
    }
    let set = "admin set registry acme/shop https://Reg.Example:5000/team --username ci";
    let done = administrate(&app, set, "hunter2-of-registry\n").await;
    done.assert_ok().assert_says("has the registry reg.example:5000/team now");
    let copy = ana.hello("acme/shop").await;
    write_shown(&copy, "${PASSWORD} ${COLOUR}", "");
    copy.commit("Show").await;
    copy.push(&["-o", "no-wait", "-o", "SIZE=large", "main"]).await.assert_ok();

    // What is changed now is for the next job.
    typed(&ana, "vars shop set COLOUR", b"green").await.assert_ok();
    let set = "admin set registry acme/shop localhost:5000 --plain-http false";
    administrate(&app, set, "").await.assert_ok();
    let opened = opened(&app, &app.job(1).await).await;
    assert_snapshot!(told(&opened), @"
    COLOUR=red
    PASSWORD=hunter2-of-environment
    SIZE=large
    secret PASSWORD: hunter2-of-environment
    secret registry password: hunter2-of-registry
    ");
    let registry = opened.registry.unwrap();
    assert_eq!(registry.address.to_string(), "reg.example:5000/team");
    assert!(!registry.plain_http);
    assert_eq!(registry.login.unwrap().username, "ci");
    app.stop().await;
}

#[tokio::test]
async fn a_registry_is_set_changed_and_taken_away() {
    let app = App::start_with(Settings { roles: &[], ..Settings::default() }).await;
    app.project("shop").await;
    let longest = "hunter2-".repeat(2 * 1024);
    let longer = format!("{longest}-");
    let mut said = String::new();
    for (words, input) in [
        ("admin set registry acme/shop localhost:5000/x --username long", longer.as_str()),
        ("admin set registry acme/shop localhost:5000/x --username long", longest.as_str()),
        ("admin set registry acme/shop localhost:5000/x --username ci", "hunter2-of-registry\n"),
        ("admin set registry acme/shop localhost:5000/x --username a:b", "hunter2-of-registry\n"),
        ("admin set registry acme/shop localhost:5000/x --username ci", "hunt\n"),
        ("admin set registry acme/none localhost:5000", ""),
        ("admin set registry acme/shop localhost:port", ""),
        ("admin set registry acme/shop localhost:5001", ""),
        ("admin unset registry acme/shop", ""),
        ("admin unset registry acme/shop", ""),
    ] {
        let done = administrate(&app, words, input).await;
        said.push_str(&format!("$ {words}\n{}{}", done.stdout, done.stderr));
        let rows = "SELECT format('%s %s %s', address, username, password ->> 'v') AS line FROM registries";
        said.push_str(&format!("  {:?}\n", ask(&app, rows).await));
    }
    assert!(!said.contains("hunter2"), "{said}");
    assert_snapshot!(said, @r#"
    $ admin set registry acme/shop localhost:5000/x --username long
    pierhead: standard input has more than 16 KiB: that is no password
      []
    $ admin set registry acme/shop localhost:5000/x --username long
    acme/shop has the registry localhost:5000/x now. Its images are pushed there, from the next deployment on.
      ["localhost:5000/x long 1"]
    $ admin set registry acme/shop localhost:5000/x --username ci
    acme/shop has the registry localhost:5000/x now. Its images are pushed there, from the next deployment on.
      ["localhost:5000/x ci 1"]
    $ admin set registry acme/shop localhost:5000/x --username a:b
    pierhead: this cannot be the name of a user: give up to 255 characters, without `:`
      ["localhost:5000/x ci 1"]
    $ admin set registry acme/shop localhost:5000/x --username ci
    pierhead: `password` is secret: the value is too short to be hidden in output: make it at least 6 characters, spaces not counted
      ["localhost:5000/x ci 1"]
    $ admin set registry acme/none localhost:5000
    pierhead: `acme/none` not found
      ["localhost:5000/x ci 1"]
    $ admin set registry acme/shop localhost:port
    error: invalid value 'localhost:port' for '<ADDRESS>': `localhost:port` is not the address of a registry: write host[:port][/path]

    For more information, try '--help'.
      ["localhost:5000/x ci 1"]
    $ admin set registry acme/shop localhost:5001
    acme/shop has the registry localhost:5001 now. Its images are pushed there, from the next deployment on.
      ["localhost:5001  "]
    $ admin unset registry acme/shop
    acme/shop has no registry any more.
      []
    $ admin unset registry acme/shop
    pierhead: `registry of acme/shop` not found
      []
    "#);
    app.stop().await;
}
