//! Secrets that somebody set, printed by an application that does not stay up.

use crate::docker_host::DockerHost;
use crate::secrets::{dump, write_shown};
use crate::support::app::developer::{Copy, Developer, Done};
use crate::support::app::typed::{administrate, typed};
use crate::support::app::{App, Settings};
use crate::support::registry::{OwnRegistry, PASSWORD};

const SET: &str = "hunter2-of-project";
const LAUNCHED: &str = "hunter2-of-launch";

/// What the push and `logs` say when the application of this copy prints all it has.
async fn said(
    app: &App,
    (ana, copy): (&Developer, &Copy),
    (arguments, number): (&[&str], &str),
) -> String {
    let push = copy.push(arguments).await;
    let logs = ana.ssh(&["logs", number]).await;
    let Done { stdout, stderr, .. } = push.assert_code(1);
    format!("{stdout}\n{stderr}\n{}\n{}", logs.stdout, dump(app).await)
}

#[tokio::test]
async fn secret_variables_and_the_password_of_a_registry_are_hidden_in_output() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set TOKEN --secret", SET.as_bytes()).await.assert_ok();
    let registry = OwnRegistry::start().await;
    let words = registry.set("shop");
    administrate(&app, &words, PASSWORD).await.assert_ok();
    let copy = ana.hello("acme/shop").await;
    write_shown(&copy, "${TOKEN}", "");
    // In halves, such that the commit does not have it.
    let (half, rest) = PASSWORD.split_at(9);
    copy.write(
        "Dockerfile",
        &format!(
            "FROM busybox:stable\n\
             CMD [\"sh\", \"-c\", \"echo has $SHOWN; echo is '{half}''{rest}'; exit 1\"]\n"
        ),
    );
    copy.commit("Print").await;
    for (arguments, number) in
        [(&["main"][..], "1"), (&["-o", &format!("TOKEN={LAUNCHED}"), "main"], "2")]
    {
        let said = said(&app, (&ana, &copy), (arguments, number)).await;
        assert!(said.contains("| has [secret TOKEN]"), "{said}");
        assert!(said.contains("| is [secret registry password]"), "{said}");
        for value in [SET, LAUNCHED, PASSWORD] {
            assert!(!said.contains(value), "{value} in:\n{said}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_secret_that_a_build_is_shown_is_hidden_in_what_it_prints() {
    for program in ["docker", "buildah"] {
        if program == "buildah" && DockerHost::beside(program).await.is_none() {
            continue;
        }
        let settings = Settings::default().with("builder", &format!("program = {program:?}"));
        let app = App::start_with(settings).await;
        app.project("shop").await;
        let ana = app.developer("ana").await;
        typed(&ana, "vars shop set TOKEN --secret", SET.as_bytes()).await.assert_ok();
        let copy = ana.hello("acme/shop").await;
        copy.write(
            "Dockerfile",
            "FROM busybox:stable\n\
             RUN --mount=type=secret,id=TOKEN echo \"got $(cat /run/secrets/TOKEN)\"; exit 3\n",
        );
        copy.commit("Print").await;
        let said = said(&app, (&ana, &copy), (&["main"], "1")).await;
        assert!(said.contains("| got [secret TOKEN]"), "{program}: {said}");
        assert!(!said.contains(SET), "{program}: {said}");
        app.assert_nothing_left().await;
        app.stop().await;
    }
}
