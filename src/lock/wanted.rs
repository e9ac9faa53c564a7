//! What a Dockerfile names: images, downloads and repositories that a lock can hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cofferdam_frontend::dockerfile::{Dockerfile, ImageInput, ImageInputKind, Platform, Scope};
use cofferdam_frontend::pins::{
    Elsewhere, Entry, GitPlace, Reference, RemoteSource, images, remote_adds,
};

use crate::error::Error;
use crate::inputs::explain;
use crate::request::{DockerfileText, LockRequest, NamedContext};

/// Names of files that may be Dockerfiles.
const NAMES: [&str; 2] = ["dockerfile", "containerfile"];

/// Everything that has to be locked.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Images by canonical name.
    pub(super) images: BTreeMap<String, WantedImage>,
    /// Downloads, and the line of the first.
    pub(super) http: BTreeMap<String, usize>,
    /// Branches and tags, and the line of the first.
    pub(super) git: BTreeMap<GitPlace, usize>,
    /// What no lock can hold: line, what, why.
    pub(super) open: Vec<(usize, String, String)>,
    /// Whether nothing else can be meant by this lock's entries.
    pub(super) whole: bool,
}

/// An image that is named without a digest.
#[derive(Debug)]
pub(super) struct WantedImage {
    pub(super) reference: Reference,
    /// The first line that names it.
    pub(super) line: Option<usize>,
    /// The platforms that it is needed for; all when nobody says.
    pub(super) platforms: Option<BTreeSet<String>>,
    /// Where it is named, if not in the Dockerfile.
    pub(super) named: Option<Elsewhere>,
}

impl Wanted {
    /// Reads what the Dockerfile and the command line name.
    pub(super) fn read(request: &LockRequest, written: &DockerfileText) -> Result<Self, Error> {
        let dockerfile = Dockerfile::parse(&written.bytes);
        if dockerfile.stages().is_empty() && dockerfile.syntaxes.is_empty() {
            return Err(Error::usage_hint(
                format!("{} has no FROM: there is nothing to lock", written.shown),
                "begin it with FROM image:tag, or FROM scratch",
            ));
        }
        let mut wanted = Self { whole: !is_shared(request), ..Self::default() };
        let (target, contexts) = (&request.build.target, &request.build.named_contexts);
        wanted.whole &= target.is_none() && contexts.is_empty() && dockerfile.errors.is_empty();
        for scope in scopes(request) {
            let inputs = images(&dockerfile, &scope).map_err(|error| explain(error, written))?;
            let needed = |input: &&ImageInput| match input.kind {
                // One that BUILDKIT_SYNTAX replaces is read by nobody.
                ImageInputKind::Syntax => input.reachable,
                _ => target.is_none() || input.reachable,
            };
            for input in inputs.inputs.iter().filter(needed) {
                wanted.image(request, &inputs.inputs, input)?;
            }
            for add in remote_adds(&dockerfile, &scope) {
                if target.is_some() && !add.reachable {
                    continue;
                }
                wanted.whole &= !add.varies;
                match (add.fixed, add.obstacle, add.source) {
                    (true, _, _) => {}
                    (_, Some(obstacle), source) => {
                        let open = (add.line, source.shown(), obstacle.to_string());
                        if !wanted.open.contains(&open) {
                            wanted.open.push(open);
                        }
                    }
                    (_, None, RemoteSource::Http(url)) => {
                        wanted.http.entry(url).or_insert(add.line);
                    }
                    (_, None, RemoteSource::Git(place)) => {
                        wanted.git.entry(place).or_insert(add.line);
                    }
                }
            }
        }
        for named in contexts.values() {
            if let NamedContext::Image(name) = named {
                let reference = Reference::parse_normalized(name);
                let reference = reference.map_err(|error| Error::usage(error.to_string()))?;
                let platforms = asked(request);
                wanted.add(reference, None, platforms, Some(Elsewhere::CommandLine));
            }
        }
        Ok(wanted)
    }

