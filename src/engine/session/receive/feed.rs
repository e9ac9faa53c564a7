//! Messages on their way from the connection to the thread that writes them, bounded in bytes.
//!
//! Files are written by a thread of their own, which must also stop when nobody drives the
//! connection any more: so the waiting end knows no async runtime.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ReceiveError;

/// Bytes that wait to be written at most; the last message may exceed it.
const ROOM: usize = 8 << 20;
/// What a message counts at least: it is more than its bytes.
const LEAST: usize = 512;

/// How a stream ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// The engine has sent everything.
    Complete,
    /// The connection or the engine broke it off.
    Broken(String),
    /// This side wants no more of it.
    Stopped,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<(Bytes, OwnedSemaphorePermit)>,
    end: Option<End>,
    done: bool,
}

/// One stream's messages.
#[derive(Debug)]
pub(super) struct Feed {
    state: Mutex<State>,
    changed: Condvar,
    room: Arc<Semaphore>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            room: Arc::new(Semaphore::new(ROOM)),
        }
    }
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message over when there is room; false when nobody wants it.
    pub(super) async fn push(&self, message: Bytes) -> bool {
        let weight = u32::try_from(message.len().clamp(LEAST, ROOM)).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&self.room).acquire_many_owned(weight).await else {
            return false;
        };
        let mut state = self.state();
        if state.end.is_some() || state.done {
            return false;
        }
        state.messages.push_back((message, permit));
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Says how the stream ended; only the first word counts.
    pub(super) fn end(&self, end: End) {
        let mut state = self.state();
        if matches!(end, End::Stopped) {
            state.messages.clear();
            state.end = Some(end);
            self.room.close();
        } else {
            state.end.get_or_insert(end);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for the next message; `None` at the end of a complete stream.
    ///
    /// # Errors
    /// The stream broke off or is not wanted any more.
    pub(super) fn next(&self) -> Result<Option<Bytes>, ReceiveError> {
        let mut state = self.state();
        loop {
            if let Some((message, _room)) = state.messages.pop_front() {
                return Ok(Some(message));
            }
            match &state.end {
                None => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Some(End::Complete) => return Ok(None),
                Some(End::Broken(message)) => {
                    return Err(ReceiveError::Interrupted { message: message.clone() });
                }
                Some(End::Stopped) => {
                    return Err(ReceiveError::Interrupted { message: "stopped".into() });
                }
            }
        }
    }

    /// The writer has put everything aside or removed it.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        state.done = true;
        state.messages.clear();
        self.room.close();
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until the writer has finished, for a while; whether it has.
    pub(super) fn finished(&self, patience: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.state(), patience, |state| !state.done)
            .unwrap_or_else(PoisonError::into_inner);
        state.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_writer_holds_the_sender_back() {
        let feed = Arc::new(Feed::default());
        let big = Bytes::from(vec![0; ROOM]);
        assert!(feed.push(big.clone()).await);
        let blocked = tokio::time::timeout(Duration::from_millis(20), feed.push(big.clone())).await;
        assert!(blocked.is_err());
        assert_eq!(feed.next().unwrap().unwrap().len(), ROOM);
        assert!(feed.push(big).await);
    }

    #[tokio::test]
    async fn a_stop_wakes_both_sides() {
        let feed = Arc::new(Feed::default());
        let waiting = Arc::clone(&feed);
        let writer = std::thread::spawn(move || waiting.next());
        feed.end(End::Stopped);
        assert!(writer.join().unwrap().is_err());
        assert!(!feed.push(Bytes::from_static(b"x")).await);
        feed.end(End::Complete);
        assert!(feed.next().is_err(), "stopped stays stopped");
    }
}
