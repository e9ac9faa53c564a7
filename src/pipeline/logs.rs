//! What the steps print: a secret in it becomes a mark before anybody sees it, and ends the build.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, VertexLog};
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::graph::{Graph, STRIP};
use cofferdam_search::{Needles, Redactor, Searcher, Transform};
use tokio::sync::Notify;

use crate::engine::session::SecretStore;
use crate::engine::{Clean, Watcher};
use crate::error::Error;
use crate::request::DockerfileText;

/// Name of the rule.
const RULE: &str = "secret-in-log";
/// How BuildKit says that it drops output. Source: moby/buildkit, util/progress/logs/logs.go.
const CLIPPED: &[u8] = b"[output clipped, log limit";
/// How long the end of the log may take after the last step has ended.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// The log of one build.
pub(super) struct LogSearch {
    secrets: SecretStore,
    heard: Mutex<Heard>,
    changed: Notify,
}

#[derive(Default)]
struct Heard {
    /// Steps that printed a secret: its number, how it was written, and the step.
    hits: BTreeSet<(usize, Transform, String)>,
    /// Names of steps by their digests.
    names: BTreeMap<String, String>,
    /// Steps that began and have not ended.
    open: BTreeSet<String>,
    /// Strip steps that have ended; an end may be told twice.
    stripped: BTreeSet<String>,
    /// Whether the engine dropped output, which nobody has searched.
    clipped: bool,
    /// Whether the stream of the log was heard to its end.
    whole: bool,
    /// Lines of the Dockerfile by the names of steps.
    lines: BTreeMap<String, Vec<(String, usize, usize)>>,
}

/// What can be said of the log as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Searched {
    /// All of it was searched.
    Whole,
    /// What arrived was searched; the engine dropped the rest.
    Clipped,
    /// The engine did not tell all of it.
    Unheard,
}

impl LogSearch {
    pub(super) fn new(secrets: SecretStore) -> Self {
        Self { secrets, heard: Mutex::default(), changed: Notify::new() }
    }

    /// Who hears the log: nobody, where there is nothing to search for.
    pub(super) fn watcher(self: &Arc<Self>) -> Option<Arc<dyn Watcher>> {
        let searches = !self.secrets.needles().is_empty();
        searches.then(|| Arc::clone(self) as Arc<dyn Watcher>)
    }

    /// Takes note of where steps are written.
    pub(super) fn know(&self, graphs: &[&Graph]) {
        let steps = graphs.iter().flat_map(|graph| graph.named_steps());
        self.heard().lines.extend(steps);
    }

    /// Waits until the last of `platforms` strip steps has ended in the log, and with it all before;
    /// refuses the build when a step printed a secret.
    pub(super) async fn check(
        &self,
        platforms: usize,
        dockerfile: &DockerfileText,
    ) -> Result<(), Error> {
        if self.secrets.needles().is_empty() {
            return Ok(());
        }
        let ended = async {
            loop {
                let changed = self.changed.notified();
                if self.heard().has_ended(platforms) {
                    return;
                }
                changed.await;
            }
        };
        // What comes later is checked again before the image gets a name.
        let _ = tokio::time::timeout(LAST_WORDS, ended).await;
        self.refuse(dockerfile)
    }

    /// Refuses the build when a step printed a secret.
    pub(super) fn refuse(&self, dockerfile: &DockerfileText) -> Result<(), Error> {
        let heard = self.heard();
        let violations: Vec<Violation> =
            heard.hits.iter().map(|hit| self.violation(hit, &heard.lines)).collect();
        if violations.is_empty() {
            return Ok(());
        }
        Err(Error::Refused { names: Vec::new(), violations, text: Some(dockerfile.source()) })
    }

    fn violation(
        &self,
        (needle, transform, step): &(usize, Transform, String),
        lines: &BTreeMap<String, Vec<(String, usize, usize)>>,
    ) -> Violation {
        let name = self.secrets.sought_at(*needle).map(|sought| sought.name()).unwrap_or_default();
        Violation {
            rule: RULE,
            message: format!("a step printed the {name} ({}): {step}", transform.name()),
            lines: lines.get(step).cloned().unwrap_or_default(),
            span: None,
            fix: "keep the step from printing it, and revoke the secret where others read the \
                  engine's log: it shows the value"
                .into(),
        }
    }

