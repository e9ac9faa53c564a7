//! The Engine's REST API, through bollard: facts, images, tags, and its view of registries.

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error;
use bollard::query_parameters::{RemoveImageOptionsBuilder, TagImageOptionsBuilder};

use super::{Endpoint, Engine, EngineError, rest};
use crate::docker_config::Login;

/// The storage driver type that stands for the containerd image store.
const CONTAINERD: &str = "io.containerd.snapshotter.v1";

/// How the engine stores images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageStore {
    /// Graph drivers: an image is its configuration's digest.
    Classic,
    /// containerd: an image is its manifest's or index's digest.
    Containerd,
    /// None: a BuildKit daemon keeps no images.
    None,
}

/// What an engine says of itself.
#[derive(Clone, Debug)]
pub struct EngineFacts {
    /// Docker's version; a BuildKit daemon's own.
    pub version: String,
    /// `linux/amd64` and the like: the platform helpers run on.
    pub platform: String,
    /// Every platform it says it can build for; none where only a build would tell.
    pub platforms: Vec<String>,
    /// How images are stored.
    pub store: ImageStore,
}

/// An image in the engine's own store.
#[derive(Clone, Debug)]
pub struct LocalImage {
    /// What the engine calls it.
    pub id: String,
    /// `name@digest` under which registries know it.
    pub repo_digests: Vec<String>,
}

/// What a registry said, through the engine, of a name.
#[derive(Debug)]
pub enum RegistryAnswer {
    /// The digest of the manifest or index.
    Digest(String),
    /// It has no such name, or does not show it to us.
    Absent(String),
    /// It wants credentials, or others.
    Denied(String),
    /// It does not answer.
    Unreachable(String),
}

pub(super) async fn facts(api: &Docker, endpoint: &Endpoint) -> Result<EngineFacts, EngineError> {
    let failed =
        |source| rest::of(source, endpoint, format!("cannot talk to the engine at {endpoint}"));
    let info = api.info().await.map_err(failed)?;
    let containerd = info.driver_status.unwrap_or_default().iter().any(
        |row| matches!(row.as_slice(), [key, value] if key == "driver-type" && value == CONTAINERD),
    );
    let os = info.os_type.unwrap_or_else(|| "linux".into());
    let arch = match info.architecture.as_deref() {
        Some("x86_64") => "amd64",
        Some("aarch64") => "arm64",
        other => other.unwrap_or("unknown"),
    };
    Ok(EngineFacts {
        version: info.server_version.unwrap_or_else(|| "unknown".into()),
        platform: format!("{os}/{arch}"),
        platforms: Vec::new(),
        store: if containerd { ImageStore::Containerd } else { ImageStore::Classic },
    })
}

impl Engine {
    /// The REST API, for `what`, an infinitive.
    pub(super) fn rest(&self, what: &'static str) -> Result<&Docker, EngineError> {
        self.docker.as_ref().ok_or_else(|| EngineError::NoDocker(what, self.endpoint().clone()))
    }

    /// An image of the engine's store by name or ID; `None` when it has none.
    pub async fn local_image(&self, name: &str) -> Result<Option<LocalImage>, EngineError> {
        let Some(docker) = &self.docker else { return Ok(None) };
        match docker.inspect_image(name).await {
            Ok(image) => Ok(image
                .id
                .map(|id| LocalImage { id, repo_digests: image.repo_digests.unwrap_or_default() })),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(source) => {
                Err(EngineError::Api { what: format!("cannot look up the image {name}"), source })
            }
        }
    }

    /// Asks the registry of `name`, as the engine sees it, what the name stands for now.
    pub async fn registry_digest(
        &self,
        name: &str,
        login: Option<&Login>,
    ) -> Result<RegistryAnswer, EngineError> {
        let docker = self.rest("ask a registry")?;
        match docker.inspect_registry_image(name, credentials(login)).await {
            Ok(answer) => Ok(match answer.descriptor.digest {
                Some(digest) => RegistryAnswer::Digest(digest),
                None => RegistryAnswer::Unreachable("the answer holds no digest".into()),
            }),
            Err(Error::DockerResponseServerError { status_code, message }) => {
                Ok(refusal(status_code, message))
            }
            Err(source) => Err(EngineError::Api {
                what: format!("cannot ask the registry for {name}"),
                source,
            }),
        }
    }

    /// Gives an image a name, moving the name if another image has it.
    pub async fn tag(&self, image: &str, repository: &str, tag: &str) -> Result<(), EngineError> {
        let options = TagImageOptionsBuilder::new().repo(repository).tag(tag).build();
        let docker = self.rest("tag an image")?;
        docker.tag_image(image, Some(options)).await.map_err(|source| EngineError::Api {
            what: format!("cannot tag the image as {repository}:{tag}"),
            source,
        })
    }

    /// Takes an image out of the store unless it has a name: an earlier build may have made, and
    /// somebody named, the very same one.
    pub async fn remove_nameless(&self, image: &str) -> Result<(), EngineError> {
        let found = self.rest("remove an image")?.inspect_image(image).await;
        let named = |names: Option<Vec<String>>| names.is_some_and(|names| !names.is_empty());
        if found.is_ok_and(|found| named(found.repo_tags)) {
            return Ok(());
        }
        let options = RemoveImageOptionsBuilder::new().build();
        match self.rest("remove an image")?.remove_image(image, Some(options), None).await {
            Ok(_) => Ok(()),
            Err(source) => {
                Err(EngineError::Api { what: format!("cannot remove the image {image}"), source })
            }
        }
    }
}

/// Credentials as the API's header carries them.
pub(super) fn credentials(login: Option<&Login>) -> Option<DockerCredentials> {
    let said = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
    login.map(|login| DockerCredentials {
        username: said(&login.username),
        password: said(&login.password),
        identitytoken: said(&login.identity_token),
        registrytoken: said(&login.registry_token),
        ..DockerCredentials::default()
    })
}

/// Sorts the engine's words: it reports what a registry said with status codes of its own.
pub(super) fn refusal(status: u16, message: String) -> RegistryAnswer {
    let lower = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if status == 401 || says(&["unauthorized", "no basic auth", "authentication required"]) {
        RegistryAnswer::Denied(message)
    } else if status == 404
        || says(&["manifest unknown", "not found", "name unknown", "repository name not known"])
    {
        RegistryAnswer::Absent(message)
    } else if status == 403 || says(&["denied", "forbidden"]) {
        // Registries answer so for what does not exist as well as for what is not shown.
        RegistryAnswer::Denied(message)
    } else {
        RegistryAnswer::Unreachable(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sorted_by_what_a_person_can_do_about_them() {
        let kind = |status, text: &str| match refusal(status, text.into()) {
            RegistryAnswer::Digest(_) => "digest",
            RegistryAnswer::Absent(_) => "absent",
            RegistryAnswer::Denied(_) => "denied",
            RegistryAnswer::Unreachable(_) => "unreachable",
        };
        assert_eq!(kind(404, "manifest unknown: manifest unknown"), "absent");
        assert_eq!(kind(401, "unauthorized: authentication required"), "denied");
        assert_eq!(kind(500, "no basic auth credentials"), "denied");
        assert_eq!(kind(403, "requested access to the resource is denied"), "denied");
        let down =
            "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused";
        assert_eq!(kind(500, down), "unreachable");
    }
}
