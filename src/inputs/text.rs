//! The Dockerfile's own names: resolved, and written into the bytes that the engine gets.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::dockerfile::{
    Dockerfile, ImageInput, ImageInputKind, InputError, InputErrorKind, Platform, Scope, Span,
};
use cofferdam_frontend::graph::judge::{Pin, Pins};
use cofferdam_frontend::pins::{Digest, Elsewhere, PinError, Reference, images, pin_converted};
use futures_util::future::try_join_all;

use super::{Resolved, Resolver};
use crate::error::{Error, Place};
use crate::request::{BuildRequest, DockerfileText};

/// Replaces `# syntax=`; BuildKit reads it from the build arguments.
const SYNTAX_ARG: &str = "BUILDKIT_SYNTAX";

/// A Dockerfile in which every image has one meaning.
#[derive(Debug)]
pub(crate) struct PinnedText {
    /// What the engine gets: the same lines with digests in them.
    pub(crate) bytes: Vec<u8>,
    /// What each name must turn out to be on the graph.
    pub(crate) pins: Pins,
    /// The images that its stages begin with.
    pub(crate) bases: Vec<Base>,
    /// The build arguments, with a pinned frontend if they name one.
    pub(crate) build_args: BTreeMap<String, String>,
}

/// An image that a stage begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// Its name in the text.
    pub(crate) name: String,
    /// Its whole name with the digest, if it has one: what the engine's frontend asks for.
    pub(crate) image: String,
    /// What it is needed for; `None` is the engine's own platform.
    pub(crate) platforms: Vec<Option<Platform>>,
    /// Where it is written.
    pub(crate) line: usize,
    pub(crate) span: Span,
}

impl PinnedText {
    /// The text as it is, for questions about it.
    pub(crate) fn as_written(request: &BuildRequest, written: &DockerfileText) -> Self {
        Self {
            bytes: written.bytes.clone(),
            pins: Pins::new(),
            bases: Vec::new(),
            build_args: request.build_args.clone(),
        }
    }
}

/// Resolves every image that the target needs and writes the digests down.
pub(crate) async fn pin_text(
    resolver: &Resolver<'_>,
    request: &BuildRequest,
    written: &DockerfileText,
    engine_platform: &str,
) -> Result<PinnedText, Error> {
    let source = &written.bytes;
    let dockerfile = Dockerfile::parse(source);
    refuse_without_stages(&dockerfile, request, written)?;
    let scope = scope(request, engine_platform);
    let inputs = images(&dockerfile, &scope).map_err(|error| explain(error, written))?;
    let needed: Vec<&ImageInput> = inputs.inputs.iter().filter(|input| input.reachable).collect();
    let resolved = try_join_all(needed.iter().map(|input| resolve(resolver, input))).await?;

    let mut pins = Pins::new();
    let (mut digests, mut local) = (BTreeMap::new(), BTreeSet::new());
    let (mut converted, mut bases) = (BTreeMap::new(), Vec::new());
    let mut build_args = request.build_args.clone();
    for (input, Resolved { reference, pin, other }) in needed.iter().zip(resolved) {
        let name = graph_name(&reference);
        let image = written_out(&reference, &pin);
        if input.kind == ImageInputKind::From {
            bases.push(Base {
                name: input.reference.clone(),
                image: whole(&reference, &pin),
                platforms: platforms_of(input, request),
                line: input.line,
                span: input.span,
            });
        }
        if other {
            converted.insert(input.reference.clone(), image);
        }
        match &pin {
            Pin::Digest(digest) => {
                if let Ok(digest) = digest.parse::<Digest>() {
                    if input.kind == ImageInputKind::SyntaxArg {
                        let pinned = reference.with_digest(digest.clone()).familiar();
                        build_args.insert(SYNTAX_ARG.into(), pinned);
                    }
                    digests.insert(reference.canonical(), digest);
                }
            }
            Pin::Local { .. } => {
                local.insert(reference.canonical());
            }
        }
        let known = pins.entry(name).or_default();
        if !known.contains(&pin) {
            known.push(pin);
        }
    }
    let bytes = match pin_converted(source, &scope, &digests, &local, &converted) {
        Ok(pinned) => pinned.bytes,
        Err(error) => return Err(explain(error, written)),
    };
    let fixed = resolver.fix_adds(bytes, &scope, is_foreign(&dockerfile, &request.build_args));
    let bytes = fixed.await?.map_err(|error| explain(error, written))?;
    Ok(PinnedText { bytes, pins, bases, build_args })
}

/// Old engines do not survive a Dockerfile without a stage: their frontend, and with it the daemon,
/// takes the last of an empty list.
fn refuse_without_stages(
    dockerfile: &Dockerfile,
    request: &BuildRequest,
    written: &DockerfileText,
) -> Result<(), Error> {
    if is_foreign(dockerfile, &request.build_args) || !dockerfile.stages().is_empty() {
        return Ok(());
    }
    Err(Error::usage_hint(
        format!("{} has no FROM: there is nothing to build", written.shown),
        "begin it with FROM image:tag, or FROM scratch",
    ))
}

/// Whether another frontend than the engine's own reads the file.
fn is_foreign(dockerfile: &Dockerfile, build_args: &BTreeMap<String, String>) -> bool {
    !dockerfile.syntaxes.is_empty() || build_args.contains_key(SYNTAX_ARG)
}

async fn resolve(resolver: &Resolver<'_>, input: &ImageInput) -> Result<Resolved, Error> {
    let at = Some(input.line).filter(|line| *line > 0);
    let reference = input.parsed().map_err(|error| {
        Error::usage(format!("line {}: {}: {error}", input.line, input.reference))
    })?;
    resolver.by_policy(reference, at).await
}

