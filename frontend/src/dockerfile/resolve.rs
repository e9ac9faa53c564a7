//! The graph of stages and images, built in the order BuildKit builds it.
//!
//! The order matters: images of `COPY --from` and of mounts become numbered states behind the
//! stages, and a numeric `--from` can mean one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::expand::{EmptyEnv, Expanded, Lex, WORK};
use super::inputs::{ImageInput, ImageInputKind, ImageInputs, InputError, InputErrorKind};
use super::instruction::{Instruction, Keyword};
use super::logical::Word;
use super::mount;
use super::pattern::Work;
use super::platform::Platform;
use super::scope::{self, Globals, Scope};
use super::span::Span;
use super::stage::Stage;
use super::{Dockerfile, text};
use crate::pins::reference::Reference;

pub(crate) fn resolve(dockerfile: &Dockerfile, scope: &Scope) -> ImageInputs {
    let mut graph = Graph {
        dockerfile,
        scope,
        globals: scope::global_args(dockerfile, scope),
        lex: Lex::new(dockerfile.escape()),
        work: WORK,
        stages: dockerfile.stages().into(),
        states: Vec::new(),
        names: BTreeMap::new(),
        inputs: Vec::new(),
        triggers: BTreeMap::new(),
        errors: Vec::new(),
    };
    graph.syntax();
    graph.globals_errors();
    graph.stages();
    graph.sources();
    graph.reach()
}

/// A node BuildKit would resolve: a stage, or an image that only serves as a source.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) base: Option<usize>,
    pub(super) deps: Vec<Dependency>,
    /// The image this node needs, as an index into the inputs.
    pub(super) input: Option<usize>,
    /// The stage this node is; `None` for an unnamed source.
    pub(super) stage: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Dependency {
    pub(super) state: usize,
    pub(super) span: Span,
    /// Whether the source is read at once, so that it has to come earlier in the file.
    pub(super) onbuild: bool,
}

/// Where a `from` was written.
pub(super) struct Place<'a> {
    pub(super) kind: ImageInputKind,
    pub(super) word: &'a Word,
    pub(super) stage: &'a Stage,
    pub(super) onbuild: bool,
}

pub(super) struct Graph<'a> {
    pub(super) dockerfile: &'a Dockerfile,
    pub(super) scope: &'a Scope,
    pub(super) globals: Globals,
    pub(super) lex: Lex,
    /// What expansions may still cost.
    work: Work,
    /// Shared, since walking them changes the rest.
    pub(super) stages: Rc<[Stage]>,
    pub(super) states: Vec<State>,
    /// Stage names in lower case; the last of a name wins.
    pub(super) names: BTreeMap<String, usize>,
    pub(super) inputs: Vec<ImageInput>,
    /// Where the inputs of ONBUILD are listed.
    pub(super) triggers: BTreeMap<Span, usize>,
    pub(super) errors: Vec<InputError>,
}

/// What a `from` turned out to be.
pub(super) enum Source {
    State(usize),
    Image(ImageInput),
    /// `scratch` or a named context: a state without an image.
    Other,
    Broken(InputErrorKind),
}

