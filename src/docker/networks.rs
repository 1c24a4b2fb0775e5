//! Networks of deployments.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptionsBuilder;

use crate::docker::host_routes::is_led_elsewhere;
use crate::docker::{Engine, EngineError, found, labelled};
use crate::domain::address_pool::Subnet;

/// Characters of a network's id that its interface is named by.
const INTERFACE_ID: usize = 12;

/// A network on an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its addresses, when they have the form of ours.
    pub subnet: Option<Subnet>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What became of a wish for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkCreated {
    /// It is there.
    Created,
    /// Its addresses are in use.
    Overlaps,
}

impl Engine {
    /// Makes a network whose containers reach each other and the world, and nobody of another one.
    ///
    /// An engine compares addresses with those of its own networks only. What else this machine
    /// reaches under them, such as another engine's network or a VPN, counts as overlapping too.
    ///
    /// # Errors
    ///
    /// When the engine refuses for another reason than overlapping addresses, or does not answer.
    pub async fn create_network(
        &self,
        name: &str,
        subnet: Subnet,
        labels: &BTreeMap<String, String>,
    ) -> Result<NetworkCreated, EngineError> {
        if is_led_elsewhere(subnet, None).await.map_err(EngineError::Routes)? {
            return Ok(NetworkCreated::Overlaps);
        }
        let addresses = IpamConfig {
            subnet: Some(subnet.to_string()),
            gateway: Some(subnet.gateway().to_string()),
            ..IpamConfig::default()
        };
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![addresses]), ..Ipam::default() }),
            labels: Some(labels.clone().into_iter().collect()),
            ..NetworkCreateRequest::default()
        };
        let id = match self.docker.create_network(request).await.map_err(EngineError::from) {
            Ok(network) => network.id,
            // There is no status of its own for this.
            Err(EngineError::Refused { words, .. }) if words.contains("overlap") => {
                return Ok(NetworkCreated::Overlaps);
            }
            Err(error) => return Err(error),
        };
        // Somebody else may have taken them in between.
        let interface = id.get(..INTERFACE_ID).map(|id| format!("br-{id}"));
        if is_led_elsewhere(subnet, interface.as_deref()).await.map_err(EngineError::Routes)? {
            self.remove_network(&id).await?;
            return Ok(NetworkCreated::Overlaps);
        }
        Ok(NetworkCreated::Created)
    }

    /// The networks that carry all of these labels.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn networks(&self, labels: &[(String, String)]) -> Result<Vec<Network>, EngineError> {
        self.list_networks(&labelled(labels)).await
    }

    /// The network with this name, if there is one.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn network(&self, name: &str) -> Result<Option<Network>, EngineError> {
        // The filter gives every network with the name in its own.
        let filter = HashMap::from([("name".to_owned(), vec![name.to_owned()])]);
        let networks = self.list_networks(&filter).await?;
        Ok(networks.into_iter().find(|network| network.name == name))
    }

    async fn list_networks(
        &self,
        filter: &HashMap<String, Vec<String>>,
    ) -> Result<Vec<Network>, EngineError> {
        let options = ListNetworksOptionsBuilder::default().filters(filter).build();
        let networks = self.docker.list_networks(Some(options)).await?;
        let facts = networks.into_iter().map(|network| Network {
            id: network.id.unwrap_or_default(),
            name: network.name.unwrap_or_default(),
            subnet: network
                .ipam
                .and_then(|ipam| ipam.config)
                .and_then(|config| config.into_iter().next())
                .and_then(|config| config.subnet)
                // A network in another form is not ours, and is never built upon.
                .and_then(|subnet| subnet.parse().ok()),
            labels: network.labels.unwrap_or_default().into_iter().collect(),
        });
        Ok(facts.collect())
    }

    /// Removes a network, if it is there.
    ///
    /// # Errors
    ///
    /// When containers use it, or the engine does not answer.
    pub async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        found(self.docker.remove_network(id).await).map(|_| ())
    }
}
