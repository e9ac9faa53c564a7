//! The lock file: what it holds, how it is written, and how two branches meet in it.
#![expect(clippy::unwrap_used, reason = "functions shared by tests")]

use std::collections::BTreeMap;
use std::process::Command;

use cofferdam_frontend::pins::{
    Digest, Elsewhere, Entry, GitPlace, ImageSource, Lock, LockError, LockedGit, LockedHttp,
    LockedImage, Reference, Timestamp,
};
use proptest::prelude::*;

fn digest(letter: char) -> Digest {
    format!("sha256:{}", letter.to_string().repeat(64)).parse().unwrap()
}

fn when() -> Timestamp {
    Timestamp::parse("2026-11-21T23:00:00Z").unwrap()
}

fn image(name: &str, letter: char) -> Entry {
    let reference = Reference::parse_normalized(name).unwrap();
    let platforms = BTreeMap::from([("linux/amd64".to_owned(), digest(letter))]);
    let source = ImageSource::Registry { digest: digest(letter), platforms };
    let mut image = LockedImage::new(&reference, source, when());
    image.by = Some("cofferdam 0.1.0".into());
    Entry::Image(image)
}

fn http(url: &str, letter: char) -> Entry {
    let by = None;
    Entry::Http(LockedHttp { url: url.into(), checksum: digest(letter), resolved: when(), by })
}

fn git(url: &str, reference: Option<&str>, letter: char) -> Entry {
    let at = GitPlace { url: url.into(), reference: reference.map(String::from) };
    let commit = letter.to_string().repeat(40);
    Entry::Git(LockedGit { at, commit, resolved: when(), by: None })
}

fn lock(entries: impl IntoIterator<Item = Entry>) -> Lock {
    let mut lock = Lock::default();
    entries.into_iter().for_each(|entry| lock.put(entry));
    lock
}

#[test]
fn every_kind_is_written_and_read() {
    let all = lock([
        git("https://h/r.git", None, 'b'),
        git("https://h/r.git", Some("v1"), 'a'),
        git("git@h:r.git", Some("v1"), 'a'),
        http("https://h/f?a=b#c", 'c'),
        image("debian:12", 'd'),
    ]);
    let text = all.render();
    let expected = format!(
        "\nversion = 2\n\n[[image]]\nname = \"docker.io/library/debian:12\"\ndigest = \"{d}\"\n\
         resolved = \"2026-11-21T23:00:00Z\"\nby = \"cofferdam 0.1.0\"\n\n[image.platforms]\n\
         \"linux/amd64\" = \"{d}\"\n\n[[http]]\nurl = \"https://h/f?a=b#c\"\nchecksum = \"{c}\"\n\
         resolved = \"2026-11-21T23:00:00Z\"\n\n[[git]]\nurl = \"git@h:r.git\"\nref = \"v1\"\n",
        d = digest('d'),
        c = digest('c'),
    );
    assert!(text.contains(&expected), "{text}");
    assert_eq!(Lock::parse(text.as_bytes()).unwrap(), all);
    let names: Vec<String> = all.entries().map(|entry| entry.name()).collect();
    let expected = [
        "docker.io/library/debian:12",
        "https://h/f?a=b#c",
        "git@h:r.git#v1",
        "https://h/r.git",
        "https://h/r.git#v1",
    ];
    assert_eq!(names, expected);
}

#[test]
fn older_programs_read_what_they_can() {
    assert!(lock([image("a:1", 'a')]).render().contains("\nversion = 1\n"));
    assert!(lock([http("https://h/f", 'a')]).render().contains("\nversion = 2\n"));
    let mut only_graph = lock([]);
    let Entry::Image(mut found) = image("a:1", 'a') else { panic!("no image") };
    found.named = Some(Elsewhere::Graph);
    only_graph.insert(found);
    let text = only_graph.render();
    assert!(text.contains("version = 2") && text.contains("named = \"graph\""), "{text}");
    assert_eq!(Lock::parse(text.as_bytes()).unwrap(), only_graph);
    // A merge may leave the lower number.
    let merged = lock([http("https://h/f", 'a')]).render().replace("version = 2", "version = 1");
    assert_eq!(Lock::parse(merged.as_bytes()).unwrap(), lock([http("https://h/f", 'a')]));
}

