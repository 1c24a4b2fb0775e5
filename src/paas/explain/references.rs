//! Pages about features, images, hooks, jobs and volumes.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 11] = [
    Page {
        code: Code::UnsupportedFeatures,
        title: "features that the platform does not vouch for",
        meaning: "`paas.requires` lists what the application cannot do without. The administrator \
                  lists what the platform has.",
        example: Example::With {
            context: "features = [\"https-ingress\"]\n",
            file: "\
paas: {requires: [block-storage, https-ingress]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        },
        mend: "Remove what is not needed, or deploy to a platform that has it.",
    },
    Page {
        code: Code::DuplicateImage,
        title: "two images of one name and tag",
        meaning: "A built image is known by the last part of its `build-name`, which is its key \
                  when it is left out, and by its `tag`.",
        example: Example::File(
            "\
images:
  web: {build-name: shop, path: web}
  api: {build-name: shop, path: api}
pods:
  web: {containers: {web: {image: web}, api: {image: api}}}
",
        ),
        mend: "Give one of them another `build-name` or another `tag`.",
    },
    Page {
        code: Code::UnknownHook,
        title: "a hook that the platform does not have",
        meaning: "A step of `builds` names hooks that the administrator defined.",
        example: Example::With {
            context: "\
[hooks]
npm = \"npm\"
",
            file: "\
builds: {deps: {nmp: install}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        },
        mend: "Take one of the names that the message lists, or ask the administrator for it.",
    },
    Page {
        code: Code::BadHookOptions,
        title: "options that a hook does not take",
        meaning: "Each kind of hook has its actions and options; what else there is in them is \
                  refused before anything runs.",
        example: Example::With {
            context: "\
[hooks]
npm = \"npm\"
",
            file: "\
builds: {deps: {npm: {action: publish}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        },
        mend: "Take an action of this kind: the message lists them.",
    },
    Page {
        code: Code::EmptyJob,
        title: "a job without pods",
        meaning: "A job runs its pods to their end, so it has at least one.",
        example: Example::File(
            "\
jobs: {dump: {pods: {}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Add a pod, or remove the job. If a condition removed the pods, put it around the \
               whole job.",
    },
    Page {
        code: Code::NoSchedule,
        title: "a scheduled job without a schedule",
        meaning: "`planning: scheduled` needs `schedule`, which says when.",
        example: Example::File(
            "\
jobs:
  dump:
    planning: scheduled
    pods: {dump: {containers: {app: {image: alpine}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Add one, such as `schedule: \"0 3 * * *\"` for every night at three.",
    },
    Page {
        code: Code::NeedlessSchedule,
        title: "a schedule of a job that is not scheduled",
        meaning: "A job that runs with a deployment has no other time.",
        example: Example::File(
            "\
jobs:
  migrate:
    planning: during-deployment
    schedule: \"0 3 * * *\"
    pods: {schema: {containers: {app: {image: alpine}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Remove `schedule`, or write `planning: scheduled`. A job that is to do both is two \
               jobs.",
    },
    Page {
        code: Code::ContradictoryExitCode,
        title: "an exit code that means success and failure",
        meaning: "`success-on` and `fail-on` cannot share a code. The one that is left out is `[0]` \
                  or `[1]`.",
        example: Example::File(
            "\
jobs:
  migrate:
    completions: {success-on: [0, 1], fail-on: [1]}
    pods: {schema: {containers: {app: {image: alpine}}}}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Remove the code from one of the lists.",
    },
    Page {
        code: Code::NoSuchVolume,
        title: "a shared volume that is not declared",
        meaning: "`from` names a key of the section `volumes`.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: /data, from: assets}
",
        ),
        mend: "Declare it under `volumes`. A volume that keeps data is `persistent: true` instead; \
               several containers share it by the same `name`.",
    },
    Page {
        code: Code::EqualVolumeNames,
        title: "two volumes that would have one name",
        meaning: "A persistent volume without a `name` gets one that is made of its key, its pod and \
                  its container. Another volume has this very name.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {mount-path: /data, persistent: true}
  api:
    containers:
      app:
        image: nginx
        volumes:
          data: {name: data-4b5e5-a172c, mount-path: /data, persistent: true}
",
        ),
        mend: "Give both a `name`: the same if they are to share their data, else another.",
    },
    Page {
        code: Code::ConflictingVolumes,
        title: "definitions of one volume that differ",
        meaning: "Persistent volumes of one `name` are one volume, so all say the same of its \
                  provider, its size and whether it is emptied by a deployment.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app:
        image: nginx
        volumes:
          data: {name: data, mount-path: /data, persistent: true, storage-size: 1Gi}
      other:
        image: redis
        volumes:
          data: {name: data, mount-path: /data, persistent: true, storage-size: 2Gi}
",
        ),
        mend: "Make them the same, for example with an anchor (`&data`, `*data`).",
    },
];
