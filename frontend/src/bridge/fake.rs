//! A bridge that answers from a script, for tests of everything above it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::{Bridge, BridgeError, Capabilities, Container, Ended, Input, Limits, Solve, Solved};

/// Answers in order and remembers what it was asked.
#[derive(Debug, Default)]
pub struct FakeBridge {
    /// What `ping` says.
    pub capabilities: Capabilities,
    answers: Mutex<VecDeque<Result<Solved, BridgeError>>>,
    files: Mutex<VecDeque<Vec<u8>>>,
    tree: BTreeMap<(String, String), Vec<u8>>,
    asked: Mutex<Vec<Solve>>,
    ends: Mutex<VecDeque<Result<Ended, BridgeError>>>,
    ran: Mutex<Vec<Container>>,
    read: Mutex<Vec<Option<Vec<u8>>>>,
}

impl FakeBridge {
    /// A bridge that will answer each `solve` with the next of `answers` and each `read_file` with
    /// the next of `files`.
    pub fn new(answers: Vec<Result<Solved, BridgeError>>, files: Vec<Vec<u8>>) -> Self {
        Self {
            answers: Mutex::new(answers.into()),
            files: Mutex::new(files.into()),
            ..Self::default()
        }
    }

    /// The same bridge with a file in one of its results; with one, any other file is missing.
    #[must_use]
    pub fn with_file(mut self, reference: &str, path: &str, bytes: &[u8]) -> Self {
        self.tree.insert((reference.into(), path.into()), bytes.to_vec());
        self
    }

    /// The same bridge with another answer to `ping`.
    #[must_use]
    pub fn with_capabilities(self, capabilities: Capabilities) -> Self {
        Self { capabilities, ..self }
    }

    /// The same bridge whose containers end like this, in this order.
    #[must_use]
    pub fn with_ends(self, ends: Vec<Result<Ended, BridgeError>>) -> Self {
        Self { ends: Mutex::new(ends.into()), ..self }
    }

    /// Every container so far, in order.
    pub fn ran(&self) -> Vec<Container> {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What each of them read, when it read something.
    pub fn read(&self) -> Vec<Option<Vec<u8>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every solve request so far, in order.
    pub fn asked(&self) -> Vec<Solve> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn exhausted(what: &str) -> BridgeError {
    BridgeError::Build { message: format!("the script holds no further {what}"), blame: None }
}

impl Bridge for FakeBridge {
    async fn ping(&self) -> Result<Capabilities, BridgeError> {
        Ok(self.capabilities.clone())
    }

    async fn solve(&self, request: Solve) -> Result<Solved, BridgeError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.pop_front().unwrap_or_else(|| Err(exhausted("answer")))
    }

    async fn read_file(
        &self,
        reference: &str,
        path: &str,
        limit: usize,
    ) -> Result<Vec<u8>, BridgeError> {
        let file = if self.tree.is_empty() {
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.pop_front().ok_or_else(|| exhausted("file"))?
        } else {
            let key = (reference.to_string(), path.to_string());
            self.tree.get(&key).cloned().ok_or_else(|| BridgeError::Build {
                message: format!("open {path}: no such file or directory"),
                blame: None,
            })?
        };
        if file.len() > limit { Err(exhausted("bytes of room")) } else { Ok(file) }
    }

    async fn read_start(
        &self,
        reference: &str,
        path: &str,
        length: usize,
    ) -> Result<Vec<u8>, BridgeError> {
        let mut file = self.read_file(reference, path, usize::MAX).await?;
        file.truncate(length);
        Ok(file)
    }

    async fn run(
        &self,
        container: Container,
        input: Option<Input>,
        limits: Limits,
    ) -> Result<Ended, BridgeError> {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner).push(container);
        let input = match input {
            Some(input) => Some(input.await.unwrap_or_default()),
            None => None,
        };
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(input);
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = ends.pop_front().unwrap_or_else(|| Err(exhausted("end of a program")))?;
        if ended.output.len() > limits.output {
            Err(exhausted("room for output"))
        } else {
            Ok(ended)
        }
    }
}
