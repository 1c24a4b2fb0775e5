//! Images for several platforms: one manifest each, and an index that names them.

use std::collections::BTreeMap;

use bytes::Bytes;
use oci_client::manifest::{
    ImageIndexEntry, OCI_IMAGE_INDEX_MEDIA_TYPE, OciImageIndex, OciManifest, Platform as Own,
};
use oci_client::{Reference, RegistryOperation};

use crate::domain::digest::Digest;
use crate::domain::platform::Platform;
use crate::oci::error::tried;
use crate::oci::{Oci, OciError};

/// The image of one platform, in the repository of an index to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What runs it.
    pub platform: Platform,
    /// Of its manifest.
    pub digest: Digest,
    /// Bytes of its manifest.
    pub size: u64,
    /// The form of its manifest.
    pub kind: String,
}

/// An index, ready to be pushed. Equal parts give equal bytes, in whatever order they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    bytes: Vec<u8>,
}

impl Index {
    /// The index of some images.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn of(parts: &[Part], annotations: &BTreeMap<String, String>) -> Result<Self, OciError> {
        let mut parts: Vec<&Part> = parts.iter().collect();
        parts.sort_by(|one, other| one.platform.cmp(&other.platform));
        let index = OciImageIndex {
            schema_version: 2,
            media_type: Some(OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
            manifests: parts.into_iter().map(entry).collect(),
            artifact_type: None,
            annotations: Some(annotations.clone()),
        };
        Ok(Self { bytes: serde_json::to_vec(&index).map_err(std::io::Error::from)? })
    }

    /// What the index is called.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

fn entry(part: &Part) -> ImageIndexEntry {
    let platform = Own {
        architecture: part.platform.arch().into(),
        os: part.platform.os().into(),
        os_version: None,
        os_features: None,
        variant: part.platform.variant().map(str::to_owned),
        features: None,
    };
    ImageIndexEntry {
        media_type: part.kind.clone(),
        digest: part.digest.to_string(),
        size: i64::try_from(part.size).unwrap_or(i64::MAX),
        platform: Some(platform),
        annotations: None,
        artifact_type: None,
    }
}

impl Oci {
    /// Pushes an index as `repository:tag`, into the repository that has its parts.
    ///
    /// # Errors
    ///
    /// When the registry refuses.
    pub async fn push_index(&self, to: &str, index: &Index) -> Result<Digest, OciError> {
        let target: Reference = to.parse().map_err(|_no_name| OciError::Absent(to.to_owned()))?;
        self.sign_in(&target, RegistryOperation::Push).await?;
        let bytes = Bytes::from(index.bytes.clone());
        self.put(&target, bytes, OCI_IMAGE_INDEX_MEDIA_TYPE).await?;
        Ok(index.digest())
    }

    /// What somebody else pushed as `repository@digest`, as part of an index.
    ///
    /// # Errors
    ///
    /// When it is not there, or is no single image.
    pub async fn part(&self, name: &str, platform: &Platform) -> Result<Part, OciError> {
        let fails = |error| OciError::of(name, &error);
        let reference: Reference =
            name.parse().map_err(|_no_name| OciError::Absent(name.to_owned()))?;
        let auth = self.auth(&reference);
        let kinds = super::IMAGES;
        let ask = || Box::pin(self.client.pull_manifest_raw(&reference, &auth, &kinds));
        let (bytes, digest) = tried(|| ask()).await.map_err(fails)?;
        let damaged = || OciError::Damaged(name.to_owned());
        let digest: Digest = digest.parse().map_err(|_no_digest| damaged())?;
        let manifest: OciManifest = serde_json::from_slice(&bytes).map_err(|_no_json| damaged())?;
        let OciManifest::Image(manifest) = manifest else { return Err(damaged()) };
        if digest != Digest::of(&bytes) {
            return Err(damaged());
        }
        Ok(Part {
            platform: platform.clone(),
            digest,
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            kind: manifest.media_type.unwrap_or_else(|| super::IMAGES[0].to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_in_any_order_are_one_index() {
        let part = |platform: &str, content: &[u8]| Part {
            platform: platform.parse().unwrap(),
            digest: Digest::of(content),
            size: 3,
            kind: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        };
        let (one, other) = (part("linux/amd64", b"1"), part("linux/arm/v6", b"2"));
        let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let index = Index::of(&[one.clone(), other.clone()], &annotations).unwrap();
        assert_eq!(Index::of(&[other, one], &annotations).unwrap(), index);
        let value: serde_json::Value = serde_json::from_slice(&index.bytes).unwrap();
        let platform = serde_json::json!({"architecture": "arm", "os": "linux", "variant": "v6"});
        assert_eq!(value["manifests"][1]["platform"], platform);
        assert_eq!(value["annotations"]["a"], "b");
    }
}
