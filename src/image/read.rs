//! An image is read from where it is.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::Path;

use bytes::{Buf as _, Bytes};
use cofferdam_frontend::pins::Reference;
use tokio::runtime::Handle;
use tokio_stream::{Stream, StreamExt as _};

use super::archive::Saved;
use super::blobs::{Blobs, Plan, of_layout, plan};
use super::cache::Cache;
use super::composed::Image;
use super::error::ImageError;
use super::layout::Layout;
use super::looking::Looking;
use super::manifest::Wanted;
use super::packed::Packed;
use super::remote::Remote;
use super::source::Source;
use super::unpack::Packing;
use super::{layers, saved};
use crate::engine::{Engine, EngineError, EngineKind, LocalImage};
use crate::error::Error;
use crate::registry::Repository;
use crate::request::{Docker, ImageRequest};

/// Bytes that are read of a file at once.
const BUFFER: usize = 256 << 10;
/// The shortest part of an ID that engines show.
const SHORT: usize = 12;

/// How an image is looked through.
struct Reading<'r> {
    wanted: &'r Wanted,
    looking: Looking<'r>,
    cache: Option<Cache>,
}

/// Reads an image and looks through its layers.
pub fn read(request: &ImageRequest) -> Result<Image, Error> {
    let needles = request.secrets.needles();
    let reading = Reading {
        wanted: &request.wanted,
        looking: Looking {
            needles: Some(needles).filter(|needles| !needles.is_empty()),
            contents: request.contents,
        },
        cache: request.cache.as_deref().map(Cache::new),
    };
    let docker = || request.docker.as_ref().ok_or_else(|| Error::usage("no engine is configured"));
    match &request.source {
        Source::Stdin => reading.stream("standard input", None, io::stdin().lock()),
        Source::Archive(path, name) => reading.archive(path, name.as_deref()),
        Source::Layout(path, name) => reading.layout(path, name.as_deref()),
        Source::Engine(name) => connected(docker()?, |world| {
            let (engine, image) = world.engine(name)?;
            let Some(image) = image else { return Err(absent(name)) };
            reading.engine(world, &engine, name, &image)
        }),
        Source::Registry(name) => {
            connected(docker()?, |world| reading.registry(world, name, &reference(name)?))
        }
        Source::Named(name) => connected(docker()?, |world| reading.named(world, name)),
    }
}

