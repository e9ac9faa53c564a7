//! Which images a Dockerfile names.

use cofferdam_frontend::dockerfile::{
    Dockerfile, ImageInput, ImageInputKind, ImageInputs, InputErrorKind, Platform, Scope,
    image_inputs,
};

fn scope() -> Scope {
    Scope {
        build_platform: Platform::parse("linux/amd64"),
        target_platform: Platform::parse("linux/arm64"),
        ..Scope::default()
    }
}

fn with_args(args: &[(&str, &str)]) -> Scope {
    let mut scope = scope();
    for (name, value) in args {
        scope.build_args.insert((*name).to_owned(), (*value).to_owned());
    }
    scope
}

fn read(source: &str, scope: &Scope) -> ImageInputs {
    image_inputs(&Dockerfile::parse(source.as_bytes()), scope)
}

fn good(source: &str, scope: &Scope) -> Vec<ImageInput> {
    let found = read(source, scope);
    assert_eq!(found.errors, [], "{source}");
    found.inputs
}

fn names(source: &str) -> Vec<String> {
    good(source, &scope()).into_iter().map(|input| input.reference).collect()
}

fn errors(source: &str) -> Vec<InputErrorKind> {
    let found = read(source, &scope());
    found.errors.into_iter().map(|error| error.kind).collect()
}

#[test]
fn stages_scratch_and_indexes_are_no_images() {
    let source = "FROM golang:1.22 AS Build\nFROM scratch\nFROM build AS b2\n\
                  COPY --from=BUILD /a /\nCOPY --from=0 /a /\nCOPY --from=+1 /a /\n\
                  RUN --mount=from=b2x,target=/x true\n";
    assert_eq!(names(source), ["golang:1.22", "b2x"]);
}

#[test]
fn stage_lookup_by_from_is_exact_but_copy_ignores_case() {
    assert_eq!(names("FROM a AS build\nFROM build\n"), ["a"]);
    assert!(matches!(
        errors("FROM a AS build\nFROM Build\n")[..],
        [InputErrorKind::Reference { .. }]
    ));
    assert_eq!(names("FROM a AS build\nFROM b\nCOPY --from=BuIlD x y\n"), ["a", "b"]);
}

#[test]
fn a_stage_may_have_the_name_of_its_base() {
    assert_eq!(names("FROM alpine AS alpine\nFROM alpine\n"), ["alpine"]);
    assert_eq!(names("FROM busybox AS scratch\nFROM scratch\n"), ["busybox"]);
}

#[test]
fn spans_cover_the_whole_word() {
    let source = "ARG BASE=debian\nFROM --platform=$TARGETPLATFORM ${BASE}:12 AS x\n\
                  COPY --from=\"al\"pine:3 a b\n\
                  RUN --mount='type=bind,\"from=busybox:1\",target=/x' true\n";
    let found = good(source, &scope());
    let raw: Vec<_> = found.iter().map(|input| input.span.of(source.as_bytes())).collect();
    assert_eq!(raw, [&b"${BASE}:12"[..], b"al\"pine:3", b"busybox:1"]);
    assert_eq!(found[0].platform.as_deref(), Some("linux/arm64"));
    assert_eq!(found[0].variables, ["BASE"]);
    assert_eq!(found[1].parts.len(), 2);
    assert_eq!(
        found.iter().map(|input| (input.kind, input.line)).collect::<Vec<_>>(),
        [(ImageInputKind::From, 2), (ImageInputKind::CopyFrom, 3), (ImageInputKind::MountFrom, 4)]
    );
}

#[test]
fn build_args_win_over_defaults_and_defaults_see_earlier_ones() {
    let source = "ARG V=12\nARG IMG=debian:${V}-slim\nFROM ${IMG}\n";
    assert_eq!(names(source), ["debian:12-slim"]);
    let found = good(source, &with_args(&[("V", "13")]));
    assert_eq!(found[0].reference, "debian:13-slim");
    assert_eq!(found[0].variables, ["IMG", "V"]);
    let found = good(source, &with_args(&[("IMG", "alpine")]));
    assert_eq!(found[0].reference, "alpine");
}

