//! A project of one test: a directory with a Dockerfile, a home of its own, and names that no other
//! test has. Everything that was built in it leaves the engine when it is dropped.

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::run::{Cofferdam, Outcome};
use super::{Engine, unique};

pub struct Project {
    pub engine: &'static Engine,
    /// Repository of every image here, also a word that is nowhere else.
    pub name: String,
    root: TempDir,
    pushed: RefCell<Vec<(String, String)>>,
    made: RefCell<Vec<String>>,
}

impl Project {
    /// An empty project.
    pub fn empty(engine: &'static Engine) -> Self {
        let root = tempfile::Builder::new().prefix("cofferdam-test-").tempdir().unwrap();
        for directory in ["project", "home", "data", "state", "tmp", "docker"] {
            std::fs::create_dir(root.path().join(directory)).unwrap();
        }
        let name = format!("cofferdam-test-{}", unique());
        Self { engine, name, root, pushed: RefCell::default(), made: RefCell::default() }
    }

    /// A project with a Dockerfile, see [`Self::dockerfile`].
    pub fn new(engine: &'static Engine, dockerfile: &str) -> Self {
        let project = Self::empty(engine);
        project.dockerfile(dockerfile);
        project
    }

    /// Writes the Dockerfile; BUSYBOX, DEBIAN, REGISTRY and NAME stand for this engine's and ours.
    pub fn dockerfile(&self, text: &str) {
        self.write("Dockerfile", self.filled(text));
    }

    /// The text with what stands for something filled in.
    pub fn filled(&self, text: &str) -> String {
        text.replace("BUSYBOX", &self.engine.busybox())
            .replace("DEBIAN", &self.engine.debian())
            .replace("REGISTRY", &self.engine.registry)
            .replace("NAME", &self.name)
    }

