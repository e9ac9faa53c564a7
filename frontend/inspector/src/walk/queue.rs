//! Work that makes more work, shared by threads until none is left.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A stack of jobs: last in, first out, so a deep tree is finished before a wide one piles up.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    jobs: Vec<T>,
    /// Jobs for whoever has nothing else to do; taken first, so that they stay few.
    offered: Vec<T>,
    /// Jobs taken and not finished; they may still bring more.
    running: usize,
}

impl<T> Queue<T> {
    /// A queue with one job.
    pub(super) fn new(first: T) -> Self {
        let state = Mutex::new(State { jobs: vec![first], offered: Vec::new(), running: 0 });
        Self { state, changed: Condvar::new() }
    }

    /// Takes a job, waiting while others may bring one; `None` when all work is done.
    ///
    /// Each job taken must be answered with one call of [`Queue::finish`].
    pub(super) fn take(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.offered.pop().or_else(|| state.jobs.pop()) {
                state.running += 1;
                return Some(job);
            }
            if state.running == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Offers a job to the others while one is being done; gives it back when `limit` wait already.
    pub(super) fn offer(&self, job: T, limit: usize) -> Option<T> {
        let mut state = self.lock();
        if state.offered.len() >= limit {
            return Some(job);
        }
        state.offered.push(job);
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Ends a job and adds the ones it brought.
    pub(super) fn finish(&self, brought: &mut Vec<T>) {
        let mut state = self.lock();
        state.running -= 1;
        let wake = !brought.is_empty() || state.running == 0;
        state.jobs.append(brought);
        drop(state);
        if wake {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
