//! What engines do with the services of the session: results as files, agents, uploads.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use cofferdam::engine::session::filesync::Tree;
use cofferdam::engine::session::{
    Destination, Filesync, Outputs, RegistryAuth, SecretStore, Services, SshAgents, SshSource,
    Stdin, Uploads,
};
use cofferdam::engine::{BuildId, Exporter, Opening, SessionTransport};
use cofferdam_frontend::bridge::{Bridge as _, Outcome, Parts, Solve};

use crate::support::{Engine, Project, tests};

tests![result_as_a_directory, result_as_a_file, agent_in_a_step, context_from_a_stream];

/// One build through the library, with nothing judged.
struct Build<'a> {
    project: &'a Project,
    exporters: Vec<Exporter>,
    outputs: Option<&'a Outputs>,
    ssh: Option<SshAgents>,
    uploads: Option<Uploads>,
    options: BTreeMap<String, String>,
}

impl<'a> Build<'a> {
    fn new(project: &'a Project) -> Self {
        let (exporters, options) = (Vec::new(), BTreeMap::new());
        Self { project, exporters, outputs: None, ssh: None, uploads: None, options }
    }

    fn export(&mut self, kind: &str) {
        self.exporters.push(Exporter { kind: kind.into(), attrs: BTreeMap::new() });
    }

    /// Builds and commits.
    fn run(self, engine: &Engine) {
        let dir = || Tree::Dir(self.project.dir());
        let services = Services {
            files: Filesync::new(vec![("dockerfile".into(), dir()), ("context".into(), dir())]),
            secrets: SecretStore::default(),
            auth: RegistryAuth::default(),
            outputs: self.outputs.map(Outputs::service),
            ssh: self.ssh,
            uploads: self.uploads,
            content: None,
        };
        let options = self.options;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let connected = engine.connected().await;
            let id = BuildId::random().unwrap();
            let (progress, mut seen) = tokio::sync::mpsc::channel(64);
            tokio::spawn(async move { while seen.recv().await.is_some() {} });
            let opening = Opening {
                shared_key: id.as_str().to_string(),
                services,
                transport: SessionTransport::Auto,
                exporters: self.exporters,
                entitlements: Vec::new(),
                options: BTreeMap::new(),
                watcher: None,
            };
            let active = connected.start(&id, opening, progress).await.unwrap();
            let request =
                Solve::Frontend { name: "dockerfile.v0".into(), options, inputs: BTreeMap::new() };
            let solved = active.bridge().solve(request).await.unwrap();
            let reference = solved.parts.single().unwrap().reference;
            let metadata = solved.metadata;
            let outcome =
                Outcome { references: Parts::One(reference), metadata, ..Outcome::default() };
            // Files have no name in a store, which is all that may be missed here.
            if let Err(error) = active.export(outcome).await {
                assert!(error.to_string().contains("no digest"), "{error}");
            }
            if let Some(outputs) = self.outputs {
                outputs.commit().await.unwrap();
            }
        });
    }
}

fn result_as_a_directory(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY tree /\n# NAME\n");
    for number in 0..300 {
        project.write(&format!("tree/many/{number}"), format!("{number}"));
    }
    project.write("tree/big", vec![7; 5 << 20]);
    project.write("tree/empty", "");
    // Nothing of an earlier run answers for it: the engine's cache knows no times.
    project.write("tree/unique", project.tag("1"));
    project.write("tree/b\u{e9}/x", "x");
    std::os::unix::fs::symlink("/etc/passwd", project.path("tree/link")).unwrap();
    std::fs::hard_link(project.path("tree/big"), project.path("tree/many/big")).unwrap();
    let dest = project.beside("out");
    std::fs::create_dir_all(dest.join("many")).unwrap();
    std::fs::write(dest.join("many/old"), "old").unwrap();
    let place = Destination::Directory { path: dest.clone(), delete: false };
    let outputs = Outputs::new(vec![(0, place)]).unwrap();
    let mut build = Build::new(&project);
    build.export("local");
    build.outputs = Some(&outputs);
    build.run(engine);
    assert!(outputs.progress().bytes >= 5 << 20);
    std::fs::remove_file(dest.join("many/old")).expect("what was there stays");
    let mut same = Command::new("diff");
    same.args(["-r", "--no-dereference"]).arg(project.path("tree")).arg(&dest);
    assert!(same.status().unwrap().success());
    let look = |path: &Path| std::fs::symlink_metadata(path).unwrap();
    let (sent, got) = (look(&project.path("tree/empty")), look(&dest.join("empty")));
    assert_eq!((sent.mode(), sent.mtime()), (got.mode(), got.mtime()));
}

