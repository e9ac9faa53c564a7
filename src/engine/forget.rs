//! Taking a build's layers out of the engine again, because of what is in them.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as control;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use tonic::transport::Channel;

use super::housekeeping::prune;
use super::{Engine, EngineError};

/// How often to look until the engine has let go of a build that ended: 20 s in all. It does so
/// after it has said that the build is over, and later when it has a lot to do. After every prune of
/// somebody's it also uses each record for a moment, to see whether it is there, and what is in use
/// in that moment is not pruned.
const LOOKS: u32 = 14;
/// The same where only others seem to use what is there: 2 s.
const LOOKS_AT_OTHERS: u32 = 4;
/// How long to wait after the first look, and at most.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// How long one call may take: a layer can hold a million files, and an engine prunes for one at a
/// time, which other builds make use of too. Who gives up leaves the layers there.
const PATIENCE: Duration = Duration::from_secs(180);

/// What became of the layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many records are gone.
    pub removed: usize,
    /// Ids of those that are still there.
    pub left: Vec<String>,
}

/// What the records of a build's steps say; an engine's records name no step.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// Those that a build has to itself, unless another runs the same steps at the same time; to
    /// that one they are no more than cache.
    pub own: BTreeSet<String>,
    /// Those that every build leaves.
    pub shared: BTreeSet<String>,
}

impl Traces {
    /// Whether a record may be the build's that began then, by the engine's clock.
    ///
    /// What an image holds, for which the engine says `shared` and which it does not prune, is not
    /// of a build that made none.
    fn cover(&self, record: &control::UsageRecord, since: Option<Timestamp>) -> bool {
        let shared = self.shared.contains(&record.description) && !record.shared;
        let ours = self.is_own(record) || shared;
        ours && born(record) >= since.map(at)
    }

    /// Whether it is in use by somebody else, as far as can be told.
    fn is_foreign(&self, record: &control::UsageRecord) -> bool {
        record.in_use && !self.is_own(record)
    }

    fn is_own(&self, record: &control::UsageRecord) -> bool {
        self.own.contains(&record.description)
    }

    /// Ids of records that may be another build's, and that nobody uses.
    fn doubtful<'a>(&self, found: &'a [control::UsageRecord]) -> Vec<&'a str> {
        let doubtful = found.iter().filter(|record| !record.in_use && !self.is_own(record));
        doubtful.map(|record| record.id.as_str()).collect()
    }

    /// Drops those of `found` that others' layers stand on, which are among `above`: no prune takes
    /// them, and nothing but its own stands on a layer of this build, unless another had the very
    /// same layer to make.
    fn drop_foundations(
        &self,
        found: &mut Vec<control::UsageRecord>,
        above: &[control::UsageRecord],
    ) {
        loop {
            let ours: BTreeSet<&str> = found.iter().map(|record| record.id.as_str()).collect();
            let others = above.iter().filter(|record| !ours.contains(record.id.as_str()));
            let below: BTreeSet<&str> = others.flat_map(parents).collect();
            let before = found.len();
            found.retain(|record| self.is_own(record) || !below.contains(record.id.as_str()));
            if found.len() == before {
                return;
            }
        }
    }

    /// Asks for the records with these words and for no others: an engine measures what it lists,
    /// and what it measures is in use. An ordinary build that wants its cache mount in that moment
    /// gets an empty one.
    fn filters(&self) -> Vec<String> {
        let words = self.own.union(&self.shared);
        words.map(|words| format!("description=={}", quoted(words))).collect()
    }
}

/// A string of [containerd's filters], which read Go's escapes and refuse U+FFFD as it stands.
///
/// [containerd's filters]: https://pkg.go.dev/github.com/containerd/containerd/v2/pkg/filters
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            ' '..='~' => quoted.push(char),
            _ => quoted.push_str(&format!("\\U{:08x}", u32::from(char))),
        }
    }
    quoted.push('"');
    quoted
}

impl Engine {
    /// Removes what the steps of a build that has ended left in the cache, and looks whether it is
    /// gone.
    pub async fn forget_steps(
        &self,
        traces: &Traces,
        since: Option<Timestamp>,
    ) -> Result<Forgotten, EngineError> {
        let channel = self.channel().await?;
        let mut control = ControlClient::new(channel);
        let (mut pruned, mut last) = (BTreeSet::new(), None);
        let mut look = 0;
        loop {
            let mut found = list(&mut control, traces.filters()).await?;
            found.retain(|record| traces.cover(record, since));
            // What came since is of builds that began later.
            let last = *last.get_or_insert_with(|| found.iter().map(born).max().flatten());
            found.retain(|record| born(record) <= last);
            if look > 0 {
                let above = above(&mut control, traces.doubtful(&found)).await?;
                traces.drop_foundations(&mut found, &above);
            }
            let (held, free): (Vec<_>, Vec<_>) = found.into_iter().partition(|r| r.in_use);
            let own: Vec<_> = held.iter().filter(|record| !traces.is_foreign(record)).collect();
            tracing::debug!(look, own = own.len(), held = held.len(), free = free.len(), "looked");
            let enough = match () {
                () if held.is_empty() && free.is_empty() => 0,
                () if own.is_empty() && free.is_empty() => LOOKS_AT_OTHERS,
                () => LOOKS,
            };
            if look >= enough {
                let left = own.into_iter().chain(&free).map(|record| record.id.clone());
                let left: Vec<String> = left.collect();
                pruned.retain(|id| !left.contains(id));
                return Ok(Forgotten { removed: pruned.len(), left });
            }
            self.prune_all(&mut control, free, &mut pruned).await;
            if look > 0 || !held.is_empty() {
                tokio::time::sleep(LONGEST.min(SHORTEST * 2_u32.pow(look))).await;
            }
            look += 1;
        }
    }

