//! The program `pierhead`: arguments, configuration, one subcommand.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use pierhead::cli::Cli;
use pierhead::config::environment;
use pierhead::domain::causes::with_causes;

fn main() -> ExitCode {
    match Cli::parse().run(&environment()) {
        Ok(code) => code,
        Err(error) => {
            // Nobody may be there to read it.
            let text = with_causes(&error);
            writeln!(std::io::stderr().lock(), "pierhead: {text}").unwrap_or_default();
            ExitCode::FAILURE
        }
    }
}
