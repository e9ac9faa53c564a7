//! An engine and a build that is only opened, below the command line.

use std::collections::BTreeMap;

use cofferdam::engine::session::{Filesync, RegistryAuth, SecretStore, Services};
use cofferdam::engine::{
    ActiveBuild, BuildId, Endpoint, EngineKind, Exporter, Opening, SessionTransport,
};

use super::Engine;

impl Engine {
    /// A connection to it.
    pub async fn connected(&self) -> cofferdam::engine::Engine {
        let endpoint = Endpoint::parse(Some(&self.host)).unwrap();
        cofferdam::engine::Engine::connect(endpoint, EngineKind::Docker).await.unwrap()
    }
}

/// Opens a build that has these files and nothing else; nobody hears of its progress.
pub async fn open(
    engine: &'static Engine,
    files: Filesync,
    transport: SessionTransport,
) -> ActiveBuild {
    let connected = engine.connected().await;
    let id = BuildId::random().unwrap();
    let (progress, mut seen) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move { while seen.recv().await.is_some() {} });
    let services = Services {
        files,
        secrets: SecretStore::default(),
        auth: RegistryAuth::default(),
        outputs: None,
        ssh: None,
        uploads: None,
        content: None,
    };
    let opening = Opening {
        shared_key: id.as_str().to_string(),
        services,
        transport,
        exporters: vec![Exporter::store()],
        entitlements: Vec::new(),
        options: BTreeMap::new(),
        watcher: None,
    };
    connected.start(&id, opening, progress).await.unwrap()
}
