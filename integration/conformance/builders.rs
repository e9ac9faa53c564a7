//! Builders: buildx's own store as buildx wrote it, and every way to a buildkitd.

use std::path::Path;
use std::process::Command;

use cofferdam::builders::{Asked, Contexts, Reach, find};
use cofferdam::engine::{Connection, Container, Endpoint, EngineError, EngineKind};

use crate::support::stand_in::{container, stand_in, stand_in_with_tls};
use crate::support::{Engine, Project, tests, unique};

tests![
    builder_store_as_buildx_reads_it,
    builder_over_unix_and_tcp,
    builder_in_a_container,
    builder_container_that_cannot_be_used,
    builders_build_what_buildx_builds,
    builder_mistakes_are_told,
    builder_with_client_certificates,
];

/// Real buildx on a store of its own.
struct Buildx<'a> {
    project: &'a Project,
}

impl Buildx<'_> {
    fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "buildx {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.project.engine.buildx);
        command.env_clear().args(args).env("BUILDX_CONFIG", self.store());
        command.env("DOCKER_CONFIG", self.project.beside("docker"));
        command.env("DOCKER_HOST", &self.project.engine.host).env("PATH", "/usr/bin:/bin");
        command
    }

    fn store(&self) -> std::path::PathBuf {
        self.project.beside("docker").join("buildx")
    }

    /// The name of the builder that builds when none is named.
    fn current(&self) -> String {
        let told = self.run(&["inspect"]);
        told.lines().next().unwrap().trim_start_matches("Name:").trim().to_string()
    }
}

/// What we find in the same store.
fn found(project: &Project, name: Option<&str>) -> cofferdam::builders::Builder {
    let names = Vec::new;
    let contexts =
        Contexts { current: "default", default_host: &project.engine.host, names: &names };
    let store = project.beside("docker").join("buildx");
    find(&store, Asked { name, buildkit_host: None }, contexts).unwrap()
}

fn builder_store_as_buildx_reads_it(engine: &'static Engine) {
    let project = Project::empty(engine);
    let buildx = Buildx { project: &project };
    let far = stand_in(engine, "unix");
    let agree = |name: &str| {
        assert_eq!(buildx.current(), name);
        assert_eq!(found(&project, None).name, name);
    };
    agree("default");
    buildx.run(&["create", "--name", "Far", "--driver", "remote", &far]);
    agree("default");
    buildx.run(&["use", "far"]);
    agree("Far");
    let near = format!("near-{}", unique());
    buildx.run(&["create", "--name", &near, "--driver", "docker-container", "--use"]);
    let created = found(&project, None);
    assert_eq!(created.name, near);
    let reach = Reach::Container {
        docker: Some(engine.host.clone()),
        container: format!("buildx_buildkit_{near}0"),
    };
    assert_eq!(created.nodes[0].reach, reach);
    buildx.run(&["use", "--default", "far"]);
    agree("Far");
    buildx.run(&["use", "default"]);
    agree("default");
    buildx.run(&["use", "--global", "far"]);
    agree("Far");
    let append = ["create", "--name", "far", "--append", "--node", "arm", "--platform"];
    buildx.run(&[&append[..], &["linux/arm64,linux/arm/v7", "unix:///no/such/socket"]].concat());
    let nodes = found(&project, Some("FAR")).nodes;
    let told: Vec<_> =
        nodes.iter().map(|node| (node.name.as_str(), node.address.as_str())).collect();
    assert_eq!(told, [("far0", far.as_str()), ("arm", "unix:///no/such/socket")]);
    let platforms: Vec<_> = nodes[1].platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/arm/v7"]);
    buildx.run(&["rm", "far"]);
    agree("default");
}

/// The platform of the buildkitd there.
fn dial(endpoint: Endpoint) -> Result<Vec<String>, EngineError> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let engine = cofferdam::engine::Engine::connect(endpoint, EngineKind::BuildKit).await?;
        Ok(engine.facts().platforms.clone())
    })
}

