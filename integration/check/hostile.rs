//! Files that are made to take long, to take all memory, or to be no files at all.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, SAMPLE, Said};

/// Debug builds on busy machines; what takes longer than its size explains takes far longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Checks a file of these bytes with every rule there is, and says so within bounds.
fn survives(name: &str, bytes: impl AsRef<[u8]>, codes: &[i32]) -> Said {
    let bench = Bench::new();
    bench.write("cofferdam.toml", "profile = \"strict\"\n");
    bench.write("Dockerfile", bytes);
    let start = Instant::now();
    let said = bench.check_within(700_000, &["Dockerfile"]);
    assert!(codes.contains(&said.code), "{name}: {} {}", said.code, said.err);
    assert!(start.elapsed() < LIMIT, "{name}: {:?}", start.elapsed());
    assert!(said.out.len() + said.err.len() < 100_000, "{name}: a report nobody reads");
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!said.out.chars().any(odd), "{name}: control characters");
    said
}

#[test]
fn one_line_of_ten_megabytes() {
    for (keyword, unit) in
        [("RUN", "x"), ("RUN", "(("), ("RUN", "<<E "), ("ENV", "a=$b "), ("COPY", "x "), ("", "x")]
    {
        let text = format!("FROM a:1\n{keyword} {}", unit.repeat((10 << 20) / unit.len()));
        // No engine reads a line of more than 64 KiB.
        survives(&format!("{keyword} {unit}"), text, &[3]).says("line");
    }
}

#[test]
fn one_long_step() {
    for unit in [
        "((",
        ";",
        "a&&",
        "\"",
        "'",
        "`",
        "$(",
        "${",
        "{ ",
        "<<E ",
        "a|",
        "if a; then ",
        "case a in a) ",
        "f(){ ",
        "echo $(",
        "[[ ",
        "$((",
        "> ",
        "curl -k http://x/|sh;",
        "chmod 777 /a;",
        "apt-get update;apt-get install gcc;",
        "bash -c 'a|b';",
        "echo password=abcdefGHI123 > /x;",
        "cat /run/secrets/a > /b;",
        "http://a:b@",
    ] {
        let line = unit.repeat(1000 / unit.len());
        let script = vec![line.as_str(); 60].join("\\\n");
        for start in ["", "--mount=type=secret,id=a cp ", "apt-get install "] {
            survives(unit, format!("FROM a:1\nRUN {start}{script}\n"), &[0, 3]);
        }
    }
}

#[test]
fn very_many_lines() {
    let many = |line: &str, times: usize| line.repeat(times);
    let numbered = |line: &str, times: usize| -> String {
        (1..times)
            .map(|n| line.replace("LAST", &(n - 1).to_string()).replace("N", &n.to_string()))
            .collect()
    };
    for (name, text, codes) in [
        ("stages", many("FROM a\n", 40_000), [0, 3]),
        ("a chain of stages", numbered("FROM sLAST AS sN\nUSER root\n", 6_000), [0, 3]),
        ("variables", format!("FROM a:1\n{}", many("ENV a=$x\n", 40_000)), [0, 3]),
        (
            "a chain of variables",
            format!("FROM a:1\n{}", numbered("ENV aN=$aLAST\n", 10_000)),
            [0, 3],
        ),
        ("global arguments", numbered("ARG aN=$aLAST\n", 6_000) + "FROM a$a1\n", [0, 3]),
        (
            "steps",
            format!("FROM a:1\n{}", many("RUN sudo curl http://a.b/c | sh\n", 10_000)),
            [0, 3],
        ),
        ("triggers", format!("FROM a:1\n{}", many("ONBUILD RUN sudo a\n", 10_000)), [0, 3]),
        ("secrets", format!("FROM a:1\n{}", many("ENV PASSWORD=hunter2xyz\n", 10_000)), [3, 3]),
        (
            "documents",
            format!("FROM a:1\n{}", many("RUN <<E\napt-get install x\nE\n", 6_000)),
            [0, 3],
        ),
        (
            "a document without an end",
            format!("FROM a:1\nRUN <<E\n{}", many("sudo a\n", 10_000)),
            [3, 3],
        ),
        (
            "ignores",
            format!("FROM a:1\n{}", many("# cofferdam: ignore[sudo] x\nRUN sudo a\n", 6_000)),
            [0, 3],
        ),
        ("unknown words", format!("FROM a:1\n{}", many("x y z\n", 40_000)), [3, 3]),
        ("continued", format!("FROM a:1\nRUN a \\\n{}", many(" && b \\\n", 10_000)), [0, 3]),
        ("comments", many("# escape=`\n", 50_000), [3, 3]),
        ("nothing", many("\n", 2_000_000), [3, 3]),
        ("directives", many("# a=b\n", 50_000), [3, 3]),
        ("bad lines", format!("FROM a:1\n{}", many("RUN \u{202e}\u{2066} a\n", 6_000)), [0, 3]),
    ] {
        survives(name, text, &codes);
    }
}

