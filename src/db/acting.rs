//! Somebody who changes something, on a database that keeps note of it.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::db::models::audit::NewEntry;
use crate::db::pool::Db;
use crate::domain::audit::{Actor, Deed};

/// The database, and who changes it.
#[derive(Debug, Clone)]
pub struct Acting {
    /// The database.
    pub db: Db,
    /// Who.
    pub actor: Actor,
}

impl Acting {
    /// What is noted of a deed, in the transaction that does it.
    ///
    /// It is made before the transaction: a repeat, after the answer to a COMMIT was lost, finds it
    /// noted.
    pub fn entry(&self, deed: Deed, subject: &(impl ToString + ?Sized)) -> NewEntry {
        NewEntry {
            id: Uuid::now_v7(),
            actor: self.actor.clone(),
            deed,
            subject: subject.to_string(),
            details: Map::new(),
        }
    }
}

impl NewEntry {
    /// The same, with one more thing that may be known of it. Never a secret.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// The same, with one more thing if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}
