//! `pierhead admin diff`, `ps` and `tail`.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};

use crate::cli::admin_error::AdminError;
use crate::config::Config;
use crate::db::feed::Feed;
use crate::db::models::environment::Environment;
use crate::db::pool::Db;
use crate::domain::environment::EnvironmentName;
use crate::domain::ids::ReleaseNumber;
use crate::domain::push_option::Format;
use crate::domain::question::{LINES, MOST_LINES, Question};
use crate::domain::slug::ProjectName;
use crate::progress::Teller;
use crate::projects;
use crate::questions::Questions;
use crate::tasks::Tasks;

/// What is looked at, by a worker.
#[derive(Debug, Subcommand)]
pub(super) enum Look {
    /// Say what differs between two releases of an environment.
    Diff {
        #[command(flatten)]
        place: Place,
        /// The first release, such as v17.
        from: ReleaseNumber,
        /// The other one; without it, the one that is live.
        to: Option<ReleaseNumber>,
    },
    /// List the containers that serve.
    Ps {
        #[command(flatten)]
        place: Place,
    },
    /// Print what containers print.
    Tail {
        #[command(flatten)]
        place: Place,
        /// Only those of this pod, as the file calls it.
        pod: Option<String>,
        /// Go on with what they print from now on.
        #[arg(short, long)]
        follow: bool,
        /// How many lines of before, of each container.
        #[arg(short = 'n', long, default_value_t = LINES, value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_LINES)))]
        lines: u32,
    },
}

/// Where it is looked at, and how it is told.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The project, as `account/project`.
    project: ProjectName,
    /// The environment.
    environment: EnvironmentName,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl Place {
    const fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Full }
    }

    async fn find(&self, db: &Db) -> Result<Environment, AdminError> {
        let project = projects::named(db, self.project.clone()).await?;
        Ok(projects::find_environment(db, &project, self.environment.clone()).await?)
    }
}

impl Look {
    /// Asks a worker, and prints what it says as that comes.
    pub(super) async fn run(self, config: &Config, db: &Db) -> Result<(), AdminError> {
        let (environment, teller, question) = match self {
            Self::Diff { place, from, to } => {
                let environment = place.find(db).await?;
                let [from, to] = projects::find_releases(db, &environment, (from, to)).await?;
                if !place.json {
                    // Whoever closed standard output reads none of it.
                    print([from.to_string(), to.to_string()]).ok();
                }
                let question = Question::Diff { from: from.number, to: to.number };
                // Each target is named, also where there is one.
                (environment, Teller::new(place.format(), 1), question)
            }
            Self::Ps { place } => {
                let environment = place.find(db).await?;
                let targets = projects::live_targets(db, &environment).await?;
                (environment, Teller::new(place.format(), targets), Question::Ps)
            }
            Self::Tail { place, pod, follow, lines: last } => {
                let environment = place.find(db).await?;
                let targets = projects::live_targets(db, &environment).await?;
                let question = Question::Tail { pod, last, follow };
                (environment, Teller::new(place.format(), targets), question)
            }
        };
        let feed = Feed::start(&config.database.url, &Tasks::default());
        let mut answer = Questions::new(db.clone(), feed).ask(environment.id, question).await?;
        let ended = loop {
            let said = tokio::select! {
                said = answer.next() => said,
                // By the key that ends programs at a terminal.
                _ = tokio::signal::ctrl_c() => break Ok(()),
            };
            match said {
                Ok(Some(said)) => {
                    if print(said.iter().flat_map(|told| teller.lines(told))).is_err() {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
        };
        answer.close().await;
        ended
    }
}

/// Prints lines; fails when nobody reads them any more.
fn print(lines: impl IntoIterator<Item = String>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
