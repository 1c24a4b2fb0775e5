//! Tests of parts of Pierhead together, each through its front door.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot go on as a test expects, fails the test"
)]

mod router;
mod routing;
mod support;
