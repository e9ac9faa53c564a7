//! References, the lock file, and pinning.
#![expect(clippy::unwrap_used, reason = "functions shared by tests")]

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_frontend::dockerfile::{Dockerfile, ImageInputKind, Platform, Scope, image_inputs};
use cofferdam_frontend::pins::{
    Digest, ImageSource, Lock, LockChange, LockError, LockedImage, PinError, Pinned, Reference,
    ReferenceError, Timestamp, pin,
};

fn digest(letter: char) -> Digest {
    format!("sha256:{}", letter.to_string().repeat(64)).parse().unwrap()
}

fn when() -> Timestamp {
    Timestamp::parse("2026-11-21T23:00:00Z").unwrap()
}

#[test]
fn references_normalise() {
    for (text, canonical, familiar) in [
        ("debian", "docker.io/library/debian:latest", "debian"),
        ("debian:12", "docker.io/library/debian:12", "debian:12"),
        ("docker.io/debian", "docker.io/library/debian:latest", "debian"),
        ("index.docker.io/a/b:c", "docker.io/a/b:c", "a/b:c"),
        ("localhost/x", "localhost/x:latest", "localhost/x"),
        ("localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y"),
        ("host:5000/x", "host:5000/x:latest", "host:5000/x"),
        ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x"),
        ("UPPER/x", "UPPER/x:latest", "UPPER/x"),
        ("a.b/c__d/e--f.g_h:T-._1", "a.b/c__d/e--f.g_h:T-._1", "a.b/c__d/e--f.g_h:T-._1"),
        ("debian:5000", "docker.io/library/debian:5000", "debian:5000"),
    ] {
        let reference = Reference::parse_normalized(text).unwrap();
        assert_eq!(reference.canonical(), canonical, "{text}");
        assert_eq!(reference.familiar(), familiar, "{text}");
    }
    let full = format!("debian:12@{}", digest('a'));
    let reference = Reference::parse_normalized(&full).unwrap();
    assert_eq!(reference.familiar(), full);
    assert_eq!(reference.to_string(), format!("docker.io/library/{full}"));
    assert_eq!(reference.canonical(), "docker.io/library/debian:12");
}

#[test]
fn bad_references() {
    let long = "a".repeat(256);
    let tag = format!("a:{}", "t".repeat(129));
    let hex = "a".repeat(64);
    for text in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "-a",
        "a-",
        "a._b",
        "a___b",
        "a:",
        "a:-b",
        "a b",
        "a@",
        "a@sha256:ab",
        "a:b:c",
        "http://a/b",
        "a.b/",
        "é",
        "ho_st.x/a",
        ".a/b",
        "a\n",
        &long,
        &tag,
        &hex,
        "[::1/x",
        "[]/x",
        "a:x/b",
        "$x",
        "a@b@c",
    ] {
        assert!(Reference::parse_normalized(text).is_err(), "{text:?}");
    }
    assert_eq!(
        Reference::parse_normalized("library/Debian").unwrap_err().to_string(),
        "invalid reference format: repository name (library/Debian) must be lowercase"
    );
    let upper = format!("debian@sha256:{}", "A".repeat(64));
    assert!(Reference::parse_normalized(&upper).is_err());
}

#[test]
fn tag_names() {
    assert_eq!(Reference::parse_tag_name("app").unwrap().familiar(), "app:latest");
    let with_digest = format!("app@{}", digest('a'));
    assert!(matches!(Reference::parse_tag_name(&with_digest), Err(ReferenceError::DigestAsTag(_))));
    assert!(matches!(Reference::parse_tag_name("App"), Err(ReferenceError::Uppercase(_))));
}

fn lock() -> Lock {
    let mut lock = Lock::default();
    let debian = Reference::parse_normalized("debian:12").unwrap();
    let mut image = LockedImage::new(
        &debian,
        ImageSource::Registry {
            digest: digest('a'),
            platforms: BTreeMap::from([("linux/amd64".to_owned(), digest('b'))]),
        },
        when(),
    );
    image.by = Some("cofferdam \"0.1\"\u{7f}".to_owned());
    lock.insert(image);
    let local = Reference::parse_normalized("app").unwrap();
    lock.insert(LockedImage::new(&local, ImageSource::Local { image_id: digest('c') }, when()));
    lock
}

