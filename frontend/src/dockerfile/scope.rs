//! Which variables are visible where: build arguments, global ARGs, a stage's ARG and ENV.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::{Env, ExpandError, Expanded, Lex, WORK};
use super::instruction::{Instruction, Keyword};
use super::pattern::{Work, spend};
use super::platform::Platform;
use super::span::Span;
use super::{Dockerfile, Stage, stage, text};

/// What the caller of a build decides about the file's variables and stages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `--build-arg`, values resolved.
    pub build_args: BTreeMap<String, String>,
    /// The platform the engine runs on; without it the BUILD… arguments are undefined.
    pub build_platform: Option<Platform>,
    /// The platform to build for; without it it is the build platform.
    pub target_platform: Option<Platform>,
    /// Names given by `--build-context`; they replace stages and images.
    pub named_contexts: BTreeSet<String>,
    /// `--target`; without it the last stage.
    pub target: Option<String>,
}

/// The global arguments, and what went wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    pub args: BTreeMap<String, String>,
    /// For each argument the names its value was made from, itself included.
    pub origins: BTreeMap<String, BTreeSet<String>>,
    pub undefined: Vec<Undefined>,
    pub errors: Vec<(Span, ExpandError)>,
}

/// A variable that was used and is not set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Undefined {
    pub name: String,
    /// The word that uses it.
    pub span: Span,
}

impl Globals {
    /// Expands a default; also gives the names behind its value.
    fn expand(
        &self,
        lex: &Lex,
        text: &str,
        work: &mut Work,
    ) -> Result<(Expanded, BTreeSet<String>), ExpandError> {
        let done = lex.expand_within(text, &self.args, work)?;
        let origins = self.origins_of(&done.matched);
        // Arguments made from each other in a long row would list all of them every time.
        spend(work, origins.len().saturating_sub(16) * 64)?;
        Ok((done, origins))
    }

    /// The names behind `names`: what their values were made from.
    pub(crate) fn origins_of(&self, names: &BTreeSet<String>) -> BTreeSet<String> {
        names
            .iter()
            .flat_map(|name| {
                let own = BTreeSet::from([name.clone()]);
                self.origins.get(name).cloned().unwrap_or(own)
            })
            .collect()
    }
}

fn predefined(dockerfile: &Dockerfile, scope: &Scope) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        let value = scope.build_args.get(name).map_or(value, String::as_str);
        args.insert(name.to_owned(), value.to_owned());
    };
    if let Some(build) = &scope.build_platform {
        set("BUILDPLATFORM", &build.short());
        set("BUILDOS", &build.os);
        set("BUILDOSVERSION", &build.os_version);
        set("BUILDARCH", &build.arch);
        set("BUILDVARIANT", &build.variant);
    }
    if let Some(target) = scope.target_platform.as_ref().or(scope.build_platform.as_ref()) {
        set("TARGETPLATFORM", &target.to_string());
        set("TARGETOS", &target.os);
        set("TARGETOSVERSION", &target.os_version);
        set("TARGETARCH", &target.arch);
        set("TARGETVARIANT", &target.variant);
    }
    let nodes = &dockerfile.instructions;
    let last = nodes.iter().rposition(|node| node.keyword == Keyword::From);
    let last = last.and_then(|last| nodes.get(last..)).and_then(|rest| stage::stages(rest).pop());
    let last = last.and_then(|stage| stage.name);
    let target = scope.target.clone().filter(|name| !name.is_empty()).or(last);
    set("TARGETSTAGE", target.as_deref().unwrap_or("default"));
    args
}

/// The arguments FROM can use: predefined ones and every ARG before the first FROM.
pub fn global_args(dockerfile: &Dockerfile, scope: &Scope) -> Globals {
    let lex = Lex::new(dockerfile.escape());
    let mut globals = Globals { args: predefined(dockerfile, scope), ..Globals::default() };
    let mut work = WORK;
    for pair in dockerfile.global_args().flat_map(Instruction::pairs) {
        let name = &pair.name.text;
        let mut origins = BTreeSet::from([name.clone()]);
        let value = match (scope.build_args.get(name), &pair.value) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(default)) => match globals.expand(&lex, &default.text, &mut work) {
                Ok((done, behind)) => {
                    origins.extend(behind);
                    globals.undefined.extend(
                        done.undefined
                            .into_iter()
                            .map(|name| Undefined { name, span: default.span }),
                    );
                    Some(done.text)
                }
                Err(error) => {
                    globals.errors.push((default.span, error));
                    None
                }
            },
            (None, None) => None,
        };
        if let Some(value) = value {
            globals.args.insert(name.clone(), value);
            globals.origins.insert(name.clone(), origins);
        }
    }
    globals
}

