//! Chains of graphs as dockerfile.v0 makes them, and of graphs that nothing good makes.

use prost::Message as _;

use super::super::testing::{definition, exec, image};
use super::super::{Graph, digest};
use super::*;

const BASE: &str = "docker-image://docker.io/library/base:1@sha256:aa";

fn edge(op: &pb::Op, index: i64) -> pb::Input {
    pb::Input { digest: digest(&op.encode_to_vec()), index }
}

fn file(inputs: &[&pb::Op], actions: &[(i64, i64, i64)]) -> pb::Op {
    let action = |&(input, secondary_input, output): &(i64, i64, i64)| pb::FileAction {
        input,
        secondary_input,
        output,
        ..pb::FileAction::default()
    };
    pb::Op {
        inputs: inputs.iter().map(|op| edge(op, 0)).collect(),
        op: Some(Body::File(pb::FileOp { actions: actions.iter().map(action).collect() })),
        ..pb::Op::default()
    }
}

fn merge(inputs: &[&pb::Op]) -> pb::Op {
    let numbers = 0..i64::try_from(inputs.len()).unwrap();
    pb::Op {
        inputs: inputs.iter().map(|op| edge(op, 0)).collect(),
        op: Some(Body::Merge(pb::MergeOp {
            inputs: numbers.map(|input| pb::MergeInput { input }).collect(),
        })),
        ..pb::Op::default()
    }
}

fn chain(ops: &[&pb::Op]) -> Result<Vec<Layer>, LayersError> {
    Graph::read(&definition(ops.iter().map(|&op| op.clone()).collect())).unwrap().layers()
}

/// Each layer's op and its parent's, as places in `ops`.
fn places(ops: &[&pb::Op]) -> Vec<(usize, Option<usize>)> {
    let place = |edge: &pb::Input| {
        ops.iter().position(|op| digest(&op.encode_to_vec()) == edge.digest).unwrap()
    };
    let layers = chain(ops).unwrap();
    layers.iter().map(|l| (place(&l.edge), l.parent.as_ref().map(place))).collect()
}

#[test]
fn steps_stand_on_their_root_mount_and_copies_on_their_first_input() {
    let (base, context) = (image(BASE), image("local://context"));
    let run = exec(&base, vec![pb::Mount { input: 0, output: -1, ..pb::Mount::default() }]);
    // Two files of one COPY: the second action stands on the first's result.
    let copy = file(&[&run, &context], &[(0, 1, -1), (2, 1, 0)]);
    let ops = [&base, &context, &run, &copy];
    assert_eq!(places(&ops), [(0, None), (2, Some(0)), (3, Some(2))]);
    let base: Vec<bool> = chain(&ops).unwrap().iter().map(|layer| layer.base).collect();
    assert_eq!(base, [true, false, false]);
}

#[test]
fn a_first_layer_on_nothing_is_no_base() {
    let context = image("local://context");
    let copy = file(&[&context], &[(-1, 0, 0)]);
    let layers = chain(&[&context, &copy]).unwrap();
    assert_eq!(layers.len(), 1);
    assert!(layers[0].parent.is_none() && !layers[0].base);
}

#[test]
fn a_linked_copy_has_a_parent_of_its_own() {
    let (base, context) = (image(BASE), image("local://context"));
    let linked = file(&[&context], &[(-1, 0, 0)]);
    let merged = merge(&[&base, &linked]);
    let run = exec(&merged, vec![]);
    let ops = [&base, &context, &linked, &merged, &run];
    // The step stands on the merge, which is no layer.
    assert_eq!(places(&ops), [(0, None), (2, None), (4, Some(3))]);
}

#[test]
fn a_difference_is_one_layer_of_all_it_holds() {
    let base = image(BASE);
    let run = exec(&base, vec![]);
    let diff = |lower: Option<i64>, upper: Option<i64>| pb::Op {
        inputs: vec![edge(&base, 0), edge(&run, 0)],
        op: Some(Body::Diff(pb::DiffOp {
            lower: lower.map(|input| pb::LowerDiffInput { input }),
            upper: upper.map(|input| pb::UpperDiffInput { input }),
        })),
        ..pb::Op::default()
    };
    let both = diff(Some(0), Some(1));
    assert_eq!(places(&[&base, &run, &both]), [(2, None)]);
    assert_eq!(places(&[&base, &run, &diff(Some(-1), Some(1))]).len(), 2);
    assert_eq!(places(&[&base, &run, &diff(Some(0), None)]), []);
}

