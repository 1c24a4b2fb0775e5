//! Pages about quotas and resources.

use crate::paas::explain::{Example, Page};
use crate::paas::fault::Code;

pub(super) const PAGES: [Page; 14] = [
    Page {
        code: Code::BadQuantity,
        title: "this is no quantity, or one of another category",
        meaning: "An amount of `compute` is a number, or a number with `m` for thousandths: `1.5`, \
                  `1500m`. One of `memory` is a number of bytes, or has a unit such as `Mi` or \
                  `G`. Both may be a percentage, and fit into 64 bits.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 64Mi}]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write the amount in a unit of its category.",
    },
    Page {
        code: Code::BadPercentage,
        title: "a percentage over 100",
        meaning: "A percentage is a part of what there is.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 2, requires: 133%}]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write at most `100%`, or an amount.",
    },
    Page {
        code: Code::RelativeAccountQuota,
        title: "a percentage where the account needs an amount",
        meaning: "The account's quota is what percentages are taken of, so it cannot be one. It is \
                  not the file that is wrong, but what an administrator set.",
        example: Example::With {
            context: "\
[[quotas]]
category = \"compute\"
type = \"cpu\"
capacity = \"50%\"
",
            file: "pods: {web: {containers: {app: {image: nginx}}}}\n",
        },
        mend: "Have the administrator write an amount.",
    },
    Page {
        code: Code::RequiresAboveCapacity,
        title: "more guaranteed than there is",
        meaning: "`capacity` bounds all limits together, `requires` all that is guaranteed; nothing \
                  above the capacity can be guaranteed.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 2, requires: 3}]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Lower `requires`, raise `capacity`, or leave `requires` out.",
    },
    Page {
        code: Code::UnknownCategory,
        title: "a quota of no known category",
        meaning: "The category fixes the units: `compute` or `memory`. In the file another word is \
                  told as E-204; this is the account's quota, which an administrator set.",
        example: Example::With {
            context: "\
[[quotas]]
category = \"disk\"
type = \"storage\"
capacity = \"10Gi\"
",
            file: "pods: {web: {containers: {app: {image: nginx}}}}\n",
        },
        mend: "Take `memory` for whatever is counted in bytes, `compute` for the rest.",
    },
    Page {
        code: Code::DuplicateQuota,
        title: "two quotas for one resource",
        meaning: "Each type has one row in `paas.quotas`, and one among the account's quotas.",
        example: Example::File(
            "\
paas:
  quotas:
    - {category: compute, type: cpu, capacity: 2}
    - {category: compute, type: cpu, capacity: 4}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Keep one of them. To vary the amount, use a condition around the list.",
    },
    Page {
        code: Code::CategoryMismatch,
        title: "a quota of another category than the account's",
        meaning: "The file narrows a quota of the account, so both count in the same units.",
        example: Example::With {
            context: "\
[[quotas]]
category = \"compute\"
type = \"cpu\"
capacity = \"8\"
",
            file: "\
paas: {quotas: [{category: memory, type: cpu, capacity: 1Gi}]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        },
        mend: "Write the account's category, or give the resource another type.",
    },
    Page {
        code: Code::AboveAccount,
        title: "more than the account grants",
        meaning: "A quota of the file narrows what the account has; it cannot widen it.",
        example: Example::With {
            context: "\
[[quotas]]
category = \"compute\"
type = \"cpu\"
capacity = \"5\"
",
            file: "\
paas: {quotas: [{category: compute, type: cpu, capacity: 6}]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        },
        mend: "Ask for less, or for a larger quota of the account.",
    },
    Page {
        code: Code::RelativeToNothing,
        title: "a percentage of nothing",
        meaning: "A capacity in percent is a part of the account's quota of the same type, and the \
                  account has none.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: gpu, capacity: 50%}]}
pods: {web: {containers: {app: {image: nginx}}}}
",
        ),
        mend: "Write an amount.",
    },
    Page {
        code: Code::NoSuchResource,
        title: "a resource that nobody grants",
        meaning: "A container may ask for types that the account or `paas.quotas` has a row for.",
        example: Example::File(
            "\
pods:
  web:
    containers:
      app: {image: nginx, resources: [{type: gpu, require: 1}]}
",
        ),
        mend: "Declare the type in `paas.quotas`, or ask for a quota of the account.",
    },
    Page {
        code: Code::LimitBelowRequire,
        title: "a limit below what is required",
        meaning: "`require` is what a container is sure to get, `limit` the most it may take.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 2}]}
pods:
  web:
    containers:
      app: {image: nginx, resources: [{type: cpu, require: 500m, limit: 100m}]}
",
        ),
        mend: "Raise the limit, or leave it out: then it is what is required.",
    },
    Page {
        code: Code::OverCapacity,
        title: "the quota's capacity is exceeded",
        meaning: "The limits of all containers, times the replicas of their pods, stay within the \
                  capacity of their type. They are counted in the order of the file, jobs before \
                  pods, and the message says how much was left.",
        example: Example::File(
            "\
paas: {quotas: [{category: memory, type: memory, capacity: 256Mi}]}
pods:
  web:
    replicas: 3
    containers:
      app: {image: nginx, resources: [{type: memory, require: 64Mi, limit: 100Mi}]}
",
        ),
        mend: "Lower limits or replicas, or raise the capacity up to what the account grants.",
    },
    Page {
        code: Code::OverGuarantee,
        title: "what the quota guarantees is exceeded",
        meaning: "All that containers require, times the replicas of their pods, stays within \
                  `requires` of the quota.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 4, requires: 1}]}
pods:
  web:
    replicas: 3
    containers:
      app: {image: nginx, resources: [{type: cpu, require: 500m, limit: 1}]}
",
        ),
        mend: "Lower `require` of containers (limits may stay), or raise `requires` of the quota.",
    },
    Page {
        code: Code::NothingToShare,
        title: "nothing is left to share out",
        meaning: "Containers that ask for nothing share what the others leave of a type. Here \
                  nothing is left for them.",
        example: Example::File(
            "\
paas: {quotas: [{category: compute, type: cpu, capacity: 1}]}
pods:
  web:
    containers:
      app: {image: nginx, resources: [{type: cpu, require: 1}]}
      other: {image: redis}
",
        ),
        mend: "Ask for less in the containers that say what they need, or say it in all of them.",
    },
];
