//! `BUILDX_GIT_LABELS`, `BUILDX_GIT_INFO`, `BUILDX_GIT_CHECK_DIRTY`: what is asked of git about the
//! context.

use std::path::PathBuf;

use super::boolean;
use super::context::Context;
use super::environment::Environment;
use crate::vcs::Question;

/// What git needs to find itself, its configuration and the repository, and no more.
const GIT_ENVIRONMENT: [&str; 9] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
];

/// The question; none where the context is no directory of this machine or nobody wants an answer.
pub(super) fn read(
    context: &Context,
    dockerfile: Option<PathBuf>,
    environment: &Environment,
) -> Option<Question> {
    let set = |name: &str| boolean::parse(&environment.var(name)?).ok();
    let full = environment.var("BUILDX_GIT_LABELS").is_some_and(|text| text == "full");
    let labels = full || set("BUILDX_GIT_LABELS") == Some(true);
    let info = set("BUILDX_GIT_INFO") != Some(false);
    let directory = context.dir().filter(|_| labels || info)?;
    Some(Question {
        directory: directory.to_path_buf(),
        dockerfile,
        labels,
        info,
        check_dirty: set("BUILDX_GIT_CHECK_DIRTY") == Some(true),
        environment: GIT_ENVIRONMENT
            .into_iter()
            .filter_map(|name| Some((name.into(), environment.os_var(name)?)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_asks_unless_told_not_to() {
        let asked = |variables: &[(&str, &str)]| {
            let given = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            let context = Context::Dir(".".into());
            let question = read(&context, None, &Environment::given(given))?;
            Some((question.labels, question.info, question.check_dirty))
        };
        assert_eq!(asked(&[]), Some((false, true, false)));
        assert_eq!(asked(&[("BUILDX_GIT_INFO", "0")]), None);
        assert_eq!(asked(&[("BUILDX_GIT_LABELS", "full")]), Some((true, true, false)));
        let both = [("BUILDX_GIT_LABELS", "1"), ("BUILDX_GIT_INFO", "false")];
        assert_eq!(asked(&both), Some((true, false, false)));
        assert_eq!(asked(&[("BUILDX_GIT_LABELS", "perhaps")]), Some((false, true, false)));
        assert_eq!(asked(&[("BUILDX_GIT_CHECK_DIRTY", "1")]), Some((false, true, true)));
        assert!(read(&Context::Stdin, None, &Environment::default()).is_none());
    }

    #[test]
    fn git_gets_nothing_else_of_the_environment() {
        let given = [("PATH", "/bin"), ("TOKEN", "secret"), ("GIT_CONFIG_PARAMETERS", "x")];
        let environment =
            Environment::given(given.map(|(name, value)| (name.into(), value.into())));
        let question = read(&Context::Dir(".".into()), None, &environment).unwrap();
        assert_eq!(question.environment, [("PATH".into(), "/bin".into())]);
    }
}
