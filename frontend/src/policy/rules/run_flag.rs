//! Flags of RUN that give a step more than it needs.

use crate::dockerfile::{Keyword, Span};
use crate::policy::{About, Edit, Finding, Findings, Node, View};

/// Reports each RUN with `--flag=value`; the fix takes the flag away.
pub(super) fn report(
    view: &View<'_>,
    found: &mut Findings,
    about: &'static About,
    (flag, value): (&str, &str),
    message: &str,
    finish: impl Fn(&mut Finding),
) {
    for node in view.all(Keyword::Run) {
        let Some(flag) = node.instruction.flag(flag) else { continue };
        if flag.value.as_ref().is_none_or(|word| word.text != value) {
            continue;
        }
        let finding = found.report(about, flag.span, message);
        finish(finding);
        if let Some(span) = with_blanks(view, node, flag.span) {
            let text = String::from_utf8_lossy(flag.span.of(view.file.source())).into_owned();
            finding.unsafe_fix(format!("take {text} away"), vec![Edit::replace(span, "")]);
        }
    }
}

/// A flag and the blanks behind it, when something follows on its line.
fn with_blanks(view: &View<'_>, node: Node<'_>, flag: Span) -> Option<Span> {
    let rest = Span::new(flag.end, node.instruction.span.end).of(view.file.source());
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let follows = rest.get(blanks).is_some_and(|byte| !matches!(byte, b'\r' | b'\n'));
    (blanks > 0 && follows).then(|| Span::new(flag.start, flag.end + blanks))
}
