//! Takes images into an engine that were built beside it, and gives those that others are based on.

use std::pin::pin;

use bollard::body_try_stream;
use bollard::query_parameters::ImportImageOptions;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use crate::docker::{Engine, EngineError};

impl Engine {
    /// Takes in the images of an archive in Docker's form, as it comes.
    ///
    /// # Errors
    ///
    /// When the engine refuses it, the archive breaks off, or the engine is away.
    pub async fn load<S>(&self, archive: S) -> Result<(), EngineError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        let body = body_try_stream(archive);
        let answers = self.docker.import_image(ImportImageOptions::default(), body, None);
        let mut answers = pin!(answers);
        while let Some(answer) = answers.next().await {
            drop(answer?);
        }
        Ok(())
    }

    /// The archive of an image in Docker's form, as it comes.
    pub fn export(&self, id: &str) -> impl Stream<Item = Result<Bytes, EngineError>> + Send {
        self.docker.export_image(id).map(|chunk| chunk.map_err(EngineError::from))
    }
}
