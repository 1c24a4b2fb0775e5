//! `pierhead admin test …` and `check …`.

use clap::Subcommand;

use crate::cli::admin::Told;
use crate::cli::admin_error::AdminError;
use crate::cli::cluster::{self, Which};
use crate::cli::project_source;
use crate::config::Config;
use crate::db::acting::Acting;
use crate::domain::slug::ProjectName;
use crate::domain::source::CheckPurpose;

/// What can be tried out.
#[derive(Debug, Subcommand)]
pub(super) enum Test {
    /// Whether a target can be deployed to, and which rights are missing.
    Cluster {
        #[command(flatten)]
        which: Box<Which>,
    },
    /// Whether the source of a project can be read; nothing is stored or deployed.
    Source {
        /// The project, as `account/project`.
        project: ProjectName,
    },
}

/// What can be looked at.
#[derive(Debug, Subcommand)]
pub(super) enum Check {
    /// The source of a project. What failed before is tried again.
    Source {
        /// The project, as `account/project`.
        project: ProjectName,
    },
}

impl Test {
    /// Does it, and says what came of it.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<Told, AdminError> {
        match self {
            Self::Cluster { which } => Ok(Told::Note(cluster::test(*which, config, &by.db).await?)),
            Self::Source { project } => {
                let what = (project, CheckPurpose::Test);
                Ok(Told::Data(project_source::check(config, by, what).await?))
            }
        }
    }
}

impl Check {
    /// Does it, and says what came of it.
    pub(super) async fn run(self, config: &Config, by: &Acting) -> Result<String, AdminError> {
        let Self::Source { project } = self;
        project_source::check(config, by, (project, CheckPurpose::Deploy)).await
    }
}
