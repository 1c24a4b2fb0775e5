//! The tables of what runs: pods, containers and jobs (paas-yaml.md §4.10, §4.11).

use crate::paas::grammar::table::{
    BOOL, ENHANCEMENTS, EXTENDS, MOST, NATURAL, PORT, POSITIVE, QUANTITY, REGISTRY_CONFIG,
    STORAGE_PROVIDER, STORAGE_SIZE, TEXT, TEXTS, TOKEN, names, on_kubernetes, optional, required,
    section, since_v1_1, some_names, words,
};
use crate::paas::grammar::{Emptiness, Key, Kind, Need, Rule, Section, Shape};
use crate::paas::lexeme::Lexeme;

/// Containers that belong together.
pub(super) static POD: Section = section(&[
    EXTENDS,
    optional("replicas", NATURAL, "How many of it run; 1 if absent."),
    on_kubernetes(REGISTRY_CONFIG),
    on_kubernetes(optional(
        "upgrade",
        Shape::Section(&UPGRADE),
        "How a new version replaces the old one.",
    )),
    on_kubernetes(since_v1_1(optional(
        "restart-policy",
        words(&["always", "on-failure", "never"]),
        "When its containers are started again; in a job not `always`.",
    ))),
    on_kubernetes(optional("security", Shape::Section(&SECURITY), "Whom its files belong to.")),
    on_kubernetes(optional("requires", TEXTS, "Labels that its node must have.")),
    required("containers", some_names(&Shape::Section(&CONTAINER)), "Its containers."),
    ENHANCEMENTS,
])
.named("pod");

static UPGRADE: Section = section(&[
    optional(
        "strategy",
        words(&["rolling-upgrade", "recreate", "on-delete"]),
        "In which order; rolling-upgrade if absent.",
    ),
    optional("max-upgrading-pods", NATURAL, "How many more run meanwhile; 1 if absent."),
    optional("max-unavailable-pods", NATURAL, "How many fewer run meanwhile; 0 if absent."),
])
.named("upgrade");

static SECURITY: Section =
    section(&[optional("fs-group", NATURAL, "Group that its volumes belong to.")])
        .named("security");

static CONTAINER: Section = section(&[
    EXTENDS,
    required("image", TEXT, "What it runs: an image of this file or of a registry."),
    optional("version", TEXT, "Tag of the image; latest if absent."),
    optional("listen", Shape::List(&PORT), "Ports it listens on."),
    optional(
        "volumes",
        names(&Shape::Kinds(&VOLUME_KINDS)),
        "Files it sees besides those of its image.",
    ),
    optional("variables", Shape::Variables(&VARIABLES), "Its environment variables."),
    optional(
        "healthcheck",
        Shape::Section(&HEALTHCHECK),
        "How to tell that it is well: by a command, a path or a port.",
    ),
    optional("resources", Shape::List(&Shape::Section(&RESOURCE)), "What it may use."),
    ENHANCEMENTS,
])
.named("container");

/// Files that a container sees: the five kinds, in the order in which they are told apart.
static VOLUME_KINDS: [Kind; 5] = [
    Kind { discriminant: "add", section: &EMBEDDED },
    Kind { discriminant: "from", section: &SHARED },
    Kind { discriminant: "persistent", section: &PERSISTENT },
    Kind { discriminant: "from-map", section: &MAP_FILES },
    Kind { discriminant: "from-secret", section: &SECRET_FILES },
];

const MOUNT_PATH: Key = required("mount-path", TEXT, "Where the files are seen: an absolute path.");

static EMBEDDED: Section = section(&[
    MOUNT_PATH,
    required("add", TEXTS, "Files and folders of the repository that become part of the image."),
    optional("writables", TEXTS, "What of them the application may write, as patterns."),
])
.named("embedded-volume");

static SHARED: Section =
    section(&[MOUNT_PATH, required("from", TOKEN, "A volume of the section `volumes`.")])
        .named("shared-volume");

static PERSISTENT: Section = section(&[
    MOUNT_PATH,
    on_kubernetes(required("persistent", BOOL, "true: the files outlive the container.")),
    optional("name", TEXT, "Volumes of one name are one volume."),
    optional("write-many", BOOL, "Whether several write it at a time; yes for several replicas."),
    optional("reset-on-deployment", BOOL, "Whether every deployment begins with an empty one."),
    STORAGE_PROVIDER,
    STORAGE_SIZE,
])
.named("persistent-volume");

