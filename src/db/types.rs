//! How the domain's values are stored, so that rows can hold them as they are.

use std::io::Write as _;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow, Queryable};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::access::{KeyAccess, Role};
use crate::domain::api_token::TokenAccess;
use crate::domain::audit::{Deed, Entrance};
use crate::domain::cluster::{Adoption, ClusterKind, NamespaceManage};
use crate::domain::deploy_rule::RefPattern;
use crate::domain::environment::EnvironmentName;
use crate::domain::git_ref::RefName;
use crate::domain::history::{EntryKind, Extra, Step};
use crate::domain::ids;
use crate::domain::job::{JobKind, JobState, Outcome, RefResult};
use crate::domain::oid::Oid;
use crate::domain::push_ref::Decision;
use crate::domain::question::{Question, Told};
use crate::domain::ref_move::RefMoves;
use crate::domain::registry::RegistryAddress;
use crate::domain::release::ReleaseState;
use crate::domain::route::Host;
use crate::domain::run::RunOutcome;
use crate::domain::sealed::Sealed;
use crate::domain::slug::{AccountSlug, ProjectSlug};
use crate::domain::snapshot::Snapshot;
use crate::domain::source::{CheckPurpose, Checked, SourceUrl};
use crate::domain::stored_variables::StoredVariables;

/// A `Proxy` carries the derives for a type that must not know diesel.
macro_rules! as_text {
    ($($proxy:ident($type:ty))*) => {$(
        #[derive(AsExpression, FromSqlRow)]
        #[diesel(foreign_derive, sql_type = sql_types::Text)]
        #[expect(dead_code, reason = "only carries the derives of the type inside")]
        struct $proxy($type);

        impl ToSql<sql_types::Text, Pg> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                out.write_all(self.as_str().as_bytes())?;
                Ok(IsNull::No)
            }
        }

        impl FromSql<sql_types::Text, Pg> for $type {
            fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let text = <String as FromSql<sql_types::Text, Pg>>::from_sql(bytes)?;
                Ok(text.parse::<$type>()?)
            }
        }
    )*};
}

as_text! {
    AccountSlugProxy(AccountSlug)
    ProjectSlugProxy(ProjectSlug)
    EnvironmentNameProxy(EnvironmentName)
    RefNameProxy(RefName)
    RefPatternProxy(RefPattern)
    HostProxy(Host)
    RegistryAddressProxy(RegistryAddress)
    RoleProxy(Role)
    KeyAccessProxy(KeyAccess)
    TokenAccessProxy(TokenAccess)
    EntranceProxy(Entrance)
    DeedProxy(Deed)
    ClusterKindProxy(ClusterKind)
    AdoptionProxy(Adoption)
    NamespaceManageProxy(NamespaceManage)
    JobKindProxy(JobKind)
    OutcomeProxy(Outcome)
    RunOutcomeProxy(RunOutcome)
    RefMovesProxy(RefMoves)
    RefResultProxy(RefResult)
    ReleaseStateProxy(ReleaseState)
    DecisionProxy(Decision)
    StepProxy(Step)
    EntryKindProxy(EntryKind)
    SourceUrlProxy(SourceUrl)
    CheckPurposeProxy(CheckPurpose)
}

#[derive(AsExpression, FromSqlRow)]
#[diesel(foreign_derive, sql_type = sql_types::Text)]
#[expect(dead_code, reason = "only carries the derives of the type inside")]
struct OidProxy(Oid);

impl ToSql<sql_types::Text, Pg> for Oid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        write!(out, "{self}")?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql_types::Text, Pg> for Oid {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Pg>>::from_sql(bytes)?;
        Ok(text.parse::<Self>()?)
    }
}

macro_rules! as_inner {
    ($sql:ident, $inner:ty: $($proxy:ident($type:ty))*) => {$(
        #[derive(AsExpression, FromSqlRow)]
        #[diesel(foreign_derive, sql_type = sql_types::$sql)]
        #[expect(dead_code, reason = "only carries the derives of the type inside")]
        struct $proxy($type);

        impl FromSql<sql_types::$sql, Pg> for $type {
            fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <$inner as FromSql<sql_types::$sql, Pg>>::from_sql(bytes).map(<$type>::from)
            }
        }

        impl ToSql<sql_types::$sql, Pg> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let inner = <$inner>::from(*self);
                ToSql::<sql_types::$sql, Pg>::to_sql(&inner, &mut out.reborrow())
            }
        }
    )*};
}

as_inner! { Uuid, Uuid:
    UserIdProxy(ids::UserId)
    AccountIdProxy(ids::AccountId)
    ProjectIdProxy(ids::ProjectId)
    EnvironmentIdProxy(ids::EnvironmentId)
    ClusterIdProxy(ids::ClusterId)
    KeyIdProxy(ids::KeyId)
    TokenIdProxy(ids::TokenId)
    PushIdProxy(ids::PushId)
    JobIdProxy(ids::JobId)
    ReleaseIdProxy(ids::ReleaseId)
    BatchIdProxy(ids::BatchId)
    QuestionIdProxy(ids::QuestionId)
    CheckIdProxy(ids::CheckId)
}

as_inner! { BigInt, i64:
    JobNumberProxy(ids::JobNumber)
    FenceProxy(ids::Fence)
    SeqProxy(ids::Seq)
    RouteVersionProxy(ids::RouteVersion)
}

as_inner! { Integer, i32:
    AttemptProxy(ids::Attempt)
    ReleaseNumberProxy(ids::ReleaseNumber)
}

macro_rules! as_json {
    ($($proxy:ident($type:ty))*) => {$(
        #[derive(AsExpression, FromSqlRow)]
        #[diesel(foreign_derive, sql_type = sql_types::Jsonb)]
        #[expect(dead_code, reason = "only carries the derives of the type inside")]
        struct $proxy($type);

        impl FromSql<sql_types::Jsonb, Pg> for $type {
            fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let value = <Value as FromSql<sql_types::Jsonb, Pg>>::from_sql(bytes)?;
                Ok(serde_json::from_value(value)?)
            }
        }

        impl ToSql<sql_types::Jsonb, Pg> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let value = serde_json::to_value(self)?;
                ToSql::<sql_types::Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
            }
        }
    )*};
}

as_json! {
    QuestionProxy(Question)
    ToldProxy(Told)
    StoredVariablesProxy(StoredVariables)
    SealedProxy(Sealed)
    SnapshotProxy(Snapshot)
    ExtraProxy(Extra)
    CheckedProxy(Checked)
}

/// A job's state is two columns, of which not every pair is possible.
impl Queryable<(sql_types::Text, sql_types::Nullable<sql_types::Text>), Pg> for JobState {
    type Row = (String, Option<String>);

    fn build((state, outcome): Self::Row) -> deserialize::Result<Self> {
        Ok(Self::from_columns(&state, outcome.as_deref())?)
    }
}
