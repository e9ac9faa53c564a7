//! Everything that can go wrong in the helper, each in one line.

use std::fmt;
use std::io;

use rustix::io::Errno;

/// Why the helper failed; its `Display` is one line that names the operation and the path.
///
/// Paths are already in the report's text form, so no control character of a
/// hostile file name reaches the build log.
#[derive(Debug)]
pub enum Failure {
    /// The command line is not understood.
    Usage(String),
    /// An operation on a path failed.
    At {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The path within the image, in the report's text form.
        path: String,
        /// The operating system's answer.
        cause: Errno,
    },
    /// Several operations failed; the first by path is shown.
    Several {
        /// The failure with the smallest path.
        first: Box<Failure>,
        /// How many more there are.
        more: usize,
    },
    /// Something else is mounted within the root, so the image below it cannot be seen.
    MountInside {
        /// The mount point within the image.
        path: String,
    },
    /// A file is not what the walk saw.
    Changed {
        /// The path within the image.
        path: String,
    },
    /// A kept name and a stripped name are the same file.
    KeptLink {
        /// The name that is to keep its bits.
        kept: String,
        /// Another name of the same file, not on the list.
        other: String,
    },
    /// After the change the file still carries what was to be removed.
    NotStripped {
        /// The path within the image.
        path: String,
        /// What is left.
        left: &'static str,
    },
    /// The report could not be written.
    Report {
        /// The report's path.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// A file that was to be read cannot be.
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// Standard input is not what was announced.
    Input(io::Error),
    /// Standard output could not be written.
    Output(io::Error),
}

impl Failure {
    /// An operation on `path` failed.
    pub fn at(action: &'static str, path: &[u8], cause: Errno) -> Self {
        let path = crate::report::encode_path(path);
        Self::At { action, path, cause }
    }

    /// The process exit code: 2 for a command line that is not understood, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }

    /// The path the failure is about, for a deterministic order.
    fn path(&self) -> &str {
        match self {
            Self::At { path, .. }
            | Self::MountInside { path }
            | Self::Changed { path }
            | Self::NotStripped { path, .. }
            | Self::Unreadable { path, .. }
            | Self::Report { path, .. } => path,
            Self::KeptLink { kept, .. } => kept,
            Self::Several { first, .. } => first.path(),
            Self::Usage(_) | Self::Input(_) | Self::Output(_) => "",
        }
    }

    /// One failure for many, or `None` when there are none.
    pub fn gather(mut failures: Vec<Self>) -> Option<Self> {
        // Threads finish in any order; the message must not.
        failures.sort_by(|a, b| a.path().cmp(b.path()));
        let more = failures.len().saturating_sub(1);
        let first = failures.into_iter().next()?;
        Some(if more == 0 { first } else { Self::Several { first: Box::new(first), more } })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::At { action, path, cause } => write!(f, "cannot {action} {path}: {cause}"),
            Self::Several { first, more } => write!(f, "{first} (and {more} more failures)"),
            Self::MountInside { path } => {
                write!(f, "another file system is mounted on {path} and hides a part of the image")
            }
            Self::Changed { path } => write!(f, "{path} changed while it was examined"),
            Self::KeptLink { kept, other } => write!(
                f,
                "{kept} is to keep its bits, but {other} is another name of the same file \
                 and is not; keep both or neither"
            ),
            Self::NotStripped { path, left } => {
                write!(f, "{path} still has {left} after they were removed")
            }
            Self::Unreadable { path, cause } => write!(f, "cannot read {path}: {cause}"),
            Self::Report { path, cause } => write!(f, "cannot write the report {path}: {cause}"),
            Self::Input(cause) => write!(f, "cannot read what is known of lower layers: {cause}"),
            Self::Output(cause) => write!(f, "cannot write to standard output: {cause}"),
        }
    }
}

impl std::error::Error for Failure {}
