//! `--build-context NAME=…`: contexts beside the main one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cofferdam_frontend::pins::reference::Reference;
use cofferdam_frontend::remote::GitContext;

use super::context::{self, Context};
use crate::engine::session::content::{Layout, Wanted};
use crate::error::Error;

/// What a named context is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedContext {
    /// A directory of this machine.
    Dir(PathBuf),
    /// A repository that the engine fetches.
    Git(GitContext),
    /// A file that the engine downloads.
    Http(String),
    /// An image, by name.
    Image(String),
    /// An image in an OCI layout of this machine.
    OciLayout {
        /// The layout's directory.
        path: PathBuf,
        /// The image's digest, as the layout has it now.
        digest: String,
    },
}

const FORM: &str = "write --build-context NAME=PATH, or NAME=docker-image://IMAGE, \
                    NAME=oci-layout://PATH:TAG, NAME=https://host/repo.git";

/// Reads all of them; the last one of a name counts.
pub(super) fn read(typed: &[String]) -> Result<BTreeMap<String, NamedContext>, Error> {
    let mut contexts = BTreeMap::new();
    for text in typed.iter().filter(|text| !text.is_empty()) {
        let wrong =
            |what: String| Error::usage_hint(format!("--build-context {text:?}: {what}"), FORM);
        let (name, value) =
            text.split_once('=').ok_or_else(|| wrong("expected NAME=VALUE".into()))?;
        let name = normal_name(name).map_err(|reason| wrong(format!("invalid name: {reason}")))?;
        contexts.insert(name, one(value).map_err(wrong)?);
    }
    Ok(contexts)
}

/// The name as the frontend looks for it: as an image, without what is said by default.
fn normal_name(name: &str) -> Result<String, String> {
    let familiar = Reference::parse_normalized(name).map_err(|error| error.to_string())?.familiar();
    Ok(familiar.strip_suffix(":latest").map(String::from).unwrap_or(familiar))
}

fn one(value: &str) -> Result<NamedContext, String> {
    if let Some(remote) = context::remote(value).map_err(|error| error.to_string())? {
        return Ok(match remote {
            Context::Git(git) => NamedContext::Git(git),
            _ => NamedContext::Http(value.to_string()),
        });
    }
    if let Some(image) = value.strip_prefix("docker-image://") {
        Reference::parse_normalized(image).map_err(|error| error.to_string())?;
        return Ok(NamedContext::Image(image.to_string()));
    }
    if value.starts_with("target:") {
        return Err("target: names a target of a bake file, which a build has none of; \
                    build that image first and name it: docker-image://IMAGE"
            .into());
    }
    if let Some(layout) = value.strip_prefix("oci-layout://") {
        return oci_layout(layout);
    }
    match std::fs::metadata(value) {
        Ok(found) if found.is_dir() => Ok(NamedContext::Dir(value.into())),
        Ok(_) => Err(format!("{value} is not a directory")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("path {value:?} not found"))
        }
        Err(error) => Err(format!("cannot read {value}: {error}")),
    }
}

fn oci_layout(text: &str) -> Result<NamedContext, String> {
    let (text, digest) = match text.rsplit_once('@') {
        Some((path, digest)) if is_digest(digest) => (path, Some(digest)),
        _ => (text, None),
    };
    let (path, tag) = match text.rsplit_once(':') {
        Some((path, tag)) if is_tag(tag) => (path, Some(tag)),
        _ => (text, None),
    };
    let wanted = match (digest, tag) {
        // As everywhere, a digest decides and the tag beside it is for people.
        (Some(digest), _) => Wanted::Digest(digest),
        (None, Some(tag)) => Wanted::Tag(tag),
        (None, None) => Wanted::Default,
    };
    let path = PathBuf::from(path);
    let found = Layout::open(&path).and_then(|layout| layout.find(wanted));
    let digest = found.map_err(|error| error.to_string())?;
    Ok(NamedContext::OciLayout { path, digest })
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && hex.len() >= 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn is_tag(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=128).contains(&text.len()) && text.chars().all(plain) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::content::testing::layout;

    #[test]
    fn every_kind_is_read_and_names_are_those_of_images() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display().to_string();
        let (v1, only) = (layout(dir.path(), Some("v1")), layout(dir.path(), None));
        let typed = [
            format!("src={path}"),
            "repo=https://h/r.git#main".into(),
            "file=https://h/f.tar".into(),
            "docker.io/library/alpine:latest=docker-image://debian:12".into(),
            format!("two=oci-layout://{path}:v1"),
            format!("three=oci-layout://{path}@{only}"),
            format!("four=oci-layout://{path}:v1@{only}"),
        ];
        let contexts = read(&typed).unwrap();
        let layout = |digest: &String| NamedContext::OciLayout {
            path: dir.path().into(),
            digest: digest.clone(),
        };
        assert_eq!(contexts["src"], NamedContext::Dir(dir.path().into()));
        assert!(matches!(contexts["repo"], NamedContext::Git(_)));
        assert_eq!(contexts["file"], NamedContext::Http("https://h/f.tar".into()));
        assert_eq!(contexts["alpine"], NamedContext::Image("debian:12".into()));
        assert_eq!(contexts["two"], layout(&v1));
        assert_eq!(contexts["three"], layout(&only));
        assert_eq!(contexts["four"], layout(&only));
        // Two images, and none of them is called `latest`.
        let error = read(&[format!("a=oci-layout://{path}")]).unwrap_err().to_string();
        assert!(error.contains("several images"), "{error}");
    }

    #[test]
    fn what_a_build_cannot_use_says_what_to_write() {
        for bad in
            ["x", "=y", "X=.", "a=missing", "a=docker-image://UPPER", "a=oci-layout://missing"]
        {
            let error = read(&[bad.to_string()]).unwrap_err();
            assert!(error.hint().unwrap().contains("--build-context"), "{bad}");
        }
        let bake = read(&["a=target:base".into()]).unwrap_err();
        assert!(bake.to_string().contains("bake"));
    }
}
