//! From paths to files, and from files to results, on all cores.
//!
//! Directories and files wait in one queue. A directory puts what it holds into the queue, so that
//! looking begins while others are still read; the results are put in order at the end.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use super::one::{self, Taken};
use super::project::Projects;
use super::{Asked, MAX_SIZE, STDIN, shown};
use crate::error::Error;

/// Directories that hold other people's files.
const SKIPPED: [&str; 2] = ["node_modules", "target"];
/// Scripts nest; the stack is only reserved, and used when it is needed.
const STACK: usize = 64 << 20;

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of the arguments, below each by path.
    pub(super) files: Vec<Taken>,
    pub(super) notices: Vec<String>,
}

/// Something to look at; `order` is its argument's place.
struct Job {
    order: usize,
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    File,
    Directory,
    Stdin(Vec<u8>),
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Jobs that wait or run.
    open: usize,
    done: Vec<(usize, PathBuf, Taken)>,
    notices: Vec<String>,
    /// The first error that ends everything.
    error: Option<Error>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

/// Looks at everything that is asked for.
pub(super) fn collect(asked: &Asked) -> Result<Found, Error> {
    let queue = Queue::default();
    for (order, argument) in asked.paths.iter().enumerate() {
        queue.push(vec![job(order, argument)?]);
    }
    let projects = Projects::new(asked);
    let work = || {
        while let Some(job) = queue.next() {
            let order = job.order;
            let path = job.path.clone();
            let result = match job.kind {
                Kind::Directory => {
                    let notices = enter(&job, &queue);
                    queue.lock().notices.extend(notices);
                    Ok(None)
                }
                Kind::File => one::file(asked, &projects, &path).map(Some),
                Kind::Stdin(bytes) => one::stdin(asked, &projects, bytes).map(Some),
            };
            queue.finish(order, path, result);
        }
    };
    let alone = matches!(queue.lock().waiting.make_contiguous(), [Job { kind: Kind::File, .. }]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads = if alone { 1 } else { cores };
        let started: Vec<_> = (0..threads)
            .filter_map(|_| {
                std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()
            })
            .collect();
        if started.is_empty() {
            work();
        }
    });
    let state = queue.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = state.error {
        return Err(error);
    }
    let mut done = state.done;
    done.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    // A file that two arguments lead to is checked once.
    let mut seen = std::collections::HashSet::new();
    done.retain(|(_, path, _)| seen.insert(shown(path)));
    Ok(Found { files: done.into_iter().map(|done| done.2).collect(), notices: state.notices })
}

fn job(order: usize, argument: &OsStr) -> Result<Job, Error> {
    let path = PathBuf::from(argument);
    if argument == STDIN {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MAX_SIZE + 1).read_to_end(&mut bytes);
        read.map_err(Error::io("read standard input"))?;
        if bytes.len() as u64 > MAX_SIZE {
            return Err(Error::usage(
                "standard input is larger than 64 MiB: this is no Dockerfile",
            ));
        }
        return Ok(Job { order, path, kind: Kind::Stdin(bytes) });
    }
    let about = std::fs::metadata(&path).map_err(Error::io(format!("read {}", shown(&path))))?;
    let kind = if about.is_dir() { Kind::Directory } else { Kind::File };
    Ok(Job { order, path, kind })
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, jobs: Vec<Job>) {
        let mut state = self.lock();
        state.open += jobs.len();
        state.waiting.extend(jobs);
        self.changed.notify_all();
    }

    /// The next job; `None` when there will never be another.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.error.is_some() || state.open == 0 {
                return None;
            }
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn finish(&self, order: usize, path: PathBuf, result: Result<Option<Taken>, Error>) {
        let mut state = self.lock();
        match result {
            Ok(Some(taken)) => state.done.push((order, path, taken)),
            Ok(None) => {}
            Err(error) => {
                state.error.get_or_insert(error);
            }
        }
        state.open -= 1;
        if state.open == 0 || state.error.is_some() {
            self.changed.notify_all();
        }
    }
}

/// Puts what a directory holds into the queue; what cannot be entered is told.
fn enter(job: &Job, queue: &Queue) -> Vec<String> {
    let mut notices = Vec::new();
    let mut jobs = Vec::new();
    let told =
        |path: &Path, error: &std::io::Error| format!("{}: not looked into: {error}", shown(path));
    let entries = match std::fs::read_dir(&job.path) {
        Ok(entries) => entries,
        Err(error) => return vec![told(&job.path, &error)],
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                notices.push(told(&job.path, &error));
                continue;
            }
        };
        let (path, name) = (entry.path(), entry.file_name());
        let kind = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => {
                match linked(&path, &name) {
                    Ok(true) => jobs.push(Job { order: job.order, path, kind: Kind::File }),
                    Ok(false) => {}
                    Err(told) => notices.push(told),
                }
                continue;
            }
            Ok(kind) => kind,
            Err(error) => {
                notices.push(told(&path, &error));
                continue;
            }
        };
        if kind.is_dir() && !is_skipped(&name) {
            jobs.push(Job { order: job.order, path, kind: Kind::Directory });
        } else if kind.is_file() && is_dockerfile(&name) {
            jobs.push(Job { order: job.order, path, kind: Kind::File });
        }
    }
    queue.push(jobs);
    notices
}

/// Whether a symbolic link is a Dockerfile; links to directories are not followed, and one that
/// leads nowhere but to itself or above itself is told.
fn linked(path: &Path, name: &OsStr) -> Result<bool, String> {
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            let whole = |path: &Path| path.canonicalize().ok();
            let above = path.parent().and_then(whole).zip(whole(path));
            match above {
                Some((directory, target)) if directory.starts_with(&target) => {
                    Err(format!("{}: a link to a directory above it, not followed", shown(path)))
                }
                _ => Ok(false),
            }
        }
        Ok(about) => Ok(about.is_file() && is_dockerfile(name)),
        // Too many levels of links.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Err(format!("{}: a link that leads to itself", shown(path)))
        }
        Err(error) if is_dockerfile(name) => Err(format!("{}: not read: {error}", shown(path))),
        Err(_) => Ok(false),
    }
}

fn is_skipped(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || SKIPPED.iter().any(|skipped| skipped.as_bytes() == name)
}

/// `Dockerfile`, `Dockerfile.x`, `x.Dockerfile`, the same in lower case, and Containerfiles.
fn is_dockerfile(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let lower = name.to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|word| {
        lower == *word
            || lower.strip_suffix(word).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
            || lower
                .strip_prefix(word)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|kind| !kind.is_empty() && !is_companion(kind))
    })
}

/// Files that stand beside a Dockerfile and bear its name.
fn is_companion(kind: &str) -> bool {
    matches!(kind, "dockerignore" | "containerignore" | "orig" | "rej" | "bak" | "swp" | "md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_dockerfiles() {
        for name in [
            "Dockerfile",
            "dockerfile",
            "Dockerfile.dev",
            "app.Dockerfile",
            "app.dockerfile",
            "Containerfile",
            "Containerfile.arm64",
        ] {
            assert!(is_dockerfile(OsStr::new(name)), "{name}");
        }
        for name in [
            "Dockerfile.dockerignore",
            "Dockerfiles",
            "MyDockerfile",
            "Dockerfile.",
            ".Dockerfile",
            "Dockerfile.md",
            "x",
        ] {
            assert!(!is_dockerfile(OsStr::new(name)), "{name}");
        }
    }
}
