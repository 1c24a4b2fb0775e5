//! Images that the project builds, and which image a container means (paas-yaml.md §10.5).

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::paas::compile::paths::{in_repository, not_blank};
use crate::paas::compile::{Setting, environment};
use crate::paas::compiled::{DockerfileImage, Image, ImageRef, Origin};
use crate::paas::fault::{Code, Fault};
use crate::paas::naming::{is_image_component, is_image_name, is_image_tag};
use crate::paas::node::Text;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::tree::Tree;
use crate::paas::view::{Named, View};

/// The tag that means no tag.
pub(super) const LATEST: &str = "latest";

/// The section `images`.
#[derive(Debug, Default)]
pub(super) struct Images {
    entries: Vec<Entry>,
    /// Where entries are by name and tag, as built.
    by_tag: BTreeMap<(String, String), usize>,
    /// Where they are by key.
    by_key: BTreeMap<String, usize>,
    /// Where they are by name.
    by_name: BTreeMap<String, Vec<usize>>,
    /// Keys whose entries have faults.
    poisoned: BTreeSet<String>,
    /// Whether the whole section is unreadable.
    is_poisoned: bool,
}

#[derive(Debug)]
struct Entry {
    key: String,
    /// The tag as declared, without the environment's.
    declared_tag: String,
    /// The same as the file has it.
    quoted_tag: String,
    image: DockerfileImage,
    /// Said when no container runs it.
    unused: Fault,
}

impl Images {
    pub(super) fn compile(
        section: Result<Vec<Named<'_>>, Poisoned>,
        setting: &Setting<'_>,
        reports: &mut Reports,
    ) -> Self {
        let mut images = Self::default();
        let Ok(section) = section else { return Self { is_poisoned: true, ..images } };
        for named in section {
            match images.entry(&named, setting, reports) {
                Ok(entry) => images.push(entry),
                Err(Poisoned) => {
                    images.poisoned.insert(named.name.value.clone());
                }
            }
        }
        images
    }

    fn entry(
        &self,
        named: &Named<'_>,
        setting: &Setting<'_>,
        reports: &mut Reports,
    ) -> Result<Entry, Poisoned> {
        let Named { name: key, value: view } = named;
        let name = build_name(view, key, reports);
        let tag = tag(view, setting.environment_tag, reports);
        let library = setting.context.platform.libraries.images.contains_key(&key.value);
        let path = folder(view, key, setting, reports);
        let variables = build_arguments(view, setting, reports);
        let (name, (declared_tag, tag)) = (name?, tag?);
        let twin = self.by_tag.get(&(name.clone(), tag.clone()));
        if let Some(twin) = twin.and_then(|index| self.entries.get(*index)) {
            let message = format!("this is the same image as `{}`", twin.key);
            return Err(reports.add(view.key_fault(Code::DuplicateImage, message)));
        }
        let image = DockerfileImage { name, tag, path: path?, library, variables: variables? };
        let unused = view.key_fault(
            Code::Unused,
            "no container runs this image; it is built only as a base of another",
        );
        let quoted_tag = match view.field("tag")? {
            Some(tag) => tag.text()?.as_written().to_owned(),
            None => LATEST.to_owned(),
        };
        Ok(Entry { key: key.value.clone(), declared_tag, quoted_tag, image, unused })
    }

    fn push(&mut self, entry: Entry) {
        let index = self.entries.len();
        let DockerfileImage { name, tag, .. } = &entry.image;
        self.by_tag.insert((name.clone(), tag.clone()), index);
        self.by_key.insert(entry.key.clone(), index);
        self.by_name.entry(name.clone()).or_default().push(index);
        self.entries.push(entry);
    }

    /// The image that a container runs.
    pub(super) fn resolve(
        &self,
        container: &View<'_>,
        reports: &mut Reports,
    ) -> Result<ImageRef, Poisoned> {
        let image = container.required("image").and_then(|view| {
            let text = view.text()?;
            not_blank(&view, text, reports).map(|name| (view, name))
        });
        let version = match container.field("version") {
            Ok(None) => Ok(None),
            Ok(Some(view)) => view.text().map(|text| Some((view, text.value.trim()))),
            Err(Poisoned) => Err(Poisoned),
        };
        let (image_view, name) = image?;
        let version = version?;
        let asked = version.as_ref().map(|(_, tag)| *tag).filter(|tag| !tag.is_empty());
        if self.is_poisoned || self.poisoned.contains(name) {
            return Err(Poisoned);
        }
        if let Some(built) = self.built(&image_view, name, asked, reports)? {
            return Ok(built);
        }
        external(&image_view, version.as_ref().map(|(view, _)| view), name, asked, reports)
    }

