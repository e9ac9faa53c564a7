//! One build: a session, a solve that waits for our result, and the stream of its progress.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::google::rpc;
use bollard_buildkit_proto::moby::buildkit::v1 as control;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::frontend as gateway;
use cofferdam_frontend::bridge::{BridgeError, Outcome};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;
use tonic::Status;
use tonic::transport::Channel;

use super::session::{Services, SessionId};
use super::{
    Engine, EngineError, Forgotten, GatewayBridge, SessionTransport, Traces, status_error,
};

pub use super::image_id::Exported;
pub use bollard_buildkit_proto::moby::buildkit::v1::StatusResponse;

/// Docker's exporter into its own store, on both stores.
const EXPORTER: &str = "moby";
/// What the engine says to a bridge call whose build has already ended.
const NO_SUCH_JOB: &str = "no such job";

/// Random names of a build and its session.
#[derive(Clone, Debug)]
pub struct BuildId(String);

impl BuildId {
    /// A new, unguessable name.
    pub fn random() -> std::io::Result<Self> {
        Ok(Self(crate::random::hex::<12>()?))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the progress told that is needed at the end.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The digest of the first step that failed by itself.
    blamed: Option<String>,
    /// When the first step began, by the engine's clock.
    began: Option<Timestamp>,
    warnings: Vec<control::VertexWarning>,
}

impl Told {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, status: &StatusResponse) {
        // Steps that end because another failed say so.
        let failed = |error: &str| !error.is_empty() && !error.ends_with("context canceled");
        let looked = |name: &str| name.starts_with(cofferdam_frontend::remote::LOOKING);
        let mut vertices = status.vertexes.iter();
        if let Some(vertex) = vertices.find(|v| failed(&v.error) && !looked(&v.name)) {
            self.kept().blamed.get_or_insert_with(|| vertex.digest.clone());
        }
        let began = status.vertexes.iter().filter_map(|vertex| vertex.started.as_ref());
        if let Some(first) = began.min_by_key(|time| (time.seconds, time.nanos)) {
            self.kept().began.get_or_insert(*first);
        }
        if !status.warnings.is_empty() {
            self.kept().warnings.extend_from_slice(&status.warnings);
        }
    }
}

/// A build that the engine has begun; dropping it ends it there.
#[derive(Debug)]
pub struct ActiveBuild {
    bridge: GatewayBridge,
    session: JoinHandle<()>,
    solve: JoinHandle<Result<control::SolveResponse, Status>>,
    /// Whether `solve` has told its result, which it does once.
    over: bool,
    status: JoinHandle<()>,
    told: Told,
    version: JoinHandle<Option<String>>,
    engine: Engine,
}

/// One of the forms in which the engine hands a result out.
///
/// Source: moby/buildkit, client/exporters.go and exporter/containerimage/exptypes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exporter {
    /// `moby`, `image`, `local`, `tar`, `oci` or `docker`.
    pub kind: String,
    /// Its attributes.
    pub attrs: BTreeMap<String, String>,
}

impl Exporter {
    /// Docker's own store, without a name: names are given when everything was checked.
    pub fn store() -> Self {
        Self { kind: EXPORTER.into(), attrs: BTreeMap::new() }
    }
}

/// What a build is opened with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Keys what the engine may remember of directories under the same name.
    pub shared_key: String,
    /// What the engine may ask for.
    pub services: Services,
    /// How it asks.
    pub transport: SessionTransport,
    /// Where the result will go; nowhere when empty.
    pub exporters: Vec<Exporter>,
    /// Rights that steps may use, as `network.host`.
    pub entitlements: Vec<String>,
    /// Options that BuildKit reads when it exports: `attest:KIND`.
    pub options: BTreeMap<String, String>,
    /// Who sees the progress first.
    pub watcher: Option<Arc<dyn Watcher>>,
}

