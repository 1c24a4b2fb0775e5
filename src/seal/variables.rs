//! Variables of a job: sealed by whoever faces the network, opened by its worker.

use secrecy::ExposeSecret as _;

use crate::domain::ids::{EnvironmentId, ProjectId};
use crate::domain::sealed::Place;
use crate::domain::stored_variables::{Origin, SecretValue, StoredValue, StoredVariables};
use crate::domain::variables::Variables;
use crate::seal::{NotOpened, Opener, Sealer};

impl Sealer {
    /// Seals those of the launch variables of a deployment whose names are secret.
    pub fn seal_launch(
        &self,
        variables: &Variables,
        (project, environment): (ProjectId, EnvironmentId),
        is_secret: impl Fn(&str) -> bool,
    ) -> StoredVariables {
        let mut stored = StoredVariables::from(variables);
        for (name, value) in variables.iter().filter(|(name, _)| is_secret(name)) {
            let origin = Origin::Launch;
            let place = Place::variable(origin, (project, Some(environment)), name);
            let sealed = self.seal(value.as_bytes(), &place);
            let secret = SecretValue { origin, sealed };
            stored.set(name.to_owned(), StoredValue::Secret(Box::new(secret)));
        }
        stored
    }
}

impl Opener {
    /// All variables of a job that deploys there, with the values of its secrets.
    ///
    /// # Errors
    ///
    /// When one does not open.
    pub fn open_variables(
        &self,
        variables: &StoredVariables,
        (project, environment): (ProjectId, EnvironmentId),
    ) -> Result<Variables, NotOpened> {
        variables.opened(|name, SecretValue { origin, sealed }| {
            let place = Place::variable(*origin, (project, Some(environment)), name);
            Ok(self.open_text(sealed, &place)?.expose_secret().to_owned())
        })
    }
}
