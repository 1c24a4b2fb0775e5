//! The `.paas.yaml` language: text in, a deployment without open questions out.
//!
//! A file goes through the phases of paas-yaml.md §2: `yaml` makes a tree of it, `version` picks the
//! grammar, `condition` drops what does not apply, `extends` puts the platform's definitions under
//! the file's, `validate` holds the tree against the grammar, `substitute` puts variables in, and
//! the module `compile` makes the model. The first phases end a compilation that has faults; the
//! later ones poison what is wrong, go on with the rest, and so find all faults at once.

mod compile;
pub mod compiled;
mod condition;
mod context;
mod context_file;
pub mod explain;
mod extends;
mod fault;
mod grammar;
mod hook;
mod injection;
mod lexeme;
mod limits;
mod merge;
mod naming;
mod node;
mod places;
mod quantity;
mod quota;
mod reference;
mod report;
mod schema;
mod source;
mod substitute;
mod tree;
mod validate;
mod version;
mod view;
mod yaml;

pub use context::{
    Context, HookKind, HookRule, Libraries, Platform, PlatformDefaults, Target, TargetKind,
};
pub use context_file::{Cluster, ContextFile, ContextFileError};
pub use extends::check_libraries;
pub use fault::{Branch, Code, Fault, Faults, Severity, render_branches, render_warnings, wrapped};
pub use hook::HookCall;
pub use naming::project_name;
pub use places::Places;
pub use quantity::Category;
pub use quota::{Bounds, Share, Used, check_pods, check_quota, share_of, used_by};
pub use reference::reference;
pub use schema::schema;
pub use tree::Tree;

use std::collections::BTreeMap;

use crate::paas::compile::Setting;
use crate::paas::compiled::{Deployment, Version};
use crate::paas::condition::Conditions;
use crate::paas::node::Place;
use crate::paas::report::{Path, Poisoned, Reports};
use crate::paas::source::Source;
use crate::paas::substitute::Values;
use crate::paas::view::View;

/// Largest file in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// A file that compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// What it comes to.
    pub model: Deployment,
    /// What its author may want to know, in the order of the text; at most a thousand.
    pub warnings: Vec<Fault>,
    /// Which conditions held.
    pub branches: Vec<Branch>,
    /// Where its things stand in the text.
    pub places: Places,
}

/// Compiles the text of a file.
///
/// # Errors
///
/// All faults of the file that do not follow from each other.
pub fn compile(text: &[u8], context: &Context) -> Result<Compiled, Faults> {
    let mut reports = Reports::new(context);
    let model = run(text, context, &mut reports);
    let Reports { errors, warnings, branches, .. } = reports;
    let mut warnings = warnings.faults;
    fault::sort(&mut warnings);
    match (model, Faults::new(errors.faults, errors.left_out)) {
        (_, Some(faults)) => Err(faults.with(warnings, branches)),
        (Ok((model, places)), None) => Ok(Compiled { model, warnings, branches, places }),
        (Err(Poisoned), None) => {
            // Never seen; a deployment with something missing would be worse.
            let message = "this file is not understood";
            let fault = Fault::new(Code::NotSupportedYet, &Path::default(), Place::START, message)
                .hint("please report it with the file: this is a mistake of Pierhead".to_owned());
            Err(Faults::one(fault))
        }
    }
}

fn run(
    text: &[u8],
    context: &Context,
    reports: &mut Reports,
) -> Result<(Deployment, Places), Poisoned> {
    let text = checked(text, reports)?;
    let source = Source::new(text);
    let mut root = yaml::parse(&source, reports)?;
    let version = version::version(&root, reports)?;

    let environment_tag = naming::environment_tag(&context.environment);
    let project_name = project_name(&context.project_name);
    let mut variables: BTreeMap<_, _> = context.variables.iter().collect();
    variables.insert("JOB_ENV_TAG", &environment_tag);
    variables.insert("JOB_PROJECT_NAME", &project_name);

    let conditions = Conditions::new(&variables);
    match version {
        Version::V1 => version::refuse_conditions(&root, reports)?,
        Version::V1_1 => {
            version::refuse_conditional(&root, reports);
            root = conditions.filter(root, reports)?;
        }
    }
    extends::resolve(&mut root, version, &context.platform.libraries, &conditions, reports)?;
    injection::library_images(&mut root, &context.platform.libraries, |node, path| match version {
        Version::V1 => node,
        Version::V1_1 => conditions.filter_definition(node, path, reports),
    });
    validate::validate(&mut root, version, context, reports);
    limits::check(&View::root(&root), reports)?;
    let values = Values { variables, prefix: &context.prefix };
    substitute::substitute(&mut root, &Path::default(), &values, reports);
    injection::run_defaults(&mut root, context, &values, reports);

    let setting = Setting {
        version,
        project_name: &project_name,
        environment_tag: &environment_tag,
        has_hooks: root.entry("builds").is_some_and(|builds| !builds.value.is_empty()),
        context,
    };
    Ok((compile::deployment(&root, &setting, reports)?, Places::of(&root)))
}

/// The text, when it is one and not too long.
fn checked<'a>(text: &'a [u8], reports: &mut Reports) -> Result<&'a str, Poisoned> {
    let mut refuse =
        |code, message| reports.add(Fault::new(code, &Path::default(), Place::START, message));
    if text.len() > MOST_BYTES {
        let message = format!("the file has {} bytes; at most {MOST_BYTES}", text.len());
        return Err(refuse(Code::OverLimit, message));
    }
    std::str::from_utf8(text).map_err(|error| {
        let good = text.split_at_checked(error.valid_up_to()).map_or(text, |(good, _)| good);
        let source = String::from_utf8_lossy(good);
        let source = Source::new(&source);
        let place = source.end();
        reports.add(Fault::new(Code::NotYaml, &Path::default(), place, "this is not UTF-8"))
    })
}

#[cfg(test)]
mod shape;
#[cfg(test)]
mod tests;
