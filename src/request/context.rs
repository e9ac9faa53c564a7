//! Where COPY and ADD read from.

use std::ffi::OsStr;
use std::path::PathBuf;

use cofferdam_frontend::remote::GitContext;

use crate::error::Error;

/// The build context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// A directory of this machine.
    Dir(PathBuf),
    /// Standard input: an archive, or a Dockerfile that needs no files; its first bytes tell.
    Stdin,
    /// A repository that the engine fetches.
    Git(GitContext),
    /// A file that the engine downloads: an archive, or a Dockerfile.
    Http(String),
    /// No files at all.
    Empty,
}

impl Context {
    /// Reads the positional argument.
    pub(super) fn read(typed: &OsStr) -> Result<Self, Error> {
        if typed == "-" {
            return Ok(Self::Stdin);
        }
        if typed.is_empty() {
            return Err(Error::usage(
                "please specify the build context (for example `.` for the current directory)",
            ));
        }
        let path = PathBuf::from(typed);
        let found = std::fs::metadata(&path);
        if found.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return Ok(Self::Dir(path));
        }
        if let Some(remote) = typed.to_str().map(remote).transpose()?.flatten() {
            return Ok(remote);
        }
        match found {
            Ok(_) => Err(Error::usage_hint(
                format!("unable to prepare context: {} is not a directory", path.display()),
                "name the directory that COPY and ADD read from, for example `.`",
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Error::usage(format!("unable to prepare context: path {path:?} not found")))
            }
            Err(error) => Err(Error::io(format!("read the context {}", path.display()))(error)),
        }
    }

    /// The directory, if it is one of this machine.
    pub fn dir(&self) -> Option<&std::path::Path> {
        match self {
            Self::Dir(path) => Some(path),
            Self::Stdin | Self::Git(_) | Self::Http(_) | Self::Empty => None,
        }
    }

    /// Whether the engine fetches it.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Git(_) | Self::Http(_))
    }
}

/// What the engine would fetch, if the text is a URL.
pub(super) fn remote(text: &str) -> Result<Option<Context>, Error> {
    if let Some(git) = GitContext::parse(text) {
        return git
            .map(|git| Some(Context::Git(git)))
            .map_err(|error| Error::usage(format!("git URL {error}")));
    }
    Ok(is_http(text).then(|| Context::Http(text.to_string())))
}

/// Whether it is a web address.
pub(super) fn is_http(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_win_over_urls_and_nothing_else_is_a_context() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| Context::read(OsStr::new(text));
        assert_eq!(read(dir.path().to_str().unwrap()).unwrap(), Context::Dir(dir.path().into()));
        assert_eq!(read("-").unwrap(), Context::Stdin);
        assert!(matches!(read("https://h/r.git#main").unwrap(), Context::Git(_)));
        assert!(matches!(read("git@h:o/r").unwrap(), Context::Git(_)));
        assert_eq!(read("http://h/c.tgz").unwrap(), Context::Http("http://h/c.tgz".into()));
        let missing = read("./missing").unwrap_err();
        assert_eq!(missing.to_string(), "unable to prepare context: path \"./missing\" not found");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(
            Context::read(file.as_os_str()).unwrap_err().to_string().contains("not a directory")
        );
        assert!(read("").is_err() && read("https://h/r.git?x=1").is_err());
    }
}
