//! The JSON API, for programs that come with a token.
//!
//! Which right each request needs stands in one table, [`ROUTES`]; `call` asks for it before a
//! handler sees anything. Handlers ask the use cases that SSH and administrators ask.

#![expect(unused_qualifications, reason = "utoipa writes whole paths of what `params` names")]

mod accounts;
mod answer;
mod audit;
mod body;
mod call;
mod clusters;
mod document;
mod environments;
mod health;
mod jobs;
mod keys;
mod me;
mod members;
mod problem;
mod projects;
mod registry;
mod releases;
mod routes;
mod rules;
mod source;
mod tokens;
mod trash;
mod users;
mod variables;
mod words;

pub use document::document;
pub use routes::ROUTES;
pub(super) use routes::configure;