    /// What can be said of it; true once the build has ended.
    pub(super) fn searched(&self) -> Searched {
        match &*self.heard() {
            Heard { clipped: true, .. } => Searched::Clipped,
            Heard { whole: true, .. } => Searched::Whole,
            Heard { .. } => Searched::Unheard,
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LogSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSearch").field("secrets", &self.secrets).finish_non_exhaustive()
    }
}

impl Heard {
    fn has_ended(&self, platforms: usize) -> bool {
        self.whole || (self.stripped.len() >= platforms && self.open.is_empty())
    }

    /// Takes note of which steps run.
    fn follow(&mut self, status: &StatusResponse) {
        for vertex in &status.vertexes {
            if !vertex.name.is_empty() {
                self.names.insert(vertex.digest.clone(), vertex.name.clone());
            }
            if vertex.completed.is_some() {
                self.open.remove(&vertex.digest);
                if vertex.name.contains(STRIP) {
                    self.stripped.insert(vertex.digest.clone());
                }
            } else if vertex.started.is_some() {
                self.open.insert(vertex.digest.clone());
            }
        }
    }
}

impl Watcher for LogSearch {
    fn begin(&self) -> Box<dyn Clean + '_> {
        let needles = self.secrets.needles();
        Box::new(Cleaner {
            log: self,
            needles,
            streams: BTreeMap::new(),
            search: Searcher::new(needles),
        })
    }
}

/// Reads one stream of progress.
struct Cleaner<'a> {
    log: &'a LogSearch,
    needles: &'a Needles,
    /// By step and by standard output and error, which have their own bytes.
    streams: BTreeMap<(String, i64), Redactor<'a>>,
    search: Searcher<'a>,
}

impl Clean for Cleaner<'_> {
    fn clean(&mut self, status: &mut StatusResponse) {
        for log in &mut status.logs {
            self.message(log);
        }
        let ended: BTreeSet<String> = status
            .vertexes
            .iter()
            .filter(|vertex| vertex.completed.is_some())
            .map(|vertex| vertex.digest.clone())
            .collect();
        status.logs.extend(self.rests(&ended));
        for vertex in &mut status.vertexes {
            self.line(&mut vertex.name);
            self.line(&mut vertex.error);
        }
        for warning in &mut status.warnings {
            self.bytes(&mut warning.short);
            warning.detail.iter_mut().for_each(|detail| self.bytes(detail));
        }
        self.log.heard().follow(status);
        self.log.changed.notify_waiters();
    }

    fn end(&mut self) {
        self.streams.clear();
        self.log.heard().whole = true;
        self.log.changed.notify_waiters();
    }
}

impl Cleaner<'_> {
    fn message(&mut self, log: &mut VertexLog) {
        if log.msg.windows(CLIPPED.len()).any(|part| part == CLIPPED) {
            self.log.heard().clipped = true;
        }
        let key = (log.vertex.clone(), log.stream);
        let needles = self.needles;
        let stream = self.streams.entry(key).or_insert_with(|| Redactor::new(needles));
        let shown = std::mem::take(&mut log.msg);
        stream.feed(&shown, &mut log.msg);
        remember(self.log, &log.vertex, stream);
    }

    /// What was held back of steps that have ended. More may come: a large log is told in parts,
    /// and its step's end comes with the first.
    fn rests(&mut self, ended: &BTreeSet<String>) -> Vec<VertexLog> {
        let mut rests = Vec::new();
        let streams = self.streams.iter_mut().filter(|((step, _), _)| ended.contains(step));
        for ((step, number), stream) in streams {
            let mut rest =
                VertexLog { vertex: step.clone(), stream: *number, ..Default::default() };
            stream.flush(&mut rest.msg);
            remember(self.log, step, stream);
            if !rest.msg.is_empty() {
                rests.push(rest);
            }
        }
        rests
    }

    fn line(&mut self, text: &mut String) {
        let mut bytes = std::mem::take(text).into_bytes();
        self.bytes(&mut bytes);
        *text = String::from_utf8_lossy(&bytes).into_owned();
    }

    /// A text that is whole, and was written by whoever wrote the Dockerfile.
    fn bytes(&mut self, text: &mut Vec<u8>) {
        self.search.feed(text);
        if self.search.finish().total > 0 {
            let mut stream = Redactor::new(self.needles);
            let shown = std::mem::take(text);
            stream.feed(&shown, text);
            stream.finish(text);
        }
    }
}

/// Takes note of what a step's stream has held so far.
fn remember(log: &LogSearch, step: &str, stream: &Redactor<'_>) {
    if stream.hits().is_empty() {
        return;
    }
    let mut heard = log.heard();
    let name = heard.names.get(step).cloned().unwrap_or_default();
    heard.hits.extend(stream.hits().iter().map(|hit| (hit.needle, hit.transform, name.clone())));
}

