//! A secret is no build argument, whoever gave it.

use crate::support::app::App;
use crate::support::app::typed::{administrate, typed};

#[tokio::test]
async fn what_was_secret_when_it_was_given_is_no_build_argument_of_a_redeploy() {
    let app = App::start().await;
    app.project("shop").await;
    let ana = app.developer("ana").await;
    typed(&ana, "vars shop set TOKEN --secret", b"hunter2-of-project").await.assert_ok();
    let copy = ana.hello("acme/shop").await;
    copy.push(&["-o", "TOKEN=hunter2-of-launch", "main"]).await.assert_ok();

    // The project has no such secret any more, and a redeploy gets what was given to that push.
    typed(&ana, "vars shop unset TOKEN", b"").await.assert_ok();
    let argument = "hello: {path: ., variables: {TOKEN: \"${TOKEN}\"}}";
    copy.write(".paas.yaml", &copy.paas_yaml().replace("hello: {path: .}", argument));
    copy.commit("Give it to the build").await;
    copy.push(&["-o", "skip", "main"]).await.assert_ok();
    let redeployed = ana.ssh(&["redeploy", "shop", "production"]).await;
    redeployed.assert_code(1).assert_says("the secret `TOKEN` would stay in the image's history");
    let context = administrate(&app, "admin job context 2", "").await;
    context.assert_ok().assert_says("secrets = [\"TOKEN\"]");
    app.assert_nothing_left().await;
    app.stop().await;
}
