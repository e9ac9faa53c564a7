//! A Dockerfile as rules look at it: stages, images and scripts, worked out once.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::body::{self, Run};
use super::settings::Settings;
use crate::dockerfile::{
    self, Dockerfile, Globals, ImageInput, ImageInputKind, ImageInputs, Instruction, Keyword, Span,
    Stage, Word,
};

/// One instruction where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its place among the file's instructions; a trigger has that of its ONBUILD.
    pub index: usize,
    pub instruction: &'a Instruction,
    /// The stage it belongs to; `None` before the first FROM.
    pub stage: Option<usize>,
    /// Whether ONBUILD defers it to builds on top of this image.
    pub onbuild: bool,
}

/// A file and what follows from it.
pub struct View<'a> {
    pub file: &'a Dockerfile,
    pub settings: &'a Settings,
    pub stages: Vec<Stage>,
    images: OnceCell<ImageInputs>,
    /// Of each stage the place of its base among them.
    bases: OnceCell<Vec<Option<usize>>>,
    globals: OnceCell<Globals>,
    lineage: OnceCell<Vec<usize>>,
    /// Of each stage whether it is one of them.
    result: OnceCell<Vec<bool>>,
    runs: OnceCell<Vec<Run<'a>>>,
    variables: OnceCell<Vec<Variables>>,
    names: OnceCell<BTreeMap<String, Vec<usize>>>,
}

/// Variables before one instruction; `None` where there are too many to keep.
type Variables = Option<Rc<BTreeMap<String, String>>>;

/// How many ARG and ENV are followed; people write dozens.
const MOST_CHANGES: usize = 2000;
/// How long all variables of a moment may be together.
const MOST_BYTES: usize = 1 << 15;
/// How much memory all moments may take together, in bytes; each change makes a new one.
const MOST_KEPT: usize = 32 << 20;
/// What a variable takes besides its bytes, about.
const OF_A_VARIABLE: usize = 128;

impl<'a> View<'a> {
    pub fn new(file: &'a Dockerfile, settings: &'a Settings) -> Self {
        Self {
            file,
            settings,
            stages: file.stages(),
            images: OnceCell::new(),
            bases: OnceCell::new(),
            globals: OnceCell::new(),
            lineage: OnceCell::new(),
            result: OnceCell::new(),
            runs: OnceCell::new(),
            variables: OnceCell::new(),
            names: OnceCell::new(),
        }
    }