static MAP_FILES: Section = section(&[
    MOUNT_PATH,
    on_kubernetes(required("from-map", TEXT, "Map whose entries are files.")),
])
.named("map-volume");

static SECRET_FILES: Section = section(&[
    MOUNT_PATH,
    on_kubernetes(required("from-secret", TEXT, "Secret whose entries are files.")),
])
.named("secret-volume");

/// Names of variables, and of what each is an entry.
const ENTRIES: Shape = Shape::Names(Emptiness::Refused, Lexeme::Text, &TEXT);

static VARIABLES: Section = section(&[
    on_kubernetes(optional(
        "from-secrets",
        ENTRIES,
        "Variables that are entries of secrets: secret.key.",
    )),
    on_kubernetes(optional("import-secrets", TEXTS, "Secrets all of whose entries are variables.")),
    on_kubernetes(optional("from-maps", ENTRIES, "Variables that are entries of maps: map.key.")),
    on_kubernetes(optional("import-maps", TEXTS, "Maps all of whose entries are variables.")),
])
.named("variables");

static HEALTHCHECK: Section = section(&[
    required("initial-delay-seconds", NATURAL, "Seconds before the first question."),
    required("period-seconds", POSITIVE, "Seconds between two questions."),
    required("probe", Shape::Section(&PROBE), "What is asked: command, http or tcp."),
    optional("threshold", Shape::Section(&THRESHOLD), "How many answers decide."),
    ENHANCEMENTS,
])
.named("healthcheck");

static PROBE: Section = Section {
    name: "probe",
    keys: &[
        optional("command", Shape::List(&TEXT), "A program that ends well; no shell takes part."),
        optional("http", Shape::Section(&HTTP), "A path that answers."),
        Key { need: Need::OptionalEmpty, ..optional("tcp", Shape::Section(&TCP), "A port.") },
    ],
    rule: Rule::One,
};

static HTTP: Section = section(&[
    optional("port", PORT, "The port; the container's only one if absent."),
    required("path", TEXT, "The path, beginning with /."),
    optional("is-secure", BOOL, "Over TLS; no if absent."),
])
.named("http");

static TCP: Section =
    section(&[optional("port", PORT, "The port; the container's only one if absent.")])
        .named("tcp");

static THRESHOLD: Section = section(&[
    optional("success", POSITIVE, "Good answers in a row that make it well; 1 if absent."),
    optional("failure", POSITIVE, "Bad answers in a row that make it ill; 1 if absent."),
])
.named("threshold");

static RESOURCE: Section = section(&[
    required("type", TOKEN, "The resource, such as cpu or memory."),
    required("require", QUANTITY, "What each replica is guaranteed."),
    optional("limit", QUANTITY, "What each replica may use; `require` if absent."),
    ENHANCEMENTS,
])
.named("resource");

/// Work that ends.
pub(super) static JOB: Section = section(&[
    EXTENDS,
    required("pods", names(&Shape::Section(&POD)), "What runs, as in the section `pods`."),
    optional("completions", Shape::Section(&COMPLETIONS), "When it has ended, and how."),
    optional("is-parallel", BOOL, "Whether all its runs start at a time; no if absent."),
    optional(
        "planning",
        words(&["during-deployment", "scheduled", "before-deployment"]),
        "When it runs; scheduled with a schedule, else during-deployment.",
    ),
    optional("schedule", TEXT, "A cron expression of five fields."),
    ENHANCEMENTS,
])
.named("job");

static COMPLETIONS: Section = section(&[
    optional("count", POSITIVE, "How often it must succeed; 1 if absent."),
    optional("mode", words(&["common", "indexed"]), "Whether runs know their number."),
    optional("time-limit", POSITIVE, "Seconds after which it has failed, all its pods together."),
    Key {
        need: Need::OptionalNull,
        ..optional(
            "shelf-life",
            Shape::Scalar(Lexeme::IntOrNull(0, MOST)),
            "Seconds for which it is kept; 3600 if absent, null: for ever.",
        )
    },
    optional("success-on", Shape::List(&EXIT_CODE), "Exit codes of success; 0 if absent."),
    optional("fail-on", Shape::List(&EXIT_CODE), "Exit codes of failure; 1 if absent."),
    optional("limit-on", TEXT, "The container whose exit code counts; any if absent."),
])
.named("completions");

const EXIT_CODE: Shape = Shape::Scalar(Lexeme::Int(0, 255));
