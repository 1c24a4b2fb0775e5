//! Pushes an image that is another one and one layer.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::TryStreamExt as _;
use oci_client::{Reference, RegistryOperation};

use oci_client::errors::OciDistributionError;
use oci_client::manifest::{
    IMAGE_CONFIG_MEDIA_TYPE, IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE, IMAGE_LAYER_GZIP_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest,
};
use reqwest::header::HeaderValue;
use tokio_util::io::ReaderStream;

use crate::domain::digest::Digest;
use crate::domain::output::clean;
use crate::domain::platform::Platform;
use crate::oci::error::tried;
use crate::oci::{Oci, OciError, Part, RemoteImage, by_digest};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// An image to be.
#[derive(Debug, Clone, Copy)]
pub struct NewImage<'a> {
    /// What is below.
    pub base: &'a RemoteImage,
    /// The layer, packed.
    pub layer: &'a PackedLayer,
    /// The configuration.
    pub config: &'a [u8],
    /// What is said of it in its manifest.
    pub annotations: &'a BTreeMap<String, String>,
}

/// A layer as registries have it.
#[derive(Debug)]
pub struct PackedLayer {
    /// Where it is read from, from its beginning.
    pub file: std::fs::File,
    /// Of the packed bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

/// A manifest, and what it is called.
struct Manifest {
    bytes: Bytes,
    digest: Digest,
}

impl Oci {
    /// Pushes an image as `repository:tag`, and gives its digest. What the registry has is not sent
    /// again.
    ///
    /// # Errors
    ///
    /// When the registry refuses, or what is below cannot be had.
    pub async fn push(&self, to: &str, image: NewImage<'_>) -> Result<Digest, OciError> {
        let target: Reference = to.parse().map_err(|_no_name| OciError::Absent(to.to_owned()))?;
        let manifest = self.send(&target, image).await?;
        self.put(&target, manifest.bytes, OCI_IMAGE_MEDIA_TYPE).await?;
        Ok(manifest.digest)
    }

    /// Pushes an image into a repository, without a tag, to become part of an index.
    ///
    /// # Errors
    ///
    /// As above.
    pub async fn push_part(
        &self,
        repository: &str,
        image: NewImage<'_>,
        platform: &Platform,
    ) -> Result<Part, OciError> {
        let absent = |_no_name| OciError::Absent(repository.to_owned());
        let target: Reference = repository.parse().map_err(absent)?;
        let Manifest { bytes, digest } = self.send(&target, image).await?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let (platform, kind) = (platform.clone(), OCI_IMAGE_MEDIA_TYPE.to_owned());
        self.put(&by_digest(&target, digest.as_str()), bytes, OCI_IMAGE_MEDIA_TYPE).await?;
        Ok(Part { platform, digest, size, kind })
    }

    /// Sends everything but the manifest.
    async fn send(&self, target: &Reference, image: NewImage<'_>) -> Result<Manifest, OciError> {
        let fails = |error| OciError::of(&target.whole(), &error);
        self.sign_in(target, RegistryOperation::Push).await?;
        for layer in &image.base.manifest.layers {
            let copied = self.copy(target, &image.base.at, layer).await;
            copied.map_err(|error| OciError::NotCopied(clean(error.to_string().as_bytes())))?;
        }
        self.send_layer(target, image.layer).await.map_err(fails)?;
        let config = Digest::of(image.config);
        if !self.has(target, config.as_str()).await.map_err(fails)? {
            let content = Bytes::copy_from_slice(image.config);
            let send = || self.client.push_blob(target, content.clone(), config.as_str());
            tried(|| Box::pin(send())).await.map_err(fails)?;
        }
        let bytes = serde_json::to_vec(&manifest(image, &config)).map_err(std::io::Error::from)?;
        let digest = Digest::of(&bytes);
        Ok(Manifest { bytes: bytes.into(), digest })
    }

