//! Jobs and hooks.

use crate::departures::case::Case;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "F-44",
        "a job is there once, with all its pods",
        "jobs:
  dump:
    pods:
      one: {containers: {app: {image: x}}}
      two: {containers: {app: {image: x}}}",
    )
    .is(&[
        ("/jobs/0/name", r#""dump""#),
        ("/jobs/0/pods/0/name", r#""one""#),
        ("/jobs/0/pods/1/name", r#""two""#),
    ]),
    Case::new(
        "F-45",
        "pods and containers of jobs build on the libraries",
        "jobs:
  dump:
    pods:
      one: {extends: base}
      two: {containers: {app: {extends: small}}}",
    )
    .with(
        "libraries.pods.base = { replicas = 2, containers.inner.extends = 'small' }\n\
         libraries.containers.small = { image = 'busybox' }\n",
    )
    .is(&[
        ("/jobs/0/pods/0/replicas", "2"),
        ("/jobs/0/pods/0/containers/0/image/name", r#""busybox""#),
        ("/jobs/0/pods/1/containers/0/image/name", r#""busybox""#),
    ]),
    Case::new(
        "F-50",
        "a job that would always start again is refused",
        "jobs: {dump: {pods: {run: {restart-policy: always, containers: {app: {image: x}}}}}}",
    )
    .fails(&["E-813 jobs.dump.pods.run.restart-policy"]),
    Case::new(
        "F-51",
        "a hook stays in the repository",
        "builds: {front: {npm: {action: install, path: ../../etc}}}",
    )
    .fails(&["E-212 builds.front.npm.path"]),
    Case::new(
        "F-51",
        "and its arguments have nothing of a shell",
        "builds: {front: {npm: {action: install, arguments: ['x; rm -r /']}}}",
    )
    .fails(&["E-804 builds.front.npm.arguments[0]"]),
    Case::new(
        "F-53",
        "a schedule is a cron expression of five fields",
        "jobs: {dump: {schedule: '0 0 3 * * *', pods: {run: {containers: {app: {image: x}}}}}}",
    )
    .fails(&["E-819 jobs.dump.schedule"]),
    Case::new(
        "F-57",
        "modes of completion are words of the language",
        "jobs: {dump: {completions: {mode: often}, pods: {run: {containers: {app: {image: x}}}}}}",
    )
    .fails(&["E-204 jobs.dump.completions.mode"]),
    Case::new(
        "F-62",
        "a job may run before the new pods",
        "jobs: {migrate: {planning: before-deployment, pods: {run: {containers: {app: {image: x}}}}}}",
    )
    .is(&[("/jobs/0/planning", r#""before-deployment""#), ("/jobs/0/schedule", "null")]),
    Case::new(
        "F-62",
        "and then has no schedule",
        "jobs:
  migrate:
    planning: before-deployment
    schedule: '0 3 * * *'
    pods: {run: {containers: {app: {image: x}}}}",
    )
    .fails(&["E-807 jobs.migrate.schedule"]),
];
