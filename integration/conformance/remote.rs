//! Contexts that the engine fetches: what is bound is what is built, on every engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cofferdam::engine::session::Filesync;
use cofferdam::engine::session::filesync::{MemoryEntry, MemoryTree, Tree};
use cofferdam::engine::{GatewayBridge, SessionTransport};
use cofferdam::helper;
use cofferdam_frontend::bridge::{Bridge as _, BridgeError};
use cofferdam_frontend::build::inspect::Search;
use cofferdam_frontend::build::{BuildError, PinSource};
use cofferdam_frontend::call::{Call, CallError, call};
use cofferdam_frontend::graph::judge::{Pin, Unpinned};
use cofferdam_frontend::remote::{Named, NamedContext, Opened, RemoteContext, RemoteText};
use cofferdam_frontend::{Hardened, Plan};

use crate::support::opened::open;
use crate::support::{Engine, fakes, tests};

tests![
    git_branches_and_tags_become_commits,
    git_default_branch_may_be_main,
    git_old_commit_is_built,
    git_keeps_its_directory_when_asked,
    http_archive_is_hashed_and_unpacked,
    http_lone_dockerfile,
    named_contexts_are_bound,
    frontend_is_asked_about_stages,
];

const HELPER: &str = "helper-of-remote";
const EXTRA: &str = "extra-of-remote";
const DOCKERFILE: &str = "dockerfile-of-remote";

/// A repository on loopback, served by git's own daemon.
pub struct Repository {
    directory: tempfile::TempDir,
    daemon: Child,
    pub url: String,
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Repository {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        // The daemon itself: killing the `git` in front of it would leave it.
        let programs = git(directory.path(), &["--exec-path"]);
        let daemon = Command::new(Path::new(&programs).join("git-daemon"))
            .args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", directory.path().display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let made = Self { directory, daemon, url: format!("git://127.0.0.1:{port}/r") };
        std::fs::create_dir_all(made.path().join("docs")).unwrap();
        made.git(&["init", "-q", "-b", "master"]);
        made.write("docs/Dockerfile", "FROM scratch\nCOPY f /f\n");
        made.write("Dockerfile", "FROM scratch\nCOPY . /\n");
        made
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("r")
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::write(self.path().join(path), text).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.path(), args)
    }

    pub fn commit(&self, text: &str) -> String {
        self.write("docs/f", text);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", text]);
        self.git(&["rev-parse", "HEAD"])
    }
}

fn git(directory: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

struct NoImages;

#[derive(Debug, thiserror::Error)]
#[error("no image is needed")]
struct NoImage;

impl PinSource for NoImages {
    type Error = NoImage;
    async fn pin(&self, _: &Unpinned) -> Result<Pin, NoImage> {
        Err(NoImage)
    }
}

/// What came of a context.
struct Done {
    opened: Opened,
    text: RemoteText,
    hardened: Hardened,
    files: BTreeMap<String, Option<String>>,
}

/// Opens a context, builds its Dockerfile from it and reads `files` of the image.
fn built(engine: &'static Engine, context: &str, files: &[&str]) -> Done {
    attempt(engine, context, &[], files).unwrap()
}

/// The same with named contexts, which may fail.
fn attempt(
    engine: &'static Engine,
    context: &str,
    named: &[(&str, NamedContext)],
    files: &[&str],
) -> Result<Done, BuildError<NoImage>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let file = MemoryEntry::file("from-local", 0o644, b"local".to_vec());
        let extra = Tree::Memory(MemoryTree::new(vec![file]).unwrap());
        let helper = (HELPER.into(), helper::tree().unwrap());
        let served = Filesync::new(vec![helper, (EXTRA.into(), extra)]);
        let active = open(engine, served.clone(), SessionTransport::Auto).await;
        let bridge = active.bridge();
        let platform = bridge.ping().await.unwrap().platforms.first().cloned();
        let tools = helper::for_contexts(HELPER, platform);
        let context = RemoteContext::parse(context).unwrap().unwrap();
        let opened = context.open(bridge, &tools).await.unwrap();
        let text = opened.dockerfile(bridge, None).await.unwrap();
        let file = MemoryEntry::file("Dockerfile", 0o644, text.bytes.clone());
        let tree = Tree::Memory(MemoryTree::new(vec![file]).unwrap());
        served.offer(DOCKERFILE.into(), tree);
        let mut plan = plan(&opened);
        for (name, context) in named {
            plan.add(Named::bind(bridge, name, context, &tools).await.unwrap());
        }
        let done = match cofferdam_frontend::build(bridge, &NoImages, &plan, |_| {}).await {
            Ok(hardened) => {
                let reference = hardened.platforms()[0].reference.clone().unwrap();
                let files = read(bridge, &reference, files).await;
                Ok(Done { opened, text, hardened, files })
            }
            Err(error) => Err(error),
        };
        active.fail(BridgeError::Build { message: "only to see".into(), blame: None }).await;
        done
    })
}