fn builder_over_unix_and_tcp(engine: &'static Engine) {
    for form in ["unix", "tcp"] {
        let address = stand_in(engine, form);
        let platforms = dial(Endpoint::parse(Some(&address)).unwrap()).unwrap();
        assert_eq!(platforms[0], "linux/amd64", "{address}");
    }
    let gone = Endpoint::parse(Some("unix:///no/such/buildkitd.sock")).unwrap();
    assert!(matches!(dial(gone), Err(EngineError::Unreachable { .. })));
}

fn in_container(engine: &Engine, name: &str) -> Endpoint {
    let docker = Connection::from(Endpoint::parse(Some(&engine.host)).unwrap());
    let builder = Some("far".to_string());
    Endpoint::Container(Box::new(Container { docker, name: name.into(), builder }))
}

/// A container's life ends with the test.
struct Gone<'a>(&'a Engine, String);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.try_docker(&["rm", "--force", &self.1]);
    }
}

fn builder_in_a_container(engine: &'static Engine) {
    let name = Gone(engine, container(engine, &format!("t{}", unique())));
    let platforms = || dial(in_container(engine, &name.1)).unwrap();
    assert_eq!(platforms()[0], "linux/amd64");
    // One that was stopped is started, as buildx does.
    engine.docker(&["stop", "--time=0", &name.1]);
    assert_eq!(platforms()[0], "linux/amd64");
    let state = engine.docker(&["inspect", "--format={{.State.Running}}", &name.1]);
    assert_eq!(state, "true");
}

fn builder_container_that_cannot_be_used(engine: &'static Engine) {
    let error = cofferdam::error::Error::from(
        dial(in_container(engine, "buildx_buildkit_none0")).unwrap_err(),
    );
    assert!(error.to_string().contains("no container buildx_buildkit_none0"), "{error}");
    assert!(error.hint().unwrap().contains("docker buildx inspect --bootstrap far"));
    assert_eq!(error.exit_code(), 4);

    // It runs, and there is no buildctl in it.
    let name = Gone(engine, format!("cofferdam-test-{}", unique()));
    let sleep = ["run", "--detach", "--network=none", "--name", &name.1];
    engine.docker(&[&sleep[..], &[&engine.busybox(), "sleep", "600"]].concat());
    let error = dial(in_container(engine, &name.1)).unwrap_err().to_string();
    assert!(error.contains("buildctl") && error.contains("not found"), "{error}");
    let nowhere = Connection::from(Endpoint::Unix(Path::new("/no/such/socket").into()));
    let lost = Container { docker: nowhere, name: "x".into(), builder: None };
    let error = dial(Endpoint::Container(Box::new(lost))).unwrap_err();
    assert!(error.to_string().contains("unix:///no/such/socket"), "{error}");
}

/// Files of a result that was exported as a directory, with their contents.
fn tree(root: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let name = entry.path().strip_prefix(root).unwrap().display().to_string();
        (name, std::fs::read(entry.path()).unwrap())
    });
    files.collect()
}

/// A remote and a docker-container builder, each named in every way there is.
fn builders_build_what_buildx_builds(engine: &'static Engine) {
    let project =
        Project::new(engine, "FROM BUSYBOX\nCOPY a /a\nRUN cat /a > /b; echo NAME > /c\n");
    project.write("a", "by a builder");
    let buildx = Buildx { project: &project };
    let far = stand_in(engine, "unix");
    let near = format!("t{}", unique());
    let _gone = Gone(engine, container(engine, &near));
    buildx.run(&["create", "--name", "far", "--driver", "remote", &far]);
    buildx.run(&["create", "--name", &near, "--driver", "docker-container"]);
    let by_buildx = |name: &str| {
        let out = project.beside("tmp").join(format!("buildx-{name}"));
        let output = format!("--output={}", out.display());
        let dir = project.dir();
        buildx.run(&["build", "--builder", name, "--no-cache", &output, dir.to_str().unwrap()]);
        tree(&out)
    };
    let expected = by_buildx("far");
    assert!(expected.contains(&("b".into(), b"by a builder".to_vec())));
    assert_eq!(expected, by_buildx(&near));
    let ours = |builder: &[&str], variable: (&str, &str)| {
        let out = project.beside("tmp").join(format!("out-{}", unique()));
        let arguments = [&["build", "-o", out.to_str().unwrap()], builder, &["."]].concat();
        let ran = project.cofferdam(&arguments).env(variable.0, variable.1).run();
        ran.succeeds();
        assert_eq!(tree(&out), expected, "{arguments:?} {variable:?}");
    };
    ours(&["--builder", "far"], ("X", ""));
    ours(&["--builder", &near], ("BUILDX_BUILDER", "far"));
    ours(&[], ("BUILDX_BUILDER", &near));
    ours(&[], ("BUILDKIT_HOST", &stand_in(engine, "tcp")));
    ours(&[], ("BUILDKIT_HOST", &format!("docker-container://buildx_buildkit_{near}0")));
    buildx.run(&["use", "far"]);
    ours(&[], ("BUILDKIT_HOST", "unix:///no/such/socket"));
}