impl Engine {
    /// Opens a session and a build in it; progress goes to `progress`.
    pub async fn start(
        &self,
        id: &BuildId,
        opening: Opening,
        progress: mpsc::Sender<StatusResponse>,
    ) -> Result<ActiveBuild, EngineError> {
        let Opening { shared_key, services, transport, exporters, entitlements, options, watcher } =
            opening;
        let channel = self.channel().await?;
        let session_id = SessionId { uuid: id.0.clone(), shared_key, methods: services.methods() };
        let session = self.serve_session(&channel, &session_id, services, transport).await?;
        let build = id.0.parse().map_err(|_| EngineError::NoImageId)?;
        let bridge = GatewayBridge::new(channel.clone(), build);
        let version = tokio::spawn(buildkit_version(channel.clone()));
        let told = Told::default();
        let status =
            tokio::spawn(watch(channel.clone(), id.0.clone(), progress, told.clone(), watcher));
        let request = solve_request(id, exporters, entitlements, options);
        let solve = tokio::spawn(wait_for_result(channel, request));
        let engine = self.clone();
        Ok(ActiveBuild { bridge, session, solve, over: false, status, told, version, engine })
    }
}

/// BuildKit's own version; engines before 23.0 do not tell it, and distributions build without one.
async fn buildkit_version(channel: Channel) -> Option<String> {
    let info = ControlClient::new(channel).info(control::InfoRequest {}).await.ok()?.into_inner();
    let version = info.buildkit_version?.version;
    (version.starts_with('v') && !version.starts_with("v0.0.0")).then_some(version)
}

/// A build without a graph: the result will come through the gateway.
fn solve_request(
    id: &BuildId,
    exporters: Vec<Exporter>,
    entitlements: Vec<String>,
    options: BTreeMap<String, String>,
) -> control::SolveRequest {
    let exporters: Vec<control::Exporter> = exporters
        .into_iter()
        .map(|Exporter { kind, attrs }| control::Exporter {
            r#type: kind,
            attrs: attrs.into_iter().collect(),
        })
        .collect();
    // Engines before BuildKit 0.13 read only the older of the two ways to name an exporter.
    let first = exporters.first().cloned().unwrap_or_default();
    control::SolveRequest {
        r#ref: id.0.clone(),
        session: id.0.clone(),
        exporter_deprecated: first.r#type,
        exporter_attrs_deprecated: first.attrs,
        exporters,
        entitlements,
        frontend_attrs: options.into_iter().collect(),
        cache: Some(control::CacheOptions::default()),
        // Keeps the build and its log out of the engine's history.
        internal: true,
        ..control::SolveRequest::default()
    }
}

/// Ends when the result was exported.
async fn wait_for_result(
    channel: Channel,
    request: control::SolveRequest,
) -> Result<control::SolveResponse, Status> {
    ControlClient::new(channel).solve(request).await.map(tonic::Response::into_inner)
}

/// Looks at the progress before anybody else does.
pub trait Watcher: fmt::Debug + Send + Sync {
    /// Begins a stream of it.
    fn begin(&self) -> Box<dyn Clean + '_>;
}

/// What a [`Watcher`] does to one stream.
pub trait Clean: Send {
    /// Changes the next message as it may be shown.
    fn clean(&mut self, status: &mut StatusResponse);
    /// Hears that the engine has told everything.
    fn end(&mut self);
}

