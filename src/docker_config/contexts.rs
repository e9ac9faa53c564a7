//! The store of `docker context`: `contexts/meta/ID/meta.json` and `contexts/tls/ID/docker/*.pem`,
//! where ID is the SHA-256 of the context's name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The endpoint of a context that is a Docker engine.
const DOCKER: &str = "docker";

/// A context cannot be used; the words are docker's where docker has some.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// There is none of that name.
    #[error("context {name:?}: context not found: open {}: no such file or directory", path.display())]
    NotFound {
        /// The context.
        name: String,
        /// The file that would describe it.
        path: PathBuf,
    },
    /// Its description cannot be read.
    #[error("context {name:?}: cannot read {}: {source}", path.display())]
    Read {
        /// The context.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its description is damaged.
    #[error("context {name:?}: parsing {}: {reason}", path.display())]
    Damaged {
        /// The context.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is of something else.
    #[error("context {0:?}: cannot find docker endpoint in context")]
    NoDocker(String),
}

/// The Docker engine of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredContext {
    /// As in `DOCKER_HOST`.
    pub host: String,
    /// Whether any certificate will do.
    pub skip_tls_verify: bool,
    /// `ca.pem`, if the context has one.
    pub ca: Option<PathBuf>,
    /// `cert.pem`, if the context has one.
    pub cert: Option<PathBuf>,
    /// `key.pem`, if the context has one.
    pub key: Option<PathBuf>,
}

impl StoredContext {
    /// Whether the engine is to be reached with TLS.
    pub fn wants_tls(&self) -> bool {
        let files = [&self.ca, &self.cert, &self.key];
        self.skip_tls_verify || files.iter().any(|file| file.is_some())
    }
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", alias = "endpoints", default)]
    endpoints: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Docker {
    #[serde(rename = "Host", alias = "host")]
    host: String,
    #[serde(rename = "SkipTLSVerify", alias = "skipTLSVerify")]
    skip_tls_verify: bool,
}

/// Reads the context `name` of the store in Docker's configuration directory.
pub(super) fn read(directory: &Path, name: &str) -> Result<StoredContext, ContextError> {
    let store = directory.join("contexts");
    let id = id(name);
    let path = store.join("meta").join(&id).join("meta.json");
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if super::absent(&error) => {
            return Err(ContextError::NotFound { name: name.into(), path });
        }
        Err(source) => return Err(ContextError::Read { name: name.into(), path, source }),
    };
    let damaged = |error: serde_json::Error| ContextError::Damaged {
        name: name.into(),
        path: path.clone(),
        reason: error.to_string(),
    };
    let meta: Meta = serde_json::from_slice(&text).map_err(damaged)?;
    let docker = meta.endpoints.unwrap_or_default().remove(DOCKER);
    let docker = docker.ok_or_else(|| ContextError::NoDocker(name.into()))?;
    let docker: Docker = serde_json::from_value(docker).map_err(damaged)?;
    let tls = store.join("tls").join(id).join(DOCKER);
    let file = |name: &str| Some(tls.join(name)).filter(|path| path.exists());
    Ok(StoredContext {
        host: docker.host,
        skip_tls_verify: docker.skip_tls_verify,
        ca: file("ca.pem"),
        cert: file("cert.pem"),
        key: file("key.pem"),
    })
}

/// The names of all contexts that can be read, sorted.
pub(super) fn names(directory: &Path) -> Vec<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "Name")]
        name: String,
    }
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read(entry.ok()?.path().join("meta.json")).ok()?;
        Some(serde_json::from_slice::<Named>(&text).ok()?.name)
    };
    let entries = std::fs::read_dir(directory.join("contexts").join("meta"));
    let mut names: Vec<String> = entries.into_iter().flatten().filter_map(read).collect();
    names.sort();
    names
}

/// The directory of a context.
fn id(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, name: &str, meta: &str) {
        let path = directory.join("contexts/meta").join(id(name));
        std::fs::create_dir_all(&path).unwrap();
        std::fs::write(path.join("meta.json"), meta).unwrap();
    }

    #[test]
    fn a_context_is_found_as_docker_files_it() {
        assert_eq!(
            super::id("desktop-linux"),
            "fe9c6bd7a66301f49ca9b6a70b217107cd1284598bfc254700c989b916da791e"
        );
        let dir = tempfile::tempdir().unwrap();
        let meta = r#"{"Name":"remote","Metadata":{"Description":"x"},
            "Endpoints":{"docker":{"Host":"tcp://h:2376","SkipTLSVerify":true},"kubernetes":{}}}"#;
        write(dir.path(), "remote", meta);
        let found = read(dir.path(), "remote").unwrap();
        assert_eq!((found.host.as_str(), found.skip_tls_verify), ("tcp://h:2376", true));
        assert_eq!((&found.ca, found.wants_tls()), (&None, true));

        let tls = dir.path().join("contexts/tls").join(super::id("remote")).join("docker");
        std::fs::create_dir_all(&tls).unwrap();
        std::fs::write(tls.join("ca.pem"), "").unwrap();
        assert_eq!(read(dir.path(), "remote").unwrap().ca, Some(tls.join("ca.pem")));
        write(dir.path(), "broken", "{");
        assert_eq!(names(dir.path()), ["remote"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_dockers_words() {
        let dir = tempfile::tempdir().unwrap();
        let error = read(dir.path(), "x").unwrap_err().to_string();
        assert!(error.starts_with("context \"x\": context not found: open /"), "{error}");
        for (meta, reason) in [
            ("{", "parsing"),
            ("{}", "cannot find docker endpoint"),
            (r#"{"Endpoints":null}"#, "cannot find docker endpoint"),
            (r#"{"Endpoints":{"docker":{"Host":5}}}"#, "parsing"),
            (r#"{"Endpoints":{"kubernetes":{}}}"#, "cannot find docker endpoint"),
        ] {
            write(dir.path(), "y", meta);
            let error = read(dir.path(), "y").unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("\"y\""), "{meta}: {error}");
        }
        // A name is never a path.
        assert!(matches!(read(dir.path(), "../../x"), Err(ContextError::NotFound { .. })));
    }
}