fn plan(opened: &Opened) -> Plan {
    let args = ["/helper", "strip", "--root", "/rootfs", "--report", "/out/report.json"];
    Plan {
        frontend: "dockerfile.v0".into(),
        options: [("dockerfilekey".to_string(), DOCKERFILE.to_string())].into(),
        inputs: [("context".to_string(), opened.definition.clone())].into(),
        offered: vec![opened.offered.clone()],
        cache_namespace: "remote".into(),
        helper_local: HELPER.into(),
        helper_args: args.map(String::from).into(),
        search: Search { program: "/helper".into(), ..Search::default() },
        ..Plan::default()
    }
}

async fn read(
    bridge: &GatewayBridge,
    reference: &str,
    files: &[&str],
) -> BTreeMap<String, Option<String>> {
    let mut read = BTreeMap::new();
    for path in files {
        let found = match bridge.read_file(reference, path, 1 << 20).await {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).trim().to_string()),
            Err(error) if error.is_missing_file() => None,
            Err(error) => panic!("{path}: {error}"),
        };
        read.insert((*path).to_string(), found);
    }
    read
}

fn digests(done: &Done) -> Vec<String> {
    done.hardened.sources().into_iter().filter_map(|bound| bound.digest).collect()
}

fn git_branches_and_tags_become_commits(engine: &'static Engine) {
    let repository = Repository::new();
    let first = repository.commit("first");
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "with a message", "heavy"]);
    let second = repository.commit("second");
    repository.git(&["branch", "side/way"]);
    for (reference, commit, text) in [
        ("", &second, "second"),
        ("light", &first, "first"),
        ("heavy", &first, "first"),
        ("side/way", &second, "second"),
        (first.as_str(), &first, "first"),
    ] {
        let done = built(engine, &format!("{}#{reference}:docs", repository.url), &["/f"]);
        assert_eq!(digests(&done), [format!("gitCommit:{commit}")], "{reference}");
        assert_eq!(done.files["/f"].as_deref(), Some(text), "{reference}");
        assert_eq!(done.text.name, "Dockerfile");
        assert!(done.opened.shown.ends_with(&format!("#{commit}:docs")));
    }
    // The branch moves on: a later build gets what it names then.
    let third = repository.commit("third");
    let done = built(engine, &format!("{}#:docs", repository.url), &["/f"]);
    assert_eq!(digests(&done), [format!("gitCommit:{third}")]);
    assert_eq!(done.files["/f"].as_deref(), Some("third"));
}

fn git_default_branch_may_be_main(engine: &'static Engine) {
    let repository = Repository::new();
    repository.git(&["checkout", "-q", "-b", "main"]);
    let commit = repository.commit("on main");
    let done = built(engine, &repository.url, &["/docs/f"]);
    assert_eq!(digests(&done), [format!("gitCommit:{commit}")]);
}

/// A commit that no branch names any more can still be named by itself.
fn git_old_commit_is_built(engine: &'static Engine) {
    let repository = Repository::new();
    let first = repository.commit("first");
    repository.commit("second");
    let url = format!("{}?commit={}&ref=master&subdir=docs", repository.url, &first[..12]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let error = runtime.block_on(async {
        let active = open(engine, Filesync::new(Vec::new()), SessionTransport::Auto).await;
        let context = RemoteContext::parse(&url).unwrap().unwrap();
        let opened = context.open(active.bridge(), &helper::for_contexts(HELPER, None)).await;
        active.fail(BridgeError::Build { message: "only to see".into(), blame: None }).await;
        opened.unwrap_err().to_string()
    });
    assert!(error.contains(&first[..12]), "{error}");
    let done = built(engine, &format!("{}?commit={first}&subdir=docs", repository.url), &["/f"]);
    assert_eq!(done.files["/f"].as_deref(), Some("first"));
}

fn git_keeps_its_directory_when_asked(engine: &'static Engine) {
    let repository = Repository::new();
    let commit = repository.commit("first");
    let files = ["/docs/f", "/.git/HEAD"];
    let done = built(engine, &format!("{}?keep-git-dir=1#master", repository.url), &files);
    assert_eq!(done.files["/.git/HEAD"].as_deref(), Some(commit.as_str()));
    let done = built(engine, &format!("{}#master", repository.url), &files);
    assert_eq!(done.files["/.git/HEAD"], None);
    assert_eq!(done.files["/docs/f"].as_deref(), Some("first"));
}

/// A server that counts what it is asked for.
fn serving(body: String) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let address = fakes::server(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        fakes::response("200 OK", "", &body)
    });
    (address, asked)
}