    pub(super) async fn sign_in(
        &self,
        target: &Reference,
        operation: RegistryOperation,
    ) -> Result<(), OciError> {
        let auth = self.auth(target);
        let signed = tried(|| Box::pin(self.client.auth(target, &auth, operation))).await;
        signed.map(drop).map_err(|error| OciError::of(&target.whole(), &error))
    }

    /// Puts a manifest where it belongs.
    pub(super) async fn put(
        &self,
        target: &Reference,
        manifest: Bytes,
        kind: &'static str,
    ) -> Result<(), OciError> {
        let kind = HeaderValue::from_static(kind);
        let send = || self.client.push_manifest_raw(target, manifest.clone(), kind.clone());
        let sent = tried(|| Box::pin(send())).await;
        sent.map(drop).map_err(|error| OciError::of(&target.whole(), &error))
    }

    async fn has(&self, target: &Reference, digest: &str) -> Result<bool, OciDistributionError> {
        tried(|| Box::pin(self.client.blob_exists(target, digest))).await
    }

    /// Makes sure that a repository has a layer of another one.
    async fn copy(
        &self,
        target: &Reference,
        from: &Reference,
        layer: &OciDescriptor,
    ) -> Result<(), OciDistributionError> {
        if self.has(target, &layer.digest).await? {
            return Ok(());
        }
        let is_same = target.registry() == from.registry();
        // A registry may know nothing of that, or not for whoever asks.
        if is_same && self.client.mount_blob(target, from, &layer.digest).await.is_ok() {
            return Ok(());
        }
        let send = async || {
            let stream = self.client.pull_blob_stream(from, layer).await?.stream;
            let stream = stream.map_err(OciDistributionError::IoError);
            let size = u64::try_from(layer.size).ok();
            self.client.push_blob_stream(target, stream, &layer.digest, size).await
        };
        tried(|| Box::pin(send())).await.map(drop)
    }

    async fn send_layer(
        &self,
        target: &Reference,
        layer: &PackedLayer,
    ) -> Result<(), OciDistributionError> {
        if self.has(target, layer.digest.as_str()).await? {
            return Ok(());
        }
        let send = async || {
            let mut file = tokio::fs::File::from_std(layer.file.try_clone()?);
            tokio::io::AsyncSeekExt::rewind(&mut file).await?;
            let stream =
                ReaderStream::with_capacity(file, CHUNK).map_err(OciDistributionError::IoError);
            let digest = layer.digest.as_str();
            self.client.push_blob_stream(target, stream, digest, Some(layer.size)).await
        };
        tried(|| Box::pin(send())).await.map(drop)
    }
}

/// The manifest of an image; equal images have equal ones.
fn manifest(image: NewImage<'_>, config: &Digest) -> OciImageManifest {
    let descriptor = |kind: &str, digest: &Digest, size: u64| OciDescriptor {
        media_type: kind.to_owned(),
        digest: digest.to_string(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    };
    let below = image.base.manifest.layers.iter().map(|layer| {
        let kind = match layer.media_type.as_str() {
            IMAGE_DOCKER_LAYER_GZIP_MEDIA_TYPE => IMAGE_LAYER_GZIP_MEDIA_TYPE,
            kind => kind,
        };
        OciDescriptor { media_type: kind.to_owned(), annotations: None, ..layer.clone() }
    });
    let own = descriptor(IMAGE_LAYER_GZIP_MEDIA_TYPE, &image.layer.digest, image.layer.size);
    let size = u64::try_from(image.config.len()).unwrap_or(u64::MAX);
    let mut annotations = image.annotations.clone();
    if let Some(digest) = image.base.at.digest() {
        annotations.insert("org.opencontainers.image.base.digest".to_owned(), digest.to_owned());
    }
    OciImageManifest {
        media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
        config: descriptor(IMAGE_CONFIG_MEDIA_TYPE, config, size),
        layers: below.chain([own]).collect(),
        annotations: Some(annotations),
        ..OciImageManifest::default()
    }
}
