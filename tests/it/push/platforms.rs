//! Images for several platforms, of which the engine runs one.

use std::collections::BTreeMap;

use bollard::query_parameters::ListImagesOptionsBuilder;
use pierhead::domain::digest::Digest;
use pierhead::domain::platform::Platform;
use pierhead::oci::{Index, Oci};
use serde_json::{Value, json};

use crate::docker_host::{self, DockerHost};
use crate::support::app::developer::{Copy, Done};
use crate::support::app::typed::administrate;
use crate::support::app::{App, Settings};
use crate::support::registry::{OwnRegistry, PASSWORD};
use crate::support::skopeo::{Copied, raw};

/// One that commands are run for on every machine that runs the tests, and two on none.
const OTHER: &str = "linux/386";
const FOREIGN: &str = "linux/sparc64";
const ABSENT: &str = "linux/riscv64";

/// What an image says of itself besides.
type Tell = fn(&mut Value);

/// An installation that builds for several platforms, and a project with a registry in it.
struct Town {
    app: App,
    registry: OwnRegistry,
    project: String,
    copy: Copy,
    /// What images are based on, in the registry.
    base: String,
}

impl Town {
    /// One whose base is there for what the engine runs and for others.
    async fn build(project: &str, platforms: &[&str], settings: &str) -> Self {
        let registry = OwnRegistry::start().await;
        let settings = Settings::default().with("builder", settings);
        let named = format!("platforms = {:?}", [&["linux/amd64"], platforms].concat());
        let app = App::start_with(settings.with("builder", &named)).await;
        app.project(project).await;
        administrate(&app, &registry.set(project), PASSWORD).await.assert_ok();
        let stock = format!("pierhead-test/{project}-stock:1");
        app.tag_hello_base(&stock).await;
        registry.take(&docker_host::address(), &stock, "shared/stock:part");
        let copy = app.developer("ana").await.hello(&format!("acme/{project}")).await;
        let mut town =
            Self { app, registry, project: project.to_owned(), copy, base: String::new() };
        let has: Vec<_> = platforms.iter().filter(|name| **name != ABSENT).copied().collect();
        town.base = town.put_base("shared/stock:1", &has, |_| {}).await;
        town
    }

    /// Puts the base into the registry for the engine's platform and others, which say something
    /// more of themselves.
    async fn put_base(&self, name: &str, others: &[&str], tell: Tell) -> String {
        let oci = Oci::new(&[self.registry.with(PASSWORD)]);
        let repository = format!("{}/shared/stock", self.registry.address);
        let mut parts = Vec::new();
        for platform in [&["linux/amd64"], others].concat() {
            let platform: Platform = platform.parse().unwrap();
            let mut image = Copied::from_registry(&self.registry, "shared/stock:part");
            image.retell(|config| {
                config["architecture"] = platform.arch().into();
                if platform.arch() != "amd64" {
                    tell(config);
                }
            });
            let part = format!("shared/stock:{}", platform.in_tags());
            let digest = image.put(&self.registry, &part);
            parts.push(oci.part(&format!("{repository}@{digest}"), &platform).await.unwrap());
        }
        let name = format!("{}/{name}", self.registry.address);
        let index = Index::of(&parts, &BTreeMap::new()).unwrap();
        oci.push_index(&name, &index).await.unwrap();
        name
    }

    /// Writes a file whose one container runs an image.
    fn declare(&self, images: &str, container: &str) {
        let project = &self.project;
        self.copy.write(
            ".paas.yaml",
            &format!(
                "paas: {{version: v1.1}}
{images}pods:
  web:
    containers:
      app:
        {container}
        listen: [8080]
services:
  web: {{pod: web, ports: [{{listen: 80, target: 8080}}]}}
ingresses:
  web: {{host: acme-{project}.localhost, service: {{name: web, port: 80}}}}
"
            ),
        );
    }

    /// Files upon the base, some of which are the base's own.
    fn declare_files(&self) {
        let (image, version) = self.base.rsplit_once(':').unwrap();
        let site = "site: {add: [www], mount-path: /, writables: ['bin/busybo[x]']}";
        let container =
            format!("image: {image}\n        version: '{version}'\n        volumes: {{{site}}}");
        self.declare("", &container);
        self.copy.write("www/index.html", "files for everyone");
    }

