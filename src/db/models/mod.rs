//! All SQL, one file a table.

pub mod account;
pub mod account_quota;
pub mod audit;
pub mod cluster;
pub mod deploy_rule;
pub mod environment;
pub mod history;
pub mod job;
pub mod outbox;
pub mod project;
pub mod push;
pub mod question;
pub mod registry;
pub mod release;
pub mod release_list;
pub mod route;
pub mod router;
pub mod run;
pub mod sealed;
pub mod ssh_key;
pub mod trash;
pub mod user;
pub mod variable;
