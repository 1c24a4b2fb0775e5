//! People.

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{ssh_keys, users};
use crate::domain::access::Standing;
use crate::domain::ids::{KeyId, UserId};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// How they are called in Histories.
    pub name: String,
    /// Whether they administrate the installation.
    pub administrator: bool,
}

impl User {
    /// Whether they may do everything.
    pub fn standing(&self) -> Standing {
        if self.administrator { Standing::Administrator } else { Standing::Person }
    }

    /// The person whose key this is, unless the key is revoked or the person disabled.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_fingerprint(
        connection: &mut AsyncPgConnection,
        fingerprint: &str,
    ) -> QueryResult<Option<(KeyId, Self)>> {
        ssh_keys::table
            .inner_join(users::table)
            .filter(ssh_keys::fingerprint.eq(fingerprint))
            .filter(ssh_keys::revoked_at.is_null())
            .filter(users::disabled_at.is_null())
            .select((ssh_keys::id, Self::as_select()))
            .first(connection)
            .await
            .optional()
    }

    /// The person with this address.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_email(
        connection: &mut AsyncPgConnection,
        email: &str,
    ) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::email.eq(email.to_lowercase()))
            .select(Self::as_select())
            .first(connection)
            .await
            .optional()
    }
}

/// A person about to be added.
#[derive(Debug, Insertable)]
#[diesel(table_name = users)]
pub struct NewUser<'a> {
    /// Their id.
    pub id: UserId,
    /// Any case; stored in lower case.
    pub email: &'a str,
    /// How they are called.
    pub name: &'a str,
    /// Argon2id, in PHC form.
    pub password_hash: &'a str,
    /// Whether it must be replaced at the first sign-in.
    pub password_once: bool,
    /// Whether they administrate the installation.
    pub administrator: bool,
}

impl NewUser<'_> {
    /// Adds the person, or finds them added; `None` when somebody else has the address.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn insert(&self, connection: &mut AsyncPgConnection) -> QueryResult<Option<User>> {
        use diesel::query_dsl::methods::FilterDsl;

        let email = self.email.to_lowercase();
        diesel::insert_into(users::table)
            .values(NewUser { email: &email, ..*self })
            .on_conflict(users::email)
            .do_update()
            .set(users::email.eq(excluded(users::email)))
            .filter(users::id.eq(excluded(users::id)))
            .returning(User::as_returning())
            .get_result(connection)
            .await
            .optional()
    }
}