#[test]
fn platform_arguments() {
    let found = good("ARG A=$TARGETARCH\nFROM base-$A\n", &scope());
    assert_eq!(found[0].reference, "base-arm64");
    assert!(found[0].varies_by_platform());
    let found = good("FROM --platform=$BUILDPLATFORM a:${BUILDOS}\n", &scope());
    assert_eq!(found[0].platform.as_deref(), Some("linux/amd64"));
    assert_eq!(found[0].reference, "a:linux");
    let found = good("FROM a:$TARGETSTAGE AS release\n", &scope());
    assert_eq!(found[0].reference, "a:release");
    let overridden = with_args(&[("TARGETARCH", "riscv64")]);
    assert_eq!(good("FROM a-$TARGETARCH\n", &overridden)[0].reference, "a-riscv64");
}

#[test]
fn stage_arguments_are_not_visible_to_from() {
    let source = "FROM a\nARG T=1\nENV U=2\nFROM b$T$U\n";
    let found = good(source, &scope());
    assert_eq!(found[1].reference, "b");
    assert_eq!(found[1].undefined, ["T", "U"]);
}

#[test]
fn empty_and_broken_names_are_errors_with_lines() {
    let found = read("FROM a\nFROM $NOPE\n", &scope());
    assert_eq!(
        found.errors[0].to_string(),
        "line 2: \"$NOPE\" is empty after expansion (not set: NOPE)"
    );
    let found = read("FROM debian:$TAG\n", &scope());
    assert_eq!(
        found.errors[0].to_string(),
        "line 1: \"debian:\" is no image reference: invalid reference format (not set: TAG)"
    );
    assert!(matches!(errors("FROM ${X:?}\n")[..], [InputErrorKind::Expand { .. }]));
    assert!(matches!(errors("FROM a\nCOPY --from=UP/x a b\n")[..], []));
    assert!(matches!(
        errors("FROM a\nCOPY --from=a/UP a b\n")[..],
        [InputErrorKind::Reference { .. }]
    ));
}

#[test]
fn from_flags_do_not_expand() {
    for source in [
        "ARG X=a\nFROM $X\nCOPY --from=$X a b\n",
        "ARG X=a\nFROM $X\nCOPY --from='\"a\"' a b\n",
        "ARG X=a\nFROM $X\nRUN --mount=from=$X,target=/x true\n",
    ] {
        assert_eq!(errors(source), [InputErrorKind::FromVariable], "{source}");
    }
}

#[test]
fn only_what_the_target_needs_is_reachable() {
    let source = "FROM a AS one\nFROM b AS two\nCOPY --from=one x y\nFROM c AS three\n\
                  RUN --mount=from=d,target=/d true\nFROM e AS four\nRUN --mount=from=two,target=/x true\n";
    let needed = |target: Option<&str>| {
        let scope = Scope { target: target.map(str::to_owned), ..scope() };
        good(source, &scope)
            .into_iter()
            .filter(|input| input.reachable)
            .map(|input| input.reference)
            .collect::<Vec<_>>()
    };
    assert_eq!(needed(None), ["a", "b", "e"]);
    assert_eq!(needed(Some("THREE")), ["c", "d"]);
    assert_eq!(needed(Some("one")), ["a"]);
    let missing = Scope { target: Some("nope".to_owned()), ..scope() };
    assert!(matches!(read(source, &missing).errors[0].kind, InputErrorKind::TargetMissing(_)));
}

