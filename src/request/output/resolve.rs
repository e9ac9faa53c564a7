//! What the flags mean on a given engine, as buildx resolves them.

use cofferdam_frontend::pins::reference::Reference;

use super::read::do_not_unpack;
use super::{Attrs, Dest, Output, Outputs};
use crate::error::Error;

/// What decides where a result goes when nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Driver {
    /// Whether the engine is Docker, whose store the image goes to.
    pub docker: bool,
    /// Whether the builder was created to load what it builds into Docker.
    pub default_load: bool,
}

impl Outputs {
    /// The outputs of this build; empty when nothing is kept. Only pure facts are looked at.
    pub fn resolve(&self, driver: Driver, tags: &[Reference]) -> Result<Vec<Output>, Error> {
        let Self { asked, load, push, no_default } = self;
        let mut outputs = asked.clone();
        if *push {
            add_push(&mut outputs);
        }
        let loads = |output: &Output| matches!(output, Output::Docker { dest: None, .. });
        if *load && !outputs.iter().any(loads) {
            outputs.push(into_docker());
        }
        if outputs.is_empty() && !no_default {
            if driver.docker {
                outputs.push(image(false));
            } else if driver.default_load {
                outputs.push(into_docker());
            }
        }
        let tags: Vec<String> = tags.iter().map(Reference::canonical).collect();
        for output in &mut outputs {
            name(output, &tags)?;
        }
        outputs.retain(|output| *output != Output::CacheOnly);
        Ok(outputs)
    }

    /// Whether something would go to a registry, so that a name is needed.
    pub(in crate::request) fn check_names(&self, tags: &[Reference]) -> Result<(), Error> {
        self.resolve(Driver { docker: true, default_load: false }, tags).map(drop)
    }

    /// Whether nothing is kept because nobody said that something should be.
    pub(in crate::request) fn keeps_nothing(&self, driver: Driver) -> bool {
        let Self { asked, load, push, no_default } = self;
        let silent = asked.is_empty() && !load && !push && !no_default;
        silent && !driver.docker && !driver.default_load
    }

    /// Whether an image goes to a registry.
    pub fn pushes(&self) -> bool {
        self.push
            || self.asked.iter().any(|output| matches!(output, Output::Image { push: true, .. }))
    }

    /// Whether files of the image are all that is asked for, so that there is no image.
    pub fn has_files(&self) -> bool {
        self.asked.iter().any(|output| matches!(output, Output::Local { .. } | Output::Tar { .. }))
    }

    /// Whether standard output takes an archive.
    pub fn uses_stdout(&self) -> bool {
        self.asked.iter().any(Output::is_stdout)
    }
}

fn add_push(outputs: &mut Vec<Output>) {
    let mut pushed = false;
    for output in outputs.iter_mut() {
        if let Output::Image { push, attrs, .. } = output {
            *push = true;
            do_not_unpack(attrs);
            pushed = true;
        }
    }
    if !pushed {
        outputs.push(image(true));
    }
}

fn image(push: bool) -> Output {
    let mut attrs = Attrs::new();
    if push {
        do_not_unpack(&mut attrs);
    }
    Output::Image { names: Vec::new(), push, push_by_digest: false, attrs }
}

fn into_docker() -> Output {
    Output::Docker { dest: None, context: None, attrs: Attrs::new() }
}

/// Tags name every image, in the place of what an output says itself.
fn name(output: &mut Output, tags: &[String]) -> Result<(), Error> {
    match output {
        Output::Image { names, push, .. } => {
            if !tags.is_empty() {
                *names = tags.to_vec();
            }
            if *push && names.is_empty() {
                return Err(Error::usage_hint(
                    "tag is needed when pushing to registry",
                    "write -t registry/name:tag",
                ));
            }
        }
        Output::Oci { attrs, .. } | Output::Docker { attrs, .. } => {
            if !tags.is_empty() {
                attrs.insert("name".into(), tags.join(","));
            }
        }
        Output::Local { .. } | Output::Tar { .. } | Output::CacheOnly => {}
    }
    Ok(())
}

