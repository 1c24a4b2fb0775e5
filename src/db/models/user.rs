//! People.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use crate::db::schema::users;
use crate::domain::access::{Bar, Standing};
use crate::domain::ids::UserId;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Queryable, Selectable)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// How they are called in Histories.
    pub name: String,
    /// Whether they administrate the installation.
    pub administrator: bool,
    /// When they were shut out for a while.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When they were deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When what is known of them was changed last.
    #[serde(skip)]
    pub updated_at: DateTime<Utc>,
}

impl User {
    /// Whether they may do everything.
    pub fn standing(&self) -> Standing {
        if self.administrator { Standing::Administrator } else { Standing::Person }
    }

    /// Why they may do nothing here.
    pub const fn bar(&self) -> Option<Bar> {
        match (self.deleted_at, self.disabled_at) {
            (Some(_), _) => Some(Bar::UserDeleted),
            (None, Some(_)) => Some(Bar::UserDisabled),
            (None, None) => None,
        }
    }

    /// The person with this id, also when they are deleted.
    ///
    /// # Errors
    ///
    /// When there is none, or the database does not answer.
    pub async fn find(connection: &mut AsyncPgConnection, id: UserId) -> QueryResult<Self> {
        users::table.find(id).select(Self::as_select()).first(connection).await
    }

    /// The person with this address, unless they are deleted.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn by_email(
        connection: &mut AsyncPgConnection,
        email: &str,
    ) -> QueryResult<Option<Self>> {
        let found = Self::any_by_email(connection, email).await?;
        Ok(found.filter(|user| user.deleted_at.is_none()))
    }

    /// The person with this address, whose row nobody else changes until this transaction ends.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn any_by_email(
        connection: &mut AsyncPgConnection,
        email: &str,
    ) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::email.eq(email.to_lowercase()))
            .select(Self::as_select())
            .for_update()
            .first(connection)
            .await
            .optional()
    }

    /// The person with this address, what is stored of their password, and whether that is for one
    /// sign-in; deleted people too.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn with_password(
        connection: &mut AsyncPgConnection,
        email: &str,
    ) -> QueryResult<Option<(Self, Option<String>, bool)>> {
        users::table
            .filter(users::email.eq(email.to_lowercase()))
            .select((Self::as_select(), users::password_hash, users::password_once))
            .first(connection)
            .await
            .optional()
    }

    /// Forgets a password that was for one sign-in; whether it was still there.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn use_up_password(
        &self,
        connection: &mut AsyncPgConnection,
        hash: &str,
    ) -> QueryResult<bool> {
        let own = users::table.find(self.id).filter(users::password_hash.eq(hash));
        let nothing = users::password_hash.eq(None::<String>);
        Ok(diesel::update(own).set(nothing).execute(connection).await? > 0)
    }

    /// Everybody, by address.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn all(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Self>> {
        users::table.order(users::email).select(Self::as_select()).load(connection).await
    }

    /// Those after an address that are not purged, by address.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn page(
        connection: &mut AsyncPgConnection,
        after: Option<&str>,
        most: i64,
    ) -> QueryResult<Vec<Self>> {
        users::table
            .filter(users::email.gt(after.unwrap_or_default()))
            .order(users::email)
            .limit(most)
            .select(Self::as_select())
            .load(connection)
            .await
    }

    /// The person with this address as they are now, deleted or not.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn find_by_email(
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

    /// Changes what is known of them.
    ///
    /// # Errors
    ///
    /// A unique violation when somebody else has the address, and when the database does not answer.
    pub async fn update(
        &self,
        connection: &mut AsyncPgConnection,
        change: &UserChange,
    ) -> QueryResult<()> {
        diesel::update(users::table.find(self.id))
            .set((change, users::updated_at.eq(now)))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Notes when they were shut out, for a while or for good; `None` lets them in again.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn set_out(
        &self,
        connection: &mut AsyncPgConnection,
        (disabled, deleted): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    ) -> QueryResult<()> {
        diesel::update(users::table.find(self.id))
            .set((
                users::disabled_at.eq(disabled),
                users::deleted_at.eq(deleted),
                users::updated_at.eq(now),
            ))
            .execute(connection)
            .await
            .map(|_| ())
    }

    /// Removes them, with their keys and memberships. What they pushed stays.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn purge(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        diesel::delete(users::table.find(self.id)).execute(connection).await.map(|_| ())
    }
}

/// What is changed of a person; what is `None` stays.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChange {
    /// Another address, in lower case.
    pub email: Option<String>,
    /// How they are called.
    pub name: Option<String>,
    /// Whether they administrate the installation.
    pub administrator: Option<bool>,
    /// Argon2id, in PHC form.
    pub password_hash: Option<String>,
    /// Whether it must be replaced at the first sign-in.
    pub password_once: Option<bool>,
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
