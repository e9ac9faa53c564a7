//! What an image's name stands for now: asked of the engine, which knows its mirrors and insecure
//! registries, or of the registry itself where there is no engine.

use std::collections::BTreeMap;

use cofferdam_frontend::pins::{Digest, Reference};

use crate::engine::{Engine, RegistryAnswer};
use crate::error::Error;
use crate::inputs::is_local_only;
use crate::registry::{Content, Manifest, Refusal, RegistryError, Repository, platform_of_config};
use crate::request::LockRequest;

/// The registry of names without one.
const HUB: &str = "docker.io";

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Found {
    /// An index or manifest in the registry.
    Registry {
        digest: Digest,
        /// Its platforms; `None` where the registry cannot be asked from here.
        platforms: Option<BTreeMap<String, Digest>>,
    },
    /// An image that only the engine has.
    Local { image_id: Digest },
}

/// Asks for images.
#[derive(Debug)]
pub(super) struct Asker<'a> {
    pub(super) request: &'a LockRequest,
    /// The engine, if one is asked.
    pub(super) engine: Option<Engine>,
    /// The Dockerfile, for messages.
    pub(super) shown: &'a str,
}

impl Asker<'_> {
    /// What `reference` stands for now; `line` is where it is named.
    pub(super) async fn now(
        &self,
        reference: &Reference,
        line: Option<usize>,
    ) -> Result<Found, Error> {
        let Some(engine) = &self.engine else { return self.directly(reference, line).await };
        let (problem, hint) = match self.of_engine(engine, reference).await? {
            RegistryAnswer::Digest(digest) => {
                let digest = self.digest(&digest, reference, line)?;
                let platforms = match self.platforms(reference, &digest).await {
                    Ok(platforms) => Some(platforms),
                    // The engine reads it elsewhere than we would: from a mirror, or with http.
                    Err(problem) => {
                        tracing::debug!(problem, name = reference.canonical(), "no platforms");
                        None
                    }
                };
                return Ok(Found::Registry { digest, platforms });
            }
            RegistryAnswer::Absent(words) => (words, Refusal::Absent.hint()),
            RegistryAnswer::Denied(words) => (words, Refusal::Denied.hint()),
            RegistryAnswer::Unreachable(words) if reference.domain == HUB => {
                (words, Refusal::Unreachable.hint())
            }
            // A registry's address in the name says where the image must come from.
            RegistryAnswer::Unreachable(words) => {
                return Err(self.no_answer(reference, line, &words, Refusal::Unreachable.hint()));
            }
        };
        let local = engine.local_image(&reference.familiar()).await?;
        match local.filter(|image| is_local_only(engine, image, reference)) {
            Some(image) => Ok(Found::Local { image_id: self.digest(&image.id, reference, line)? }),
            None => Err(self.no_answer(reference, line, &problem, hint)),
        }
    }

    async fn of_engine(
        &self,
        engine: &Engine,
        reference: &Reference,
    ) -> Result<RegistryAnswer, Error> {
        let login = self.request.build.auth.login(&reference.domain).await;
        let what = format!("cannot resolve {}", reference.familiar());
        let login = login.map_err(|error| Error::no_login(&what, &error))?;
        Ok(engine.registry_digest(&reference.canonical(), login.as_deref()).await?)
    }

    async fn directly(&self, reference: &Reference, line: Option<usize>) -> Result<Found, Error> {
        let answer = async {
            let repository = self.repository(reference).await?;
            let (digest, manifest) = repository
                .resolve(reference.tag_or_latest())
                .await
                .map_err(|error| Problem::of(&error))?;
            let platforms = platforms_of(&repository, &digest, &manifest).await?;
            Ok((digest, platforms))
        };
        match answer.await {
            Ok((digest, platforms)) => {
                let digest = self.digest(&digest, reference, line)?;
                Ok(Found::Registry { digest, platforms: Some(platforms) })
            }
            Err(Problem(refusal, words)) => {
                Err(self.no_answer(reference, line, &words, refusal.hint()))
            }
        }
    }

    /// The manifests of an index or image, by platform; the error is a reason.
    pub(super) async fn platforms(
        &self,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<BTreeMap<String, Digest>, String> {
        let read = async {
            let repository = self.repository(reference).await?;
            let manifest = repository.manifest(digest.as_str()).await;
            let manifest = manifest.map_err(|error| Problem::of(&error))?;
            platforms_of(&repository, digest.as_str(), &manifest).await
        };
        read.await.map_err(|Problem(_, words)| words)
    }

    async fn repository(&self, reference: &Reference) -> Result<Repository<'_>, Problem> {
        let login = self.request.build.auth.login(&reference.domain).await;
        let login = login.map_err(|error| Problem(Refusal::Denied, error.to_string()))?;
        let of = (reference.domain.as_str(), reference.path.as_str());
        let opened = Repository::reading(&self.request.build.http, of, login).await;
        opened.map_err(|error| Problem::of(&error))
    }

    fn digest(
        &self,
        text: &str,
        reference: &Reference,
        line: Option<usize>,
    ) -> Result<Digest, Error> {
        text.parse().map_err(|error| {
            let words = format!("its digest is said to be {text:?}: {error}");
            self.no_answer(reference, line, &words, "see the log of the registry or engine")
        })
    }

    pub(super) fn no_answer(
        &self,
        reference: &Reference,
        line: Option<usize>,
        words: &str,
        hint: &str,
    ) -> Error {
        let place = line.map(|line| format!("{}:{line}: ", self.shown)).unwrap_or_default();
        Error::Registry {
            message: format!("{place}cannot resolve {}: {}", reference.familiar(), words.trim()),
            hint: hint.to_string(),
        }
    }
}

/// Why a registry did not help, and its words.
struct Problem(Refusal, String);

impl Problem {
    fn of(error: &RegistryError) -> Self {
        Self(error.refusal(), error.to_string())
    }
}

/// What a manifest or index has for each platform.
async fn platforms_of(
    repository: &Repository<'_>,
    digest: &str,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Digest>, Problem> {
    let odd = |reason: String| Problem(Refusal::Unreachable, reason);
    match manifest.content().map_err(odd)? {
        Content::Index(platforms) => Ok(platforms),
        Content::Image(config) => {
            let config = repository.blob(config.as_str()).await;
            let config = config.map_err(|error| Problem::of(&error))?;
            let own = digest.parse().map_err(|_| odd(format!("{digest:?} is no digest")))?;
            Ok(platform_of_config(&config).map(|platform| (platform, own)).into_iter().collect())
        }
    }
}
