//! Where the secrets of a build are not: what is searched here, and what is said of it.

use cofferdam_frontend::build::inspect::{Inspected, RULE};
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::{Hardened, HardenedPlatform};
use cofferdam_inspector::report::inspection::Spent;
use cofferdam_search::{Searcher, Transform};

use super::logs::Searched;
use crate::attest::searched::{Proof, SecretSearch};
use crate::engine::session::{Kind, Sought};
use crate::error::Error;
use crate::report::size;
use crate::request::{BuildRequest, DockerfileText};

/// Refuses an image whose configuration holds a secret: environment, labels, commands or history.
pub(super) fn check_configuration(
    request: &BuildRequest,
    hardened: &Hardened,
    dockerfile: &DockerfileText,
) -> Result<(), Error> {
    let needles = request.secrets.needles();
    if needles.is_empty() {
        return Ok(());
    }
    let mut search = Searcher::new(needles);
    let mut violations: Vec<Violation> = Vec::new();
    for platform in hardened.platforms() {
        let config = platform.config.to_bytes();
        let beside_history = found(&mut search, &without_history(&config));
        for (needle, transform) in found(&mut search, &config) {
            let Some(sought) = request.secrets.sought_at(needle) else { continue };
            // The exception that let it become a build argument lets the history of steps hold it.
            let lifted = sought.kind == Kind::Argument;
            if lifted && !beside_history.iter().any(|(other, _)| *other == needle) {
                continue;
            }
            let violation = Violation {
                rule: RULE,
                span: None,
                message: format!(
                    "{} is in the image: its configuration holds it ({})",
                    sought.name(),
                    transform.name()
                ),
                lines: lines(&mut search, needle, request, dockerfile),
                fix: format!(
                    "write the value into no ENV, LABEL or ARG; RUN --mount=type=secret,id={} \
                     reads it",
                    sought.id
                ),
            };
            if !violations.contains(&violation) {
                violations.push(violation);
            }
        }
    }
    if violations.is_empty() {
        return Ok(());
    }
    Err(Error::Refused { names: Vec::new(), violations, text: Some(dockerfile.source()) })
}

/// Refuses a record that would hold a secret: it is for others to read.
pub(super) fn check_record(request: &BuildRequest, record: &[u8]) -> Result<(), Error> {
    let needles = request.secrets.needles();
    if needles.is_empty() {
        return Ok(());
    }
    let found = found(&mut Searcher::new(needles), record).into_iter();
    let found = found
        .filter_map(|(needle, transform)| Some((request.secrets.sought_at(needle)?, transform)));
    // The record has all build arguments.
    let Some((sought, transform)) = found.into_iter().find(|(it, _)| it.kind != Kind::Argument)
    else {
        return Ok(());
    };
    let (name, id) = (sought.name(), sought.id);
    Err(Error::refused(Violation {
        rule: RULE,
        span: None,
        message: format!("{name} is in the build's record ({})", transform.name()),
        lines: Vec::new(),
        fix: format!(
            "a build argument, a label, a path or an address holds it; \
             RUN --mount=type=secret,id={id} reads it"
        ),
    }))
}

/// A configuration without what its steps were.
fn without_history(config: &[u8]) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(config).unwrap_or_default();
    if let Some(config) = value.as_object_mut() {
        config.remove("history");
    }
    value.to_string().into_bytes()
}

/// Each needle once, with the form in which it was found first.
fn found(search: &mut Searcher<'_>, bytes: &[u8]) -> Vec<(usize, Transform)> {
    search.feed(bytes);
    let mut found: Vec<(usize, Transform)> = Vec::new();
    for hit in search.finish().hits {
        if !found.iter().any(|(needle, _)| *needle == hit.needle) {
            found.push((hit.needle, hit.transform));
        }
    }
    found
}

/// The line of the Dockerfile that is to blame: the first that holds it, or that takes it from a
/// build argument, or the base whose triggers or configuration did. None for the command line's
/// own labels.
fn lines(
    search: &mut Searcher<'_>,
    needle: usize,
    request: &BuildRequest,
    dockerfile: &DockerfileText,
) -> Vec<(String, usize, usize)> {
    let mut holds = |text: &[u8]| found(search, text).iter().any(|(hit, _)| *hit == needle);
    let lines: Vec<&[u8]> = dockerfile.bytes.split(|&byte| byte == b'\n').collect();
    let mut line = lines.iter().position(|line| holds(line));
    if line.is_none() && !request.labels.values().any(|value| holds(value.as_bytes())) {
        let args = request.build_args.iter().filter(|(_, value)| holds(value.as_bytes()));
        let args: Vec<[String; 2]> =
            args.map(|(name, _)| [format!("${name}"), format!("${{{name}")]).collect();
        let texts: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
        let takes = |text: &str| args.iter().flatten().any(|arg| text.contains(arg.as_str()));
        let is_base = |text: &str| {
            text.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("from "))
        };
        line = texts.iter().position(|text| takes(text));
        line = line.or_else(|| texts.iter().rposition(|text| is_base(text)));
    }
    line.map(|line| (dockerfile.name.clone(), line + 1, line + 1)).into_iter().collect()
}

