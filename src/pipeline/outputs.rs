//! Where the result goes: what the exporters are told, and what is left to do when it was checked.
//!
//! Nothing that anybody could see by its name is made by an exporter: images go to the store without
//! a name, to registries by digest, and files beside their place. The names follow last.
//!
//! Source of the exporters' attributes: moby/buildkit, exporter/containerimage/exptypes/keys.go.

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_frontend::pins::Reference;

use super::attests;
use super::load::Load;
use super::push;
use crate::engine::session::{Destination, Outputs as Files};
use crate::engine::{Engine, EngineKind, Exporter, ImageStore};
use crate::error::Error;
use crate::registry::Manifest;
use crate::report::printer::Printer;
use crate::request::{Attrs, BuildRequest, Dest, LocalMode, Output};

/// What to do with an image that nobody can name yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Give it these names in the engine's store.
    Name(Vec<Reference>),
    /// Push it from the engine's store under these names.
    Push(Vec<Reference>),
    /// It was pushed by its digest: give it these names in their registries.
    Put {
        /// The names.
        names: Vec<Reference>,
        /// Whether http and any certificate will do.
        insecure: bool,
        /// What to put there instead: the index of what several nodes pushed.
        index: Option<Manifest>,
    },
}

/// The places of one build.
#[derive(Debug, Default)]
pub(super) struct Outlets {
    /// What the engine is told.
    pub(super) exporters: Vec<Exporter>,
    /// What it sends back here.
    pub(super) files: Option<Files>,
    /// What goes on into a Docker engine while it comes.
    pub(super) loads: Vec<Load>,
    /// What follows.
    pub(super) after: Vec<After>,
    /// Whether an image of the engine's store comes of it.
    pub(super) stores: bool,
}

impl Outlets {
    /// Finds the exporters and checks every place.
    pub(super) async fn new(
        request: &BuildRequest,
        outputs: &[Output],
        engine: &Engine,
        printer: &Printer,
    ) -> Result<Self, Error> {
        let mut outlets = Self::default();
        let mut places = Vec::new();
        let annotations = annotations(request);
        let is_docker = engine.kind() == EngineKind::Docker;
        // Each exporter's answer covers those before it, and the digest of a push is needed.
        let last = |output: &&Output| !is_docker && matches!(output, Output::Image { .. });
        let (images, others): (Vec<_>, Vec<_>) = outputs.iter().partition(last);
        let pushes =
            images.iter().filter(|image| matches!(image, Output::Image { push: true, .. }));
        let one_push = pushes.count() == 1;
        for output in others.into_iter().chain(images) {
            let position = outlets.exporters.len();
            match output {
                Output::CacheOnly => {}
                Output::Image { names, push, push_by_digest, attrs } => {
                    let names = references(names)?;
                    let by_digest = *push && *push_by_digest;
                    let attrs = merged(attrs, &annotations);
                    let insecure = attrs.get("registry.insecure");
                    let insecure = insecure.is_some_and(|text| crate::request::is_true(text));
                    let later = *push && !by_digest && !is_docker && one_push;
                    if later && push::reaches(request, &names, insecure).await {
                        outlets.image(engine, names.clone(), (true, true), unstored(attrs))?;
                        outlets.after.push(After::Put { names, insecure, index: None });
                        continue;
                    }
                    outlets.image(engine, names, (*push, by_digest), attrs)?;
                }
                Output::Docker { dest: None, context: _, attrs } if is_docker => {
                    let names = references(&split(attrs.get("name")))?;
                    let attrs = merged(attrs, &annotations);
                    outlets.image(engine, names, (false, false), attrs)?;
                }
                Output::Docker { dest: None, context, attrs } => {
                    let names = references(&split(attrs.get("name")))?;
                    let docker = request.docker.of(context.as_deref());
                    let list = request.platforms.len() > 1 || !attests::options(request).is_empty();
                    let (load, kind, place) = Load::into_docker(docker, names, list).await?;
                    let mut attrs = merged(attrs, &annotations);
                    attrs.remove("name");
                    places.push((position, place));
                    outlets.exporters.push(Exporter { kind: kind.into(), attrs });
                    outlets.loads.push(load);
                }
                Output::Docker { dest: Some(dest), attrs, .. } | Output::Oci { dest, attrs } => {
                    needs_containerd(output, engine)?;
                    places.push((position, destination(dest, printer)?));
                    let mut attrs = merged(attrs, &annotations);
                    // A layout is unpacked here.
                    attrs.remove("tar");
                    outlets.exporters.push(Exporter { kind: output.kind().into(), attrs });
                }
                Output::Tar { dest, .. } => {
                    places.push((position, destination(dest, printer)?));
                    let attrs = output.attrs();
                    outlets.exporters.push(Exporter { kind: output.kind().into(), attrs });
                }
                Output::Local { dest, mode, .. } => {
                    let delete = *mode == LocalMode::Delete;
                    places.push((position, Destination::Directory { path: dest.clone(), delete }));
                    let attrs = output.attrs();
                    outlets.exporters.push(Exporter { kind: output.kind().into(), attrs });
                }
            }
        }
        if !places.is_empty() {
            let files = Files::new(places).map_err(|error| Error::usage(error.to_string()))?;
            outlets.files = Some(files);
        }
        Ok(outlets)
    }

