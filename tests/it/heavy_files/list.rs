//! The heavy files, and what they are compiled with.
//!
//! `cargo bench --bench compile` measures each of them.

use pierhead::paas::{Context, ContextFile, MOST_BYTES};

/// A file of about a megabyte at most, or one byte more.
pub(crate) struct Heavy {
    pub(crate) name: &'static str,
    pub(crate) text: Vec<u8>,
    /// Code of its first fault; none when it compiles.
    pub(crate) code: Option<&'static str>,
}

/// Libraries that a thousand pods may build on.
const LIBRARIES: &str = "
project = 'shop'
environment = 'production'
hooks = { npm = 'npm' }
[variables]
ENV = 'prod'
";

/// What the heavy files are compiled with: a large tree, many variables, a large library.
pub(crate) fn context() -> Context {
    let variables = many(60, |n| format!("NAME_{n} = 'x'\n"));
    let container = |n| {
        let volumes =
            many(2, |n| format!("v{n} = {{ persistent = true, mount-path = '/v{n}' }}, "));
        let variables = many(10, |n| format!("NAME_{n} = '${{NAME_{n}}}', "));
        format!(
            "c{n} = {{ image = 'x', volumes = {{ {} }}, variables = {{ {} }} }}\n",
            volumes.trim_end_matches(", "),
            variables.trim_end_matches(", ")
        )
    };
    let text =
        format!("{LIBRARIES}{variables}[libraries.pods.large.containers]\n{}", many(5, container));
    let context = ContextFile::read(&text).unwrap().into_context();
    let tree = (0..100_000).map(|n| format!("dir/sub{n:06}/file"));
    Context { tree: Some(tree.collect()), ..context }
}

/// All of them.
pub(crate) fn heavy_files() -> Vec<Heavy> {
    let heavy = |(name, text, code): (&'static str, String, &'static str)| Heavy {
        name,
        text: text.into_bytes(),
        code: (!code.is_empty()).then_some(code),
    };
    let no_text = |name, bytes: &[u8]| {
        let text = [b"a: ".repeat(300_000).as_slice(), bytes].concat();
        Heavy { name, text, code: Some("E-102") }
    };
    let files = [yaml(), nested(), conditions(), faults(), workloads(), volumes(), sections()];
    let files: Vec<_> = files
        .into_iter()
        .flatten()
        .map(heavy)
        .chain([no_text("no UTF-8", b"\xff"), no_text("NUL", b"\0")])
        .collect();
    let too_long = |heavy: &&Heavy| heavy.text.len() > MOST_BYTES;
    assert_eq!(files.iter().filter(too_long).map(|heavy| heavy.name).collect::<Vec<_>>(), ["long"]);
    files
}

/// A name, a text, and the code of its first fault.
type File = (&'static str, String, &'static str);

fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect()
}

/// A file with one container, which has more than an image.
fn app(more: &str) -> String {
    format!("pods: {{web: {{containers: {{app: {{image: nginx{more}}}}}}}}}\n")
}

