//! Steps of our own in the progress: what is done outside of the engine's graph shows like the rest.

use std::fmt::Display;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexStatus};
use cofferdam_frontend::graph::digest;
use tokio::sync::mpsc;

/// How often the bytes of a step are told.
const INTERVAL: Duration = Duration::from_millis(200);

/// The progress of one build, to which steps can be added.
#[derive(Clone, Debug)]
pub(super) struct Steps(mpsc::Sender<StatusResponse>);

/// A step that is under way.
#[derive(Debug)]
pub(super) struct Step {
    steps: Steps,
    vertex: Vertex,
    told: Instant,
}

impl Steps {
    pub(super) fn new(progress: mpsc::Sender<StatusResponse>) -> Self {
        Self(progress)
    }

    /// Where the engine's own steps go.
    pub(super) fn sender(&self) -> mpsc::Sender<StatusResponse> {
        self.0.clone()
    }

    /// Begins a step.
    pub(super) async fn begin(&self, name: String) -> Step {
        let vertex = Vertex {
            digest: digest(name.as_bytes()),
            name,
            started: Some(now()),
            ..Vertex::default()
        };
        self.tell(StatusResponse { vertexes: vec![vertex.clone()], ..Default::default() }).await;
        Step { steps: self.clone(), vertex, told: Instant::now() }
    }

    /// Nobody listens after the last word: that is no failure of the step.
    async fn tell(&self, status: StatusResponse) {
        let _ = self.0.send(status).await;
    }
}

impl Step {
    /// Tells how far it is, in bytes, unless it was told a moment ago or nobody keeps up.
    pub(super) fn bytes(&mut self, what: &str, current: i64, total: i64) {
        if self.told.elapsed() < INTERVAL {
            return;
        }
        self.told = Instant::now();
        let status = VertexStatus {
            id: what.to_string(),
            vertex: self.vertex.digest.clone(),
            name: what.to_string(),
            current,
            total,
            timestamp: Some(now()),
            started: self.vertex.started,
            completed: None,
        };
        let _ = self
            .steps
            .0
            .try_send(StatusResponse { statuses: vec![status], ..StatusResponse::default() });
    }

    /// Ends it, well or badly.
    pub(super) async fn end<T, E: Display>(self, result: Result<T, E>) -> Result<T, E> {
        let Self { steps, mut vertex, .. } = self;
        vertex.completed = Some(now());
        if let Err(error) = &result {
            vertex.error = error.to_string();
        }
        steps.tell(StatusResponse { vertexes: vec![vertex], ..Default::default() }).await;
        result
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or_default(),
        nanos: i32::try_from(since.subsec_nanos()).unwrap_or_default(),
    }
}
