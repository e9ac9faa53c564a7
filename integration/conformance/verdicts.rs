//! Dockerfiles that are read here get the engine's own verdict, as `--call targets` tells it: that
//! call parses and does nothing else.

use std::path::Path;

use cofferdam::engine::SessionTransport;
use cofferdam::engine::session::Filesync;
use cofferdam::engine::session::filesync::{MemoryEntry, MemoryTree, Tree};
use cofferdam_frontend::Plan;
use cofferdam_frontend::bridge::BridgeError;
use cofferdam_frontend::call::{Call, CallError, call};
use cofferdam_frontend::dockerfile::{Dockerfile, Instruction};

use crate::support::opened::open;
use crate::support::{Engine, tests};

#[path = "../../frontend/tests/verdicts/mod.rs"]
mod written;

tests![every_construct_gets_the_engines_verdict, our_own_dockerfiles_are_read_alike];

const DIRECTORY: &str = "dockerfiles-of-verdicts";

/// The engine's verdicts, in the order of the texts: `None` is good. 20.10 cannot be asked.
fn asked(engine: &'static Engine, texts: &[Vec<u8>]) -> Option<Vec<Option<String>>> {
    let name = |index: usize| format!("{index}.Dockerfile");
    let entries = texts.iter().enumerate();
    let entries = entries.map(|(index, text)| MemoryEntry::file(name(index), 0o644, text.clone()));
    let tree = Tree::Memory(MemoryTree::new(entries.collect()).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let files = Filesync::new(vec![(DIRECTORY.into(), tree)]);
        let active = open(engine, files, SessionTransport::Auto).await;
        let mut verdicts = Some(Vec::new());
        for index in 0..texts.len() {
            let options = [("dockerfilekey", DIRECTORY.to_owned()), ("filename", name(index))];
            let options = options.map(|(key, value)| (key.to_owned(), value));
            let plan = Plan {
                frontend: "dockerfile.v0".into(),
                options: options.into(),
                ..Plan::default()
            };
            let verdict = match call(active.bridge(), &plan, Call::Targets).await {
                Ok(_) => None,
                Err(CallError::Bridge(BridgeError::Build { message, .. })) => Some(message),
                Err(CallError::Unsupported(_)) if engine.name == "a" => {
                    verdicts = None;
                    break;
                }
                Err(other) => panic!("{other:?}"),
            };
            verdicts.iter_mut().for_each(|verdicts| verdicts.push(verdict.clone()));
        }
        active.fail(BridgeError::Build { message: "only questions".into(), blame: None }).await;
        verdicts
    })
}

/// What is read here, without what only a build refuses.
fn ours(text: &[u8]) -> Option<String> {
    let file = Dockerfile::parse(text);
    file.errors.iter().find(|error| !error.is_build_only()).map(ToString::to_string)
}

fn every_construct_gets_the_engines_verdict(engine: &'static Engine) {
    let cases = written::cases();
    let texts: Vec<_> = cases.iter().map(|case| case.text.clone()).collect();
    let Some(verdicts) = asked(engine, &texts) else { return };
    for (case, verdict) in cases.iter().zip(verdicts) {
        let good = matches!(case.verdict, "good" | "older");
        assert_eq!(verdict.is_none(), good, "{}: {verdict:?}", case.name);
    }
}

fn our_own_dockerfiles_are_read_alike(engine: &'static Engine) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in ["examples", "frontend/tests/corpus"] {
        dockerfiles(&root.join(directory), &mut files);
    }
    differential(&root.join("integration/differential/cases"), &mut files);
    // A remote frontend would be fetched; old engines know no `check`, and not every flag.
    files.retain(|(name, text)| {
        let file = Dockerfile::parse(text);
        let sandbox = |node: &Instruction| node.flag("security").is_some();
        let newer = name.ends_with("_is_for_newer_frontends")
            || file.check.is_some()
            || file.instructions.iter().any(sandbox);
        file.syntaxes.is_empty() && !newer
    });
    assert!(files.len() > 150, "{} files", files.len());
    let texts: Vec<_> = files.iter().map(|(_, text)| text.clone()).collect();
    let Some(verdicts) = asked(engine, &texts) else { return };
    let differences: Vec<_> = files
        .iter()
        .zip(verdicts)
        .map(|((name, text), verdict)| (name, ours(text), verdict))
        .filter(|(_, ours, engines)| ours.is_none() != engines.is_none())
        .collect();
    assert!(differences.is_empty(), "(file, ours, the engine's): {differences:#?}");
}

/// Files named like Dockerfiles, with directories below.
fn dockerfiles(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            dockerfiles(&path, found);
        } else if name.contains("Dockerfile") && !name.ends_with(".dockerignore") {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// The Dockerfiles inside of the cases of the comparison with buildx.
fn differential(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for case in text.split("\n=== ").skip(1) {
            let name = case.lines().next().unwrap_or_default();
            for section in case.split("\n--- ").skip(1) {
                if let Some((path, text)) = section.split_once('\n')
                    && path.split(' ').next().is_some_and(|path| path.ends_with("Dockerfile"))
                {
                    found.push((name.to_owned(), format!("{text}\n").into_bytes()));
                }
            }
        }
    }
}
