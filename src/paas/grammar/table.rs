//! The tables of paas-yaml.md §4, in its order.

use crate::paas::compiled::Version;
use crate::paas::grammar::{Emptiness, Key, Need, Rule, Section, Shape};
use crate::paas::lexeme::{Lexeme, Word};

const TEXT: Shape = Shape::Scalar(Lexeme::Text);
const TOKEN: Shape = Shape::Scalar(Lexeme::Token);
const BOOL: Shape = Shape::Scalar(Lexeme::Bool);
const QUANTITY: Shape = Shape::Scalar(Lexeme::Quantity);
const PORT: Shape = Shape::Scalar(Lexeme::Int(1, 65_535));
const SECONDS: Shape = Shape::Scalar(Lexeme::Int(0, MOST));
const COUNT: Shape = Shape::Scalar(Lexeme::Int(1, MOST));

/// Largest whole number of the language.
const MOST: i64 = 2_147_483_647;

const fn section(keys: &'static [Key]) -> Section {
    Section { keys, rule: Rule::Any }
}

const fn names(entry: &'static Shape) -> Shape {
    Shape::Names(Emptiness::Allowed, entry)
}

const fn required(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, need: Need::Required, since: Version::V1, about }
}

const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, need: Need::Optional, since: Version::V1, about }
}

const fn later(name: &'static str, about: &'static str) -> Key {
    optional(name, Shape::Later, about)
}

const fn since_v1_1(key: Key) -> Key {
    Key { since: Version::V1_1, ..key }
}

const EXTENDS: Key = later("extends", "Definition of the platform's library that this refines.");
const ENHANCEMENTS: Key = later("enhancements", "Data for extensions.");

/// The whole file.
pub(in crate::paas) static ROOT: Section = section(&[
    optional("paas", Shape::Section(&PAAS), "The file itself: version and quotas."),
    later("defaults", "Values for what pods and volumes leave out."),
    later("maps", "Sets of plain values for containers."),
    later("secrets", "Sets of secret values for containers and ingresses."),
    optional("images", names(&Shape::Section(&IMAGE)), "Images that the project builds."),
    later("builds", "Hooks that run before images are built."),
    later("volumes", "Files of the repository that containers share."),
    since_v1_1(later("jobs", "Work that ends.")),
    required(
        "pods",
        Shape::Names(Emptiness::Refused, &Shape::Section(&POD)),
        "What runs: containers that belong together.",
    ),
    optional("services", names(&Shape::Section(&SERVICE)), "Names under which pods are found."),
    optional("ingresses", names(&Shape::Section(&INGRESS)), "How people reach services."),
    ENHANCEMENTS,
]);

static PAAS: Section = section(&[
    optional("version", TEXT, "Grammar of the file: v1 or v1.1."),
    later("requires", "Features that the platform must vouch for."),
    optional(
        "quotas",
        Shape::List(&Shape::Section(&QUOTA)),
        "What the deployment may use, within the account's quotas.",
    ),
    ENHANCEMENTS,
]);

static QUOTA: Section = section(&[
    required(
        "category",
        Shape::Scalar(Lexeme::Word(&[
            Word { text: "compute", since: Version::V1 },
            Word { text: "memory", since: Version::V1 },
        ])),
        "Fixes the units: thousandths or bytes.",
    ),
    required("type", TOKEN, "The resource, such as cpu or memory."),
    required("capacity", QUANTITY, "Bound of all limits together."),
    optional("requires", QUANTITY, "Bound of all that is guaranteed; the capacity if absent."),
    ENHANCEMENTS,
]);

static IMAGE: Section = section(&[
    optional("build-name", TEXT, "Name of the image; the entry's own if absent."),
    optional("tag", TEXT, "Tag before the environment's name."),
    required("path", TEXT, "Folder of the Dockerfile, which is its build context."),
    optional("variables", Shape::Variables(&section(&[])), "Build arguments."),
    ENHANCEMENTS,
]);

