//! The walls of ARCHITECTURE.md: who may know whom, who may touch the world.
//!
//! The sources are read as text: imports, with their groups taken apart, and paths in the code.
//! Tests inside of the sources may do what they like.

#![expect(clippy::unwrap_used, reason = "a test that cannot read has failed")]

use std::fmt;
use std::path::{Path, PathBuf};

/// Longest source file, in lines.
const LONGEST: usize = 500;

/// Paths that must not be mentioned in certain files.
struct Wall {
    /// What it keeps apart.
    name: &'static str,
    /// Whether a file stands behind it.
    behind: fn(&str) -> bool,
    forbidden: &'static [&'static str],
}

const WALLS: &[Wall] = &[
    Wall {
        name: "the frontend decides and touches nothing",
        behind: |file| {
            file.starts_with("frontend/src/")
                || file.starts_with("frontend/contents/src/")
                || file.starts_with("frontend/inventory/src/")
                || file.starts_with("frontend/search/src/")
        },
        forbidden: &[
            "std::env",
            "std::fs",
            "std::process",
            "std::net",
            "std::os",
            "std::io::stdout",
            "std::io::stderr",
            "std::io::stdin",
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "bollard",
            "clap",
            "tokio",
            "tonic",
            "hyper",
        ],
    },
    Wall {
        name: "the engine knows no policy and nobody above it",
        behind: |file| file.starts_with("src/engine"),
        forbidden: &[
            "crate::cli",
            "crate::request",
            "crate::inputs",
            "crate::pipeline",
            "crate::attest",
            "crate::record",
            "crate::report",
            "cofferdam_frontend::policy",
        ],
    },
    Wall {
        name: "only the report owns the terminal",
        // The command line hands clap's pages and the debug log to the terminal.
        behind: |file| {
            file.starts_with("src/") && !file.starts_with("src/report") && file != "src/cli/mod.rs"
        },
        forbidden: &[
            "std::io::stdout",
            "std::io::stderr",
            "io::stdout",
            "io::stderr",
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
        ],
    },
    Wall {
        name: "only the commands start the pipeline",
        behind: |file| {
            file.starts_with("src/")
                && !file.starts_with("src/cli/")
                && !file.starts_with("src/pipeline")
        },
        forbidden: &["crate::pipeline"],
    },
    Wall {
        name: "the report prints what it is given",
        behind: |file| file.starts_with("src/report"),
        forbidden: &[
            "crate::cli",
            "crate::request",
            "crate::inputs",
            "crate::pipeline",
            "crate::record",
        ],
    },
    Wall {
        name: "no layer below calls the commands",
        behind: |file| {
            file.starts_with("src/") && !file.starts_with("src/cli/") && file != "src/main.rs"
        },
        forbidden: &["crate::cli"],
    },
];

/// The stages of a build; whoever knows all of them is the pipeline.
const STAGES: &[&str] = &["crate::engine", "crate::inputs", "crate::record", "crate::report"];

/// What the frontend may not even link.
const NOT_FOR_THE_FRONTEND: &[&str] =
    &["bollard", "clap", "tokio", "tonic", "hyper", "tempfile", "walkdir", "rustix"];

#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A path that a file mentions, and the line.
type Mention = (usize, String);

/// What stands against a source file.
fn breaches(file: &str, text: &str) -> Vec<Breach> {
    let breach = |line, what| Breach { file: file.to_string(), line, what };
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        found.push(breach(lines, format!("{lines} lines, more than {LONGEST}: one idea per file")));
    }
    if is_test(file) {
        return found;
    }
    let code = without_tests(text);
    let mentions = mentions(&code);
    for wall in WALLS.iter().filter(|wall| (wall.behind)(file)) {
        for (line, path) in &mentions {
            if let Some(forbidden) = wall.forbidden.iter().find(|forbidden| within(path, forbidden))
            {
                found.push(breach(*line, format!("{forbidden}: {}", wall.name)));
            }
        }
    }
    let knows = |stage: &&&str| mentions.iter().any(|(_, path)| within(path, stage));
    if !file.starts_with("src/pipeline") && STAGES.iter().filter(knows).count() == STAGES.len() {
        found.push(breach(1, "only the pipeline knows all stages".into()));
    }
    found.dedup();
    found
}

/// Files that exist for tests only.
fn is_test(file: &str) -> bool {
    file.contains("/tests/") || file.ends_with("/tests.rs") || file.starts_with("integration/")
}

/// The text up to its test module; comments become blank lines.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let module =
            |next: &&str| next.trim_start().trim_start_matches("pub(crate) ").starts_with("mod ");
        if line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(module) {
            match lines.next() {
                Some(declared) if declared.trim_end().ends_with(';') => code += "\n\n",
                _ => break,
            }
            continue;
        }
        // Two slashes behind a colon are an address.
        let comment = line.match_indices("//").find(|&(at, _)| !line[..at].ends_with(':'));
        code += comment.map_or(line, |(at, _)| &line[..at]);
        code.push('\n');
    }
    code
}

/// Every path of the code: imports in full, and everything with `::` or `!` in it.
fn mentions(code: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(start) = rest.find(|c: char| c.is_alphabetic() || c == '_' || c == '\n') {
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix('\n') {
            (line, rest) = (line + 1, after);
            continue;
        }
        let end =
            rest.find(|c: char| !(c.is_alphanumeric() || "_:!".contains(c))).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word == "use" {
            let end = after.find(';').unwrap_or(after.len());
            imports("", &after[..end], line, &mut found);
            line += after[..end].matches('\n').count();
            rest = &after[end..];
        } else {
            if word.contains("::") || word.ends_with('!') {
                found.push((line, word.to_string()));
            }
            rest = after;
        }
    }
    found
}

