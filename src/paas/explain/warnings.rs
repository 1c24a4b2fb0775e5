//! Pages about warnings.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 8] = [
    Page {
        code: Code::StructuredMapValue,
        title: "a list or a mapping as the value of a map",
        meaning: "Entries of a map become files and variables, which are texts. Targets may not be \
                  able to make one of this.",
        example: Example::File(
            "\
maps: {settings: {hosts: [one, two]}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write the text that the application reads, for example as a block (`|`).",
    },
    Page {
        code: Code::Undeclared,
        title: "a map or a secret that the file does not declare",
        meaning: "It may exist on the target, put there by somebody else. If it does not, the pod \
                  will not start.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app: {image: nginx, variables: {import-maps: [settings]}}
",
        ),
        mend: "Declare it under `maps` or `secrets`, or make sure that it is there.",
    },
    Page {
        code: Code::IdleLimitOn,
        title: "`limit-on` without exit codes",
        meaning: "`limit-on` says for which container `success-on` and `fail-on` count. Without \
                  them it has no effect.",
        example: Example::File(
            "\
jobs:
  migrate:
    completions: {limit-on: runner}
    pods: {schema: {containers: {runner: {image: alpine}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Add `success-on` or `fail-on`, or remove `limit-on`.",
    },
    Page {
        code: Code::SingleWriter,
        title: "several writers on a volume for one",
        meaning: "The volume says `write-many: false`, but several pods use it. On a target that \
                  holds it to that, only pods of one node will start.",
        example: Example::File(
            "\
pods:
  web:
    replicas: 2
    containers:
      app:
        image: nginx
        volumes:
          data: {name: data, mount-path: /data, persistent: true, write-many: false}
",
        ),
        mend: "Remove `write-many`, which is then chosen by how many there are.",
    },
    Page {
        code: Code::NotListened,
        title: "a service's target that no container listens on",
        meaning: "No container of the pod has the `target` port under `listen`. It may listen all \
                  the same; if it does not, the service answers nobody.",
        example: Example::File(
            "\
pods: {web: {containers: {app: {image: nginx, listen: [8080]}}}}
services: {web: {ports: [{listen: 80, target: 8081}]}}
",
        ),
        mend: "Correct `target`, or add the port to the container's `listen`.",
    },
    Page {
        code: Code::Unused,
        title: "an image or a volume that nothing uses",
        meaning: "It is declared, and no container asks for it; it is built only as a base of another.",
        example: Example::File(
            "\
images: {web: {path: docker/web}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Remove it, or name it where it was meant: `image: web`.",
    },
    Page {
        code: Code::SharedPort,
        title: "two containers of a pod on one port",
        meaning: "The containers of a pod share one network: the second that listens on the port \
                  will fail.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app: {image: nginx, listen: [8080]}
      other: {image: redis, listen: [8080]}
",
        ),
        mend: "Give one of them another port, or put them into pods of their own.",
    },
    Page {
        code: Code::NoReference,
        title: "text that looks like a reference and is none",
        meaning: "`${NAME}` is replaced by a variable, whose name has letters, digits and `_`, and \
                  `R{name}` by a deployed name. What only looks like one of them stays as it is.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app: {image: nginx, variables: {DB_HOST: \"${db-host}\"}}
",
        ),
        mend: "Correct the name. To write the text itself, double the mark: `$${db-host}`.",
    },
];
