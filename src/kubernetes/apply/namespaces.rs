//! Namespaces, made directly or by a hierarchy of them.

use std::time::Duration;

use hyper::Method;
use serde_json::Value;
use tokio::time::Instant;

use crate::kubernetes::apply::{Applied, ApplyOptions, Change, DryRun, tried};
use crate::kubernetes::json::text;
use crate::kubernetes::object::{ANCHOR, NAMESPACE, ObjectRef, group};
use crate::kubernetes::wire::{Call, Form};
use crate::kubernetes::{Cluster, Error};

/// Longest wait until an anchor has made its namespace.
const CHILD_LIMIT: Duration = Duration::from_secs(60);

/// Pause before it is looked at again: namespaces may be read, and not watched.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Where an anchor says how far it is.
const STATE: &str = "/status/status";

impl Cluster {
    /// Makes a namespace if there is none; one that is there stays as it is, whoever made it.
    pub(super) async fn create_namespace(
        &self,
        object: &Value,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let name = ObjectRef::of(object);
        let unchanged = |stored| {
            let (object, warnings) = (name.clone(), Vec::new());
            Applied { object, change: Change::Unchanged, warnings, stored }
        };
        if let Some(found) = self.usable_namespace(&name.name).await? {
            return Ok(unchanged(found));
        }
        let path = NAMESPACE.path("");
        let call = Call::order(Method::POST, path, Form::Json, object, name.clone());
        let call =
            call.with("fieldManager", &options.field_manager).with("fieldValidation", "Strict");
        match self.call(&tried(call, options.dry_run)).await {
            Ok(answer) => {
                let stored = self.understood(&answer)?;
                let warnings = answer.warnings;
                Ok(Applied { object: name, change: Change::Created, warnings, stored })
            }
            // Somebody else was faster, or the first try was heard after all.
            Err(Error::Refused { status: 409, .. }) => Ok(unchanged(object.clone())),
            Err(error) => Err(error),
        }
    }

    /// Makes a namespace below the cluster's one, and waits until it can be used.
    pub(super) async fn apply_anchor(
        &self,
        object: &Value,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let name = self.placed(&ObjectRef::of(object));
        let served = self.api_groups().await?;
        let is_served = served.iter().any(|served| {
            served.name == group(ANCHOR.api_version)
                && served
                    .versions
                    .iter()
                    .any(|version| ANCHOR.api_version.ends_with(version.as_str()))
        });
        if !is_served {
            return Err(Error::NotServed {
                api_version: ANCHOR.api_version.to_owned(),
                kind: ANCHOR.kind.to_owned(),
                advice: "install its controller, or deploy without a hierarchy of namespaces",
            });
        }
        let applied = match self.get(&name).await? {
            Some(found) => {
                let (object, warnings) = (name.clone(), Vec::new());
                Applied { object, change: Change::Unchanged, warnings, stored: found }
            }
            None => self.sent(object, None, options).await?,
        };
        if options.dry_run == DryRun::No {
            self.child_ready(&name).await?;
        }
        Ok(applied)
    }

    async fn child_ready(&self, anchor: &ObjectRef) -> Result<(), Error> {
        let deadline = Instant::now() + CHILD_LIMIT;
        loop {
            let found = self.get(anchor).await?.ok_or_else(|| Error::Absent(anchor.clone()))?;
            let state = text(&found, STATE);
            let is_usable = state.eq_ignore_ascii_case("ok")
                && self.usable_namespace(&anchor.name).await?.is_some();
            if is_usable {
                return Ok(());
            }
            if Instant::now() > deadline {
                let words = match state {
                    "" => "it says nothing".to_owned(),
                    state => format!("it is `{state}` after {} s", CHILD_LIMIT.as_secs()),
                };
                return Err(Error::NoChild { anchor: Box::new(anchor.clone()), words });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// A namespace that is there and will stay.
    ///
    /// # Errors
    ///
    /// When it is going away, or the cluster does not answer.
    pub(in crate::kubernetes) async fn usable_namespace(
        &self,
        name: &str,
    ) -> Result<Option<Value>, Error> {
        let found = self.get(&NAMESPACE.named("", name)).await?;
        match found {
            Some(found) if text(&found, "/status/phase") == "Terminating" => {
                Err(Error::NamespaceEnding(name.to_owned()))
            }
            found => Ok(found),
        }
    }
}
