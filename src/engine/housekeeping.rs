//! What a build leaves in the engine's cache, taken away again.

use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1 as control;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::pb;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;

use super::{BuildId, Engine, EngineError};

/// How long to wait for a directory to be deleted. An engine that has begun does not stop when
/// nobody waits, and a context of many files takes a slow disk many seconds.
const PATIENCE: Duration = Duration::from_millis(500);

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
///
/// Every call prunes one record. An engine answers with a message per record, and Docker 20.10
/// waits for ever, its cache locked, for a client that went away before the last but one
/// (moby/buildkit 0.8, control/control.go): whoever is interrupted here must leave no second.
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
    let mut found = control.disk_usage(request).await.map_err(failed)?.into_inner().record;
    // The large one last, so that running out of patience with it costs nothing.
    found.sort_by_key(|record| record.size);
    for record in found {
        match tokio::time::timeout(PATIENCE, prune(&mut control, &record.id)).await {
            Ok(pruned) => pruned.map_err(failed)?,
            // It is no longer listed, and the engine deletes on by itself.
            Err(_) => tracing::debug!(id = record.id, "still being deleted"),
        }
    }
    Ok(())
}

/// Returns as soon as the record is gone: some engines then still collect garbage for a while.
async fn prune(control: &mut ControlClient<Channel>, id: &str) -> Result<(), tonic::Status> {
    let request =
        control::PruneRequest { filter: vec![format!("id=={id}")], ..Default::default() };
    let pruned = control.prune(request).await?.into_inner().next().await.transpose()?;
    tracing::debug!(id, size = pruned.map(|record| record.size), "pruned");
    Ok(())
}
