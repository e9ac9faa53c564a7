use std::collections::BTreeMap;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;

/// A configuration directory, an environment, and what exists.
struct World {
    directory: TempDir,
    env: BTreeMap<String, String>,
    files: Vec<PathBuf>,
}

impl World {
    fn new(env: &[(&str, &str)]) -> Self {
        let env = env.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self { directory: tempfile::tempdir().unwrap(), env: env.collect(), files: Vec::new() }
    }

    fn config(self, text: &str) -> Self {
        std::fs::write(self.directory.path().join("config.json"), text).unwrap();
        self
    }

    fn context(self, name: &str, host: &str) -> Self {
        let id = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let path = self.directory.path().join("contexts/meta").join(id);
        std::fs::create_dir_all(&path).unwrap();
        let meta = serde_json::json!({"Name": name, "Endpoints": {"docker": {"Host": host}}});
        std::fs::write(path.join("meta.json"), meta.to_string()).unwrap();
        self
    }

    fn find(&self, hosts: &[&str], context: Option<&str>) -> Result<Connection, Error> {
        let flags = ConnectionFlags {
            host: hosts.iter().map(ToString::to_string).collect(),
            context: context.map(String::from),
            ..ConnectionFlags::default()
        };
        let config = DockerConfig::load(self.directory.path()).unwrap();
        let exists = |path: &Path| {
            self.files.iter().any(|file| file == path)
                || path.exists() && path.starts_with(self.directory.path())
        };
        Ok(resolve(&flags, |name| self.env.get(name).cloned(), &config, exists)?.0)
    }

    fn endpoint(&self, hosts: &[&str], context: Option<&str>) -> String {
        self.find(hosts, context).unwrap().endpoint.to_string()
    }
}

