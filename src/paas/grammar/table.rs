//! The tables of paas-yaml.md §4, in its order, but for what runs.

use crate::paas::compiled::Version;
use crate::paas::grammar::workloads::{JOB, POD};
use crate::paas::grammar::{Deploys, Emptiness, Form, Key, Need, Rule, Section, Shape};
use crate::paas::lexeme::{Lexeme, Words};

pub(super) const TEXT: Shape = Shape::Scalar(Lexeme::Text);
pub(super) const TOKEN: Shape = Shape::Scalar(Lexeme::Token);
pub(super) const BOOL: Shape = Shape::Scalar(Lexeme::Bool);
pub(super) const QUANTITY: Shape = Shape::Scalar(Lexeme::Quantity);
pub(super) const PORT: Shape = Shape::Scalar(Lexeme::Int(1, 65_535));
/// A whole number from 0.
pub(super) const NATURAL: Shape = Shape::Scalar(Lexeme::Int(0, MOST));
/// A whole number from 1.
pub(super) const POSITIVE: Shape = Shape::Scalar(Lexeme::Int(1, MOST));

/// Largest whole number of the language.
pub(super) const MOST: i64 = 2_147_483_647;

pub(super) const TEXTS: Shape = Shape::List(&TEXT);

pub(super) const fn section(keys: &'static [Key]) -> Section {
    Section { name: "", keys, rule: Rule::Any }
}

pub(super) const fn names(entry: &'static Shape) -> Shape {
    Shape::Names(Emptiness::Allowed, Lexeme::Token, entry)
}

/// One of these words.
pub(super) const fn words(all: &'static [&'static str]) -> Shape {
    Shape::Scalar(Lexeme::Word(Words { all, newer: &[] }))
}

/// Names of which there is at least one.
pub(super) const fn some_names(entry: &'static Shape) -> Shape {
    Shape::Names(Emptiness::Refused, Lexeme::Token, entry)
}

pub(super) const fn required(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        need: Need::Required,
        since: Version::V1,
        deploys: Deploys::Everywhere,
        about,
    }
}

pub(super) const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        need: Need::Optional,
        since: Version::V1,
        deploys: Deploys::Everywhere,
        about,
    }
}

pub(super) const fn since_v1_1(key: Key) -> Key {
    Key { since: Version::V1_1, ..key }
}

/// A key that Docker targets cannot do yet.
pub(super) const fn on_kubernetes(key: Key) -> Key {
    Key { deploys: Deploys::OnKubernetes, ..key }
}

pub(super) const EXTENDS: Key =
    optional("extends", TEXT, "Definition of the platform's library that this refines.");
pub(super) const ENHANCEMENTS: Key =
    optional("enhancements", Shape::Free(Form::Collection), "Data for extensions.");

/// The whole file.
pub(in crate::paas) static ROOT: Section = section(&[
    optional("paas", Shape::Section(&PAAS), "The file itself: version, features and quotas."),
    optional("defaults", Shape::Section(&DEFAULTS), "Values for what pods and volumes leave out."),
    optional("maps", names(&Shape::Free(Form::Entries)), "Sets of plain values for containers."),
    optional(
        "secrets",
        names(&Shape::Section(&SECRET)),
        "Sets of secret values for containers and ingresses.",
    ),
    optional("images", names(&Shape::Section(&IMAGE)), "Images that the project builds."),
    optional("builds", names(&HOOKS), "Hooks that run before images are built, by step."),
    optional(
        "volumes",
        names(&Shape::Section(&VOLUME)),
        "Files of the repository that containers share.",
    ),
    on_kubernetes(since_v1_1(optional("jobs", names(&Shape::Section(&JOB)), "Work that ends."))),
    required(
        "pods",
        some_names(&Shape::Section(&POD)),
        "What runs: containers that belong together.",
    ),
    optional("services", names(&Shape::Section(&SERVICE)), "Names under which pods are found."),
    optional("ingresses", names(&Shape::Section(&INGRESS)), "How people reach services."),
    ENHANCEMENTS,
])
.named("file");

static PAAS: Section = section(&[
    optional(
        "version",
        words(&["v1.1", "v1", "v1.0", "1.1", "1", "1.0"]),
        "Grammar of the file; v1.1 if absent.",
    ),
    optional("requires", Shape::List(&TOKEN), "Features that the platform must vouch for."),
    optional(
        "quotas",
        Shape::List(&Shape::Section(&QUOTA)),
        "What the deployment may use, within the account's quotas.",
    ),
    ENHANCEMENTS,
])
.named("paas");

static QUOTA: Section = section(&[
    required("category", words(&["compute", "memory"]), "Fixes the units: thousandths or bytes."),
    required("type", TOKEN, "The resource, such as cpu or memory."),
    required("capacity", QUANTITY, "Bound of all limits together."),
    optional("requires", QUANTITY, "Bound of all that is guaranteed; the capacity if absent."),
    ENHANCEMENTS,
])
.named("quota");

