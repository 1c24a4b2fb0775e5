//! Pages about conditions, `extends`, variables and defaults.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 10] = [
    Page {
        code: Code::BadCondition,
        title: "a condition that cannot be read",
        meaning: "A condition is a key of the form `if{NAME operator value}`, with one of `=`, \
                  `!=`, `<`, `<=`, `>`, `>=`, `is` and `isnot`.",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {image: nginx}}
    if{ENV}: {replicas: 2}
",
        ),
        mend: "Write it in full: `if{ENV=prod}`, or `if{ENV isnot empty}`. Conditions are combined \
               by writing one into the other.",
    },
    Page {
        code: Code::ScalarUnderCondition,
        title: "a single value under a condition",
        meaning: "What stands under a condition is put into the mapping around it, so it is a \
                  mapping itself, or a list where a list is due.",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {image: nginx}}
    if{ENV=prod}: 2
",
        ),
        mend: "Repeat the key under the condition: `if{ENV=prod}: {replicas: 2}`.",
    },
    Page {
        code: Code::BadCriterion,
        title: "`is` with something else than `null` or `empty`",
        meaning: "`is` and `isnot` ask whether a variable is given at all (`null`) or has a text \
                  in it (`empty`).",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {image: nginx}}
    if{ENV is prod}: {replicas: 2}
",
        ),
        mend: "Compare with `=`: `if{ENV=prod}`.",
    },
    Page {
        code: Code::MixedConditions,
        title: "conditions over lists beside something else",
        meaning: "A mapping of nothing but conditions over lists becomes one list. Plain keys or \
                  mappings beside them would be lost.",
        example: Example::With {
            context: "default-backend = true\n[variables]\nENV = \"prod\"\n",
            file: "\
pods: {web: {containers: {app: {image: nginx}}}}
ingresses:
  site:
    host: example.org
    aliases:
      if{ENV=prod}: [www.example.org]
      other: example.net
",
        },
        mend: "Move what is plain under conditions too, or put the conditions around the key.",
    },
    Page {
        code: Code::ConditionalVersion,
        title: "a condition that changes the version",
        meaning: "The version is needed to read the file at all, conditions included.",
        example: Example::File(
            "\
paas:
  if{ENV=prod}: {version: v1.1}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write `version` outside of conditions.",
    },
    Page {
        code: Code::BadExtends,
        title: "`extends` that is no name",
        meaning: "`extends` names one definition of the platform's library.",
        example: Example::File(
            "\
pods:
  web:
    extends: [base]
    containers: {app: {image: nginx}}
",
        ),
        mend: "Write one name. A variable cannot stand here; a condition can choose.",
    },
    Page {
        code: Code::UnknownDefinition,
        title: "`extends` of something that the library does not have",
        meaning: "The platform has a library for each of pods, containers, services, ingresses and \
                  jobs; an administrator fills them.",
        example: Example::With {
            context: "\
[libraries.pods.node-base]
replicas = 2
",
            file: "\
pods:
  web:
    extends: node-bas
    containers: {app: {image: nginx}}
",
        },
        mend: "Take one of the names that the message lists, or ask the administrator for it.",
    },
    Page {
        code: Code::UndefinedVariable,
        title: "a variable that has no value",
        meaning: "`${NAME}` is replaced by the value given to this deployment. `JOB_ENV_TAG` and \
                  `JOB_PROJECT_NAME` always have one.",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {image: nginx, version: \"${VERSION}\"}}
",
        ),
        mend: "Give it: `git push -o VERSION=1.27`, or `pierhead check --var VERSION=1.27`. To \
               write the text itself, double the mark: `$${VERSION}`.",
    },
    Page {
        code: Code::EqualKeys,
        title: "two keys that come to the same",
        meaning: "Once variables are put in, a mapping has one key twice.",
        example: Example::With {
            context: "\
[variables]
NAME = \"COLOUR\"
",
            file: "\
pods:
  web:
    containers:
      app: {image: nginx, variables: {\"${NAME}\": red, COLOUR: blue}}
",
        },
        mend: "Remove one of them. To replace a value in some environments, use a condition.",
    },
    Page {
        code: Code::NoDefault,
        title: "a value that neither the file nor the target has",
        meaning: "A persistent volume on a Kubernetes cluster needs a size. The file may leave it \
                  out only where `defaults`, or the platform, has one for this cluster.",
        example: Example::With {
            context: "\
[[clusters]]
name = \"eu\"
type = \"kubernetes\"
",
            file: "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: /data, persistent: true}
",
        },
        mend: "Give the volume a `storage-size`, or write one into `defaults`.",
    },
];
