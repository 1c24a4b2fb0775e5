//! Gets layers from registries.

use std::io::{self, Seek as _, Write as _};

use bytes::Bytes;
use futures::TryStreamExt as _;
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;

use crate::oci::error::tried;
use crate::oci::{Oci, OciError, RemoteImage};
use crate::tasks::blocking;

impl RemoteImage {
    /// How many layers it has.
    pub fn layers(&self) -> usize {
        self.manifest.layers.len()
    }
}

impl Oci {
    /// Gets a layer of an image, packed as it is there, into an empty file: all of it, or a fault.
    ///
    /// # Errors
    ///
    /// When the registry does not give it, or gives something else.
    pub async fn layer(
        &self,
        image: &RemoteImage,
        number: usize,
        file: std::fs::File,
    ) -> Result<std::fs::File, OciError> {
        let name = image.at.whole();
        let layer = image.manifest.layers.get(number);
        let layer = layer.ok_or_else(|| OciError::Damaged(name.clone()))?;
        let get = || Box::pin(self.layer_once(image, layer, &file));
        tried(|| get()).await.map_err(|error| OciError::of(&name, &error))?;
        Ok(file)
    }

    async fn layer_once(
        &self,
        image: &RemoteImage,
        layer: &OciDescriptor,
        file: &std::fs::File,
    ) -> Result<(), OciDistributionError> {
        // Checks the digest at the end.
        let mut stream = self.client.pull_blob_stream(&image.at, layer).await?.stream;
        let mut own = file.try_clone()?;
        // What came of an attempt before is no part of this one.
        own.set_len(0)?;
        own.rewind()?;
        let mut left = u64::try_from(layer.size).unwrap_or_default();
        while let Some(chunk) = stream.try_next().await? {
            left = less(left, &chunk)?;
            own = blocking(move || own.write_all(&chunk).map(|()| own)).await?;
        }
        match left {
            0 => Ok(()),
            _ => Err(io::Error::other("it is shorter than it is said to be").into()),
        }
    }
}

fn less(left: u64, chunk: &Bytes) -> io::Result<u64> {
    let length = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
    left.checked_sub(length).ok_or_else(|| io::Error::other("it is longer than it is said to be"))
}
