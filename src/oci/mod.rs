//! Registries, asked through the OCI distribution protocol by this process itself.
//!
//! Whoever signs in is held in memory for one run, and told to nobody but the registry.

mod error;
mod index;
mod pull;
mod push;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::TryStreamExt as _;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{
    IMAGE_MANIFEST_MEDIA_TYPE, ImageIndexEntry, OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
    OciImageManifest, OciManifest,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use crate::domain::digest::Digest;
use crate::domain::platform::Platform;
use crate::domain::registry::Registry;
use crate::oci::error::tried;

pub use error::OciError;
pub use index::{Index, Part};
pub use push::{NewImage, PackedLayer};

/// Most bytes of the configuration of an image.
const LARGEST_CONFIG: i64 = 16 * 1024 * 1024;

/// Forms of a manifest of one image.
const IMAGES: [&str; 2] = [OCI_IMAGE_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE];

/// How long it may take until a registry answers, and until it says more.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const READ_LIMIT: Duration = Duration::from_secs(60);

/// Registries, and who signs in there.
#[derive(Clone)]
pub struct Oci {
    client: Client,
    registries: Vec<Registry>,
}

impl fmt::Debug for Oci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oci").field("registries", &self.registries).finish_non_exhaustive()
    }
}

/// An image in a registry, for one platform.
#[derive(Debug, Clone)]
pub struct RemoteImage {
    /// Where it is, by its digest.
    at: Reference,
    /// What the name meant, by its digest: that image, or an index of several.
    meant: Reference,
    manifest: OciImageManifest,
    /// Its configuration, as it is there.
    pub config: Vec<u8>,
}

/// What is read of a configuration.
#[derive(Debug, Default, Deserialize)]
struct Configuration {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
    #[serde(default)]
    config: Option<Settings>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    on_build: Option<Vec<String>>,
}

impl Configuration {
    /// What the image is for, where it says so.
    fn platform(&self) -> Option<Platform> {
        let is_said = !self.os.is_empty() && !self.architecture.is_empty();
        is_said.then(|| Platform::new(&self.os, &self.architecture, &self.variant))
    }
}

impl RemoteImage {
    /// What its name meant, by its digest: this image, or an index with it.
    pub fn meant(&self) -> String {
        self.meant.whole()
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.settings().labels.unwrap_or_default()
    }

    /// Instructions that run when something is built from it.
    pub fn triggers(&self) -> Vec<String> {
        self.settings().on_build.unwrap_or_default()
    }

    fn settings(&self) -> Settings {
        self.read().config.unwrap_or_default()
    }

    fn read(&self) -> Configuration {
        serde_json::from_slice(&self.config).unwrap_or_default()
    }
}

/// Which image of several is meant.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    For(&'a Platform),
    /// Whichever comes first.
    Any,
}

