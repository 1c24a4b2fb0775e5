//! What is wrong with a file, and where.

mod render;
mod secrets;

use serde::Serialize;

use crate::domain::words::words;

pub use render::{render_branches, render_warnings, wrapped};

words! {
    /// Kinds of faults (paas-yaml.md §13).
    Code, "fault code" {
        /// There is no file, or it cannot be read.
        NoFile = "E-101",
        /// It is no YAML, or YAML that cannot be a deployment.
        NotYaml = "E-102",
        /// The grammar asked for does not exist.
        UnknownVersion = "E-103",
        /// Something that the file's version does not have.
        NeedsNewerVersion = "E-104",
        /// More than a limit allows.
        OverLimit = "E-105",
        /// A part of the language that no target can do yet.
        NotSupportedYet = "E-106",
        /// A key that means nothing at its place.
        UnknownKey = "E-201",
        /// A key that must be there.
        MissingKey = "E-202",
        /// A list where a mapping is due, and the like.
        WrongShape = "E-203",
        /// A malformed name, an unknown word, a number out of range.
        BadValue = "E-204",
        /// A volume of no kind, or of several.
        VolumeKind = "E-205",
        /// A mount path that is empty or relative.
        BadMountPath = "E-206",
        /// A list or a mapping as the value of a variable.
        StructuredVariable = "E-207",
        /// A probe that does not say which port.
        NoProbePort = "E-208",
        /// Nothing where text is due.
        Blank = "E-209",
        /// A size that is none.
        BadSize = "E-210",
        /// A control character in a name or a path.
        ControlCharacter = "E-211",
        /// A path that leaves the repository or the mount.
        OutsideRepository = "E-212",
        /// A service that listens twice on one port.
        DuplicateListen = "E-213",
        /// An upgrade that could never begin.
        NoProgress = "E-214",
        /// Two rows for one resource.
        DuplicateResource = "E-215",
        /// No probe, or several.
        ProbeCount = "E-216",
        /// No name or tag of an image.
        BadImageName = "E-217",
        /// A path that the commit does not have.
        NotInTree = "E-218",
        /// A condition that cannot be read.
        BadCondition = "E-301",
        /// A condition over a single value.
        ScalarUnderCondition = "E-302",
        /// `is` with something else than `null` or `empty`.
        BadCriterion = "E-303",
        /// Conditions over lists beside other keys.
        MixedConditions = "E-304",
        /// A condition that changes the version.
        ConditionalVersion = "E-305",
        /// `extends` that is no name.
        BadExtends = "E-401",
        /// `extends` of something that the library does not have.
        UnknownDefinition = "E-402",
        /// A variable that has no value.
        UndefinedVariable = "E-501",
        /// Two keys that come to the same.
        EqualKeys = "E-502",
        /// A value that neither the file nor the target has.
        NoDefault = "E-601",
        /// No quantity, or of another category.
        BadQuantity = "E-701",
        /// A percentage over 100.
        BadPercentage = "E-702",
        /// A percentage where the account needs an amount.
        RelativeAccountQuota = "E-703",
        /// More guaranteed than there is.
        RequiresAboveCapacity = "E-704",
        /// A quota of no known category.
        UnknownCategory = "E-705",
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
        /// Features that the platform does not vouch for.
        UnsupportedFeatures = "E-801",
        /// Two images of one name and tag.
        DuplicateImage = "E-802",
        /// A hook that the platform does not have.
        UnknownHook = "E-803",
        /// Options that a hook does not take.
        BadHookOptions = "E-804",
        /// A job without pods.
        EmptyJob = "E-805",
        /// A scheduled job without a schedule.
        NoSchedule = "E-806",
        /// A schedule of a job that is not scheduled.
        NeedlessSchedule = "E-807",
        /// An exit code that means success and failure.
        ContradictoryExitCode = "E-808",
        /// A shared volume that is not declared.
        NoSuchVolume = "E-809",
        /// Two volumes that would have one name.
        EqualVolumeNames = "E-810",
        /// Definitions of one volume that differ.
        ConflictingVolumes = "E-811",
        /// `on-delete` for a pod without a persistent volume.
        StatelessOnDelete = "E-812",
        /// A job that would never end.
        AlwaysInJob = "E-813",
        /// A variable that is defined twice.
        DuplicateVariable = "E-814",
        /// A service for a pod that does not exist.
        NoSuchPod = "E-815",
        /// An ingress that nobody answers.
        NoBackend = "E-816",
        /// An ingress for a service that does not exist.
        NoSuchService = "E-817",
        /// A name that cannot be deployed.
        BadDeployedName = "E-818",
        /// A schedule that is no cron expression of five fields.
        BadSchedule = "E-819",
        /// `limit-on` for a container that does not exist.
        NoSuchContainer = "E-820",
        /// Several images that a container could mean.
        AmbiguousImage = "E-821",
        /// A build argument with a secret in it.
        SecretArgument = "E-822",
        /// A list or a mapping as the value of a map.
        StructuredMapValue = "W-01",
        /// A map or a secret that the file does not declare.
        Undeclared = "W-02",
        /// `limit-on` without exit codes.
        IdleLimitOn = "W-03",
        /// Several writers on a volume for one.
        SingleWriter = "W-04",
        /// A service's target that no container listens on.
        NotListened = "W-05",
        /// An image or a volume that nothing uses.
        Unused = "W-06",
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    warnings: Vec<Fault>,
    branches: Vec<Branch>,
}

/// A condition of a file, and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Branch {
    /// The key as it is written, such as `if{ENV=prod}`.
    pub condition: String,
    /// Where it is in the document.
    pub path: String,
    /// Line of the text, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters.
    pub length: usize,
    /// Whether what is under it counts.
    pub taken: bool,
}

impl Faults {
    /// Puts faults into order; nothing when there are none. So many more are only counted.
    pub(super) fn new(mut kept: Vec<Fault>, left_out: usize) -> Option<Self> {
        sort(&mut kept);
        let (warnings, branches) = (Vec::new(), Vec::new());
        (!kept.is_empty()).then_some(Self { kept, left_out, warnings, branches })
    }

    /// One fault.
    pub(super) fn one(fault: Fault) -> Self {
        Self { kept: vec![fault], left_out: 0, warnings: Vec::new(), branches: Vec::new() }
    }

    /// Adds what else there is to say about the file.
    pub(super) fn with(self, warnings: Vec<Fault>, branches: Vec<Branch>) -> Self {
        Self { warnings, branches, ..self }
    }

    /// What stops no deployment, in the order of the text.
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// Which conditions held, as far as the file could be read.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
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