    fn built(
        &self,
        view: &View<'_>,
        name: &str,
        asked: Option<&str>,
        reports: &mut Reports,
    ) -> Result<Option<ImageRef>, Poisoned> {
        let entry = |index: &usize| self.entries.get(*index);
        let fits = |entry: &&Entry| asked.is_none_or(|tag| tag == entry.declared_tag);
        let exact = asked.and_then(|tag| self.by_tag.get(&(name.to_owned(), tag.to_owned())));
        let by_key = || self.by_key.get(name).and_then(entry).filter(fits);
        if let Some(entry) = exact.and_then(entry).or_else(by_key) {
            return Ok(Some(entry.reference()));
        }
        let by_name = self.by_name.get(name).into_iter().flatten().filter_map(entry);
        let by_name: Vec<&Entry> = by_name.filter(fits).collect();
        match by_name.as_slice() {
            [] => Ok(None),
            [entry] => Ok(Some(entry.reference())),
            several => {
                let known = several.iter().take(10);
                let known =
                    known.map(|entry| format!("{} ({})", entry.key, shown(&entry.quoted_tag)));
                let known: Vec<_> = known.collect();
                let message = format!("several images have this name: {}", known.join(", "));
                let fault = view.fault(Code::AmbiguousImage, message);
                let hint = "name one of them by its key, or give its `version`".to_owned();
                Err(reports.add(fault.hint(hint)))
            }
        }
    }

    /// Whether there is an image of this name and tag.
    pub(super) fn has(&self, name: &str, tag: &str) -> bool {
        self.by_tag.contains_key(&(name.to_owned(), tag.to_owned()))
    }

    /// Warns of what is declared and never run.
    pub(super) fn warn_of_unused(&self, used: &BTreeSet<&ImageRef>, reports: &mut Reports) {
        for entry in &self.entries {
            if !used.contains(&entry.reference()) {
                reports.add(entry.unused.clone());
            }
        }
    }

    pub(super) fn into_model(self) -> Vec<Image> {
        self.entries.into_iter().map(|entry| Image::Dockerfile(entry.image)).collect()
    }
}

impl Entry {
    fn reference(&self) -> ImageRef {
        let DockerfileImage { name, tag, .. } = &self.image;
        ImageRef { origin: Origin::Built, name: name.clone(), tag: tag.clone() }
    }
}

/// The folder of an image; of one of the library it is the platform's.
fn folder(
    view: &View<'_>,
    key: &Text,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<String, Poisoned> {
    let libraries = &setting.context.platform.libraries.images;
    let library = libraries.contains_key(&key.value);
    match view.field("path")? {
        Some(path) if library => in_repository(&path, reports),
        Some(path) => context(&path, setting.tree(), reports),
        None if view.is_poisoned() => Err(Poisoned),
        None => {
            let hint = reports.did_you_mean(&key.value, libraries.keys().map(String::as_str));
            let message =
                "missing key `path`, and the platform's library has no image of this name";
            Err(reports.add(view.key_fault(Code::MissingKey, message).hint(hint)))
        }
    }
}

/// The last segment of a build name; without one, the entry's key.
fn build_name(view: &View<'_>, key: &Text, reports: &mut Reports) -> Result<String, Poisoned> {
    let field = view.field("build-name")?;
    let text = match &field {
        Some(field) => field.text()?,
        None => key,
    };
    let value = text.value.trim();
    let name = value.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&key.value);
    if is_image_component(name) {
        return Ok(name.to_owned());
    }
    let message = format!("\"{}\" is not a name of an image", shown(text.as_written()));
    let fault = match &field {
        Some(field) => field.fault(Code::BadImageName, message),
        None => view.key_fault(Code::BadImageName, message),
    };
    let hint = "use a-z, 0-9 and single `.`, `_` or `-` between them, as `build-name`".to_owned();
    Err(reports.add(fault.hint(hint)))
}

