//! Stores as buildx 0.13 wrote them.

use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const HOST: &str = "unix:///root/d.sock";
/// The first of its name was given as `Farm`; both nodes by `create --platform`, the second with
/// `--append`.
const FARM: &str = r#"{"Name":"Farm","Driver":"remote","Nodes":[{"Name":"farm0","Endpoint":"tcp://10.0.0.1:1234","Platforms":[{"architecture":"amd64","os":"linux"}],"DriverOpts":null,"Flags":null,"Files":null},{"Name":"arm","Endpoint":"tcp://10.0.0.2:1234","Platforms":[{"architecture":"arm64","os":"linux"},{"architecture":"arm","os":"linux","variant":"v7"}],"DriverOpts":{"cacert":"/c/ca.pem","cert":"/c/cert.pem","key":"/c/key.pem","servername":"build.example"},"Flags":null,"Files":null}],"Dynamic":false}"#;
const BOX: &str = r#"{"Name":"box","Driver":"docker-container","Nodes":[{"Name":"box0","Endpoint":"unix:///root/d.sock","Platforms":null,"DriverOpts":null,"Flags":["--allow-insecure-entitlement=network.host"],"Files":null}],"Dynamic":false}"#;

struct Scene {
    directory: TempDir,
    context: &'static str,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { directory: tempfile::tempdir().unwrap(), context: "default" };
        scene.with("instances/farm", FARM).with("instances/box", BOX)
    }

    fn with(self, file: &str, text: &str) -> Self {
        let path = self.directory.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn in_context(self, context: &'static str) -> Self {
        Self { context, ..self }
    }

    fn find(&self, name: &str) -> Result<Builder, BuilderError> {
        self.ask(Asked { name: Some(name), buildkit_host: None })
    }

    fn current(&self) -> String {
        self.ask(Asked::default()).unwrap().name
    }

    fn ask(&self, asked: Asked<'_>) -> Result<Builder, BuilderError> {
        let names = || vec!["other".to_string()];
        let contexts = Contexts { current: self.context, default_host: HOST, names: &names };
        find(self.directory.path(), asked, contexts)
    }
}

#[test]
fn nodes_are_read_with_addresses_platforms_and_options() {
    let farm = Scene::new().find("FARM").unwrap();
    assert_eq!((farm.name.as_str(), farm.driver), ("Farm", Driver::Remote));
    let tls = TlsOptions {
        ca: "/c/ca.pem".into(),
        pair: Some(("/c/cert.pem".into(), "/c/key.pem".into())),
        server_name: Some("build.example".into()),
    };
    let reaches: Vec<_> = farm.nodes.iter().map(|node| &node.reach).collect();
    assert_eq!(
        reaches,
        [&Reach::Tcp("10.0.0.1:1234".into(), None), &Reach::Tcp("10.0.0.2:1234".into(), Some(tls))]
    );
    let arm = &farm.nodes[1];
    assert_eq!((arm.name.as_str(), arm.address.as_str()), ("arm", "tcp://10.0.0.2:1234"));
    assert_eq!(arm.platforms, ["linux/arm64", "linux/arm/v7"].map(Platform::parse));

    let container = Scene::new().find("box").unwrap();
    assert_eq!(container.driver, Driver::Container);
    let expected =
        Reach::Container { docker: Some(HOST.into()), container: "buildx_buildkit_box0".into() };
    assert_eq!(container.nodes[0].reach, expected);
    assert!(!container.nodes[0].default_load);
}

