//! The corpus: text files in `cases/`, one for each theme, many cases in each.
//!
//! ```text
//! === name of the case
//! # what it is about
//! engines: b-classic b-containerd     only there; a line before the first case is for all of them
//! not: remote                         not in this setting, see setting.rs
//! exit: 1                             what buildx exits with; 0 where it is not said
//! says: a word                        that both must print to standard error; repeat
//! $ build -t $IMAGE .                 the script; this line where there is none
//! --- Dockerfile                      a file; `path/` is a directory, a mode may follow the path
//! FROM {{busybox}}
//! ```
//!
//! Scripts see `IMAGE` (a name that nobody else has), `REGISTRY`, `BUSYBOX` and `DEBIAN`; files have
//! `{{image}}` and so on for them. `build` is `docker buildx build` or `cofferdam build`.

use std::path::Path;

/// One build, or a few that belong together.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's name.
    pub theme: String,
    pub name: String,
    /// The only engines it is for, by their names in the lab; empty for all.
    pub engines: Vec<String>,
    /// Settings it is not for.
    pub not: Vec<String>,
    /// Settings in which buildx cannot do it: what the script itself asks for has to hold.
    pub alone: Vec<String>,
    pub exit: i32,
    pub says: Vec<String>,
    pub script: String,
    pub files: Vec<File>,
}

/// A file or directory that is there before the script runs.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub mode: Option<u32>,
    pub text: String,
}

/// Every case, in the order of the files' names. They live until the process ends, as the tests do.
pub fn all() -> Vec<&'static Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/differential/cases");
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = entries.collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let theme = path.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        cases.extend(parse(theme, &text).into_iter().map(|case| &*Box::leak(Box::new(case))));
    }
    cases
}

fn parse(theme: &str, text: &str) -> Vec<Case> {
    let mut sections = format!("\n{text}");
    // So that the last file ends where the text does.
    sections.truncate(sections.trim_end().len());
    sections.push('\n');
    let mut sections = sections.split("\n=== ").map(String::from).collect::<Vec<_>>().into_iter();
    let mut common = Case {
        theme: theme.into(),
        name: String::new(),
        engines: Vec::new(),
        not: Vec::new(),
        alone: Vec::new(),
        exit: 0,
        says: Vec::new(),
        script: String::new(),
        files: Vec::new(),
    };
    read_head(&mut common, sections.next().unwrap().lines());
    sections.map(|section| case(common.clone(), &section)).collect()
}

fn case(mut case: Case, section: &str) -> Case {
    let mut parts = section.split("\n--- ");
    let mut head = parts.next().unwrap().lines();
    case.name = head.next().unwrap().trim().to_string();
    assert!(
        case.name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
        "{}: the name of a case is one word: {:?}",
        case.theme,
        case.name
    );
    read_head(&mut case, head);
    if case.script.is_empty() {
        case.script = "build -t $IMAGE .\n".into();
    }
    case.files = parts.map(file).collect();
    case
}

fn read_head<'a>(case: &mut Case, lines: impl Iterator<Item = &'a str>) {
    for line in lines {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "" | "#" => {}
            "$" => case.script += &format!("{value}\n"),
            "engines:" => case.engines = value.split_whitespace().map(String::from).collect(),
            "not:" => case.not = value.split_whitespace().map(String::from).collect(),
            "exit:" => case.exit = value.trim().parse().expect("an exit code"),
            "says:" => case.says.push(value.trim().into()),
            _ => panic!("{}::{}: what does this line mean? {line:?}", case.theme, case.name),
        }
    }
}

fn file(part: &str) -> File {
    let (head, text) = part.split_once('\n').unwrap_or((part, ""));
    let mut words = head.split(' ');
    let path = words.next().unwrap().to_string();
    let mode = words.next().map(|mode| u32::from_str_radix(mode, 8).expect("an octal mode"));
    // The line feed before the next header is the file's own.
    let text =
        if text.is_empty() || text.ends_with('\n') { text.into() } else { format!("{text}\n") };
    File { path, mode, text }
}
