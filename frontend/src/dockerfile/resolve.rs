//! The graph of stages and images, built in the order BuildKit builds it.
//!
//! The order matters: images of `COPY --from` and of mounts become numbered states behind the
//! stages, and a numeric `--from` can mean one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::{EmptyEnv, Expanded, Lex};
use super::inputs::{ImageInput, ImageInputKind, ImageInputs, InputError, InputErrorKind};
use super::instruction::{Instruction, Keyword};
use super::logical::Word;
use super::mount;
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
        stages: dockerfile.stages(),
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
struct State {
    base: Option<usize>,
    deps: Vec<Dependency>,
    /// The image this node needs, as an index into the inputs.
    input: Option<usize>,
    /// The stage this node is; `None` for an unnamed source.
    stage: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Dependency {
    state: usize,
    span: Span,
    /// Whether the source is read at once, so that it has to come earlier in the file.
    onbuild: bool,
}

/// Where a `from` was written.
struct Place<'a> {
    kind: ImageInputKind,
    word: &'a Word,
    stage: &'a Stage,
    onbuild: bool,
}

struct Graph<'a> {
    dockerfile: &'a Dockerfile,
    scope: &'a Scope,
    globals: Globals,
    lex: Lex,
    stages: Vec<Stage>,
    states: Vec<State>,
    /// Stage names in lower case; the last of a name wins.
    names: BTreeMap<String, usize>,
    inputs: Vec<ImageInput>,
    /// Where the inputs of ONBUILD are listed.
    triggers: BTreeMap<Span, usize>,
    errors: Vec<InputError>,
}

/// What a `from` turned out to be.
enum Source {
    State(usize),
    Image(ImageInput),
    /// `scratch` or a named context: a state without an image.
    Other,
    Broken(InputErrorKind),
}

