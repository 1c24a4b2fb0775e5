//! Archives in which engines give and take images (`docker save`, `docker load`).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use crate::building::archive::Chunks;
use crate::building::files::{CHUNK, FIRST_DATE};
use crate::domain::digest::Digest;
use crate::layers::index::{LayerFile, clean_path};
use crate::layers::tar_reader::TarReader;
use crate::layers::{Base, BaseFault, Layer};

/// Most bytes of a manifest or a configuration.
const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

/// Most links from one name to another.
const MOST_LINKS: usize = 8;

/// What the manifest says of an image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    layers: Vec<String>,
}

/// Where something is in an archive.
#[derive(Debug, Clone)]
enum Entry {
    File { start: u64, size: u64 },
    Link(String),
}

/// The configuration and the layers of the one image in an archive.
pub(super) fn open(archive: File) -> Result<(Vec<u8>, Vec<LayerFile>), BaseFault> {
    let archive = Arc::new(archive);
    let entries = list(&archive)?;
    let find = |name: &str| {
        let mut name = clean_path(name.as_bytes())?;
        for _ in 0..MOST_LINKS {
            match entries.get(&name)? {
                Entry::File { start, size } => return Some((*start, *size)),
                Entry::Link(target) => name.clone_from(target),
            }
        }
        None
    };
    let text = |name: &str| {
        let (start, size) = find(name).ok_or(BaseFault::Absent)?;
        let length = usize::try_from(size.min(LARGEST_TEXT)).map_err(io::Error::other)?;
        let mut text = vec![0; length];
        archive.read_exact_at(&mut text, start)?;
        Ok::<_, BaseFault>(text)
    };
    let images: Vec<Image> = serde_json::from_slice(&text("manifest.json")?)?;
    let image = images.into_iter().next().ok_or(BaseFault::Absent)?;
    let layers = image.layers.iter().map(|name| {
        let (start, size) = find(name).ok_or(BaseFault::Absent)?;
        Ok(LayerFile { file: Arc::clone(&archive), start, size })
    });
    Ok((text(&image.config)?, layers.collect::<Result<_, BaseFault>>()?))
}

fn list(archive: &Arc<File>) -> Result<HashMap<String, Entry>, BaseFault> {
    let mut entries = HashMap::new();
    let mut file: &File = archive;
    file.rewind()?;
    let mut tar = TarReader::new(BufReader::with_capacity(CHUNK, file));
    while let Some(item) = tar.next()? {
        let Some(path) = clean_path(&item.path) else { continue };
        let entry = if item.kind.is_symlink() {
            // Relative to the folder in which the link is.
            let target = String::from_utf8_lossy(&item.link).into_owned();
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            Entry::Link(beside(folder, &target))
        } else if item.kind.is_hard_link() {
            Entry::Link(String::from_utf8_lossy(&item.link).into_owned())
        } else {
            Entry::File { start: item.offset, size: item.size }
        };
        entries.insert(path, entry);
    }
    Ok(entries)
}

/// The path of a link's target from the root of the archive.
fn beside(folder: &str, target: &str) -> String {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}

/// What of an image goes to an engine.
#[derive(Debug, Clone, Copy)]
pub enum Bundle<'a> {
    /// The new layer: the engine has the base.
    Layer,
    /// All layers.
    Whole(&'a Base),
}

impl Layer {
    /// Writes the image as an archive for an engine, under these names. This blocks.
    ///
    /// # Errors
    ///
    /// When nobody reads any more, or the layer cannot be read.
    pub(crate) fn send(
        &self,
        bundle: Bundle<'_>,
        tags: &[String],
        chunks: &mut Chunks,
    ) -> io::Result<()> {
        let name = |digest: &Digest| format!("{}/layer.tar", digest.hex());
        let config = format!("{}.json", Digest::of(&self.config).hex());
        let layers: Vec<_> = self.below.iter().chain([&self.tar.diff_id]).map(name).collect();
        let manifest =
            json!([{ "Config": config, "RepoTags": tags, "Layers": layers }]).to_string();
        let mut tar = Builder::new(chunks);
        append(&mut tar, "manifest.json", text(manifest.as_bytes()))?;
        append(&mut tar, &config, text(&self.config))?;
        if let Bundle::Whole(base) = bundle {
            for (digest, file) in self.below.iter().zip(base.files.values()) {
                let content = file.packed();
                append(&mut tar, &name(digest), (file.size, content))?;
            }
        }
        let file = &self.tar.file;
        append(&mut tar, &name(&self.tar.diff_id), (file.size, file.packed()))?;
        tar.finish()?;
        io::Write::flush(tar.get_mut())
    }
}

fn text(text: &[u8]) -> (u64, &[u8]) {
    (u64::try_from(text.len()).unwrap_or(u64::MAX), text)
}

fn append(
    tar: &mut Builder<&mut Chunks>,
    path: &str,
    (size, content): (u64, impl io::Read),
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(FIRST_DATE);
    header.set_size(size);
    tar.append_data(&mut header, path, content)
}
