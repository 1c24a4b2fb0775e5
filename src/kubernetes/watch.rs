//! Objects followed as they change, over a server that goes away and comes back.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use kube::Api;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::Value;
use tokio::time::Instant;

use crate::kubernetes::again::Setback;
use crate::kubernetes::error::refused;
use crate::kubernetes::json::text;
use crate::kubernetes::object::{Kind, Scope};
use crate::kubernetes::{Cluster, Error, wire};

/// Seconds after which the server ends a watch and is asked for the next one: a connection that
/// died without a word is found out soon after.
const TURN_SECONDS: u32 = 60;

/// Which objects are followed.
#[derive(Debug, Clone)]
pub(super) enum Selection {
    /// The one of this name.
    Named(String),
    /// Those with these labels.
    Labelled(String),
}

/// What is known of the objects that are followed, by their names.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    objects: BTreeMap<String, Value>,
    arriving: BTreeMap<String, Value>,
    is_complete: bool,
}

impl Mirror {
    /// Takes what happened.
    pub(super) fn take(&mut self, event: Event<Value>) {
        let named = |object: Value| (text(&object, "/metadata/name").to_owned(), object);
        match event {
            Event::Init => self.arriving.clear(),
            Event::InitApply(object) => self.arriving.extend([named(object)]),
            Event::InitDone => {
                self.objects = std::mem::take(&mut self.arriving);
                self.is_complete = true;
            }
            Event::Apply(object) => self.objects.extend([named(object)]),
            Event::Delete(object) => {
                self.objects.remove(&named(object).0);
            }
        }
    }

    /// Whether everything that was there has been seen.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.objects.values()
    }

    /// The one of this name.
    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.objects.get(name)
    }
}

/// What happens to some objects.
pub(super) struct Watch {
    cluster: Cluster,
    kind: &'static Kind,
    events: Pin<Box<dyn Stream<Item = watcher::Result<Event<DynamicObject>>> + Send>>,
    /// Since when the server is away.
    away_since: Option<Instant>,
    tries: u32,
    /// Until when it is not asked.
    paused: Option<Instant>,
}

impl Watch {
    /// What happens next.
    ///
    /// May be dropped at any time.
    ///
    /// # Errors
    ///
    /// When the server refuses, or is away for longer than patience lasts.
    pub(super) async fn next(&mut self) -> Result<Event<Value>, Error> {
        loop {
            if let Some(deadline) = self.paused {
                tokio::time::sleep_until(deadline).await;
                self.paused = None;
            }
            match self.events.next().await {
                // Comes before the server was asked.
                Some(Ok(Event::Init)) => return Ok(Event::Init),
                Some(Ok(event)) => {
                    (self.away_since, self.tries) = (None, 0);
                    return Ok(self.plain(event));
                }
                Some(Err(error)) => self.endure(&error)?,
                None => {}
            }
        }
    }

    fn plain(&self, event: Event<DynamicObject>) -> Event<Value> {
        let plain = |object| {
            let mut object = serde_json::to_value(object).unwrap_or_default();
            self.kind.stamp(&mut object);
            object
        };
        match event {
            Event::Init => Event::Init,
            Event::InitApply(object) => Event::InitApply(plain(object)),
            Event::InitDone => Event::InitDone,
            Event::Apply(object) => Event::Apply(plain(object)),
            Event::Delete(object) => Event::Delete(plain(object)),
        }
    }

    /// Whether, and when, the server is asked again.
    fn endure(&mut self, error: &watcher::Error) -> Result<(), Error> {
        let (setback, error) = self.cluster.watch_error(self.kind, error);
        let Some(setback) = setback else { return Err(error) };
        let since = *self.away_since.get_or_insert_with(Instant::now);
        let left = self.cluster.limits.patience.saturating_sub(since.elapsed());
        self.tries += 1;
        let Some(pause) = setback.pause(self.tries, left) else { return Err(error) };
        self.paused = Some(Instant::now() + pause);
        Ok(())
    }
}

