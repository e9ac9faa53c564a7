//! Findings as editors show them.

use std::collections::HashMap;

use cofferdam_frontend::policy::{self, Finding, Fix, Safety, Severity};
use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity,
    Hover, HoverContents, Location, MarkupContent, MarkupKind, NumberOrString, Range, TextEdit,
    Uri, WorkspaceEdit,
};

use super::place::Places;

/// Who says it.
const SOURCE: &str = "cofferdam";

pub(super) fn diagnostic(finding: &Finding, places: &Places<'_>, uri: &Uri) -> Diagnostic {
    let related = finding.notes.iter().map(|(span, words)| DiagnosticRelatedInformation {
        location: Location::new(uri.clone(), places.range(*span)),
        message: words.clone(),
    });
    let related: Vec<_> = related.collect();
    let help = finding.help.iter().map(|help| format!("\n{help}"));
    Diagnostic {
        range: places.range(finding.span),
        severity: Some(match finding.severity {
            Severity::Critical | Severity::High => DiagnosticSeverity::ERROR,
            Severity::Medium => DiagnosticSeverity::WARNING,
            Severity::Low => DiagnosticSeverity::INFORMATION,
            Severity::Info => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(finding.rule.into())),
        source: Some(SOURCE.into()),
        message: std::iter::once(finding.message.clone()).chain(help).collect(),
        related_information: (!related.is_empty()).then_some(related),
        ..Diagnostic::default()
    }
}

/// The quick fix of a finding.
pub(super) fn action(finding: &Finding, fix: &Fix, places: &Places<'_>, uri: &Uri) -> CodeAction {
    let edits =
        fix.edits.iter().map(|edit| TextEdit::new(places.range(edit.span), edit.text.clone()));
    let safe = fix.safety == Safety::Safe;
    let title = if safe { fix.title.clone() } else { format!("{} (look at it)", fix.title) };
    CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(finding, places, uri)]),
        edit: Some(WorkspaceEdit::new(HashMap::from([(uri.clone(), edits.collect())]))),
        is_preferred: Some(safe),
        ..CodeAction::default()
    }
}

/// The page of the finding's rule.
pub(super) fn page(finding: &Finding, range: Range) -> Option<Hover> {
    let about = policy::about(finding.rule)?;
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent {
            kind: MarkupKind::Markdown,
            value: about.page.into(),
        }),
        range: Some(range),
    })
}
