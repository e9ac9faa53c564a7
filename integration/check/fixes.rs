//! `--fix` and `--diff`.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use crate::bench::{Bench, SAMPLE};

fn mended() -> String {
    SAMPLE.replace("ADD", "COPY")
}

#[test]
fn twice_equals_once() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    let said = bench.check(&["--fix"]);
    assert_eq!(bench.read("Dockerfile"), mended());
    assert!(said.out.contains("2 fixed"), "{}", said.out);
    assert!(!said.out.contains("local-add"), "{}", said.out);
    let before = std::fs::metadata(bench.path("Dockerfile")).unwrap();
    bench.check(&["--fix=unsafe"]);
    let after = std::fs::metadata(bench.path("Dockerfile")).unwrap();
    assert_eq!(bench.read("Dockerfile"), mended());
    // A file without anything to mend is not touched.
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
}

#[test]
fn a_link_stays_a_link_and_the_mode_stays() {
    let bench = Bench::with("real/file", SAMPLE);
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(bench.path("real/file"), mode).unwrap();
    symlink("real/file", bench.path("Dockerfile")).unwrap();
    bench.check(&["--fix"]);
    assert!(bench.path("Dockerfile").is_symlink());
    assert_eq!(bench.read("real/file"), mended());
    let about = std::fs::metadata(bench.path("real/file")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o640);
    // Nothing else is left beside it.
    assert_eq!(std::fs::read_dir(bench.path("real")).unwrap().count(), 1);
}

#[test]
fn a_diff_writes_nothing_and_is_taken_by_patch() {
    let bench = Bench::with("a/Dockerfile", SAMPLE);
    let said = bench.check(&["--diff"]);
    assert_eq!(bench.read("a/Dockerfile"), SAMPLE);
    assert_eq!(
        said.out,
        "--- a/a/Dockerfile\n+++ b/a/Dockerfile\n@@ -1,4 +1,4 @@\n FROM debian:12\n\
         -ADD app /srv/app\n+COPY app /srv/app\n RUN sudo true\n-ADD lib /srv/lib\n\
         +COPY lib /srv/lib\n"
    );
    assert!(said.err.contains("warning[sudo]"), "{}", said.err);
}

#[test]
fn standard_input_comes_out_mended() {
    let bench = Bench::new();
    let said = bench.run(&["check", "--fix", "-"], SAMPLE.as_bytes());
    assert_eq!(said.out, mended());
    assert!(said.err.contains("warning[sudo]"), "{}", said.err);
    let clean = "FROM debian:12\r\nCOPY a /b";
    assert_eq!(bench.run(&["check", "--fix", "-"], clean.as_bytes()).out, clean);
}

#[test]
fn what_is_silenced_is_not_mended() {
    let silenced = SAMPLE.replace("ADD app", "# cofferdam: ignore[local-add] x\nADD app");
    let bench = Bench::with("Dockerfile", &silenced);
    bench.check(&["--fix"]);
    assert_eq!(bench.read("Dockerfile"), silenced.replace("ADD lib", "COPY lib"));
}
