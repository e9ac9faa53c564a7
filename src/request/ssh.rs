//! `--ssh id[=socket|key,…][,raw=true]`: agents that steps may use.

use std::path::{Path, PathBuf};

use crate::engine::session::{SshAgents, SshSource};
use crate::error::Error;

const RAW: &str = "raw=";

/// Opens all of them; `auth_sock` is `SSH_AUTH_SOCK`.
pub(super) fn open(
    typed: &[String],
    context_over_ssh: bool,
    auth_sock: Option<&Path>,
) -> Result<Option<SshAgents>, Error> {
    let sources = read(typed, context_over_ssh)?;
    if sources.is_empty() {
        return Ok(None);
    }
    let agents = SshAgents::new(sources, auth_sock);
    agents.map(Some).map_err(|error| Error::usage(error.to_string()))
}

/// Reads all of them, the last of a name counts; a context that is fetched over ssh needs `default`.
fn read(typed: &[String], context_over_ssh: bool) -> Result<Vec<SshSource>, Error> {
    let mut sources: Vec<SshSource> = Vec::new();
    for text in typed.iter().filter(|text| !text.is_empty()) {
        let source = one(text)?;
        sources.retain(|known| known.id != source.id);
        sources.push(source);
    }
    if sources.is_empty() && context_over_ssh {
        sources.push(SshSource { id: "default".into(), ..SshSource::default() });
    }
    Ok(sources)
}

fn one(text: &str) -> Result<SshSource, Error> {
    let (id, rest) = text.split_once('=').unwrap_or((text, ""));
    let id = if id.is_empty() { "default" } else { id }.to_string();
    let mut source = SshSource { id, ..SshSource::default() };
    for part in rest.split(',').filter(|part| !part.is_empty()) {
        match part.strip_prefix(RAW) {
            Some(raw) => {
                source.raw = super::boolean::parse(raw)
                    .map_err(|why| Error::usage(format!("--ssh {text:?}: {RAW}{raw}: {why}")))?;
            }
            None => source.paths.push(PathBuf::from(part)),
        }
    }
    Ok(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_buildx_is_read() {
        let read = |text: &str| super::read(&[text.to_string()], false).unwrap().remove(0);
        let source = |id: &str, paths: &[&str], raw| SshSource {
            id: id.into(),
            paths: paths.iter().map(PathBuf::from).collect(),
            raw,
        };
        assert_eq!(read("default"), source("default", &[], false));
        assert_eq!(read("default=/run/agent.sock"), source("default", &["/run/agent.sock"], false));
        assert_eq!(read("ci=a.pem,b.pem"), source("ci", &["a.pem", "b.pem"], false));
        assert_eq!(read("=a.pem"), source("default", &["a.pem"], false));
        assert_eq!(read("x=/s,raw=true"), source("x", &["/s"], true));
        assert!(super::read(&["x=/s,raw=perhaps".into()], false).is_err());
        assert_eq!(super::read(&[], true).unwrap(), [source("default", &[], false)]);
        assert!(super::read(&[], false).unwrap().is_empty());
    }
}