impl Graph<'_> {
    fn error(&mut self, kind: InputErrorKind, span: Span) {
        let line = self.dockerfile.line_col(span.start).line;
        self.errors.push(InputError { kind, span, line });
    }

    fn syntax(&mut self) {
        let argument = self.scope.build_args.get("BUILDKIT_SYNTAX");
        if let Some(value) = argument {
            let word = value
                .trim()
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned();
            match valid(&word, &BTreeSet::new()) {
                Ok(()) => self.inputs.push(ImageInput {
                    line: 0,
                    ..blank(ImageInputKind::SyntaxArg, word, Span::default(), Vec::new())
                }),
                Err(kind) => self.errors.push(InputError {
                    kind,
                    span: Span::default(),
                    line: 0,
                }),
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
        match self.lex.expand(&word.text, &self.globals.args) {
            Ok(done) => Some(done),
            Err(error) => {
                let word_text = word.text.clone();
                self.error(
                    InputErrorKind::Expand {
                        word: word_text,
                        error,
                    },
                    word.span,
                );
                None
            }
        }
    }

    /// One state per stage, bases resolved to earlier stages.
    fn stages(&mut self) {
        for stage in self.stages.clone() {
            let mut state = State {
                stage: Some(stage.index),
                ..State::default()
            };
            let replaced = stage
                .name
                .as_ref()
                .is_some_and(|name| self.scope.has_context(name));
            let platform = stage.platform.as_ref().and_then(|word| self.platform(word));
            let base = stage.base.as_ref().and_then(|word| {
                let done = self.expand(word)?;
                Some((word, done))
            });
            if let Some((word, done)) = base
                && !replaced
            {
                match self.base(&stage, word, done, platform) {
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
            if let Some(name) = stage.name {
                self.names.insert(name, index);
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
            line: self.dockerfile.line_col(word.span.start).line,
            stage: Some(stage.index),
            stage_name: stage.name.clone(),
            platform,
            reachable: false,
            variables: variables.into_iter().collect(),
            undefined: done.undefined.into_iter().collect(),
            ..blank(
                ImageInputKind::From,
                done.text,
                word.span,
                word.parts.clone(),
            )
        })))
    }

    /// The sources of every stage's COPY and RUN, in file order.
    fn sources(&mut self) {
        for stage in self.stages.clone() {
            for index in stage.body.clone() {
                if let Some(node) = self.dockerfile.instructions.get(index) {
                    self.sources_of(node, &stage, stage.index, false);
                }
            }
        }
        self.cycles();
    }

    /// Adds the sources of one instruction to the state `owner`.
    fn sources_of(&mut self, node: &Instruction, stage: &Stage, owner: usize, onbuild: bool) {
        for (kind, word) in froms(node) {
            let Some(word) = word else {
                // A mount without `from` still takes a number.
                self.states.push(State::default());
                continue;
            };
            let place = Place {
                kind,
                word: &word,
                stage,
                onbuild,
            };
            let state = match self.source(&place) {
                Source::State(index) => index,
                Source::Image(input) => {
                    let at = self.add(input);
                    self.states.push(State {
                        input: Some(at),
                        ..State::default()
                    });
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
                owner.deps.push(Dependency {
                    state,
                    span: word.span,
                    onbuild,
                });
            }
        }
    }

    /// Lists an input; a trigger that several stages run is listed once.
    fn add(&mut self, input: ImageInput) -> usize {
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

    fn source(&self, place: &Place<'_>) -> Source {
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
            line: self.dockerfile.line_col(place.word.span.start).line,
            stage: Some(place.stage.index),
            stage_name: place.stage.name.clone(),
            reachable: false,
            onbuild: place.onbuild,
            ..blank(
                place.kind,
                name.to_owned(),
                place.word.span,
                place.word.parts.clone(),
            )
        })
    }

    fn stage_label(&self, state: usize) -> String {
        let stage = self.states.get(state).and_then(|state| state.stage);
        match stage.and_then(|index| self.stages.get(index)) {
            Some(Stage {
                name: Some(name), ..
            }) => name.clone(),
            Some(stage) => stage.index.to_string(),
            None => state.to_string(),
        }
    }

    fn neighbours(&self, state: usize) -> Vec<usize> {
        self.states.get(state).map_or_else(Vec::new, |state| {
            let deps = state.deps.iter().map(|dep| dep.state);
            state.base.into_iter().chain(deps).collect()
        })
    }

    /// Reports each stage that needs itself.
    fn cycles(&mut self) {
        // 0 unseen, 1 on the path, 2 done; an explicit stack, since stages can be many.
        let mut marks = vec![0u8; self.states.len()];
        let mut found = Vec::new();
        for root in 0..self.stages.len() {
            let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
            if marks.get(root) == Some(&0) {
                path.push((root, self.neighbours(root)));
                if let Some(mark) = marks.get_mut(root) {
                    *mark = 1;
                }
            }
            while let Some((state, rest)) = path.last_mut() {
                let state = *state;
                let Some(next) = rest.pop() else {
                    if let Some(mark) = marks.get_mut(state) {
                        *mark = 2;
                    }
                    path.pop();
                    continue;
                };
                match marks.get(next) {
                    Some(1) => found.push(next),
                    Some(0) => {
                        if let Some(mark) = marks.get_mut(next) {
                            *mark = 1;
                        }
                        let rest = self.neighbours(next);
                        path.push((next, rest));
                    }
                    _ => {}
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        for state in found {
            let span = self
                .states
                .get(state)
                .and_then(|state| self.stages.get(state.stage?))
                .and_then(|stage| self.dockerfile.instructions.get(stage.from))
                .map_or_else(Span::default, |node| node.span);
            let label = self.stage_label(state);
            self.error(InputErrorKind::Circular(label), span);
        }
    }

    fn target(&mut self) -> Option<usize> {
        let wanted = self.scope.target.as_deref().filter(|name| !name.is_empty());
        let Some(wanted) = wanted else {
            return self.stages.len().checked_sub(1);
        };
        let found = self.names.get(&text::lower(wanted)).copied();
        if found.is_none() {
            self.errors.push(InputError {
                kind: InputErrorKind::TargetMissing(wanted.to_owned()),
                span: Span::default(),
                line: 0,
            });
        }
        found
    }

    fn closure(&self, target: Option<usize>) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<usize> = target.into_iter().collect();
        while let Some(state) = todo.pop() {
            if seen.insert(state) {
                todo.extend(self.neighbours(state));
            }
        }
        seen
    }

    /// Marks what the target needs; ONBUILD of a base stage adds to it until nothing changes.
    fn reach(mut self) -> ImageInputs {
        let target = self.target();
        let mut triggered: BTreeSet<usize> = BTreeSet::new();
        let mut reachable = self.closure(target);
        loop {
            let fresh: Vec<usize> = reachable
                .iter()
                .copied()
                .filter(|state| !triggered.contains(state))
                .collect();
            if fresh.is_empty() {
                break;
            }
            for state in fresh {
                triggered.insert(state);
                self.trigger(state);
            }
            reachable = self.closure(target);
        }
        self.recorded_triggers();
        self.order(&reachable);
        for state in &reachable {
            let input = self.states.get(*state).and_then(|state| state.input);
            if let Some(input) = input.and_then(|input| self.inputs.get_mut(input)) {
                input.reachable = true;
            }
        }
        self.inputs.sort_by_key(|input| (input.line, input.span));
        self.errors.sort_by_key(|error| (error.line, error.span));
        ImageInputs {
            inputs: self.inputs,
            errors: self.errors,
            reachable_stages: reachable
                .into_iter()
                .filter_map(|state| self.states.get(state)?.stage)
                .collect(),
        }
    }

    /// Runs the ONBUILD instructions of a state's base stage.
    fn trigger(&mut self, state: usize) {
        let base = self.states.get(state).and_then(|state| state.base);
        let Some(stage) = base.and_then(|base| self.stages.get(base)).cloned() else {
            return;
        };
        for index in stage.body.clone() {
            let node = self.dockerfile.instructions.get(index);
            if let Some(inner) = node.and_then(Instruction::trigger) {
                self.sources_of(inner, &stage, state, true);
            }
        }
    }

    /// Lists the triggers that no stage of this file runs; names of stages are left out.
    fn recorded_triggers(&mut self) {
        for stage in self.stages.clone() {
            for index in stage.body.clone() {
                let node = self.dockerfile.instructions.get(index);
                let Some(inner) = node.and_then(Instruction::trigger) else {
                    continue;
                };
                for (kind, word) in froms(inner) {
                    let Some(word) = word else { continue };
                    let place = Place {
                        kind,
                        word: &word,
                        stage: &stage,
                        onbuild: true,
                    };
                    if let Source::Image(input) = self.source(&place) {
                        self.add(input);
                    }
                }
            }
        }
    }

    /// A needed stage may only read from stages before it.
    fn order(&mut self, reachable: &BTreeSet<usize>) {
        let mut late = Vec::new();
        for (index, state) in self.states.iter().enumerate() {
            if state.stage.is_none() || !reachable.contains(&index) {
                continue;
            }
            for dep in &state.deps {
                let stage = self.states.get(dep.state).and_then(|state| state.stage);
                if stage.is_some() && dep.state > index && !dep.onbuild {
                    late.push((dep.state, dep.span));
                }
            }
        }
        for (state, span) in late {
            let label = self.stage_label(state);
            self.error(InputErrorKind::StageTooLate(label), span);
        }
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
    Reference::parse_normalized(text)
        .map(|_| ())
        .map_err(|error| InputErrorKind::Reference {
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
fn froms(node: &Instruction) -> Vec<(ImageInputKind, Option<Word>)> {
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
