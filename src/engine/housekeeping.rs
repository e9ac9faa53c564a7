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

/// Prunes by id: old engines filter a prune by little else, and an id can only be ours.
async fn forget(channel: Channel, locals: &[String]) -> Result<(), EngineError> {
    let failed = |status: tonic::Status| EngineError::Control {
        what: "cannot prune the build's directories",
        message: status.message().to_string(),
    };
    let mut control = ControlClient::new(channel);
    let described = |local: &String| format!("description==\"local source for {local}\"");
    let request = control::DiskUsageRequest {
        filter: locals.iter().map(described).collect(),
        ..control::DiskUsageRequest::default()
    };
    let found = control.disk_usage(request).await.map_err(failed)?.into_inner().record;
    if found.is_empty() {
        return Ok(());
    }
    let filter = found.iter().map(|record| format!("id=={}", record.id)).collect();
    let request = control::PruneRequest { filter, ..control::PruneRequest::default() };
    let mut pruned = control.prune(request).await.map_err(failed)?.into_inner();
    while let Some(record) = pruned.next().await {
        let record = record.map_err(failed)?;
        tracing::debug!(id = record.id, size = record.size, "pruned");
    }
    Ok(())
}