#[test]
fn lock_round_trips_and_is_stable() {
    let lock = lock();
    let text = lock.render();
    assert_eq!(Lock::parse(text.as_bytes()).unwrap(), lock);
    assert_eq!(Lock::parse(text.as_bytes()).unwrap().render(), text);
    assert!(text.starts_with("# The lock file of cofferdam"));
    let app = text.find("library/app").unwrap();
    assert!(app < text.find("library/debian").unwrap());
    let pinned = format!("debian:12@{}", digest('f'));
    let found = lock.lookup(&Reference::parse_normalized(&pinned).unwrap()).unwrap();
    assert_eq!(found.digest(), Some(&digest('a')));
    assert_eq!(lock.digests().len(), 1);
}

#[test]
fn lock_layout() {
    let mut lock = Lock::default();
    let alpine = Reference::parse_normalized("alpine:3").unwrap();
    let source = ImageSource::Registry { digest: digest('a'), platforms: BTreeMap::new() };
    lock.insert(LockedImage::new(&alpine, source, when()));
    let expected = format!(
        "version = 1\n\n[[image]]\nname = \"docker.io/library/alpine:3\"\ndigest = \"{}\"\nresolved = \"2026-11-21T23:00:00Z\"\n",
        digest('a')
    );
    assert!(lock.render().ends_with(&expected), "{}", lock.render());
}

fn entry(extra: &str) -> String {
    format!(
        "version = 1\n[[image]]\nname = \"docker.io/library/a:1\"\ndigest = \"{}\"\nresolved = \"2026-11-21T23:00:00Z\"\n{extra}",
        digest('a')
    )
}

#[test]
fn lock_errors_say_where() {
    let fail = |text: &str| Lock::parse(text.as_bytes()).unwrap_err();
    assert!(Lock::parse(entry("").as_bytes()).is_ok());
    assert!(matches!(fail(&entry("foo = 1\n")), LockError::Syntax { line: 6, column: 1, .. }));
    assert!(matches!(fail("version = 1\nx = 2\n"), LockError::Syntax { line: 2, .. }));
    assert!(matches!(fail("version = \n"), LockError::Syntax { line: 1, .. }));
    assert_eq!(
        fail("version = 3\n[[future]]\nx = 1\n").to_string(),
        "written by a newer cofferdam: lock version 3, this one reads up to 2"
    );
    assert_eq!(fail("version = 0\n"), LockError::BadVersion { found: 0 });
    assert_eq!(fail(""), LockError::NoVersion);
    let twice = entry(&entry("").replace("version = 1\n", ""));
    assert!(matches!(fail(&twice), LockError::Duplicate { line: 7, .. }));
    let conflict = format!("{}<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b\n", entry(""));
    assert_eq!(fail(&conflict), LockError::Conflict { line: 6 });
    let short = entry("").replace("docker.io/library/", "");
    assert!(matches!(fail(&short), LockError::Invalid { line: 3, column: 8, .. }));
    let bad = entry("").replace("sha256:a", "sha256:z");
    assert!(matches!(fail(&bad), LockError::Invalid { line: 4, .. }));
    assert!(matches!(fail(&entry("kind = \"local\"\n")), LockError::Invalid { line: 4, .. }));
    assert!(matches!(fail(&entry("kind = \"x\"\n")), LockError::Invalid { line: 6, .. }));
    assert_eq!(Lock::parse(b"\xff").unwrap_err(), LockError::NotUtf8);
}

#[test]
fn lock_diff() {
    let old = lock();
    let mut new = old.clone();
    new.remove("docker.io/library/app:latest");
    let debian = Reference::parse_normalized("debian:12").unwrap();
    let source = ImageSource::Registry { digest: digest('e'), platforms: BTreeMap::new() };
    new.insert(LockedImage::new(&debian, source.clone(), when()));
    new.insert(LockedImage::new(&Reference::parse_normalized("b").unwrap(), source, when()));
    let kinds: Vec<_> = old
        .diff(&new)
        .iter()
        .map(|change| match change {
            LockChange::Added(image) => format!("+{}", image.name()),
            LockChange::Removed(image) => format!("-{}", image.name()),
            LockChange::Changed { after, .. } => format!("~{}", after.name()),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "-docker.io/library/app:latest",
            "+docker.io/library/b:latest",
            "~docker.io/library/debian:12"
        ]
    );
    assert!(old.diff(&old).is_empty());
}