    /// Adds an image: of Docker's store without a name, or of a registry by its digest.
    fn image(
        &mut self,
        engine: &Engine,
        names: Vec<Reference>,
        (push, by_digest): (bool, bool),
        mut attrs: Attrs,
    ) -> Result<(), Error> {
        if engine.kind() == EngineKind::Docker {
            if by_digest {
                return Err(Error::usage_hint(
                    "push-by-digest is not implemented for a Docker engine",
                    "use a builder of driver docker-container or remote",
                ));
            }
            attrs.retain(|key, _| !matches!(key.as_str(), "unpack" | "store" | "name"));
            let store = Exporter { attrs, ..Exporter::store() };
            // One image is enough, however many outputs ask for it.
            if !self.stores {
                self.exporters.push(store);
            }
            self.stores = true;
            self.add_names(names.clone());
            if push {
                self.after.push(After::Push(names));
            }
            return Ok(());
        }
        // Where names are given here, a registry shows them when all of the image is there, and the
        // exporter only begins when everything was checked.
        let named = |name: &Reference| if by_digest { name.name() } else { name.canonical() };
        let mut named: Vec<String> = names.iter().map(named).collect();
        named.sort();
        named.dedup();
        if !named.is_empty() {
            attrs.insert("name".into(), named.join(","));
        }
        if push {
            attrs.insert("push".into(), "true".into());
        }
        if by_digest {
            attrs.insert("push-by-digest".into(), "true".into());
        }
        self.exporters.push(Exporter { kind: "image".into(), attrs });
        Ok(())
    }

    fn add_names(&mut self, names: Vec<Reference>) {
        let known = self.after.iter_mut().find_map(|after| match after {
            After::Name(known) => Some(known),
            _ => None,
        });
        match known {
            Some(known) => {
                known.extend(names.into_iter().filter(|n| !known.contains(n)).collect::<Vec<_>>())
            }
            None => self.after.insert(0, After::Name(names)),
        }
    }
}

/// What is only pushed by its digest needs no name in a store of the daemon's.
fn unstored(mut attrs: Attrs) -> Attrs {
    attrs.entry("store".into()).or_insert_with(|| "false".into());
    attrs
}

fn destination(dest: &Dest, printer: &Printer) -> Result<Destination, Error> {
    Ok(match dest {
        Dest::Stdout => Destination::Stream(Arc::new(printer.stdout_file()?)),
        Dest::File(path) => Destination::File(path.clone()),
        Dest::Dir(path) => Destination::Layout(path.clone()),
    })
}

/// Docker's classic store has no exporter for archives.
fn needs_containerd(output: &Output, engine: &Engine) -> Result<(), Error> {
    if engine.facts().store != ImageStore::Classic {
        return Ok(());
    }
    let kind = if output.kind() == "oci" { "OCI" } else { "Docker" };
    Err(Error::usage_hint(
        format!("{kind} exporter is not supported by this engine's image store"),
        "turn on the containerd image store, use a builder of driver docker-container or remote, \
         or build into the store and use `docker save`",
    ))
}

fn references(names: &[String]) -> Result<Vec<Reference>, Error> {
    let read = |name: &String| {
        Reference::parse_tag_name(name)
            .map_err(|error| Error::usage(format!("invalid tag {name:?}: {error}")))
    };
    names.iter().map(read).collect()
}

fn split(names: Option<&String>) -> Vec<String> {
    let names = names.map(String::as_str).unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).map(String::from).collect()
}

fn annotations(request: &BuildRequest) -> BTreeMap<String, String> {
    let pairs = request.annotations.iter();
    pairs.map(|annotation| (annotation.exporter_key(), annotation.value.clone())).collect()
}

fn merged(attrs: &Attrs, more: &BTreeMap<String, String>) -> Attrs {
    let mut attrs = attrs.clone();
    attrs.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    attrs
}