fn yaml() -> Vec<File> {
    let keys = many(50_000, |n| format!("k{n}: 1, "));
    let merged = "*x, ".repeat(8);
    let laughs =
        many(60, |n| format!("a{}: &a{} [{}]\n", n + 1, n + 1, format!("*a{n}, ").repeat(9)));
    let merges = many(60, |n| {
        let before = format!("*a{n}, ").repeat(9);
        format!("a{}: &a{} {{k{n}: 1, <<: [{before}]}}\n", n + 1, n + 1)
    });
    let anchors = many(40_000, |n| format!("- &a{n} x\n- *a{n}\n"));
    vec![
        ("long", " ".repeat(MOST_BYTES + 1), "E-105"),
        ("blank", " ".repeat(MOST_BYTES), "E-102"),
        ("comments", "#\n".repeat(500_000), "E-102"),
        ("documents", "---\na: 1\n".repeat(110_000), "E-102"),
        ("tags", "- !x y\n".repeat(140_000), "E-102"),
        ("equal keys", "a: 1\n".repeat(120_000), "E-102"),
        ("equal keys to the end", "a: 1\n".repeat(200_000), "E-105"),
        ("one mapping of many keys", many(100_000, |n| format!("k{n}:\n")), "E-201"),
        ("alias bomb", format!("a0: &a0 [lol]\n{laughs}"), "E-105"),
        ("merge bomb", format!("a0: &a0 {{lol: 1}}\n{merges}"), "E-105"),
        ("merged keys", format!("x: &x {{{keys}}}\ny: {{<<: [{merged}]}}\n"), "E-105"),
        ("anchors", anchors, "E-203"),
        ("one quoted text", app(&format!(", version: \"{}\"", "\\u00e9".repeat(170_000))), "E-217"),
        ("one folded text", format!("a: >\n{}", "  x\n\n".repeat(200_000)), "E-201"),
        ("open quote", format!("a: '{}", "x\n".repeat(500_000)), "E-102"),
    ]
}

fn nested() -> Vec<File> {
    let chain = many(200, |n| format!("- &a{} {}*a{n}{}\n", n + 1, "[".repeat(60), "]".repeat(60)));
    vec![
        ("nested lists", "[".repeat(1_000_000), "E-105"),
        ("nested mappings", "{a: ".repeat(250_000), "E-105"),
        ("nested block", "- ".repeat(500_000), "E-105"),
        ("nested keys", "? ".repeat(500_000), "E-105"),
        ("nested lines", many(1_400, |n| format!("{}a:\n", " ".repeat(n))), "E-105"),
        ("nested aliases", format!("- &a0 x\n{chain}"), "E-105"),
        (
            "nested 60 times, side by side",
            {
                let deep = format!("- {}1{}\n", "[".repeat(60), "]".repeat(60));
                deep.repeat(8_000)
            },
            "E-105",
        ),
    ]
}

fn conditions() -> Vec<File> {
    let blocks = |holds: &str| many(40_000, |n| format!("if{{ENV{holds}x{n}}}: {{k: 1}}\n"));
    let open = many(60, |n| format!("k{n}: 0, 'if{{ENV=prod}}': {{"));
    let keys = many(50_000, |n| format!("k{n}: 1, "));
    let deep = format!("{{{open}{keys}{}}}", "}".repeat(60));
    let merged = many(10_000, |n| format!("  'if{{ENV!=x{n}}}': {{large: {{k{n}: 1}}}}\n"));
    let large = many(15_000, |n| format!("k{n}: 1, "));
    let pods = many(20_000, |n| format!("  if{{ENV=p{n}}}: {{web: {{replicas: 2}}}}\n"));
    let lists = many(30_000, |n| format!("'if{{ENV!=x{n}}}': [a{n}], "));
    vec![
        ("conditions that hold", app("") + &blocks("!="), "E-201"),
        ("conditions that do not hold", app("") + &blocks("="), ""),
        ("conditions inside each other", deep, "E-201"),
        (
            "conditions over a large mapping",
            format!("{}maps:\n  large: {{{large}}}\n{merged}", app("")),
            "",
        ),
        (
            "conditions between pods",
            format!("pods:\n  web: {{containers: {{app: {{image: x}}}}}}\n{pods}"),
            "",
        ),
        (
            "conditions over lists",
            format!("{}ingresses: {{site: {{host: a.example, aliases: {{{lists}}}}}}}", app("")),
            "",
        ),
        (
            "conditions that cannot be read",
            many(50_000, |n| format!("if{{x{n}}}: {{}}\n")),
            "E-301",
        ),
    ]
}

