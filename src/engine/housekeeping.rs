//! What a build leaves in the engine's cache, taken away again.

use bollard_buildkit_proto::moby::buildkit::v1 as control;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::pb;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;

use super::{BuildId, Engine, EngineError};

impl Engine {
    /// Empties the build's cache mounts and forgets the directories that were sent for it.
    ///
    /// `eraser` is a graph whose loading empties the mounts and which fails before anything runs
    /// (`cofferdam_frontend::graph::cache_eraser`).
    pub async fn clean_up(
        &self,
        locals: &[String],
        eraser: Option<pb::Definition>,
        id: &BuildId,
    ) -> Result<(), EngineError> {
        let channel = self.channel().await?;
        if let Some(definition) = eraser {
            erase(channel.clone(), definition, id).await;
        }
        forget(channel, locals).await
    }
}

impl Engine {
    /// BuildKit's own version; engines before 23.0 do not tell it.
    pub async fn buildkit_version(&self) -> Option<String> {
        let mut control = ControlClient::new(self.channel().await.ok()?);
        let info = control.info(control::InfoRequest {}).await.ok()?.into_inner();
        Some(info.buildkit_version?.version).filter(|version| !version.is_empty())
    }
}

async fn erase(channel: Channel, definition: pb::Definition, id: &BuildId) {
    let request = control::SolveRequest {
        r#ref: format!("{}-eraser", id.as_str()),
        definition: Some(definition),
        cache: Some(control::CacheOptions::default()),
        internal: true,
        ..control::SolveRequest::default()
    };
    // It is made to fail: what matters has happened by then.
    let answer = ControlClient::new(channel).solve(request).await;
    tracing::debug!(?answer, "emptied cache mounts");
}

async fn forget(channel: Channel, locals: &[String]) -> Result<(), EngineError> {
    let failed = |status: tonic::Status| EngineError::Control {
        what: "cannot prune the build's directories",
        message: status.message().to_string(),
    };
    let filter = locals
        .iter()
        .map(|local| format!("type==source.local,description==\"local source for {local}\""))
        .collect();
    let request = control::PruneRequest { filter, ..control::PruneRequest::default() };
    let answer = ControlClient::new(channel).prune(request).await.map_err(failed)?;
    let mut records = answer.into_inner();
    while let Some(record) = records.next().await {
        let record = record.map_err(failed)?;
        tracing::debug!(id = record.id, size = record.size, "pruned");
    }
    Ok(())
}
