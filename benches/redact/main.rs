//! How fast output goes through the redactor: `cargo bench --bench redact`.
//!
//! 16 MB of lines as builds write them, in chunks of 4 KB, go through a filter that knows 50
//! secrets of the kinds that people have: tokens, passwords, URLs, keys of several lines. 200 MB/s
//! is the least. Beside it: no secret at all, 1,000 secrets, JSON in which every quote is escaped,
//! and the corpus of `tests/it/redaction`, which is full of secrets. Then the time to prepare.

#[cfg(test)]
#[path = "../../tests/it/redaction"]
mod redaction {
    #![expect(dead_code, reason = "what tests say of an output is nothing to measure")]

    pub(crate) mod corpus;
    pub(crate) mod encodings;
}
#[cfg(test)]
mod speed;

fn main() {
    #[cfg(test)]
    speed::measure();
}