impl Dest {
    /// The path, unless it is standard output.
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::Stdout => None,
            Self::File(path) | Self::Dir(path) => Some(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: Driver = Driver { docker: true, default_load: false };
    const CONTAINER: Driver = Driver { docker: false, default_load: false };
    const LOADING: Driver = Driver { docker: false, default_load: true };

    fn resolve(
        output: &[&str],
        (load, push): (bool, bool),
        driver: Driver,
        tags: &[&str],
    ) -> Result<String, String> {
        let typed: Vec<String> = output.iter().map(|text| (*text).to_string()).collect();
        let outputs =
            Outputs::read(&typed, (load, push), false, false).map_err(|e| e.to_string())?;
        let tags: Vec<_> = tags.iter().map(|tag| Reference::parse_tag_name(tag).unwrap()).collect();
        let resolved = outputs.resolve(driver, &tags).map_err(|error| error.to_string())?;
        let shown = resolved.iter().map(|output| match output {
            Output::Image { names, push, .. } => {
                format!("image({}){}", names.join(" "), if *push { "+push" } else { "" })
            }
            Output::Docker { dest: None, .. } => "load".to_string(),
            other => other.kind().to_string(),
        });
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_default_is_the_store_of_docker_and_nothing_elsewhere() {
        let none = (false, false);
        assert_eq!(resolve(&[], none, DOCKER, &[]).unwrap(), "image()");
        assert_eq!(
            resolve(&[], none, DOCKER, &["a"]).unwrap(),
            "image(docker.io/library/a:latest)"
        );
        assert_eq!(resolve(&[], none, CONTAINER, &["a"]).unwrap(), "");
        assert_eq!(resolve(&[], none, LOADING, &[]).unwrap(), "load");
        let warned = |driver| Outputs::default().keeps_nothing(driver);
        assert!(warned(CONTAINER) && !warned(DOCKER) && !warned(LOADING));
        let no_default = Outputs { no_default: true, ..Outputs::default() };
        assert_eq!(no_default.resolve(DOCKER, &[]).unwrap(), []);
        assert_eq!(no_default.resolve(LOADING, &[]).unwrap(), []);
        assert!(!no_default.keeps_nothing(CONTAINER));
    }

    #[test]
    fn load_and_push_join_what_was_asked_for() {
        let (load, push, both) = ((true, false), (false, true), (true, true));
        let a = "docker.io/library/a:latest";
        let resolved = |output: &[&str], flags| resolve(output, flags, DOCKER, &["a"]).unwrap();
        assert_eq!(resolved(&[], load), "load");
        assert_eq!(resolved(&[], push), format!("image({a})+push"));
        assert_eq!(resolved(&[], both), format!("image({a})+push load"));
        assert_eq!(resolved(&["type=image"], push), format!("image({a})+push"));
        assert_eq!(resolved(&["type=docker"], load), "load");
        assert_eq!(resolved(&["type=docker,dest=x.tar"], load), "docker load");
        assert_eq!(resolved(&["type=local,dest=out"], push), format!("local image({a})+push"));
        assert_eq!(resolved(&["type=cacheonly"], (false, false)), "");
        assert_eq!(resolved(&["type=registry"], (false, false)), format!("image({a})+push"));
    }

    #[test]
    fn a_push_needs_a_name() {
        for (output, push) in
            [(vec![], true), (vec!["type=registry"], false), (vec!["type=image,push=true"], false)]
        {
            let error = resolve(&output, (false, push), CONTAINER, &[]).unwrap_err();
            assert_eq!(error, "tag is needed when pushing to registry");
        }
        assert!(resolve(&["type=registry,name=r/a"], (false, false), DOCKER, &[]).is_ok());
    }
}
