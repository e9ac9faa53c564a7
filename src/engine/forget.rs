//! Taking a build's layers out of the engine again, because of what is in them.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as control;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use tonic::transport::Channel;

use super::housekeeping::prune;
use super::{Engine, EngineError};

/// How often and how long to wait until the engine has let go of a build that ended.
const LOOKS: usize = 30;
const BETWEEN: Duration = Duration::from_millis(100);
/// How long one call may take: a layer can hold a million files.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of the layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many records are gone.
    pub removed: usize,
    /// Ids of those that are still there.
    pub left: Vec<String>,
}

/// Which of the engine's records are of a build.
#[derive(Clone, Debug)]
pub struct Trace {
    /// When its first step began, by the engine's clock.
    pub since: Option<Timestamp>,
    /// What the records of its steps say.
    pub descriptions: BTreeSet<String>,
}

impl Trace {
    /// Whether a record may be the build's. Another build may have left it that runs the same steps
    /// at this time; to that one it is no more than cache.
    fn covers(&self, record: &control::UsageRecord) -> bool {
        let at = |time: &Timestamp| (time.seconds, time.nanos);
        let ours = self.descriptions.contains(&record.description);
        let since = self.since.as_ref().map(at);
        ours && record.created_at.as_ref().map(at) >= since
    }
}

impl Engine {
    /// Removes what the steps of a build that has ended left in the cache, and looks whether it is
    /// gone.
    pub async fn forget_steps(&self, trace: &Trace) -> Result<Forgotten, EngineError> {
        let channel = self.channel().await?;
        let mut found = listed(channel.clone(), trace).await?;
        // It lets go of a build a moment after it has said that the build is over.
        for _ in 0..LOOKS {
            if !found.iter().any(|record| record.in_use) {
                break;
            }
            tokio::time::sleep(BETWEEN).await;
            found = listed(channel.clone(), trace).await?;
        }
        let total = found.len();
        // Nothing goes that something stands on: the youngest first.
        found.sort_by_key(|record| {
            std::cmp::Reverse(record.created_at.as_ref().map(|at| (at.seconds, at.nanos)))
        });
        let ids: Vec<String> = found.into_iter().map(|record| record.id).collect();
        let several = if self.prunes_several() { ids.len().max(1) } else { 1 };
        let mut control = ControlClient::new(channel.clone());
        for ids in ids.chunks(several) {
            match tokio::time::timeout(PATIENCE, prune(&mut control, ids)).await {
                Ok(Ok(())) => {}
                Ok(Err(status)) => tracing::debug!(%status, "cannot prune a layer"),
                Err(_) => tracing::debug!(?ids, "still being deleted"),
            }
        }
        let left: Vec<String> =
            listed(channel, trace).await?.into_iter().map(|record| record.id).collect();
        Ok(Forgotten { removed: total.saturating_sub(left.len()), left })
    }
}

async fn listed(channel: Channel, trace: &Trace) -> Result<Vec<control::UsageRecord>, EngineError> {
    let answer = ControlClient::new(channel).disk_usage(control::DiskUsageRequest::default()).await;
    let answer = answer.map_err(|status| EngineError::Control {
        what: "cannot list the build's layers",
        message: status.message().to_string(),
    })?;
    let mut records = answer.into_inner().record;
    records.retain(|record| trace.covers(record));
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_steps_left_since_the_build_began_is_its_own() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let descriptions = ["mount / from exec make".to_string()].into();
        let trace = Trace { since: at(100), descriptions };
        let record = |description: &str, created_at| control::UsageRecord {
            description: description.into(),
            created_at,
            ..control::UsageRecord::default()
        };
        assert!(trace.covers(&record("mount / from exec make", at(100))));
        assert!(!trace.covers(&record("mount / from exec make", at(99))));
        assert!(!trace.covers(&record("mount / from exec make", None)));
        assert!(!trace.covers(&record("pulled from docker.io/library/a", at(101))));
    }
}