fn full() -> World {
    World::new(&[("DOCKER_HOST", "tcp://variable:1"), ("DOCKER_CONTEXT", "named")])
        .config(r#"{"currentContext":"current","HttpHeaders":{"X-File":"f"}}"#)
        .context("flag", "tcp://flag:1")
        .context("named", "tcp://named:1")
        .context("current", "unix:///current.sock")
}

#[test]
fn the_order_is_dockers() {
    let mut world = full();
    assert_eq!(world.endpoint(&[], Some("flag")), "tcp://flag:1");
    assert_eq!(world.endpoint(&["tcp://host:1"], None), "tcp://host:1");
    assert_eq!(world.endpoint(&[], None), "tcp://variable:1");
    assert_eq!(world.endpoint(&[], Some("default")), "tcp://variable:1");
    world.env.remove("DOCKER_HOST");
    assert_eq!(world.endpoint(&[], None), "tcp://named:1");
    world.env.insert("DOCKER_CONTEXT".into(), "default".into());
    assert_eq!(world.endpoint(&[], None), "unix:///var/run/docker.sock");
    world.env.insert("DOCKER_CONTEXT".into(), String::new());
    assert_eq!(world.endpoint(&[], None), "unix:///current.sock");
    assert_eq!(World::new(&[]).endpoint(&[], None), "unix:///var/run/docker.sock");
}

#[test]
fn contradictions_are_dockers_errors() {
    let world = full();
    let told = |hosts: &[&str], context| {
        let error = world.find(hosts, context).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        error.to_string()
    };
    assert_eq!(
        told(&["tcp://h:1"], Some("flag")),
        "conflicting options: cannot specify both --host and --context"
    );
    assert_eq!(told(&["a", "b"], None), "specify only one -H");
    let missing = told(&[], Some("gone"));
    assert!(missing.contains("context \"gone\": context not found: open /"), "{missing}");
    assert!(missing.ends_with("meta.json: no such file or directory"), "{missing}");
}

#[test]
fn a_bad_address_is_blamed_on_who_gave_it() {
    let world = World::new(&[("DOCKER_HOST", "ftp://x")]).context("c", "npipe:////./pipe/x");
    let told = |hosts: &[&str], context| {
        let error = world.find(hosts, context).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        error.to_string()
    };
    assert!(told(&[], None).starts_with("DOCKER_HOST \"ftp://x\""));
    assert!(told(&["unix://x"], None).starts_with("--host \"unix://x\""));
    let pipe = told(&[], Some("c"));
    assert!(pipe.contains("context \"c\"") && pipe.contains("Windows"), "{pipe}");
    let ssh = told(&["ssh://me:hunter2@h"], None);
    assert!(ssh.contains("password") && !ssh.contains("hunter2"), "{ssh}");
}

#[test]
fn a_rootless_socket_is_found_where_there_is_no_other() {
    let mut world = World::new(&[("XDG_RUNTIME_DIR", "/run/user/7")]);
    assert_eq!(world.endpoint(&[], None), "unix:///var/run/docker.sock");
    world.files.push("/run/user/7/docker.sock".into());
    assert_eq!(world.endpoint(&[], None), "unix:///run/user/7/docker.sock");
    assert_eq!(world.endpoint(&["tcp://h:1"], None), "tcp://h:1");
    world.files.push(DEFAULT_SOCKET.into());
    assert_eq!(world.endpoint(&[], None), "unix:///var/run/docker.sock");
}

#[test]
fn tls_of_the_environment_is_for_tcp_only_and_names_what_is_missing() {
    let world =
        |more: &[(&str, &str)]| World::new(&[&[("DOCKER_CERT_PATH", "/no/such")], more].concat());
    let verify = world(&[("DOCKER_TLS_VERIFY", "1")]);
    let error = verify.find(&["tcp://h:1"], None).unwrap_err();
    assert!(error.to_string().contains("/no/such/ca.pem"), "{error}");
    assert_eq!(verify.endpoint(&["unix:///s"], None), "unix:///s");
    assert_eq!(verify.endpoint(&["ssh://h"], None), "ssh://h");
    let only = world(&[("DOCKER_TLS", "1")]);
    let found = only.find(&[], None).unwrap();
    assert_eq!(found.endpoint.to_string(), "tcp://localhost:2376");
    assert!(matches!(found.endpoint, Endpoint::Tls(_)));
    assert!(matches!(world(&[]).find(&["tcp://h:1"], None).unwrap().endpoint, Endpoint::Tcp(_)));
}

#[test]
fn versions_and_headers_go_along() {
    let mut world = full();
    let shown = |connection: &Connection| {
        let pairs = connection.headers.iter();
        pairs
            .map(|header| format!("{}={}", header.name, header.value))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let found = world.find(&[], None).unwrap();
    assert_eq!((found.api_version, shown(&found)), (None, "X-File=f".into()));

    world.env.insert("DOCKER_API_VERSION".into(), "1.40".into());
    let custom = r#"one=1,"two=2,3", three = x ,one=again"#;
    world.env.insert("DOCKER_CUSTOM_HEADERS".into(), custom.into());
    let found = world.find(&[], None).unwrap();
    assert_eq!(found.api_version, Some((1, 40)));
    assert_eq!(shown(&found), "two=2,3 three= x  one=again");
    assert!(!format!("{found:?}").contains("again"));

    for (name, value, reason) in [
        ("DOCKER_API_VERSION", "latest", "no version"),
        ("DOCKER_CUSTOM_HEADERS", "hunter2", "missing \"=\""),
        ("DOCKER_CUSTOM_HEADERS", "=hunter2", "empty key"),
        ("DOCKER_CUSTOM_HEADERS", "\"a=hunter2", "comma-separated"),
        ("DOCKER_CUSTOM_HEADERS", "a b=hunter2", "no header's name"),
        ("DOCKER_CUSTOM_HEADERS", "Upgrade=hunter2", "cannot be set"),
    ] {
        world.env.insert(name.into(), value.into());
        let error = world.find(&[], None).unwrap_err().to_string();
        assert!(error.contains(reason) && !error.contains("hunter2"), "{value}: {error}");
        world.env.remove(name);
    }
}

proptest! {
    #[test]
    fn any_headers_are_read_or_refused(text in "\\PC*") {
        let _ = headers(Some(&text), &DockerConfig::default());
    }
}

#[test]
fn tls_flags_beat_the_environment() {
    let world = World::new(&[("DOCKER_TLS_VERIFY", "1")]);
    let config = DockerConfig::load(world.directory.path()).unwrap();
    let find = |flags: ConnectionFlags| {
        let flags = ConnectionFlags { host: vec!["tcp://h:1".into()], ..flags };
        resolve(&flags, |name| world.env.get(name).cloned(), &config, |_| false)
            .map(|found| found.0)
    };
    // To verify nothing is still to want TLS.
    let careless = find(ConnectionFlags { tls_verify: Some(false), ..ConnectionFlags::default() });
    assert!(matches!(careless.unwrap().endpoint, Endpoint::Tls(_)));
    let named = find(ConnectionFlags {
        tls_ca_cert: Some("/no/such/authority.pem".into()),
        ..ConnectionFlags::default()
    });
    let error = named.unwrap_err().to_string();
    assert!(error.contains("/no/such/authority.pem"), "{error}");
}
