//! A secret as rows hold it: it opens to whoever has the private key, and only where it stands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{EnvironmentId, JobId, ProjectId};
use crate::domain::registry::RegistryAddress;
use crate::domain::source::SourceUrl;
use crate::domain::stored_variables::Origin;

/// A value under a data key of its own, which is wrapped for the holders of a private key
/// (platform.md §3.4). Bytes are in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Which form this is; there is one.
    pub v: u32,
    /// How it is sealed.
    pub alg: String,
    /// Which key opens it.
    pub kid: String,
    /// The data key, wrapped.
    pub key: String,
    /// The nonce of the body.
    pub iv: String,
    /// The value, encrypted.
    pub body: String,
}

/// Where a sealed value stands; at another place it does not open, so that rows cannot be swapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<String>);

/// What of a release is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleasePart {
    /// The compiled model.
    Model,
    /// The variables of its containers.
    Variables,
    /// What was put on its targets.
    Objects,
}

impl Place {
    /// A variable: of a project, of one of its environments, or given to one deployment there.
    ///
    /// For a variable of a project the environment does not matter.
    pub fn variable(
        origin: Origin,
        (project, environment): (ProjectId, Option<EnvironmentId>),
        name: &str,
    ) -> Self {
        let environment = match origin {
            Origin::Project => None,
            Origin::Environment | Origin::Launch => environment,
        };
        let environment = environment.map_or_else(String::new, |id| id.to_string());
        Self::new(&format!("variable of the {origin}"), [project.to_string(), environment], name)
    }

    /// The password of a project's registry: for this address and this user, and no other.
    pub fn registry(project: ProjectId, address: &RegistryAddress, username: &str) -> Self {
        let owner = [project.to_string(), address.to_string()];
        Self::new("password of the registry", owner, username)
    }

    /// What signs in at a project's cluster: at this address, and no other.
    pub fn cluster(project: ProjectId, address: &str, name: &str) -> Self {
        Self::new("credentials of the cluster", [project.to_string(), address.to_owned()], name)
    }

    /// What signs in at the source of a project: at this address and by this name, and no other.
    pub fn source(project: ProjectId, url: &SourceUrl, username: &str) -> Self {
        let owner = [project.to_string(), url.to_string()];
        Self::new("login of the source", owner, username)
    }

    /// A part of the release that a job makes.
    pub fn release(environment: EnvironmentId, job: JobId, part: ReleasePart) -> Self {
        Self::new("part of the release", [environment.to_string(), job.to_string()], part.as_str())
    }

    /// Any other place: what stands there, whose it is, and its name.
    pub fn new(purpose: &str, owner: [String; 2], name: &str) -> Self {
        let [whose, within] = owner;
        Self(vec![purpose.to_owned(), whose, within, name.to_owned()])
    }

    /// What it is made of, in order.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (purpose, name) = (self.0.first(), self.0.last());
        match (purpose, name) {
            (Some(purpose), Some(name)) => write!(f, "{purpose}, `{name}`"),
            _ => Ok(()),
        }
    }
}

impl ReleasePart {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Variables => "variables",
            Self::Objects => "objects",
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn place(origin: Origin, environment: u128, name: &str) -> Place {
        let environment = Some(EnvironmentId::from(Uuid::from_u128(environment)));
        Place::variable(origin, (ProjectId::from(Uuid::from_u128(1)), environment), name)
    }

    #[test]
    fn every_place_is_another_but_a_projects_variable_is_that_of_every_environment() {
        let of_project = |environment| place(Origin::Project, environment, "A");
        assert_eq!(of_project(2), of_project(3));
        let own = place(Origin::Environment, 2, "A");
        for other in [
            of_project(2),
            place(Origin::Launch, 2, "A"),
            place(Origin::Environment, 3, "A"),
            place(Origin::Environment, 2, "B"),
        ] {
            assert_ne!(own, other);
        }
    }

    #[test]
    fn a_place_is_told_without_ids() {
        assert_eq!(place(Origin::Project, 2, "A").to_string(), "variable of the project, `A`");
    }
}