    /// An image upon another one of the same commit.
    fn declare_dockerfiles(&self, first: &str, second: &str) {
        self.declare("images:\n  web: {path: web}\n  base: {path: base}\n", "image: web");
        self.copy.write("base/Dockerfile", &format!("FROM {}\n{first}", self.base));
        let own = format!("FROM acme/{}/base:production\n{second}", self.project);
        self.copy.write("web/Dockerfile", &own);
        self.copy.write("web/index.html", "built for everyone");
    }

    async fn push(&self, message: &str) -> Done {
        self.copy.commit(message).await;
        self.copy.push(&["main"]).await
    }

    async fn assert_refused(&self, message: &str, words: &str) {
        let push = self.push(message).await;
        push.assert_code(1).assert_says("! [remote rejected] main -> main (image: ");
        push.assert_says(words);
    }

    /// The images that run, as names in the registry.
    async fn running(&self) -> Vec<String> {
        let environment = self.app.environment(&self.project, "production").await.id;
        let host = format!("{}/", self.registry.address);
        let images = self.app.images_of(environment).await;
        images.into_iter().map(|image| image.replace(&host, "")).collect()
    }

    /// An index of the registry, which is as large as its digest says.
    fn index(&self, name: &str) -> Value {
        let text = raw(&self.registry, name);
        let digest = Digest::of(text.as_bytes());
        assert!(name.ends_with(digest.as_str()) || !name.contains('@'), "{name}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The image of an index for a platform, as an independent client copies it.
    fn image_of(&self, name: &str, index: &Value, platform: &str) -> Copied {
        let entry = index["manifests"].as_array().unwrap().iter().find(|entry| {
            let own = &entry["platform"];
            json!(platform)
                == format!(
                    "{}/{}",
                    own["os"].as_str().unwrap(),
                    own["architecture"].as_str().unwrap()
                )
        });
        let digest = entry.unwrap()["digest"].as_str().unwrap();
        let repository = name.split('@').next().unwrap();
        Copied::from_registry(&self.registry, &format!("{repository}@{digest}"))
    }

    async fn end(self) {
        self.app.assert_nothing_left().await;
        self.app.stop().await;
    }
}

#[tokio::test]
async fn files_are_put_on_a_base_for_every_platform_and_one_index_names_them() {
    let town = Town::build("platforms-files", &["linux/arm64"], "").await;
    town.declare_files();
    town.push("Files").await.assert_ok();
    let answer = town.app.get(&town.copy.host(), "/").await;
    assert_eq!(answer, (200, "files for everyone".to_owned()));
    let running = town.running().await;
    let name = running.first().unwrap();
    let index = town.index(name);
    assert_eq!(index["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(index["annotations"]["org.opencontainers.image.base.name"], json!(town.base));
    for (platform, arch) in [("linux/amd64", "amd64"), ("linux/arm64", "arm64")] {
        let image = town.image_of(name, &index, platform);
        assert_eq!(image.config["architecture"], arch);
        assert_eq!(image.config["config"]["User"], "1000:1000");
        let expected = "drwxr-xr-x 0/0 www\n-rw-r--r-- 0/0 www/index.html\n\
                        -rwxr-xr-x 1000/1000 bin/busybox\n";
        assert_eq!(image.uppermost(), expected);
    }

    // The same content is the same index, whatever else is in the commit.
    town.copy.write("other", "of no image");
    town.push("Nothing").await.assert_ok();
    assert_eq!(town.running().await, running);
    town.end().await;
}

#[tokio::test]
async fn dockerfiles_are_built_for_every_platform_upon_each_other() {
    let town = Town::build("platforms-built", &[OTHER], "").await;
    town.declare_dockerfiles(
        "RUN mkdir /www && echo below > /www/base\n",
        "COPY index.html /www/\n",
    );
    let container = "image: web\n        volumes: {more: {add: [more/], mount-path: /www}}";
    town.declare("images:\n  web: {path: web}\n  base: {path: base}\n", container);
    town.copy.write("more/files", "upon it");
    town.push("Build").await.assert_ok();
    for (path, expected) in
        [("/", "built for everyone"), ("/base", "below\n"), ("/files", "upon it")]
    {
        let answer = town.app.get(&town.copy.host(), path).await;
        assert_eq!(answer, (200, expected.to_owned()), "{path}");
    }
    let running = town.running().await;
    let name = running.first().unwrap();
    let index = town.index(name);
    assert_eq!(index["annotations"]["org.opencontainers.image.title"], "web");
    for (platform, arch) in [("linux/amd64", "amd64"), (OTHER, "386")] {
        let image = town.image_of(name, &index, platform);
        assert_eq!(image.config["architecture"], arch);
        assert!(image.config["config"]["Labels"]["pierhead.dev/project"].is_string());
        // The base, its folder, the file of the second, and what is put upon that.
        assert_eq!(image.manifest["layers"].as_array().unwrap().len(), 4, "{}", image.manifest);
    }
    let environment = town.app.environment("platforms-built", "production").await.id;
    let label = format!("pierhead.dev/environment={environment}");
    let filters = [("label", vec![label.as_str()])].into();
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    for image in town.app.docker().list_images(Some(options)).await.unwrap() {
        let image = town.app.docker().inspect_image(&image.id).await.unwrap();
        assert_eq!(image.architecture.as_deref(), Some("amd64"), "it is left: {image:?}");
    }
    town.end().await;
}

#[tokio::test]
async fn what_cannot_be_had_for_a_platform_is_told_before_anything_is_built() {
    let town = Town::build("platforms-foreign", &[FOREIGN], "").await;
    // Nothing runs: nothing has to be able to.
    town.declare_dockerfiles("", "COPY index.html /www/\n");
    town.push("Copy").await.assert_ok();
    let running = town.running().await;
    let index = town.index(running.first().unwrap());
    let image = town.image_of(running.first().unwrap(), &index, FOREIGN);
    assert_eq!(image.config["architecture"], "sparc64");

    let runs = "its Dockerfile runs commands, and the engine none of linux/sparc64";
    town.declare_dockerfiles("RUN true\n", "");
    town.assert_refused("Run", runs).await;
    town.declare_dockerfiles("", "");
    let base = town.base.rsplit_once(':').unwrap().0;
    town.copy.write("base/Dockerfile", &format!("ARG TAG=1\nFROM {base}:${{TAG}}\n"));
    town.assert_refused(
        "Name it by pieces",
        "a base is named by way of build arguments or a trigger",
    )
    .await;

    // What only the other platform's image says of itself.
    let runs_on_build = |config: &mut Value| config["config"]["OnBuild"] = json!(["RUN true"]);
    let copies_on_build = |config: &mut Value| {
        config["config"]["OnBuild"] = json!(["COPY --from=acme/other/web:1 / /"]);
    };
    let is_anothers = |config: &mut Value| {
        config["config"]["Labels"] = json!({ "pierhead.dev/project": "another" });
    };
    let cases: [(Tell, &str); 3] = [
        (runs_on_build, runs),
        (copies_on_build, "for several platforms write `acme/other/web:1` where it is used"),
        (is_anothers, "is not on this engine under that name for this project"),
    ];
    for (tell, words) in cases {
        let base = town.put_base("shared/stock:2", &[FOREIGN], tell).await;
        town.declare_dockerfiles("", "");
        town.copy.write("base/Dockerfile", &format!("FROM {base}\n"));
        town.assert_refused(words, words).await;
    }
    assert_eq!(town.running().await, running);
    town.end().await;
}

#[tokio::test]
async fn a_base_that_lacks_a_platform_is_named_with_those_it_has() {
    let town = Town::build("platforms-absent", &["linux/arm64", ABSENT], "").await;
    let words = format!("`{}` is for linux/amd64, linux/arm64 only", town.base);
    town.declare_files();
    town.assert_refused("Files", &words).await;
    town.declare_dockerfiles("", "");
    town.assert_refused("Build", &words).await;
    let stock = "image: pierhead-test/platforms-absent-stock\n        version: '1'";
    town.declare("", &format!("{stock}\n        volumes: {{site: {{add: [www], mount-path: /}}}}"));
    let words = "`pierhead-test/platforms-absent-stock:1` must be in a registry";
    town.assert_refused("A base of the engine", words).await;
    town.end().await;
}

#[tokio::test]
async fn builders_of_one_platform_say_so() {
    for (name, settings) in
        [("classic", "docker = \"classic\""), ("buildah", "program = \"buildah\"")]
    {
        if name == "buildah" && DockerHost::beside(name).await.is_none() {
            continue;
        }
        let town = Town::build(&format!("platforms-{name}"), &[OTHER], settings).await;
        town.declare_dockerfiles("", "");
        let words = "images for linux/386 are built by BuildKit only";
        town.assert_refused("Build", words).await;
        // Files need no builder.
        town.declare_files();
        town.push("Files").await.assert_ok();
        let answer = town.app.get(&town.copy.host(), "/").await;
        assert_eq!(answer, (200, "files for everyone".to_owned()));
        town.end().await;
    }
}