    /// The bytes of a span as text.
    pub fn text(&self, span: Span) -> Cow<'a, str> {
        String::from_utf8_lossy(span.of(self.file.source()))
    }

    /// All images that the file names, and what keeps them from being told.
    pub fn images(&self) -> &ImageInputs {
        self.images.get_or_init(|| dockerfile::image_inputs(self.file, &self.settings.scope))
    }

    /// The image that a stage begins with; `None` for `scratch` and earlier stages.
    pub fn base(&self, stage: usize) -> Option<&ImageInput> {
        let inputs = &self.images().inputs;
        let bases = self.bases.get_or_init(|| {
            let mut bases = vec![None; self.stages.len()];
            for (index, input) in inputs.iter().enumerate().rev() {
                let stage = input.stage.filter(|_| input.kind == ImageInputKind::From);
                if let Some(base) = stage.and_then(|stage| bases.get_mut(stage)) {
                    *base = Some(index);
                }
            }
            bases
        });
        inputs.get((*bases.get(stage)?)?)
    }

    /// The arguments before the first FROM.
    pub fn globals(&self) -> &Globals {
        self.globals.get_or_init(|| dockerfile::global_args(self.file, &self.settings.scope))
    }

    /// Variables right before an instruction, those of the base image left out.
    pub fn variables(&self, node: Node<'_>) -> BTreeMap<String, String> {
        self.known(node).map_or_else(BTreeMap::new, |known| BTreeMap::clone(&known))
    }

    fn known(&self, node: Node<'_>) -> Variables {
        let all = self.variables.get_or_init(|| self.every_variable());
        all.get(node.index).cloned().flatten()
    }

    /// The variables before each instruction; shared, since most change none.
    fn every_variable(&self) -> Vec<Variables> {
        let lex = dockerfile::Lex::new(self.file.escape());
        let mut before: Vec<Variables> = vec![None; self.file.instructions.len()];
        let mut ends: Vec<Variables> = Vec::new();
        let (mut changes, mut kept, mut work) = (0, 0, dockerfile::WORK);
        for stage in &self.stages {
            let mut now: Variables = match self.parent(stage) {
                Some(parent) => ends.get(parent.index).cloned().flatten(),
                None => Some(Rc::default()),
            };
            for index in stage.body.clone() {
                if let Some(slot) = before.get_mut(index) {
                    slot.clone_from(&now);
                }
                let node = self.file.instructions.get(index);
                let node = node.filter(|n| matches!(n.keyword, Keyword::Arg | Keyword::Env));
                if let (Some(node), Some(known)) = (node, &mut now) {
                    let scope = &self.settings.scope;
                    let known = Rc::make_mut(known);
                    dockerfile::apply(node, &lex, scope, self.globals(), known, &mut work);
                    changes += 1;
                    let bytes: usize =
                        known.iter().map(|(name, value)| name.len() + value.len()).sum();
                    kept += bytes + known.len() * OF_A_VARIABLE;
                    if changes > MOST_CHANGES || bytes > MOST_BYTES || kept > MOST_KEPT {
                        now = None;
                    }
                }
            }
            ends.push(now);
        }
        before
    }

    /// A word with variables expanded as they are right before its instruction; `None` where that
    /// cannot be told, and where a variable in it is not set in this file.
    pub fn expand(&self, node: Node<'_>, word: &Word) -> Option<String> {
        if !word.text.contains(['$', '\\', '"', '\'']) {
            return Some(word.text.clone());
        }
        let lex = dockerfile::Lex::new(self.file.escape());
        let done = lex.expand(&word.text, &*self.known(node)?).ok()?;
        done.undefined.is_empty().then_some(done.text)
    }

    /// The stage that is built: `--target`, or the last.
    pub fn target(&self) -> Option<&Stage> {
        let named = self.settings.scope.target.as_deref().filter(|name| !name.is_empty());
        match named {
            None => self.stages.last(),
            Some(name) => self
                .stages
                .iter()
                .rev()
                .find(|stage| {
                    stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name))
                })
                .or_else(|| self.stages.get(name.parse::<usize>().ok()?)),
        }
    }

    /// The stages whose layers the image has: the target's, and those it is built from; its first.
    pub fn lineage(&self) -> &[usize] {
        self.lineage.get_or_init(|| {
            let mut stages = Vec::new();
            let mut next = self.target();
            while let Some(stage) = next {
                stages.push(stage.index);
                next = self.parent(stage);
            }
            stages
        })
    }

    /// The earlier stage that a stage begins with.
    pub fn parent(&self, stage: &Stage) -> Option<&Stage> {
        let base = stage.base.as_ref()?;
        let lex = dockerfile::Lex::new(self.file.escape());
        let name = lex.expand(&base.text, &self.globals().args).ok()?.text;
        // Names are kept in lower case, each with its stages in order.
        let stages = self.names().get(name.to_lowercase().as_str())?;
        let before = stages.partition_point(|index| *index < stage.index);
        self.stages.get(*stages.get(before.checked_sub(1)?)?)
    }

    /// The stages of each name.
    fn names(&self) -> &BTreeMap<String, Vec<usize>> {
        self.names.get_or_init(|| {
            let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for stage in &self.stages {
                if let Some(name) = &stage.name {
                    found.entry(name.clone()).or_default().push(stage.index);
                }
            }
            found
        })
    }

    /// Whether a stage surely runs on Windows, whose shell is another.
    fn is_windows(&self, stage: &Stage) -> bool {
        let base = stage.base.as_ref().map(|base| base.text.to_lowercase()).unwrap_or_default();
        self.file.escape() == '`'
            || ["windows", "nanoserver"].iter().any(|name| base.contains(name))
    }

    /// Whether what a stage does ends in the image.
    pub fn in_result(&self, stage: Option<usize>) -> bool {
        let result = self.result.get_or_init(|| {
            let mut result = vec![false; self.stages.len()];
            for stage in self.lineage() {
                if let Some(ends) = result.get_mut(*stage) {
                    *ends = true;
                }
            }
            result
        });
        stage.and_then(|stage| result.get(stage)).is_some_and(|ends| *ends)
    }

    /// All instructions, and behind each ONBUILD its trigger.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let mut stage = None;
        self.file.instructions.iter().enumerate().flat_map(move |(index, instruction)| {
            if instruction.keyword == Keyword::From {
                stage = Some(stage.map_or(0, |stage: usize| stage + 1));
            }
            let node = |instruction, onbuild| Node { index, instruction, stage, onbuild };
            let trigger = instruction.trigger().map(|inner| node(inner, true));
            std::iter::once(node(instruction, false)).chain(trigger)
        })
    }

    /// All instructions with this keyword, triggers included.
    pub fn all(&self, keyword: Keyword) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.nodes().filter(move |node| node.instruction.keyword == keyword)
    }

    /// The scripts of all RUN, as POSIX shells read them; none for stages with another SHELL.
    pub fn runs(&self) -> &[Run<'a>] {
        self.runs.get_or_init(|| {
            let mut foreign = BTreeMap::new();
            let mut found = Vec::new();
            for node in self.nodes() {
                let keyword = node.instruction.keyword;
                if keyword == Keyword::From {
                    let stage = node.stage.and_then(|stage| self.stages.get(stage));
                    let parent = stage.and_then(|stage| self.parent(stage));
                    let inherits = parent.is_some_and(|parent| foreign.contains_key(&parent.index));
                    let windows = stage.is_some_and(|stage| self.is_windows(stage));
                    if let (Some(stage), true) = (stage, inherits || windows) {
                        foreign.insert(stage.index, ());
                    }
                }
                let Some(stage) = node.stage else { continue };
                if keyword == Keyword::Shell && !node.onbuild {
                    let program = node.instruction.words().first();
                    if program.is_some_and(|program| !body::is_shell(&program.text)) {
                        foreign.insert(stage, ());
                    } else {
                        foreign.remove(&stage);
                    }
                }
                if keyword == Keyword::Run && !foreign.contains_key(&stage) {
                    found.extend(body::runs(node, self.file.source()));
                }
            }
            found
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_that_a_build_has() {
        let source = "ARG G=1\nFROM a:1 AS base\nARG G\nENV A=$G B=$A\nRUN x\nFROM a:1\n\
            ENV A=other\nFROM base\nENV B=$A C=\"$B$B\"\nARG D=$C\nRUN x\n";
        let file = Dockerfile::parse(source.as_bytes());
        let settings = Settings::default();
        let view = View::new(&file, &settings);
        for node in view.nodes() {
            let Some(stage) = node.stage.and_then(|stage| view.stages.get(stage)) else { continue };
            let scope = &settings.scope;
            let expected = dockerfile::stage_env(&file, scope, view.globals(), stage, node.index);
            if node.instruction.keyword != Keyword::From {
                assert_eq!(view.variables(node), expected, "{node:?}");
            }
        }
    }

    #[test]
    fn too_many_variables_are_not_followed() {
        let mut source = String::from("FROM a:1\n");
        for index in 0..3 * MOST_CHANGES {
            source.push_str(&format!("ENV V{index}=$V0\n"));
        }
        source.push_str("USER $V0\n");
        let file = Dockerfile::parse(source.as_bytes());
        let settings = Settings::default();
        let view = View::new(&file, &settings);
        let last = view.nodes().last().unwrap();
        assert_eq!(view.variables(last), BTreeMap::new());
    }
}