#[test]
fn what_cannot_be_meant_says_where() {
    let good = lock([http("https://h/f", 'a'), git("https://h/r.git", Some("v1"), 'a')]).render();
    let lines: Vec<&str> = good.lines().collect();
    let line = |start: &str| lines.iter().position(|line| line.starts_with(start)).unwrap() + 1;
    for (from, to, start, column) in [
        ("https://h/f", "https://u:hunter2@h/f", "url", 7),
        ("https://h/f", "ftp://h/f", "url", 7),
        ("https://h/f", "https://h/f o", "url", 7),
        ("sha256:a", "sha256:z", "checksum", 12),
        ("\"v1\"", "\"\"", "ref", 7),
        ("commit = \"a", "commit = \"A", "commit", 10),
        ("url = \"https://h/f\"", "url = 1", "url", 7),
        ("resolved = \"2", "resolved = \"x", "resolved", 12),
        ("checksum =", "digest =", "checksum", 1),
    ] {
        let error = Lock::parse(good.replacen(from, to, 1).as_bytes()).unwrap_err();
        let at = match &error {
            LockError::Invalid { line, column, .. } | LockError::Syntax { line, column, .. } => {
                (*line, *column)
            }
            other => panic!("{other}"),
        };
        assert_eq!(at, (line(start), column), "{from} → {to}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let twice =
        format!("{good}\n[[http]]\n{}\n", lines[line("url") - 1..line("url") + 2].join("\n"));
    assert!(matches!(Lock::parse(twice.as_bytes()), Err(LockError::Duplicate { .. })));
}

/// What git makes of two branches: its text, and whether it saw no conflict.
fn merge(base: &Lock, ours: &Lock, theirs: &Lock) -> (String, bool) {
    let dir = std::env::temp_dir().join(format!("cofferdam-merge-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let write = |name: &str, lock: &Lock| {
        let path = dir.join(name);
        std::fs::write(&path, lock.render()).unwrap();
        path
    };
    let [ours, base, theirs] = [write("ours", ours), write("base", base), write("theirs", theirs)];
    let merged = Command::new("git").args(["merge-file", "-p"]).args([ours, base, theirs]).output();
    let merged = merged.unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    (String::from_utf8(merged.stdout).unwrap(), merged.status.success())
}

#[test]
fn branches_that_touch_different_places_merge_by_themselves() {
    let base = [image("c:1", 'c'), image("m:1", 'd'), image("x:1", 'e')];
    let ours = base.iter().cloned().chain([image("a:1", 'a'), http("https://h/f", 'f')]);
    let theirs = base.iter().cloned().chain([image("d:1", 'b')]);
    let (ours, theirs) = (lock(ours), lock(theirs));
    let (text, clean) = merge(&lock(base), &ours, &theirs);
    assert!(clean, "{text}");
    let all = lock(ours.entries().chain(theirs.entries()));
    assert_eq!(Lock::parse(text.as_bytes()).unwrap(), all);
}

#[test]
fn branches_that_add_in_the_same_place_are_joined_by_name() {
    let base = lock([image("a:1", 'a'), image("z:1", 'e')]);
    let with = |entries: &[Entry]| lock(base.entries().chain(entries.iter().cloned()));
    let (ours, theirs) =
        (with(&[image("m:1", 'b')]), with(&[image("n:1", 'c'), image("o:1", 'd')]));
    let (text, clean) = merge(&base, &ours, &theirs);
    assert!(!clean && Lock::parse(text.as_bytes()).is_err(), "{text}");
    let joined = Lock::parse_joining(text.as_bytes()).unwrap();
    assert_eq!(joined.lock, lock(ours.entries().chain(theirs.entries())));
    assert!(joined.conflict && joined.disputed.is_empty());

    // The same name in two ways is nobody's.
    let (ours, theirs) =
        (with(&[image("m:1", 'b')]), with(&[image("m:1", 'c'), image("n:1", 'd')]));
    let (text, _) = merge(&base, &ours, &theirs);
    let joined = Lock::parse_joining(text.as_bytes()).unwrap();
    assert_eq!(joined.disputed, ["docker.io/library/m:1"]);
    assert_eq!(joined.lock, with(&[image("n:1", 'd')]));

    for broken in ["<<<<<<< a\n", "=======\n", ">>>>>>> b\n", "<<<<<<< a\n<<<<<<< b\n"] {
        let text = format!("{}{broken}", base.render());
        assert!(matches!(Lock::parse_joining(text.as_bytes()), Err(LockError::Conflict { .. })));
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let name = "[a-d]{1,2}(:[0-9])?";
    let letter = prop::char::range('a', 'f');
    let platforms = prop::collection::btree_map("linux/(amd64|arm64|arm/v7)", letter.clone(), 0..3);
    prop_oneof![
        (name, letter.clone(), platforms, any::<bool>(), prop::option::of("\\PC{0,8}")).prop_map(
            |(name, letter, platforms, graph, by)| {
                let reference = Reference::parse_normalized(&name).unwrap();
                let platforms = platforms.into_iter().map(|(key, c)| (key, digest(c))).collect();
                let source = ImageSource::Registry { digest: digest(letter), platforms };
                let named = graph.then_some(Elsewhere::Graph);
                let mut image = LockedImage::new(&reference, source, when());
                (image.named, image.by) = (named, by);
                Entry::Image(image)
            }
        ),
        (name, letter.clone()).prop_map(|(name, letter)| {
            let reference = Reference::parse_normalized(&name).unwrap();
            let source = ImageSource::Local { image_id: digest(letter) };
            Entry::Image(LockedImage::new(&reference, source, when()))
        }),
        ("https://[a-z]{1,3}/[a-z?&=#\"'\\\\é]{0,6}", letter.clone())
            .prop_map(|(url, letter)| http(&url, letter)),
        ("https://[a-z]{1,3}\\.git", prop::option::of("[a-zé/\"\\\\]{1,5}"), letter)
            .prop_map(|(url, reference, letter)| git(&url, reference.as_deref(), letter)),
    ]
}

proptest! {
    #[test]
    fn a_lock_is_what_was_written(entries in prop::collection::vec(any_entry(), 0..12)) {
        let lock = lock(entries);
        let text = lock.render();
        prop_assert_eq!(&Lock::parse(text.as_bytes()).unwrap(), &lock);
        prop_assert_eq!(Lock::parse(text.as_bytes()).unwrap().render(), text);
        prop_assert!(lock.diff(&lock).is_empty());
    }

    /// Whatever git makes of two branches: every name that only one of them touched comes through.
    #[test]
    fn nothing_is_lost_between_two_branches(
        base in prop::collection::vec(any_entry(), 0..6),
        ours in prop::collection::vec(any_entry(), 0..3),
        theirs in prop::collection::vec(any_entry(), 0..3),
    ) {
        let base = lock(base);
        let new = |entries: Vec<Entry>| -> Vec<Entry> {
            let known: Vec<String> = base.entries().map(|entry| entry.name()).collect();
            entries.into_iter().filter(|entry| !known.contains(&entry.name())).collect()
        };
        let (added_here, added_there) = (new(ours), new(theirs));
        let ours = lock(base.entries().chain(added_here));
        let theirs = lock(base.entries().chain(added_there));
        let (text, _) = merge(&base, &ours, &theirs);
        let joined = Lock::parse_joining(text.as_bytes()).unwrap();
        let all = lock(ours.entries().chain(theirs.entries()));
        let found: Vec<String> = joined.lock.entries().map(|entry| entry.name()).collect();
        for entry in all.entries() {
            let name = entry.name();
            prop_assert!(found.contains(&name) || joined.disputed.contains(&name), "{name}\n{text}");
        }
        prop_assert_eq!(found.len() + joined.disputed.len(), all.entries().count());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), text in "\\PC{0,80}") {
        let _ = Lock::parse(&bytes);
        let _ = Lock::parse_joining(&bytes);
        let _ = Lock::parse(format!("version = 2\n{text}").as_bytes());
    }
}
