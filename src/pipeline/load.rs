//! What a BuildKit daemon built, on its way into a Docker engine: without a name, which it gets
//! with everybody else's when all is done.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use cofferdam_frontend::pins::Reference;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::task::JoinSet;

use super::leftovers::Leftovers;
use super::steps::{Step, Steps};
use crate::engine::session::{Destination, Piped, pipe};
use crate::engine::{Connection, Engine, EngineError, EngineKind, ImageStore};
use crate::error::Error;

/// How often the bytes are looked at.
const TICK: Duration = Duration::from_millis(250);

/// An image that is to be loaded.
#[derive(Debug)]
pub(super) struct Load {
    engine: Engine,
    names: Vec<Reference>,
    piped: Piped,
}

/// An image that was loaded; it has none of its names yet.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// Whose store it is in.
    pub(super) engine: Engine,
    /// What `docker run` accepts there.
    pub(super) id: String,
    /// The names that it is to have.
    pub(super) names: Vec<Reference>,
}

/// Images that are being loaded; dropped, they are given up.
#[derive(Debug)]
pub(super) struct Loading(JoinSet<Result<Option<(usize, Loaded)>, Error>>);

impl Load {
    /// Prepares the way into the Docker engine there, which must answer; returns also what goes into
    /// the solve request: the exporter's kind and where its result goes. `list` says that there will be
    /// more than one manifest.
    pub(super) async fn into_docker(
        connection: &Connection,
        names: Vec<Reference>,
        list: bool,
    ) -> Result<(Self, &'static str, Destination), Error> {
        let engine = Engine::connect(connection.clone(), EngineKind::Docker).await?;
        // containerd takes what the classic store cannot hold: several platforms, attestations.
        let kind = match engine.facts().store {
            ImageStore::Containerd => "oci",
            _ if list => {
                return Err(Error::usage_hint(
                    "docker exporter does not currently support exporting manifest lists",
                    "the image store of the Docker engine holds one platform of an image, and no \
                     attestations: build one at a time, or turn on its containerd image store, or \
                     --push",
                ));
            }
            _ => "docker",
        };
        let (way, piped) = pipe();
        Ok((Self { engine, names, piped }, kind, Destination::Pipe(way)))
    }

    /// Waits for the image and loads it; `None` when it never came.
    async fn run(self, leftovers: &Leftovers, steps: &Steps) -> Result<Option<Loaded>, Error> {
        let Self { engine, names, mut piped } = self;
        // The engine gives a request without a body a minute, and the exporter as long as it takes.
        let Some(first) = piped.first().await else { return Ok(None) };
        let mut step = steps.begin("importing to docker".into()).await;
        let archive = stream::iter([first]).chain(piped);
        let loaded = watched(&engine, archive, &mut step).await;
        let id = step.end(loaded).await.map_err(explain)?;
        leftovers.nameless(&engine, &id);
        Ok(Some(Loaded { engine, id, names }))
    }
}

/// Loads it, and tells how far it is.
async fn watched(
    engine: &Engine,
    archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    step: &mut Step,
) -> Result<String, EngineError> {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let counted = archive.inspect(move |bytes| {
        counter.fetch_add(bytes.as_ref().map_or(0, Bytes::len), Ordering::Relaxed);
    });
    let mut loaded = pin!(engine.load(counted));
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            loaded = &mut loaded => return loaded,
            _ = tick.tick() => {
                let bytes = i64::try_from(sent.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
                step.bytes("sending to docker", bytes, 0);
            }
        }
    }
}

impl Loading {
    /// Begins to wait for these images.
    pub(super) fn begin(loads: Vec<Load>, leftovers: &Leftovers, steps: &Steps) -> Self {
        let mut tasks = JoinSet::new();
        for (position, load) in loads.into_iter().enumerate() {
            let (leftovers, steps) = (leftovers.clone(), steps.clone());
            tasks.spawn(async move {
                let loaded = load.run(&leftovers, &steps).await?;
                Ok(loaded.map(|loaded| (position, loaded)))
            });
        }
        Self(tasks)
    }

    /// The images in the order in which they were asked for, when the last one is loaded.
    pub(super) async fn finish(mut self) -> Result<Vec<Loaded>, Error> {
        let mut all = Vec::new();
        while let Some(ended) = self.0.join_next().await {
            let ended = ended.map_err(|error| Error::usage(format!("cannot load: {error}")))?;
            all.extend(ended?);
        }
        all.sort_by_key(|(position, _)| *position);
        Ok(all.into_iter().map(|(_, loaded)| loaded).collect())
    }
}

/// A Docker engine that was reached and says no is not out of reach.
fn explain(error: EngineError) -> Error {
    let EngineError::Load { message, .. } = &error else { return Error::Engine(error) };
    let told = error.to_string();
    if message.contains("no space left on device") {
        return Error::usage_hint(
            told,
            "make room there: `docker system df` shows what is used, `docker system prune` removes \
             what nobody uses",
        );
    }
    Error::usage(told)
}