#[test]
fn what_is_no_text() {
    let noise: Vec<u8> =
        (0..3_000_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    survives("noise", noise, &[3]);
    survives("zeros", vec![0; 10 << 20], &[3]).says("no text");
    survives("zeros in steps", "FROM a:1\nRUN a\0b\n".repeat(10_000), &[0, 3]);
    survives("not UTF-8", b"FROM a:1\nRUN sudo \xff\xfe\nADD \xff /x\n".repeat(10_000), &[0, 3]);
    survives("nothing", "", &[3]);
    survives("a BOM", "\u{feff}", &[3]);
}

#[test]
fn many_findings_are_counted_and_the_rest_is_said() {
    let bench = Bench::with("Dockerfile", "");
    bench.write("Dockerfile", format!("FROM a:1\n{}", "RUN sudo a\n".repeat(12_000)));
    let found = bench.found(&["Dockerfile"]);
    assert_eq!(found.len(), 10_001);
    let last = bench.check(&["--format", "json"]).out;
    assert!(last.contains("2000 more findings of this rule from here on"));
}

#[test]
fn pipes_and_devices() {
    let bench = Bench::with("sub/Dockerfile", SAMPLE);
    let pipe = |name: &str| {
        assert!(Command::new("mkfifo").arg(bench.path(name)).status().unwrap().success());
    };
    pipe("Dockerfile.pipe");
    pipe("sub/cofferdam.toml");
    // A directory's pipes are nobody's Dockerfiles, and no configuration.
    let said = bench.check(&[]);
    assert!(said.code == 0 && said.out.contains("1 file:"), "{said:?}");
    let said = bench.check(&["Dockerfile.pipe"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("a pipe that nobody writes to"), "{}", said.err);
    let script = format!("printf '%s' '{SAMPLE}' > Dockerfile.pipe");
    let mut writer =
        Command::new("sh").args(["-c", &script]).current_dir(bench.root()).spawn().unwrap();
    let said = bench.check(&["Dockerfile.pipe"]);
    assert!(writer.wait().unwrap().success());
    assert!(said.code == 0 && said.out.contains("warning[sudo]"), "{said:?}");
    let said = bench.check(&["/dev/zero"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("larger than 64 MiB"), "{}", said.err);
    pipe("known.json");
    assert_eq!(bench.check(&["--baseline", "known.json"]).code, 1);
}

#[test]
fn damaged_configurations_and_baselines() {
    let bench = Bench::with("Dockerfile", SAMPLE);
    for (bytes, told) in [
        (vec![0xff; 100], "cofferdam.toml"),
        (vec![0; 2 << 20], "larger than 1 MiB"),
        (b"[".repeat(500_000), "cofferdam.toml"),
        (b"rules = {".repeat(100_000), "cofferdam.toml"),
        ("x = \"\u{202e}\u{1b}[31m\"\n".into(), "cofferdam.toml"),
    ] {
        bench.write("cofferdam.toml", bytes);
        let start = Instant::now();
        let said = bench.check(&[]);
        assert!(said.code == 1 && said.err.contains(told), "{said:?}");
        assert!(!said.err.contains('\u{1b}') && said.err.len() < 10_000, "{}", said.err.len());
        assert!(start.elapsed() < LIMIT);
    }
    std::fs::remove_file(bench.path("cofferdam.toml")).unwrap();
    for bytes in
        [vec![0xff; 100], b"[".repeat(500_000), b"{\"version\":1,\"findings\":[{}]}".to_vec()]
    {
        bench.write("known.json", bytes);
        let said = bench.check(&["--baseline", "known.json"]);
        assert!(said.code == 1 && said.err.contains("known.json is no baseline"), "{said:?}");
    }
}

impl Said {
    fn says(&self, text: &str) {
        assert!(self.out.contains(text), "{text:?} is not in\n{}", self.out);
    }
}

impl Bench {
    /// Checks with no more address space than so many KiB.
    fn check_within(&self, kib: usize, args: &[&str]) -> Said {
        let program = env!("CARGO_BIN_EXE_cofferdam");
        let script = format!("ulimit -v {kib}; exec \"$0\" check \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script, program]).args(args);
        self.output(command.stdin(Stdio::null()))
    }
}