static POD: Section = section(&[
    EXTENDS,
    optional("replicas", SECONDS, "How many of it run; 1 if absent."),
    later("oci-registry-config-name", "Credential for pulling its images."),
    later("upgrade", "How a new version replaces the old one."),
    since_v1_1(later("restart-policy", "When its containers are started again.")),
    later("security", "Whom its files belong to."),
    later("requires", "What a node must have."),
    required(
        "containers",
        Shape::Names(Emptiness::Refused, &Shape::Section(&CONTAINER)),
        "Its containers.",
    ),
    ENHANCEMENTS,
]);

static CONTAINER: Section = section(&[
    EXTENDS,
    required("image", TEXT, "What it runs: an image of this file or of a registry."),
    optional("version", TEXT, "Tag of the image; latest if absent."),
    optional("listen", Shape::List(&PORT), "Ports it listens on."),
    later("volumes", "Files it sees besides its image's."),
    optional("variables", Shape::Variables(&VARIABLES), "Its environment."),
    optional("healthcheck", Shape::Section(&HEALTHCHECK), "How to see that it is well."),
    optional("resources", Shape::List(&Shape::Section(&RESOURCE)), "What it may use."),
    ENHANCEMENTS,
]);

static VARIABLES: Section = section(&[
    later("from-secrets", "Variables that are entries of secrets."),
    later("import-secrets", "Secrets all of whose entries are variables."),
    later("from-maps", "Variables that are entries of maps."),
    later("import-maps", "Maps all of whose entries are variables."),
]);

static HEALTHCHECK: Section = section(&[
    required("initial-delay-seconds", SECONDS, "Seconds before the first question."),
    required("period-seconds", COUNT, "Seconds between two questions."),
    required("probe", Shape::Section(&PROBE), "What is asked: command, http or tcp."),
    optional("threshold", Shape::Section(&THRESHOLD), "How many answers decide."),
    ENHANCEMENTS,
]);

static PROBE: Section = Section {
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
]);

static TCP: Section =
    section(&[optional("port", PORT, "The port; the container's only one if absent.")]);

static THRESHOLD: Section = section(&[
    optional("success", COUNT, "Good answers in a row that make it well; 1 if absent."),
    optional("failure", COUNT, "Bad answers in a row that make it ill; 1 if absent."),
]);

static RESOURCE: Section = section(&[
    required("type", TOKEN, "The resource, such as cpu or memory."),
    required("require", QUANTITY, "What each replica is guaranteed."),
    optional("limit", QUANTITY, "What each replica may use; `require` if absent."),
    ENHANCEMENTS,
]);

static SERVICE: Section = section(&[
    EXTENDS,
    optional("pod", TOKEN, "The pod; that of the service's name if absent."),
    optional("internal", BOOL, "Whether only other pods reach it; yes if absent."),
    optional(
        "protocol",
        Shape::Scalar(Lexeme::Word(&[
            Word { text: "TCP", since: Version::V1 },
            Word { text: "tcp", since: Version::V1 },
            Word { text: "UDP", since: Version::V1 },
            Word { text: "udp", since: Version::V1 },
            Word { text: "HTTPS", since: Version::V1_1 },
            Word { text: "https", since: Version::V1_1 },
        ])),
        "What is spoken; TCP if absent.",
    ),
    required("ports", Shape::List(&Shape::Section(&SERVICE_PORT)), "Its ports."),
    ENHANCEMENTS,
]);

static SERVICE_PORT: Section = section(&[
    required("listen", PORT, "What others connect to."),
    required("target", PORT, "What the pod listens on."),
]);

static INGRESS: Section = section(&[
    EXTENDS,
    required("host", TEXT, "The host asked for."),
    later("aliases", "Other hosts with the same answers."),
    later("provider", "Who answers."),
    later("https-backend", "Whether its services speak HTTPS."),
    later("tls", "Its certificate."),
    optional("service", Shape::Section(&BACKEND), "Who answers every other path."),
    optional("paths", Shape::List(&Shape::Section(&PATH)), "Prefixes of paths and who answers."),
    later("meta", "Settings of its provider."),
    ENHANCEMENTS,
]);

static PATH: Section = section(&[
    required("path", TEXT, "The prefix, beginning with /."),
    required("service", Shape::Section(&BACKEND), "Who answers."),
]);

static BACKEND: Section = section(&[
    required("name", TOKEN, "A service."),
    required("port", PORT, "A port that it listens on."),
]);
