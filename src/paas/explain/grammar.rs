//! Pages about keys, shapes and values.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 18] = [
    Page {
        code: Code::UnknownKey,
        title: "a key that means nothing at its place",
        meaning: "Every place of the file has its keys, and others are refused, so that a slip is \
                  not a setting that was never made.",
        example: Example::File(
            "\
pods:
  web:
    replica: 2
    containers: {app: {image: nginx}}
",
        ),
        mend: "Take the key that the hint names, or look whether it is indented too far or not far \
               enough.",
    },
    Page {
        code: Code::MissingKey,
        title: "a key that must be there is missing",
        meaning: "Without this key it cannot be said what to deploy. A key with nothing behind it \
                  counts as missing.",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {version: \"1.27\"}}
",
        ),
        mend: "Add the key. It may also come from what is named by `extends`.",
    },
    Page {
        code: Code::WrongShape,
        title: "a single value, a list or a mapping is due",
        meaning: "The value has another shape than its key takes: a single value where a list is \
                  due, a list where a mapping is due, or an empty one where something must be in \
                  it.",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {image: nginx, listen: 8080}}
",
        ),
        mend: "Write the shape that is expected: `[8080]` is a list, `{a: 1}` a mapping.",
    },
    Page {
        code: Code::BadValue,
        title: "a malformed name, an unknown word, a number out of range",
        meaning: "Names have at least two letters, digits and `-`, a letter first; numbers have a \
                  range, and some keys take a few words only. Values are held against this before \
                  variables are put in, so a variable cannot stand here.",
        example: Example::File(
            "\
pods:
  my_web:
    containers: {app: {image: nginx}}
",
        ),
        mend: "Write what the message expects. To vary such a value, use a condition instead of a \
               variable.",
    },
    Page {
        code: Code::VolumeKind,
        title: "a volume of no kind, or of several",
        meaning: "What a volume of a container is, says exactly one of `add`, `from`, \
                  `persistent`, `from-map` and `from-secret`.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: /data}
",
        ),
        mend: "Give one of the five: `persistent: true` keeps data, `add` puts files of the \
               repository into the image, `from` mounts one of the section `volumes`.",
    },
    Page {
        code: Code::BadMountPath,
        title: "a mount path that is empty or relative",
        meaning: "A volume appears in its container at an absolute path.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: data, persistent: true}
",
        ),
        mend: "Begin the path with `/`. If it comes from a variable, look at its value.",
    },
    Page {
        code: Code::StructuredVariable,
        title: "a list or a mapping as the value of a variable",
        meaning: "A variable of a container is one text.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app: {image: nginx, variables: {HOSTS: [one, two]}}
",
        ),
        mend: "Write one text, such as `\"one,two\"`. Only `import-maps`, `import-secrets`, \
               `from-maps` and `from-secrets` have parts.",
    },
    Page {
        code: Code::NoProbePort,
        title: "a probe that does not say which port",
        meaning: "The probe of a container with one `listen` port asks that port. With none, or \
                  with several, it must be said.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        listen: [8080, 9090]
        healthcheck:
          initial-delay-seconds: 5
          period-seconds: 10
          probe: {http: {path: /healthz}}
",
        ),
        mend: "Add `port` to the probe.",
    },
    Page {
        code: Code::Blank,
        title: "nothing where text is due",
        meaning: "The text is empty, or consists of blanks, once variables are put in.",
        example: Example::With {
            context: "\
[variables]
IMAGE = \"\"
",
            file: "\
pods:
  web:
    containers: {app: {image: \"${IMAGE}\"}}
",
        },
        mend: "Write the text, or give the variable a value: `git push -o IMAGE=nginx`.",
    },
    Page {
        code: Code::BadSize,
        title: "a size that is none",
        meaning: "`storage-size` is a number of bytes, or a number with a unit: `K`, `M`, `G`, `T`, \
                  `P`, `E` in thousands, `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei` in steps of 1,024.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: /data, persistent: true, storage-size: big}
",
        ),
        mend: "Write a size such as `5Gi`. If it comes from a variable, look at its value.",
    },
    Page {
        code: Code::ControlCharacter,
        title: "a control character in a name or a path",
        meaning: "Names of images, tags and paths consist of characters that can be seen; a line \
                  break or an escape is a mistake, or an attack.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: \"/da\\tta\", persistent: true}
",
        ),
        mend: "Remove it. A block (`|`) ends with a line break: use `|-`, or quotes.",
    },
    Page {
        code: Code::OutsideRepository,
        title: "a path that leaves the repository or the mount",
        meaning: "Paths of the file are those of the repository, or of the mount they belong to. \
                  None may leave it by `..`.",
        example: Example::File(
            "\
images: {web: {path: ../web}}
pods: {web: {containers: {app: {image: web}}}}
",
        ),
        mend: "Put what is needed into the repository. One `/` at the beginning means its root.",
    },
    Page {
        code: Code::DuplicateListen,
        title: "a service that listens twice on one port",
        meaning: "Each port of a service leads to one target.",
        example: Example::File(
            "\
pods: {web: {containers: {app: {image: nginx, listen: [8080, 9090]}}}}
services:
  web: {ports: [{listen: 80, target: 8080}, {listen: 80, target: 9090}]}
",
        ),
        mend: "Give one of them another port, or make two services of it.",
    },
    Page {
        code: Code::NoProgress,
        title: "an upgrade that could never begin",
        meaning: "With `rolling-upgrade`, either more pods than `replicas` may run for a while \
                  (`max-upgrading-pods`) or fewer (`max-unavailable-pods`). With both 0 the first \
                  pod could never be replaced.",
        example: Example::File(
            "\
pods:
  web:
    upgrade: {max-upgrading-pods: 0, max-unavailable-pods: 0}
    containers: {app: {image: nginx}}
",
        ),
        mend: "Make one of them at least 1, or choose the strategy `recreate`.",
    },
    Page {
        code: Code::DuplicateResource,
        title: "two rows for one resource",
        meaning: "A container says once for each type what it needs.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 2}]}
pods:
  web:
    containers:
      app:
        image: nginx
        resources: [{type: cpu, require: 100m}, {type: cpu, require: 200m}]
",
        ),
        mend: "Keep one of the rows.",
    },
    Page {
        code: Code::ProbeCount,
        title: "no probe, or several",
        meaning: "A healthcheck asks in exactly one way: `command`, `http` or `tcp`.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        listen: [8080]
        healthcheck:
          initial-delay-seconds: 5
          period-seconds: 10
          probe: {http: {path: /}, tcp: {}}
",
        ),
        mend: "Keep the one that tells most: `http` knows more than `tcp`.",
    },
    Page {
        code: Code::BadImageName,
        title: "this is no name or no tag of an image",
        meaning: "A name consists of lower-case letters, digits, `.`, `_`, `-` and `/`, and may \
                  begin with a registry. A tag has at most 128 letters, digits, `.`, `_` and `-`.",
        example: Example::File(
            "\
pods:
  web:
    containers: {app: {image: php, version: 8.3/beta}}
",
        ),
        mend: "Correct the name or the tag. The tag stands in `version`, not behind the name.",
    },
    Page {
        code: Code::NotInTree,
        title: "a path that the commit does not have",
        meaning: "Paths are those of the commit that is deployed, not of the working copy: what is \
                  ignored by git, or was not committed, is not there.",
        example: Example::With {
            context: "tree = [\"docker/web/Dockerfile\"]\n",
            file: "\
images: {web: {path: docker/wbe}}
pods: {web: {containers: {app: {image: web}}}}
",
        },
        mend: "Correct the path, or commit what it names. What a build hook makes may be missing \
               before it ran.",
    },
];
