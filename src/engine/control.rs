//! BuildKit's Control API and the session, over whichever door the engine has.

use bollard_buildkit_proto::moby::buildkit::v1::ListWorkersRequest;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::pb;
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint as TonicEndpoint};
use tower::service_fn;

use super::endpoint::BoxIo;
use super::session::{Services, SessionId, over_control, serve};
use super::upgrade::upgrade;
use super::{Endpoint, Engine, EngineError, EngineFacts, EngineKind, ImageStore};

/// Label of a worker: where the machine of the engine is.
const HOST_GATEWAY: &str = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";
/// Windows of our side of HTTP/2, in bytes: logs and reports must never wait for us.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// Largest headers of an answer, in bytes: an error carries its details there, with the Dockerfile.
const MAX_HEADERS: u32 = 16 << 20;

/// How the session reaches the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionTransport {
    /// `POST /session` and an upgrade; where that is gone, `Control.Session`.
    #[default]
    Auto,
    /// `Control.Session` only.
    Control,
}

impl Engine {
    /// The connection for Control and gateway calls; the first call opens it.
    ///
    /// `POST /grpc` and an upgrade, or plain HTTP/2 where the engine has done away with the upgrade.
    pub async fn channel(&self) -> Result<Channel, EngineError> {
        self.channel.get_or_try_init(|| self.open()).await.cloned()
    }

    /// The address of the machine that the engine runs on, as its steps can reach it.
    ///
    /// Source of the label: moby, builder/builder-next/worker/label.
    pub async fn host_gateway(&self) -> Result<Option<std::net::IpAddr>, EngineError> {
        let channel = self.channel().await?;
        let workers = ControlClient::new(channel)
            .list_workers(ListWorkersRequest::default())
            .await
            .map_err(|status| EngineError::Control {
                what: "cannot ask the engine for its address",
                message: status.message().to_string(),
            })?;
        let mut labels = workers.into_inner().record.into_iter().flat_map(|worker| worker.labels);
        let found = labels.find(|(name, value)| name == HOST_GATEWAY && !value.is_empty());
        Ok(found.and_then(|(_, address)| address.parse().ok()))
    }

    /// What goes along with a request for an upgrade.
    fn headers(&self) -> Vec<(String, String)> {
        let own = self.connection.headers.iter();
        let own = own.map(|header| (header.name.clone(), header.value.clone()));
        let host = ("Host".to_string(), self.endpoint().authority().to_string());
        [host].into_iter().chain(own).collect()
    }

    async fn open(&self) -> Result<Channel, EngineError> {
        if self.kind() == EngineKind::BuildKit {
            return plain(self.endpoint()).await;
        }
        let refused = match upgrade(self.endpoint().dial().await?, "/grpc", &self.headers()).await {
            Ok(upgraded) => return over(Box::new(upgraded)).await.map_err(no_http2),
            Err(EngineError::NoUpgrade { path, answer }) => EngineError::NoUpgrade { path, answer },
            Err(error) => return Err(error),
        };
        // Whether there is HTTP/2 on the socket shows with the first call.
        let Ok(channel) = over(self.endpoint().dial().await?).await else { return Err(refused) };
        match ControlClient::new(channel.clone()).list_workers(ListWorkersRequest::default()).await
        {
            Ok(_) => Ok(channel),
            Err(_) => Err(refused),
        }
    }

    /// Opens the session and serves it in the background until the returned task is aborted.
    pub(super) async fn serve_session(
        &self,
        channel: &Channel,
        id: &SessionId,
        services: Services,
        transport: SessionTransport,
    ) -> Result<tokio::task::JoinHandle<()>, EngineError> {
        if transport == SessionTransport::Auto && self.kind() == EngineKind::Docker {
            let headers = [self.headers(), id.headers()].concat();
            match upgrade(self.endpoint().dial().await?, "/session", &headers).await {
                Ok(io) => return Ok(tokio::spawn(serve(io, services))),
                Err(EngineError::NoUpgrade { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let io = over_control(ControlClient::new(channel.clone()), id).await.map_err(|status| {
            EngineError::Control {
                what: "cannot open a session",
                message: status.message().to_string(),
            }
        })?;
        Ok(tokio::spawn(serve(io, services)))
    }
}

/// A BuildKit daemon's connection: HTTP/2 from the first byte.
pub(super) async fn plain(endpoint: &Endpoint) -> Result<Channel, EngineError> {
    over(endpoint.dial().await?).await.map_err(|error| EngineError::Unreachable {
        endpoint: endpoint.clone(),
        source: reason(&error),
    })
}

/// What lies at the bottom of a failed call: the layers between say no more than that it failed.
fn reason(error: &(dyn std::error::Error + 'static)) -> std::io::Error {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return std::io::Error::new(io.kind(), io.to_string());
        }
        words = inner.to_string();
        cause = inner.source();
    }
    std::io::Error::other(words)
}

/// What a BuildKit daemon says of itself; its first worker is the one that builds.
pub(super) async fn facts(
    channel: Channel,
    endpoint: &Endpoint,
) -> Result<EngineFacts, EngineError> {
    let mut control = ControlClient::new(channel);
    let workers = control.list_workers(ListWorkersRequest::default()).await.map_err(|status| {
        let source = match std::error::Error::source(&status) {
            Some(cause) => reason(cause),
            None => std::io::Error::other(status.message().to_string()),
        };
        EngineError::Unreachable { endpoint: endpoint.clone(), source }
    })?;
    let Some(worker) = workers.into_inner().record.into_iter().next() else {
        return Err(EngineError::NoWorker(endpoint.clone()));
    };
    let platforms: Vec<String> = worker.platforms.iter().map(platform_name).collect();
    let version = worker.buildkit_version.map(|version| version.version);
    Ok(EngineFacts {
        version: version.unwrap_or_else(|| "unknown".into()),
        platform: platforms.first().cloned().unwrap_or_else(|| "unknown".into()),
        platforms,
        store: ImageStore::None,
    })
}

fn platform_name(platform: &pb::Platform) -> String {
    let parts = [&platform.os, &platform.architecture, &platform.variant];
    let parts: Vec<&str> =
        parts.into_iter().map(String::as_str).filter(|p| !p.is_empty()).collect();
    parts.join("/")
}

fn no_http2(error: tonic::transport::Error) -> EngineError {
    EngineError::NoUpgrade { path: "/grpc".into(), answer: error.to_string() }
}

/// An HTTP/2 channel over one connection; it cannot reconnect, a build that lost it has failed.
async fn over(io: BoxIo) -> Result<Channel, tonic::transport::Error> {
    let mut io = Some(io);
    TonicEndpoint::from_static("http://docker")
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_max_header_list_size(MAX_HEADERS)
        .connect_with_connector(service_fn(move |_| {
            let io = io.take().map(TokioIo::new);
            async move {
                io.ok_or_else(|| std::io::Error::other("the connection to the engine is gone"))
            }
        }))
        .await
}