impl Oci {
    /// Asks registries, at some of which somebody signs in.
    pub fn new(registries: &[Registry]) -> Self {
        // Another part of this process may have chosen the same one already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let plain = registries.iter().filter(|registry| registry.plain_http);
        let plain = plain.map(|registry| registry.address.host().to_owned()).collect();
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(plain),
            platform_resolver: None,
            // In one piece: some registries take no small ones, and each costs a round trip.
            use_monolithic_push: true,
            connect_timeout: Some(CONNECT_LIMIT),
            read_timeout: Some(READ_LIMIT),
            ..ClientConfig::default()
        };
        Self { client: Client::new(config), registries: registries.to_vec() }
    }

    /// An image by its name, for one platform.
    ///
    /// # Errors
    ///
    /// When there is none, or none for that platform, or the registry does not give it.
    pub async fn image(&self, name: &str, platform: &Platform) -> Result<RemoteImage, OciError> {
        self.find(name, Wanted::For(platform)).await
    }

    async fn find(&self, name: &str, wanted: Wanted<'_>) -> Result<RemoteImage, OciError> {
        let fails = |error| OciError::of(name, &error);
        let reference: Reference =
            name.parse().map_err(|_no_name| OciError::Absent(name.to_owned()))?;
        let auth = self.auth(&reference);
        let given = tried(|| Box::pin(self.client.pull_manifest(&reference, &auth))).await;
        let (given, meant) = given.map_err(fails)?;
        let (manifest, digest) = match given {
            OciManifest::Image(manifest) => (manifest, meant.clone()),
            OciManifest::ImageIndex(index) => {
                let own = by_digest(&reference, chosen(name, &index.manifests, wanted)?);
                let given = tried(|| Box::pin(self.client.pull_manifest(&own, &auth))).await;
                match given.map_err(fails)? {
                    (OciManifest::Image(manifest), digest) => (manifest, digest),
                    (OciManifest::ImageIndex(_), _) => {
                        return Err(OciError::Damaged(name.to_owned()));
                    }
                }
            }
        };
        let manifest = checked(manifest).ok_or_else(|| OciError::Damaged(name.to_owned()))?;
        let at = by_digest(&reference, &digest);
        let config = self.config(&at, &manifest.config).await.map_err(fails)?;
        let meant = by_digest(&reference, &meant);
        let image = RemoteImage { at, meant, manifest, config };
        match (wanted, image.read().platform()) {
            (Wanted::For(asked), Some(own)) if own != *asked => Err(OciError::OtherPlatform {
                reference: name.to_owned(),
                asked: asked.clone(),
                has: vec![own],
            }),
            (Wanted::For(_) | Wanted::Any, _) => Ok(image),
        }
    }

    async fn config(
        &self,
        at: &Reference,
        config: &OciDescriptor,
    ) -> Result<Vec<u8>, OciDistributionError> {
        let given = tried(|| Box::pin(self.client.pull_blob_stream(at, config))).await?;
        let mut stream = given.stream;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
            if i64::try_from(bytes.len()).is_ok_and(|length| length > config.size) {
                return Err(std::io::Error::other("it is longer than it is said to be").into());
            }
        }
        Ok(bytes)
    }

    /// What a name means now: `host/repository@sha256:…`, of all platforms that it has.
    ///
    /// # Errors
    ///
    /// When there is none, or the registry does not say.
    pub async fn pin(&self, name: &str) -> Result<String, OciError> {
        let reference: Reference =
            name.parse().map_err(|_no_name| OciError::Absent(name.to_owned()))?;
        let auth = self.auth(&reference);
        let digest = tried(|| Box::pin(self.client.fetch_manifest_digest(&reference, &auth))).await;
        let digest = digest.map_err(|error| OciError::of(name, &error))?;
        Ok(by_digest(&reference, &digest).whole())
    }

    /// The labels of an image; none when there is no such image, or its registry does not say. Of
    /// several for different platforms they are those of the first.
    pub async fn labels(&self, name: &str) -> BTreeMap<String, String> {
        match self.find(name, Wanted::Any).await {
            Ok(image) => image.labels(),
            Err(OciError::Absent(_)) => BTreeMap::new(),
            Err(error) => {
                // Whoever pushes there is told why that cannot be.
                tracing::debug!("It is not known whose an image is: {error}");
                BTreeMap::new()
            }
        }
    }

    fn auth(&self, reference: &Reference) -> RegistryAuth {
        let host = reference.registry();
        let own = self.registries.iter().find(|registry| registry.address.host() == host);
        match own.and_then(|registry| registry.login.as_ref()) {
            Some(login) => RegistryAuth::Basic(
                login.username.clone(),
                login.password.expose_secret().to_owned(),
            ),
            None => RegistryAuth::Anonymous,
        }
    }
}

/// The digest of the image of an index that is wanted.
fn chosen<'a>(
    name: &str,
    entries: &'a [ImageIndexEntry],
    wanted: Wanted<'_>,
) -> Result<&'a str, OciError> {
    let platform = |entry: &ImageIndexEntry| {
        let own = entry.platform.as_ref()?;
        let variant = own.variant.as_deref().unwrap_or_default();
        Some(Platform::new(&own.os.to_string(), &own.architecture.to_string(), variant))
    };
    let is_wanted = |entry: &&ImageIndexEntry| match wanted {
        Wanted::For(asked) => platform(entry).as_ref() == Some(asked),
        Wanted::Any => true,
    };
    if let Some(entry) = entries.iter().find(is_wanted) {
        return Ok(&entry.digest);
    }
    match wanted {
        Wanted::For(asked) => {
            // Builders put what they say of a build beside it.
            let is_known = |platform: &Platform| platform.os() != "unknown";
            let has = entries.iter().filter_map(platform).filter(is_known).collect();
            let reference = name.to_owned();
            Err(OciError::OtherPlatform { reference, asked: asked.clone(), has })
        }
        Wanted::Any => Err(OciError::Absent(name.to_owned())),
    }
}

/// A manifest that names what it should, and nothing that is somewhere else.
fn checked(mut manifest: OciImageManifest) -> Option<OciImageManifest> {
    let is_good = |descriptor: &OciDescriptor| {
        descriptor.size >= 0 && descriptor.digest.parse::<Digest>().is_ok()
    };
    let config = &manifest.config;
    if !is_good(config) || config.size > LARGEST_CONFIG || !manifest.layers.iter().all(is_good) {
        return None;
    }
    for layer in &mut manifest.layers {
        layer.urls = None;
    }
    Some(manifest)
}

fn by_digest(reference: &Reference, digest: &str) -> Reference {
    let (registry, repository) = (reference.registry(), reference.repository());
    Reference::with_digest(registry.to_owned(), repository.to_owned(), digest.to_owned())
}
