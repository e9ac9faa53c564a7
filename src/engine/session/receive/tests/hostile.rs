//! Engines that lie: whatever they send, nothing leaves the destination and nothing stays in it.

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use proptest::prelude::*;

use super::super::ReceiveError;
use super::engine::*;
use super::trees::lines;

/// Sends packets without listening; what the commit says afterwards.
async fn script(packets: &[Packet]) -> Result<Vec<String>, String> {
    let around = tempfile::tempdir().unwrap();
    std::fs::write(around.path().join("precious"), "p").unwrap();
    let dest = around.path().join("out");
    std::fs::create_dir(&dest).unwrap();
    let outputs = to_directory(&dest, false);
    let call = call(&outputs, &[]).await.unwrap();
    packets.iter().for_each(|packet| call.packet(packet));
    let said = call.finish().await;
    let result = outputs.commit().await;
    drop(outputs);
    let found = lines(around.path());
    let outside = |line: &&String| !line.starts_with("out/");
    assert_eq!(found.iter().filter(outside).collect::<Vec<_>>(), ["precious: p"]);
    match result {
        Ok(()) => Ok(found),
        Err(error) => {
            assert_eq!(found, ["out/", "precious: p"], "nothing stays after {error}");
            // A stream that just stops is told apart by the commit.
            let interrupted = matches!(error, ReceiveError::NothingSent { .. });
            assert!(said.is_err() || interrupted, "{error}");
            Err(error.to_string())
        }
    }
}

fn listing(entries: &[Entry]) -> Vec<Packet> {
    entries.iter().map(|entry| stat(&entry.stat)).collect()
}

#[tokio::test]
async fn damaged_streams_are_refused() {
    let sized = |path: &str, size: i64| {
        let mut entry = entry(path, 0o644, "");
        entry.stat.size = size;
        entry
    };
    let cases: Vec<(&str, Vec<Packet>)> = vec![
        ("leads elsewhere", listing(&[file("../x", "")])),
        ("leads elsewhere", listing(&[file("/etc/x", "")])),
        ("leads elsewhere", listing(&[dir("a"), file("a/../../x", "")])),
        ("leads elsewhere", listing(&[file("", "")])),
        ("leads elsewhere", listing(&[file("a\0b", "")])),
        ("out of order", listing(&[file("b", ""), file("a", "")])),
        ("out of order", listing(&[file("a", ""), file("a", "")])),
        ("out of order", listing(&[file("a", ""), file("a/b", "")])),
        // Through a link that the stream itself made.
        ("out of order", listing(&[link("a", ".."), file("a/x", "evil")])),
        ("another size", [listing(&[sized("a", 3)]), vec![data(0, b"four")]].concat()),
        ("another size", [listing(&[sized("a", 3)]), vec![data(0, b"2"), data(0, b"")]].concat()),
        ("below nothing", listing(&[sized("a", -1)])),
        ("nobody asked for", vec![data(0, b"x")]),
        ("nobody asked for", [listing(&[dir("a")]), vec![data(0, b"x")]].concat()),
        (
            "nobody asked for",
            [listing(&[sized("a", 1)]), vec![data(0, b"x"), data(0, b""), data(0, b"x")]].concat(),
        ),
        ("behind the end", vec![end_of_list(), stat(&dir("a").stat)]),
        ("second end", vec![end_of_list(), end_of_list()]),
        ("before everything", [listing(&[sized("a", 1)]), vec![end_of_list(), fin()]].concat()),
        ("before everything", vec![fin()]),
        ("not in it", [listing(&[entry("a", 0o644, "b")]), vec![end_of_list()]].concat()),
        (
            "leads elsewhere",
            [listing(&[entry("a", 0o644, "../precious")]), vec![end_of_list()]].concat(),
        ),
        (
            "not in it",
            [listing(&[link("a", ".."), entry("b", 0o644, "a/precious")]), vec![end_of_list()]]
                .concat(),
        ),
        (
            "not in it",
            [listing(&[link("a", "../precious"), entry("b", 0o644, "a")]), vec![end_of_list()]]
                .concat(),
        ),
    ];
    for (words, packets) in cases {
        let error = script(&packets).await.unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[tokio::test]
async fn streams_that_stop_leave_nothing() {
    let mut half = file("a", "x");
    half.stat.size = 100;
    for packets in [
        vec![],
        listing(&[dir("a")]),
        [listing(&[half.clone()]), vec![end_of_list(), data(0, b"half")]].concat(),
        vec![packet(PacketType::PacketErr, 0, b"no more")],
    ] {
        let error = script(&packets).await.unwrap_err();
        assert!(error.contains("sent nothing"), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_never_ends_ends_at_its_size() {
    let mut endless = file("a", "");
    endless.stat.size = i64::MAX;
    let packets = [
        listing(&[endless]),
        vec![end_of_list()],
        (0..64).map(|_| data(0, &[0; 64 * 1024])).collect(),
    ]
    .concat();
    assert!(script(&packets).await.is_err());
}

#[tokio::test]
async fn many_open_files_are_no_way_to_exhaust_them() {
    let mut entries: Vec<Entry> = (100..300).map(|n| file(&format!("f{n}"), "xy")).collect();
    entries.iter_mut().for_each(|entry| entry.stat.size = 2);
    let open = (0..200).map(|id| data(id, b"x")).collect();
    let error = script(&[listing(&entries), vec![end_of_list()], open].concat()).await;
    assert!(error.unwrap_err().contains("too many files"));
}

fn any_packet() -> impl Strategy<Value = Packet> {
    let name = prop::sample::select(vec![
        "a",
        "a/b",
        "a/b/c",
        "b",
        "b/x",
        "c",
        "..",
        "../precious",
        "a/../..",
        "/etc",
        "",
        "a//b",
    ]);
    let mode = prop::sample::select(vec![0o644, DIR | 0o755, SYMLINK | 0o777, FIFO | 0o600, !0]);
    let target = prop::sample::select(vec!["", "", "a", "..", "../precious", "/etc", "a/b"]);
    let entry = (name, mode, target, -1i64..4).prop_map(|(path, mode, target, size)| {
        let mut entry = entry(path, mode, target);
        entry.stat.size = size;
        stat(&entry.stat)
    });
    let content = (0u32..6, prop::collection::vec(any::<u8>(), 0..4));
    prop_oneof![
        6 => entry,
        3 => content.prop_map(|(id, bytes)| data(id, &bytes)),
        1 => Just(end_of_list()),
        1 => Just(fin()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_stream_leaves_the_destination(packets in prop::collection::vec(any_packet(), 0..16)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _ = runtime.block_on(script(&packets));
    }
}