fn scope() -> Scope {
    Scope { build_platform: Platform::parse("linux/amd64"), ..Scope::default() }
}

/// Pins everything with one digest.
fn pin_all(source: &str) -> Result<Pinned, PinError> {
    let inputs = image_inputs(&Dockerfile::parse(source.as_bytes()), &scope());
    let digests = inputs
        .inputs
        .iter()
        .map(|input| (input.parsed().unwrap().canonical(), digest('d')))
        .collect();
    pin(source.as_bytes(), &scope(), &digests, &BTreeSet::new())
}

#[test]
fn pinning_changes_only_the_names() {
    let d = digest('d');
    for (source, expected) in [
        ("FROM debian:12\n", format!("FROM debian:12@{d}\n")),
        ("FROM debian AS x\r\n", format!("FROM debian@{d} AS x\r\n")),
        ("ARG B=a\nFROM ${B}:1\n", format!("ARG B=a\nFROM a:1@{d}\n")),
        ("FROM \"a\"\n", format!("FROM a@{d}\n")),
        ("FROM deb\\\nian\nRUN x\n", format!("FROM \\\ndebian@{d}\nRUN x\n")),
        ("FROM deb\\\n# c\nian AS x\nRUN x\n", format!("FROM \\\n# c\ndebian@{d} AS x\nRUN x\n")),
        ("# syntax=a/b:1 x\nFROM c\n", format!("# syntax=a/b:1@{d} x\nFROM c@{d}\n")),
        ("// syntax=a/b:1\nFROM c\n", format!("// syntax=a/b:1@{d}\nFROM c@{d}\n")),
        ("FROM a\nCOPY --from=\"b:1\" x y\n", format!("FROM a@{d}\nCOPY --from=\"b:1@{d}\" x y\n")),
        ("FROM a\nCOPY --fr\"om=b\"c x y\n", format!("FROM a@{d}\nCOPY --fr\"om=\"bc@{d} x y\n")),
        (
            "FROM a\nRUN --mount='type=bind,\"from=b:1\",target=/x' y\n",
            format!("FROM a@{d}\nRUN --mount='type=bind,\"from=b:1@{d}\",target=/x' y\n"),
        ),
        (
            "FROM a\nONBUILD COPY --from=b x y\n",
            format!("FROM a@{d}\nONBUILD COPY --from=b@{d} x y\n"),
        ),
    ] {
        let pinned = pin_all(source).unwrap();
        assert_eq!(String::from_utf8(pinned.bytes).unwrap(), expected);
    }
}

#[test]
fn a_digest_that_is_there_stays() {
    let source = format!("FROM debian:12@{}\n", digest('a'));
    let pinned = pin(source.as_bytes(), &scope(), &BTreeMap::new(), &BTreeSet::new()).unwrap();
    assert_eq!(pinned.bytes, source.as_bytes());
    assert!(pinned.replacements.is_empty());
}

#[test]
fn a_needed_image_without_a_digest_is_an_error_and_another_is_not() {
    let source = b"FROM unused\nFROM needed\n";
    assert_eq!(
        pin(source, &scope(), &BTreeMap::new(), &BTreeSet::new()).unwrap_err().to_string(),
        "no digest for docker.io/library/needed:latest"
    );
    let digests = BTreeMap::from([("docker.io/library/needed:latest".to_owned(), digest('a'))]);
    let pinned = pin(source, &scope(), &digests, &BTreeSet::new()).unwrap();
    assert_eq!(pinned.bytes, format!("FROM unused\nFROM needed@{}\n", digest('a')).as_bytes());
    assert_eq!(pinned.replacements[0].kind, ImageInputKind::From);
    assert_eq!(pinned.replacements[0].line, 2);
}

#[test]
fn a_file_whose_images_are_unclear_is_not_pinned() {
    assert!(matches!(pin_all("FROM $X\n"), Err(PinError::Inputs(_))));
}
