//! `cofferdam lock`: downloads, repositories, and everything that goes wrong.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::lock::{Locks as _, files};
use crate::pins::locked;
use crate::remote::Repository;
use crate::support::{Engine, Project, fakes, tests};

tests![
    download_is_locked_and_held,
    branch_is_locked_as_its_commit,
    merge_conflict_is_joined,
    damaged_lock_is_left_alone,
    registry_that_is_down,
    interrupted_lock_leaves_nothing,
];

const NONE: Value = Value::Null;

/// A server of one file, which can be exchanged.
fn file_server(content: &str) -> (String, Arc<Mutex<String>>) {
    let content = Arc::new(Mutex::new(content.to_string()));
    let served = content.clone();
    let address = fakes::server(move |head| {
        let body = served.lock().unwrap().clone();
        match head.starts_with("HEAD") {
            true => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()),
            false => fakes::response("200 OK", "", &body),
        }
    });
    (address, content)
}

fn download_is_locked_and_held(engine: &'static Engine) {
    let project = Project::empty(engine);
    let (server, content) = file_server("abc");
    project.dockerfile(&format!(
        "FROM BUSYBOX\nARG V=1\nADD http://{server}/$V/file /file\nADD http://u:hunter2@{server}/x /x\n"
    ));
    let outcome = project.lock_with(&[]).run().succeeds();
    let said = outcome.never_says("hunter2").out();
    assert!(said.contains("open") && said.contains("Dockerfile:4"), "{said}");
    let lock = project.lock();
    let checksum = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(
        lock.contains(&format!(
            "[[http]]\nurl = \"http://{server}/1/file\"\nchecksum = \"{checksum}\""
        )),
        "{lock}"
    );
    assert!(!lock.contains("hunter2"), "{lock}");
    project.locks(&["--check"]);

    project.dockerfile(&format!(
        "FROM BUSYBOX\nARG V=1\nADD http://{server}/$V/file /file\nRUN echo NAME\n"
    ));
    let image = project.tag("1");
    if engine.name == "a" {
        // Its frontend knows no checksums.
        project.build(&["-t", &image]).run().explains(3).says("remote-add");
        return;
    }
    project.built(&["--locked"]);
    assert_eq!(engine.root_sh(&image, "cat /file"), "abc");
    assert!(project.provenance(&image).to_string().contains(&checksum[7..]));
    // Whatever stands there now: it is the locked file, or nothing.
    *content.lock().unwrap() = "other".into();
    let outcome = project.build(&["-t", &image]).run();
    assert!(matches!(outcome.code(), Some(0 | 1)), "{}", outcome.told());
    assert_eq!(engine.root_sh(&image, "cat /file"), "abc");
    let id = engine.id(&image);
    let lock = project.lock();
    project.write("cofferdam.lock", lock.replace(checksum, &format!("sha256:{}", "0".repeat(64))));
    let outcome = project.build(&["-t", &image]).run().explains(1);
    outcome.says("digest mismatch").says("cofferdam lock --upgrade");
    assert_eq!(engine.id(&image), id);
    assert!(project.locks(&["--upgrade"]).contains("changed"));
    project.built(&[]);
    assert_eq!(engine.root_sh(&image, "cat /file"), "other");

    // In the text it is the same, and the lock has nothing more to say.
    project.locks(&["--write-dockerfile"]);
    assert!(project.read("Dockerfile").contains("ADD --checksum=sha256:"));
    project.built(&[]);
}

fn branch_is_locked_as_its_commit(engine: &'static Engine) {
    let project = Project::empty(engine);
    let repository = Repository::new();
    let commit = repository.commit("first");
    let url = repository.url.clone();
    project.dockerfile(&format!("FROM BUSYBOX\nADD {url}#master:docs /src/\nRUN echo NAME\n"));
    project.locks(&[]);
    let lock = project.lock();
    let entry = format!("[[git]]\nurl = \"{url}\"\nref = \"master\"\ncommit = \"{commit}\"");
    assert!(lock.contains(&entry), "{lock}");
    repository.commit("second");
    assert!(project.locks(&[]).starts_with("fresh"));
    if engine.name == "a" {
        // Its frontend knows no git here, and reads a file of that name.
        project.build(&[]).run().fails(1);
        return;
    }
    let image = project.built(&["--locked"]);
    assert_eq!(engine.root_sh(&image, "cat /src/f"), "first");
    assert!(project.faulty(&["--upgrade"]).contains("stale"));
    project.locks(&["--upgrade"]);
    project.built(&[]);
    assert_eq!(engine.root_sh(&image, "cat /src/f"), "second");
    let gone = format!("FROM BUSYBOX\nADD {url}#nowhere /src/\n");
    project.dockerfile(&gone);
    project.lock_with(&[]).run().explains(4).says("Dockerfile:2").says("no nowhere");
}

