//! Where an image is: in an engine's store, or in an archive.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use bytes::{Buf as _, Bytes};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;

use super::archive::{ImageError, Saved};
use super::composed::Image;
use crate::engine::{Engine, EngineKind};
use crate::error::Error;
use crate::request::{self, ConnectionFlags, Environment};

/// Chunks of an archive that may wait.
const BACKLOG: usize = 16;
/// Bytes that are read of a file at once.
const BUFFER: usize = 256 << 10;

/// An image that is to be looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A name or ID in the engine's store.
    Engine(String),
    /// An archive.
    File(PathBuf),
    /// An archive on standard input.
    Stdin,
}

impl Source {
    /// What is meant: `-`, a file that is there, or an image.
    pub fn of(text: &str) -> Result<Self, Error> {
        let path = PathBuf::from(text);
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if path.is_dir() {
            return Err(Error::usage_hint(
                format!("{text} is a directory"),
                "name an image of the engine, or an archive that `docker save` wrote",
            ));
        }
        let is_path = path.is_file() || text.ends_with(".tar") || text.starts_with(['.', '/']);
        Ok(if is_path { Self::File(path) } else { Self::Engine(text.to_string()) })
    }

    /// Reads the image.
    pub fn read(
        &self,
        connection: &ConnectionFlags,
        environment: &Environment,
    ) -> Result<Image, Error> {
        match self {
            Self::Engine(name) => from_engine(name, connection, environment),
            Self::File(path) => {
                let shown = path.display().to_string();
                let file = File::open(path).map_err(|error| {
                    Error::usage_hint(
                        format!("cannot read {shown}: {error}"),
                        "name an archive that `docker save -o FILE IMAGE` wrote",
                    )
                })?;
                image(&shown, BufReader::with_capacity(BUFFER, file))
            }
            Self::Stdin => {
                image("standard input", BufReader::with_capacity(BUFFER, io::stdin().lock()))
            }
        }
    }
}

fn image(shown: &str, archive: impl Read) -> Result<Image, Error> {
    Saved::read(archive).and_then(|saved| saved.image()).map_err(|error| explain(shown, &error))
}

fn explain(shown: &str, error: &ImageError) -> Error {
    let hint = match error {
        ImageError::NoManifest => "write one with `docker save IMAGE`",
        ImageError::Several(_) => "save one image at a time",
        ImageError::Read { .. }
        | ImageError::Damaged { .. }
        | ImageError::NoLayer(_)
        | ImageError::OtherLayer { .. } => "save the image again, and see that nothing is cut off",
    };
    Error::usage_hint(format!("{shown}: {error}"), hint)
}

fn from_engine(
    name: &str,
    flags: &ConnectionFlags,
    environment: &Environment,
) -> Result<Image, Error> {
    let connection = request::docker(flags, environment)?.connection;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    runtime.block_on(async {
        let engine = Engine::connect(connection, EngineKind::Docker).await?;
        let Some(found) = engine.local_image(name).await? else {
            return Err(Error::usage_hint(
                format!("the engine has no image {name}"),
                "see `docker image ls`; `docker pull` fetches it",
            ));
        };
        let (sender, receiver) = mpsc::channel(BACKLOG);
        let shown = name.to_string();
        let reading = tokio::task::spawn_blocking(move || {
            image(&shown, Chunks { receiver, now: Bytes::new() })
        });
        let mut archive = std::pin::pin!(engine.save(name)?);
        while let Some(chunk) = archive.next().await {
            // Whoever reads no more says why.
            if sender.send(chunk?).await.is_err() {
                break;
            }
        }
        drop(sender);
        let mut image = reading.await.map_err(|error| Error::usage(error.to_string()))??;
        image.id = found.id;
        Ok(image)
    })
}

/// An archive that arrives.
struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
    now: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match self.receiver.blocking_recv() {
                Some(next) => self.now = next,
                None => return Ok(0),
            }
        }
        let count = self.now.len().min(into.len());
        if let Some(into) = into.get_mut(..count) {
            self.now.copy_to_slice(into);
        }
        Ok(count)
    }
}