#[test]
fn graph_errors() {
    assert!(matches!(
        errors("FROM a AS x\nCOPY --from=x a b\n")[..],
        [InputErrorKind::Circular(_)]
    ));
    let cycle = "FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nCOPY --from=x a b\n";
    assert!(errors(cycle).iter().any(|kind| matches!(kind, InputErrorKind::Circular(_))));
    let late = "FROM a AS x\nCOPY --from=y a b\nFROM b AS y\nFROM x\n";
    assert!(matches!(errors(late)[..], [InputErrorKind::StageTooLate(_)]));
    let through_base = "FROM a AS x\nCOPY --from=y a b\nFROM x AS y\n";
    assert!(matches!(errors(through_base)[..], [InputErrorKind::StageTooLate(_)]));
    let unneeded = "FROM a AS x\nCOPY --from=y a b\nFROM x AS y\nFROM c\n";
    assert_eq!(names(unneeded), ["a", "c"]);
    let index = "FROM a\nCOPY --from=3 a b\n";
    assert!(matches!(errors(index)[..], [InputErrorKind::StageIndex(_)]));
    // An image source is a numbered state of its own, as in BuildKit.
    assert_eq!(names("FROM a\nCOPY --from=b x y\nCOPY --from=1 x y\n"), ["a", "b"]);
}

#[test]
fn named_contexts_replace_stages_and_images() {
    let source = "FROM alpine:3 AS base\nFROM docker.io/library/debian:latest\nCOPY --from=tools x y\nCOPY --from=base x y\n";
    let contexts = |names: &[&str]| Scope {
        named_contexts: names.iter().map(|name| (*name).to_owned()).collect(),
        ..scope()
    };
    let left = |names: &[&str]| {
        good(source, &contexts(names)).into_iter().map(|input| input.reference).collect::<Vec<_>>()
    };
    assert_eq!(left(&["base"]), ["docker.io/library/debian:latest", "tools"]);
    assert_eq!(left(&["debian", "tools"]), ["alpine:3"]);
    assert_eq!(left(&["alpine:3"]), ["docker.io/library/debian:latest", "tools"]);
    assert_eq!(left(&["tools::linux/arm64"]).len(), 2);
    assert_eq!(left(&["tools::linux/s390x", "scratch"]).len(), 3);
}

#[test]
fn syntax_lines_and_the_argument_that_replaces_them() {
    let source = "# syntax=docker/dockerfile:1 --x\nFROM a\n";
    let found = good(source, &scope());
    assert_eq!(found[0].kind, ImageInputKind::Syntax);
    assert_eq!(found[0].span.of(source.as_bytes()), b"docker/dockerfile:1");
    assert!(found[0].reachable);
    let found = good(source, &with_args(&[("BUILDKIT_SYNTAX", "other/front:2 x")]));
    assert_eq!(found[0].kind, ImageInputKind::SyntaxArg);
    assert_eq!(found[0].reference, "other/front:2");
    assert!(found[0].parts.is_empty() && !found[1].reachable);
}

#[test]
fn onbuild_is_recorded_and_runs_in_stages_of_the_same_file() {
    let recorded = "FROM a\nONBUILD COPY --from=b:1 x y\nONBUILD RUN --mount=from=c,target=/c x\n";
    let found = good(recorded, &scope());
    let flags: Vec<_> = found
        .iter()
        .map(|input| (input.reference.as_str(), input.onbuild, input.reachable))
        .collect();
    assert_eq!(flags, [("a", false, true), ("b:1", true, false), ("c", true, false)]);
    let raw = found[1].span.of(recorded.as_bytes());
    assert_eq!(raw, b"b:1");

    let run =
        "FROM a AS base\nONBUILD COPY --from=b:1 x y\nFROM base\nFROM base\nFROM base AS last\n";
    let found = good(run, &scope());
    let b: Vec<_> = found.iter().filter(|input| input.reference == "b:1").collect();
    assert_eq!(b.len(), 1);
    assert!(b[0].reachable && b[0].onbuild);
}

#[test]
fn the_last_from_of_a_mount_counts() {
    let source = "FROM a\nRUN --mount=type=bind,from=b,FROM=c true\n";
    assert_eq!(names(source), ["a", "c"]);
}

#[test]
fn quotes_in_from() {
    let source = "ARG X=debian\nFROM \"$X\":12\nFROM 'alpine'\n";
    assert_eq!(names(source), ["debian:12", "alpine"]);
}
