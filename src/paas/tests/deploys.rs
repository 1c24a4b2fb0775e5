//! What a push may ask for, of all that the language has.

use super::*;

/// The first fault of a file with a container's volume in it, when it is deployed.
fn fault_of(volume: &str) -> String {
    let text = format!(
        "paas: {{version: v1.1}}\nvolumes: {{assets: {{add: [public/]}}}}\n\
         maps: {{conf: {{a: b}}}}\nsecrets: {{keys: {{provider: map, options: {{a: b}}}}}}\n\
         pods:\n  web:\n    containers:\n      app:\n        image: nginx\n        \
         volumes: {{data: {{mount-path: /data, {volume}}}}}\n"
    );
    let context = Context { deploys: true, ..context() };
    compile(text.as_bytes(), &context).unwrap_err().first_line("f")
}

#[test]
fn volumes_are_refused_by_their_kind() {
    for (volume, kind) in [
        ("persistent: true", "persistent"),
        ("from-map: conf", "from-map"),
        ("from-secret: keys", "from-secret"),
    ] {
        let fault = fault_of(volume);
        assert!(
            fault.contains(&format!("`{kind}` is not supported on Docker targets yet")),
            "{fault}"
        );
    }
}
