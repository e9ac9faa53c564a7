//! Which image is meant: in the engine's store, in a registry, in a file or a directory.

use std::path::{Path, PathBuf};

use super::INDEX;
use crate::error::Error;

/// An image that is to be looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A name: of the engine's store, else of the registry that it names.
    Named(String),
    /// A name or ID in the engine's store.
    Engine(String),
    /// A name in a registry.
    Registry(String),
    /// A directory in the form of an OCI layout, and the tag, name or digest in it.
    Layout(PathBuf, Option<String>),
    /// An archive of `docker save`, or an OCI layout in one file, and the name in it.
    Archive(PathBuf, Option<String>),
    /// The same on standard input.
    Stdin,
}

impl Source {
    /// What is meant: `-`, a prefix that says it, a path that is there, or a name.
    pub fn of(text: &str) -> Result<Self, Error> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(source) = prefixed(text)? {
            return Ok(source);
        }
        let (path, name) = split(text);
        let is_path = text.ends_with(".tar") || text.starts_with(['.', '/']);
        if path.is_dir() && (is_path || path.join(INDEX).is_file()) {
            return layout(path, name);
        }
        // A pipe that a shell made is read as a file.
        Ok(if is_path || (path.exists() && !path.is_dir()) {
            Self::Archive(path, name)
        } else {
            Self::Named(text.to_string())
        })
    }

    /// The name that the image goes by, where the source is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) | Self::Engine(name) | Self::Registry(name) => Some(name),
            Self::Layout(..) | Self::Archive(..) | Self::Stdin => None,
        }
    }
}

/// What `docker:`, `oci-archive:` and the like say, in the words of several tools.
fn prefixed(text: &str) -> Result<Option<Source>, Error> {
    const ENGINE: [&str; 1] = ["docker-daemon:"];
    const REGISTRY: [&str; 1] = ["docker://"];
    const LAYOUT: [&str; 3] = ["oci-layout://", "oci-dir:", "oci:"];
    const ARCHIVE: [&str; 2] = ["oci-archive:", "docker-archive:"];
    let after = |prefixes: &[&str]| prefixes.iter().find_map(|it| text.strip_prefix(it));
    let named = |name: &str| match name.is_empty() {
        true => {
            Err(Error::usage_hint(format!("{text} names no image"), "write its name behind it"))
        }
        false => Ok(name.to_string()),
    };
    if let Some(name) = after(&ENGINE) {
        return named(name).map(Source::Engine).map(Some);
    }
    if let Some(name) = after(&REGISTRY) {
        return named(name).map(Source::Registry).map(Some);
    }
    if let Some(path) = after(&LAYOUT) {
        let (path, name) = split(&named(path)?);
        return layout(path, name).map(Some);
    }
    if let Some(path) = after(&ARCHIVE) {
        let (path, name) = split(&named(path)?);
        return Ok(Some(Source::Archive(path, name)));
    }
    // `docker:27` and `registry:2` are images with a tag, and widely used.
    let is_tag = |rest: &str| !rest.contains([':', '/', '@']);
    let beyond = |prefix| text.strip_prefix(prefix).filter(|rest: &&str| !is_tag(rest));
    if let Some(name) = beyond("docker:") {
        return named(name).map(Source::Engine).map(Some);
    }
    Ok(beyond("registry:").map(|name| Source::Registry(name.to_string())))
}

fn layout(path: PathBuf, name: Option<String>) -> Result<Source, Error> {
    if path.join(INDEX).is_file() {
        return Ok(Source::Layout(path, name));
    }
    let shown = path.display();
    let (what, hint) = match path.is_dir() {
        true => (
            format!("{shown} is a directory, and no OCI layout: it has no {INDEX}"),
            "name an image, an archive of one, or an OCI layout",
        ),
        false => (
            format!("there is no OCI layout {shown}"),
            "`docker buildx build -o type=oci,tar=false,dest=DIR` writes one",
        ),
    };
    Err(Error::usage_hint(what, hint))
}

/// A path, and what stands behind it: `:TAG`, `:NAME` or `@DIGEST`.
fn split(text: &str) -> (PathBuf, Option<String>) {
    let whole = PathBuf::from(text);
    if whole.exists() {
        return (whole, None);
    }
    let parts = text.match_indices([':', '@']).filter_map(|(at, _)| {
        let (path, name) = (text.get(..at)?, text.get(at + 1..)?);
        (!path.is_empty() && Path::new(path).exists()).then(|| (path.into(), Some(name.into())))
    });
    { parts }.next().unwrap_or((whole, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_name_images_as_they_do_elsewhere() {
        let engine = |name: &str| Some(Source::Engine(name.into()));
        let registry = |name: &str| Some(Source::Registry(name.into()));
        let named = |name: &str| Some(Source::Named(name.into()));
        for (text, expected) in [
            ("app:1", named("app:1")),
            ("debian", named("debian")),
            ("docker:27", named("docker:27")),
            ("registry:2", named("registry:2")),
            ("localhost:5000/app", named("localhost:5000/app")),
            ("docker:app:1", engine("app:1")),
            ("docker-daemon:app", engine("app")),
            ("docker://app", registry("app")),
            ("registry:localhost:5000/app:1", registry("localhost:5000/app:1")),
            ("-", Some(Source::Stdin)),
            ("./none.tar", Some(Source::Archive("./none.tar".into(), None))),
            ("docker-archive:none", Some(Source::Archive("none".into(), None))),
            ("docker://", None),
            ("oci-dir:none", None),
            ("oci:none", None),
            (".", None),
        ] {
            assert_eq!(Source::of(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn paths_may_have_names_behind_them() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a.tar"), "").unwrap();
        std::fs::write(at("b:1.tar"), "").unwrap();
        std::fs::create_dir(at("l")).unwrap();
        std::fs::write(at("l/index.json"), "{}").unwrap();
        let of = |prefix: &str, rest: &str| {
            Source::of(&format!("{prefix}{}/{rest}", dir.path().display())).unwrap()
        };
        let named = |name: &str| Some(name.to_string());
        assert_eq!(of("", "a.tar"), Source::Archive(at("a.tar"), None));
        assert_eq!(of("", "b:1.tar"), Source::Archive(at("b:1.tar"), None));
        assert_eq!(
            of("docker-archive:", "a.tar:localhost:5000/app:1"),
            Source::Archive(at("a.tar"), named("localhost:5000/app:1"))
        );
        assert_eq!(of("", "l"), Source::Layout(at("l"), None));
        assert_eq!(of("oci:", "l:v1"), Source::Layout(at("l"), named("v1")));
        assert_eq!(of("oci-dir:", "l@sha256:a"), Source::Layout(at("l"), named("sha256:a")));
        assert_eq!(of("oci-layout://", "l"), Source::Layout(at("l"), None));
    }
}
