//! Smoke tests against a bridge that answers from a script.

use std::sync::Mutex;

use bollard_buildkit_proto::pb::op::Op as Body;

use super::super::tests::{BASE, NoEntry};
use super::*;
use crate::bridge::{Capabilities, Container, Ended, Input, Limits, Solved};
use crate::graph::testing::{definition, exec, image};

/// An engine in which the command works when these files keep their bits.
#[derive(Default)]
struct Engine {
    needs: Vec<&'static str>,
    /// Whether it works at all.
    broken: bool,
    ran: Mutex<Vec<String>>,
}

impl Bridge for Engine {
    async fn ping(&self) -> Result<Capabilities, BridgeError> {
        Ok(Capabilities::default())
    }

    async fn solve(&self, request: Solve) -> Result<Solved, BridgeError> {
        let Solve::Definition { definition, .. } = request else { panic!("no graph") };
        let graph = Graph::read(&definition).unwrap();
        let execs = graph.vertices().iter().filter_map(|vertex| match &vertex.op.op {
            Some(Body::Exec(exec)) => exec.meta.as_ref().map(|meta| &meta.args),
            _ => None,
        });
        let strip = execs.clone().find(|args| args.first().is_some_and(|arg| arg == "/helper"));
        let kept = |path: &str| strip.is_none_or(|args| args.iter().any(|arg| arg == path));
        let last = graph.vertices().last().and_then(|vertex| vertex.metadata.clone()).unwrap();
        self.ran.lock().unwrap().push(last.description["llb.customname"].clone());
        if !self.broken && self.needs.iter().all(|path| kept(path)) {
            return Ok(Solved::default());
        }
        Err(BridgeError::Build { message: "exit code: 1".into(), blame: None })
    }

    async fn read_file(&self, _: &str, _: &str, _: usize) -> Result<Vec<u8>, BridgeError> {
        panic!("nothing is read")
    }

    async fn read_start(&self, _: &str, _: &str, _: usize) -> Result<Vec<u8>, BridgeError> {
        panic!("nothing is read")
    }

    async fn run(&self, _: Container, _: Option<Input>, _: Limits) -> Result<Ended, BridgeError> {
        panic!("no container")
    }
}

/// What becomes of a command in an image from which these files' bits were taken.
async fn blame(engine: &Engine, command: &str, stripped: &[&str]) -> Option<Blame> {
    let base = image(BASE);
    let built = Graph::read(&definition(vec![base.clone(), exec(&base, vec![])])).unwrap();
    let files: Vec<String> = stripped
        .iter()
        .map(|path| {
            format!(
                r#"{{"path":"{path}","mode_before":"4755","mode_after":"0755","setuid":true,
                    "setgid":false,"links":1}}"#
            )
        })
        .collect();
    let report = StripReport::parse(&super::super::tests::report(&files.join(","))).unwrap();
    let args = vec!["/helper".into()];
    let strip = StripOp { local: "helper-1".into(), args, env: Vec::new(), platform: None };
    let hardened = match stripped {
        [] => built.definition(None),
        _ => built.with_strip(&strip).unwrap().image(),
    };
    let config = ImageConfig::read(br#"{"config":{"User":"app","Env":["A=b"]}}"#).unwrap();
    let images = Images {
        id: "linux/amd64",
        built: &built,
        hardened: Some(&hardened),
        report: Some(&report),
        config: &config,
        strip: &strip,
    };
    match images.test::<_, NoEntry>(engine, &[Command::Shell(command.into())]).await {
        Ok(()) => None,
        Err(BuildError::Smoke(failure)) => Some(failure.blame),
        Err(other) => panic!("{other}"),
    }
}

const FILES: [&str; 5] = ["/bin/mount", "/bin/ping", "/bin/su", "/usr/bin/passwd", "/usr/bin/sudo"];

#[tokio::test]
async fn a_command_that_works_runs_once() {
    let engine = Engine::default();
    assert_eq!(blame(&engine, "app --version", &FILES).await, None);
    assert_eq!(*engine.ran.lock().unwrap(), ["[cofferdam] smoke test: app --version"]);
}

#[tokio::test]
async fn each_file_is_found_that_a_command_needs() {
    for path in FILES {
        let engine = Engine { needs: vec![path], ..Engine::default() };
        let found = blame(&engine, "start", &FILES).await.unwrap();
        assert_eq!(found, Blame::Stripped(vec![path.into()]));
        assert!(engine.ran.lock().unwrap().len() <= 2 + 6, "every file was tried");
    }
}

#[tokio::test]
async fn files_that_are_needed_together_are_named_together() {
    let engine = Engine { needs: vec!["/bin/mount", "/usr/bin/sudo"], ..Engine::default() };
    let Blame::Stripped(found) = blame(&engine, "start", &FILES).await.unwrap() else { panic!() };
    assert!(engine.needs.iter().all(|needed| found.iter().any(|path| path == needed)), "{found:?}");
}

#[tokio::test]
async fn what_fails_without_us_is_not_our_doing() {
    let broken = Engine { broken: true, ..Engine::default() };
    assert_eq!(blame(&broken, "start", &FILES).await, Some(Blame::Command));
    assert_eq!(blame(&broken, "start", &[]).await, Some(Blame::NothingStripped));
}

#[test]
fn commands_run_as_containers_of_the_image_do() {
    let config = ImageConfig::read(
        br#"{"config":{"User":"7:8","Env":["PATH=/x"],"WorkingDir":"/srv",
            "Shell":["/bin/bash","-ec"],"Entrypoint":["/never"]}}"#,
    )
    .unwrap();
    let meta = Command::Shell("app | wc".into()).meta(&config);
    assert_eq!(meta.args, ["/bin/bash", "-ec", "app | wc"]);
    assert_eq!((meta.user.as_str(), meta.cwd.as_str()), ("7:8", "/srv"));
    assert_eq!(meta.env, ["PATH=/x"]);
    let bare =
        Command::Exec(vec!["app".into(), "-v".into()]).meta(&ImageConfig::read(b"{}").unwrap());
    assert_eq!((bare.args.join(" ").as_str(), bare.cwd.as_str()), ("app -v", "/"));
    assert_eq!(bare.env, [PATH]);
}

#[test]
fn a_command_names_a_program_by_its_path_or_its_name() {
    let command = Command::Shell("cd /srv && su-exec app /usr/bin/sudo -n true".into());
    assert!(command.names("/usr/bin/sudo"));
    assert!(!command.names("/bin/su"), "su-exec is another program");
}