fn result_as_a_file(engine: &'static Engine) {
    let project = Project::new(engine, "FROM scratch\nCOPY a /a\n# NAME\n");
    project.write("a", "in a tar");
    let target = project.beside("out.tar");
    let outputs = Outputs::new(vec![(0, Destination::File(target.clone()))]).unwrap();
    let mut build = Build::new(&project);
    build.export("tar");
    build.outputs = Some(&outputs);
    build.run(engine);
    let listed = Command::new("tar").arg("-xOf").arg(&target).arg("a").output().unwrap();
    assert_eq!(listed.stdout, b"in a tar", "{listed:?}");
}

/// An agent that has one answer, whatever it is asked.
fn fake_agent(socket: &Path) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for mut step in listener.incoming().flatten() {
            let mut asked = [0; 5];
            while step.read_exact(&mut asked).is_ok() {
                assert_eq!(asked, [0, 0, 0, 1, 11], "only lists pass");
                step.write_all(&[0, 0, 0, 5, 12, 0, 0, 0, 0]).unwrap();
            }
        }
    });
}

/// A step lists the keys and cannot remove them.
fn agent_in_a_step(engine: &'static Engine) {
    let project = Project::new(
        engine,
        concat!(
            "FROM DEBIAN AS step\nCOPY ask /ask\n",
            "RUN --mount=type=ssh,id=deploy perl /ask > /answers; echo NAME\n",
            "FROM scratch\nCOPY --from=step /answers /\n"
        ),
    );
    // Lists, then asks to remove all keys, then lists again.
    project.write(
        "ask",
        concat!(
            "use Socket; $| = 1;\n",
            "socket(S, PF_UNIX, SOCK_STREAM, 0) or die;\n",
            "connect(S, sockaddr_un($ENV{SSH_AUTH_SOCK})) or die;\n",
            "sub say_to { syswrite(S, pack('C*', @_)); my $got = '';\n",
            "  while (length($got) < 4 || length($got) < 4 + unpack('N', $got)) {\n",
            "    sysread(S, $got, 1024, length($got)) or last; }\n",
            "  print unpack('H*', $got), \"\\n\"; }\n",
            "say_to(0,0,0,1,11); say_to(0,0,0,1,19); say_to(0,0,0,1,11);\n",
        ),
    );
    let socket = project.beside("agent.sock");
    fake_agent(&socket);
    let source = SshSource { id: "deploy".into(), paths: vec![socket], raw: false };
    let dest = project.beside("out");
    let place = Destination::Directory { path: dest.clone(), delete: false };
    let outputs = Outputs::new(vec![(0, place)]).unwrap();
    let mut build = Build::new(&project);
    build.export("local");
    build.outputs = Some(&outputs);
    build.ssh = Some(SshAgents::new(vec![source], None).unwrap());
    build.run(engine);
    let answers = std::fs::read_to_string(dest.join("answers")).unwrap();
    assert_eq!(answers, "000000050c00000000\n0000000105\n000000050c00000000\n");
}

/// A tar from a pipe is a context, Dockerfile and all.
fn context_from_a_stream(engine: &'static Engine) {
    for (name, flag) in [("plain", "-b20"), ("gzip", "-z"), ("zstd", "--zstd")] {
        let project = Project::new(engine, "FROM scratch\nCOPY a /a\n# NAME\n");
        project.write("a", name);
        let mut tar = Command::new("tar");
        tar.arg(flag).args(["-c", "-f", "-", "-C"]).arg(project.dir()).arg(".");
        let mut tar = tar.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let read = Stdin::read(tar.stdout.take().unwrap()).unwrap();
        if !tar.wait().unwrap().success() {
            // No zstd on this machine.
            assert_eq!(name, "zstd");
            continue;
        }
        let Stdin::Archive(spool) = read else { panic!("{name} is an archive") };
        let uploads = Uploads::default();
        let url = uploads.add(spool).unwrap();
        let dest = project.beside("out");
        let place = Destination::Directory { path: dest.clone(), delete: false };
        let outputs = Outputs::new(vec![(0, place)]).unwrap();
        let mut build = Build::new(&project);
        build.export("local");
        build.outputs = Some(&outputs);
        build.uploads = Some(uploads);
        build.options = BTreeMap::from([("context".to_string(), url)]);
        build.run(engine);
        assert_eq!(std::fs::read_to_string(dest.join("a")).unwrap(), name);
    }
}