impl Graph<'_> {
    pub(super) fn error(&mut self, kind: InputErrorKind, span: Span) {
        let line = self.dockerfile.line_col(span.start).line;
        self.errors.push(InputError { kind, span, line });
    }

    fn syntax(&mut self) {
        let argument = self.scope.build_args.get("BUILDKIT_SYNTAX");
        if let Some(value) = argument {
            let word = value.trim().split(' ').next().unwrap_or_default().to_owned();
            match valid(&word, &BTreeSet::new()) {
                Ok(()) => self.inputs.push(ImageInput {
                    line: 0,
                    ..blank(ImageInputKind::SyntaxArg, word, Span::default(), Vec::new())
                }),
                Err(kind) => self.errors.push(InputError { kind, span: Span::default(), line: 0 }),
            }
        }
        for syntax in &self.dockerfile.syntaxes {
            match valid(&syntax.reference, &BTreeSet::new()) {
                Ok(()) => self.inputs.push(ImageInput {
                    line: self.dockerfile.line_col(syntax.span.start).line,
                    reachable: argument.is_none(),
                    ..blank(
                        ImageInputKind::Syntax,
                        syntax.reference.clone(),
                        syntax.span,
                        vec![syntax.span],
                    )
                }),
                Err(_) if argument.is_some() => {}
                Err(kind) => self.error(kind, syntax.span),
            }
        }
    }

    fn globals_errors(&mut self) {
        for (span, error) in std::mem::take(&mut self.globals.errors) {
            let word = text::lossy(span.of(self.dockerfile.source()));
            self.error(InputErrorKind::Expand { word, error }, span);
        }
    }

    fn expand(&mut self, word: &Word) -> Option<Expanded> {
        match self.lex.expand_within(&word.text, &self.globals.args, &mut self.work) {
            Ok(done) => Some(done),
            Err(error) => {
                let word_text = word.text.clone();
                self.error(InputErrorKind::Expand { word: word_text, error }, word.span);
                None
            }
        }
    }

    /// One state per stage, bases resolved to earlier stages.
    fn stages(&mut self) {
        for stage in Rc::clone(&self.stages).iter() {
            let mut state = State { stage: Some(stage.index), ..State::default() };
            let replaced = stage.name.as_ref().is_some_and(|name| self.scope.has_context(name));
            let platform = stage.platform.as_ref().and_then(|word| self.platform(word));
            let base = stage.base.as_ref().and_then(|word| {
                let done = self.expand(word)?;
                Some((word, done))
            });
            if let Some((word, done)) = base
                && !replaced
            {
                match self.base(stage, word, done, platform) {
                    Ok(Base::Stage(index)) => state.base = Some(index),
                    Ok(Base::Image(input)) => {
                        state.input = Some(self.inputs.len());
                        self.inputs.push(*input);
                    }
                    Ok(Base::Nothing) => {}
                    Err(kind) => self.error(kind, word.span),
                }
            }
            let index = self.states.len();
            self.states.push(state);
            if let Some(name) = &stage.name {
                self.names.insert(name.clone(), index);
            }
        }
    }

    fn platform(&mut self, word: &Word) -> Option<String> {
        let done = self.expand(word)?;
        if done.text.is_empty() {
            let kind = InputErrorKind::Empty {
                word: word.text.clone(),
                undefined: done.undefined.into_iter().collect(),
            };
            self.error(kind, word.span);
            return None;
        }
        // A bare architecture or system is completed by the engine.
        let parts = done.text.split('/').count();
        if parts > 1 && Platform::parse(&done.text).is_none() {
            self.error(InputErrorKind::Platform(done.text.clone()), word.span);
        }
        Some(done.text)
    }

    fn base(
        &self,
        stage: &Stage,
        word: &Word,
        done: Expanded,
        platform: Option<String>,
    ) -> Result<Base, InputErrorKind> {
        // The lookup is exact: `FROM Build` is not the stage `build`.
        if let Some(index) = self.names.get(&done.text) {
            return Ok(Base::Stage(*index));
        }
        if done.text == "scratch" {
            return Ok(Base::Nothing);
        }
        if done.text.is_empty() {
            return Err(InputErrorKind::Empty {
                word: word.text.clone(),
                undefined: done.undefined.into_iter().collect(),
            });
        }
        valid(&done.text, &done.undefined)?;
        if self.scope.has_context(&done.text) {
            return Ok(Base::Nothing);
        }
        let variables = self.globals.origins_of(&done.matched);
        Ok(Base::Image(Box::new(ImageInput {
            line: self.line_of(word),
            stage: Some(stage.index),
            stage_name: stage.name.clone(),
            platform,
            reachable: false,
            variables: variables.into_iter().collect(),
            undefined: done.undefined.into_iter().collect(),
            ..blank(ImageInputKind::From, done.text, word.span, word.parts.clone())
        })))
    }

    /// The sources of every stage's COPY and RUN, in file order.
    fn sources(&mut self) {
        for stage in Rc::clone(&self.stages).iter() {
            for index in stage.body.clone() {
                if let Some(node) = self.dockerfile.instructions.get(index) {
                    self.sources_of(node, stage, stage.index, false);
                }
            }
        }
        self.cycles();
    }

    /// Adds the sources of one instruction to the state `owner`.
    pub(super) fn sources_of(
        &mut self,
        node: &Instruction,
        stage: &Stage,
        owner: usize,
        onbuild: bool,
    ) {
        for (kind, word) in froms(node) {
            let Some(word) = word else {
                // A mount without `from` still takes a number.
                self.states.push(State::default());
                continue;
            };
            let place = Place { kind, word: &word, stage, onbuild };
            let state = match self.source(&place) {
                Source::State(index) => index,
                Source::Image(input) => {
                    let at = self.add(input);
                    self.states.push(State { input: Some(at), ..State::default() });
                    self.states.len() - 1
                }
                Source::Other => {
                    self.states.push(State::default());
                    self.states.len() - 1
                }
                Source::Broken(kind) => {
                    self.error(kind, word.span);
                    self.states.push(State::default());
                    continue;
                }
            };
            if let Some(owner) = self.states.get_mut(owner) {
                owner.deps.push(Dependency { state, span: word.span, onbuild });
            }
        }
    }

    /// The line a pin is written to.
    fn line_of(&self, word: &Word) -> usize {
        let last = word.parts.last().unwrap_or(&word.span);
        self.dockerfile.line_col(last.start).line
    }

    /// Lists an input; a trigger that several stages run is listed once.
    pub(super) fn add(&mut self, input: ImageInput) -> usize {
        if !input.onbuild {
            self.inputs.push(input);
            return self.inputs.len() - 1;
        }
        let next = self.inputs.len();
        let at = *self.triggers.entry(input.span).or_insert(next);
        if at == next {
            self.inputs.push(input);
        }
        at
    }

    pub(super) fn source(&self, place: &Place<'_>) -> Source {
        let name = place.word.text.as_str();
        match place.kind {
            ImageInputKind::CopyFrom => {
                let same = |done: Expanded| done.text == name;
                if !self.lex.expand(name, &EmptyEnv).is_ok_and(same) {
                    return Source::Broken(InputErrorKind::FromVariable);
                }
                // A number too large to be one is a name again.
                if is_integer(name)
                    && let Ok(number) = name.parse::<i64>()
                {
                    return match usize::try_from(number) {
                        Ok(index) if index < self.states.len() => Source::State(index),
                        _ => Source::Broken(InputErrorKind::StageIndex(name.to_owned())),
                    };
                }
            }
            _ => {
                // A dollar at the very end is taken literally there, and then no valid name.
                if name.contains('$') {
                    return Source::Broken(InputErrorKind::FromVariable);
                }
            }
        }
        if let Some(index) = self.names.get(&text::lower(name)) {
            return Source::State(*index);
        }
        if name == "scratch" {
            return Source::Other;
        }
        if let Err(kind) = valid(name, &BTreeSet::new()) {
            return Source::Broken(kind);
        }
        if self.scope.has_context(name) {
            return Source::Other;
        }
        Source::Image(ImageInput {
            line: self.line_of(place.word),
            stage: Some(place.stage.index),
            stage_name: place.stage.name.clone(),
            reachable: false,
            onbuild: place.onbuild,
            ..blank(place.kind, name.to_owned(), place.word.span, place.word.parts.clone())
        })
    }
}

