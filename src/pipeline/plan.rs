//! From a request to what the frontend is told and what the session serves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::Plan;
use cofferdam_frontend::build::inspect::{Needle, Search};
use cofferdam_frontend::graph::digest;

use super::{options, text_rules};
use crate::engine::session::filesync::{FilesyncError, MemoryEntry, MemoryTree, Tree};
use crate::engine::session::{Filesync, Kind, Sought};
use crate::engine::{BuildId, Engine, ImageStore};
use crate::error::Error;
use crate::helper;
use crate::inputs::PinnedText;
use crate::report::filter::Filter;
use crate::request::{BuildRequest, DockerfileText};

const FRONTEND: &str = "dockerfile.v0";
const CONTEXT: &str = "context";
/// What BuildKit calls the three directories in its progress.
const PLAIN_NAMES: [&str; 3] = [CONTEXT, "dockerfile", "helper"];

/// What the engine may remember of the plain `context`, which frontends read `.dockerignore` from:
/// one copy for each directory of each machine, compared by size and time as buildx has it.
pub(super) fn shared_key(request: &BuildRequest, namespace: &str) -> String {
    let directory = request.directory();
    let path = std::path::absolute(&directory).unwrap_or(directory);
    digest(format!("{namespace}\0{}", path.display()).as_bytes())
}

/// The session's directories under names that only this build uses.
#[derive(Debug)]
pub(super) struct Locals {
    names: [String; 3],
    suffix: String,
}

impl Locals {
    pub(super) fn new(id: &BuildId) -> Self {
        let suffix = format!("-{}", id.as_str());
        Self { names: PLAIN_NAMES.map(|name| id.local(name)), suffix }
    }

    pub(super) fn context(&self) -> &str {
        let [context, _, _] = &self.names;
        context
    }

    /// The session's directories.
    pub(super) fn serve(&self, request: &BuildRequest) -> Result<Filesync, Error> {
        let [context, _, helper] = self.names.clone();
        Ok(Filesync::new(vec![
            (helper, helper::tree().map_err(in_memory)?),
            (context, tree(request)?),
            (CONTEXT.to_string(), tree(request)?),
        ]))
    }

    /// The session's directory that holds the helper.
    pub(super) fn helper(&self) -> &str {
        let [_, _, helper] = &self.names;
        helper
    }

    /// Adds the pinned Dockerfile, and the ignore file that belongs to it, to what is served.
    pub(super) fn offer_dockerfile(
        &self,
        files: &Filesync,
        dockerfile: &DockerfileText,
        text: &PinnedText,
    ) -> Result<(), Error> {
        let file =
            |name, bytes: &Vec<u8>| MemoryEntry::file(name, 0o644, Cow::Owned(bytes.clone()));
        let mut entries = vec![file(dockerfile.name.clone(), &text.bytes)];
        if let Some(ignore) = &dockerfile.ignore {
            entries.push(file(format!("{}.dockerignore", dockerfile.name), ignore));
        }
        let tree = MemoryTree::new(entries).map_err(in_memory)?;
        let [_, name, _] = self.names.clone();
        files.offer(name, Tree::Memory(tree));
        Ok(())
    }

    /// What its names end with.
    pub(super) fn suffix(&self) -> &str {
        &self.suffix
    }
}

/// Shows people the names they know, without these suffixes.
pub(super) fn filter(suffixes: Vec<String>) -> impl Filter {
    PlainNames { suffixes }
}

/// The context's directory; where it is none, there are no files.
fn tree(request: &BuildRequest) -> Result<Tree, Error> {
    match request.context.dir() {
        Some(directory) => Ok(Tree::Dir(directory.to_path_buf())),
        None => MemoryTree::new(Vec::new()).map(Tree::Memory).map_err(in_memory),
    }
}

fn in_memory(error: FilesyncError) -> Error {
    Error::usage(error.to_string())
}

struct PlainNames {
    suffixes: Vec<String>,
}

impl Filter for PlainNames {
    fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.suffixes.iter().find(|suffix| text.contains(*suffix)) {
            Some(suffix) => Cow::Owned(text.replace(suffix, "").replace("cofferdam-", "")),
            None => Cow::Borrowed(text),
        }
    }
}

/// Refuses what this version cannot harden, before anything is sent.
pub(super) fn check_platforms(request: &BuildRequest, engine: &Engine) -> Result<(), Error> {
    let native = &engine.facts().platform;
    if native != helper::PLATFORM {
        return Err(Error::usage_hint(
            format!("the engine runs on {native}, this program's helper on {}", helper::PLATFORM),
            "use the program that was built for the engine's platform",
        ));
    }
    if request.platforms.len() > 1 && engine.facts().store == ImageStore::Classic {
        return Err(Error::usage_hint(
            "multi-platform build is not supported by this engine's image store",
            "turn on the containerd image store, or use a builder of driver docker-container or remote",
        ));
    }
    Ok(())
}

/// What the layers must not hold: every secret of this build, those that no step reads too.
fn search(request: &BuildRequest) -> Search {
    let exceptions = &request.exceptions;
    let lift = |sought: &Sought<'_>| match sought.kind {
        // No base has one by chance.
        Kind::Key => Some(String::new()),
        _ if exceptions.would_allow_in_base(sought.id) => None,
        _ => Some(exceptions.proposal_in_base(sought.id)),
    };
    let needles = request.secrets.sought().map(|sought| Needle {
        id: sought.served.into(),
        name: sought.name(),
        lift: lift(&sought),
    });
    Search { program: helper::program(), needles: needles.collect() }
}

/// The frontend's plan.
pub(super) fn plan(
    request: &BuildRequest,
    written: &DockerfileText,
    text: &PinnedText,
    locals: &Locals,
    namespace: &str,
) -> Plan {
    let [context, dockerfile, helper_local] = locals.names.clone();
    let shown = PLAIN_NAMES.iter().zip(&locals.names);
    let shown = shown.map(|(plain, ours)| (format!("local://{ours}"), format!("local://{plain}")));
    let shown = shown.collect();
    let mut options = options::of(request, &text.build_args);
    options.insert("filename".into(), written.name.clone());
    options.insert("dockerfilekey".into(), dockerfile.clone());
    Plan {
        frontend: FRONTEND.into(),
        options,
        inputs: BTreeMap::new(),
        pins: text.pins.clone(),
        // The engine must ask for every byte of it, and afterwards forget it.
        aliases: [(format!("local://{CONTEXT}"), format!("local://{context}"))].into(),
        locals: [context, dockerfile].into(),
        source_policy: request.source_policy.clone(),
        shown,
        offered: Vec::new(),
        layouts: BTreeSet::new(),
        registries: text_rules::registries(request),
        excepted: request.exceptions.rules(),
        cache_namespace: namespace.into(),
        helper_local,
        scan: None,
        search: search(request),
        smoke: request.smoke.clone(),
        helper_args: helper::strip_args(
            request.keep.iter().map(|keep| keep.path.clone()),
            request.strip_capabilities,
        ),
    }
}