fn faults() -> Vec<File> {
    let undefined = many(60_000, |n| format!("{n:x}: '${{B}}', "));
    let wrong_pods = many(100, |n| {
        format!("  s{n}: {{pod: {}{n}, ports: [{{listen: 1, target: 1}}]}}\n", "b".repeat(60))
    });
    let long_name =
        format!("  ? {}\n  : {{containers: {{app: {{image: x}}}}}}", "a".repeat(500_000));
    let references = "${ x }".repeat(150_000);
    vec![
        ("one text", app(&format!(", version: '{}'", "${Ab}".repeat(200_000))), "E-501"),
        ("one text of no references", app(&format!(", variables: {{A: '{references}'}}")), ""),
        ("many texts", app(&format!(", variables: {{{undefined}}}")), "E-501"),
        ("long name", format!("pods:\n{long_name}\nservices:\n{wrong_pods}"), "E-818"),
        ("one line", format!("pods: {{{}}}", many(90_000, |n| format!("p{n}: 1, "))), "E-203"),
        ("unknown keys", app("") + &many(100_000, |n| format!("k{n}:\n")), "E-201"),
        (
            "many slips",
            format!(
                "pods: {{web: {{containers: {{{}}}}}}}",
                many(50_000, |n| format!("c{n}: {{imag: x}}, "))
            ),
            "E-201",
        ),
        (
            "wide characters",
            format!(
                "pods: {{web: {{containers: {{{}}}}}}}",
                many(50_000, |n| format!("世{n}: 1, "))
            ),
            "E-204",
        ),
        (
            "large variables",
            app(&format!(", variables: {{A: '{}'}}", "${NAME_1}".repeat(100_000))),
            "",
        ),
    ]
}

fn workloads() -> Vec<File> {
    let listen = format!(", listen: &l [{}]}}, b1: {{image: x, listen: *l", "1,".repeat(400_000));
    let rows = many(30_000, |n| format!("{{type: t{n}, require: 1}}, "));
    let quotas = many(100, |n| format!("{{category: memory, type: q{n}, capacity: 1Gi}}, "));
    let containers = |count| many(count, |n| format!("c{n}: {{image: x}}, "));
    let shares = format!(
        "paas: {{quotas: [{quotas}]}}\npods: {{web: {{containers: {{{}}}}}}}",
        containers(5_000)
    );
    let pods = |count| many(count, |n| format!("  p{n}: {{containers: {{aa: {{image: x}}}}}}\n"));
    let full = many(1_000, |n| {
        let containers = many(5, |n| {
            format!(
                "c{n}: {{image: 'x/y', version: '${{ENV}}', listen: [8{n}], variables: {{A: '${{ENV}}'}}}}, "
            )
        });
        format!("  p{n}: {{containers: {{{containers}}}}}\n")
    });
    let job = |n| format!("  j{n}: {{pods: {{p1: {{containers: {{aa: {{image: x}}}}}}}}}}\n");
    let extending = many(1_000, |n| format!("  web{n}: {{extends: large}}\n"));
    vec![
        ("shared ports", app(&listen), "E-105"),
        ("resources", app(&format!(", resources: [{rows}]")), "E-710"),
        ("shares of a hundred quotas", shares, ""),
        ("1001 pods", format!("pods:\n{}", pods(1_001)), "E-105"),
        ("1001 pods, of jobs too", format!("{}jobs:\n{}", app(""), many(1_000, job)), "E-105"),
        (
            "5001 containers",
            format!("pods: {{web: {{containers: {{{}}}}}}}", containers(5_001)),
            "E-105",
        ),
        ("1000 pods", format!("pods:\n{}", pods(1_000)), ""),
        ("1000 pods of 5 containers", format!("pods:\n{full}"), ""),
        ("1000 jobs", format!("{}jobs:\n{}", app(""), many(999, job)), ""),
        ("1000 pods of a large library", format!("pods:\n{extending}"), ""),
        ("pods as large as a file may be", format!("pods:\n{}", pods(20_000)), "E-105"),
        (
            "one container of many variables",
            app(&format!(", variables: {{{}}}", many(50_000, |n| format!("A{n}: x, ")))),
            "",
        ),
        (
            "references to a secret",
            app(&format!(
                ", variables: {{from-secrets: {{{}}}}}",
                many(30_000, |n| format!("A{n}: s{n}.k, "))
            )),
            "",
        ),
    ]
}

