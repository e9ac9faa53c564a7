//! Where the secrets of a build are not: what is searched here, and what is said of it.

use cofferdam_frontend::build::inspect::{Inspected, RULE};
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::{Hardened, HardenedPlatform};
use cofferdam_search::{Gap, Reason, Searcher, Transform};

use super::logs::Searched;
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
        for (needle, transform) in found(&mut search, &platform.config.to_bytes()) {
            let id = needles.id(needle);
            let violation = Violation {
                rule: RULE,
                span: None,
                message: format!(
                    "secret {id} is in the image: its configuration holds it ({})",
                    transform.name()
                ),
                lines: lines(&mut search, needle, dockerfile),
                fix: format!(
                    "write the value into no ENV, LABEL or ARG; RUN --mount=type=secret,id={id} \
                     reads it"
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

/// The first line of the Dockerfile that holds it, if it was written there.
fn lines(
    search: &mut Searcher<'_>,
    needle: usize,
    dockerfile: &DockerfileText,
) -> Vec<(String, usize, usize)> {
    let mut lines = dockerfile.bytes.split(|&byte| byte == b'\n');
    let first = lines.position(|line| found(search, line).iter().any(|(hit, _)| *hit == needle));
    first.map(|line| (dockerfile.name.clone(), line + 1, line + 1)).into_iter().collect()
}

/// What is true of the secrets, in a line each: where they are not, and of which nothing is known.
pub(super) fn told(request: &BuildRequest, hardened: &Hardened, log: Searched) -> Vec<String> {
    let needles = request.secrets.needles();
    let ids: Vec<&str> = request.secrets.ids().collect();
    let gap = |number: usize| {
        let mut gaps = needles.gaps().iter();
        gaps.find(|gap| gap.needle == number && gap.is_whole())
    };
    let searched = ids.iter().enumerate().filter(|(number, _)| gap(*number).is_none());
    let searched: Vec<&str> = searched.map(|(_, id)| *id).collect();
    let mut told = Vec::new();
    if !searched.is_empty() {
        told.push(format!("{}: absent from {}", searched.join(", "), places(hardened, log)));
    }
    let unknown = ids.iter().enumerate();
    told.extend(unknown.filter_map(|(number, id)| Some(format!("{id}: {}", why(gap(number)?)))));
    told
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

fn why(gap: &Gap) -> &'static str {
    match gap.reason {
        Reason::Short => "not provable, shorter than 8 bytes",
        Reason::Uniform => "not provable, one character over and over",
        Reason::Ordinary => "not provable, a text that stands everywhere",
        Reason::Many => "not provable, too many lines",
    }
}