    fn image(
        &mut self,
        request: &LockRequest,
        all: &[ImageInput],
        input: &ImageInput,
    ) -> Result<(), Error> {
        let reference = input.parsed().map_err(|error| {
            Error::usage(format!("line {}: {}: {error}", input.line, input.reference))
        })?;
        self.whole &= input.variables.is_empty();
        let of_stage = || {
            let base = |other: &&ImageInput| {
                other.kind == ImageInputKind::From && other.stage == input.stage
            };
            all.iter().find(base).and_then(|base| base.platform.as_ref())
        };
        let platform = input.platform.as_ref().or_else(of_stage);
        let platforms = match (asked(request), input.kind, platform) {
            (None, _, _) => None,
            // The frontend runs where the engine does, which is not for us to know.
            (_, ImageInputKind::Syntax | ImageInputKind::SyntaxArg, _) => None,
            (_, _, Some(platform)) => {
                Platform::parse(platform).map(|platform| BTreeSet::from([platform.to_string()]))
            }
            (asked, _, None) => asked,
        };
        let line = Some(input.line).filter(|line| *line > 0);
        let named = line.is_none().then_some(Elsewhere::CommandLine);
        self.add(reference, line, platforms, named);
        Ok(())
    }

    fn add(
        &mut self,
        reference: Reference,
        line: Option<usize>,
        platforms: Option<BTreeSet<String>>,
        named: Option<Elsewhere>,
    ) {
        if reference.digest.is_some() {
            return;
        }
        let image = WantedImage { reference, line, platforms, named };
        match self.images.get_mut(&image.reference.canonical()) {
            None => drop(self.images.insert(image.reference.canonical(), image)),
            Some(known) => {
                known.line = known.line.or(image.line);
                known.named = known.named.and(image.named);
                known.platforms = match (known.platforms.take(), image.platforms) {
                    (Some(one), Some(two)) => Some(one.into_iter().chain(two).collect()),
                    (one, two) => one.or(two),
                };
            }
        }
    }

    /// Whether an entry is one of these.
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Image(image) => self.images.contains_key(image.name()),
            Entry::Http(http) => self.http.contains_key(&http.url),
            Entry::Git(git) => self.git.contains_key(&git.at),
        }
    }
}

/// The platforms that were asked for.
fn asked(request: &LockRequest) -> Option<BTreeSet<String>> {
    let platforms = &request.build.platforms;
    let named = platforms.iter().filter_map(|name| Platform::parse(name));
    (!platforms.is_empty()).then(|| named.map(|platform| platform.to_string()).collect())
}

/// What the file is read with, once for each platform.
pub(super) fn scopes(request: &LockRequest) -> Vec<Scope> {
    let scope = |target: Option<&String>| Scope {
        build_args: request.build.build_args.clone(),
        build_platform: Platform::parse(&request.here),
        target_platform: target.and_then(|target| Platform::parse(target)),
        named_contexts: request.build.named_contexts.keys().cloned().collect(),
        target: request.build.target.clone(),
    };
    match request.build.platforms.as_slice() {
        [] => vec![scope(None)],
        platforms => platforms.iter().map(|platform| scope(Some(platform))).collect(),
    }
}

/// Whether other Dockerfiles may have entries in the same lock.
fn is_shared(request: &LockRequest) -> bool {
    let directory = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).canonicalize().ok()
    };
    let (Some(own), Some(dockerfile)) = (directory(&request.build.lock_path), &request.dockerfile)
    else {
        return true;
    };
    if directory(dockerfile).as_ref() != Some(&own) || own.join("cofferdam.toml").exists() {
        return true;
    }
    let Ok(listed) = std::fs::read_dir(&own) else { return true };
    let others = listed.filter_map(Result::ok).map(|entry| entry.file_name()).filter(|name| {
        let lower = name.to_string_lossy().to_ascii_lowercase();
        NAMES.iter().any(|word| lower.contains(word)) && !lower.ends_with(".dockerignore")
    });
    others.into_iter().any(|name| dockerfile.file_name() != Some(&name))
}
