//! The session: services of ours that the engine calls while it builds.
//!
//! The engine is the gRPC client here and we are the server, on a connection that we opened.
//! Source: moby/buildkit, session/session.go and session/grpc.go.

use std::collections::HashMap;

use bollard_buildkit_proto::health::health_server::HealthServer;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::AuthServer;
use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::SshServer;
use bollard_buildkit_proto::moby::upload::v1::upload_server::UploadServer;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::service::Routes;

mod auth;
mod bytes_stream;
pub mod content;
pub mod filesync;
mod handmade;
mod health;
mod raw;
pub mod receive;
mod secrets;
pub mod ssh;
pub mod upload;

pub use auth::{RegistryAuth, TokenSettings};
pub(crate) use bytes_stream::over_control;
pub use content::ContentStores;
pub use filesync::Filesync;
pub use receive::{Destination, FileReceiver, Outputs, Piped, UNREAD, pipe};
pub use secrets::{Kind, SecretStore, SecretValue, Sought};
pub use ssh::{SshAgents, SshSource};
pub use upload::{Spool, Stdin, Uploads};

/// Everything the engine may ask this build for.
#[derive(Clone, Debug)]
pub struct Services {
    /// Directories: the context, the Dockerfile, the helper.
    pub files: Filesync,
    /// Build secrets by id.
    pub secrets: SecretStore,
    /// Registry credentials.
    pub auth: RegistryAuth,
    /// Places for results that come back as files.
    pub outputs: Option<FileReceiver>,
    /// Agents that steps may ask for signatures.
    pub ssh: Option<SshAgents>,
    /// A context that came through standard input.
    pub uploads: Option<Uploads>,
    /// Images of OCI layouts on this machine.
    pub content: Option<ContentStores>,
}

impl Services {
    /// Every method that the engine may call; it refuses to call what is not announced.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        let mut methods = [&METHODS[..], &auth::METHODS].concat();
        methods.extend(self.outputs.is_some().then_some(receive::METHOD));
        methods.extend(self.ssh.iter().flat_map(|_| ssh::METHODS));
        methods.extend(self.uploads.is_some().then_some(upload::METHOD));
        methods.extend(self.content.iter().flat_map(|_| content::METHODS));
        methods
    }
}

/// The identity of a session.
#[derive(Clone, Debug)]
pub struct SessionId {
    /// Names the session in solve requests.
    pub uuid: String,
    /// Keys what the engine remembers of directories under the same name.
    pub shared_key: String,
    /// What the engine may call.
    pub methods: Vec<&'static str>,
}

/// What every build offers.
const METHODS: [&str; 3] = [
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/grpc.health.v1.Health/Check",
];

impl SessionId {
    /// The headers that announce the session.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            ("X-Docker-Expose-Session-Uuid".to_string(), self.uuid.clone()),
            ("X-Docker-Expose-Session-Name".to_string(), "cofferdam".to_string()),
            ("X-Docker-Expose-Session-Sharedkey".to_string(), self.shared_key.clone()),
        ];
        headers.extend(self.methods.iter().map(|method| {
            ("X-Docker-Expose-Session-Grpc-Method".to_string(), (*method).to_string())
        }));
        headers
    }
}

/// Serves one connection until the engine closes it.
pub(crate) async fn serve<T>(io: T, services: Services)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let routes = Routes::new(services.files)
        .add_service(SecretsServer::new(services.secrets))
        .add_service(AuthServer::new(services.auth))
        .add_service(HealthServer::new(health::Healthy));
    let routes = match services.outputs {
        Some(outputs) => routes.add_service(outputs),
        None => routes,
    };
    let routes = match services.ssh {
        Some(ssh) => routes.add_service(SshServer::new(ssh)),
        None => routes,
    };
    let routes = match services.uploads {
        Some(uploads) => routes.add_service(UploadServer::new(uploads)),
        None => routes,
    };
    let routes = match services.content {
        Some(content) => routes.add_service(content),
        None => routes,
    };
    let routes = routes.prepare();
    let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        // A context is one long stream: room for a few chunks keeps the writer busy while the
        // reader hashes, and bounds memory.
        .max_send_buf_size(1 << 20)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .serve_connection(TokioIo::new(io), TowerToHyperService::new(routes))
        .await;
    if let Err(error) = served {
        // The engine hangs up when the build is over; the build's own result tells the story.
        tracing::debug!(%error, "session connection ended");
    }
}

/// Groups announced headers by lower-case name, as gRPC metadata wants them.
pub(crate) fn grouped(headers: &[(String, String)]) -> HashMap<String, Vec<String>> {
    let mut grouped: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in headers {
        grouped.entry(name.to_ascii_lowercase()).or_default().push(value.clone());
    }
    grouped
}
