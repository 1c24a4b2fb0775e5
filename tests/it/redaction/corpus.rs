//! Generated outputs, each of which hides a secret somewhere.

use std::ops::Range;

use crate::redaction::encodings::ENCODINGS;

/// Secrets of the kinds that people have.
pub(crate) const SECRETS: [(&str, &str); 14] = [
    ("SHORT", "aB3$xY"),
    ("PASSWORD", "correct-h0rse_battery"),
    ("TOKEN", "ghx_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("HEX", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    ("UUID", "6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ("PHRASE", "open sesame & <close> 7 doors"),
    ("QUOTED", "it's \"quoted\" 100% \\new\\table"),
    ("URL", "postgres://shop:p%40ss/w0rd@db.internal:5432/shop?sslmode=require"),
    ("BASE64", "q83vEjRWeJq83v/+EjRWeJq83u8SNFZ4mrze7xI0Vnia+w=="),
    ("UNICODE", "pässwörd-ключ-😀-鍵"),
    ("SIGNS", "%7E!@#$^&*()_+{}|:<>?~`-=[];,./"),
    ("JSON", "{\n  \"client\": \"shop-4711\",\n  \"private\": \"x9+Zk/w8Qq\"\n}\n"),
    ("KEY", KEY),
    ("LONG", LONG),
];

const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----
";

const LONG: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjQ3MTEifQ.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIiwic3ViIjoic2hvcCIsImV4cCI6MTc2NDA0MzIwMH0.TCYt5XsITJX1CxPCT8yAV-TVkIEq_PbChOMqsLfRoPsnsgw5WEuts01mq-pQy7UJiN5mgRxD-WUcX16dUEMGlv50aqzpqh4Qktb3rk-BuQy72IFLOqV0G_zS245-kronKb78cPN25DGlcTwLtjPAYuNzVBAh4vGHSrQyHUdBBPM";

/// What stands before and behind: nothing, or what may be mistaken for a part of it.
const AROUND: [(&str, &str); 14] = [
    ("", ""),
    ("", "\n"),
    ("token=", "\n"),
    ("\"", "\",\n"),
    ("'", "'\r\n"),
    ("Authorization: Bearer ", "\r\n"),
    ("https://user:", "@example.org/\n"),
    ("?key=", "&page=2\n"),
    ("\u{1b}[1;32m", "\u{1b}[0m\n"),
    ("+ export A=", " B=2\n"),
    ("done 100% ", " %\n"),
    ("C:\\ ", "\\\n"),
    ("\n\n", "\n\n"),
    ("[X] ", "…\n"),
];

/// Lines as builds write them.
const ORDINARY: [&str; 16] = [
    "Step 4/12 : RUN npm ci --omit=dev",
    " ---> Using cache",
    "added 412 packages, and audited 413 packages in 9s",
    "npm warn deprecated inflight@1.0.6: This module is not supported, and leaks memory.",
    "   Compiling serde_json v1.0.140",
    "\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m tokio v1.47.1 (/root/.cargo/registry/src/tokio-1.47.1)",
    "warning: unused variable: `request`  --> src/handlers/orders.rs:118:9",
    "Get:14 http://deb.debian.org/debian bookworm/main amd64 libpq5 amd64 15.12-0+deb12u2 [191 kB]",
    "Unpacking libssl3:amd64 (3.0.15-1~deb12u1) over (3.0.14-1~deb12u2) ...",
    "  dist/assets/index-BfT3s0aW.js   142.31 kB | gzip: 45.87 kB",
    "{\"level\":\"info\",\"msg\":\"migrated\",\"table\":\"orders\",\"rows\":12873,\"ms\":41.7}",
    "Collecting psycopg2-binary==2.9.10 (from -r requirements.txt (line 7))",
    "   \u{2501}\u{2501}\u{2501}\u{2501}\u{2501}\u{2501}\u{2501}\u{2501} 3.0/3.0 MB 38.1 MB/s eta 0:00:00",
    "sha256:5d9474c0309b7ca09a182d888f73b37a8fe1362ca4e9d8b6d0f9c0b1e4ad7c55: Pull complete",
    "gcc -O2 -Wall -DVERSION=\"1.4\" -I./include -c src/parser.c -o build/parser.o",
    "[ 67%] Building CXX object src/CMakeFiles/server.dir/session.cpp.o",
];

/// An output, and which part of it is the secret.
pub(crate) struct Output {
    pub(crate) what: String,
    pub(crate) text: Vec<u8>,
    pub(crate) part: Range<usize>,
}

/// Numbers that are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new() -> Self {
        Self(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// So many outputs: every secret in every encoding, and then again with other text around it.
pub(crate) fn outputs(count: usize) -> impl Iterator<Item = Output> {
    let mut dice = Dice::new();
    (0..count).map(move |number| {
        let (name, secret) = SECRETS[number % SECRETS.len()];
        let (encoding, encode) = ENCODINGS[number / SECRETS.len() % ENCODINGS.len()];
        let (before, behind) = dice.one_of(&AROUND);
        let mut text = String::new();
        for _ in 0..dice.below(3) {
            text.push_str(dice.one_of(&ORDINARY));
            text.push('\n');
        }
        text.push_str(before);
        let start = text.len();
        text.push_str(&encode(secret));
        let part = start..text.len();
        text.push_str(behind);
        text.push_str(dice.one_of(&ORDINARY));
        let what =
            format!("output {number}: {name}, {encoding}, between {before:?} and {behind:?}");
        Output { what, text: text.into_bytes(), part }
    })
}

/// So many lines without a secret.
pub(crate) fn ordinary(count: usize) -> String {
    let mut dice = Dice::new();
    (0..count).map(|_| format!("{}\n", dice.one_of(&ORDINARY))).collect()
}
