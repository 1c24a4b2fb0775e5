//! git's hooks, and the socket on which they ask the server.
//!
//! A hook is this same program, started by git for one push. It passes what git tells it to the
//! server as one JSON message, prints the lines that come back, and gives git the answers. It
//! decides nothing.

mod client;
mod message;
mod server;

pub use client::{HookError, HookName, run};
pub use server::serve;
