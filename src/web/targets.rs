//! What is checked of a target before it is stored, for pages and the API.

use crate::db::models::project::Project;
use crate::deploy::trial::Trial;
use crate::domain::cluster::{ClusterKind, Credentials};
use crate::domain::question::{Question, Told};
use crate::kubernetes::{Access, Verification};
use crate::projects::{Login, ProjectError, Target, find_environment};
use crate::seal::load_public;
use crate::tasks::blocking;
use crate::web::refusal::Refusal;
use crate::web::site::Site;

/// Whether options of a target are those that engines have, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Options {
    /// They say nothing.
    Plain,
    /// They are of Kubernetes.
    OfKubernetes,
}

/// Checks what can be known of a target without asking it.
pub(super) fn check(
    (kind, address): (ClusterKind, &str),
    (options, credentials): (Options, Option<&Credentials>),
) -> Result<(), Refusal> {
    if kind == ClusterKind::Docker {
        if options == Options::Plain && credentials.is_none() {
            return Ok(());
        }
        let text = "an engine has no login, TLS or namespaces: these are for kind kubernetes";
        return Err(Refusal::Invalid(Some("kind"), text.to_owned()));
    }
    let bad_address = |error| Refusal::Invalid(Some("address"), format!("{error}"));
    kind.check_address(address).map_err(bad_address)?;
    let access = Access {
        address: address.to_owned(),
        namespace: "default".to_owned(),
        credentials: credentials.cloned().unwrap_or_default(),
        verification: Verification::On,
    };
    access.check().map_err(|error| Refusal::Invalid(Some("login"), error.to_string()))
}

/// Checks that a target can be named so: it is part of addresses, and people see it.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.trim().is_empty() || name.chars().any(|c| c.is_control() || c == '/') {
        let text = "give a name that can be seen, without `/`";
        return Err(Refusal::Invalid(Some("name"), text.to_owned()));
    }
    Ok(())
}

/// Who signs in, and what that is sealed with.
pub(super) async fn login(
    site: &Site,
    credentials: Option<Credentials>,
) -> Result<Login, ProjectError> {
    let Some(credentials) = credentials else { return Ok(None) };
    let path = site.public_key();
    let sealer = site.run(async move { blocking(move || load_public(&path)).await });
    Ok(Some((credentials, sealer.await?)))
}

/// Has a worker try a target of a project.
pub(super) async fn try_it(
    site: &Site,
    project: Project,
    target: Target,
) -> Result<Trial, Refusal> {
    let (db, questions) = (site.db(), site.questions());
    let cluster = target.cluster.id;
    let told = site.run(async move {
        let environment = find_environment(&db, &project, target.environment).await?;
        let asked = Question::Test { cluster };
        Ok::<_, Refusal>(questions.ask_for_all(environment.id, asked).await?)
    });
    let tried = |told| match told {
        Told::Tried { summary, missing } => Some(Trial { summary, missing }),
        Told::Difference { .. } | Told::Container { .. } | Told::Line { .. } | Told::End { .. } => {
            None
        }
    };
    let trial = told.await?.into_iter().find_map(tried);
    trial.ok_or_else(|| Refusal::Broken("a worker says nothing of a target".to_owned()))
}

/// A name as it stands in an address.
pub(super) fn escaped(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
