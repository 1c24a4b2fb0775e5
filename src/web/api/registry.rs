//! The registry that a project's images go to. Its password goes in and never comes out.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::registry::{RegistryAddress, RegistryLogin, StoredRegistry};
use crate::projects::{NewRegistry, ProjectError, registry_of, set_registry, unset_registry};
use crate::seal::load_public;
use crate::tasks::blocking;
use crate::web::api::answer::{Answered, done, ok};
use crate::web::api::call::Call;
use crate::web::api::problem::Problem;

/// Where images go.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Registry {
    /// `host[:port][/path]`
    address: String,
    /// Whether it is spoken to without TLS; null on this machine only.
    plain_http: Option<bool>,
    /// Who signs in; null of nobody.
    username: Option<String>,
}

/// Where images are to go.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistryChange {
    /// `host[:port][/path]`
    #[schema(value_type = String)]
    address: RegistryAddress,
    /// Whether it is spoken to without TLS; on this machine only, if nothing is said.
    plain_http: Option<bool>,
    /// Who signs in; nobody if nothing is said.
    login: Option<NewRegistryLogin>,
}

/// Who signs in at a registry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRegistryLogin {
    username: String,
    #[schema(value_type = String)]
    password: SecretString,
}

impl Registry {
    fn new(stored: StoredRegistry) -> Self {
        let StoredRegistry { address, plain_http, login } = stored;
        let username = login.map(|login| login.username);
        Self { address: address.to_string(), plain_http, username }
    }
}

/// Show where images go.
#[utoipa::path(
    get, path = "/projects/{account}/{project}/registry", tag = "targets",
    operation_id = "show_registry", responses((status = 200, body = Registry)),
)]
pub(super) async fn show(call: Call) -> Answered {
    let (db, project) = (call.db(), call.project()?.clone());
    let stored = call.run(async move { registry_of(&db, &project).await }).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("a registry of this project is"))?;
    Ok(ok(&Registry::new(stored)))
}

/// Say where images go, from the next deployment on.
#[utoipa::path(
    put, path = "/projects/{account}/{project}/registry", tag = "targets",
    operation_id = "set_registry", request_body = RegistryChange,
    responses((status = 200, body = Registry)),
)]
pub(super) async fn set(mut call: Call) -> Answered {
    let RegistryChange { address, plain_http, login } = call.body().await?;
    let project = call.project()?.name();
    let (path, by) = (call.site().public_key(), call.acting());
    let set = call.run(async move {
        let login = match login {
            None => None,
            Some(NewRegistryLogin { username, password }) => {
                let sealer = blocking(move || load_public(&path)).await?;
                Some((RegistryLogin { username, password }, sealer))
            }
        };
        set_registry(&by, NewRegistry { project, address, plain_http }, login).await?;
        Ok::<_, ProjectError>(())
    });
    set.await?;
    show(call).await
}

/// Say that images go to no registry.
#[utoipa::path(
    delete, path = "/projects/{account}/{project}/registry", tag = "targets",
    operation_id = "unset_registry",
    responses((status = 204, description = "Images stay where they are built")),
)]
pub(super) async fn unset(call: Call) -> Answered {
    let (by, name) = (call.acting(), call.project()?.name());
    call.run(async move { unset_registry(&by, name).await }).await?;
    Ok(done())
}