async fn watch(
    channel: Channel,
    id: String,
    progress: mpsc::Sender<StatusResponse>,
    told: Told,
    watcher: Option<Arc<dyn Watcher>>,
) {
    let request = control::StatusRequest { r#ref: id };
    let mut cleaner = watcher.as_deref().map(Watcher::begin);
    match ControlClient::new(channel).status(request).await {
        Ok(answer) => {
            let mut stream = answer.into_inner();
            loop {
                let mut status = match stream.next().await {
                    Some(Ok(status)) => status,
                    Some(Err(_)) => break,
                    None => return cleaner.iter_mut().for_each(|cleaner| cleaner.end()),
                };
                cleaner.iter_mut().for_each(|cleaner| cleaner.clean(&mut status));
                told.read(&status);
                if progress.send(status).await.is_err() {
                    break;
                }
            }
        }
        Err(error) => tracing::debug!(%error, "no progress from the engine"),
    }
}

impl ActiveBuild {
    /// The gateway of this build.
    pub fn bridge(&self) -> &GatewayBridge {
        &self.bridge
    }

    /// Exports a result without a name and returns what the store made of it.
    pub async fn export(mut self, outcome: Outcome) -> Result<Exported, BridgeError> {
        let result = super::gateway::returned(outcome);
        let answer = gateway::ReturnRequest { result: Some(result), error: None };
        // Containers are put away while the export runs.
        let (returned, ()) = tokio::join!(self.bridge.finish(answer), self.bridge.close());
        if let Err(status) = returned {
            return Err(self.instead(&status).await);
        }
        let answer = match self.solved().await {
            Ok(response) => response.exporter_response,
            Err(status) => match Exported::already_there(status.message()) {
                Some(answer) => answer,
                None => return Err(status_error::read(&status)),
            },
        };
        // What is still in the pipe belongs to the progress: the engine ends the stream itself.
        let _ = (&mut self.status).await;
        let store = self.engine.facts().store;
        let mut exported = Exported::read(answer, store);
        exported.warnings = std::mem::take(&mut self.told.kept().warnings);
        exported.buildkit_version = (&mut self.version).await.ok().flatten();
        Ok(exported)
    }

    /// Ends the build with nothing exported and waits for the engine to agree.
    ///
    /// Also says which op failed, as far as the progress told.
    pub async fn fail(mut self, error: BridgeError) -> (BridgeError, Option<String>) {
        let error = self.end(error).await;
        let blamed = self.told.kept().blamed.take();
        (error, blamed)
    }

    /// Ends the build like [`Self::fail`], and takes out of the engine what its steps left there.
    pub async fn forget(
        self,
        error: BridgeError,
        traces: Traces,
    ) -> Result<Forgotten, EngineError> {
        let since = self.told.kept().began;
        let engine = self.engine.clone();
        self.fail(error).await;
        engine.forget_steps(&traces, since).await
    }

    async fn end(&mut self, error: BridgeError) -> BridgeError {
        let BridgeError::Build { message, .. } = &error else { return error };
        let status = rpc::Status {
            code: tonic::Code::Unknown as i32,
            message: message.clone(),
            details: vec![],
        };
        let told = gateway::ReturnRequest { result: None, error: Some(status) };
        self.bridge.close().await;
        let error = match self.bridge.finish(told).await {
            Ok(()) => error,
            // The build ended before we did: its own error is the cause.
            Err(_) if message.contains(NO_SUCH_JOB) => {
                self.solved().await.err().map_or(error, |status| status_error::read(&status))
            }
            Err(_) => error,
        };
        let _ = self.solved().await;
        let _ = (&mut self.status).await;
        error
    }

    async fn solved(&mut self) -> Result<control::SolveResponse, Status> {
        if self.over {
            return Err(Status::internal("the build is over"));
        }
        let result = (&mut self.solve).await;
        self.over = true;
        match result {
            Ok(result) => result,
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }

    /// The build's own error where a gateway call only says that the build is over.
    async fn instead(&mut self, status: &Status) -> BridgeError {
        if status.message().contains(NO_SUCH_JOB)
            && let Err(cause) = self.solved().await
        {
            return status_error::read(&cause);
        }
        status_error::read(status)
    }
}

impl Drop for ActiveBuild {
    fn drop(&mut self) {
        // Cancelling the calls cancels the build in the engine; nothing of it goes on.
        self.solve.abort();
        self.status.abort();
        self.session.abort();
        self.version.abort();
    }
}