/// What looking through the layers took.
pub(super) fn log(hardened: &Hardened) {
    for platform in hardened.platforms() {
        let Some(inspected) = inspected(platform) else { continue };
        let Spent { milliseconds, kilobytes } = inspected.inspection.sum.spent;
        let (platform, layers) = (&platform.id, inspected.layers.len());
        tracing::debug!(platform, layers, milliseconds, kilobytes, "looked through");
    }
}

/// What is true of the secrets, in a line each: where they are not, and of which nothing is known.
pub(super) fn told(request: &BuildRequest, hardened: &Hardened, log: Searched) -> Vec<String> {
    let secrets = secrets(request, hardened);
    let of = |wanted: &[&str]| {
        let only = |proof: &Proof| matches!(proof, Proof::OnlyIn(places) if *places == wanted);
        let names = secrets.iter().filter(|(_, proof)| only(proof)).map(|(name, _)| name.as_str());
        Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    let mut told = Vec::new();
    if let Some(names) = of(&[]) {
        told.push(format!("{names}: absent from {}", places(hardened, log)));
    }
    if let Some(names) = of(BASE) {
        told.push(format!("{names}: in the base by an exception, and nowhere else"));
    }
    if let Some(names) = of(HISTORY) {
        told.push(format!("{names}: in history and record by an exception, and nowhere else"));
    }
    if let Some(names) = of(BASE_AND_HISTORY) {
        told.push(format!("{names}: in base, history and record by exceptions, and nowhere else"));
    }
    for (name, proof) in &secrets {
        if let Proof::None(why) = proof {
            told.push(format!("{name}: not provable, {why}"));
        }
    }
    told
}

/// The same for the record, for each platform.
pub(super) fn searched<'a>(
    request: &'a BuildRequest,
    hardened: &'a Hardened,
) -> Vec<SecretSearch<'a>> {
    if request.secrets.needles().is_empty() {
        return Vec::new();
    }
    let searched = |platform: &'a HardenedPlatform| {
        Some(SecretSearch {
            platform: &platform.id,
            inspected: inspected(platform)?,
            secrets: secrets(request, hardened),
            encodings: Transform::ALL.iter().map(|transform| transform.name()).collect(),
        })
    };
    hardened.platforms().iter().filter_map(searched).collect()
}

/// Where exceptions let a value stand.
const BASE: &[&str] = &["base"];
const HISTORY: &[&str] = &["history", "record"];
const BASE_AND_HISTORY: &[&str] = &["base", "history", "record"];

/// What was searched for, by name, and what is proven of it in an image that passed.
fn secrets(request: &BuildRequest, hardened: &Hardened) -> Vec<(String, Proof)> {
    let gaps = request.secrets.needles().gaps();
    let gap = |number| gaps.iter().find(|gap| gap.needle == number && gap.is_whole());
    let proof = |number, sought: &Sought<'_>| {
        if let Some(gap) = gap(number) {
            return Proof::None(gap.reason.words());
        }
        let based = in_base(hardened).any(|needle| needle == number);
        Proof::OnlyIn(match (based, sought.kind == Kind::Argument) {
            (false, false) => &[],
            (true, false) => BASE,
            (false, true) => HISTORY,
            (true, true) => BASE_AND_HISTORY,
        })
    };
    let sought = request.secrets.sought().enumerate();
    sought.map(|(number, sought)| (sought.listed(), proof(number, &sought))).collect()
}

/// The needles that bases hold.
fn in_base(hardened: &Hardened) -> impl Iterator<Item = usize> {
    let inspected = hardened.platforms().iter().filter_map(inspected);
    inspected.flat_map(|inspected| {
        let is_base = |layer: usize| inspected.layers.get(layer).is_some_and(|layer| layer.base);
        let leaks = inspected.inspection.leaks.iter();
        leaks.filter(move |leak| is_base(leak.layer)).map(|leak| leak.needle)
    })
}

/// Takes note of the exceptions that let a base hold a value.
pub(super) fn use_exceptions(request: &BuildRequest, hardened: &Hardened) {
    for needle in in_base(hardened) {
        if let Some(sought) = request.secrets.sought_at(needle) {
            request.exceptions.allows_in_base(sought.id);
        }
    }
}

/// Everything that was searched, and under how many forms.
fn places(hardened: &Hardened, log: Searched) -> String {
    let inspected = || hardened.platforms().iter().filter_map(inspected);
    let layers: usize = inspected().map(|inspected| inspected.layers.len()).sum();
    let sums = inspected().flat_map(|inspected| &inspected.inspection.sum.layers);
    let bytes: u64 = sums.map(|layer| layer.bytes).sum();
    let layers = match layers {
        1 => "1 layer".to_string(),
        several => format!("{several} layers"),
    };
    let unread: u64 = inspected().map(|inspected| inspected.inspection.sum.unread).sum();
    let unread = match unread {
        0 => String::new(),
        1 => ", 1 archive not unpacked".into(),
        several => format!(", {several} archives not unpacked"),
    };
    let log = match log {
        Searched::Whole => ", log",
        Searched::Clipped => ", log as far as the engine kept it",
        Searched::Unheard => "",
    };
    let (forms, size) = (Transform::ALL.len(), size::megabytes(bytes));
    format!("{layers}, config, history{log} ({forms} encodings, {size}{unread})")
}

fn inspected(platform: &HardenedPlatform) -> Option<&Inspected> {
    platform.inspected.as_ref()
}
