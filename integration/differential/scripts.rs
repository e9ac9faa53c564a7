//! Scripts that were written for `docker build`: by Docker's own command line, by `DOCKER=cofferdam`,
//! and unchanged after `cofferdam install`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::arm::Tool;
use crate::corpus::{Case, File};

/// Scripts that use what `-q` or `--iidfile` told. With containerd's store buildx 0.13 tells the
/// config's digest there, which no command of Docker takes; newer ones tell what we do.
const USE_IDS: [&str; 3] = ["makefile", "check", "deploy"];

/// The scripts in `scripts/`, and how a person runs them.
const SCRIPTS: &[(&str, &str)] = &[
    ("makefile", "make -s all && make -s image"),
    (
        "release",
        "git init -q . && git add . && git commit -qm all && touch src/untracked && ./release.sh",
    ),
    ("check", "./check.sh"),
    ("deploy", "./deploy.sh"),
];

/// Who stands in for Docker, by the end of the test's name.
pub const WAYS: &[(&str, Tool)] =
    &[("as_docker", Tool::CofferdamAsDocker), ("installed", Tool::Installed)];

/// A case for each script. They live until the process ends, as the tests do.
pub fn all() -> Vec<&'static Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/differential/scripts");
    let mut files = files(&directory.join("project"));
    files.extend(self::files(&directory).into_iter().filter(|file| !file.path.contains('/')));
    let case = |(name, script): &(&str, &str)| Case {
        theme: "scripts".into(),
        name: (*name).into(),
        engines: Vec::new(),
        not: vec!["remote".into(), "container".into()],
        alone: USE_IDS.contains(name).then(|| "b_containerd".into()).into_iter().collect(),
        exit: 0,
        says: Vec::new(),
        script: format!("export BASE=$BUSYBOX\n{script}\n"),
        files: files.clone(),
    };
    SCRIPTS.iter().map(|script| &*Box::leak(Box::new(case(script)))).collect()
}

fn files(directory: &Path) -> Vec<File> {
    let walk = walkdir::WalkDir::new(directory).sort_by_file_name();
    let walk = walk.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    walk.map(|entry| File {
        path: entry.path().strip_prefix(directory).unwrap().to_str().unwrap().into(),
        mode: Some(entry.metadata().unwrap().permissions().mode() & 0o777),
        text: std::fs::read_to_string(entry.path()).unwrap(),
    })
    .collect()
}
