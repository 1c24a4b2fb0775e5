//! `pierhead hook <name>`.

use std::process::ExitCode;

use crate::config::HookEnvironment;
use crate::git_hook::{HookError, HookName};

/// Does the part of one git hook.
pub(super) fn run(name: HookName) -> Result<ExitCode, HookError> {
    crate::git_hook::run(name, &HookEnvironment::of_process())
}
