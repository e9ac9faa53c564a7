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
const PATIENCE: Duration = Duration::from_millis(150);

/// How many times to run out of patience. A call that nobody waits for stays in the engine's queue:
/// one that holds a thousand directories of killed builds would be buried under such calls, a
/// thousand more with every build.
const SLOW_CALLS: usize = 3;

/// Matches what [`BuildId::local`] makes.
const SENT_DIRECTORIES: &str = "cofferdam-[a-z]+-[0-9a-f]{24}";

impl BuildId {
    /// The name of a directory that is sent for this build and no other: the engine remembers a
    /// directory by its name, and what it remembers can then be told from everybody else's.
    pub fn local(&self, what: &str) -> String {
        format!("cofferdam-{what}-{}", self.as_str())
    }
}

impl Engine {
    /// Empties the build's cache mounts and forgets directories that were sent for it, or for a
    /// build that was killed.
    ///
    /// `eraser` is a graph whose loading empties the mounts and which fails before anything runs
    /// (`cofferdam_frontend::graph::cache_eraser`).
    pub async fn clean_up(
        &self,
        eraser: Option<pb::Definition>,
        id: &BuildId,
    ) -> Result<(), EngineError> {
        let channel = self.channel().await?;
        if let Some(definition) = eraser {
            erase(channel.clone(), definition, id).await;
        }
        forget(channel, id).await
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
async fn forget(channel: Channel, id: &BuildId) -> Result<(), EngineError> {
    let failed = |status: tonic::Status| EngineError::Control {
        what: "cannot prune the build's directories",
        message: status.message().to_string(),
    };
    let mut control = ControlClient::new(channel);
    let request = control::DiskUsageRequest {
        filter: vec![format!("description~=\"^local source for {SENT_DIRECTORIES}$\"")],
        ..control::DiskUsageRequest::default()
    };
    let mut found = control.disk_usage(request).await.map_err(failed)?.into_inner().record;
    // Those of builds that are still running.
    found.retain(|record| !record.in_use);
    // This build's own first; the large one last, so that running out of patience costs nothing.
    found.sort_by_key(|record| (!record.description.contains(id.as_str()), record.size));
    let mut slow = 0;
    for record in found {
        match tokio::time::timeout(PATIENCE, prune(&mut control, &record.id)).await {
            Ok(pruned) => pruned.map_err(failed)?,
            // It is no longer listed, and the engine deletes on by itself.
            Err(_) => {
                tracing::debug!(id = record.id, "still being deleted");
                slow += 1;
            }
        }
        if slow == SLOW_CALLS {
            break;
        }
    }
    Ok(())
}

/// Returns as soon as the record is gone: some engines then still collect garbage for a while.
async fn prune(control: &mut ControlClient<Channel>, id: &str) -> Result<(), tonic::Status> {
    let request = control::PruneRequest { filter: vec![format!("id=={id}")], ..Default::default() };
    let pruned = control.prune(request).await?.into_inner().next().await.transpose()?;
    tracing::debug!(id, size = pruned.map(|record| record.size), "pruned");
    Ok(())
}