/// A reference with its digest, as far as it has one.
fn written_out(reference: &Reference, pin: &Pin) -> String {
    match pin {
        Pin::Digest(digest) if reference.digest.is_none() => {
            format!("{}@{digest}", reference.familiar())
        }
        _ => reference.familiar(),
    }
}

/// The same without abbreviations.
fn whole(reference: &Reference, pin: &Pin) -> String {
    match pin {
        Pin::Digest(digest) => format!("{}@{digest}", graph_name(reference)),
        Pin::Local { .. } => reference.canonical(),
    }
}

/// An image that a named context is: its reference with the digest, and what the graph must show.
pub(crate) async fn pin_image(
    resolver: &Resolver<'_>,
    name: &str,
) -> Result<(String, String, Pin), Error> {
    let reference = Reference::parse_normalized(name)
        .map_err(|error| Error::usage(format!("--build-context docker-image://{name}: {error}")))?;
    let Resolved { reference, pin, other: _ } = resolver.by_policy(reference, None).await?;
    let pinned = match &pin {
        Pin::Digest(digest) => format!("{}@{digest}", reference.canonical()),
        Pin::Local { .. } => reference.canonical(),
    };
    Ok((pinned, graph_name(&reference), pin))
}

/// The digest of a generator of SBOMs, as a name with it.
pub(crate) async fn pin_generator(resolver: &Resolver<'_>, name: &str) -> Result<String, Error> {
    let reference = Reference::parse_normalized(name).map_err(|error| {
        Error::usage_hint(format!("--sbom generator={name}: {error}"), "name an image")
    })?;
    match resolver.resolve(&reference, None, Some(Elsewhere::CommandLine)).await? {
        Pin::Digest(digest) => Ok(format!("{}@{digest}", reference.name())),
        Pin::Local { .. } => Err(Error::usage_hint(
            format!("the SBOM generator {name} is in the engine's store only"),
            "push it to a registry: a generator is pinned by its digest there",
        )),
    }
}

/// The name under which the graph shows an image: with its tag, unless it has only a digest.
fn graph_name(reference: &Reference) -> String {
    match (&reference.tag, &reference.digest) {
        (None, Some(_)) => reference.name(),
        _ => reference.canonical(),
    }
}

/// What the stage of a base is built for.
fn platforms_of(input: &ImageInput, request: &BuildRequest) -> Vec<Option<Platform>> {
    let own = input.platform.as_deref().and_then(Platform::parse);
    match (own, request.platforms.as_slice()) {
        (Some(own), _) => vec![Some(own)],
        (None, []) => vec![None],
        (None, asked) => asked.iter().map(|platform| Platform::parse(platform)).collect(),
    }
}

/// What variables of the Dockerfile stand for in this build.
pub(crate) fn scope(request: &BuildRequest, engine_platform: &str) -> Scope {
    let platform = |text: Option<&str>| text.and_then(Platform::parse);
    Scope {
        build_args: request.build_args.clone(),
        build_platform: platform(Some(engine_platform)),
        target_platform: platform(request.platform()),
        named_contexts: request.named_contexts.keys().cloned().collect(),
        target: request.target.clone(),
    }
}

/// Says where a Dockerfile cannot be pinned, and what to write instead.
pub(crate) fn explain(error: PinError, written: &DockerfileText) -> Error {
    match error {
        PinError::Inputs(errors) => match errors.into_iter().next() {
            Some(error) => at_line(&error, written),
            None => Error::usage("the Dockerfile names no image that can be built from"),
        },
        PinError::Unproven { line, detail } => Error::Source {
            message: format!("cannot pin this line: {detail}"),
            at: place(written, line, 1, 1),
            text: written.bytes.clone(),
            hint: Some("write the digest into the Dockerfile yourself: name:tag@sha256:…".into()),
        },
        other => Error::usage(other.to_string()),
    }
}

fn at_line(error: &InputError, written: &DockerfileText) -> Error {
    let message = error.kind.to_string();
    let dockerfile = Dockerfile::parse(&written.bytes);
    if error.line == 0 {
        return Error::usage_hint(message, stages(&dockerfile));
    }
    let column = dockerfile.line_col(error.span.start).column;
    Error::Source {
        message,
        at: place(written, error.line, column, error.span.len().max(1)),
        text: written.bytes.clone(),
        hint: Some(next_step(&error.kind).into()),
    }
}

fn next_step(kind: &InputErrorKind) -> &'static str {
    match kind {
        InputErrorKind::Empty { .. } | InputErrorKind::Reference { .. } => {
            "give the variable a default with ARG before FROM, or a value with --build-arg"
        }
        InputErrorKind::FromVariable => "write FROM $IMAGE AS name, and --from=name",
        InputErrorKind::Circular(_) => "a stage cannot need itself: take one of its --from away",
        _ => "correct the line; see https://docs.docker.com/reference/dockerfile/",
    }
}

fn stages(dockerfile: &Dockerfile) -> String {
    let names: Vec<String> =
        dockerfile.stages().into_iter().filter_map(|stage| stage.name).collect();
    if names.is_empty() {
        "no stage of this Dockerfile has a name: write FROM … AS name".into()
    } else {
        format!("its stages are {}", names.join(", "))
    }
}

fn place(written: &DockerfileText, line: usize, column: usize, length: usize) -> Place {
    Place { file: written.shown.clone(), line, column, length }
}
