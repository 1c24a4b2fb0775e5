//! Since which version of Kubernetes an object may have what.

use crate::domain::level::Level;

/// Volumes that are images, on by default.
pub(super) const IMAGE_VOLUMES: Level = Level::new(1, 35);
/// Volumes that are images with a path in them, where somebody switched them on.
pub(super) const EARLY_IMAGE_VOLUMES: Level = Level::new(1, 33);
/// Pods with a user namespace of their own.
pub(super) const HOST_USERS: Level = Level::new(1, 36);
/// The same, where nodes are known to be able to.
pub(super) const EARLY_HOST_USERS: Level = Level::new(1, 33);
/// `maxUnavailable` of a `StatefulSet`.
pub(super) const UNAVAILABLE_SETS: Level = Level::new(1, 35);
/// Names of variables with any printable character.
pub(super) const ANY_VARIABLE: Level = Level::new(1, 32);
