//! Layers upon bases that the tests make, read again with the tar library.

mod hostile;
mod remote;

use std::fs;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use bytes::Bytes;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::building::archive::Chunks;
use crate::image::layer::{LayerTag, Placement, User};

const LIMITS: ContextLimits = ContextLimits { bytes: 1 << 20, files: 100 };

const USER: User = User { uid: 1_000, gid: 33 };

/// An entry of a layer: its path, its kind, its mode, and its content or target.
type Entry = (&'static str, EntryType, u32, &'static str);

const FILE: EntryType = EntryType::Regular;
const FOLDER: EntryType = EntryType::Directory;
const LINK: EntryType = EntryType::Symlink;
const HARD: EntryType = EntryType::Link;

fn layer(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for (path, kind, mode, text) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(7);
        if *kind == LINK || *kind == HARD {
            header.set_size(0);
            tar.append_link(&mut header, path, text).unwrap();
        } else {
            header.set_size(text.len().try_into().unwrap());
            tar.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
    }
    tar.into_inner().unwrap()
}

/// An archive as engines give them, and the id of the image in it.
fn archive(config: &Value, layers: &[(Digest, Vec<u8>)]) -> (Digest, File) {
    let mut config = config.clone();
    let diff_ids: Vec<_> = layers.iter().map(|(diff_id, _)| diff_id).collect();
    config["rootfs"] = json!({ "type": "layers", "diff_ids": diff_ids });
    let config = config.to_string();
    let names: Vec<_> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest = json!([{ "Config": "c.json", "RepoTags": null, "Layers": names }]).to_string();
    let mut tar = Builder::new(tempfile::tempfile().unwrap());
    let mut add = |path: &str, content: &[u8]| {
        let mut header = Header::new_gnu();
        header.set_size(content.len().try_into().unwrap());
        tar.append_data(&mut header, path, content).unwrap();
    };
    for (name, (_, content)) in names.iter().zip(layers) {
        add(name, content);
    }
    add("c.json", config.as_bytes());
    add("manifest.json", manifest.as_bytes());
    let mut file = tar.into_inner().unwrap();
    file.rewind().unwrap();
    (Digest::of(config.as_bytes()), file)
}

fn base_of(layers: &[&[Entry]]) -> (Digest, File) {
    let layers = layers.iter().map(|entries| layer(entries));
    let layers: Vec<_> = layers.map(|content| (Digest::of(&content), content)).collect();
    archive(&json!({ "os": "linux", "config": { "Cmd": ["sh"] } }), &layers)
}

/// A base that has something of everything.
fn rich() -> (Digest, File) {
    base_of(&[
        &[
            ("srv", FOLDER, 0o755, ""),
            ("srv/app", FOLDER, 0o750, ""),
            ("srv/app/tool", FILE, 0o4755, "a tool"),
            ("srv/app/same", HARD, 0o755, "srv/app/tool"),
            ("srv/app/gone", FILE, 0o644, "gone"),
            ("app", LINK, 0o777, "srv/app"),
            ("round", LINK, 0o777, "/round"),
        ],
        &[("srv/app/.wh.gone", FILE, 0o644, ""), ("srv/app/note", FILE, 0o444, "a note")],
    ])
}

/// A checkout with a few files.
fn checkout() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    fs::create_dir_all(path("site/var")).unwrap();
    fs::write(path("site/index.html"), "hello").unwrap();
    fs::write(path("site/run"), "#!/bin/sh").unwrap();
    fs::set_permissions(path("site/run"), fs::Permissions::from_mode(0o4711)).unwrap();
    fs::write(path("site/var/cache"), "warm").unwrap();
    symlink("index.html", path("site/home")).unwrap();
    root
}

fn build(placements: &[(&str, &str)], writables: &[&str]) -> LayerBuild {
    let placements = placements.iter().map(|(source, folder)| Placement {
        source: (*source).to_owned(),
        folder: (*folder).to_owned(),
    });
    LayerBuild {
        reference: "web:1-abc".to_owned(),
        repository: "acme/shop/web".to_owned(),
        tag: LayerTag::Fixed("1".to_owned()),
        own_tag: "1-job1".to_owned(),
        base: "web:1".to_owned(),
        placements: placements.collect(),
        writables: writables.iter().map(|text| (*text).to_owned()).collect(),
        user: USER,
        command: None,
        annotations: BTreeMap::new(),
        labels: BTreeMap::from([("p.dev/project".to_owned(), "7".to_owned())]),
    }
}

