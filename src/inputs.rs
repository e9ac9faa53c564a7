//! Giving every image input one meaning: from the text, from the lock, or by asking now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use cofferdam_frontend::build::PinSource;
use cofferdam_frontend::graph::judge::{Pin, Unpinned, Violation};
use cofferdam_frontend::pins::{
    Digest, Elsewhere, ImageSource, Lock, LockedImage, Reference, Timestamp,
};
use cofferdam_frontend::source_policy::SourcePolicy;
use tokio::sync::Mutex;

use crate::config::Exceptions;
use crate::engine::session::RegistryAuth;
use crate::engine::{Engine, EngineKind, GatewayBridge, ImageStore, LocalImage, RegistryAnswer};
use crate::error::{Error, Place, SourceText};
use crate::request::{BuildRequest, DockerfileText};

mod adds;
mod by_policy;
mod lock_file;
mod text;

pub(crate) use adds::fixes;
use by_policy::Resolved;
pub(crate) use lock_file::LockFile;
pub(crate) use text::{Base, PinnedText, explain, pin_generator, pin_image, pin_text, scope};

/// Resolves names, each once, with the lock as its memory.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    engine: &'a Engine,
    gateway: GatewayBridge,
    auth: &'a RegistryAuth,
    locked: bool,
    exceptions: &'a Exceptions,
    policy: &'a SourcePolicy,
    source: SourceText,
    lock: Arc<Mutex<Lock>>,
    local: Mutex<BTreeMap<String, String>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        gateway: &GatewayBridge,
        request: &'a BuildRequest,
        dockerfile: &DockerfileText,
        lock: Arc<Mutex<Lock>>,
    ) -> Self {
        Self {
            engine,
            gateway: gateway.clone(),
            auth: &request.auth,
            locked: request.locked,
            exceptions: &request.exceptions,
            policy: &request.source_policy,
            source: dockerfile.source(),
            lock,
            local: Mutex::default(),
        }
    }

    /// The lock with everything that was resolved.
    pub(crate) async fn lock(&self) -> Lock {
        self.lock.lock().await.clone()
    }

    /// Fails when an image that only the engine's store has was exchanged during the build.
    pub(crate) async fn check_local_images(&self) -> Result<(), Error> {
        for (name, id) in self.local.lock().await.iter() {
            let now = self.engine.local_image(name).await?.map(|image| image.id);
            if now.as_ref() != Some(id) {
                let now = now.unwrap_or_else(|| "nothing".into());
                return Err(self.refuse(
                    "unpinned-image",
                    format!("{name} was {id} when the build began and is {now} now"),
                    "build again when nothing else changes that image".into(),
                    None,
                ));
            }
        }
        Ok(())
    }

    /// What `reference` stands for in this build; `line` is where it is written.
    ///
    /// `named` is where, if it is not in the Dockerfile.
    async fn resolve(
        &self,
        reference: &Reference,
        line: Option<usize>,
        named: Option<Elsewhere>,
    ) -> Result<Pin, Error> {
        if let Some(digest) = &reference.digest {
            return Ok(Pin::Digest(digest.as_str().to_string()));
        }
        let name = reference.canonical();
        let locked = self.lock.lock().await.get(&name).cloned();
        match locked.map(|image| image.source) {
            Some(ImageSource::Registry { digest, .. }) => {
                return Ok(Pin::Digest(digest.as_str().to_string()));
            }
            Some(ImageSource::Local { image_id }) => {
                return self.locked_local(reference, image_id.as_str(), line, named).await;
            }
            None if self.locked && self.exceptions.allows("not-locked").is_none() => {
                return Err(self.not_locked(reference, line));
            }
            None => {}
        }
        let source = self.ask(reference, line).await?;
        self.remember(reference, source, named).await
    }

    /// An image of the local store that the lock knows: the lock follows it unless it is final.
    async fn locked_local(
        &self,
        reference: &Reference,
        image_id: &str,
        line: Option<usize>,
        named: Option<Elsewhere>,
    ) -> Result<Pin, Error> {
        let now = self.engine.local_image(&reference.familiar()).await?.map(|image| image.id);
        match now {
            Some(now) if now == image_id || !self.locked => {
                let source = ImageSource::Local { image_id: parse_digest(&now)? };
                self.remember(reference, source, named).await
            }
            None if !self.locked => {
                let source = self.ask(reference, line).await?;
                self.remember(reference, source, named).await
            }
            now => Err(self.refuse(
                "unpinned-image",
                format!(
                    "cofferdam.lock holds {image_id} for {}, the engine's store has {}",
                    reference.familiar(),
                    now.as_deref().unwrap_or("no such image")
                ),
                "restore that image, or build without --locked to lock the present one".into(),
                line,
            )),
        }
    }

    /// Asks the registry; an image that it does not have may be one of the engine's own.
    async fn ask(&self, reference: &Reference, line: Option<usize>) -> Result<ImageSource, Error> {
        let (problem, hint) = match self.registry(reference).await? {
            RegistryAnswer::Digest(digest) => {
                return Ok(ImageSource::Registry {
                    digest: parse_digest(&digest)?,
                    platforms: BTreeMap::new(),
                });
            }
            RegistryAnswer::Absent(words) => (words, "check the name and its tag"),
            RegistryAnswer::Denied(words) => (
                words,
                "log in with `docker login`, and check the name: registries answer so for what does not exist",
            ),
            RegistryAnswer::Unreachable(words) => {
                // A registry's address in the name says where the image must come from.
                if reference.domain != DEFAULT_DOMAIN {
                    return Err(self.no_answer(
                        reference,
                        &words,
                        line,
                        "start the registry, or check its address",
                    ));
                }
                (
                    words,
                    "check the network; an image that was locked before builds without the registry",
                )
            }
        };
        let local = self.engine.local_image(&reference.familiar()).await?;
        match local.filter(|image| is_local_only(self.engine, image, reference)) {
            Some(image) => Ok(ImageSource::Local { image_id: parse_digest(&image.id)? }),
            None => Err(self.no_answer(reference, &problem, line, hint)),
        }
    }

    /// A Docker engine is asked directly, which is quick; a BuildKit daemon through the build.
    async fn registry(&self, reference: &Reference) -> Result<RegistryAnswer, Error> {
        let name = reference.canonical();
        match self.engine.kind() {
            EngineKind::Docker => {
                let login = self.auth.login(&reference.domain).await;
                let what = format!("cannot resolve {}", reference.familiar());
                let login = login.map_err(|error| Error::no_login(&what, &error))?;
                Ok(self.engine.registry_digest(&name, login.as_deref()).await?)
            }
            EngineKind::BuildKit => Ok(self.gateway.registry_digest(&name).await?),
        }
    }

    async fn remember(
        &self,
        reference: &Reference,
        source: ImageSource,
        named: Option<Elsewhere>,
    ) -> Result<Pin, Error> {
        let mut lock = self.lock.lock().await;
        let name = reference.canonical();
        // Another node of the builder may have asked in the same moment: its answer is everybody's.
        let earlier = lock.get(&name).map(|image| image.source.clone());
        if let (ImageSource::Registry { .. }, Some(ImageSource::Registry { digest, .. })) =
            (&source, earlier)
        {
            return Ok(Pin::Digest(digest.as_str().to_string()));
        }
        let pin = match &source {
            ImageSource::Registry { digest, .. } => Pin::Digest(digest.as_str().to_string()),
            ImageSource::Local { image_id } => {
                let id = image_id.as_str().to_string();
                self.local.lock().await.insert(reference.familiar(), id.clone());
                Pin::Local { image_id: id }
            }
        };
        // A lock that is final stays as it is, whatever an exception lets through.
        if !self.locked && lock.get(&name).is_none_or(|known| known.source != source) {
            let mut image = LockedImage::new(reference, source, now());
            image.by = Some(PROGRAM.to_string());
            image.named = named;
            lock.insert(image);
        }
        Ok(pin)
    }

    fn not_locked(&self, reference: &Reference, line: Option<usize>) -> Error {
        self.refuse(
            "not-locked",
            format!("cofferdam.lock has no entry for {}", reference.familiar()),
            "build once without --locked and commit cofferdam.lock, or write the digest into the Dockerfile".into(),
            line,
        )
    }

    fn refuse(
        &self,
        rule: &'static str,
        message: String,
        fix: String,
        line: Option<usize>,
    ) -> Error {
        let lines = line.map(|line| (self.source.shown.clone(), line, line));
        Error::Refused {
            names: Vec::new(),
            violations: vec![Violation {
                rule,
                message,
                lines: lines.into_iter().collect(),
                span: None,
                fix,
            }],
            text: Some(self.source.clone()),
        }
    }

    fn no_answer(
        &self,
        reference: &Reference,
        words: &str,
        line: Option<usize>,
        hint: &str,
    ) -> Error {
        let place = line.map(|line| format!("{}:{line}: ", self.source.shown)).unwrap_or_default();
        Error::Registry {
            message: format!("{place}cannot resolve {}: {}", reference.familiar(), words.trim()),
            hint: hint.to_string(),
        }
    }
}

