//! Downloads and repositories of ADD, fixed in the text.
#![expect(clippy::unwrap_used, reason = "functions shared by tests")]

use cofferdam_frontend::dockerfile::{Dockerfile, Scope};
use cofferdam_frontend::pins::{
    Digest, Fixes, GitPlace, Obstacle, RemoteSource, pin_adds, pin_in_place, remote_adds,
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn digest() -> Digest {
    format!("sha256:{}", "d".repeat(64)).parse().unwrap()
}

fn place(url: &str, reference: Option<&str>) -> GitPlace {
    GitPlace { url: url.into(), reference: reference.map(String::from) }
}

fn pinned(source: &str) -> String {
    let fixes = Fixes {
        http: ["https://h/f", "https://h/v2/f"].map(|url| (url.to_owned(), digest())).into(),
        git: [
            (place("https://h/r.git", None), COMMIT.to_owned()),
            (place("https://h/r.git", Some("v1")), COMMIT.to_owned()),
            (place("git@h:r.git", Some("v1")), COMMIT.to_owned()),
        ]
        .into(),
    };
    let (bytes, _) = pin_adds(source.as_bytes(), &Scope::default(), &fixes, true).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn only_what_fixes_it_is_written() {
    let d = digest();
    for (source, expected) in [
        ("ADD https://h/f /x\n", format!("ADD --checksum={d} https://h/f /x\n")),
        ("add\thttps://h/f /x", format!("add --checksum={d}\thttps://h/f /x")),
        (
            "ADD --chown=1 https://h/f /x\n",
            format!("ADD --checksum={d} --chown=1 https://h/f /x\n"),
        ),
        (
            "ADD \\\n  # c\n https://h/f /x\r\n",
            format!("ADD --checksum={d} \\\n  # c\n https://h/f /x\r\n"),
        ),
        (
            "ADD [\"https://h/f\", \"/x\"]\n",
            format!("ADD --checksum={d} [\"https://h/f\", \"/x\"]\n"),
        ),
        (
            "ARG V=2\nADD https://h/v$V/f /x\n",
            format!("ARG V=2\nADD --checksum={d} https://h/v$V/f /x\n"),
        ),
        ("ADD https://h/r.git /x\n", format!("ADD https://h/r.git#{COMMIT} /x\n")),
        ("ADD https://h/r.git#v1 /x\n", format!("ADD https://h/r.git#{COMMIT} /x\n")),
        ("ADD https://h/r.git#v1:d /x\n", format!("ADD https://h/r.git#{COMMIT}:d /x\n")),
        ("ADD https://h/r.git#:d /x\n", format!("ADD https://h/r.git#{COMMIT}:d /x\n")),
        ("ADD a https://h/r.git#v1 /x\n", format!("ADD a https://h/r.git#{COMMIT} /x\n")),
        ("ADD [\"git@h:r.git#v1\", \"/x\"]\n", format!("ADD [\"git@h:r.git#{COMMIT}\", \"/x\"]\n")),
    ] {
        assert_eq!(pinned(&format!("FROM scratch\n{source}")), format!("FROM scratch\n{expected}"));
    }
}

#[test]
fn everything_else_stays() {
    for source in [
        "FROM scratch\nADD --checksum=sha256:0 https://h/f /x\n",
        "FROM scratch\nADD https://h/other /x\n",
        "FROM scratch\nADD https://h/f https://h/f /x/\n",
        "FROM scratch\nADD https://h/r.git?ref=v1 /x\n",
        "FROM scratch\nADD https://u:p@h/r.git#v1 /x\n",
        "FROM scratch\nARG R=v1\nADD https://h/r.git#$R /x\n",
        "FROM scratch\nADD https://h/r\\\n.git#v1 /x\n",
        "FROM scratch\nADD github.com/o/r /x\n",
        "FROM scratch\nCOPY https://h/f /x\n",
        "FROM scratch\nONBUILD ADD https://h/f /x\n",
        "FROM scratch\nADD <<EOF /x\nADD https://h/f /x\nEOF\n",
        "FROM scratch AS unused\nADD https://h/f /x\nFROM scratch\n",
    ] {
        assert_eq!(pinned(source), source);
    }
}

#[test]
fn what_cannot_be_fixed_says_why() {
    for (source, expected) in [
        ("https://u:p@h/f", Obstacle::Credentials),
        ("https://h/f local", Obstacle::Several),
        ("https://h/$V", Obstacle::Undefined(vec!["V".into()])),
        ("https://t@h/r.git", Obstacle::Credentials),
        ("https://h/r.git?ref=v1", Obstacle::Query),
        ("https://h/${SET}.git", Obstacle::Variable),
    ] {
        let text = format!("FROM scratch\nARG SET=r\nADD {source} /x/\n");
        let adds = remote_adds(&Dockerfile::parse(text.as_bytes()), &Scope::default());
        assert_eq!(adds[0].obstacle, Some(expected), "{source}");
        assert!(!adds[0].source.shown().contains("u:p"), "{source}");
    }
    let text = b"FROM scratch\nADD https://h/a/b /x\nADD ./local https://h/r.git#v1:d /y\n";
    let adds = remote_adds(&Dockerfile::parse(text), &Scope::default());
    let found: Vec<_> = adds.iter().map(|add| (add.line, &add.source, add.fixed)).collect();
    let http = RemoteSource::Http("https://h/a/b".into());
    let git = RemoteSource::Git(place("https://h/r.git", Some("v1")));
    assert_eq!(found, [(2, &http, false), (3, &git, false)]);
}

#[test]
fn a_users_file_keeps_its_form() {
    let d = digest();
    let digests = [("docker.io/library/debian:12".to_owned(), d.clone())].into();
    for (source, expected) in [
        ("FROM debian:12 AS a\r\n", format!("FROM debian:12@{d} AS a\r\n")),
        ("FROM deb\\\n# c\nian:12\n", format!("FROM deb\\\n# c\nian:12@{d}\n")),
        ("FROM \"debian:12\"\n", format!("FROM debian:12@{d}\n")),
        ("ARG V=12\nFROM debian:$V\n", "ARG V=12\nFROM debian:$V\n".to_owned()),
        ("FROM other\nFROM debian:12\n", format!("FROM other\nFROM debian:12@{d}\n")),
    ] {
        let done = pin_in_place(source.as_bytes(), &Scope::default(), &digests).unwrap();
        assert_eq!(String::from_utf8(done.bytes).unwrap(), expected);
        let left = source.contains("$V") || source.contains("other");
        assert_eq!(done.left.len(), usize::from(left), "{source}");
    }
}

#[test]
fn a_long_file_is_read_in_no_time() {
    let text = format!("FROM scratch\nARG A=https://h/f\n{}", "ADD $A /x\n".repeat(50_000));
    let started = std::time::Instant::now();
    let adds = remote_adds(&Dockerfile::parse(text.as_bytes()), &Scope::default());
    assert_eq!(adds.len(), 50_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