enum Base {
    Stage(usize),
    Image(Box<ImageInput>),
    Nothing,
}

fn blank(kind: ImageInputKind, reference: String, span: Span, parts: Vec<Span>) -> ImageInput {
    ImageInput {
        kind,
        reference,
        span,
        parts,
        line: 0,
        stage: None,
        stage_name: None,
        platform: None,
        reachable: true,
        onbuild: false,
        variables: Vec::new(),
        undefined: Vec::new(),
    }
}

fn valid(text: &str, undefined: &BTreeSet<String>) -> Result<(), InputErrorKind> {
    if text.is_empty() {
        return Err(InputErrorKind::Empty {
            word: text.to_owned(),
            undefined: undefined.iter().cloned().collect(),
        });
    }
    Reference::parse_normalized(text).map(|_| ()).map_err(|error| InputErrorKind::Reference {
        word: text.to_owned(),
        error,
        undefined: undefined.iter().cloned().collect(),
    })
}

/// What Go's integer parser takes: digits with an optional sign.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sources of an instruction; `None` stands for a mount that names none.
pub(super) fn froms(node: &Instruction) -> Vec<(ImageInputKind, Option<Word>)> {
    match node.keyword {
        Keyword::Copy => node
            .flag("from")
            .and_then(|flag| flag.value.clone())
            .filter(|word| !word.text.is_empty())
            .map(|word| (ImageInputKind::CopyFrom, Some(word)))
            .into_iter()
            .collect(),
        Keyword::Run => node
            .flags
            .iter()
            .filter(|flag| flag.name == "mount" && flag.value.is_some())
            .map(|flag| {
                let from = mount::mount(&node.logical, flag)
                    .ok()
                    .and_then(|mount| mount.get("from").cloned())
                    .filter(|word| !word.text.is_empty());
                (ImageInputKind::MountFrom, from)
            })
            .collect(),
        _ => Vec::new(),
    }
}
