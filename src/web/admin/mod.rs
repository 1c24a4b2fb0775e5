//! Pages behind a sign-in: what there is, and forms that change it.
//!
//! Which right each page needs stands in one table, [`PAGES`]. Whoever asks for one is a `Visit`,
//! and what they send is `Posted`: neither comes into being without a session and
//! that right, and the second not without the form's token.

mod accounts;
mod audit;
mod clusters;
mod cookie;
mod environment;
mod first_run;
mod form;
mod health;
mod jobs;
mod keys;
mod members;
mod multipart;
mod overview;
mod password;
mod project;
mod routes;
mod second_factor;
mod settings;
mod sign_in;
mod source;
mod targets;
mod tokens;
mod trash;
mod users;
mod variables;
mod visit;
mod words;

pub(super) use routes::configure;
pub use routes::{OPEN, PAGES};
pub(super) use sign_in::place as sign_in_place;
pub(super) use visit::{Frame, Visit, html};

/// Where everything begins.
const HOME: &str = "/admin";
