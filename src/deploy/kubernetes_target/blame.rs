//! What in the file is to blame when something does not serve.

use serde_json::Value;

use crate::kubernetes::{Cause, Digest, Trouble, Why};
use crate::manifests::{Kind, Manifest, Manifests};

/// The path of what is to blame, such as `pods.web.containers.app.healthcheck`.
pub(super) fn blamed(manifests: &Manifests, item: &Manifest, digest: &Digest) -> String {
    let trouble = match &digest.why {
        Why::Trouble(trouble) => Some(trouble),
        Why::Late { .. } | Why::Refused { .. } | Why::Job { .. } | Why::Gone => {
            digest.troubles.first()
        }
    };
    let pod = item.object.value().pointer("/spec/template/spec").unwrap_or(&Value::Null);
    let found = match trouble {
        Some(trouble) => part(manifests, (&item.at, pod), trouble),
        None => container(&item.at, pod, digest.ended_container()),
    };
    found.unwrap_or_else(|| item.at.clone())
}

/// The part of a pod that a trouble comes from; `None`: the pod.
fn part(manifests: &Manifests, (at, pod): (&str, &Value), trouble: &Trouble) -> Option<String> {
    match &trouble.cause {
        Cause::Unschedulable | Cause::Mount => volume(manifests, (at, pod), &trouble.words),
        Cause::Probe | Cause::Killed { .. } => {
            Some(format!("{}.healthcheck", container(at, pod, trouble.container.as_deref())?))
        }
        Cause::ImageName
        | Cause::Image { .. }
        | Cause::Config
        | Cause::Start { .. }
        | Cause::Memory { .. }
        | Cause::Crash { .. } => container(at, pod, trouble.container.as_deref()),
        Cause::Evicted | Cause::Sandbox => None,
    }
}

/// The container, unless it is one that fills a volume.
fn container(at: &str, pod: &Value, name: Option<&str>) -> Option<String> {
    let name = name?;
    let is_own = list(pod, "containers").iter().any(|container| container["name"] == name);
    is_own.then(|| format!("{at}.containers.{name}"))
}

/// The disk or other volume that is spoken of.
fn volume(manifests: &Manifests, (at, pod): (&str, &Value), words: &str) -> Option<String> {
    let claim = |volume: &Value| -> Option<String> {
        let name = volume.pointer("/persistentVolumeClaim/claimName")?.as_str()?;
        let is_it = |item: &&Manifest| {
            item.object.kind() == Kind::PersistentVolumeClaim && item.object.name() == name
        };
        manifests.items.iter().find(is_it).map(|item| item.at.clone())
    };
    let volumes = list(pod, "volumes");
    let is_named = |volume: &&Value| {
        volume["name"].as_str().is_some_and(|name| words.contains(&format!("\"{name}\"")))
    };
    if let Some(volume) = volumes.iter().find(is_named) {
        let name = volume["name"].as_str()?;
        let mounts = |container: &&Value| {
            list(container, "volumeMounts").iter().any(|mount| mount["name"] == name)
        };
        let container = list(pod, "containers").iter().find(mounts)?["name"].as_str()?;
        let key = name.strip_suffix("-volume").unwrap_or(name);
        let own = || format!("{at}.containers.{container}.volumes.{key}");
        return Some(claim(volume).unwrap_or_else(own));
    }
    // Of pods that wait for a disk nobody says which it is.
    let is_about_disks = words.to_ascii_lowercase().contains("persistentvolumeclaim");
    volumes.iter().filter(|_| is_about_disks).find_map(claim)
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}
