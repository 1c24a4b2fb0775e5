//! The `.paas.yaml` language: text in, a deployment without open questions out.
//!
//! A file goes through the phases of paas-yaml.md §2: `yaml` makes a tree of it, `version` picks the
//! grammar, `validate` holds the tree against it, `substitute` puts variables in, and the module
//! `compile` makes the model. The first phases end a compilation that has faults; the later ones
//! poison what is wrong, go on with the rest, and so find all faults at once.

mod compile;
pub mod compiled;
mod fault;
mod grammar;
mod lexeme;
mod limits;
mod naming;
mod node;
mod quantity;
mod quota;
mod report;
mod source;
mod substitute;
mod tree;
mod validate;
mod version;
mod view;
mod yaml;

pub use fault::{Code, Fault, Faults, Severity, render_warnings};
pub use quantity::{Category, HardQuota};
pub use tree::Tree;

use std::collections::BTreeMap;

use crate::domain::variables::Variables;
use crate::paas::compile::Setting;
use crate::paas::compiled::Deployment;
use crate::paas::node::Place;
use crate::paas::report::{Path, Poisoned, Reports};
use crate::paas::source::Source;
use crate::paas::substitute::Values;
use crate::paas::view::View;

/// Largest file in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// What a file is compiled with, besides its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The project's name.
    pub project_name: String,
    /// The environment's name.
    pub environment: String,
    /// Goes before every deployed name; empty for none.
    pub prefix: String,
    /// Launch variables.
    pub variables: Variables,
    /// The commit's files; without them, paths are not checked.
    pub tree: Option<Tree>,
    /// What the account grants, one row a resource; without any, the file bounds itself.
    pub hard_quotas: Vec<HardQuota>,
}

/// A file that compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// What it comes to.
    pub model: Deployment,
    /// What its author may want to know, in the order of the text; at most a thousand.
    pub warnings: Vec<Fault>,
}

/// Compiles the text of a file.
///
/// # Errors
///
/// All faults of the file that do not follow from each other.
pub fn compile(text: &[u8], context: &Context) -> Result<Compiled, Faults> {
    let mut reports = Reports::default();
    let model = run(text, context, &mut reports);
    let Reports { errors, warnings, .. } = reports;
    match (model, Faults::new(errors.faults, errors.left_out)) {
        (_, Some(faults)) => Err(faults),
        (Ok(model), None) => {
            let mut warnings = warnings.faults;
            fault::sort(&mut warnings);
            Ok(Compiled { model, warnings })
        }
        (Err(Poisoned), None) => {
            unreachable!("nothing is poisoned without a fault that says why")
        }
    }
}

fn run(text: &[u8], context: &Context, reports: &mut Reports) -> Result<Deployment, Poisoned> {
    let text = checked(text, reports)?;
    let source = Source::new(text);
    let mut root = yaml::parse(&source, reports)?;
    let version = version::version(&root, reports)?;
    version::refuse_conditions(&root, version, reports)?;
    validate::validate(&mut root, version, reports);
    limits::check(&View::root(&root), reports)?;

    let environment_tag = naming::environment_tag(&context.environment);
    let project_name = naming::project_name(&context.project_name);
    let mut variables: BTreeMap<_, _> = context.variables.iter().collect();
    variables.insert("JOB_ENV_TAG", &environment_tag);
    variables.insert("JOB_PROJECT_NAME", &project_name);
    let values = Values { variables, prefix: &context.prefix };
    substitute::substitute(&mut root, &values, reports);

    let setting = Setting {
        version,
        project_name: &project_name,
        environment_tag: &environment_tag,
        prefix: &context.prefix,
        tree: context.tree.as_ref(),
        hard_quotas: &context.hard_quotas,
    };
    compile::deployment(&root, &setting, reports)
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
mod tests;
