//! Every kind of image in one push: of Dockerfiles, of files upon those, of files that are shared,
//! and one that is not built at all.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use crate::docker_host::{self, DockerHost};
use crate::support::app::developer::{Copy, Done};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::registry::{OwnRegistry, PASSWORD};
use crate::support::skopeo::Copied;

fn write_gallery(copy: &Copy, project: &str, stock: &str) {
    let (stock, version) = stock.rsplit_once(':').unwrap();
    copy.write(
        ".paas.yaml",
        &format!(
            "paas: {{version: v1.1}}
images:
  web: {{path: docker/web}}
  base: {{path: docker/base}}
volumes:
  assets: {{add: [public/]}}
pods:
  web:
    containers:
      app:
        image: web
        listen: [8080]
        volumes:
          site: {{add: [site/, conf/site.conf], mount-path: /www, writables: [var, 'index.*']}}
          assets: {{from: assets, mount-path: /www/assets}}
        healthcheck:
          initial-delay-seconds: 0
          period-seconds: 1
          probe: {{http: {{path: /}}}}
  plain:
    containers:
      app:
        image: {stock}
        version: '{version}'
        listen: [8080]
        volumes:
          pages: {{add: [plain], mount-path: /www}}
  bare:
    containers:
      app:
        image: {stock}
        version: '{version}'
        listen: [8080]
        volumes: {{assets: {{from: assets, mount-path: /www}}}}
services:
  web: {{pod: web, ports: [{{listen: 80, target: 8080}}]}}
ingresses:
  web: {{host: acme-{project}.localhost, service: {{name: web, port: 80}}}}
"
        ),
    );
    let base = "FROM busybox:stable\nRUN mkdir /www && echo base > /www/base\n";
    let web = format!(
        "FROM acme/{project}/base:production\n\
         CMD [\"httpd\", \"-f\", \"-p\", \"8080\", \"-h\", \"/www\"]\n"
    );
    copy.write("docker/base/Dockerfile", base);
    copy.write("docker/web/Dockerfile", &web);
    copy.write("site/index.html", "the gallery");
    copy.write("site/var/cache", "warm");
    copy.write("conf/site.conf", "title = gallery\n");
    copy.write("plain/index.html", "plain");
    copy.write("public/logo.txt", "a logo");
}

/// A copy of a project of this name, with a gallery in it that is not yet pushed.
async fn gallery(app: &App, project: &str) -> Copy {
    let stock = format!("pierhead-test/{project}-stock:1");
    app.tag_hello_base(&stock).await;
    gallery_upon(app, project, &stock).await
}

async fn gallery_upon(app: &App, project: &str, stock: &str) -> Copy {
    app.project(project).await;
    let copy = app.developer("ana").await.hello(&format!("acme/{project}")).await;
    write_gallery(&copy, project, stock);
    copy.commit("A gallery").await;
    copy
}

async fn assert_answers(app: &App, copy: &Copy) {
    for (path, expected) in [
        ("/", "the gallery"),
        ("/base", "base\n"),
        ("/site.conf", "title = gallery\n"),
        ("/var/cache", "warm"),
        ("/assets/logo.txt", "a logo"),
    ] {
        assert_eq!(app.get(&copy.host(), path).await, (200, expected.to_owned()), "{path}");
    }
}

/// The image of files upon an own one has them as they are declared.
fn assert_web(image: &Copied) {
    assert_eq!(image.config["config"]["User"], "1000:1000");
    let expected = "-rw-r--r-- 1000/1000 www/index.html\n-rw-r--r-- 0/0 www/site.conf\n\
                    drwxr-xr-x 1000/1000 www/var\n-rw-r--r-- 1000/1000 www/var/cache\n";
    assert_eq!(image.uppermost(), expected);
}