const DEFAULT_DOMAIN: &str = "docker.io";
/// Who resolves, as the lock names it.
pub(crate) const PROGRAM: &str = concat!("cofferdam ", env!("CARGO_PKG_VERSION"));

/// The classic store remembers under which digests it pulled an image; containerd's names every
/// image by digest, so there the registry's answer alone decides.
pub(crate) fn is_local_only(engine: &Engine, image: &LocalImage, reference: &Reference) -> bool {
    let prefix = format!("{}@", Reference { tag: None, ..reference.clone() }.familiar());
    match engine.facts().store {
        ImageStore::Classic => !image.repo_digests.iter().any(|d| d.starts_with(&prefix)),
        ImageStore::Containerd | ImageStore::None => true,
    }
}

/// The present moment, as the lock writes it.
pub(crate) fn now() -> Timestamp {
    let text = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    Timestamp::parse(&text).unwrap_or_else(Timestamp::epoch)
}

fn parse_digest(text: &str) -> Result<Digest, Error> {
    text.parse().map_err(|error| Error::Registry {
        message: format!("the engine named the digest {text:?}: {error}"),
        hint: "see the engine's own log".into(),
    })
}

impl PinSource for Resolver<'_> {
    type Error = Error;

    async fn pin(&self, image: &Unpinned) -> Result<Pin, Error> {
        let line = image.lines.first().map(|&(_, line, _)| line);
        let reference =
            Reference::parse_normalized(&image.name).map_err(|error| Error::Source {
                message: format!("the build reads {}: {error}", image.name),
                at: Place {
                    file: self.source.shown.clone(),
                    line: line.unwrap_or(1),
                    column: 1,
                    length: 1,
                },
                text: self.source.bytes.clone(),
                hint: None,
            })?;
        let known = self.lock.lock().await.get(&reference.canonical()).is_some();
        let graph = Some(Elsewhere::Graph);
        match &image.found {
            // The engine has just asked the registry itself: that answer is the one to lock.
            Some(found) if !known && !self.locked => {
                let digest = parse_digest(found)?;
                self.remember(
                    &reference,
                    ImageSource::Registry { digest, platforms: BTreeMap::new() },
                    graph,
                )
                .await
            }
            _ => self.resolve(&reference, line, graph).await,
        }
    }
}
