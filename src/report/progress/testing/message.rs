//! Status streams told message by message.

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as api;
use bollard_buildkit_proto::pb;

/// A message of the status stream; times are milliseconds after some start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(pub(crate) api::StatusResponse);

pub(crate) fn stamp(millis: i64) -> Timestamp {
    Timestamp {
        seconds: 1_700_000_000 + millis.div_euclid(1000),
        nanos: (millis.rem_euclid(1000) * 1_000_000) as i32,
    }
}

impl Message {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn vertex(
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

    pub(crate) fn last(mut self, change: impl FnOnce(&mut api::Vertex)) -> Self {
        change(self.0.vertexes.last_mut().unwrap());
        self
    }

    pub(crate) fn cached(self) -> Self {
        self.last(|vertex| vertex.cached = true)
    }

    pub(crate) fn error(self, text: &str) -> Self {
        self.last(|vertex| vertex.error = text.into())
    }

    pub(crate) fn group(self, id: &str, weak: bool) -> Self {
        self.last(|vertex| {
            vertex.progress_group =
                Some(pb::ProgressGroup { id: id.into(), name: format!("group {id}"), weak });
        })
    }

    pub(crate) fn log(mut self, vertex: &str, at: i64, text: impl AsRef<[u8]>) -> Self {
        self.0.logs.push(api::VertexLog {
            vertex: format!("sha256:{vertex}"),
            timestamp: Some(stamp(at)),
            stream: 1,
            msg: text.as_ref().to_vec(),
        });
        self
    }

    pub(crate) fn transfer(
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

    pub(crate) fn warning(mut self, vertex: &str, short: &str) -> Self {
        self.0.warnings.push(api::VertexWarning {
            vertex: format!("sha256:{vertex}"),
            short: short.into(),
            ..Default::default()
        });
        self
    }
}

/// A message with one vertex in it.
pub(crate) fn vertex(name: &str, started: Option<i64>, completed: Option<i64>) -> Message {
    Message::new().vertex(name, started, completed)
}
