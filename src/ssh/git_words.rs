//! What git says when it wants to be served, as it quotes it.

use crate::domain::slug::ProjectName;
use crate::git::wire::Service;
use crate::ssh::command::BadRequest;

/// git's words, with a dash or a blank: clients of other make send the latter.
pub(super) fn git_service(text: &str) -> Option<(Service, &str)> {
    let rest = text.strip_prefix("git-").or_else(|| text.strip_prefix("git "))?;
    [("receive-pack ", Service::ReceivePack), ("upload-pack ", Service::UploadPack)]
        .into_iter()
        .find_map(|(name, service)| Some((service, rest.strip_prefix(name)?)))
}

/// Takes git's quotes away: one word in single quotes, in which `'\''` and `'\!'` stand for
/// themselves. A word without quotes is taken as it is.
pub(super) fn unquote(text: &str) -> Option<String> {
    let text = text.trim();
    let Some(mut rest) = text.strip_prefix('\'') else {
        return (!text.contains(['\'', '"', '\\', ' '])).then(|| text.to_owned());
    };
    let mut word = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        word.push_str(part);
        if after.is_empty() {
            return Some(word);
        }
        let escaped = after.strip_prefix('\\')?;
        let c = escaped.chars().next().filter(|c| matches!(c, '\'' | '!'))?;
        word.push(c);
        rest = escaped.get(1..)?.strip_prefix('\'')?;
    }
}

pub(super) fn project(path: &str) -> Result<ProjectName, BadRequest> {
    let path = path.strip_prefix("~/").or_else(|| path.strip_prefix('/')).unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.parse().map_err(|_bad_slug| BadRequest::Path)
}