#[cfg(test)]
mod tests {
    use bollard_buildkit_proto::google::protobuf::Timestamp;
    use bollard_buildkit_proto::moby::buildkit::v1::Vertex;

    use super::*;
    use crate::engine::session::SecretValue;

    const VALUE: &str = "correct-horse-battery";

    fn search() -> LogSearch {
        let value = SecretValue::new(VALUE.as_bytes().to_vec());
        LogSearch::new(SecretStore::new([("npm".to_string(), value)].into()))
    }

    fn vertex(name: &str, ended: bool) -> StatusResponse {
        let time = Some(Timestamp::default());
        let vertex = Vertex {
            digest: format!("sha256:{name}"),
            name: name.into(),
            started: time,
            completed: time.filter(|_| ended),
            ..Vertex::default()
        };
        StatusResponse { vertexes: vec![vertex], ..StatusResponse::default() }
    }

    fn log(name: &str, stream: i64, msg: &str) -> StatusResponse {
        let log = VertexLog {
            vertex: format!("sha256:{name}"),
            stream,
            msg: msg.into(),
            ..VertexLog::default()
        };
        StatusResponse { logs: vec![log], ..StatusResponse::default() }
    }

    /// What is shown of these messages, one after the other.
    fn shown(search: &LogSearch, messages: Vec<StatusResponse>) -> String {
        let mut cleaner = search.begin();
        let mut shown = String::new();
        for mut message in messages {
            cleaner.clean(&mut message);
            for log in message.logs {
                shown += &String::from_utf8_lossy(&log.msg);
            }
        }
        cleaner.end();
        shown
    }

    fn dockerfile() -> DockerfileText {
        DockerfileText::nameless("Dockerfile", b"FROM x\nRUN y\n".to_vec())
    }

    #[test]
    fn a_secret_in_pieces_is_marked_and_refused_and_streams_are_not_mixed() {
        let search = search();
        let text = shown(
            &search,
            vec![
                vertex("[2/2] RUN y", false),
                log("[2/2] RUN y", 1, "it is correct-ho"),
                log("[2/2] RUN y", 2, "a warning\n"),
                log("[2/2] RUN y", 1, "rse-battery!\n"),
                vertex("[2/2] RUN y", true),
            ],
        );
        assert_eq!(text, "it is a warning\n***!\n");
        let refused = search.refuse(&dockerfile()).unwrap_err().to_string();
        assert!(refused.contains("npm") && refused.contains("[2/2] RUN y"), "{refused}");
        assert!(!refused.contains(VALUE));
        assert_eq!(search.searched(), Searched::Whole);
    }

    #[test]
    fn what_only_looks_like_a_beginning_is_shown_in_the_end() {
        let search = search();
        let messages =
            vec![vertex("s", false), log("s", 1, "no newline, correct-horse"), vertex("s", true)];
        assert_eq!(shown(&search, messages), "no newline, correct-horse");
        assert!(search.refuse(&dockerfile()).is_ok());
    }

    #[test]
    fn names_and_errors_of_steps_are_cleaned() {
        let search = search();
        let mut status = vertex(&format!("[1/1] RUN echo {VALUE}"), true);
        status.vertexes[0].error = format!("process echo {VALUE} failed");
        search.begin().clean(&mut status);
        assert_eq!(status.vertexes[0].name, "[1/1] RUN echo ***");
        assert_eq!(status.vertexes[0].error, "process echo *** failed");
    }

    #[test]
    fn dropped_output_is_never_called_searched() {
        let search = search();
        shown(&search, vec![log("s", 1, "[output clipped, log limit 2MiB reached]\n")]);
        assert_eq!(search.searched(), Searched::Clipped);
        assert_eq!(super::tests::search().searched(), Searched::Unheard);
    }

    #[tokio::test]
    async fn the_check_waits_for_the_last_step_and_its_words() {
        let search = search();
        let mut cleaner = search.begin();
        cleaner.clean(&mut vertex("s", false));
        let file = dockerfile();
        let check = search.check(1, &file);
        let tell = async {
            tokio::task::yield_now().await;
            cleaner.clean(&mut log("s", 1, VALUE));
            cleaner.clean(&mut vertex("s", true));
            cleaner.clean(&mut vertex(STRIP, true));
        };
        let (checked, ()) = tokio::join!(check, tell);
        assert!(checked.is_err());
    }
}
