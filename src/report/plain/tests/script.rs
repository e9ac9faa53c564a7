//! Builds told message by message.

use std::cell::Cell;
use std::time::Duration;

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as api;
use bollard_buildkit_proto::pb;

use crate::report::filter::{Filter, Unfiltered};
use crate::report::plain::{Clock, PlainProgress};

/// A clock that stands where the test puts it, in milliseconds.
#[derive(Default)]
pub(super) struct ManualClock(pub(super) Cell<u64>);

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

/// One build, told message by message.
pub(super) struct Build<F: Filter = Unfiltered> {
    pub(super) progress: PlainProgress<ManualClock, F>,
    out: Vec<u8>,
}

impl Build {
    pub(super) fn new() -> Self {
        Self::filtered(Unfiltered)
    }
}

impl<F: Filter> Build<F> {
    pub(super) fn filtered(filter: F) -> Self {
        Self { progress: PlainProgress::new(ManualClock::default(), filter), out: Vec::new() }
    }

    /// Sends a message at a time and lets the refresh that follows it happen.
    pub(super) fn at(&mut self, millis: u64, message: &Message) -> &mut Self {
        self.progress.clock.0.set(millis);
        self.progress.update(&message.0, &mut self.out).unwrap();
        self.progress.refresh(&mut self.out).unwrap();
        self
    }

    pub(super) fn end(&mut self) -> String {
        self.progress.finish(&mut self.out).unwrap();
        String::from_utf8_lossy(&self.out).into_owned()
    }
}

/// A message of the status stream; times are milliseconds after some start.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(pub(super) api::StatusResponse);

fn stamp(millis: i64) -> Timestamp {
    Timestamp {
        seconds: 1_700_000_000 + millis.div_euclid(1000),
        nanos: (millis.rem_euclid(1000) * 1_000_000) as i32,
    }
}

impl Message {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn vertex(
        mut self,
        name: &str,
        started: Option<i64>,
        completed: Option<i64>,
    ) -> Self {
        self.0.vertexes.push(api::Vertex {
            digest: format!("sha256:{name}"),
            name: name.into(),
            started: started.map(stamp),
            completed: completed.map(stamp),
            ..Default::default()
        });
        self
    }

    pub(super) fn last(mut self, change: impl FnOnce(&mut api::Vertex)) -> Self {
        change(self.0.vertexes.last_mut().unwrap());
        self
    }

    pub(super) fn cached(self) -> Self {
        self.last(|vertex| vertex.cached = true)
    }

    pub(super) fn error(self, text: &str) -> Self {
        self.last(|vertex| vertex.error = text.into())
    }

    pub(super) fn group(self, id: &str, weak: bool) -> Self {
        self.last(|vertex| {
            vertex.progress_group =
                Some(pb::ProgressGroup { id: id.into(), name: format!("group {id}"), weak });
        })
    }

    pub(super) fn log(mut self, vertex: &str, at: i64, text: impl AsRef<[u8]>) -> Self {
        self.0.logs.push(api::VertexLog {
            vertex: format!("sha256:{vertex}"),
            timestamp: Some(stamp(at)),
            stream: 1,
            msg: text.as_ref().to_vec(),
        });
        self
    }

    pub(super) fn transfer(
        mut self,
        vertex: &str,
        id: &str,
        (current, total): (i64, i64),
        (started, at): (i64, i64),
        done: bool,
    ) -> Self {
        self.0.statuses.push(api::VertexStatus {
            id: id.into(),
            vertex: format!("sha256:{vertex}"),
            current,
            total,
            timestamp: Some(stamp(at)),
            started: Some(stamp(started)),
            completed: done.then(|| stamp(at)),
            ..Default::default()
        });
        self
    }

    pub(super) fn warning(mut self, vertex: &str, short: &str) -> Self {
        self.0.warnings.push(api::VertexWarning {
            vertex: format!("sha256:{vertex}"),
            short: short.into(),
            ..Default::default()
        });
        self
    }
}

/// A message with one vertex in it.
pub(super) fn vertex(name: &str, started: Option<i64>, completed: Option<i64>) -> Message {
    Message::new().vertex(name, started, completed)
}