    /// The project's directory, which commands run in.
    pub fn dir(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// A file or directory of the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// A directory beside the project: home, data, state, tmp or docker.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file, and the directories it needs.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The lock file's text.
    pub fn lock(&self) -> String {
        self.read("cofferdam.lock")
    }

    /// An image name of this project.
    pub fn tag(&self, tag: &str) -> String {
        format!("{}:{tag}", self.name)
    }

    /// `cofferdam ARGS`, to be run or started.
    pub fn cofferdam(&self, args: &[&str]) -> Cofferdam {
        self.program(Path::new(env!("CARGO_BIN_EXE_cofferdam")), args)
    }

    /// The same with a copy of the program.
    pub fn program(&self, program: &Path, args: &[&str]) -> Cofferdam {
        let beside = |name: &str| self.beside(name).into_os_string();
        Cofferdam::new(program, &self.dir(), args)
            .env("HOME", beside("home"))
            .env("XDG_DATA_HOME", beside("data"))
            .env("XDG_STATE_HOME", beside("state"))
            .env("TMPDIR", beside("tmp"))
            .env("DOCKER_CONFIG", beside("docker"))
            .env("DOCKER_HOST", &self.engine.host)
    }

    /// Lets every user of the machine work here; a copy of the program that they may run.
    pub fn open_to_everybody(&self) -> PathBuf {
        for entry in walkdir::WalkDir::new(self.root.path()) {
            let path = entry.unwrap().into_path();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        let program = self.beside("cofferdam");
        // By a process of its own: a child that another test starts meanwhile would inherit the
        // open file, and a file that is open for writing cannot be run.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_cofferdam")).arg(&program).status();
        assert!(copied.unwrap().success());
        program
    }

    /// `cofferdam build ARGS .`
    pub fn build(&self, args: &[&str]) -> Cofferdam {
        self.cofferdam(&[&["build"], args, &["."]].concat())
    }

    /// `cofferdam build -t NAME:1 .`, which must succeed; the image's name.
    pub fn built(&self, args: &[&str]) -> String {
        let image = self.tag("1");
        self.build(&[&["-t", &image], args].concat()).run().succeeds();
        image
    }

    /// The recorded provenance of an image.
    pub fn provenance(&self, image: &str) -> Value {
        let outcome = self.cofferdam(&["provenance", image]).run().succeeds();
        serde_json::from_slice(&outcome.stdout).unwrap()
    }

    /// `docker buildx build ARGS .` with the real buildx.
    pub fn buildx(&self, args: &[&str]) -> Outcome {
        let iidfile = self.beside("tmp").join("buildx-iid");
        let run = || {
            let mut buildx = Command::new(&self.engine.buildx);
            buildx.args(["build", "--provenance=false", "--iidfile"]).arg(&iidfile);
            buildx.args(args).arg(".");
            buildx.env("BUILDX_CONFIG", self.beside("docker").join("buildx"));
            buildx.env("HOME", self.beside("home")).env("DOCKER_HOST", &self.engine.host);
            Outcome::of(buildx.current_dir(self.dir()))
        };
        let first = run();
        // containerd of 26.1 loses content under a build when another image is removed meanwhile.
        let last = if first.stderr.contains("not found") { run() } else { first };
        if let Ok(id) = std::fs::read_to_string(iidfile) {
            self.owns(id);
        }
        last
    }

    /// Pushes a base of this project to the registry, busybox with a mark; its name with the tag.
    pub fn base(&self, image: &str, tag: &str, mark: &str, config: Value) -> String {
        let repository = format!("{}/{image}", self.name);
        let work = self.beside("tmp");
        let pushed = self.engine.push_marked(&work, (&repository, tag), mark, config);
        self.remember(&repository, &pushed);
        format!("{}/{repository}:{tag}", self.engine.registry)
    }

    /// Pushes a base from a directory; its name with the tag.
    pub fn base_of(&self, image: &str, root: &Path, config: &Value) -> String {
        let repository = format!("{}/{image}", self.name);
        let tar = self.beside("tmp").join(format!("{image}.tar"));
        let packed = Command::new("tar")
            .args(["--xattrs", "--xattrs-include=*", "--owner=0", "--group=0", "-cf"])
            .arg(&tar)
            .arg("-C")
            .arg(root)
            .arg(".")
            .status()
            .unwrap();
        assert!(packed.success());
        let pushed = self.engine.push(&repository, "latest", &tar, config);
        std::fs::remove_file(tar).unwrap();
        self.remember(&repository, &pushed);
        format!("{}/{repository}:latest", self.engine.registry)
    }

    /// An image that was made here leaves the engine with the project, named or not.
    pub fn owns(&self, id: String) {
        self.made.borrow_mut().push(id);
    }

    fn remember(&self, repository: &str, pushed: &str) {
        let digest = pushed.split_once('@').unwrap().1;
        self.pushed.borrow_mut().push((repository.into(), digest.into()));
    }

    /// IDs of the images that cofferdam recorded here.
    pub fn recorded(&self) -> Vec<String> {
        let records = self.beside("data").join("cofferdam/provenance");
        let Ok(records) = std::fs::read_dir(records) else { return Vec::new() };
        records
            .filter_map(|record| {
                let name = record.ok()?.file_name().into_string().ok()?;
                Some(name.strip_suffix(".json")?.replacen('-', ":", 1))
            })
            .collect()
    }

    /// Images with a name of this project.
    fn named_images(&self) -> Vec<String> {
        let list = || self.engine.try_docker(&["images", "--format={{.Repository}}:{{.Tag}}"]);
        // containerd's list fails when an image goes away while it is made.
        let mut lists = std::iter::repeat_with(list).take(5);
        let Some(names) = lists.find(|output| output.status.success()) else {
            return Vec::new();
        };
        let names = String::from_utf8_lossy(&names.stdout).into_owned();
        let ours = names.lines().filter(|name| name.contains(&self.name));
        ours.map(|name| name.replace(":<none>", "")).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A name is forced away; an ID only when nobody else's name is on it.
        for name in self.named_images() {
            self.engine.try_docker(&["rmi", "-f", &name]);
        }
        for id in self.recorded().into_iter().chain(self.made.take()) {
            self.engine.try_docker(&["rmi", &id]);
        }
        for (repository, digest) in self.pushed.borrow().iter() {
            self.engine.delete(repository, digest);
        }
    }
}