/// Layers, and where they keep what they know.
struct Shop {
    layers: Layers,
    root: TempDir,
    _folder: TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { layers: Layers::new(folder.path()), root: checkout(), _folder: folder }
    }

    fn read(&self, (id, file): (Digest, File)) -> Result<Base, BaseFault> {
        self.layers.read(&id, file, &CancellationToken::new())
    }

    fn write(&self, base: &Base, build: &LayerBuild) -> Result<Layer, LayerError> {
        let from = (self.root.path(), LIMITS);
        match self.layers.write(base, build, from, &CancellationToken::new())? {
            Written::Layer(layer) => Ok(layer),
            Written::NeedsFiles(_) => panic!("the base has its files"),
        }
    }

    fn fault(&self, placements: &[(&str, &str)], writables: &[&str]) -> String {
        let base = self.read(rich()).unwrap();
        self.write(&base, &build(placements, writables)).unwrap_err().to_string()
    }
}

/// What is in a layer, a line an entry: kind and mode, owner, date, path, and content or target.
fn listing(layer: &Layer) -> String {
    let mut content = Vec::new();
    layer.tar.file.packed().read_to_end(&mut content).unwrap();
    let mut tar = tar::Archive::new(content.as_slice());
    let mut lines = String::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        let kinds = [(FOLDER, 'd'), (LINK, 'l'), (HARD, 'h'), (FILE, '-')];
        let kind = kinds.into_iter().find(|(kind, _)| *kind == header.entry_type()).unwrap().1;
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        if let Some(target) = entry.link_name().unwrap() {
            text = target.display().to_string();
        }
        let date = if header.mtime().unwrap() == 7 { "old" } else { "new" };
        let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
        let path = entry.path().unwrap().display().to_string();
        let mode = header.mode().unwrap();
        lines += format!("{kind}{mode:04o} {uid}:{gid} {date} {path} {text}").trim_end();
        lines.push('\n');
    }
    lines
}

