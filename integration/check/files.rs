//! Which files are looked at, and files that are no Dockerfiles at all.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::bench::{Bench, SAMPLE};

#[test]
fn directories_are_walked_in_a_stable_order() {
    let bench = Bench::new();
    for name in [
        "b/Dockerfile",
        "a/app.Dockerfile",
        "a/Dockerfile.dev",
        "c/Containerfile",
        "dockerfile",
        // Not these.
        "node_modules/x/Dockerfile",
        "target/Dockerfile",
        ".hidden/Dockerfile",
        "a/Dockerfile.dockerignore",
        "a/notes.md",
    ] {
        bench.write(name, "FROM debian:12\nRUN sudo true\n");
    }
    let names =
        ["a/Dockerfile.dev", "a/app.Dockerfile", "b/Dockerfile", "c/Containerfile", "dockerfile"];
    let expected = names.map(|name| format!("sudo {name}:2 warn"));
    for _ in 0..5 {
        assert_eq!(bench.found(&[]), expected);
    }
    // What is named is checked, whatever it is called, and once.
    assert_eq!(bench.found(&["a/notes.md", "./a/notes.md"]), ["sudo a/notes.md:2 warn"]);
    assert_eq!(bench.found(&["b", "a"])[0], "sudo b/Dockerfile:2 warn");
}

#[test]
fn links_that_lead_in_circles_end() {
    let bench = Bench::with("a/Dockerfile", SAMPLE);
    symlink("..", bench.path("a/up")).unwrap();
    symlink("self", bench.path("a/self")).unwrap();
    symlink("nowhere", bench.path("a/app.Dockerfile")).unwrap();
    symlink("Dockerfile", bench.path("a/dockerfile")).unwrap();
    let said = bench.check(&[]);
    assert_eq!(said.code, 0);
    for told in [
        "a/up: a link to a directory above it",
        "a/self: a link that leads to itself",
        "a/app.Dockerfile: not read",
    ] {
        assert!(said.err.contains(told), "{}", said.err);
    }
    assert!(said.out.contains("2 files"), "{}", said.out);
}

#[test]
fn what_may_not_be_read_is_told() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    bench.write("locked/Dockerfile", SAMPLE);
    bench.write("Dockerfile.secret", SAMPLE);
    let mode = |name: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(bench.path(name), permissions).unwrap();
    };
    mode("locked", 0);
    let said = bench.check_bound_by_modes(&[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.err.contains("locked: not looked into"), "{}", said.err);
    assert!(said.out.contains("2 files"), "{}", said.out);
    mode("Dockerfile.secret", 0);
    let said = bench.check_bound_by_modes(&[]);
    mode("locked", 0o755);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("cannot read Dockerfile.secret"), "{}", said.err);
    assert!(said.out.contains("warning[sudo]"), "{}", said.out);
}

#[test]
fn standard_input_is_a_file_of_the_working_directory() {
    let bench = Bench::new();
    let said = bench.run(&["check", "-"], SAMPLE.as_bytes());
    assert_eq!(said.code, 0);
    assert!(said.out.contains("--> -:3:5"), "{}", said.out);
    assert_eq!(bench.run(&["check", "-", "."], b"").code, 1);
    assert_eq!(bench.run(&["check", "-"], b"").code, 3);
}
