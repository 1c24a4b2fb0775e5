//! All SQL, one file a table.

pub mod account;
pub mod cluster;
pub mod deploy_rule;
pub mod environment;
pub mod history;
pub mod job;
pub mod outbox;
pub mod project;
pub mod push;
pub mod registry;
pub mod release;
pub mod route;
pub mod router;
pub mod run;
pub mod sealed;
pub mod ssh_key;
pub mod user;
pub mod variable;