/// Values for what pods and volumes leave out; also the form of those of a run.
pub(in crate::paas) static DEFAULTS: Section = section(&[
    STORAGE_PROVIDER,
    STORAGE_SIZE,
    REGISTRY_CONFIG,
    optional(
        "clusters",
        Shape::Names(Emptiness::Refused, Lexeme::ClusterToken, &Shape::Section(&CLUSTER)),
        "What single clusters have instead, by their names.",
    ),
    ENHANCEMENTS,
])
.named("defaults");

static CLUSTER: Section =
    section(&[STORAGE_PROVIDER, STORAGE_SIZE, REGISTRY_CONFIG, ENHANCEMENTS]).named("cluster");

pub(super) const STORAGE_PROVIDER: Key =
    optional("storage-provider", TEXT, "Storage class of persistent volumes.");
pub(super) const STORAGE_SIZE: Key =
    optional("storage-size", TEXT, "Size of persistent volumes, such as 5Gi.");
pub(super) const REGISTRY_CONFIG: Key =
    optional("oci-registry-config-name", TEXT, "Credential of the cluster for pulling images.");

static SECRET: Section = section(&[
    required("provider", TEXT, "Who has the values; `map`: they are the options."),
    required(
        "options",
        Shape::Free(Form::Collection),
        "The values, or where the provider has them; `base64:` begins an encoded one.",
    ),
    optional("type", TEXT, "`default`, or `tls` with the entries tls.crt and tls.key."),
])
.named("secret");

/// Hooks of a step, by their names.
const HOOKS: Shape = Shape::Names(Emptiness::Refused, Lexeme::Text, &Shape::Free(Form::Any));

static VOLUME: Section = section(&[
    required("add", TEXTS, "Files and folders; a slash at the end means what is in the folder."),
    optional("local-path", TEXT, "Where its image has the files; /volume if absent."),
    optional("mount-path", TEXT, "Where they are copied to by default; /mnt if absent."),
    ENHANCEMENTS,
])
.named("volume");

static IMAGE: Section = section(&[
    optional("build-name", TEXT, "Name of the image; the entry's own if absent."),
    optional("tag", TEXT, "Tag before the environment's name; none if absent or latest."),
    optional(
        "path",
        TEXT,
        "Folder of the Dockerfile, which is its build context; the library's if that has one.",
    ),
    optional("variables", Shape::Variables(&BUILD_ARGUMENTS), "Build arguments."),
    ENHANCEMENTS,
])
.named("image");

static BUILD_ARGUMENTS: Section = section(&[]).named("build-arguments");

static SERVICE: Section = section(&[
    EXTENDS,
    optional("pod", TOKEN, "The pod; that of the service's name if absent."),
    optional("internal", BOOL, "Whether only other pods reach it; yes if absent."),
    optional(
        "protocol",
        Shape::Scalar(Lexeme::Word(Words {
            all: &["TCP", "tcp", "UDP", "udp", "HTTPS", "https"],
            newer: &["HTTPS", "https"],
        })),
        "What is spoken; TCP if absent.",
    ),
    required("ports", Shape::List(&Shape::Section(&SERVICE_PORT)), "Its ports."),
    ENHANCEMENTS,
])
.named("service");

static SERVICE_PORT: Section = section(&[
    required("listen", PORT, "What others connect to."),
    required("target", PORT, "What the pod listens on."),
])
.named("service-port");

static INGRESS: Section = section(&[
    EXTENDS,
    required("host", TEXT, "The host asked for."),
    optional("aliases", TEXTS, "Other hosts with the same answers."),
    on_kubernetes(optional(
        "provider",
        TEXT,
        "Who answers: the ingress class; the platform's if absent.",
    )),
    on_kubernetes(optional(
        "https-backend",
        BOOL,
        "Whether its services speak HTTPS; no if absent.",
    )),
    on_kubernetes(optional("tls", Shape::Section(&TLS), "Its certificate.")),
    optional("service", Shape::Section(&BACKEND), "Who answers every other path."),
    optional("paths", Shape::List(&Shape::Section(&PATH)), "Prefixes of paths and who answers."),
    on_kubernetes(optional(
        "meta",
        Shape::Free(Form::Any),
        "Settings of its provider, such as letsencrypt and annotations.",
    )),
    ENHANCEMENTS,
])
.named("ingress");

static TLS: Section =
    section(&[required("secret", TEXT, "Secret of type tls, of this file or of the cluster.")])
        .named("tls");

static PATH: Section = section(&[
    required("path", TEXT, "The prefix, beginning with /."),
    required("service", Shape::Section(&BACKEND), "Who answers."),
])
.named("path");

static BACKEND: Section = section(&[
    required("name", TOKEN, "A service."),
    required("port", PORT, "A port that it listens on."),
])
.named("backend");
