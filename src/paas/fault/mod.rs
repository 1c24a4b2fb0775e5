//! What is wrong with a file, and where.

mod render;

use crate::domain::words::words;

pub use render::render_warnings;

words! {
    /// Kinds of faults (paas-yaml.md §13).
    Code, "fault code" {
        /// It is no YAML, or YAML that cannot be a deployment.
        NotYaml = "E-102",
        /// The grammar asked for does not exist.
        UnknownVersion = "E-103",
        /// Something that the file's version does not have.
        NeedsNewerVersion = "E-104",
        /// More than a limit allows.
        OverLimit = "E-105",
        /// A part of the language that this Pierhead cannot do yet.
        NotSupportedYet = "E-106",
        /// A key that means nothing at its place.
        UnknownKey = "E-201",
        /// A key that must be there.
        MissingKey = "E-202",
        /// A list where a mapping is due, and the like.
        WrongShape = "E-203",
        /// A malformed name, an unknown word, a number out of range.
        BadValue = "E-204",
        /// A list or a mapping as the value of a variable.
        StructuredVariable = "E-207",
        /// A probe that does not say which port.
        NoProbePort = "E-208",
        /// Nothing where text is due.
        Blank = "E-209",
        /// A control character in a name or a path.
        ControlCharacter = "E-211",
        /// A path that leaves the repository.
        OutsideRepository = "E-212",
        /// A service that listens twice on one port.
        DuplicateListen = "E-213",
        /// Two rows for one resource.
        DuplicateResource = "E-215",
        /// No probe, or several.
        ProbeCount = "E-216",
        /// No name or tag of an image.
        BadImageName = "E-217",
        /// A path that the commit does not have.
        NotInTree = "E-218",
        /// A variable that has no value.
        UndefinedVariable = "E-501",
        /// Two keys that come to the same.
        EqualKeys = "E-502",
        /// No quantity, or of another category.
        BadQuantity = "E-701",
        /// A percentage over 100.
        BadPercentage = "E-702",
        /// More guaranteed than there is.
        RequiresAboveCapacity = "E-704",
        /// Two quotas for one resource.
        DuplicateQuota = "E-706",
        /// A quota of another category than the account's.
        CategoryMismatch = "E-707",
        /// More than the account grants.
        AboveAccount = "E-708",
        /// A percentage of nothing.
        RelativeToNothing = "E-709",
        /// A resource that nobody grants.
        NoSuchResource = "E-710",
        /// A limit below what is required.
        LimitBelowRequire = "E-711",
        /// The quota's capacity is exceeded.
        OverCapacity = "E-712",
        /// What the quota guarantees is exceeded.
        OverGuarantee = "E-713",
        /// Nothing is left to share out.
        NothingToShare = "E-714",
        /// Two images of one name and tag.
        DuplicateImage = "E-802",
        /// A service for a pod that does not exist.
        NoSuchPod = "E-815",
        /// An ingress that nobody answers.
        NoBackend = "E-816",
        /// An ingress for a service that does not exist.
        NoSuchService = "E-817",
        /// A name that cannot be deployed.
        BadDeployedName = "E-818",
        /// Several images that a container could mean.
        AmbiguousImage = "E-821",
        /// A service's target that no container listens on.
        NotListened = "W-05",
        /// An image that no container runs.
        UnusedImage = "W-06",
        /// Two containers of a pod on one port.
        SharedPort = "W-07",
        /// Text that looks like a reference and is none.
        NoReference = "W-08",
    }
}

/// Whether a fault stops a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It is shown.
    Warning,
}

impl Severity {
    /// The word before a fault.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Code {
    /// Whether it stops a deployment; the list of those that do not is closed.
    pub fn severity(self) -> Severity {
        let deploys_all_the_same =
            matches!(self, Self::NoSuchPod | Self::NoBackend | Self::NoSuchService);
        if deploys_all_the_same || self.as_str().starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }
}

/// One fault of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub code: Code,
    /// Where it is in the document, such as `pods.web.containers.app.image`; empty for the whole.
    pub path: String,
    /// What is wrong; never holds the value of a variable.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Line of the text, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters, within the line.
    pub length: usize,
}

/// The faults of a file in the order of its text; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    kept: Vec<Fault>,
    left_out: usize,
}

impl Faults {
    /// Puts faults into order; nothing when there are none. So many more are only counted.
    pub(super) fn new(mut kept: Vec<Fault>, left_out: usize) -> Option<Self> {
        sort(&mut kept);
        (!kept.is_empty()).then_some(Self { kept, left_out })
    }

    /// All of them; of more than a thousand those that were found first.
    pub fn as_slice(&self) -> &[Fault] {
        &self.kept
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.kept.len() + self.left_out
    }
}

/// Puts faults into the order of the text.
pub(super) fn sort(faults: &mut [Fault]) {
    faults.sort_by_key(|fault| (fault.line, fault.column));
}
