//! Images that leave a Docker engine's store for a registry, and such as enter it from elsewhere.

use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{ImportImageOptionsBuilder, PushImageOptionsBuilder};
use bytes::Bytes;
use futures_util::Stream;
use tokio_stream::StreamExt as _;

use super::api::credentials;
use super::{Engine, EngineError};
use crate::docker_config::Login;

/// When loading an image is given up.
const LOAD_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// How the engine announces what it loaded, by what follows.
const LOADED: [&str; 2] = ["Loaded image ID: ", "Loaded image: "];

impl Engine {
    /// Pushes the image that has this name in the store; the registry shows the name last.
    ///
    /// `told` gets the bytes sent and expected of whatever layer is under way.
    pub async fn push(
        &self,
        repository: &str,
        tag: &str,
        login: Option<&Login>,
        mut told: impl FnMut(i64, i64),
    ) -> Result<(), EngineError> {
        let options = PushImageOptionsBuilder::new().tag(tag).build();
        let docker = self.rest("push an image")?;
        let mut answers = docker.push_image(repository, Some(options), credentials(login));
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|source| EngineError::Api {
                what: format!("cannot push {repository}:{tag}"),
                source,
            })?;
            if let Some(progress) = answer.progress_detail {
                told(progress.current.unwrap_or_default(), progress.total.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// The image as `docker save` writes it.
    pub fn save(
        &self,
        image: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, EngineError>>, EngineError> {
        let docker = self.rest("read an image")?.clone().with_timeout(LOAD_LIMIT);
        let what = format!("cannot read the image {image}");
        let archive = docker.export_image(image);
        Ok(archive.map(move |chunk| {
            chunk.map_err(|source| EngineError::Api { what: what.clone(), source })
        }))
    }

    /// Loads an image from a `docker save` archive or, on containerd stores, an OCI one, and returns
    /// its ID, or its name when it has one.
    pub async fn load<S>(&self, archive: S) -> Result<String, EngineError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        let failed = |source| match source {
            Error::DockerStreamError { error: message }
            | Error::DockerResponseServerError { message, .. } => EngineError::Load {
                engine: self.endpoint().clone(),
                message: message.trim().into(),
            },
            Error::IOError { err: source } => {
                let during = format!("the loading of the image into {}", self.endpoint());
                EngineError::Lost { during, source }
            }
            source => EngineError::Api { what: "cannot load the image".into(), source },
        };
        let options = ImportImageOptionsBuilder::new().quiet(true).build();
        // The engine answers when it has read everything, and how long that takes is up to whoever
        // sends it.
        let docker = self.rest("load an image")?.clone().with_timeout(LOAD_LIMIT);
        let mut answers = docker.import_image_stream(options, archive, None);
        let mut loaded = None;
        while let Some(answer) = answers.next().await {
            let said = answer.map_err(failed)?.stream.unwrap_or_default();
            loaded = LOADED
                .iter()
                .find_map(|words| said.trim().strip_prefix(words))
                .map(String::from)
                .or(loaded);
        }
        loaded.ok_or(EngineError::NoImageId)
    }
}