/// The variables visible right before instruction `before` of a stage, without those of its
/// external base image: ENV and ARG of the stages it is based on, then its own.
pub fn stage_env(
    dockerfile: &Dockerfile,
    scope: &Scope,
    globals: &Globals,
    stage: &Stage,
    before: usize,
) -> BTreeMap<String, String> {
    let lex = Lex::new(dockerfile.escape());
    let stages = dockerfile.stages();
    // The last stage of each name before a stage is what it can be based on.
    let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for other in &stages {
        if let Some(name) = &other.name {
            named.entry(name).or_default().push(other.index);
        }
    }
    let before_stage = |name: &str, index: usize| {
        let list = named.get(name)?;
        let count = list.partition_point(|other| *other < index);
        stages.get(*list.get(count.checked_sub(1)?)?)
    };
    let mut chain = vec![stage.clone()];
    // A stage's base can only be an earlier stage, so this ends.
    while let Some(current) = chain.last()
        && let Some(base) = &current.base
        && let Ok(base) = lex.expand(&base.text, &globals.args)
        && let Some(parent) = before_stage(&base.text, current.index)
    {
        chain.push(parent.clone());
    }
    let mut env = BTreeMap::new();
    let mut work = WORK;
    for (depth, part) in chain.iter().enumerate().rev() {
        for index in part.body.clone() {
            if depth == 0 && index >= before {
                break;
            }
            if let Some(node) = dockerfile.instructions.get(index) {
                apply(node, &lex, scope, globals, &mut env, &mut work);
            }
        }
    }
    env
}

/// What one instruction does to the variables.
pub(crate) fn apply(
    node: &Instruction,
    lex: &Lex,
    scope: &Scope,
    globals: &Globals,
    env: &mut BTreeMap<String, String>,
    work: &mut Work,
) {
    let mut expand = |text: &str, env: &BTreeMap<String, String>| {
        lex.expand_within(text, env, work).map(|done| done.text).ok()
    };
    match node.keyword {
        Keyword::Env => {
            // All values of one ENV see the variables as they were before it.
            let mut set = Vec::with_capacity(node.pairs().len());
            for pair in node.pairs() {
                let name = expand(&pair.name.text, env);
                let value = pair.value.as_ref().and_then(|value| expand(&value.text, env));
                set.extend(name.zip(value));
            }
            env.extend(set);
        }
        Keyword::Arg => {
            for pair in node.pairs() {
                let name = &pair.name.text;
                let value = match (scope.build_args.get(name), &pair.value) {
                    (Some(given), _) => Some(given.clone()),
                    (None, Some(default)) => expand(&default.text, env),
                    (None, None) => Env::get(&globals.args, name).map(str::to_owned),
                };
                if let Some(value) = value {
                    env.insert(name.clone(), value);
                }
            }
        }
        _ => {}
    }
}

/// How BuildKit spells a context's name when it looks for one.
pub(crate) fn context_key(name: &str) -> String {
    match crate::pins::reference::Reference::parse_normalized(name) {
        Ok(reference) => {
            let familiar = reference.familiar();
            familiar.strip_suffix(":latest").unwrap_or(&familiar).to_owned()
        }
        Err(_) => text::lower(name),
    }
}

impl Scope {
    /// Whether a named context stands in for this stage or image.
    pub(crate) fn has_context(&self, name: &str) -> bool {
        if self.named_contexts.is_empty()
            || text::equal_fold(name, "scratch")
            || text::equal_fold(name, "context")
        {
            return false;
        }
        let key = context_key(name);
        let platform = self.target_platform.as_ref().or(self.build_platform.as_ref());
        self.named_contexts.iter().any(|given| match given.split_once("::") {
            Some((given, only)) => {
                context_key(given) == key && platform == Platform::parse(only).as_ref()
            }
            None => context_key(given) == key,
        })
    }
}
