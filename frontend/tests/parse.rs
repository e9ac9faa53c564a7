//! Reading Dockerfiles: structure, spans, recovery.
#![expect(clippy::panic, reason = "functions shared by tests")]

use cofferdam_frontend::dockerfile::{
    Args, Dockerfile, ItemKind, Keyword, ParseErrorKind, Platform, Scope, global_args, mount,
    stage_env,
};

fn parse(source: &str) -> Dockerfile {
    Dockerfile::parse(source.as_bytes())
}

fn good(source: &str) -> Dockerfile {
    let file = parse(source);
    assert_eq!(file.errors, [], "{source}");
    file
}

fn kinds(source: &str) -> Vec<ParseErrorKind> {
    parse(source).errors.into_iter().map(|error| error.kind).collect()
}

fn text(args: &Args) -> &str {
    match args {
        Args::Text(word) => &word.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn continuations_comments_and_blank_lines() {
    let file = good("FROM a\nRUN one \\\n  # comment\n\n  two \\ \t\r\n   three\nUSER x\n");
    assert_eq!(file.instructions.len(), 3);
    let run = &file.instructions[1];
    assert_eq!(text(&run.args), "one   two    three");
    assert_eq!((run.comments.len(), run.empty_continuations.len()), (1, 1));
    assert_eq!(run.line, 2);
    assert_eq!(file.instructions[2].line, 7);
}

#[test]
fn an_escaped_escape_does_not_continue() {
    let file = good("FROM a\nRUN x \\\\\nUSER y\n");
    assert_eq!(text(&file.instructions[1].args), "x \\\\");
    let file = good("FROM a\nRUN x \\\n\\\ny\nUSER z");
    assert_eq!(text(&file.instructions[1].args), "x y");
}

#[test]
fn a_keyword_may_be_continued() {
    let file = good("FR\\\nOM al\\\npine\n");
    assert_eq!(file.instructions[0].keyword, Keyword::From);
    let base = &file.instructions[0].words()[0];
    assert_eq!((base.text.as_str(), base.parts.len()), ("alpine", 2));
    let file = good("\\\nFROM a\n");
    assert_eq!(file.instructions[0].line, 2);
}

#[test]
fn backtick_escape() {
    let file = good("# escape=`\nFROM a\nRUN dir `\n C:\\\nCOPY a C:\\\nUSER x\n");
    assert_eq!(file.escape(), '`');
    assert_eq!(text(&file.instructions[1].args), "dir  C:\\");
    assert_eq!(file.instructions.len(), 4);
}

#[test]
fn directives_only_at_the_top() {
    let file = good("# syntax=a\n# Escape = `\n# check=skip=all\nFROM x\n");
    let names: Vec<_> = file.directives.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["syntax", "escape", "check"]);
    assert_eq!(file.check.as_ref().unwrap().value, "skip=all");
    assert_eq!(good("# hello\n# escape=`\nFROM x\n").escape(), '\\');
    assert_eq!(good("\n# escape=`\nFROM x\n").escape(), '\\');
    assert_eq!(good("FROM x\n# escape=`\n").escape(), '\\');
    assert!(matches!(
        kinds("# escape=`\n# escape=\\\nFROM x\n")[..],
        [ParseErrorKind::DuplicateDirective(_)]
    ));
    assert!(matches!(kinds("# escape=x\nFROM x\n")[..], [ParseErrorKind::InvalidEscape(_)]));
}

#[test]
fn heredocs_hide_their_bodies() {
    let source = "FROM a\nRUN <<A cat <<-'B'\nFROM no\nA\n\tFROM no\n\tB\nCOPY <<X <<\"Y\" /d/\nFROM no\nX\nFROM no\r\nY\r\nUSER z\n";
    let file = good(source);
    let keywords: Vec<_> = file.instructions.iter().map(|node| node.keyword).collect();
    assert_eq!(keywords, [Keyword::From, Keyword::Run, Keyword::Copy, Keyword::User]);
    let bodies: Vec<_> = file
        .instructions
        .iter()
        .flat_map(|node| &node.heredocs)
        .map(|heredoc| (heredoc.name.as_str(), heredoc.expand, heredoc.body.of(source.as_bytes())))
        .collect();
    assert_eq!(
        bodies,
        [
            ("A", true, &b"FROM no\n"[..]),
            ("B", false, b"\tFROM no\n"),
            ("X", true, b"FROM no\n"),
            ("Y", false, b"FROM no\r\n"),
        ]
    );
}

#[test]
fn heredocs_where_there_are_none() {
    for source in [
        "FROM a\nRUN [\"x\", \"<<EOF\"]\nUSER x\n",
        "FROM a\nRUN echo \"<<EOF\"\nUSER x\n",
        "FROM a\nRUN x <<<EOF\nUSER x\n",
        "FROM a\nCMD x <<EOF\nUSER x\n",
        "FROM a\nRUN echo it's <<EOF\nUSER x\n",
        "FROM a\nRUN echo $((1<<2))\nUSER x\n",
    ] {
        assert_eq!(good(source).instructions.len(), 3, "{source}");
    }
}

#[test]
fn heredocs_in_onbuild_and_unterminated() {
    let file = good("FROM a\nONBUILD RUN <<E\nFROM no\nE\nUSER x\n");
    assert_eq!(file.instructions.len(), 3);
    assert_eq!(file.instructions[1].heredocs.len(), 1);
    let file = parse("FROM a\nRUN <<E\nFROM b\n");
    assert_eq!(file.instructions.len(), 2);
    assert_eq!(
        file.errors[0].to_string(),
        "line 2: unterminated heredoc: no line is exactly \"E\""
    );
    assert!(matches!(
        kinds("FROM a\nCOPY x <<E\ny\nE\n")[..],
        [ParseErrorKind::HeredocDestination("COPY")]
    ));
}

#[test]
fn flag_values_that_are_read_early() {
    for good_line in [
        "HEALTHCHECK --interval=1h2m3.5s --retries=+3 --timeout= CMD x",
        "HEALTHCHECK --what --interval=x NONE",
        "HEALTHCHECK NONE []",
        "HEALTHCHECK --retries=-0 --start-interval=0 CMD x",
        "RUN --mount=type=cache,target=/$x --mount=from=a$ x",
        "RUN --device=vendor/gpu=all,required=false x",
        "ONBUILD RUN --mount=from=$x --device=, x",
        "ONBUILD HEALTHCHECK --interval=x CMD y",
        "ONBUILD WHAT",
    ] {
        good(&format!("FROM a\n{good_line}\n"));
    }
    for bad_line in [
        "HEALTHCHECK --interval=5 CMD x",
        "HEALTHCHECK --interval=999us CMD x",
        "HEALTHCHECK --timeout=-1s CMD x",
        "HEALTHCHECK --retries=-1 CMD x",
        "RUN --device=a,b x",
    ] {
        let kinds = kinds(&format!("FROM a\n{bad_line}\n"));
        assert!(matches!(kinds[..], [ParseErrorKind::FlagValue { .. }]), "{bad_line} {kinds:?}");
    }
    let kinds = kinds("FROM a\nRUN --mount=type=bind,from=$x,target=/x y\n");
    assert_eq!(kinds, [ParseErrorKind::MountVariable]);
}

#[test]
fn white_space_that_is_not_ascii() {
    let file = good("FROM a\nHEALTHCHECK CMD \u{2003}[\"x\"]\n");
    let Args::Health { command, .. } = &file.instructions[1].args else { panic!("no health") };
    assert!(matches!(command.as_ref(), Args::Exec(words) if words.len() == 1));
    for source in [
        "FROM a\nONBUILD ONBUILD\u{85} x\n",
        "FROM a\nONBUILD onbu\u{131}ld x\n",
        "FROM a\nONBUILD ONBUILD RUN x\n",
    ] {
        assert_eq!(kinds(source), [ParseErrorKind::OnbuildChain], "{source}");
    }
    assert!(matches!(
        kinds("FROM a\nONBUILD FROM\u{a0} x\n")[..],
        [ParseErrorKind::OnbuildTrigger(_)]
    ));
    let file = Dockerfile::parse(b"FROM a\nHEALTHCHECK \xe2\x80\x83\xa0\n");
    assert_eq!(file.instructions[1].args, Args::Empty);
}

#[test]
fn a_file_without_stages_is_read_but_not_built() {
    let file = parse("ARG X=1\n");
    assert_eq!(file.errors.len(), 1);
    assert!(file.errors[0].is_build_only());
    assert!(!parse("").errors[0].is_build_only());
    assert!(!parse("RUN x\n").errors[0].is_build_only());
}

#[test]
fn exec_and_shell_form() {
    let source = "FROM a\nCMD [\"a\", \"b \\u0041\"]\nCMD [ 'a' ]\nCMD [\"a\",]\nENTRYPOINT []\nENTRYPOINT\nCOPY [\"a b\", \"c\"]\n";
    let file = good(source);
    let exec: Vec<_> = file.instructions[1].words().iter().map(|word| word.text.as_str()).collect();
    assert_eq!(exec, ["a", "b A"]);
    assert_eq!(file.instructions[1].words()[0].span.of(source.as_bytes()), b"a");
    assert_eq!(text(&file.instructions[2].args), "[ 'a' ]");
    assert_eq!(text(&file.instructions[3].args), "[\"a\",]");
    assert_eq!(file.instructions[5].args, Args::Empty);
    assert_eq!(kinds("FROM a\nCMD [\"a\", 1]\n"), [ParseErrorKind::JsonNotStrings]);
}

#[test]
fn pairs() {
    let file = good(
        "FROM a\nENV A=\"b c\" D='e' F=g\\ h\nENV old some value\nARG X Y=1 Z=\nLABEL a.b=c \"d e\"=f\n",
    );
    let pairs = |index: usize| {
        file.instructions[index]
            .pairs()
            .iter()
            .map(|pair| {
                (pair.name.text.as_str(), pair.value.as_ref().map(|word| word.text.as_str()))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(pairs(1), [("A", Some("\"b c\"")), ("D", Some("'e'")), ("F", Some("g\\ h"))]);
    assert_eq!(pairs(2), [("old", Some("some value"))]);
    assert!(file.instructions[2].pairs()[0].legacy);
    assert_eq!(pairs(3), [("X", None), ("Y", Some("1")), ("Z", Some(""))]);
    assert_eq!(pairs(4), [("a.b", Some("c")), ("\"d e\"", Some("f"))]);
}

#[test]
fn onbuild_wraps_an_instruction_with_spans() {
    let source = "FROM a\nONBUILD   COPY --from=b \\\n  x y\n";
    let file = good(source);
    let inner = file.instructions[1].trigger().unwrap();
    assert_eq!(inner.keyword, Keyword::Copy);
    assert_eq!(inner.span.of(source.as_bytes()), b"COPY --from=b \\\n  x y");
    let from = inner.flag("from").unwrap().value.as_ref().unwrap();
    assert_eq!(from.span.of(source.as_bytes()), b"b");
    assert_eq!(kinds("FROM a\nONBUILD ONBUILD RUN x\n"), [ParseErrorKind::OnbuildChain]);
    assert!(matches!(kinds("FROM a\nONBUILD FROM x\n")[..], [ParseErrorKind::OnbuildTrigger(_)]));
}

#[test]
fn mounts_have_fields_with_spans() {
    let source = "FROM a\nRUN --mount=type=secret,id=x --mount='type=bind,\"target=/a,b\"' --network=none make\n";
    let file = good(source);
    let run = &file.instructions[1];
    let fields = mount(&run.logical, &run.flags[1]).unwrap();
    let target = fields.get("target").unwrap();
    assert_eq!(target.text, "/a,b");
    assert_eq!(target.span.of(source.as_bytes()), b"/a,b");
    assert_eq!(text(&run.args), "make");
}

#[test]
fn several_errors_in_one_pass() {
    let source = "RUN early\nFROM a b\nFRM x\nCOPY only\nENV\nENV x\nFROM a AS 1x\nCOPY --form=x a b\nEXPOSE\nLABEL a=b c\nHEALTHCHECK WHAT\nSHELL sh\n";
    let lines: Vec<_> = parse(source).errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn empty_files() {
    assert_eq!(kinds(""), [ParseErrorKind::NoInstructions]);
    assert_eq!(kinds("# only\n\n"), [ParseErrorKind::NoInstructions]);
    assert_eq!(kinds("ARG x\n"), [ParseErrorKind::NoStages]);
}

#[test]
fn flags_are_checked() {
    assert!(matches!(kinds("FROM --foo=1 a\n")[..], [ParseErrorKind::UnknownFlag { .. }]));
    assert!(matches!(
        kinds("FROM a\nCOPY --from=a --from=b x y\n")[..],
        [ParseErrorKind::DuplicateFlag(_)]
    ));
    assert!(matches!(
        kinds("FROM a\nCOPY --link=maybe x y\n")[..],
        [ParseErrorKind::FlagNotBoolean(_)]
    ));
    assert!(matches!(
        kinds("FROM a\nCOPY --from x y\n")[..],
        [ParseErrorKind::FlagValueMissing(_)]
    ));
    assert!(matches!(
        kinds("FROM a\nRUN --network=all x\n")[..],
        [ParseErrorKind::FlagValue { .. }]
    ));
    let many = format!("FROM a\nCOPY {}x y\n", "--from=a ".repeat(100_000));
    assert_eq!(kinds(&many.replace(' ', " \\\n")).len(), 99_999);
    good(
        "FROM a\nCOPY --link --parents=TRUE x y\nRUN --mount=type=ssh --mount=type=tmpfs,target=/x y\nCOPY -- --from=x y\n",
    );
}

#[test]
fn bom_crlf_and_no_final_newline() {
    let file = good("\u{feff}# syntax=a\r\nFROM b\r\nRUN x \\\r\n y\r\nUSER z");
    assert_eq!(file.syntaxes[0].reference, "a");
    assert_eq!(text(&file.instructions[1].args), "x  y");
    assert_eq!(text(&file.instructions[2].args), "z");
}

#[test]
fn overlong_lines_are_refused_as_buildkit_does() {
    let line = |len: usize| format!("FROM a\nRUN {}\nUSER x\n", "y".repeat(len - 4));
    good(&line(65535));
    assert_eq!(kinds(&line(65536)), [ParseErrorKind::LineTooLong]);
}

#[test]
fn hostile_bytes_are_read_in_reasonable_time() {
    let mut huge = b"FROM a\nRUN ".to_vec();
    huge.extend(std::iter::repeat_n(b'(', 10_000_000));
    huge.extend(b"\nUSER \xff\x00\xfe\nRUN \x00<<\xff\nx\n\xff\n");
    let file = Dockerfile::parse(&huge);
    assert_eq!(file.instructions[2].keyword, Keyword::User);
    let onbuild = "ONBUILD ".repeat(200_000);
    Dockerfile::parse(format!("FROM a\n{onbuild}\n").as_bytes());
    let nested = format!("FROM a\nRUN <<E {}\n", "${a:-".repeat(10_000));
    assert!(matches!(kinds(&nested)[..], [ParseErrorKind::BadHeredoc(_)]));
}

#[test]
fn pieces_cover_the_file() {
    let source = "# escape=`\n# c\n\nFROM a\nRUN <<E\nx\nE\n";
    let file = good(source);
    let kinds: Vec<_> = file.items.iter().map(|item| item.kind).collect();
    assert_eq!(
        kinds,
        [
            ItemKind::Directive(0),
            ItemKind::Comment,
            ItemKind::Blank,
            ItemKind::Instruction(0),
            ItemKind::Instruction(1)
        ]
    );
}

#[test]
fn positions() {
    let file = good("FROM a\nRUN b\n");
    let position = file.line_col(11);
    assert_eq!((position.line, position.column), (2, 5));
    assert_eq!(file.lines().line_span(2).unwrap().of(file.source()), b"RUN b\n");
    assert_eq!(file.line_col(10_000).line, 3);
}

#[test]
fn stage_environments() {
    let file = good(
        "ARG G=glob\nARG P\nFROM a AS base\nARG G\nENV A=$G B=\"$A-x\"\nFROM base\nENV A=2 C=$A\nARG D=${C}d\nRUN x\n",
    );
    let scope = Scope { build_platform: Platform::parse("linux/amd64"), ..Scope::default() };
    let globals = global_args(&file, &scope);
    let stages = file.stages();
    let env = stage_env(&file, &scope, &globals, &stages[1], stages[1].body.end);
    let get = |name: &str| env.get(name).map(String::as_str);
    assert_eq!(get("G"), Some("glob"));
    assert_eq!(get("A"), Some("2"));
    assert_eq!(get("B"), Some("-x"));
    assert_eq!(get("C"), Some("glob"));
    assert_eq!(get("D"), Some("globd"));
    assert_eq!(get("P"), None);
}

/// BuildKit keeps one environment for a stage (`dispatchEnv` and `dispatchArg` of dockerfile2llb both
/// call `State.AddEnv`): whichever of ARG and ENV comes later is what the next instruction sees.
#[test]
fn the_later_of_arg_and_env_counts() {
    let given = |name: &str| (name.to_owned(), "given".to_owned());
    for (body, args, expected) in [
        ("ENV V=1\nARG V=2\n", vec![], Some("2")),
        ("ARG V=2\nENV V=1\n", vec![], Some("1")),
        ("ENV V=1\nARG V=2\n", vec![given("V")], Some("given")),
        ("ARG V=2\nENV V=1\n", vec![given("V")], Some("1")),
        // Without a value of its own an argument changes nothing.
        ("ENV V=1\nARG V\n", vec![], Some("1")),
        ("ENV V=1\nARG G\nARG V=$G\n", vec![], Some("global")),
        ("ENV G=1\nARG G\n", vec![], Some("global")),
        ("ARG V\n", vec![], None),
    ] {
        let file = good(&format!("ARG G=global\nFROM a AS base\n{body}FROM base\nRUN x\n"));
        let scope = Scope { build_args: args.into_iter().collect(), ..Scope::default() };
        let globals = global_args(&file, &scope);
        let stage = &file.stages()[1];
        let env = stage_env(&file, &scope, &globals, stage, stage.body.end);
        let name = if body.contains("ARG V") { "V" } else { "G" };
        assert_eq!(env.get(name).map(String::as_str), expected, "{body}");
    }
}