fn merge_conflict_is_joined(engine: &'static Engine) {
    let project = Project::empty(engine);
    let [one, two, both] = ["one", "two", "both"].map(|name| project.base(name, "1", name, NONE));
    let from = |names: &[&String]| -> String {
        names.iter().map(|name| format!("FROM {name}\n")).collect()
    };
    project.dockerfile(&from(&[&both, &one]));
    project.locks(&[]);
    let ours = project.lock();
    project.base("both", "1", "newer", NONE);
    std::fs::remove_file(project.path("cofferdam.lock")).unwrap();
    project.dockerfile(&from(&[&both, &two]));
    project.locks(&[]);
    let theirs = project.lock();
    let conflict = format!("<<<<<<< ours\n{ours}=======\n{theirs}>>>>>>> theirs\n");
    project.write("cofferdam.lock", &conflict);
    project.dockerfile(&from(&[&both, &one, &two]));
    project.build(&[]).run().explains(1).says("merge conflict").says("`cofferdam lock` joins");
    project.lock_with(&["--check"]).run().explains(1).says("line 1");
    assert_eq!(project.lock(), conflict);
    let said = project.locks(&[]);
    assert!(said.contains(&format!("disputed  {both}")), "{said}");
    for name in [&one, &two, &both] {
        assert_eq!(locked(&project, name), Some(engine.served_name(name)));
    }
    project.locks(&["--check"]);
}

fn damaged_lock_is_left_alone(engine: &'static Engine) {
    let project = Project::new(engine, "FROM BUSYBOX\n");
    for (text, reason) in [
        ("version = 1\n[[image]]\nname = 1\n", "line 3, column 8"),
        ("version = 9\n[[tomorrow]]\n", "newer cofferdam"),
        ("\u{0}", "line 1, column 2"),
        (
            "version = 1\n[[http]]\nurl = \"https://u:hunter2@h/f\"\nchecksum = \"\"\nresolved = \"\"\n",
            "line 3, column 7",
        ),
    ] {
        project.write("cofferdam.lock", text);
        for args in [&[][..], &["--check"], &["--upgrade"], &["--write-dockerfile"]] {
            let outcome = project.lock_with(args).run().explains(1);
            outcome.says("cofferdam.lock").says(reason).never_says("hunter2");
            assert_eq!(project.lock(), text);
        }
    }
}

fn registry_that_is_down(engine: &'static Engine) {
    let nobody = fakes::nobody();
    let project = Project::new(engine, &format!("FROM BUSYBOX\nCOPY --from={nobody}/x:1 / /x\n"));
    for args in [&[][..], &["--no-engine"], &["--diff"]] {
        let outcome = project.lock_with(args).run().explains(4);
        outcome.says("Dockerfile:2").says(&nobody);
        assert_eq!(files(&project), ["Dockerfile"]);
    }
    project.dockerfile(&format!("FROM BUSYBOX\nADD http://{nobody}/x /x\n"));
    project.lock_with(&[]).run().explains(4).says("Dockerfile:2").says("cannot download");
    project.dockerfile("FROM REGISTRY/NAME/none:7\n");
    project.lock_with(&["--no-engine"]).run().explains(4).says("404");
}

fn interrupted_lock_leaves_nothing(engine: &'static Engine) {
    let (asked, heard) = std::sync::mpsc::channel();
    let asked = Mutex::new(asked);
    let hangs = fakes::server(move |_| {
        let _ = asked.lock().unwrap().send(());
        std::thread::sleep(Duration::from_secs(60));
        String::new()
    });
    let project = Project::new(engine, &format!("FROM BUSYBOX\nADD http://{hangs}/f /f\n"));
    for args in [&[][..], &["--write-dockerfile"]] {
        let text = project.read("Dockerfile");
        let mut running = project.lock_with(args).start();
        heard.recv_timeout(Duration::from_secs(30)).expect("nobody asked for the file");
        running.signal(Signal::INT);
        assert!(running.ends_within(Duration::from_secs(2)), "it does not end within 2 s");
        assert_eq!(running.outcome().code(), Some(130));
        assert_eq!(files(&project), ["Dockerfile"]);
        assert_eq!(project.read("Dockerfile"), text);
        let left = |path: &Path| std::fs::read_dir(path).unwrap().count();
        assert_eq!(left(&project.beside("tmp")), 0);
    }
}
