//! Images that are another one and files of the commit (paas-yaml.md §10.3, §10.8).

use std::collections::BTreeMap;

use crate::image::layer::{LayerBuild, LayerTag, Placement};
use crate::image::{Provenance, naming};
use crate::paas::compiled::{EmbeddedImage, SharedVolume};

/// What the image of a volume runs: a copy of its files to where a container shall see them.
///
/// The folder is an argument and no part of the program, whatever it is called.
const COPY: [&str; 3] = ["sh", "-c", "cp -afv \"$0/.\" \"$MOUNT_PATH\""];

/// A container's own image: the one it names, with its files.
pub(super) fn embedded(
    reference: String,
    image: &EmbeddedImage,
    provenance: &Provenance<'_>,
) -> LayerBuild {
    let volumes = image.volumes.values();
    let placements =
        volumes.clone().flat_map(|volume| placements(&volume.paths, &volume.mount_path));
    let writables = volumes.flat_map(|volume| {
        let folder = volume.mount_path.trim_end_matches('/');
        volume.writables.iter().map(move |pattern| format!("{folder}/{pattern}"))
    });
    let job = format!("-job{}", provenance.job);
    LayerBuild {
        reference,
        repository: naming::repository(provenance.account, provenance.project, &image.name),
        tag: LayerTag::Fixed(naming::tag(&image.tag, "")),
        own_tag: naming::tag(&image.tag, &job),
        base: image.base.reference(),
        placements: placements.collect(),
        writables: writables.collect(),
        user: provenance.writer,
        command: None,
        annotations: annotations(&image.name, &image.base.reference()),
        labels: provenance.labels.clone(),
    }
}

/// The image of a shared volume.
pub(super) fn volume(
    (reference, environment): (String, &str),
    volume: &SharedVolume,
    provenance: &Provenance<'_>,
) -> LayerBuild {
    let job = format!("-job{}", provenance.job);
    let folder = volume.local_path.as_str();
    LayerBuild {
        reference,
        repository: naming::repository(provenance.account, provenance.project, &volume.name),
        tag: LayerTag::ByContent(naming::tag(environment, "")),
        own_tag: naming::tag(environment, &job),
        base: provenance.volume_base.to_owned(),
        placements: placements(&volume.paths, folder).collect(),
        writables: Vec::new(),
        user: provenance.writer,
        command: Some(COPY.into_iter().chain([folder]).map(str::to_owned).collect()),
        annotations: annotations(&volume.name, provenance.volume_base),
        labels: provenance.labels.clone(),
    }
}

fn placements(paths: &[String], folder: &str) -> impl Iterator<Item = Placement> {
    paths.iter().map(move |path| Placement { source: path.clone(), folder: folder.to_owned() })
}

fn annotations(title: &str, base: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("org.opencontainers.image.title".to_owned(), title.to_owned()),
        ("org.opencontainers.image.base.name".to_owned(), base.to_owned()),
    ])
}
