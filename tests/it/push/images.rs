//! Images of the platform's library.

use crate::support::app::{App, Settings};

#[tokio::test]
async fn an_image_of_the_platforms_library_is_built_from_the_platforms_folder() {
    let library = tempfile::tempdir().unwrap();
    let tool = library.path().join("tool");
    std::fs::create_dir(&tool).unwrap();
    let dockerfile = "FROM busybox:stable\nARG WORD=none\n\
                      RUN mkdir /www && echo \"$WORD\" > /www/index.html\n\
                      CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n";
    std::fs::write(tool.join("Dockerfile"), dockerfile).unwrap();
    let settings = Settings::default()
        .with("builder", &format!("library = {:?}", library.path()))
        .with("libraries.images.tool", "path = \"tool\"");
    let app = App::start_with(settings).await;
    app.project("tools").await;
    let copy = app.developer("ana").await.hello("acme/tools").await;
    let file = copy.paas_yaml();
    let file = file.replace("hello: {path: .}", "tool: {variables: {WORD: given}}");
    copy.write(".paas.yaml", &file.replace("image: hello", "image: tool"));
    copy.commit("Use the platform's tool").await;
    copy.push(&["main"]).await.assert_ok();
    assert_eq!(app.get(&copy.host(), "/").await, (200, "given\n".to_owned()));
    app.stop().await;
}
