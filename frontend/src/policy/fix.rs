//! Findings mended: edits that do not disturb each other, until nothing is left to do.

use super::finding::{Edit, Finding, Fix, Safety};
use crate::dockerfile::Dockerfile;

/// Most rounds of mending; two fixes that undo each other end here.
const ROUNDS: usize = 25;
/// Most fixes that are tried one by one when all together spoil the file.
const TRIED: usize = 50;

/// A file after its fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    pub bytes: Vec<u8>,
    /// Rule and title of each fix that was made, in the order in which they were.
    pub made: Vec<(&'static str, String)>,
}

/// Makes the fixes of what `look` finds, checks again, and so on until nothing changes.
///
/// Where fixes overlap, the first in source order wins; the other has its turn in the next round.
/// A fix that would make the file worse to read is not made.
pub fn mend(source: &[u8], most: Safety, look: impl Fn(&Dockerfile) -> Vec<Finding>) -> Mended {
    let mut file = Dockerfile::parse(source);
    let mut made = Vec::new();
    for _ in 0..ROUNDS {
        let findings = look(&file);
        let chosen = choose(&findings, most);
        let Some(next) = apply(&file, &chosen) else { break };
        made.extend(next.1);
        file = next.0;
    }
    Mended { bytes: file.source().to_vec(), made }
}

type Chosen<'a> = (&'static str, &'a Fix);
type Made = Vec<(&'static str, String)>;

/// All chosen fixes, else one after the other those that leave the file readable.
fn apply(file: &Dockerfile, chosen: &[Chosen<'_>]) -> Option<(Dockerfile, Made)> {
    let told = |chosen: &[Chosen<'_>]| {
        chosen.iter().map(|(rule, fix)| (*rule, fix.title.clone())).collect::<Made>()
    };
    let good = |chosen: &[Chosen<'_>]| {
        let bytes = edited(file.source(), chosen.iter().flat_map(|(_, fix)| &fix.edits));
        let next = Dockerfile::parse(&bytes);
        (bytes != file.source() && next.errors.len() <= file.errors.len()).then_some(next)
    };
    if chosen.is_empty() {
        return None;
    }
    if let Some(next) = good(chosen) {
        return Some((next, told(chosen)));
    }
    let mut kept: Vec<Chosen<'_>> = Vec::new();
    let mut last = None;
    for fix in chosen.iter().take(TRIED) {
        kept.push(*fix);
        match good(&kept) {
            Some(next) => last = Some(next),
            None => {
                kept.pop();
            }
        }
    }
    last.map(|next| (next, told(&kept)))
}

/// The fixes to make in one round, in source order, none touching another.
fn choose(findings: &[Finding], most: Safety) -> Vec<Chosen<'_>> {
    let mut wanted: Vec<Chosen<'_>> = findings
        .iter()
        .filter_map(|finding| Some((finding.rule, finding.fix.as_ref()?)))
        .filter(|(_, fix)| fix.safety <= most && !fix.edits.is_empty())
        .collect();
    wanted.sort_by_key(|(_, fix)| fix.edits.iter().map(|edit| edit.span.start).min());
    let mut taken: Vec<&Edit> = Vec::new();
    let mut reach = 0;
    wanted.retain(|(_, fix)| {
        // What begins behind everything taken cannot touch it.
        let behind = fix.edits.iter().all(|edit| edit.span.start > reach);
        let free = taken.is_empty()
            || behind
            || fix.edits.iter().all(|edit| taken.iter().rev().all(|other| !touch(edit, other)));
        if free {
            reach = fix.edits.iter().map(|edit| edit.span.end).fold(reach, usize::max);
            taken.extend(&fix.edits);
        }
        free
    });
    wanted
}

/// Whether two edits overlap, or meet where their order would count.
fn touch(a: &Edit, b: &Edit) -> bool {
    a.span.start <= b.span.end && b.span.start <= a.span.end
}

/// The bytes with edits made; an edit that reaches out of the file is left out.
pub fn edited<'a>(source: &[u8], edits: impl IntoIterator<Item = &'a Edit>) -> Vec<u8> {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    for edit in edits {
        let Some(before) = source.get(at..edit.span.start) else { continue };
        if edit.span.end > source.len() {
            continue;
        }
        out.extend_from_slice(before);
        out.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end;
    }
    out.extend_from_slice(source.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Span;
    use crate::policy::Severity;

    fn finding(fix: Fix) -> Finding {
        Finding {
            rule: "x",
            severity: Severity::Low,
            message: String::new(),
            span: Span::default(),
            notes: Vec::new(),
            help: None,
            fix: Some(fix),
        }
    }

    fn fix(safety: Safety, edits: Vec<Edit>) -> Fix {
        Fix { safety, title: "t".into(), edits }
    }

    /// Replaces every `a` by what `with` is, one finding each, plus one that covers the whole word.
    fn replace(from: &'static str, with: &'static str) -> impl Fn(&Dockerfile) -> Vec<Finding> {
        move |file| {
            let text = String::from_utf8_lossy(file.source()).into_owned();
            let places = text.match_indices(from).map(|(at, _)| Span::new(at, at + from.len()));
            places.map(|span| finding(fix(Safety::Safe, vec![Edit::replace(span, with)]))).collect()
        }
    }

    #[test]
    fn all_are_made_and_the_second_time_nothing_is() {
        let source = b"FROM a AS aa\nRUN a\n";
        let once = mend(source, Safety::Safe, replace("a", "b"));
        assert_eq!(once.bytes, b"FROM b AS bb\nRUN b\n");
        // Two that meet are made in two rounds.
        assert_eq!(once.made.len(), 4);
        let twice = mend(&once.bytes, Safety::Safe, replace("a", "b"));
        assert_eq!((twice.bytes, twice.made.len()), (once.bytes, 0));
    }

    #[test]
    fn what_never_ends_is_ended() {
        let swap = |file: &Dockerfile| {
            let (from, to) = if file.source() == b"FROM a\n" { ("a", "b") } else { ("b", "a") };
            replace(from, to)(file)
        };
        assert!(mend(b"FROM a\n", Safety::Safe, swap).made.len() <= ROUNDS);
    }

    #[test]
    fn unsafe_fixes_are_asked_for() {
        let look = |file: &Dockerfile| {
            let at = file.source().iter().position(|byte| *byte == b'a');
            let edit = |at| Edit::replace(Span::new(at, at + 1), "b");
            at.map(|at| finding(fix(Safety::Unsafe, vec![edit(at)]))).into_iter().collect()
        };
        assert_eq!(mend(b"FROM a\n", Safety::Safe, look).bytes, b"FROM a\n");
        assert_eq!(mend(b"FROM a\n", Safety::Unsafe, look).bytes, b"FROM b\n");
    }

    #[test]
    fn a_fix_that_breaks_the_file_is_not_made_and_others_are() {
        let look = |file: &Dockerfile| {
            let mut found = replace("RUN", "NUR")(file);
            found.extend(replace("a", "b")(file));
            found
        };
        let mended = mend(b"FROM a\nRUN x\n", Safety::Safe, look);
        assert_eq!(mended.bytes, b"FROM b\nRUN x\n");
        assert_eq!(mended.made.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_edits_of_any_bytes_are_survived(
            source: Vec<u8>, edits: Vec<(usize, usize, String)>
        ) {
            let edits: Vec<Edit> = edits
                .into_iter()
                .map(|(start, end, text)| Edit::replace(Span { start: start % 64, end: end % 64 }, text))
                .collect();
            edited(&source, &edits);
        }
    }
}