#[test]
fn lines_and_instructions_are_the_dockerfiles() {
    let base = image(BASE);
    let run = exec(&base, vec![]);
    let mut made = definition(vec![base, run.clone()]);
    let key = digest(&run.encode_to_vec());
    made.metadata.insert(
        key.clone(),
        pb::OpMetadata {
            description: [("llb.customname".into(), "[stage-1 2/3] RUN make [x] y".into())].into(),
            ..pb::OpMetadata::default()
        },
    );
    let position = |line| Some(pb::Position { line, character: 0 });
    let range = pb::Range { start: position(3), end: position(5) };
    let location = pb::Location { source_index: 0, ranges: vec![range] };
    made.source = Some(pb::Source {
        locations: [(key, pb::Locations { locations: vec![location] })].into(),
        infos: vec![pb::SourceInfo { filename: "Dockerfile".into(), ..pb::SourceInfo::default() }],
    });
    let layers = Graph::read(&made).unwrap().layers().unwrap();
    assert_eq!(layers[1].instruction, "RUN make [x] y");
    assert_eq!(layers[1].lines, [("Dockerfile".to_string(), 3, 5)]);
    assert_eq!(layers[1].stage.as_deref(), Some("stage-1"));
    assert!(layers[0].instruction.contains("library/base:1"));
    assert_eq!(layers[0].image.as_deref(), Some(&BASE["docker-image://".len()..]));
    assert_eq!((layers[0].stage.as_deref(), layers[1].image.as_deref()), (None, None));
}

#[test]
fn stages_are_told_from_platforms_and_counters() {
    for (name, expected) in [
        ("[build 2/3] RUN make", Some("build")),
        ("[linux/amd64->arm64 build  2/13] RUN make", Some("build")),
        ("[linux/arm64 2/3] RUN make", None),
        ("[2/3] RUN make", None),
        ("[internal] load metadata", None),
        ("RUN [build 2/3] x", None),
    ] {
        let base = image(BASE);
        let run = exec(&base, vec![]);
        let mut made = definition(vec![base, run.clone()]);
        let metadata = pb::OpMetadata {
            description: [("llb.customname".into(), name.into())].into(),
            ..pb::OpMetadata::default()
        };
        made.metadata.insert(digest(&run.encode_to_vec()), metadata);
        let layers = Graph::read(&made).unwrap().layers().unwrap();
        assert_eq!(layers[1].stage.as_deref(), expected, "{name}");
    }
}

#[test]
fn an_empty_image_has_no_layers() {
    assert_eq!(Graph::default().layers().unwrap(), []);
}

#[test]
fn merges_of_merges_end() {
    let mut ops = vec![image(BASE)];
    for _ in 0..64 {
        let last = ops.last().unwrap();
        let next = merge(&[last, last]);
        ops.push(next);
    }
    assert_eq!(chain(&ops.iter().collect::<Vec<_>>()), Err(LayersError::TooMany));
}

#[test]
fn an_output_that_nobody_makes_is_an_error() {
    let (base, context) = (image(BASE), image("local://context"));
    let copy = file(&[&base, &context], &[(0, 1, 3)]);
    assert!(matches!(chain(&[&base, &context, &copy]), Err(LayersError::NoOutput { .. })));
    // An action that stands on itself.
    let looped = file(&[&base, &context], &[(2, 1, 0)]);
    assert!(matches!(chain(&[&base, &context, &looped]), Err(LayersError::NoOutput { .. })));
    let far = file(&[&base], &[(i64::MAX, -1, 0)]);
    assert!(matches!(chain(&[&base, &far]), Err(LayersError::NoOutput { .. })));
    let build = pb::Op {
        op: Some(Body::Build(pb::BuildOp::default())),
        inputs: vec![edge(&base, 0)],
        ..pb::Op::default()
    };
    assert!(matches!(chain(&[&base, &build]), Err(LayersError::UnknownKind(_))));
}
