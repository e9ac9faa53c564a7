//! `--ssh id[=socket|key,…]`: agents that steps may use.

use std::path::PathBuf;

/// An agent for RUN --mount=type=ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSpec {
    /// Its name, `default` when steps name none.
    pub id: String,
    /// A socket, or keys; `SSH_AUTH_SOCK` when empty.
    pub paths: Vec<PathBuf>,
}

/// Reads all of them, the last of a name counts; a context that is fetched over ssh needs `default`.
pub(super) fn read(typed: &[String], context_over_ssh: bool) -> Vec<SshSpec> {
    let mut specs: Vec<SshSpec> = Vec::new();
    for text in typed.iter().filter(|text| !text.is_empty()) {
        let (id, paths) = text.split_once('=').unwrap_or((text, ""));
        let paths = paths.split(',').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        let id = if id.is_empty() { "default" } else { id }.to_string();
        specs.retain(|spec| spec.id != id);
        specs.push(SshSpec { id, paths });
    }
    if specs.is_empty() && context_over_ssh {
        specs.push(SshSpec { id: "default".into(), paths: Vec::new() });
    }
    specs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_buildx_is_read() {
        let read = |text: &str| super::read(&[text.to_string()], false).remove(0);
        let spec = |id: &str, paths: &[&str]| SshSpec {
            id: id.into(),
            paths: paths.iter().map(PathBuf::from).collect(),
        };
        assert_eq!(read("default"), spec("default", &[]));
        assert_eq!(read("default=/run/agent.sock"), spec("default", &["/run/agent.sock"]));
        assert_eq!(read("ci=a.pem,b.pem"), spec("ci", &["a.pem", "b.pem"]));
        assert_eq!(read("=a.pem"), spec("default", &["a.pem"]));
        assert_eq!(super::read(&[], true), [spec("default", &[])]);
        assert_eq!(super::read(&["a".into(), "a=x".into()], false), [spec("a", &["x"])]);
    }
}
