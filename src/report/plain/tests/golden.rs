//! Replays recorded builds and compares the output with that of the real buildx.
//!
//! Each folder of `testdata` holds one build, run twice by `docker buildx build` 0.13
//! on one machine: `status.jsonl` is what `--progress=rawjson` wrote, one message per
//! line with the millisecond at which it arrived, `plain.txt` what
//! `--progress=plain` wrote, `Dockerfile` what was built. Names with `-20.10` come
//! from Docker 20.10, the others from Docker 26.1.
//!
//! Two runs never agree on times and order, so both outputs are reduced to the lines
//! of each step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::replay::replay;
use crate::report::excerpt::{Span, excerpt};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/plain/testdata").join(name)
}

fn text(name: &str, file: &str) -> String {
    std::fs::read_to_string(folder(name).join(file)).unwrap()
}

/// The lines of each step, by its name, without what differs from run to run.
fn steps(output: &str) -> BTreeMap<String, Vec<String>> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut steps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let progress = output.split("------\n").next().unwrap_or_default();
    let mut after_blank = true;
    for line in progress.lines() {
        let Some((number, rest)) = line.strip_prefix('#').and_then(|l| l.split_once(' ')) else {
            after_blank |= line.is_empty();
            continue;
        };
        if std::mem::take(&mut after_blank) {
            let name = without_stage(rest);
            let known = names.entry(number).or_insert_with(|| name.clone());
            assert_eq!(*known, name, "{number} has one name");
            steps.entry(known.clone()).or_default();
        } else if rest != "..."
            && let Some(lines) = names.get(number).and_then(|name| steps.get_mut(name))
        {
            lines.push(without_times(rest));
        }
    }
    for lines in steps.values_mut() {
        // A transfer or line that went on is the same as one that was seen once.
        let all = lines.clone();
        let mut at = 0;
        lines.retain(|line| {
            at += 1;
            let mut rests = all[at..].iter().filter_map(|later| later.strip_prefix(line.as_str()));
            !rests.any(|rest| rest.is_empty() || rest.starts_with(' ') || line.ends_with(' '))
        });
    }
    steps
}

/// `[a 1/2] FROM x` as `[1/2] FROM x`: stages race for the name of a shared base.
fn without_stage(name: &str) -> String {
    match name.split_once("] FROM ") {
        Some((stage, base)) => {
            let step = stage.rsplit(['[', ' ']).next().unwrap_or_default();
            format!("[{step}] FROM {base}")
        }
        None => name.to_owned(),
    }
}

/// The line without seconds and without digests, which depend on times.
fn without_times(line: &str) -> String {
    let is_time = |word: &str| {
        let word = word.strip_suffix('s').unwrap_or(word);
        word.contains('.') && word.parse::<f64>().is_ok()
    };
    let words = line.split(' ').filter(|word| !is_time(word));
    let words = words.map(|word| match word.split_once("sha256:") {
        Some((before, _)) => format!("{before}sha256:…"),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn untimed(text: &str) -> Vec<String> {
    text.lines().map(without_times).collect()
}

/// The names of the steps in the order of their first lines.
fn order(output: &str) -> Vec<String> {
    let mut order: Vec<(u32, String)> = Vec::new();
    for line in output.lines() {
        let parts = line.strip_prefix('#').and_then(|l| l.split_once(' '));
        if let Some((number, name)) = parts
            && let Ok(number) = number.parse()
            && order.iter().all(|(known, _)| *known != number)
        {
            order.push((number, name.to_owned()));
        }
    }
    order.into_iter().map(|(_, name)| name).collect()
}

fn same_steps(name: &str) {
    let mut ours = steps(&replay(&text(name, "status.jsonl")));
    let mut theirs = steps(&text(name, "plain.txt"));
    ours.retain(|step, lines| {
        let same = theirs.get(step) == Some(lines);
        if same {
            theirs.remove(step);
        }
        !same
    });
    assert_eq!(ours, theirs, "{name}: ours, then that of buildx");
}

fn same_order(name: &str) {
    let ours = replay(&text(name, "status.jsonl"));
    assert_eq!(order(&ours), order(&text(name, "plain.txt")));
}

#[test]
fn simple() {
    same_steps("simple");
    same_order("simple");
}

#[test]
fn simple_on_20_10() {
    same_steps("simple-20.10");
}

#[test]
fn cached() {
    same_steps("cached");
}

#[test]
fn cached_on_20_10() {
    same_steps("cached-20.10");
}

#[test]
fn groups() {
    same_steps("groups");
}

#[test]
fn parallel() {
    same_steps("parallel");
}

#[test]
fn syntax() {
    same_steps("syntax");
    same_order("syntax");
}

/// The blocks of failed steps in an output.
fn failures(output: &str) -> &str {
    let start = output.find("------\n > ").unwrap_or(output.len());
    let end = output.rfind("------\nDockerfile:").or(output.rfind("------\nERROR:"));
    let end = end.map_or(output.len(), |end| end + "------\n".len());
    &output[start..end]
}

#[test]
fn canceled() {
    for name in ["canceled", "canceled-20.10"] {
        same_steps(name);
        let ours = replay(&text(name, "status.jsonl"));
        assert_eq!(untimed(failures(&ours)), untimed(failures(&text(name, "plain.txt"))));
    }
}

#[test]
fn heredoc() {
    same_steps("heredoc");
    let ours = replay(&text("heredoc", "status.jsonl"));
    let theirs = text("heredoc", "plain.txt");
    assert_eq!(failures(&ours).lines().count(), failures(&theirs).lines().count());
}

/// buildx shows only the end of a line that came in pieces, and sometimes forgets
/// the lines before it; we show the last ten lines whole.
#[test]
fn failed() {
    same_steps("failed");
    let ours = replay(&text("failed", "status.jsonl"));
    let theirs = text("failed", "plain.txt");
    assert!(failures(&theirs).ends_with("\nial\n------\n"));
    let block = failures(&ours);
    assert!(block.ends_with(" partial\n------\n"), "{block}");
    assert_eq!(block.lines().count(), 13);
    assert!(block.lines().any(|line| line.ends_with(" line 5")));
}

#[test]
fn excerpts_are_byte_for_byte_those_of_buildx() {
    for (name, spans) in [
        ("failed", [Span::lines(4, 4)]),
        ("canceled", [Span::lines(2, 2)]),
        ("heredoc", [Span::lines(2, 5)]),
        ("syntax", [Span::lines(2, 2)]),
    ] {
        let source = text(name, "Dockerfile");
        let shown = excerpt("Dockerfile", source.as_bytes(), &spans).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        let theirs = text(name, "plain.txt");
        assert!(theirs.contains(&shown), "{shown}\n--- buildx:\n{theirs}");
    }
}

/// A first pull, which cannot be run twice: the text was compared with buildx by eye.
#[test]
fn pull() {
    for name in ["pull", "pull-20.10"] {
        let ours = replay(&text(name, "status.jsonl"));
        assert_eq!(ours, text(name, "printed.txt"), "{name}");
    }
}
