//! The world outside: engines and registries that are gone, closed, old or damaged, and lock files
//! that are.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::proxy::Proxy;
use crate::support::{Engine, Project, eventually, fakes, processes, tests, unique};

tests![
    no_engine,
    engine_without_permission,
    engine_that_is_too_old,
    engine_that_is_none,
    engine_gone_during_a_step,
    engine_gone_while_sending,
    bad_docker_host,
    damaged_docker_config,
    registry_down,
    registry_down_is_no_matter_once_locked,
    registry_wants_credentials,
    damaged_lock,
];

fn no_engine(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    let nobody = format!("tcp://{}", fakes::nobody());
    let missing = format!("unix://{}", project.path("no.sock").display());
    project.write("file.sock", "no socket at all");
    let file = format!("unix://{}", project.path("file.sock").display());
    for host in [&nobody, &missing, &file] {
        project.write("id", "sha256:stale");
        let build = project.build(&["--iidfile", "id"]).env("DOCKER_HOST", host);
        let address = host.split("://").nth(1).unwrap();
        build.run().explains(4).says(address);
        assert!(!project.path("id").exists());
        assert!(!project.path("cofferdam.lock").exists());
        project.cofferdam(&["provenance", "x:1"]).env("DOCKER_HOST", host).run().explains(4);
    }
}

fn engine_without_permission(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    let socket = project.beside("tmp").join("engine.sock");
    let proxy = Proxy::start(&socket, engine.socket());
    let program = project.open_to_everybody();
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).unwrap();
    let build = project.program(&program, &["build", "."]).user(65534);
    let outcome = build.env("DOCKER_HOST", proxy.host()).run().explains(4);
    outcome.says("ermission").says("group");
}

fn engine_that_is_too_old(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let build = project.build(&[]).env("DOCKER_HOST", format!("tcp://{}", fakes::old_engine()));
    let outcome = build.run().explains(4);
    outcome.says("20.10");
    assert!(!project.path("cofferdam.lock").exists(), "a build that failed wrote the lock");
}

fn engine_that_is_none(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ""]
    {
        let server = fakes::server(move |_| answer.to_string());
        let build = project.build(&[]).env("DOCKER_HOST", format!("tcp://{server}"));
        build.run().explains(4).says(&server);
    }
}

/// A build through a cable that is cut once `ready`; what is left of it.
fn cut(project: &Project, ready: impl Fn() -> bool) {
    let engine = project.engine;
    let image = project.built(&[]);
    let (id, recorded) = (engine.id(&image), project.recorded());
    let proxy = Proxy::start(&project.beside("tmp").join("engine.sock"), engine.socket());
    project.dockerfile(&project.read("Dockerfile").replace("#later ", ""));
    let build = project.build(&["-t", &image, "--iidfile", "id"]).env("DOCKER_HOST", proxy.host());
    let mut running = build.start();
    assert!(eventually(Duration::from_secs(30), ready), "the build never came so far");
    proxy.cut();
    assert!(running.ends_within(Duration::from_secs(10)), "it waits for an engine that is gone");
    let outcome = running.outcome().explains(4).says("engine");
    assert!(!outcome.stderr.contains("sealed"), "{}", outcome.told());
    assert_eq!(engine.id(&image), id);
    assert_eq!(project.recorded(), recorded);
    assert!(!project.path("id").exists());
}

fn engine_gone_during_a_step(engine: &'static Engine) {
    let step = format!("NAME-{}", unique());
    let project = Project::new(
        engine,
        &format!("FROM BUSYBOX\nRUN echo NAME\n#later RUN sleep 300; : {step}\n"),
    );
    let step = project.filled(&step);
    cut(&project, || !processes::with_argument(&step).is_empty());
    let ended = eventually(Duration::from_secs(10), || processes::with_argument(&step).is_empty());
    assert!(ended, "the step goes on without anybody waiting for it");
}