    /// Asks for the removal of records that nobody uses.
    async fn prune_all(
        &self,
        control: &mut ControlClient<Channel>,
        mut records: Vec<control::UsageRecord>,
        pruned: &mut BTreeSet<String>,
    ) {
        // Nothing goes that something stands on: the youngest first.
        records.sort_by_key(|record| Reverse(born(record)));
        let ids: Vec<String> = records.into_iter().map(|record| record.id).collect();
        let several = if self.prunes_several() { ids.len().max(1) } else { 1 };
        for ids in ids.chunks(several) {
            match tokio::time::timeout(PATIENCE, prune(control, ids)).await {
                Ok(Ok(())) => {}
                Ok(Err(status)) => tracing::debug!(%status, "cannot prune a layer"),
                Err(_) => tracing::debug!(?ids, "still being deleted"),
            }
        }
        pruned.extend(ids);
    }
}

/// Ids of the records that one stands on.
fn parents(record: &control::UsageRecord) -> impl Iterator<Item = &str> {
    #[expect(deprecated, reason = "up to BuildKit 0.9 there is no other")]
    let only = &record.parent;
    record.parents.iter().chain([only]).map(String::as_str)
}

/// When the engine made a record.
fn born(record: &control::UsageRecord) -> Option<(i64, i32)> {
    record.created_at.map(at)
}

fn at(time: Timestamp) -> (i64, i32) {
    (time.seconds, time.nanos)
}

/// The records that stand on these.
async fn above(
    control: &mut ControlClient<Channel>,
    ids: Vec<&str>,
) -> Result<Vec<control::UsageRecord>, EngineError> {
    // Up to BuildKit 0.9 a record has one parent, and the field another name.
    let filters = ids.iter().flat_map(|id| [format!("parent=={id}"), format!("parents~={id}")]);
    list(control, filters.collect()).await
}

/// What of an engine's cache passes one of the filters.
async fn list(
    control: &mut ControlClient<Channel>,
    filter: Vec<String>,
) -> Result<Vec<control::UsageRecord>, EngineError> {
    // No filter at all would let everything through.
    if filter.is_empty() {
        return Ok(Vec::new());
    }
    let request = control::DiskUsageRequest { filter, ..Default::default() };
    let answer = control.disk_usage(request).await.map_err(|status| EngineError::Control {
        what: "cannot list the build's layers",
        message: status.message().to_string(),
    })?;
    Ok(answer.into_inner().record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(description: &str, seconds: i64, in_use: bool) -> control::UsageRecord {
        control::UsageRecord {
            description: description.into(),
            created_at: Some(Timestamp { seconds, nanos: 0 }),
            in_use,
            ..control::UsageRecord::default()
        }
    }

    #[test]
    fn only_what_the_steps_left_since_the_build_began_is_its_own() {
        let (own, shared) = ("mount / from exec make", "fileop target");
        let traces = Traces { own: [own.into()].into(), shared: [shared.into()].into() };
        let covered = |record: &control::UsageRecord| {
            traces.cover(record, Some(Timestamp { seconds: 100, nanos: 0 }))
        };
        assert!(covered(&record(own, 100, false)) && covered(&record(shared, 101, false)));
        assert!(!covered(&record(own, 99, false)));
        let in_an_image = |said| control::UsageRecord { shared: true, ..record(said, 101, false) };
        assert!(covered(&in_an_image(own)) && !covered(&in_an_image(shared)));
        assert!(!covered(&record("pulled from docker.io/library/a", 101, false)));
        let timeless = control::UsageRecord { created_at: None, ..record(own, 0, false) };
        assert!(!covered(&timeless));
        assert!(traces.is_foreign(&record(shared, 101, true)));
        assert!(!traces.is_foreign(&record(own, 101, true)));
    }

    #[test]
    fn what_others_build_on_is_theirs() {
        let traces =
            Traces { own: ["make".into()].into(), shared: ["fileop target".into()].into() };
        let layer = |id: &str, said, below: &str| control::UsageRecord {
            id: id.into(),
            parents: vec![below.into()],
            ..record(said, 101, false)
        };
        #[expect(deprecated, reason = "as the oldest engines say it")]
        let old = |id, said, below: &str| control::UsageRecord {
            parents: Vec::new(),
            parent: below.into(),
            ..layer(id, said, "")
        };
        let mut found = vec![
            layer("ours", "fileop target", "base"),
            layer("made", "make", "ours"),
            layer("theirs-below", "fileop target", "base"),
            old("theirs", "fileop target", "theirs-below"),
        ];
        assert_eq!(traces.doubtful(&found), ["ours", "theirs-below", "theirs"]);
        let above = [
            found[1].clone(),
            found[3].clone(),
            old("their-step", "other", "theirs"),
            layer("on-our-step", "other", "made"),
        ];
        traces.drop_foundations(&mut found, &above);
        assert_eq!(Vec::from_iter(found.iter().map(|record| &record.id)), ["ours", "made"]);
    }

    #[test]
    fn only_records_with_the_words_of_the_steps_are_asked_for() {
        let traces = Traces {
            own: ["echo \"\\n\"\n\u{fffd}é".into()].into(),
            shared: ["fileop target".into()].into(),
        };
        assert_eq!(
            traces.filters(),
            [
                r#"description=="echo \"\\n\"\U0000000a\U0000fffd\U000000e9""#,
                r#"description=="fileop target""#
            ]
        );
    }
}
