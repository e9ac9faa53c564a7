//! Which Dockerfile is built: `-f`, the context's own, standard input, or one of a remote context.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::context::{self, Context};
use crate::error::{Error, SourceText};

/// What a Dockerfile is called when nobody says otherwise.
pub(super) const DEFAULT_NAME: &str = "Dockerfile";
const LOWER_CASE_NAME: &str = "dockerfile";
/// Largest Dockerfile that is read, in bytes.
const MAX_SIZE: u64 = 64 << 20;

/// The text of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerfileText {
    /// Path as the user would write it, for messages.
    pub shown: String,
    /// Its name without directories.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `<name>.dockerignore` beside it, if there is one.
    pub ignore: Option<Vec<u8>>,
}

/// Where the Dockerfile is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerfileSource {
    /// Read already.
    Local(DockerfileText),
    /// On standard input, which is a context or a Dockerfile: nobody has looked yet.
    Stdin,
    /// At a web address that the engine reads.
    Url(String),
    /// In a context that is not a directory of this machine.
    InContext {
        /// Its path there; the usual name when nothing is said.
        name: Option<String>,
    },
}

impl DockerfileText {
    /// A Dockerfile that came without a name, `from` standard input or an address.
    pub fn nameless(from: &str, bytes: Vec<u8>) -> Self {
        Self { shown: from.into(), name: DEFAULT_NAME.into(), bytes, ignore: None }
    }

    /// The text under the name that the user gave it.
    pub fn source(&self) -> SourceText {
        let shown = self.shown.strip_prefix("./").unwrap_or(&self.shown).to_string();
        SourceText { shown, bytes: self.bytes.clone() }
    }
}

impl DockerfileSource {
    /// The text, if it was read already.
    pub fn text(&self) -> Option<&DockerfileText> {
        match self {
            Self::Local(text) => Some(text),
            Self::Stdin | Self::Url(_) | Self::InContext { .. } => None,
        }
    }

    /// Finds the Dockerfile, and reads it if it is here; `stdin` reads standard input to its end.
    pub(super) fn find(
        file: Option<&OsStr>,
        context: &Context,
        stdin: impl FnOnce() -> std::io::Result<Vec<u8>>,
    ) -> Result<Self, Error> {
        let file = file.filter(|file| !file.is_empty());
        if file.is_some_and(|file| file == "-") {
            if *context == Context::Stdin {
                return Err(Error::usage_hint(
                    "invalid argument: can't use stdin for both build context and dockerfile",
                    "name a directory as the context, or leave -f out",
                ));
            }
            let bytes = stdin().map_err(Error::io("read the Dockerfile from stdin"))?;
            return Ok(Self::Local(DockerfileText::nameless("stdin", bytes)));
        }
        if let Some(url) = file.and_then(OsStr::to_str).filter(|text| context::is_http(text)) {
            return Ok(Self::Url(url.to_string()));
        }
        match (context, file) {
            (Context::Dir(dir), None) => read(&beside(dir.join(DEFAULT_NAME))).map(Self::Local),
            (Context::Dir(_) | Context::Empty, Some(file)) => {
                read(&beside(PathBuf::from(file))).map(Self::Local)
            }
            (Context::Stdin, None) => Ok(Self::Stdin),
            // A path from the root can only be meant for this machine.
            (Context::Git(_) | Context::Http(_), Some(file)) if Path::new(file).is_absolute() => {
                read(Path::new(file)).map(Self::Local)
            }
            (Context::Stdin | Context::Git(_) | Context::Http(_), Some(file)) => {
                let name = file.to_str().ok_or_else(|| {
                    Error::usage(format!("--file {}: it is not UTF-8", Path::new(file).display()))
                })?;
                Ok(Self::InContext { name: Some(name.to_string()) })
            }
            (Context::Git(_) | Context::Http(_) | Context::Empty, None) => {
                Ok(Self::InContext { name: None })
            }
        }
    }

