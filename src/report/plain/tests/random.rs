//! Streams nobody thought of.

use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1 as api;
use bollard_buildkit_proto::pb;
use proptest::prelude::*;

use super::Mask;
use super::script::Build;
use crate::report::filter::{Filter, Unfiltered};
use crate::report::progress::testing::message::{Message, vertex};
use crate::report::quiet::QuietProgress;

/// One step of a random build: which vertex, what happens, how much time passes.
#[derive(Clone, Debug)]
enum Event {
    Start(u8),
    Log(u8, usize),
    Complete(u8),
    Transfer(u8, i64),
    Group(u8),
}

fn event() -> impl Strategy<Value = (Event, u64)> {
    let kind = prop_oneof![
        (0..5u8).prop_map(Event::Start),
        (0..5u8, 0..4usize).prop_map(|(vertex, lines)| Event::Log(vertex, lines)),
        (0..5u8, 0..4usize).prop_map(|(vertex, lines)| Event::Log(vertex, lines)),
        (0..5u8).prop_map(Event::Complete),
        (0..5u8, 0..2000i64).prop_map(|(vertex, current)| Event::Transfer(vertex, current)),
        (0..5u8).prop_map(Event::Group),
    ];
    (kind, prop_oneof![0..50u64, 0..4000u64])
}

/// Plays random events, then ends as many vertexes as told; returns the lines that
/// were logged and what was printed.
fn play(
    events: Vec<(Event, u64)>,
    filter: impl Filter,
    cut: usize,
    ended: usize,
) -> (Vec<String>, String) {
    let mut build = Build::filtered(filter);
    let (mut now, mut lines) = (0, Vec::new());
    // When the run of each vertex began that has not ended yet.
    let mut open: [Option<i64>; 5] = [None; 5];
    for vertex_number in 0..5 {
        build.at(0, &vertex(&format!("v{vertex_number}"), None, None));
    }
    for (event, pause) in events {
        now += pause;
        let at = now as i64;
        let name = |vertex: u8| format!("v{vertex}");
        match event {
            Event::Start(v) => {
                let start = *open[usize::from(v)].get_or_insert(at);
                build.at(now, &vertex(&name(v), Some(start), None));
            }
            Event::Complete(v) => {
                let start = open[usize::from(v)].take().or(Some(at));
                build.at(now, &vertex(&name(v), start, Some(at)));
            }
            Event::Transfer(v, current) => {
                let message = Message::new();
                let message = message.transfer(&name(v), "t", (current, 2000), (0, at), false);
                build.at(now, &message);
            }
            Event::Group(v) => {
                let message = vertex(&format!("m{v}"), Some(at), Some(at)).group("g", v % 2 == 0);
                build.at(now, &message);
            }
            Event::Log(v, count) => {
                let mut text = String::new();
                for _ in 0..count {
                    let line = format!("<line {} of {v}>", lines.len());
                    text += &line;
                    text.push('\n');
                    lines.push(line);
                }
                // Cut anywhere, the way pipes do.
                for piece in text.as_bytes().chunks(cut.max(1)) {
                    build.at(now, &Message::new().log(&name(v), at, piece));
                }
            }
        }
    }
    for (v, start) in open.into_iter().enumerate().take(ended) {
        now += 1;
        let start = start.or(Some(now as i64));
        build.at(now, &vertex(&format!("v{v}"), start, Some(now as i64)));
    }
    (lines, build.end())
}

fn assert_each_once(lines: &[String], printed: &str) -> Result<(), TestCaseError> {
    for line in lines {
        prop_assert_eq!(printed.matches(line.as_str()).count(), 1, "{} in {}", line, printed);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_line_is_printed_once(events in prop::collection::vec(event(), 0..60), ended in 0..=5usize) {
        let (lines, printed) = play(events, Unfiltered, usize::MAX, ended);
        assert_each_once(&lines, &printed)?;
    }

    #[test]
    fn every_line_is_printed_once_however_it_is_cut(
        events in prop::collection::vec(event(), 0..40), cut in 1..30usize, ended in 0..=5usize
    ) {
        let (lines, printed) = play(events, Mask, cut, ended);
        assert_each_once(&lines, &printed)?;
    }

    #[test]
    fn no_stream_of_an_engine_is_too_strange(
        messages in prop::collection::vec(strange_message(), 0..20)
    ) {
        let mut build = Build::new();
        let mut quiet = QuietProgress::default();
        for (pause, message) in messages {
            let now = build.progress.clock.0.get();
            build.at(now.wrapping_add(pause), &message);
            quiet.update(&message.0);
        }
        build.end();
        quiet.failures();
    }
}

/// Anything that fits the types: few names, so that they collide, wild times.
fn strange_message() -> impl Strategy<Value = (u64, Message)> {
    let name = || prop::sample::select(vec!["", "a", "b", "c"]).prop_map(str::to_owned);
    let time = || {
        let seconds = prop_oneof![Just(0), -3..3i64, any::<i64>()];
        prop::option::of(
            (seconds, any::<i32>()).prop_map(|(seconds, nanos)| Timestamp { seconds, nanos }),
        )
    };
    let group = || prop::option::of((name(), any::<bool>()));
    let vertexes = prop::collection::vec(
        (name(), time(), time(), any::<bool>(), name(), group()).prop_map(
            |(digest, started, completed, cached, error, group)| api::Vertex {
                name: digest.clone(),
                digest,
                started,
                completed,
                cached,
                error,
                progress_group: group.map(|(id, weak)| pb::ProgressGroup {
                    name: id.clone(),
                    id,
                    weak,
                }),
                ..Default::default()
            },
        ),
        0..4,
    );
    let statuses = prop::collection::vec(
        (name(), name(), any::<i64>(), any::<i64>(), time(), time(), time()).prop_map(
            |(id, vertex, current, total, timestamp, started, completed)| api::VertexStatus {
                id,
                vertex,
                current,
                total,
                timestamp,
                started,
                completed,
                ..Default::default()
            },
        ),
        0..3,
    );
    let logs = prop::collection::vec(
        (name(), time(), any::<i64>(), any::<Vec<u8>>()).prop_map(
            |(vertex, timestamp, stream, msg)| api::VertexLog { vertex, timestamp, stream, msg },
        ),
        0..3,
    );
    let warnings = prop::collection::vec(
        (name(), any::<Vec<u8>>()).prop_map(|(vertex, short)| api::VertexWarning {
            vertex,
            short,
            ..Default::default()
        }),
        0..2,
    );
    (any::<u64>(), vertexes, statuses, logs, warnings).prop_map(
        |(pause, vertexes, statuses, logs, warnings)| {
            let response = api::StatusResponse { vertexes, statuses, logs, warnings };
            (pause, Message(response))
        },
    )
}
