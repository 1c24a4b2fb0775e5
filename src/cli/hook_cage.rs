//! `pierhead hook-cage`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;

use crate::cli::{CliError, say};
use crate::egress::{forward, run, until_asked_to_end};
use crate::tasks::Tasks;

/// Passes connections on to a socket, for as long as a command runs or until it is asked to end.
#[derive(Debug, Args)]
pub(super) struct HookCage {
    /// The socket of the proxy.
    #[arg(long, value_name = "FILE")]
    socket: PathBuf,
    /// Where to listen; the loopback interface must be up.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3128")]
    listen: SocketAddr,
    /// The command; its exit status is given.
    #[arg(last = true)]
    command: Vec<OsString>,
}

impl HookCage {
    /// Does so on one thread: a cage has few.
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(CliError::Runtime)?.block_on(self.serve()).map_err(CliError::Cage)
    }

    async fn serve(self) -> std::io::Result<ExitCode> {
        let listener = TcpListener::bind(self.listen).await?;
        let address = listener.local_addr()?;
        let tasks = Tasks::default();
        drop(tasks.start(forward(listener, self.socket, tasks.clone())));
        let code = if self.command.is_empty() {
            // Whoever started it waits for this.
            say(&format!("listens on {address}"));
            until_asked_to_end().await?;
            ExitCode::SUCCESS
        } else {
            run(&self.command).await?.into()
        };
        tasks.stop();
        Ok(code)
    }
}