/// Takes the groups of an import apart: `a::{b, c::{d}}` mentions `a::b` and `a::c::d`.
fn imports(prefix: &str, tree: &str, line: usize, found: &mut Vec<Mention>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        found.push((line, format!("{prefix}{}", path.trim_end_matches("::self"))));
        return;
    };
    let prefix = format!("{prefix}{}", head.trim());
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start, mut at) = (0, 0, line);
    for (place, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = &group[start..place];
                let blank = part.len() - part.trim_start().len();
                at += part[..blank].matches('\n').count();
                if !part.trim().is_empty() {
                    imports(&prefix, part, at, found);
                }
                at += part[blank..].matches('\n').count();
                start = place + 1;
            }
            _ => {}
        }
    }
}

/// Whether a path is, or leads into, another.
fn within(path: &str, other: &str) -> bool {
    let path = path.trim_start_matches("::");
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Dependencies of a manifest that it must not have; those of tests do not count.
fn wrong_dependencies(file: &str, manifest: &str, forbidden: &[&str]) -> Vec<Breach> {
    let mut section = "";
    let mut found = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        if line.trim_start().starts_with('[') {
            section = line.trim();
        }
        let name = match section.strip_prefix("[dependencies.") {
            Some(name) => name.trim_end_matches(']'),
            None => line.split(['=', '.', ' ']).next().unwrap_or_default(),
        };
        if section.starts_with("[dependencies") && forbidden.contains(&name) {
            let what = format!("the dependency {name}: the frontend decides and touches nothing");
            found.push(Breach { file: file.into(), line: number + 1, what });
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn assert_none(found: &[Breach]) {
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}", told.join("\n"));
}

#[test]
fn the_walls_stand() {
    let mut found = Vec::new();
    for directory in ["src", "frontend", "integration"] {
        for path in sources(&root().join(directory)) {
            let file = path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
            found.extend(breaches(&file, &std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert_none(&found);
}

#[test]
fn the_frontend_links_no_connection_and_no_terminal() {
    let manifest = std::fs::read_to_string(root().join("frontend/Cargo.toml")).unwrap();
    assert_none(&wrong_dependencies("frontend/Cargo.toml", &manifest, NOT_FOR_THE_FRONTEND));
}

#[test]
fn main_reads_like_prose() {
    let main = std::fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40, "src/main.rs parses, runs, and gives the exit code");
}

/// A wall that nobody can run into is no wall.
#[test]
fn a_breach_is_found_with_its_line() {
    let told = |file, text| {
        let found = breaches(file, text);
        found.iter().map(|b| format!("{}:{}: {}", b.file, b.line, b.what)).collect::<Vec<_>>()
    };
    let frontend = "//! std::fs in words is fine.\nuse std::{\n    collections::BTreeMap,\n    fs::File,\n};\n\
                    fn f() {\n    println!(\"x\");\n}\n#[cfg(test)]\nmod tests {\n    use std::env;\n}\n";
    let words = "the frontend decides and touches nothing";
    let expected = ["frontend/src/a.rs:4: std::fs: ", "frontend/src/a.rs:7: println!: "];
    assert_eq!(
        told("frontend/src/a.rs", frontend),
        expected.map(|start| format!("{start}{words}"))
    );
    assert_eq!(told("frontend/src/a/tests.rs", frontend), Vec::<String>::new());

    let engine = "use super::x;\nuse crate::{error::Error, report::{self, plain::Plain}};\n";
    let wrong = told("src/engine/a.rs", engine);
    assert_eq!(
        wrong,
        ["src/engine/a.rs:2: crate::report: the engine knows no policy and nobody above it"]
    );
    assert_eq!(told("src/cli/a.rs", engine), Vec::<String>::new());
    let inline = "fn f() {\n    let x = crate::request::read();\n}\n";
    assert_eq!(told("src/engine/session/b.rs", inline).len(), 1);
    // A name that only begins like a forbidden one.
    assert_eq!(
        told("src/engine/c.rs", "use crate::reporting::x;\nuse bollard_buildkit_proto::pb;\n")
            .len(),
        0
    );

    let everything = "use crate::{engine, inputs, record, report};\n";
    assert_eq!(told("src/pipeline/x.rs", everything).len(), 0);
    assert_eq!(
        told("src/other.rs", everything),
        ["src/other.rs:1: only the pipeline knows all stages"]
    );
    let long = "\n".repeat(501);
    assert_eq!(told("src/long.rs", &long).len(), 1);
    assert_eq!(told("src/a.rs", "fn f() {\n    eprintln!();\n}\n").len(), 1);
    assert_eq!(told("src/report/a.rs", "fn f() {\n    std::io::stderr();\n}\n").len(), 0);
}

#[test]
fn a_wrong_dependency_is_found_with_its_line() {
    let manifest = "[dependencies]\nbollard-buildkit-proto = \"1\"\ntokio.workspace = true\n\
                    [dev-dependencies]\nbollard = \"1\"\n[dependencies.clap]\nversion = \"4\"\n";
    let found = wrong_dependencies("f/Cargo.toml", manifest, NOT_FOR_THE_FRONTEND);
    let places: Vec<_> = found.iter().map(|breach| breach.line).collect();
    assert_eq!(places, [3, 6, 7]);
}