impl Cluster {
    /// Follows objects of a kind in the cluster's namespace.
    pub(super) fn watch(&self, kind: &'static Kind, selection: &Selection) -> Watch {
        let resource = kind.resource();
        let client = self.client.clone();
        let api: Api<DynamicObject> = match kind.scope {
            Scope::Namespace => Api::namespaced_with(client, &self.namespace, &resource),
            Scope::Cluster => Api::all_with(client, &resource),
        };
        let config = watcher::Config::default().timeout(TURN_SECONDS);
        let config = match selection {
            Selection::Named(name) => config.fields(&format!("metadata.name={name}")),
            Selection::Labelled(labels) => config.labels(labels),
        };
        Watch {
            cluster: self.clone(),
            kind,
            events: watcher(api, config).boxed(),
            away_since: None,
            tries: 0,
            paused: None,
        }
    }

    /// Follows objects until something is seen in them; `None` when the time is over.
    ///
    /// # Errors
    ///
    /// When they cannot be followed.
    pub(super) async fn seen<T>(
        &self,
        kind: &'static Kind,
        selection: &Selection,
        limit: Duration,
        mut look: impl FnMut(&Mirror) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut watch = self.watch(kind, selection);
        let following = async {
            let mut mirror = Mirror::default();
            loop {
                mirror.take(watch.next().await?);
                let found = mirror.is_complete().then(|| look(&mirror)).flatten();
                if let Some(found) = found {
                    return Ok(found);
                }
            }
        };
        tokio::time::timeout(limit, following).await.ok().transpose()
    }

    /// What an error of a watch means, and whether it may pass.
    fn watch_error(&self, kind: &Kind, error: &watcher::Error) -> (Option<Setback>, Error) {
        let (cause, status) = match error {
            watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            | watcher::Error::WatchFailed(kube::Error::Api(status))
            | watcher::Error::WatchError(status) => (None, Some(status)),
            watcher::Error::InitialListFailed(cause)
            | watcher::Error::WatchStartFailed(cause)
            | watcher::Error::WatchFailed(cause) => (Some(cause), None),
            watcher::Error::NoResourceVersion => (None, None),
        };
        let address = self.address.clone();
        if let Some(status) = status {
            let body = serde_json::to_value(status).unwrap_or_default();
            let setback = match status.code {
                // Too old to go on from: the watcher lists again.
                410 => Some(Setback::Away),
                code => Setback::of(code, None),
            };
            let object = kind.named(&self.namespace, "");
            return (setback, refused(&address, status.code, &body, "watch", &object));
        }
        let Some(cause) = cause else {
            let words = "a list without its version".to_owned();
            return (None, Error::Garbled { address, words });
        };
        match wire::untrusted(cause) {
            Some(cause) => (None, Error::Untrusted { address, cause }),
            None => {
                let cause = wire::innermost(cause);
                (Some(Setback::Away), Error::Unreachable { address, cause })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_gone_when_all_are_listed_again_is_forgotten() {
        let named = |name: &str| json!({"metadata": {"name": name}});
        let mut mirror = Mirror::default();
        let take = |mirror: &mut Mirror, events: Vec<Event<Value>>| {
            events.into_iter().for_each(|event| mirror.take(event));
            mirror.all().map(|object| text(object, "/metadata/name").to_owned()).collect::<Vec<_>>()
        };
        let first = vec![Event::Init, Event::InitApply(named("a")), Event::InitApply(named("b"))];
        assert_eq!(take(&mut mirror, first), [""; 0], "not all has come");
        assert!(!mirror.is_complete());
        assert_eq!(take(&mut mirror, vec![Event::InitDone]), ["a", "b"]);
        assert_eq!(
            take(&mut mirror, vec![Event::Apply(named("c")), Event::Delete(named("a"))]),
            ["b", "c"]
        );
        let again = vec![Event::Init, Event::InitApply(named("c"))];
        assert_eq!(take(&mut mirror, again), ["b", "c"], "what was known stays until all has come");
        assert!(mirror.is_complete());
        assert_eq!(take(&mut mirror, vec![Event::InitDone]), ["c"]);
    }
}