impl Reading<'_> {
    /// A name of the engine's store, else of a registry.
    fn named(&self, world: &World<'_>, name: &str) -> Result<Image, Error> {
        let missing = match world.engine(name) {
            Ok((engine, Some(image))) => return self.engine(world, &engine, name, &image),
            Ok((_, None)) => format!("the engine has no image {name}"),
            Err(Error::Engine(error @ EngineError::Unreachable { .. })) => error.to_string(),
            Err(error) => return Err(error),
        };
        // What can only be an ID is in no registry.
        let hex = name.strip_prefix("sha256:").unwrap_or(name);
        let is_id = hex.len() >= SHORT && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parsed = Reference::parse_normalized(name).ok().filter(|_| !is_id);
        let Some(reference) = parsed else { return Err(absent(name)) };
        match self.registry(world, name, &reference) {
            Ok(mut image) => {
                image.notices.insert(0, format!("{missing}: read from {}", reference.domain));
                Ok(image)
            }
            Err(Error::Registry { message, hint }) => {
                Err(Error::Registry { message: format!("{missing}, and {message}"), hint })
            }
            Err(error) => Err(error),
        }
    }

    fn engine(
        &self,
        world: &World<'_>,
        engine: &Engine,
        name: &str,
        image: &LocalImage,
    ) -> Result<Image, Error> {
        let archive = Box::pin(engine.save(name)?);
        let mut found =
            self.stream(name, None, Chunks { handle: &world.handle, archive, now: Bytes::new() })?;
        found.id.clone_from(&image.id);
        Ok(found)
    }

    fn registry(
        &self,
        world: &World<'_>,
        name: &str,
        reference: &Reference,
    ) -> Result<Image, Error> {
        let login = world.handle.block_on(world.docker.auth.login(&reference.domain));
        let login =
            login.map_err(|error| Error::no_login(&format!("cannot read {name}"), &error))?;
        let of = (reference.domain.as_str(), reference.path.as_str());
        let failed = |error: ImageError| explain(name, &error, true);
        let opened = Repository::reading(&world.docker.http, of, login);
        let opened = world.handle.block_on(opened).map_err(|error| failed(error.into()))?;
        let mut remote = Remote::new(opened, world.handle.clone());
        let first = remote.resolve(reference).map_err(failed)?;
        let plan = plan(&remote, &first, self.wanted).map_err(failed)?;
        self.blobs(&remote, plan).map_err(failed)
    }

    fn layout(&self, path: &Path, name: Option<&str>) -> Result<Image, Error> {
        let layout = Layout { directory: path.into() };
        let read = || {
            let index = layout.index()?;
            let plan = of_layout(&layout, &index, name, self.wanted)?;
            self.blobs(&layout, plan)
        };
        read().map_err(|error| explain(&path.display().to_string(), &error, false))
    }

    fn archive(&self, path: &Path, name: Option<&str>) -> Result<Image, Error> {
        let shown = path.display().to_string();
        let failed = |error: io::Error| {
            Error::usage_hint(
                format!("cannot read {shown}: {error}"),
                "name an archive that `docker save -o FILE IMAGE` wrote",
            )
        };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() {
            return self.stream(&shown, name, file);
        }
        let mut head = Vec::new();
        (&file).take(4).read_to_end(&mut head).map_err(failed)?;
        file.rewind().map_err(failed)?;
        if Packing::of(&head) != Packing::None {
            return self.stream(&shown, name, file);
        }
        let read = || {
            let packed = Packed::open(file)?;
            let plan = packed.plan(name, self.wanted)?;
            self.blobs(&packed, plan)
        };
        read().map_err(|error| explain(&shown, &error, false))
    }

    /// Layers that can be read one by one.
    fn blobs(&self, blobs: &dyn Blobs, plan: Plan) -> Result<Image, ImageError> {
        let config = saved::config("the configuration", &plan.config)?;
        let found = layers::look(blobs, &plan, &config, &self.looking, self.cache.as_ref())?;
        Ok(Image::compose(plan, &config, found))
    }

    /// An archive that is read once, from the front to the back, as `docker load` takes it.
    fn stream(&self, shown: &str, name: Option<&str>, archive: impl Read) -> Result<Image, Error> {
        let mut archive = BufReader::with_capacity(BUFFER, archive);
        let read = || {
            let head = io::BufRead::fill_buf(&mut archive);
            let packing = Packing::of(head.map_err(ImageError::read("the archive"))?);
            let archive = packing.unpack(archive);
            let saved = Saved::read(archive, self.looking, self.cache.as_ref())?;
            let (plan, config, layers) = saved.image(name, self.wanted)?;
            Ok(Image::compose(plan, &config, layers))
        };
        read().map_err(|error| explain(shown, &error, false))
    }
}

fn absent(name: &str) -> Error {
    Error::usage_hint(
        format!("the engine has no image {name}"),
        "see `docker image ls`; `docker pull` fetches it",
    )
}

fn reference(name: &str) -> Result<Reference, Error> {
    Reference::parse_normalized(name).map_err(|error| {
        Error::usage_hint(
            format!("{name} is no name of an image: {error}"),
            "write REGISTRY/NAME:TAG",
        )
    })
}

/// What a failure means to a script; `remote` is what a registry gave.
fn explain(shown: &str, error: &ImageError, remote: bool) -> Error {
    let message = format!("{shown}: {error}");
    let hint = error.hint();
    let by_registry = match error {
        ImageError::Registry(_) => true,
        ImageError::Read { .. } | ImageError::Missing(_) | ImageError::Other { .. } => remote,
        _ => false,
    };
    match by_registry {
        true => Error::Registry { message, hint: hint.into() },
        false => Error::usage_hint(message, hint),
    }
}

/// Connections are tended by threads of their own, so that whoever reads may wait.
struct World<'d> {
    docker: &'d Docker,
    handle: Handle,
}

fn connected<T>(
    docker: &Docker,
    work: impl FnOnce(&World<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let result = work(&World { docker, handle: runtime.handle().clone() });
    // Servers that never answer must not keep the process.
    runtime.shutdown_background();
    result
}

impl World<'_> {
    /// The engine, and what it has under a name.
    fn engine(&self, name: &str) -> Result<(Engine, Option<LocalImage>), Error> {
        self.handle.block_on(async {
            let connection = self.docker.connection.clone();
            let engine = Engine::connect(connection, EngineKind::Docker).await?;
            let image = engine.local_image(name).await?;
            Ok((engine, image))
        })
    }
}

/// An archive that arrives.
struct Chunks<'h, S> {
    handle: &'h Handle,
    archive: S,
    now: Bytes,
}

impl<S: Stream<Item = Result<Bytes, EngineError>> + Unpin> Read for Chunks<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match self.handle.block_on(self.archive.next()) {
                Some(next) => self.now = next.map_err(io::Error::other)?,
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