fn http_archive_is_hashed_and_unpacked(engine: &'static Engine) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("dockerfile"), "FROM scratch\nCOPY f /f\n").unwrap();
    std::fs::write(directory.path().join("f"), "from a tar").unwrap();
    let tar = Command::new("tar").arg("-C").arg(directory.path()).args(["-c", "."]).output();
    let tar = tar.unwrap().stdout;
    let digest = cofferdam_frontend::graph::digest(&tar);
    let (address, asked) = serving(String::from_utf8(tar).unwrap());
    let done = built(engine, &format!("http://{address}/context.tar"), &["/f"]);
    assert_eq!(digests(&done), [digest]);
    assert_eq!(done.files["/f"].as_deref(), Some("from a tar"));
    assert_eq!(done.text.name, "dockerfile");
    assert!(!done.opened.is_file);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "what was hashed is what was built");
}

fn http_lone_dockerfile(engine: &'static Engine) {
    let text = "FROM scratch\nCOPY context /kept\n";
    let (address, asked) = serving(text.to_string());
    let done = built(engine, &format!("http://{address}/Dockerfile"), &["/kept"]);
    assert_eq!(done.text.bytes, text.as_bytes());
    assert_eq!(done.files["/kept"].as_deref(), Some(text.trim()));
    assert_eq!(digests(&done), [cofferdam_frontend::graph::digest(text.as_bytes())]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Named contexts of every kind that needs no image; engines that know none say so.
fn named_contexts_are_bound(engine: &'static Engine) {
    let repository = Repository::new();
    repository.write(
        "Dockerfile",
        "FROM scratch\nCOPY --from=repo docs/f /f\nCOPY --from=file / /file/\n\
         COPY --from=dir from-local /l\n",
    );
    let commit = repository.commit("named");
    let (address, asked) = serving("downloaded".into());
    let remote = |text: &str| NamedContext::Remote(RemoteContext::parse(text).unwrap().unwrap());
    let named = [
        ("repo", remote(&repository.url)),
        ("file", remote(&format!("http://{address}/some.txt"))),
        ("dir", NamedContext::Local(EXTRA.into())),
    ];
    let files = ["/f", "/file/some.txt", "/l"];
    let result = attempt(engine, &repository.url, &named, &files);
    if engine.name == "a" {
        assert!(matches!(result, Err(BuildError::NoNamedContexts)));
        return;
    }
    let done = result.unwrap();
    let found: Vec<&str> = done.files.values().flatten().map(String::as_str).collect();
    assert_eq!(found, ["named", "downloaded", "local"]);
    let digests = digests(&done);
    assert!(digests.contains(&format!("gitCommit:{commit}")));
    assert!(digests.contains(&cofferdam_frontend::graph::digest(b"downloaded")));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

fn frontend_is_asked_about_stages(engine: &'static Engine) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (targets, lint) = runtime.block_on(async {
        let text = b"FROM scratch AS one\nFROM one AS two\n".to_vec();
        let file = MemoryEntry::file("Dockerfile", 0o644, text);
        let tree = Tree::Memory(MemoryTree::new(vec![file]).unwrap());
        let files = Filesync::new(vec![(DOCKERFILE.into(), tree)]);
        let active = open(engine, files, SessionTransport::Auto).await;
        let plan = Plan {
            frontend: "dockerfile.v0".into(),
            options: [("dockerfilekey".to_string(), DOCKERFILE.to_string())].into(),
            ..Plan::default()
        };
        let targets = call(active.bridge(), &plan, Call::Targets).await;
        let lint = call(active.bridge(), &plan, Call::Lint).await;
        active.fail(BridgeError::Build { message: "only to see".into(), blame: None }).await;
        (targets, lint)
    });
    // 20.10 answers nothing, 26.1 knows stages and no lint.
    assert!(matches!(lint, Err(CallError::Unsupported(Call::Lint))), "{lint:?}");
    match targets {
        Err(CallError::Unsupported(Call::Targets)) if engine.name == "a" => {}
        Ok(result) if engine.name != "a" => {
            let json = String::from_utf8(result.json).unwrap();
            assert!(json.contains("\"two\"") && result.status == 0, "{json}");
            assert!(String::from_utf8(result.text.unwrap()).unwrap().contains("one"));
        }
        other => panic!("{other:?}"),
    }
}