#[test]
fn the_current_builder_is_the_one_of_this_engine() {
    assert_eq!(Scene::new().current(), "default");
    let here = format!(r#"{{"Key":"{HOST}","Name":"farm","Global":false}}"#);
    assert_eq!(Scene::new().with("current", &here).current(), "Farm");
    // `docker buildx use` in another context says nothing of this one.
    let elsewhere = r#"{"Key":"other","Name":"farm","Global":false}"#;
    assert_eq!(Scene::new().with("current", elsewhere).current(), "default");
    assert_eq!(Scene::new().with("current", elsewhere).in_context("other").current(), "Farm");
    let global = r#"{"Key":"other","Name":"box","Global":true}"#;
    assert_eq!(Scene::new().with("current", global).current(), "box");
    // `use --default` is remembered for each engine: sha256 of `unix:///root/d.sock`.
    let default = "defaults/862fa443dd7d4f577a79";
    let scene = Scene::new().with(default, "farm");
    assert_eq!(scene.current(), "Farm");
    assert_eq!(scene.with("current", global).current(), "box");
    assert_eq!(Scene::new().with("defaults/d9298a10d1b0735837dc", "box").current(), "default");
    let other = Scene::new().with("defaults/d9298a10d1b0735837dc", "box").in_context("other");
    assert_eq!(other.current(), "box");
    // One that was removed behind buildx's back is as if nobody had chosen it.
    let gone = format!(r#"{{"Key":"{HOST}","Name":"gone","Global":true}}"#);
    assert_eq!(Scene::new().with("current", &gone).current(), "default");
}

#[test]
fn without_a_store_the_docker_engine_builds() {
    let names = Vec::new;
    let contexts = Contexts { current: "remote-vm", default_host: HOST, names: &names };
    let builder = find(Path::new("/no/such/directory"), Asked::default(), contexts).unwrap();
    assert_eq!((builder.name.as_str(), builder.driver), ("remote-vm", Driver::Docker));
    assert_eq!(builder.nodes[0].reach, Reach::Docker("remote-vm".into()));
}

#[test]
fn a_context_is_a_builder_when_it_is_in_use() {
    let scene = Scene::new().in_context("other");
    assert_eq!(scene.find("other").unwrap().driver, Driver::Docker);
    let error = scene.find("default").unwrap_err();
    assert!(matches!(&error, BuilderError::OtherContext(name) if name == "default"));
    assert!(error.hint().contains("--context=default"));
}

#[test]
fn a_builder_that_nobody_knows_brings_a_suggestion() {
    for (name, hint) in [
        ("frm", "did you mean \"farm\"?"),
        ("othr", "did you mean \"other\"?"),
        ("defualt", "did you mean \"default\"?"),
        ("zzzzzzzz", "there are box, default, farm, other"),
        ("../instances/farm", "there are box, default, farm, other"),
    ] {
        let error = Scene::new().find(name).unwrap_err();
        assert!(matches!(error, BuilderError::Unknown { .. }), "{name}");
        assert_eq!(error.to_string(), format!("no builder {name:?} found"));
        assert_eq!(error.hint(), hint, "{name}");
    }
}

#[test]
fn damage_is_told_with_the_file() {
    for text in ["", "{", "[]", r#"{"Name":1}"#, r#"{"Nodes":[{"Endpoint":[]}]}"#, "{}", "\u{0}"] {
        let scene = Scene::new().with("instances/bad", text);
        let error = scene.find("bad").unwrap_err();
        let path = scene.directory.path().join("instances/bad");
        assert!(matches!(&error, BuilderError::Damaged { path: p, .. } if *p == path), "{text}");
    }
    let scene = Scene::new().with("current", "{");
    let error = scene.ask(Asked::default()).unwrap_err().to_string();
    assert!(error.contains("/current is damaged: "), "{error}");
    // One that is named is not kept from being used.
    assert!(scene.find("farm").is_ok());
    let scene = Scene::new().with("instances/dir/file", "");
    assert!(matches!(scene.find("dir"), Err(BuilderError::Unreadable { .. })));
}

#[test]
fn what_cannot_work_is_refused_with_a_reason_and_a_way_out() {
    let instance = |driver: &str, node: &str| {
        format!(r#"{{"Name":"b","Driver":"{driver}","Nodes":[{node}]}}"#)
    };
    let remote = |endpoint: &str, options: &str| {
        let node = format!(r#"{{"Name":"b0","Endpoint":"{endpoint}","DriverOpts":{{{options}}}}}"#);
        instance("remote", &node)
    };
    let tcp = "tcp://h:1";
    for (text, words) in [
        (instance("kubernetes", ""), "driver \"kubernetes\", which is not supported"),
        (instance("magic", ""), "driver \"magic\", which is not supported"),
        (instance("docker", ""), "driver \"docker\", which is not supported"),
        (instance("remote", ""), "no nodes"),
        (remote("10.0.0.1:1234", ""), "node \"b0\": it names no protocol"),
        (remote("tcp://h", ""), "it names no port; buildkitd's is usually 1234"),
        (remote("tcp://h:0", ""), "no port"),
        (remote("unix://x", ""), "absolute"),
        (remote("kube-pod://x", ""), "kube-pod:// is not supported"),
        (instance("docker-container", r#"{"Name":"../x"}"#), "no container's name"),
        (remote("npipe:////./pipe/x", ""), "Windows"),
        (remote("ftp://x", ""), "ftp:// is none of"),
        (remote("docker-container://a/b", ""), "no container's name"),
        (remote(tcp, r#""cacert":"ca.pem""#), "cacert \"ca.pem\" is no absolute path"),
        (remote(tcp, r#""servername":"x""#), "the option cacert is missing"),
        (remote(tcp, r#""cacert":"/a","cert":"/b""#), "the option key is missing"),
        (remote(tcp, r#""cacert":"/a","key":"/b""#), "the option cert is missing"),
        (remote(tcp, r#""colour":"x""#), "no option \"colour\""),
        (remote(tcp, r#""default-load":"yes""#), "neither true nor false"),
        (remote("unix:///s", r#""cacert":"/a""#), "TLS is for tcp://"),
    ] {
        let error = Scene::new().with("instances/b", &text).find("b").unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.hint().is_empty());
    }
    let text = instance("kubernetes", "");
    let error = Scene::new().with("instances/b", &text).find("b").unwrap_err();
    assert!(error.hint().contains("--driver remote"), "{}", error.hint());
}

#[test]
fn buildkit_host_builds_where_nobody_chose_a_builder() {
    let ask = |scene: &Scene, host| scene.ask(Asked { name: None, buildkit_host: Some(host) });
    let reach = |host| ask(&Scene::new(), host).unwrap().nodes.remove(0).reach;
    assert_eq!(reach("unix:///run/b.sock"), Reach::Unix(PathBuf::from("/run/b.sock")));
    assert_eq!(reach("tcp://[::1]:1234"), Reach::Tcp("[::1]:1234".into(), None));
    let container = |docker: Option<&str>| Reach::Container {
        docker: docker.map(String::from),
        container: "bk".into(),
    };
    assert_eq!(reach("docker-container://bk"), container(None));
    assert_eq!(reach("docker-container://bk?context=vm"), container(Some("vm")));
    assert_eq!(ask(&Scene::new(), "").unwrap().driver, Driver::Docker);

    let chosen = Scene::new().with("current", r#"{"Key":"","Name":"farm","Global":true}"#);
    assert_eq!(ask(&chosen, "tcp://h:1").unwrap().name, "Farm");
    let named = Asked { name: Some("box"), buildkit_host: Some("tcp://h:1") };
    assert_eq!(Scene::new().ask(named).unwrap().name, "box");

    let error = ask(&Scene::new(), "tcp://h").unwrap_err();
    assert!(error.to_string().starts_with("BUILDKIT_HOST \"tcp://h\" cannot be used: "));
}

fn nodes(platforms: &[&str]) -> Vec<Node> {
    let node = |platforms: &&str| Node {
        name: String::new(),
        address: String::new(),
        reach: Reach::Docker(String::new()),
        platforms: list(platforms),
        default_load: false,
    };
    platforms.iter().map(node).collect()
}

fn list(text: &str) -> Vec<Platform> {
    text.split_whitespace().map(|name| Platform::parse(&format!("linux/{name}"))).collect()
}

/// The table of buildx's own tests of its resolver.
#[test]
fn the_nearest_node_builds() {
    for (own, wanted, expected) in [
        (vec!["amd64"], "amd64", "0:linux/amd64"),
        (vec!["amd64", "beta"], "beta", "1:linux/beta"),
        (vec!["amd64"], "riscv64", "0:linux/riscv64"),
        (vec!["amd64", "riscv64"], "amd64", "0:linux/amd64"),
        (vec!["amd64", "riscv64"], "riscv64", "1:linux/riscv64"),
        (vec!["amd64", "riscv64"], "unknown", "0:linux/unknown"),
        (vec!["amd64 arm64", "riscv64"], "arm64", "0:linux/arm64"),
        (vec!["amd64", "arm64"], "arm/v8", "1:linux/arm/v8"),
        (vec!["amd64", "arm64"], "arm/v7", "1:linux/arm/v7"),
        (vec!["amd64", "arm64", "arm/v8"], "arm/v8", "2:linux/arm/v8"),
        (vec!["amd64", "arm64", "arm/v8"], "arm/v7", "2:linux/arm/v7"),
        (vec!["amd64", "arm/v7"], "arm/v8", "0:linux/arm/v8"),
        (vec!["amd64", "arm/v7"], "arm/v6", "1:linux/arm/v6"),
        (vec!["amd64", "riscv64", "riscv64"], "riscv64", "1:linux/riscv64"),
        (vec!["arm/v8", "arm/v7"], "arm/v7", "1:linux/arm/v7"),
        (vec!["beta", "amd64"], "", "0:"),
        (vec!["amd64 arm64", "riscv64"], "amd64 arm64", "0:linux/amd64,linux/arm64"),
        (vec!["amd64 arm64", "riscv64"], "amd64 riscv64", "0:linux/amd64 1:linux/riscv64"),
        (vec!["amd64", "amd64 riscv64"], "amd64 riscv64", "0:linux/amd64 1:linux/riscv64"),
        (vec!["", "arm64"], "arm64 amd64", "1:linux/arm64 0:linux/amd64"),
    ] {
        assert_eq!(told(&among(&nodes(&own), &[], &list(wanted))), expected, "{own:?} {wanted}");
    }
}

fn told(shares: &[Share]) -> String {
    let share = |share: &Share| {
        let platforms: Vec<_> = share.platforms.iter().map(ToString::to_string).collect();
        format!("{}:{}", share.node, platforms.join(","))
    };
    shares.iter().map(share).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_a_node_was_created_for_beats_what_it_reports() {
    let settled = |own: &[&str], wanted| match by_store(&nodes(own), &list(wanted)) {
        Pick::Settled(shares) => told(&shares),
        Pick::Ask => "ask".into(),
    };
    assert_eq!(settled(&["amd64", "arm64"], "arm64"), "1:linux/arm64");
    assert_eq!(settled(&["amd64", "arm64"], ""), "0:");
    // Created for nothing in particular: one is meant anyway, several are asked.
    assert_eq!(settled(&[""], "arm64 386"), "0:linux/arm64,linux/386");
    assert_eq!(settled(&["", ""], "arm64"), "ask");
    // An arm64 machine runs arm/v7, but nobody said that it should.
    assert_eq!(settled(&["amd64", "arm64"], "arm/v7"), "ask");

    let reported = [list("amd64 386 arm64"), list("amd64 riscv64")];
    let chosen = |own: &[&str], wanted| told(&among(&nodes(own), &reported, &list(wanted)));
    assert_eq!(chosen(&["", ""], "riscv64"), "1:linux/riscv64");
    assert_eq!(chosen(&["", ""], "amd64"), "0:linux/amd64");
    assert_eq!(chosen(&["", ""], "s390x"), "0:linux/s390x");
}

proptest! {
    #[test]
    fn any_instance_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Scene::new().with("instances/any", &text).find("any");
        let _ = Scene::new().with("current", &text).ask(Asked::default());
    }

    #[test]
    fn any_address_is_read_or_refused(
        scheme in "unix|tcp|docker-container|ssh|x", rest in "\\PC{0,40}",
    ) {
        let _ = Reach::parse(&rest);
        if let Ok(Reach::Container { container, .. }) = Reach::parse(&format!("{scheme}://{rest}")) {
            // It becomes part of a path of the engine's API.
            prop_assert!(!container.contains(['/', '?', '%', '#']));
        }
    }

    #[test]
    fn everything_wanted_is_built_once(
        own in prop::collection::vec("(amd64|arm64|arm/v7| ){0,3}", 1..4),
        wanted in "((amd64|arm64|arm/v7|386|s390x) ){0,4}",
    ) {
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let wanted = list(&wanted);
        let shares = among(&nodes(&own), &[], &wanted);
        let built: Vec<_> = shares.iter().flat_map(|share| share.platforms.clone()).collect();
        prop_assert_eq!(built.len(), wanted.len());
        prop_assert!(shares.iter().all(|share| share.node < own.len()));
    }
}