fn builder_mistakes_are_told(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let buildx = Buildx { project: &project };
    let gone = project.path("gone.sock").display().to_string();
    buildx.run(&["create", "--name", "lost", "--driver", "remote", &format!("unix://{gone}")]);
    let never = format!("t{}", unique());
    buildx.run(&["create", "--name", &never, "--driver", "docker-container"]);
    let instances = buildx.store().join("instances");
    std::fs::write(instances.join("torn"), "{\"Name\":").unwrap();
    let k8s = r#"{"Name":"k8s","Driver":"kubernetes","Nodes":[{"Name":"a"}]}"#;
    std::fs::write(instances.join("k8s"), k8s).unwrap();
    let build = |name: &str| project.build(&["--builder", name]).run();
    build("losst").explains(1).says("no builder \"losst\" found").says("did you mean \"lost\"?");
    build("torn").explains(1).says("instances/torn is damaged");
    build("k8s").explains(1).says("--driver remote");
    let words = "cannot use the node \"lost0\" of the builder \"lost\"";
    build("lost").explains(4).says(words).says(&gone);
    let create = format!("docker buildx inspect --bootstrap {never}");
    build(&never).explains(4).says(&create);
    let silent = std::os::unix::net::UnixListener::bind(&gone).unwrap();
    // One that takes connections and never answers.
    let outcome = build("lost").explains(4).says("it does not answer");
    assert!(outcome.elapsed < std::time::Duration::from_secs(45), "{}", outcome.told());
    drop(silent);
}

/// Both sides show certificates, and neither takes a stranger's.
fn builder_with_client_certificates(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME > /c\n");
    let buildx = Buildx { project: &project };
    let (address, certs) = stand_in_with_tls(engine);
    let create = |name: &str, ca: &str, client: &str, more: &str| {
        let file = |name: &str| certs.join(name).display().to_string();
        let (cert, key) = (file(&format!("{client}.pem")), file(&format!("{client}-key.pem")));
        let options = format!("cacert={},cert={cert},key={key}{more}", file(ca));
        let driver = ["--driver", "remote", "--driver-opt", &options, &address];
        buildx.run(&[&["create", "--name", name][..], &driver].concat());
    };
    let build = |name: &str| {
        let out = project.beside("tmp").join(format!("out-{name}"));
        project.build(&["--builder", name, "-o", out.to_str().unwrap()]).run()
    };
    create("friend", "ca.pem", "client", "");
    build("friend").succeeds();
    let made = std::fs::read_to_string(project.beside("tmp").join("out-friend/c")).unwrap();
    assert_eq!(made.trim(), project.name);
    create("named", "ca.pem", "client", ",servername=localhost");
    build("named").succeeds();

    create("stranger", "ca.pem", "stranger", "");
    build("stranger").explains(4).says("the node \"stranger0\" of the builder \"stranger\"");
    create("elsewhere", "stranger-ca.pem", "client", "");
    build("elsewhere").explains(4).says("stranger-ca.pem");
    create("misnamed", "ca.pem", "client", ",servername=build.example");
    build("misnamed").explains(4).says("build.example");
    create("torn", "missing.pem", "client", "");
    build("torn").explains(1).says("missing.pem");
    // Without TLS there is nobody to talk to.
    let plain = project.build(&[]).env("BUILDKIT_HOST", &address).run();
    plain.explains(4).says("BUILDKIT_HOST");
}
