//! Who changed what, when and from where. The table is only appended to.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::db::schema::audit;
use crate::domain::audit::{Actor, Deed, Entrance};

/// What is about to be noted.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its id.
    pub id: Uuid,
    /// Who.
    pub actor: Actor,
    /// Did what.
    pub deed: Deed,
    /// To what.
    pub subject: String,
    /// What else may be known of it.
    pub details: Map<String, Value>,
}

impl NewEntry {
    /// Whether it is noted: then a first try has done it all, and only its answer was lost.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn is_noted(&self, connection: &mut AsyncPgConnection) -> QueryResult<bool> {
        diesel::select(diesel::dsl::exists(audit::table.find(self.id))).get_result(connection).await
    }

    /// Notes it, unless it is noted.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn insert(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        let Actor { entrance, who, user, key, origin } = &self.actor;
        diesel::insert_into(audit::table)
            .values((
                audit::id.eq(self.id),
                audit::door.eq(entrance),
                audit::who.eq(who),
                audit::user_id.eq(user.map(Uuid::from)),
                audit::key.eq(key),
                audit::origin.eq(origin),
                audit::deed.eq(self.deed),
                audit::subject.eq(&self.subject),
                audit::details.eq(Value::Object(self.details.clone())),
            ))
            .on_conflict(audit::id)
            .do_nothing()
            .execute(connection)
            .await
            .map(|_| ())
    }
}

/// What was noted.
#[derive(Debug, Clone, Serialize, Queryable, Selectable)]
#[diesel(table_name = audit)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub date: DateTime<Utc>,
    /// How they came in.
    pub door: Entrance,
    /// Who.
    pub who: String,
    /// The fingerprint of their key.
    pub key: Option<String>,
    /// From where.
    pub origin: String,
    /// Did what.
    pub deed: Deed,
    /// To what.
    pub subject: String,
    /// What else is known of it.
    pub details: Value,
}

/// Which entries are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By whom.
    pub who: Option<String>,
    /// What was done.
    pub deed: Option<Deed>,
    /// What its subject begins with.
    pub subject: Option<String>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// Older than this entry: when it was noted, and its id.
    pub before: Option<(DateTime<Utc>, Uuid)>,
}

/// The newest entries, newest first.
///
/// # Errors
///
/// When the database does not answer.
pub async fn newest(
    connection: &mut AsyncPgConnection,
    wanted: &Wanted,
    most: i64,
) -> QueryResult<Vec<Entry>> {
    use diesel::dsl::sql;
    use diesel::sql_types::{Bool, Text};

    let mut query = audit::table
        .select(Entry::as_select())
        .order((audit::date.desc(), audit::id.desc()))
        .limit(most)
        .into_boxed();
    if let Some(who) = &wanted.who {
        query = query.filter(audit::who.eq(who));
    }
    if let Some(deed) = wanted.deed {
        query = query.filter(audit::deed.eq(deed));
    }
    if let Some(subject) = &wanted.subject {
        let begins = sql::<Bool>("starts_with(subject, ").bind::<Text, _>(subject).sql(")");
        query = query.filter(begins);
    }
    if let Some(since) = wanted.since {
        query = query.filter(audit::date.ge(since));
    }
    if let Some((date, id)) = wanted.before {
        let as_old = audit::date.eq(date).and(audit::id.lt(id));
        query = query.filter(audit::date.lt(date).or(as_old));
    }
    query.load(connection).await
}
