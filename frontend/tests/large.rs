//! Large and deeply nested files take time in proportion to their size.

use std::time::{Duration, Instant};

use cofferdam_frontend::dockerfile::{Dockerfile, Platform, Scope, image_inputs};

/// Ten times what the slowest of them takes unoptimised on a busy machine; anything quadratic takes
/// far longer.
const LIMIT: Duration = Duration::from_secs(20);
const SIZE: usize = 1 << 19;

fn filled(head: &str, unit: &str, tail: &str) -> String {
    [head, &unit.repeat(SIZE / unit.len()), tail].concat()
}

fn numbered(head: &str, unit: &str) -> String {
    let mut text = head.to_owned();
    for number in 1.. {
        let before = (number - 1).to_string();
        text.push_str(&unit.replace("NEXT", &number.to_string()).replace("LAST", &before));
        if text.len() > SIZE {
            break;
        }
    }
    text
}

#[test]
fn nothing_is_quadratic() {
    let scope = Scope { build_platform: Platform::parse("linux/amd64"), ..Scope::default() };
    for (name, text) in [
        ("lines", filled("FROM a\n", "RUN x\n", "")),
        ("continuations", filled("FROM a\nRUN x", " \\\n y", "\n")),
        ("flags", filled("FROM a\nRUN ", "--x=y \\\n ", "z\n")),
        ("mounts", filled("FROM a\nRUN ", "--mount=type=bind,from=b,target=/c \\\n ", "z\n")),
        ("heredocs of one line", filled("FROM a\nRUN ", "<<A \\\n", "x\n")),
        ("a heredoc without an end", filled("FROM a\nRUN <<A\n", "RUN <<A\n", "")),
        ("nested substitutions", filled("FROM a\nRUN <<A ", "${x:-\\\n", "\nA\n")),
        ("nested JSON", filled("FROM a\nCMD ", "[\\\n", "\n")),
        ("a chain of ONBUILD", filled("FROM a\n", "ONBUILD \\\n", "\n")),
        ("pairs", filled("FROM a\nENV ", "a=\"b\" \\\n", "c=d\n")),
        ("one line", "x".repeat(SIZE)),
        ("a JSON file", filled("{\"a\": [", "\"x\",\n", "1], \"syntax\": \"y\"}")),
        ("stages", filled("", "FROM a\n", "")),
        ("a growing argument", filled("ARG x=1\n", "ARG x=$x$x\n", "FROM $x\n")),
        ("arguments made from arguments", numbered("ARG n0=1\n", "ARG nNEXT=$nLAST\n")),
        (
            "patterns",
            filled(&format!("ARG x={}\n", "a".repeat(60_000)), "ARG y=${x//*a*b/c}\n", ""),
        ),
        ("stages from stages", numbered("FROM a AS s0\n", "FROM sLAST AS sNEXT\n")),
        (
            "triggers that need stages with triggers",
            numbered(
                "FROM a AS x0\n",
                "FROM b AS oNEXT\nONBUILD COPY --from=xLAST a b\nFROM oNEXT AS xNEXT\n",
            ),
        ),
    ] {
        let start = Instant::now();
        let file = Dockerfile::parse(text.as_bytes());
        let inputs = image_inputs(&file, &scope);
        assert!(start.elapsed() < LIMIT, "{name}: {:?}", start.elapsed());
        assert!(inputs.inputs.len() <= file.instructions.len().max(SIZE), "{name}");
    }
}
