//! What a build leaves in the engine's cache, taken away again.

use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1 as control;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::pb;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;

use super::{BuildId, Engine, EngineError, EngineKind};

/// How long to wait for an answer to a prune. An engine that has begun does not stop when nobody
/// waits, and a context of many files takes a slow disk many seconds.
const PATIENCE: Duration = Duration::from_millis(150);

/// How long to wait for another record that is gone.
const PAUSE: Duration = Duration::from_millis(500);

/// How many times to run out of patience. A call that nobody waits for stays in the engine's queue:
/// one that holds a thousand directories of killed builds would be buried under such calls, a
/// thousand more with every build.
const SLOW_CALLS: usize = 3;

/// How many records one call names, and how many calls are for other builds' directories: every
/// call makes the engine walk through all that its cache knows, whatever it prunes.
const SEVERAL: usize = 64;
const CALLS_FOR_OTHERS: usize = 2;

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
        forget(channel, id, self.prunes_several()).await
    }

    /// Whether a prune may name several records.
    ///
    /// An engine answers with a message for each, and BuildKit before 0.12 waits for ever, its cache
    /// locked, for a client that went away before the last but one (moby/buildkit,
    /// control/control.go): whoever is interrupted there must leave no second.
    pub(super) fn prunes_several(&self) -> bool {
        let version = self.facts().version.as_str();
        match self.kind() {
            EngineKind::Docker => at_least(version, (25, 0)),
            EngineKind::BuildKit => at_least(version, (0, 12)),
        }
    }
}

/// Whether a version is this one or newer; one that cannot be read is not.
fn at_least(version: &str, wanted: (u32, u32)) -> bool {
    let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
    let mut number = || parts.next()?.parse::<u32>().ok();
    number().zip(number()).is_some_and(|found| found >= wanted)
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
async fn forget(channel: Channel, id: &BuildId, several: bool) -> Result<(), EngineError> {
    let failed = |status: tonic::Status| EngineError::Control {
        what: "cannot prune the build's directories",
        message: status.message().to_string(),
    };
    let mut control = ControlClient::new(channel);
    let request = control::DiskUsageRequest {
        filter: vec![format!("description~=\"^local source for {SENT_DIRECTORIES}$\"")],
        ..control::DiskUsageRequest::default()
    };
    let found = control.disk_usage(request).await.map_err(failed)?.into_inner().record;
    let mut slow = 0;
    for ids in calls(found, id.as_str(), several) {
        match tokio::time::timeout(PATIENCE, prune(&mut control, &ids)).await {
            Ok(pruned) => pruned.map_err(failed)?,
            // They are no longer listed, and the engine deletes on by itself.
            Err(_) => {
                tracing::debug!(?ids, "still being deleted");
                slow += 1;
            }
        }
        if slow == SLOW_CALLS {
            break;
        }
    }
    Ok(())
}

/// The records that nobody uses, as one list of ids for each call.
///
/// This build's own come first; the large ones last, so that running out of patience costs nothing.
fn calls(mut found: Vec<control::UsageRecord>, build: &str, several: bool) -> Vec<Vec<String>> {
    // Those of builds that are still running.
    found.retain(|record| !record.in_use);
    found.sort_by_key(|record| record.size);
    let (own, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|record| record.description.contains(build));
    let ids = |records: &[control::UsageRecord]| {
        records.iter().map(|record| record.id.clone()).collect::<Vec<_>>()
    };
    if !several {
        return own.chunks(1).chain(others.chunks(1)).map(ids).collect();
    }
    own.chunks(SEVERAL).chain(others.chunks(SEVERAL).take(CALLS_FOR_OTHERS)).map(ids).collect()
}

/// Returns as soon as the records are gone, or those of them that nobody uses: engines then look
/// through all that they know, which takes minutes when many do it at once.
pub(super) async fn prune(
    control: &mut ControlClient<Channel>,
    ids: &[String],
) -> Result<(), tonic::Status> {
    // Any of several filters is enough.
    let filter = ids.iter().map(|id| format!("id=={id}")).collect();
    let request = control::PruneRequest { filter, ..Default::default() };
    let mut gone = control.prune(request).await?.into_inner();
    let mut next = gone.next().await.transpose()?;
    let mut count = 0;
    while let Some(record) = next {
        tracing::debug!(id = record.id, size = record.size, "pruned");
        count += 1;
        if count == ids.len() {
            break;
        }
        let Ok(answer) = tokio::time::timeout(PAUSE, gone.next()).await else { break };
        next = answer.transpose()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, build: &str, size: i64) -> control::UsageRecord {
        control::UsageRecord {
            id: id.into(),
            description: format!("local source for cofferdam-context-{build}"),
            size,
            ..control::UsageRecord::default()
        }
    }

    #[test]
    fn own_records_are_one_call_and_come_first() {
        let build = "b1";
        let mut found =
            vec![record("other", "b2", 1), record("big", "b1", 9), record("small", "b1", 2)];
        found.push(control::UsageRecord { in_use: true, ..record("used", "b1", 3) });
        let each = calls(found.clone(), build, false);
        assert_eq!(each, [["small"], ["big"], ["other"]]);
        let together = calls(found.clone(), build, true);
        assert_eq!(together, [vec!["small", "big"], vec!["other"]]);
        found.extend((0..1000).map(|n| record(&n.to_string(), "b3", 1)));
        assert_eq!(calls(found, build, true).len(), 1 + CALLS_FOR_OTHERS);
    }

    #[test]
    fn versions_that_cannot_be_read_are_old() {
        for (version, expected) in [
            ("25.0.3", true),
            ("26.1.5+dfsg1", true),
            ("29.0.0-rc.1", true),
            ("24.0.7", false),
            ("20.10.24+dfsg1", false),
            ("library-import", false),
            ("", false),
        ] {
            assert_eq!(at_least(version, (25, 0)), expected, "{version}");
        }
        assert!(at_least("v0.13.2", (0, 12)) && at_least("v1.0", (0, 12)));
        assert!(!at_least("v0.11.6", (0, 12)) && !at_least("v0.0.0+unknown", (0, 12)));
    }
}