fn engine_gone_while_sending(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n#later COPY . /context\n");
    let big = project.path("big");
    std::fs::File::create(&big).unwrap().set_len(2 << 30).unwrap();
    // Somebody has the large file open as soon as it is being sent.
    let open = || {
        let links = std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| std::fs::read_dir(entry.ok()?.path().join("fd")).ok());
        let mut files =
            links.flatten().filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
        files.any(|file| file == big)
    };
    cut(&project, open);
}

fn bad_docker_host(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    for host in ["nonsense", "unix://relative/path", "ftp://h", "tcp://"] {
        let outcome = project.build(&[]).env("DOCKER_HOST", host).run();
        outcome.explains(4).says("DOCKER_HOST");
    }
}

fn damaged_docker_config(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    let text = "{\"auths\": {\"r.example\": {\"auth\": \"dTpoLXUtbi10LWUtci0y\"";
    std::fs::write(project.beside("docker").join("config.json"), text).unwrap();
    let outcome = project.build(&[]).run().explains(1);
    outcome.says("config.json").never_says("dTpoLXUtbi10LWUtci0y");
}

fn registry_down(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let image = project.built(&[]);
    let id = engine.id(&image);
    let registry = fakes::nobody();
    project.dockerfile(&format!("FROM BUSYBOX\nCOPY --from={registry}/app:1 / /\n"));
    let outcome = project.build(&["-t", &image, "--iidfile", "id"]).run().explains(4);
    outcome.says(&registry).says("Dockerfile:2");
    assert_eq!(engine.id(&image), id);
    assert!(!project.path("id").exists());
}

/// What was built before is built again when the registry is away, if the engine still has it.
fn registry_down_is_no_matter_once_locked(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    project.built(&[]);
    // The tag is gone, its digest is not.
    let lock = project.lock().replace("busybox:latest", "busybox:gone");
    project.write("cofferdam.lock", lock);
    project.dockerfile("FROM REGISTRY/busybox:gone\nRUN echo NAME\n");
    project.built(&["--locked"]);
}

fn registry_wants_credentials(engine: &'static Engine) {
    let project = Project::empty(engine);
    let registry = fakes::locked_registry();
    project.dockerfile(&format!("FROM {registry}/app:1\nRUN echo NAME\n"));
    let outcome = project.build(&["-t", &project.tag("1")]).run().explains(4);
    outcome.says(&registry).says("docker login").says("Dockerfile:1");
    // Wrong credentials are not repeated.
    let auth =
        format!(r#"{{"auths":{{"{registry}":{{"username":"me","password":"wr0ng-pass"}}}}}}"#);
    std::fs::write(project.beside("docker").join("config.json"), auth).unwrap();
    project.build(&[]).run().explains(4).never_says("wr0ng-pass");
}

fn damaged_lock(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\nRUN echo NAME\n");
    let image = project.built(&[]);
    let (id, good) = (engine.id(&image), project.lock());
    let conflict = format!("<<<<<<< HEAD\n{good}=======\n{good}>>>>>>> branch\n");
    let twice = good.clone() + &good[good.find("[[image]]").unwrap()..];
    for (lock, word) in [
        (good[..good.len() - 30].to_string(), "line"),
        (good.replace("version = 1", "version = 3"), "newer"),
        (good.replace("version = 1", ""), "version"),
        (good.replace("sha256:", "md5:"), "line"),
        (conflict, "conflict"),
        (twice, "twice"),
        ("\u{0}\u{1}".into(), "line"),
        (String::new(), "version"),
    ] {
        project.write("cofferdam.lock", &lock);
        let outcome = project.build(&["-t", &image, "--iidfile", "id"]).run().explains(1);
        outcome.says("cofferdam.lock").says(word);
        assert_eq!(project.lock(), lock, "a lock that was not understood was written over");
        assert_eq!(engine.id(&image), id);
        assert!(!project.path("id").exists());
    }
}
