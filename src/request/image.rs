//! Commands that look through an image: which one, and how it is read.

use std::path::PathBuf;

use super::{ConnectionFlags, Docker, Environment, ImageFlags, docker, locking, platform, secret};
use crate::builders::Platform;
use crate::engine::session::SecretStore;
use crate::error::Error;
use crate::image::{Source, Wanted};

/// An image that is to be looked through.
#[derive(Debug)]
pub struct ImageRequest {
    /// Where it is.
    pub source: Source,
    /// Its platform.
    pub wanted: Wanted,
    /// The engine and the logins, for images that are no files.
    pub docker: Option<Docker>,
    /// Where findings are kept; `None` for nowhere.
    pub cache: Option<PathBuf>,
    /// Whether what stands out matters, and not only what is installed.
    pub contents: bool,
    /// Values to search for.
    pub secrets: SecretStore,
}

/// Reads what was typed; `secrets` are as for a build.
pub fn image(
    flags: ImageFlags,
    secrets: &[String],
    connection: &ConnectionFlags,
    environment: &Environment,
) -> Result<ImageRequest, Error> {
    let ImageFlags { image, platform: typed, no_cache } = flags;
    let source = Source::of(&image)?;
    let needs_docker = source.name().is_some();
    let typed = typed.or_else(|| environment.var("DOCKER_DEFAULT_PLATFORM"));
    let typed = platform::read(typed.as_slice())?;
    if typed.len() > 1 {
        return Err(Error::usage_hint(
            "--platform: one image has one platform",
            "name one of them",
        ));
    }
    let wanted = match typed.first() {
        Some(platform) => Wanted { platform: Platform::parse(platform), asked: true },
        None => Wanted { platform: Platform::parse(&locking::here()), asked: false },
    };
    let docker = needs_docker.then(|| docker(connection, environment)).transpose()?;
    let cache = environment.cache_dir().filter(|_| !no_cache);
    let secrets = SecretStore::new(secret::read_all(secrets, |name| environment.os_var(name))?);
    Ok(ImageRequest { source, wanted, docker, cache, contents: false, secrets })
}
