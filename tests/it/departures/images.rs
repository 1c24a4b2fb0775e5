//! Images, and files of the repository.

use crate::departures::case::Case;

/// A platform with an image of its own.
const LIBRARY: &str =
    "libraries.images.php = { path = '/library/php', variables = { SERIES = '8.3' } }\n";

pub(super) const CASES: &[Case] = &[
    Case::new(
        "F-37",
        "an image of the platform needs no more than its name",
        "images: {php: {}}\npods: {web: {containers: {app: {image: php}}}}",
    )
    .with(LIBRARY)
    .is(&[(
        "/images",
        r#"[{
            "kind": "dockerfile", "name": "php", "tag": "production-eu",
            "path": "library/php", "library": true, "variables": {"SERIES": "8.3"}
        }]"#,
    )]),
    Case::new("F-37", "any other needs its path", "images: {tool: {}}")
        .fails(&["E-202 images.tool"]),
    Case::new(
        "F-38",
        "a container may name a built image by its key, its name and its declared tag",
        "images: {tool: {path: docker, build-name: our/maker, tag: '1.2'}}
pods:
  web:
    containers:
      aa: {image: tool}
      bb: {image: tool, version: '1.2'}
      cc: {image: maker}
      dd: {image: maker, version: '1.2-${JOB_ENV_TAG}'}
      ee: {image: tool, version: '1.3'}",
    )
    .is(&[
        ("/pods/0/containers/0/image", MAKER),
        ("/pods/0/containers/1/image", MAKER),
        ("/pods/0/containers/2/image", MAKER),
        ("/pods/0/containers/3/image", MAKER),
        ("/pods/0/containers/4/image/origin", r#""external""#),
    ]),
    Case::new(
        "F-38",
        "where it could mean several it must say which",
        "images:
  one: {path: docker, build-name: maker, tag: '1'}
  two: {path: docker, build-name: maker, tag: '2'}
pods: {web: {containers: {app: {image: maker}}}}",
    )
    .fails(&["E-821 pods.web.containers.app.image"]),
    Case::new(
        "F-39",
        "files can be added to a built image, which is built before",
        "images: {tool: {path: docker}}
pods:
  web:
    containers:
      app: {image: tool, volumes: {code: {add: [src], mount-path: /app}}}",
    )
    .is(&[
        ("/images/0/kind", r#""dockerfile""#),
        ("/images/0/name", r#""tool""#),
        ("/images/1/kind", r#""embedded""#),
        ("/images/1/base", r#"{"origin":"built","name":"tool","tag":"production-eu"}"#),
        ("/pods/0/containers/0/image/origin", r#""embedded""#),
    ]),
    Case::new(
        "F-40",
        "a folder keeps its name, and a slash at its end means what is in it",
        "volumes: {assets: {add: [front, dist/, front/deep, front/deep/]}}
pods: {web: {containers: {app: {image: x, volumes: {aa: {from: assets, mount-path: /a}}}}}}",
    )
    .is(&[("/volumes/assets/paths", r#"["front","dist/","front/deep","front/deep/"]"#)]),
    Case::new(
        "F-41",
        "of several volumes of files all are copied, and all their patterns writable",
        "pods:
  web:
    containers:
      app:
        image: x
        volumes:
          one: {add: [src], mount-path: /a, writables: ['var/*']}
          two: {add: [src], mount-path: /b, writables: ['log/*']}",
    )
    .is(&[
        ("/images/0/volumes/one/paths", r#"["src"]"#),
        ("/images/0/volumes/one/writables", r#"["var/*"]"#),
        ("/images/0/volumes/two/paths", r#"["src"]"#),
        ("/images/0/volumes/two/mount_path", r#""/b""#),
        ("/images/0/volumes/two/writables", r#"["log/*"]"#),
    ]),
    Case::new(
        "F-42",
        "containers of a registry's image have their volumes too",
        "volumes: {assets: {add: [front]}}
pods:
  web:
    containers:
      app:
        image: registry.example.org/x
        volumes:
          files: {from: assets, mount-path: /f}
          data: {persistent: true, mount-path: /d, name: data}",
    )
    .is(&[
        ("/pods/0/containers/0/image/origin", r#""external""#),
        ("/pods/0/containers/0/volumes/files/kind", r#""shared""#),
        ("/pods/0/containers/0/volumes/data/kind", r#""persistent""#),
    ]),
    Case::new(
        "F-43",
        "a mount finds its volume by `from`, whatever its own key",
        "volumes: {assets: {add: [front]}, files: {add: [other]}}
pods: {web: {containers: {app: {image: x, volumes: {files: {from: assets, mount-path: /f}}}}}}",
    )
    .is(&[(
        "/pods/0/containers/0/volumes",
        r#"{"files":{"kind":"shared","volume":"assets","name":"assets-storefront","mount_path":"/f"}}"#,
    )]),
    Case::new(
        "F-54",
        "the model has both parts of a shared volume's image: its name, and the environment as tag",
        "volumes: {assets: {add: [front]}}
pods: {web: {containers: {app: {image: x, volumes: {aa: {from: assets, mount-path: /f}}}}}}",
    )
    .is(&[
        ("/volumes/assets/name", r#""assets-storefront""#),
        ("/environment_tag", r#""production-eu""#),
    ]),
    Case::new(
        "F-58",
        "files added to an image without a version are added to its latest",
        "pods: {web: {containers: {app: {image: x/nginx, version: '', volumes: {aa: {add: [a1], mount-path: /a}}}}}}",
    )
    .is(&[
        ("/images/0/base", r#"{"origin":"external","name":"x/nginx","tag":"latest"}"#),
        ("/images/0/name", r#""nginx""#),
        ("/images/0/tag", r#""4b5e5-a172c-production-eu""#),
    ]),
];

/// What the containers of F-38 run.
const MAKER: &str = r#"{"origin":"built","name":"maker","tag":"1.2-production-eu"}"#;
