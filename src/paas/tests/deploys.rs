//! What a push may ask for, of all that the language has.

use super::*;

/// The first fault of a file with a container's volume in it, when it is deployed.
fn fault_of(volume: &str) -> Option<String> {
    let text = format!(
        "paas: {{version: v1.1}}\nvolumes: {{assets: {{add: [public/]}}}}\n\
         maps: {{conf: {{a: b}}}}\nsecrets: {{keys: {{provider: map, options: {{a: b}}}}}}\n\
         pods:\n  web:\n    containers:\n      app:\n        image: nginx\n        \
         volumes: {{data: {{mount-path: /data, {volume}}}}}\n"
    );
    let context = Context { deploys: true, ..context() };
    match compile(text.as_bytes(), &context) {
        Ok(_) => None,
        Err(faults) => Some(faults.first_line("f")),
    }
}

#[test]
fn files_of_the_repository_are_deployed_and_the_other_volumes_are_refused_by_their_kind() {
    assert_eq!(fault_of("add: [src], writables: [var]"), None);
    assert_eq!(fault_of("from: assets"), None);
    for (volume, kind) in [
        ("persistent: true", "persistent"),
        ("from-map: conf", "from-map"),
        ("from-secret: keys", "from-secret"),
    ] {
        let fault = fault_of(volume).unwrap();
        assert!(fault.contains(&format!("`{kind}` is not supported yet")), "{fault}");
    }
}
