//! What a release stores, read back as what it was.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::db::models::release::Release;
use crate::domain::ids::ClusterId;
use crate::domain::release::PinnedImages;
use crate::domain::route::Route;
use crate::stack::Placed;

/// What a release has put on its targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Objects {
    /// A stack a target.
    pub(super) docker: Vec<OnCluster>,
}

/// A stack on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OnCluster {
    /// The target.
    pub(super) cluster: ClusterId,
    /// What is there.
    pub(super) placed: Placed,
}

/// The store holds something that this program did not write.
#[derive(Debug, thiserror::Error)]
#[error("a stored release cannot be read")]
pub(super) struct Unreadable(#[from] serde_json::Error);

/// A value as it is stored.
pub(super) fn json(value: &impl Serialize) -> Result<Value, Unreadable> {
    Ok(serde_json::to_value(value)?)
}

/// The images of a release.
pub(super) fn images(images: &Value) -> Result<PinnedImages, Unreadable> {
    read(images)
}

/// The variables of a release.
pub(super) fn variables(release: &Release) -> Result<BTreeMap<String, String>, Unreadable> {
    read(&release.variables)
}

/// What a release has put on its targets.
pub(super) fn objects(release: &Release) -> Result<Objects, Unreadable> {
    read(&release.objects)
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Unreadable> {
    Ok(serde_json::from_value(value.clone())?)
}

impl Objects {
    /// The routes of a release: entrances that several targets answer have the upstreams of all.
    pub(super) fn routes(&self) -> Vec<Route> {
        let mut routes: Vec<Route> = Vec::new();
        for route in self.docker.iter().flat_map(|on| on.placed.routes()) {
            let same = |known: &&mut Route| known.host == route.host && known.path == route.path;
            match routes.iter_mut().find(same) {
                Some(known) => known.upstreams.extend(route.upstreams),
                None => routes.push(route),
            }
        }
        routes
    }
}