fn volumes() -> Vec<File> {
    let of_kind = |count, kind: &'static str| {
        let volume = |n| format!("v{n}: {{mount-path: /m{n}, {kind}}}, ");
        app(&format!(", volumes: {{{}}}", many(count, volume)))
    };
    let in_pods = |volume: &'static str| {
        let pod = |n| {
            let containers =
                many(5, |n| format!("c{n}: {{image: x, volumes: {{vv: {volume}}}}}, "));
            format!("  web{n}: {{containers: {{{containers}}}}}\n")
        };
        // Names of other pods come to equal hashes.
        format!("pods:\n{}", many(1_000, pod))
    };
    let shared = many(5_000, |n| format!("  v{n}: {{add: [dir]}}\n"));
    let paths = many(60_000, |n| format!("dir/sub{n:06}, "));
    vec![
        ("persistent volumes of one container", of_kind(20_000, "persistent: true"), ""),
        ("secrets of one container", of_kind(20_000, "from-secret: nobody"), ""),
        ("embedded volumes of one container", of_kind(20_000, "add: [dir]"), ""),
        ("5000 embedded images", in_pods("{mount-path: /m, add: [dir/]}"), ""),
        ("5000 persistent volumes", in_pods("{mount-path: /m, persistent: true}"), ""),
        (
            "5000 uses of a persistent volume",
            in_pods("{mount-path: /m, persistent: true, name: data}"),
            "",
        ),
        ("shared volumes", format!("{}volumes:\n{shared}", app("")), ""),
        ("paths of one volume", format!("{}volumes: {{vv: {{add: [{paths}]}}}}", app("")), ""),
        (
            "path of many steps",
            format!("{}volumes: {{vv: {{add: [{}x]}}}}", app(""), "a/../".repeat(200_000)),
            "E-218",
        ),
    ]
}

fn sections() -> Vec<File> {
    let ports = many(30_000, |n| format!("{{listen: {}, target: 1}}, ", n + 1));
    let folders = many(1_000, |n| format!("  i{n}: {{path: dir/sub/x{n:06}}}\n"));
    let service = |n| format!("  s{n}: {{pod: web, ports: [{{listen: 1, target: 1}}]}}\n");
    let ingress = |n| format!("  i{n}: {{host: a.example, service: {{name: s{n}, port: 1}}}}\n");
    let hooks = many(30_000, |n| format!("  step{n}: {{npm: [install, x]}}\n"));
    let enhancements = many(60_000, |n| format!("  k{n}: {{a: 1}}\n"));
    vec![
        ("ports", format!("{}services: {{web: {{ports: [{ports}]}}}}", app("")), ""),
        ("folders", format!("{}images:\n{folders}", app("")), "E-218"),
        (
            "services and ingresses",
            format!(
                "{}services:\n{}ingresses:\n{}",
                app(""),
                many(9_000, service),
                many(9_000, ingress)
            ),
            "",
        ),
        ("hooks", format!("{}builds:\n{hooks}", app("")), "E-105"),
        ("enhancements", format!("{}enhancements:\n{enhancements}", app("")), ""),
        (
            "maps",
            format!("{}maps:\n{}", app(""), many(40_000, |n| format!("  m{n}: {{a: [1]}}\n"))),
            "",
        ),
        (
            "secrets",
            format!(
                "{}secrets:\n{}",
                app(""),
                many(20_000, |n| format!("  s{n}: {{provider: map, options: {{a: 1}}}}\n"))
            ),
            "",
        ),
    ]
}
