//! How the domain's values are described to programs.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::access::{KeyAccess, Role};
use crate::domain::api_token::TokenAccess;
use crate::domain::audit::{Deed, Entrance};
use crate::domain::cluster::{Adoption, ClusterKind, NamespaceManage};
use crate::domain::deleted::DeletedKind;
use crate::domain::environment::EnvironmentName;
use crate::domain::history::{EntryKind, Step};
use crate::domain::ids::{
    AccountId, Attempt, ClusterId, JobId, JobNumber, KeyId, ProjectId, RouteVersion, Seq, TokenId,
    UserId,
};
use crate::domain::job::{JobKind, Outcome};
use crate::domain::oid::Oid;
use crate::domain::release::ReleaseState;
use crate::domain::slug::{AccountSlug, ProjectSlug};

macro_rules! described {
    ($($type:ty = $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                stringify!($type).into()
            }
        }
    )*};
}

macro_rules! words {
    ($($type:ty)*) => {
        described! { $($type = word(<$type>::ALL.iter().map(|word| word.as_str()));)* }
    };
}

fn word(words: impl Iterator<Item = &'static str>) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build().into()
}

fn text(pattern: &str) -> Schema {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build().into()
}

fn id() -> Schema {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into()
}

fn number(format: KnownFormat) -> Schema {
    let format = SchemaFormat::KnownFormat(format);
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(format)).build().into()
}

words! {
    Role KeyAccess TokenAccess Deed Entrance Adoption ClusterKind NamespaceManage EntryKind Step
    DeletedKind JobKind Outcome ReleaseState
}

described! {
    AccountSlug = text("^[a-z0-9][a-z0-9-]{0,62}$");
    ProjectSlug = text("^[a-z0-9][a-z0-9-]{0,62}$");
    EnvironmentName = text("^[A-Za-z][A-Za-z0-9-]{0,62}$");
    Oid = text("^[0-9a-f]{40}$");
    AccountId = id();
    ClusterId = id();
    JobId = id();
    KeyId = id();
    ProjectId = id();
    TokenId = id();
    UserId = id();
    JobNumber = number(KnownFormat::Int64);
    Seq = number(KnownFormat::Int64);
    RouteVersion = number(KnownFormat::Int64);
    Attempt = number(KnownFormat::Int32);
}