    /// The file that the lock stands next to, if it is one of this machine.
    pub(super) fn path(file: Option<&OsStr>, context: &Context) -> Option<PathBuf> {
        let file = file.filter(|file| !file.is_empty() && *file != "-");
        let file =
            file.filter(|file| !file.to_str().is_some_and(context::is_http)).map(PathBuf::from);
        match (context, file) {
            (Context::Dir(_) | Context::Empty, Some(file)) => Some(file),
            (Context::Dir(dir), None) => Some(dir.join(DEFAULT_NAME)),
            (Context::Git(_) | Context::Http(_), Some(file)) if file.is_absolute() => Some(file),
            _ => None,
        }
    }
}

/// `Dockerfile`, or `dockerfile` where only that one is there.
pub(super) fn beside(path: PathBuf) -> PathBuf {
    if path.file_name().is_none_or(|name| name != DEFAULT_NAME) {
        return path;
    }
    let lower_case = path.with_file_name(LOWER_CASE_NAME);
    if !path.exists() && lower_case.is_file() { lower_case } else { path }
}

fn read(path: &Path) -> Result<DockerfileText, Error> {
    let shown = path.display().to_string();
    let bytes = match read_bounded(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::usage_hint(
                format!("no Dockerfile: {shown} does not exist"),
                "write one, or name another with -f FILE",
            ));
        }
        Err(error) => return Err(Error::io(format!("read {shown}"))(error)),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| DEFAULT_NAME.into());
    let ignore = path.with_file_name(format!("{name}.dockerignore"));
    let ignore = match read_bounded(&ignore) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io(format!("read {}", ignore.display()))(error)),
    };
    Ok(DockerfileText { shown, name, bytes, ignore })
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    bounded(std::fs::File::open(path)?)
}

/// All of a stream, unless it is larger than any Dockerfile.
pub(super) fn bounded(stream: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(std::io::Error::other("it is larger than 64 MiB, which no Dockerfile is"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(file: Option<&str>, context: &Context) -> Result<DockerfileSource, Error> {
        DockerfileSource::find(file.map(OsStr::new), context, || Ok(b"FROM stdin".to_vec()))
    }

    fn shown(source: DockerfileSource) -> String {
        match source {
            DockerfileSource::Local(text) => String::from_utf8(text.bytes).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_context_has_its_dockerfile() {
        let dir = tempfile::tempdir().unwrap();
        let context = Context::Dir(dir.path().into());
        let path = |name: &str| dir.path().join(name).display().to_string();
        assert!(find(None, &context).unwrap_err().to_string().contains("does not exist"));
        std::fs::write(path("dockerfile"), "FROM lower").unwrap();
        assert_eq!(shown(find(None, &context).unwrap()), "FROM lower");
        assert_eq!(shown(find(Some(&path("Dockerfile")), &context).unwrap()), "FROM lower");
        std::fs::write(path("Dockerfile"), "FROM upper").unwrap();
        assert_eq!(shown(find(None, &context).unwrap()), "FROM upper");
        assert_eq!(shown(find(Some(""), &context).unwrap()), "FROM upper");
        std::fs::write(path("other"), "FROM other").unwrap();
        std::fs::write(path("other.dockerignore"), "x").unwrap();
        let other = find(Some(&path("other")), &context).unwrap();
        assert_eq!(other.text().unwrap().ignore.as_deref(), Some(&b"x"[..]));
        assert_eq!(shown(find(Some("-"), &context).unwrap()), "FROM stdin");
        assert!(find(Some(&path("")), &context).is_err());
    }

    #[test]
    fn contexts_elsewhere_are_read_elsewhere() {
        let http = Context::Http("http://h/c".into());
        let named = |name: &str| DockerfileSource::InContext { name: Some(name.into()) };
        assert_eq!(find(None, &http).unwrap(), DockerfileSource::InContext { name: None });
        assert_eq!(find(Some("a/b"), &http).unwrap(), named("a/b"));
        assert_eq!(find(Some("x"), &Context::Stdin).unwrap(), named("x"));
        assert_eq!(find(None, &Context::Stdin).unwrap(), DockerfileSource::Stdin);
        assert_eq!(shown(find(Some("-"), &http).unwrap()), "FROM stdin");
        let url = "https://h/Dockerfile";
        assert_eq!(find(Some(url), &http).unwrap(), DockerfileSource::Url(url.into()));
        assert!(
            find(Some("-"), &Context::Stdin)
                .unwrap_err()
                .to_string()
                .contains("can't use stdin for both")
        );
    }
}
