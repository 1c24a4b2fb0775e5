//! Pages about the file as a whole.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 6] = [
    Page {
        code: Code::NoFile,
        title: "there is no file, or it cannot be read",
        meaning: "A deployment is described by the file `.paas.yaml` at the root of the \
                  repository, in the commit that is deployed. There is none, it is no plain file, \
                  or it cannot be read.",
        example: Example::Missing,
        mend: "Add the file and commit it: `git add .paas.yaml` is forgotten most often. To check \
               another file, name it: `pierhead check path/of/file.yaml`.",
    },
    Page {
        code: Code::NotYaml,
        title: "this is not YAML, or no YAML that can be a deployment",
        meaning: "The file is one YAML document in UTF-8 with a mapping at its root. A key may \
                  stand only once in a mapping, and tags for objects of programming languages are \
                  refused.",
        example: Example::File(
            "\
pods:
  web: {containers: {app: {image: nginx}}}
  web: {containers: {app: {image: redis}}}
",
        ),
        mend: "Look at the place that the caret shows, and a little above it: a bracket or a quote \
               that is not closed, a tab that indents, a key that is there twice. Within `{ }` and \
               `[ ]`, conditions and variables need quotes.",
    },
    Page {
        code: Code::UnknownVersion,
        title: "the version does not exist",
        meaning: "`paas.version` selects the grammar that the file is read with: `v1` or `v1.1`. \
                  Without it, a file is `v1.1`.",
        example: Example::File(
            "\
paas: {version: v2}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write `v1.1`, or leave the version out.",
    },
    Page {
        code: Code::NeedsNewerVersion,
        title: "something that needs version v1.1",
        meaning: "Conditions, the section `jobs`, the key `restart-policy` and services that speak \
                  HTTPS came with v1.1; a file that says `v1` cannot have them.",
        example: Example::File(
            "\
paas: {version: v1}
pods:
  web:
    restart-policy: always
    containers: {app: {image: nginx}}
",
        ),
        mend: "Change the version to `v1.1`: everything else means the same there.",
    },
    Page {
        code: Code::OverLimit,
        title: "more than a limit allows",
        meaning: "A file has at most 1 MiB, 250,000 keys and values, 64 levels, 1,000 pods (those of jobs included), 5,000 \
                  containers, 1,000 images and 100 quotas, and asks for at most 10,000 containers \
                  at a time; neither anchors nor definitions of the platform may multiply it \
                  without end.",
        example: Example::File(
            "\
pods:
  web:
    replicas: 20000
    containers: {app: {image: nginx}}
",
        ),
        mend: "Split the application into several projects, or ask for less.",
    },
    Page {
        code: Code::NotSupportedYet,
        title: "a part of the language that the target cannot do yet",
        meaning: "The file is right, and `pierhead check` accepts it, but this version of Pierhead \
                  cannot do everything of it on the target. It refuses the push rather than leave \
                  something out in silence.",
        example: Example::Pushed(
            "\
jobs:
  migrate: {pods: {schema: {containers: {app: {image: alpine}}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Do without it for now; `CHANGELOG.md` says when it came.",
    },
];