/// The lines about images that are there, in the order of their names.
fn images(push: &Done) -> String {
    let told = push.told();
    let lines = told.lines().filter(|line| line.starts_with("image ") && line.contains(" [id]"));
    lines.collect::<BTreeSet<_>>().into_iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn images_upon_images_and_files_deploy_without_any_registry() {
    let app = App::start().await;
    let copy = gallery(&app, "gallery").await;
    let push = copy.push(&["main"]).await;
    push.assert_ok();
    assert_answers(&app, &copy).await;
    assert_snapshot!(images(&push), @"
    image     base:production [id]  [n] of 1 steps cached [time]
    image     busybox:stable [id] [time]
    image     gallery-stock:1-a116c-a172c-production [id]  2 files, 1 KiB [time]
    image     pierhead-test/gallery-stock:1 [id] [time]
    image     volumes.assets [id]  1 file, 1 KiB [time]
    image     web:4b5e5-a172c-production [id]  4 files, 1 KiB [time]
    image     web:production [id] [time]
    ");
    let web = "acme/gallery/web:4b5e5-a172c-production";
    assert_web(&Copied::from_engine(&docker_host::address(), web));
    app.assert_nothing_left().await;

    // A commit that changes the files of one pod leaves the images of the others as they were.
    let environment = app.environment("gallery", "production").await.id;
    let before: BTreeSet<_> = app.images_of(environment).await.into_iter().collect();
    copy.write("plain/index.html", "plainer");
    copy.commit("Plainer").await;
    copy.push(&["main"]).await.assert_ok();
    let after: BTreeSet<_> = app.images_of(environment).await.into_iter().collect();
    assert_eq!(before.difference(&after).count(), 1, "{before:?} {after:?}");
    assert_eq!(after.difference(&before).count(), 1, "{before:?} {after:?}");
    app.assert_nothing_left().await;
    app.stop().await;
}

#[tokio::test]
async fn images_upon_images_and_files_are_in_a_registry_as_declared_whoever_builds() {
    for program in ["docker", "buildah"] {
        if program == "buildah" && DockerHost::beside(program).await.is_none() {
            continue;
        }
        let registry = OwnRegistry::start().await;
        let settings = Settings::default().with("builder", &format!("program = {program:?}"));
        let app = App::start_with(settings).await;
        let project = format!("gallery-{program}");
        let stock = format!("pierhead-test/{project}-stock:1");
        app.tag_hello_base(&stock).await;
        let stock = registry.take(&docker_host::address(), &stock, "shared/stock:1");
        let copy = gallery_upon(&app, &project, &stock).await;
        administrate(&app, &registry.set(&project), PASSWORD).await.assert_ok();
        copy.push(&["main"]).await.assert_ok();
        assert_answers(&app, &copy).await;

        let environment = app.environment(&project, "production").await.id;
        let images = app.images_of(environment).await;
        let pushed = format!("{}/{project}/acme/{project}/", registry.address);
        let name = |image: &String| Some(image.strip_prefix(&pushed)?.to_owned());
        let names: BTreeSet<_> = images.iter().filter_map(name).collect();
        let find = |part: &str| {
            let name = names.iter().find(|name| name.starts_with(part));
            let name = name.unwrap_or_else(|| panic!("{part} is not in {images:?}"));
            Copied::from_registry(&registry, &format!("{project}/acme/{project}/{name}"))
        };
        let web = find("web@");
        assert_web(&web);
        // Its base is in the registry, and so only the layer was sent, by ourselves.
        let annotations = &web.manifest["annotations"];
        assert_eq!(annotations["org.opencontainers.image.title"], "web");
        assert_eq!(annotations["org.opencontainers.image.base.name"], "web:production");
        let digest = annotations["org.opencontainers.image.base.digest"].as_str().unwrap();
        assert!(digest.starts_with("sha256:"), "{annotations}");
        let plain = find("stock@");
        // Also where the base is somebody else's.
        let annotations = &plain.manifest["annotations"];
        assert_eq!(annotations["org.opencontainers.image.base.name"], stock);
        assert_eq!(plain.config["config"]["User"].as_str().unwrap_or_default(), "");
        let expected = "drwxr-xr-x 0/0 www\ndrwxr-xr-x 0/0 www/plain\n\
                        -rw-r--r-- 0/0 www/plain/index.html\n";
        assert_eq!(plain.uppermost(), expected);
        let expected = "drwxr-xr-x 0/0 volume\n-rw-r--r-- 0/0 volume/logo.txt\n";
        assert_eq!(find("assets-").uppermost(), expected);
        app.assert_nothing_left().await;
        app.stop().await;
    }
}

#[tokio::test]
async fn declared_files_that_cannot_be_there_are_named() {
    let app = App::start().await;
    let copy = gallery(&app, "misplaced").await;
    let file = std::fs::read_to_string(copy.path.join(".paas.yaml")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", copy.path.join("out")).unwrap();
    std::os::unix::fs::symlink("/etc", copy.path.join("plain/etc")).unwrap();
    for (declared, words) in [
        ("add: [out], mount-path: /www", "`out` leads out of the repository"),
        (
            "add: [plain], mount-path: /bin/sh",
            "`plain` cannot be put to `/bin/busybox`, where the image has a file",
        ),
        (
            "add: [plain/], mount-path: /",
            "`plain/` cannot be put to `/etc`, where the image has a folder",
        ),
    ] {
        copy.write(".paas.yaml", &file.replace("add: [plain], mount-path: /www", declared));
        copy.commit(declared).await;
        let push = copy.push(&["main"]).await;
        push.assert_code(1).assert_says("! [remote rejected] main -> main (image: ");
        push.assert_says(words);
    }
    app.assert_nothing_left().await;
    app.stop().await;
}
