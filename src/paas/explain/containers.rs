//! Pages about pods, services, ingresses and what they name.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 11] = [
    Page {
        code: Code::StatelessOnDelete,
        title: "`on-delete` for a pod without a persistent volume",
        meaning: "With the strategy `on-delete`, a pod is replaced when somebody deletes it; only \
                  pods that keep data have that.",
        example: Example::File(
            "\
pods:
  web:
    upgrade: {strategy: on-delete}
    containers: {app: {image: nginx}}
",
        ),
        mend: "Choose `recreate` or `rolling-upgrade`, or give the pod a persistent volume.",
    },
    Page {
        code: Code::AlwaysInJob,
        title: "a job that would never end",
        meaning: "A pod of a job that is always started again never comes to its end.",
        example: Example::File(
            "\
jobs:
  migrate:
    pods:
      schema:
        restart-policy: always
        containers: {app: {image: alpine}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write `on-failure` or `never`.",
    },
    Page {
        code: Code::DuplicateVariable,
        title: "a variable that is defined twice",
        meaning: "A variable of a container has a plain value, or one from a secret, or one from a \
                  map.",
        example: Example::File(
            "\
maps: {settings: {colour: red}}
pods:
  web:
    containers:
      app:
        image: nginx
        variables:
          COLOUR: blue
          from-maps: {COLOUR: settings.colour}
",
        ),
        mend: "Keep one of them.",
    },
    Page {
        code: Code::NoSuchPod,
        title: "a service for a pod that does not exist",
        meaning: "A service leads to the pod of its own name, or to the one that `pod` names. It \
                  has no other pod to lead to, and nobody will be answered.",
        example: Example::File(
            "\
pods: {web: {containers: {app: {image: nginx}}}}
services: {shop: {ports: [{listen: 80, target: 80}]}}
",
        ),
        mend: "Add `pod`, or correct the name.",
    },
    Page {
        code: Code::NoBackend,
        title: "an ingress that nobody answers",
        meaning: "An ingress has a `service`, or `paths`, or the platform answers for those that \
                  have neither. This one has neither, and the platform does not.",
        example: Example::File(
            "\
pods: {web: {containers: {app: {image: nginx}}}}
ingresses: {site: {host: example.org}}
",
        ),
        mend: "Add `service: {name: web, port: 80}`.",
    },
    Page {
        code: Code::NoSuchService,
        title: "an ingress for a service that does not exist",
        meaning: "An ingress names a service of this file, and a port that it listens on.",
        example: Example::File(
            "\
pods: {web: {containers: {app: {image: nginx, listen: [80]}}}}
services: {web: {ports: [{listen: 80, target: 80}]}}
ingresses: {site: {host: example.org, service: {name: wbe, port: 80}}}
",
        ),
        mend: "Correct the name or the port, or add the service.",
    },
    Page {
        code: Code::BadDeployedName,
        title: "a name that cannot be deployed",
        meaning: "With the project's prefix, names of pods, containers, services and the like are \
                  names in the DNS: at most 63 lower-case letters, digits and `-`, neither of \
                  which is `-` at an end. Two that differ in case are one.",
        example: Example::File("pods: {web-: {containers: {app: {image: nginx}}}}\n"),
        mend: "Choose another name. The prefix is a setting of the project.",
    },
    Page {
        code: Code::BadSchedule,
        title: "a schedule that is no cron expression of five fields",
        meaning: "The fields are minute, hour, day of the month, month and day of the week; there \
                  are no seconds and no years.",
        example: Example::File(
            "\
jobs:
  dump:
    schedule: \"0 0 3 * * *\"
    pods: {dump: {containers: {app: {image: alpine}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write five fields: `\"0 3 * * *\"` is every night at three.",
    },
    Page {
        code: Code::NoSuchContainer,
        title: "`limit-on` for a container that does not exist",
        meaning: "`limit-on` names the container of the job whose exit code counts.",
        example: Example::File(
            "\
jobs:
  migrate:
    completions: {success-on: [0], limit-on: runer}
    pods: {schema: {containers: {runner: {image: alpine}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Correct the name, or leave `limit-on` out: then every container counts.",
    },
    Page {
        code: Code::AmbiguousImage,
        title: "several images that a container could mean",
        meaning: "Several built images have the name that a container asks for, and it does not \
                  say which version.",
        example: Example::File(
            "\
images:
  old: {build-name: shop, tag: \"1\", path: old}
  new: {build-name: shop, tag: \"2\", path: new}
pods:
  web: {containers: {old: {image: old}, new: {image: new}}}
  api: {containers: {app: {image: shop}}}
",
        ),
        mend: "Add the `version`, or write the key of the image instead of its name.",
    },
    Page {
        code: Code::SecretArgument,
        title: "a build argument with a secret in it",
        meaning: "Build arguments stay in the history of an image, where whoever may pull it reads \
                  them.",
        example: Example::With {
            context: "\
secrets = [\"NPM_TOKEN\"]
variables = {NPM_TOKEN = \"[secret NPM_TOKEN]\"}
",
            file: "\
images:
  web:
    path: .
    variables: {TOKEN: \"${NPM_TOKEN}\"}
pods: {web: {containers: {app: {image: web}}}}
",
        },
        mend: "Take the argument away. A command that needs the secret is shown it, and nothing of \
               it stays: `RUN --mount=type=secret,id=NPM_TOKEN` in the Dockerfile, which reads it from \
               `/run/secrets/NPM_TOKEN`. What runs gets it when it starts, from the `variables` of its \
               container.",
    },
];
