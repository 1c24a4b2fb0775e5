//! The driver of the Docker Engine: images.

use std::path::Path;

use pierhead::docker::{Engine, EngineError, PullError};
use tokio::sync::mpsc;

use crate::docker_host::DockerHost;

#[tokio::test]
async fn an_image_that_no_registry_gives_is_told_by_name() {
    let host = DockerHost::connect().await;
    let (sender, _lines) = mpsc::channel(100);
    // Nothing listens on port 1.
    let result =
        host.target.stock_image("127.0.0.1:1/none:1", &host.sources(Path::new("/")), &sender).await;
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("cannot get image `127.0.0.1:1/none:1`: "), "{error}");
    assert!(error.contains("connection refused"), "{error}");
    let pulled = host.engine().pull("NOT/A NAME", &[], &sender).await;
    assert!(matches!(pulled, Err(PullError::Refused { .. })), "{pulled:?}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_from_one_that_refuses() {
    let nowhere = Engine::connect("unix:///nonexistent/docker.sock").await.unwrap_err();
    assert!(matches!(nowhere, EngineError::Away(_)), "{nowhere:?}");
    let elsewhere = Engine::connect("tcp://10.0.0.1:2375").await.unwrap_err();
    assert_eq!(
        elsewhere.to_string(),
        "`tcp://10.0.0.1:2375` is not the address of a Docker Engine on this machine"
    );
}
