//! Buildah, or another program with its command line: builds images beside the engine.
//!
//! Images of a project are in a storage of its own, so that nobody's Dockerfile can name what
//! another project built; those that an engine gave as bases are in one that all may read. The
//! program itself asks no registry for images. What a run needs, its secrets among it, is in a
//! folder that only the worker reads, and that goes with the run.

mod folder;
mod home;
mod means;
mod names;
mod output;
mod process;
mod run;
mod unpacked;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::buildah::home::Home;
use crate::building::{BuildError, Materials, dockerfile};
use crate::config::Isolation;
use crate::image::ImageBuild;
use crate::image::dockerfile::{Confined, bases, confine, prepare};
use crate::tasks;

pub use means::Means;
pub use run::Run;

/// A program that builds images, and where it keeps them.
#[derive(Debug, Clone)]
pub struct Buildah {
    program: PathBuf,
    isolation: Isolation,
    home: Arc<Home>,
    means: Arc<OnceCell<Means>>,
}

/// Why the program did not do something.
#[derive(Debug, thiserror::Error)]
pub enum BuildahError {
    /// It cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It runs nothing on this machine, in none of the ways there are; its last words.
    #[error("`{program}` cannot run commands here: {words}; install crun or runc")]
    Useless {
        /// The program.
        program: String,
        /// Its words.
        words: String,
    },
    /// It refused, in these words.
    #[error("{0}")]
    Refused(String),
    /// What it is given, or keeps, cannot be written.
    #[error("the builder's folder cannot be used")]
    Folder(#[from] std::io::Error),
}

impl From<BuildahError> for BuildError {
    fn from(error: BuildahError) -> Self {
        match error {
            BuildahError::Refused(words) => Self::Step(words),
            error @ (BuildahError::Start { .. }
            | BuildahError::Useless { .. }
            | BuildahError::Folder(_)) => Self::Away(Box::new(error)),
        }
    }
}

/// A Dockerfile that was made ready.
#[derive(Debug)]
pub struct Reading {
    pub(in crate::buildah) confined: Confined,
    /// The images that it takes something from.
    pub bases: Vec<String>,
}

/// An image of the engine that something is built from.
#[derive(Debug, Clone)]
pub struct Base {
    /// How the Dockerfile names it.
    pub name: String,
    /// Its id, `sha256:…`.
    pub id: String,
    /// Whose it is.
    pub of: Owner,
}

/// Whose an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The project's that builds.
    Project,
    /// Somebody's who gave it to everyone.
    World,
}

impl Buildah {
    /// The program of an installation.
    ///
    /// `folder` is where it keeps images and caches; when less than `reserve` bytes are free there,
    /// they go.
    pub fn new(program: &str, folder: PathBuf, isolation: Isolation, reserve: u64) -> Self {
        let home = Arc::new(Home::new(folder, reserve));
        Self { program: program.into(), isolation, home, means: Arc::default() }
    }

    /// How the program runs commands on this machine; it is tried out once.
    ///
    /// # Errors
    ///
    /// When it is missing, or runs nothing.
    pub async fn means(&self) -> Result<&Means, BuildahError> {
        let finding = || Means::find(&self.program, self.isolation, &self.home);
        self.means.get_or_try_init(finding).await
    }

    /// Removes what builds left that were killed: their containers have copies of what they were
    /// shown. Nothing is done while somebody builds.
    ///
    /// # Errors
    ///
    /// When the program is missing, or the folder cannot be written.
    pub async fn tidy(&self) -> Result<(), BuildahError> {
        let means = self.means().await?;
        Ok(self.home.tidy(means).await?)
    }

    /// Reads the Dockerfile of a build.
    ///
    /// # Errors
    ///
    /// When there is none, or it asks for what is not given to it.
    pub async fn read(
        &self,
        build: &ImageBuild,
        materials: &Materials<'_>,
    ) -> Result<Reading, BuildError> {
        let (root, context) = (materials.root.to_owned(), build.context.path.clone());
        let text = tasks::blocking(move || dockerfile(&root, &context)).await?;
        let prepared = prepare(&text, materials.frontends, &build.pins)?;
        let bases = bases(&prepared.text, &build.args);
        let bases = bases.map_err(|unclear| BuildError::Step(unclear.to_string()))?;
        if let Some(base) = bases.images.iter().find(|base| base.starts_with("localhost/")) {
            // Storages call what has no host by this one.
            let words = format!("image `{base}`: with this builder `localhost` needs a port");
            return Err(BuildError::Step(words));
        }
        Ok(Reading { confined: confine(&prepared.text)?, bases: bases.images })
    }
}
