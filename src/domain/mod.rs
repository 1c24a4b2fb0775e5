//! Names and rules of Pierhead's world, as plain values.
//!
//! Nothing here does input or output, reads a clock or rolls dice: everything is decided from
//! arguments, so that every rule can be tested in a line.

pub mod access;
pub mod address_pool;
pub mod api_token;
pub mod audit;
pub mod cache;
pub mod causes;
pub mod cluster;
pub mod deleted;
pub mod deploy_rule;
pub mod difference;
pub mod digest;
pub mod egress;
pub mod environment;
pub mod git_ref;
pub mod history;
pub mod hop_by_hop;
pub mod ids;
pub mod job;
pub mod label;
pub mod level;
pub mod lifetime;
pub mod nearest;
pub mod oid;
pub mod output;
pub mod pinned;
pub mod platform;
pub mod push_option;
pub mod push_ref;
pub mod question;
pub mod quota;
pub mod redact;
pub mod ref_move;
pub mod registry;
pub mod release;
pub mod route;
pub mod run;
pub mod sealed;
pub mod seen;
pub mod slug;
pub mod snapshot;
pub mod source;
pub mod ssh_key;
pub mod stamped;
pub mod stored_variables;
pub mod take_over;
pub mod totp;
pub mod undone;
pub mod variables;
pub mod words;
