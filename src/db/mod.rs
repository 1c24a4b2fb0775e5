//! Everything Pierhead stores in PostgreSQL.
//!
//! `schema` mirrors the tables, `pool` lends connections, `models` holds all SQL, one file a
//! table. Whoever writes takes a connection and so joins its caller's transaction.

pub mod acting;
pub mod feed;
pub mod lock;
pub mod migrate;
pub mod models;
pub mod pool;
pub mod schema;
mod types;
