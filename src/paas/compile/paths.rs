//! Paths in the repository and in containers (paas-yaml.md §7.4, §10.4).

use crate::paas::fault::Code;
use crate::paas::node::Text;
use crate::paas::report::{Poisoned, Reports, shown};
use crate::paas::tree::Tree;
use crate::paas::view::View;

/// The text without blanks around it; never empty.
pub(super) fn not_blank<'a>(
    view: &View<'_>,
    text: &'a Text,
    reports: &mut Reports,
) -> Result<&'a str, Poisoned> {
    let value = text.value.trim();
    if value.is_empty() {
        let message = match &text.written {
            Some(written) => format!("\"{}\" gave an empty text", shown(written)),
            None => "this is empty".to_owned(),
        };
        return Err(reports.add(view.fault(Code::Blank, message)));
    }
    Ok(value)
}

/// A path of the repository, relative to its root and without detours; empty: the root.
pub(super) fn in_repository(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let text = view.text()?;
    let value = not_blank(view, text, reports)?;
    let quoted = shown(text.as_written());
    refuse_control_characters(view, value, reports)?;
    let mut segments = Vec::new();
    for segment in value.split('/') {
        match segment {
            "" | "." => {}
            ".." if segments.pop().is_none() => {
                let message = format!("\"{quoted}\" is outside the repository");
                return Err(reports.add(view.fault(Code::OutsideRepository, message)));
            }
            ".." => {}
            segment => segments.push(segment),
        }
    }
    Ok(segments.join("/"))
}

/// What a volume adds: a path of the repository, with a slash at its end for what is in a folder.
///
/// Without a tree it need not be there yet.
pub(super) fn added(
    view: &View<'_>,
    tree: Option<&Tree>,
    reports: &mut Reports,
) -> Result<String, Poisoned> {
    let path = in_repository(view, reports)?;
    let text = view.text()?;
    let content = text.value.trim().ends_with('/') && !path.is_empty();
    let is_there = |tree: &Tree| tree.has_folder(&path) || !content && tree.has_file(&path);
    if let Some(tree) = tree.filter(|tree| !is_there(tree)) {
        let message = format!("\"{}\" is not in this commit", shown(text.as_written()));
        // The nearest path of the commit is no secret, what a variable made of it may be one.
        let is_plain = text.written.is_none();
        let hint = is_plain
            .then(|| reports.did_you_mean(&path, tree.folders().chain(tree.files())))
            .flatten();
        return Err(reports.add(view.fault(Code::NotInTree, message).hint(hint)));
    }
    Ok(match path.as_str() {
        "" => ".".to_owned(),
        path if content => format!("{path}/"),
        path => path.to_owned(),
    })
}

/// An absolute path in a container.
pub(super) fn mount_path(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let text = view.text()?;
    let value = text.value.trim();
    if !value.starts_with('/') {
        let message = format!("\"{}\" is not an absolute path", shown(text.as_written()));
        let hint = "write where in the container it is seen, such as /data".to_owned();
        return Err(reports.add(view.fault(Code::BadMountPath, message).hint(hint)));
    }
    stays_inside(view, value, "the mount", reports)?;
    Ok(value.to_owned())
}

/// A pattern of files below a mount.
pub(super) fn writable(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let value = not_blank(view, view.text()?, reports)?;
    stays_inside(view, value, "the mount", reports)?;
    Ok(value.trim_start_matches('/').to_owned())
}

/// A folder in an image.
pub(super) fn in_image(view: &View<'_>, reports: &mut Reports) -> Result<String, Poisoned> {
    let value = not_blank(view, view.text()?, reports)?;
    stays_inside(view, value, "the image", reports)?;
    Ok(value.to_owned())
}

fn stays_inside(
    view: &View<'_>,
    value: &str,
    what: &str,
    reports: &mut Reports,
) -> Result<(), Poisoned> {
    refuse_control_characters(view, value, reports)?;
    if value.split('/').any(|segment| segment == "..") {
        let message = format!("\"{}\" could leave {what}", shown(view.text()?.as_written()));
        return Err(reports.add(view.fault(Code::OutsideRepository, message)));
    }
    Ok(())
}

/// Refuses a text that no path and no name may be.
pub(super) fn refuse_control_characters(
    view: &View<'_>,
    value: &str,
    reports: &mut Reports,
) -> Result<(), Poisoned> {
    if value.contains(char::is_control) {
        let message = format!("\"{}\" has a control character", shown(view.text()?.as_written()));
        return Err(reports.add(view.fault(Code::ControlCharacter, message)));
    }
    Ok(())
}
