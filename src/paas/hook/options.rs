//! The actions of each kind of hook, and the options of its actions.

use crate::paas::context::HookKind;

const COMPOSER: [&str; 9] = [
    "install",
    "update",
    "upgrade",
    "require",
    "dump-autoload",
    "dumpautoload",
    "run",
    "run-script",
    "exec",
];
const NPM: [&str; 6] = ["install", "ci", "update", "test", "run", "login"];
const PIP: [&str; 4] = ["install", "download", "wheel", "debug"];

const COMPOSER_GLOBAL: &[&str] = &[
    "quiet",
    "version",
    "ansi",
    "dev",
    "no-dev",
    "no-ansi",
    "no-interaction",
    "no-plugins",
    "no-scripts",
    "working-dir",
    "no-cache",
];
const COMPOSER_DUMP: &[&str] = &[
    "optimize",
    "classmap-authoritative",
    "apcu",
    "ignore-platform-req",
    "ignore-platform-reqs",
    "strict-psr",
];
const COMPOSER_INSTALL: &[&str] = &[
    "prefer-source",
    "prefer-dist",
    "prefer-install",
    "dry-run",
    "no-suggest",
    "no-autoloader",
    "no-progress",
    "no-install",
    "audit",
    "optimize-autoloader",
];
const COMPOSER_REQUIRE: &[&str] = &[
    "update-with-dependencies",
    "update-with-all-dependencies",
    "with-dependencies",
    "with-all-dependencies",
];

const NPM_LOGIN: &[&str] = &["registry", "scope", "auth-type"];
const NPM_INSTALL: &[&str] = &[
    "save",
    "no-save",
    "save-prod",
    "save-optional",
    "install-strategy",
    "legacy-bundling",
    "omit",
    "strict-peer-deps",
    "no-package-lock",
    "foreground-scripts",
    "ignore-scripts",
    "no-audit",
    "no-fund",
    "dry-run",
    "workspace",
    "workspaces",
    "include-workspace-root",
    "no-install-links",
];
const NPM_TEST: &[&str] = &["ignore-scripts", "script-shell"];

const PIP_GLOBAL: &[&str] =
    &["isolated", "require-virtualenv", "trusted-host", "cert", "client-cert", "src"];
const PIP_INSTALL: &[&str] = &[
    "q",
    "r",
    "no-deps",
    "platform",
    "implementation",
    "upgrade-strategy",
    "force-reinstall",
    "no-clean",
    "target",
];
const PIP_WHEEL: &[&str] = &["q", "r", "no-clean"];
const PIP_DEBUG: &[&str] = &["platform", "implementation"];

/// What an option takes as its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueOf {
    /// A word.
    Word,
    /// A path in the folder that the hook runs in.
    Path,
}

/// The actions of a kind; none: it takes any.
pub(super) const fn actions(kind: HookKind) -> &'static [&'static str] {
    match kind {
        HookKind::Composer => &COMPOSER,
        HookKind::Npm => &NPM,
        HookKind::Pip => &PIP,
        HookKind::Make | HookKind::Symfony | HookKind::Exec | HookKind::Git => &[],
    }
}

/// The options of an action, by their names without dashes.
pub(super) fn listed((kind, action): (HookKind, &str)) -> impl Iterator<Item = &'static str> {
    let groups: [&[&str]; 4] = match (kind, action) {
        (HookKind::Composer, "exec" | "run" | "run-script") => [COMPOSER_GLOBAL, &[], &[], &[]],
        (HookKind::Composer, "require") => {
            [COMPOSER_GLOBAL, COMPOSER_DUMP, COMPOSER_INSTALL, COMPOSER_REQUIRE]
        }
        (HookKind::Composer, "install" | "update" | "upgrade") => {
            [COMPOSER_GLOBAL, COMPOSER_DUMP, COMPOSER_INSTALL, &[]]
        }
        (HookKind::Composer, _) => [COMPOSER_GLOBAL, COMPOSER_DUMP, &[], &[]],
        (HookKind::Npm, "login") => [NPM_LOGIN, &[], &[], &[]],
        (HookKind::Npm, "install" | "ci" | "update") => [NPM_INSTALL, &[], &[], &[]],
        (HookKind::Npm, "test") => [NPM_TEST, &[], &[], &[]],
        (HookKind::Pip, "install" | "download") => [PIP_GLOBAL, PIP_INSTALL, &[], &[]],
        (HookKind::Pip, "wheel") => [PIP_GLOBAL, PIP_WHEEL, &[], &[]],
        (HookKind::Pip, "debug") => [PIP_GLOBAL, PIP_DEBUG, &[], &[]],
        (
            HookKind::Npm
            | HookKind::Pip
            | HookKind::Make
            | HookKind::Symfony
            | HookKind::Exec
            | HookKind::Git,
            _,
        ) => [&[]; 4],
    };
    groups.into_iter().flatten().copied()
}

/// Whether a name without dashes is one of an action's options.
pub(super) fn is_listed(of: (HookKind, &str), name: &str) -> bool {
    listed(of).any(|known| known == name)
}

/// What an option takes as its value; `None` for a switch.
pub(super) fn kind_of_value(kind: HookKind, name: &str) -> Option<ValueOf> {
    match (kind, name) {
        (HookKind::Composer, "working-dir")
        | (HookKind::Pip, "cert" | "client-cert" | "src" | "target" | "r") => Some(ValueOf::Path),
        (HookKind::Composer, "prefer-install" | "ignore-platform-req")
        | (
            HookKind::Npm,
            "registry" | "scope" | "auth-type" | "install-strategy" | "omit" | "workspace"
            | "script-shell",
        )
        | (HookKind::Pip, "trusted-host" | "platform" | "implementation" | "upgrade-strategy") => {
            Some(ValueOf::Word)
        }
        (
            HookKind::Composer
            | HookKind::Npm
            | HookKind::Pip
            | HookKind::Make
            | HookKind::Symfony
            | HookKind::Exec
            | HookKind::Git,
            _,
        ) => None,
    }
}