/// The tag as declared, and with the environment's.
fn tag(
    view: &View<'_>,
    environment: &str,
    reports: &mut Reports,
) -> Result<(String, String), Poisoned> {
    let field = view.field("tag")?;
    let text = field.as_ref().map(View::text).transpose()?;
    let declared = text.map_or("", |text| text.value.trim());
    let (declared, joined) = match declared {
        "" | LATEST => (LATEST, environment.to_owned()),
        declared => (declared, format!("{declared}-{environment}")),
    };
    let tag = match joined.trim_matches('-') {
        "" => LATEST,
        tag => tag,
    };
    match (&field, text) {
        (Some(field), Some(text)) if !is_image_tag(tag) => {
            let message = format!("\"{}\" is not a tag of an image", shown(text.as_written()));
            let hint = "use letters, digits, `_`, `.` and `-`, at most 128 with the environment's";
            Err(reports.add(field.fault(Code::BadImageName, message).hint(hint.to_owned())))
        }
        (None, None) if !is_image_tag(tag) => {
            let message = "the environment's name makes no tag of an image: it is too long";
            Err(reports.add(view.key_fault(Code::BadImageName, message)))
        }
        _ => Ok((declared.to_owned(), tag.to_owned())),
    }
}

/// The folder of a build, relative to the root and without detours.
fn context(
    view: &View<'_>,
    tree: Option<&Tree>,
    reports: &mut Reports,
) -> Result<String, Poisoned> {
    let path = in_repository(view, reports)?;
    let text = view.text()?;
    let quoted = shown(text.as_written());
    let Some(tree) = tree else { return Ok(path) };
    let dockerfile = format!("{path}/Dockerfile");
    let fault = |message: String| view.fault(Code::NotInTree, message);
    if tree.has_file(&path) {
        let hint = "write the folder of the Dockerfile".to_owned();
        Err(reports.add(fault(format!("\"{quoted}\" is a file")).hint(hint)))
    } else if !tree.has_folder(&path) {
        // The nearest path of the commit is no secret, what a variable made of it may be one.
        let is_plain = text.written.is_none();
        let hint = is_plain.then(|| reports.did_you_mean(&path, tree.folders())).flatten();
        Err(reports.add(fault(format!("\"{quoted}\" is not in this commit")).hint(hint)))
    } else if !tree.has_file(dockerfile.trim_start_matches('/')) {
        Err(reports.add(fault(format!("\"{quoted}\" has no Dockerfile in this commit"))))
    } else {
        Ok(path)
    }
}

/// A secret would stay in the image's history, for whoever may pull it.
fn refuse_secret(
    value: &str,
    view: &View<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<(), Poisoned> {
    let context = setting.context;
    let held = context.variables.iter().find(|(name, secret)| {
        !secret.is_empty() && context.secrets.contains(*name) && value.contains(secret)
    });
    let Some((name, _)) = held else { return Ok(()) };
    let message = format!("the secret `{name}` would stay in the image's history");
    let hint = "show it to the command that needs it: `RUN --mount=type=secret,id=NAME`".to_owned();
    Err(reports.add(view.fault(Code::SecretArgument, message).hint(hint)))
}

fn build_arguments(
    view: &View<'_>,
    setting: &Setting<'_>,
    reports: &mut Reports,
) -> Result<IndexMap<String, String>, Poisoned> {
    let mut arguments = IndexMap::new();
    let mut result = Ok(());
    for Named { name, value } in view.names("variables")? {
        if value.is_null() {
            continue;
        }
        let argument = environment::variable(name, &value, reports).and_then(|argument| {
            refuse_secret(&argument, &value, setting, reports).map(|()| argument)
        });
        match argument {
            Ok(variable) => drop(arguments.insert(name.value.clone(), variable)),
            Err(Poisoned) => result = Err(Poisoned),
        }
    }
    result.map(|()| arguments)
}

fn external(
    image: &View<'_>,
    version: Option<&View<'_>>,
    name: &str,
    asked: Option<&str>,
    reports: &mut Reports,
) -> Result<ImageRef, Poisoned> {
    let written = |view: &View<'_>| {
        view.text().map_or_else(|_| String::new(), |text| shown(text.as_written()))
    };
    if !is_image_name(name) {
        let message = format!("\"{}\" is not a name of an image", written(image));
        let tag = name.rsplit_once(':').filter(|(name, _)| is_image_name(name));
        let hint = tag.map(|_| "write what follows the last `:` as `version`".to_owned());
        return Err(reports.add(image.fault(Code::BadImageName, message).hint(hint)));
    }
    let tag = asked.unwrap_or(LATEST);
    if let (false, Some(version)) = (is_image_tag(tag), version) {
        let message = format!("\"{}\" is not a tag of an image", written(version));
        return Err(reports.add(version.fault(Code::BadImageName, message)));
    }
    Ok(ImageRef { origin: Origin::External, name: name.to_owned(), tag: tag.to_owned() })
}
