//! Why an image is not there, in words for whoever pushed.

use crate::building::BuildError;
use crate::docker::{EngineError, PullError, PushError};
use crate::domain::platform::{Platform, listed};
use crate::image::dockerfile::Unclear;
use crate::layers::LayerError;
use crate::oci::OciError;

/// Why an image is not there.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It was built for another project, or is a layer of somebody's.
    #[error("image `{0}` is not on this engine under that name for this project")]
    Foreign(String),
    /// Its registry gave it to somebody else.
    #[error("image `{0}` is private: its registry does not give it to this project")]
    Private(String),
    /// What it triggers may take something from another project.
    #[error("image `{image}` triggers {source}")]
    Trigger {
        /// The image that is built from.
        image: String,
        /// What it triggers.
        source: Unclear,
    },
    /// It was there, and is not any more.
    #[error("image `{0}` was removed from the engine meanwhile; push again")]
    Gone(String),
    /// Its name in the registry is somebody else's.
    #[error(
        "`{0}` is another project's image\n\
         remove it there if nobody needs it,\n\
         or choose another path by `admin set registry`"
    )]
    Taken(String),
    /// It was not pushed by us.
    #[error(transparent)]
    Oci(#[from] OciError),
    /// Its files were not put upon the image below.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// It is for other machines.
    #[error("`FROM --platform={asked}`: images are built for {own}, which the engine runs")]
    Platform {
        /// What was asked for.
        asked: String,
        /// The engine's platform.
        own: Platform,
    },
    /// The engine could not run what is built.
    #[error("`builder.platforms` does not name {0}, which the engine runs")]
    NotOwn(Platform),
    /// What is below is not for all platforms.
    #[error(
        "its base is not for {asked}\n\
         `{base}` is for {} only\n\
         choose another one, or take {asked} out of `builder.platforms`",
        listed(has)
    )]
    BasePlatform {
        /// The image below.
        base: String,
        /// What it is not for.
        asked: Platform,
        /// What it is for.
        has: Vec<Platform>,
    },
    /// What is below is in no registry, where other platforms could be found.
    #[error(
        "its base is on the engine only\n\
         `{0}` must be in a registry for images of several platforms"
    )]
    EngineOnly(String),
    /// The image of another platform cannot be named for sure.
    #[error(
        "a base is named by way of build arguments or a trigger\n\
         for several platforms write `{0}` where it is used"
    )]
    Unnamed(String),
    /// Nothing here runs commands of that platform.
    #[error(
        "its Dockerfile runs commands, and the engine none of {platform}\n\
         it runs those of {}\n\
         install qemu-user-static and binfmt-support on its machine and restart it,\n\
         or take {platform} out of `builder.platforms`",
        listed(runs)
    )]
    CannotRun {
        /// The platform.
        platform: Platform,
        /// What it runs commands for.
        runs: Vec<Platform>,
    },
    /// It was not built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It was not pulled.
    #[error(transparent)]
    Pull(#[from] PullError),
    /// It was not pushed.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The engine is away.
    #[error(transparent)]
    Engine(#[from] EngineError),
}