#[test]
fn files_are_where_they_are_declared_and_belong_to_root() {
    let shop = Shop::new();
    let base = shop.read(rich()).unwrap();
    // The first by its name, the second by what is in it, the third through a link of the image.
    let placements = [("site", "/www"), ("site/var/", "/cache"), ("site/index.html", "/app")];
    let layer = shop.write(&base, &build(&placements, &[])).unwrap();
    insta::assert_snapshot!(listing(&layer), @"
    d0755 0:0 new cache
    -0644 0:0 new cache/cache warm
    -0644 0:0 new srv/app/index.html hello
    d0755 0:0 new www
    d0755 0:0 new www/site
    l0777 0:0 new www/site/home index.html
    -0644 0:0 new www/site/index.html hello
    -0755 0:0 new www/site/run #!/bin/sh
    d0755 0:0 new www/site/var
    -0644 0:0 new www/site/var/cache warm
    ");
    assert_eq!(layer.sent().to_string(), "8 files, 1 KiB");
}

#[test]
fn what_the_application_may_write_is_its_own_whoever_brought_it() {
    let shop = Shop::new();
    let base = shop.read(rich()).unwrap();
    let writables = ["/app/*", "/app/data/log", "/www/site/v*"];
    let layer = shop.write(&base, &build(&[("site", "/www")], &writables)).unwrap();
    insta::assert_snapshot!(listing(&layer), @"
    d0755 0:0 new srv/app/data
    d0755 1000:33 new srv/app/data/log
    d0755 0:0 new www
    d0755 0:0 new www/site
    l0777 0:0 new www/site/home index.html
    -0644 0:0 new www/site/index.html hello
    -0755 0:0 new www/site/run #!/bin/sh
    d0755 1000:33 new www/site/var
    -0644 1000:33 new www/site/var/cache warm
    -0755 1000:33 old srv/app/same a tool
    h0755 1000:33 old srv/app/tool srv/app/same
    -0644 1000:33 old srv/app/note a note
    ");
    let config: Value = serde_json::from_slice(layer.config()).unwrap();
    assert_eq!(config["config"]["User"], "1000:33");
}

#[test]
fn equal_content_gives_equal_images_whatever_is_known_of_the_base() {
    let plan = build(&[("site", "/www")], &["/www/site/var"]);
    let once = Shop::new();
    let base = once.read(rich()).unwrap();
    let first = once.write(&base, &plan).unwrap();
    let (id, _) = rich();
    let known = once.layers.known(&id).unwrap();
    assert!(base.has_files() && !known.has_files());
    let second = once.write(&known, &plan).unwrap();
    let other = Shop::new();
    assert!(other.layers.known(&id).is_none());
    let third = other.write(&other.read(rich()).unwrap(), &plan).unwrap();
    assert_eq!(first.config(), second.config());
    assert_eq!(first.config(), third.config());

    fs::write(other.root.path().join("site/index.html"), "other").unwrap();
    let changed = other.write(&other.read(rich()).unwrap(), &plan).unwrap();
    assert_ne!(first.config(), changed.config());
}

#[test]
fn files_of_a_base_that_become_part_of_a_layer_are_asked_for() {
    let shop = Shop::new();
    shop.read(rich()).unwrap();
    let known = shop.layers.known(&rich().0).unwrap();
    let stop = CancellationToken::new();
    let plan = build(&[], &["/app/note"]);
    let written = shop.layers.write(&known, &plan, (shop.root.path(), LIMITS), &stop).unwrap();
    assert!(matches!(written, Written::NeedsFiles(_)));
}

#[test]
fn an_image_is_its_base_and_the_layer_and_says_whose_it_is() {
    let shop = Shop::new();
    let bottom = layer(&[("etc", FOLDER, 0o755, "")]);
    let of_base = json!({
        "os": "linux", "architecture": "arm64", "variant": "v8", "docker_version": "20.10",
        "container": "abc", "created": "2026-01-01T00:00:00Z",
        "config": {
            "Entrypoint": ["/init"], "Cmd": ["serve"], "Image": "sha256:abc", "User": "9",
            "Labels": {
                "org.opencontainers.image.title": "base", "p.dev/project": "8", "p.dev/job": "1",
                "kept": "yes",
            },
        },
        "history": [{ "created_by": "the base" }],
    });
    let base = shop.read(archive(&of_base, &[(Digest::of(&bottom), bottom)])).unwrap();
    let mut plan = build(&[("site", "/www")], &[]);
    plan.command = Some(vec!["sh".to_owned(), "/copy".to_owned()]);
    let layer = shop.write(&base, &plan).unwrap();
    let mut config: Value = serde_json::from_slice(layer.config()).unwrap();
    let diff_ids = config["rootfs"]["diff_ids"].take();
    assert_eq!(diff_ids.as_array().unwrap().len(), 2);
    assert_eq!(diff_ids[1], layer.tar.diff_id.as_str());
    insta::assert_json_snapshot!(config, @r#"
    {
      "architecture": "arm64",
      "config": {
        "Cmd": [
          "sh",
          "/copy"
        ],
        "Labels": {
          "kept": "yes",
          "p.dev/project": "7"
        },
        "User": "9"
      },
      "created": "2026-01-01T00:00:00Z",
      "history": [
        {
          "created_by": "the base"
        },
        {
          "created_by": "pierhead: files of the repository"
        }
      ],
      "os": "linux",
      "rootfs": {
        "diff_ids": null,
        "type": "layers"
      },
      "variant": "v8"
    }
    "#);

    // All of it goes to an engine that has nothing, and is the same image when it comes back.
    let mut file = tempfile::tempfile().unwrap();
    for chunk in sent(&layer, Bundle::Whole(&base)) {
        file.write_all(&chunk).unwrap();
    }
    let again = shop.read((Digest::of(layer.config()), file)).unwrap();
    assert_eq!(again.config.diff_ids().len(), 2);
    let mut last = Vec::new();
    again.files.values().next_back().unwrap().packed().read_to_end(&mut last).unwrap();
    assert_eq!(Digest::of(&last), layer.tar.diff_id);
}

fn sent(layer: &Layer, bundle: Bundle<'_>) -> Vec<Bytes> {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let tags = ["acme/shop/web:1-job1".to_owned()];
    layer.send(bundle, &tags, &mut Chunks::new(sender)).unwrap();
    std::iter::from_fn(|| receiver.blocking_recv()).map(Result::unwrap).collect()
}

#[test]
fn what_cannot_be_in_the_image_is_named() {
    let shop = Shop::new();
    symlink("/etc/passwd", shop.root.path().join("out")).unwrap();
    for (placements, writables, words) in [
        (&[("none", "/www")][..], &[][..], "there is no `none` in the repository"),
        (&[("out", "/www")], &[], "`out` leads out of the repository"),
        (&[("../site", "/www")], &[], "`../site` leads out of the repository"),
        (
            &[("site", "/app/note")],
            &[],
            "`site` cannot be put to `/srv/app/note`, where the image has a file",
        ),
        (
            &[("site/var/", "/x")],
            &["/x/cache/y"],
            "`/x/cache/y` cannot be put to `/x/cache`, where the image has a file",
        ),
        (
            &[("site", "/round/x")],
            &[],
            "`/round/x` leads nowhere in the image: its links go in a circle",
        ),
    ] {
        assert_eq!(shop.fault(placements, writables), words);
    }
}
