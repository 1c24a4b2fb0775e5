//! A file, and what it must come to.

use pierhead::paas::{Context, ContextFile, Fault, compile};
use serde_json::Value;

/// Before what a case adds to the context.
const HEAD: &str = "project = 'Store Front'\nenvironment = 'Production EU'\n";

/// Behind it: what all cases may use.
const TABLES: &str = "
[variables]
ENV = 'prod'
N = '10'
Z = '0'
S = 'abc'
EMPTY = ''
foo = 'F'
bar = '${foo}'

[hooks]
npm = 'npm'
git = 'git'
";

/// The pod of a file that has none of its own.
const POD: &str = "\npods: {web: {containers: {app: {image: nginx}}}}\n";

/// A file, and what it must come to.
pub(super) struct Case {
    /// The number in the register, or the section of the specification.
    pub(super) rule: &'static str,
    about: &'static str,
    context: &'static str,
    file: &'static str,
    expected: Expected,
}

/// What a file comes to.
enum Expected {
    /// A model that has these values, by their JSON pointers.
    Model(&'static [(&'static str, &'static str)]),
    /// A model, with these warnings.
    Warnings(&'static [&'static str]),
    /// These faults: code and path.
    Faults(&'static [&'static str]),
}

impl Case {
    /// A file of no special context that compiles without warnings.
    pub(super) const fn new(rule: &'static str, about: &'static str, file: &'static str) -> Self {
        Self { rule, about, context: "", file, expected: Expected::Warnings(&[]) }
    }

    /// Compiled with this too.
    pub(super) const fn with(self, context: &'static str) -> Self {
        Self { context, ..self }
    }

    /// Its model has these values.
    pub(super) const fn is(self, values: &'static [(&'static str, &'static str)]) -> Self {
        Self { expected: Expected::Model(values), ..self }
    }

    /// It has these faults.
    pub(super) const fn fails(self, faults: &'static [&'static str]) -> Self {
        Self { expected: Expected::Faults(faults), ..self }
    }

    /// It compiles with these warnings.
    pub(super) const fn warns(self, warnings: &'static [&'static str]) -> Self {
        Self { expected: Expected::Warnings(warnings), ..self }
    }

    fn context(&self) -> Context {
        let text = format!("{HEAD}{}{TABLES}", self.context);
        ContextFile::read(&text).unwrap().into_context()
    }

    /// Compiles it.
    ///
    /// # Errors
    ///
    /// When it comes to something else.
    pub(super) fn check(&self) -> Result<(), String> {
        let has_pods = self.file.lines().any(|line| line.starts_with("pods:"));
        let pod = if has_pods { "" } else { POD };
        let text = format!("{}{pod}", self.file);
        let told = |difference: String| {
            format!("{}: {}\n{}\n{difference}", self.rule, self.about, text.trim())
        };
        match (compile(text.as_bytes(), &self.context()), &self.expected) {
            (Ok(compiled), Expected::Model(values)) => {
                let model = serde_json::to_value(compiled.model).unwrap();
                for (pointer, value) in *values {
                    let expected: Value = serde_json::from_str(value).unwrap();
                    let actual = model.pointer(pointer);
                    if actual != Some(&expected) {
                        return Err(told(format!("{pointer}: {actual:?}, not {value}")));
                    }
                }
                Ok(())
            }
            (Ok(compiled), Expected::Warnings(warnings)) => {
                same(&compiled.warnings, warnings).map_err(told)
            }
            (Err(faults), Expected::Faults(expected)) => {
                same(faults.as_slice(), expected).map_err(told)
            }
            (Ok(_), Expected::Faults(_)) => Err(told("it compiles".to_owned())),
            (Err(faults), _) => Err(told(faults.render(text.as_bytes(), "f").join("\n"))),
        }
    }
}

fn same(actual: &[Fault], expected: &[&str]) -> Result<(), String> {
    let line = |fault: &Fault| format!("{} {}", fault.code, fault.path).trim().to_owned();
    let lines: Vec<_> = actual.iter().map(line).collect();
    if lines == expected { Ok(()) } else { Err(format!("{lines:?}, not {expected:?}")) }
}
