//! Whatever a layer holds: no panic, bounded memory, the same in any order.

#![expect(clippy::unwrap_used, reason = "a test that cannot read has failed")]

use cofferdam_contents::{Config, Contents, Entry, FileKind, Gather, Known, Options, RULES, judge};
use proptest::prelude::*;

const KINDS: [FileKind; 7] = [
    FileKind::File,
    FileKind::Directory,
    FileKind::Symlink,
    FileKind::CharDevice,
    FileKind::BlockDevice,
    FileKind::Fifo,
    FileKind::Socket,
];

#[derive(Debug, Clone)]
struct Made {
    path: Vec<u8>,
    kind: FileKind,
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    capability: bool,
    target: Option<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Made {
    fn entry(&self) -> Entry<'_> {
        let Self { path, kind, mode, uid, gid, size, capability, target, bytes: _ } = self;
        Entry {
            path,
            kind: *kind,
            mode: *mode,
            uid: *uid,
            gid: *gid,
            size: *size,
            capability: *capability,
            target: target.as_deref(),
        }
    }
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("etc".to_string()),
        Just("passwd".into()),
        Just("shadow".into()),
        Just("group".into()),
        Just("bin".into()),
        Just("usr".into()),
        Just("..".into()),
        Just("".into()),
        Just(".git".into()),
        Just("HEAD".into()),
        Just(".netrc".into()),
        "[a-c]{1,2}",
    ];
    let parts = prop::collection::vec(part, 0..5).prop_map(|parts| parts.join("/").into_bytes());
    prop_oneof![4 => parts, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        "[a-z#+%:-]{0,3}:[x*!$6]{0,4}:[0-9-]{0,11}:[0-9]{0,11}:(:/|,,):/bin/(sh|false)",
        "machine x password [a-zA-Z0-9]{8}",
        ".{0,30}",
    ];
    let lines = prop::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n").into_bytes());
    prop_oneof![3 => lines, 1 => prop::collection::vec(any::<u8>(), 0..60)]
}

fn made() -> impl Strategy<Value = Made> {
    let ids = prop_oneof![Just(0), Just(1000), any::<u32>()];
    let target = prop::option::of(path());
    (
        path(),
        0..7_usize,
        any::<u32>(),
        (ids.clone(), ids),
        any::<u64>(),
        any::<bool>(),
        target,
        bytes(),
    )
        .prop_map(|(path, kind, mode, (uid, gid), size, capability, target, bytes)| {
            let kind = KINDS[kind];
            Made { path, kind, mode, uid, gid, size, capability, target, bytes }
        })
}

fn gather(mut gather: Gather, entries: &[Made]) -> Gather {
    for made in entries {
        let entry = made.entry();
        gather.entry(&entry);
        if gather.wants(&entry) {
            gather.content(&entry, &mut made.bytes.as_slice()).unwrap();
        }
    }
    gather
}

proptest! {
    #[test]
    fn nothing_panics_and_everything_can_be_kept(
        layers in prop::collection::vec(
            (prop::collection::vec(made(), 0..12), prop::collection::vec(path(), 0..3)), 0..4),
        user in "[a-c0-9:]{0,4}",
        command in prop::collection::vec("[a-c/.]{0,6}", 0..3),
        path in prop::option::of("[a-c/:]{0,9}"),
        base in 0..5_usize,
    ) {
        let mut contents: Vec<Contents> = Vec::new();
        for (entries, removed) in &layers {
            let mut layer = gather(Gather::new(), entries);
            removed.iter().for_each(|path| layer.remove(path));
            contents.push(layer.finish());
        }
        let text = serde_json::to_string(&contents).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Vec<Contents>>(&text).unwrap(), &contents);
        let config = Config { user, entrypoint: command, path, ..Config::default() };
        for finding in judge(&contents, base, &config, &Options::default()) {
            prop_assert!(RULES.contains(&finding.rule));
            prop_assert!(finding.layer.is_none_or(|layer| layer < contents.len()));
        }
    }

    #[test]
    fn it_does_not_matter_what_is_remembered_of_what_nobody_asks_for(
        below in prop::collection::vec(made(), 0..12),
        above in prop::collection::vec(made(), 0..12),
    ) {
        let below = gather(Gather::new(), &below).finish();
        let known = std::sync::Arc::new(Known::of([&below]));
        let few = gather(Gather::new().over(known), &above).finish();
        let all = gather(Gather::new(), &above).finish();
        // A path through a file is of no file system.
        let odd = |contents: &Contents| {
            let paths = contents.paths();
            paths.iter().any(|path| path.match_indices('/').any(|(at, _)| paths.contains(&path[..at])))
        };
        prop_assume!(!odd(&below) && !odd(&all));
        let found = |above: Contents| {
            judge(&[below.clone(), above], 0, &Config::default(), &Options::default())
        };
        let gone = |finding: &cofferdam_contents::Finding| finding.layer == Some(1);
        let (few, all) = (found(few), found(all));
        prop_assert_eq!(few.iter().filter(|it| gone(it)).count(), all.iter().filter(|it| gone(it)).count());
    }
}

#[test]
fn many_files_that_stand_out_take_little() {
    let mut layer = Gather::new().over(std::sync::Arc::default());
    let mut made = Made {
        path: Vec::new(),
        kind: FileKind::File,
        mode: 0o6777,
        uid: 1000,
        gid: 1000,
        size: 1,
        capability: true,
        target: None,
        bytes: Vec::new(),
    };
    for number in 0..100_000 {
        made.path = format!("srv/{number}/bin/{number}").into_bytes();
        layer.entry(&made.entry());
    }
    let contents = layer.finish();
    assert_eq!(contents.sums.files, 100_000);
    let text = serde_json::to_string(&contents).unwrap();
    assert!(text.len() < 4 << 20, "{}", text.len());
    let found = judge(&[contents], 0, &Config::default(), &Options::default());
    let setuid = found.iter().find(|finding| finding.rule == "setuid-left").unwrap();
    assert_eq!(setuid.paths.len() + setuid.more, 100_000);
}

#[test]
fn a_passwd_without_end_is_not_read_to_its_end() {
    let mut layer = Gather::new().without_secrets();
    let made = Made {
        path: b"etc/passwd".to_vec(),
        kind: FileKind::File,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: u64::MAX,
        capability: false,
        target: None,
        bytes: Vec::new(),
    };
    layer.entry(&made.entry());
    layer.content(&made.entry(), &mut std::io::repeat(b'a')).unwrap();
    let config = Config { user: "app".into(), ..Config::default() };
    // It is not known who there is.
    assert_eq!(judge(&[layer.finish()], 0, &config, &Options::default()), []);
}

#[test]
fn a_reader_that_fails_is_told() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
    }
    let mut layer = Gather::new();
    for path in ["etc/passwd", "app/x"] {
        let entry = Entry {
            path: path.as_bytes(),
            kind: FileKind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 9,
            capability: false,
            target: None,
        };
        assert!(layer.content(&entry, &mut Broken).is_err());
    }
}
