//! The program `pierhead`: arguments, configuration, one subcommand.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use pierhead::cli::Cli;
use pierhead::config::environment;

fn main() -> ExitCode {
    match Cli::parse().run(&environment()) {
        Ok(code) => code,
        Err(error) => {
            let mut text = format!("pierhead: {error}");
            let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            // Nobody may be there to read it.
            writeln!(std::io::stderr().lock(), "{text}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}
