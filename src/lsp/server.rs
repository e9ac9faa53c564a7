//! The open documents, and the editor's questions about them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cofferdam_frontend::policy::Finding;
use tower_lsp_server::jsonrpc::Result;
use tower_lsp_server::ls_types::{
    CodeActionKind, CodeActionOptions, CodeActionOrCommand, CodeActionParams,
    CodeActionProviderCapability, CodeActionResponse, DidChangeTextDocumentParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, Hover, HoverParams,
    HoverProviderCapability, InitializeParams, InitializeResult, MessageType, Range,
    ServerCapabilities, ServerInfo, TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use tower_lsp_server::{Client, LanguageServer};

use super::diagnostic;
use super::place::{Places, Unit, meet};
use crate::check;

/// The server of one editor.
pub(super) struct Dockerfiles {
    client: Client,
    unit: OnceLock<Unit>,
    open: Mutex<HashMap<Uri, Document>>,
}

/// A file as the editor has it, saved or not.
struct Document {
    text: String,
    findings: Vec<Finding>,
}

impl Dockerfiles {
    pub(super) fn new(client: Client) -> Self {
        Self { client, unit: OnceLock::new(), open: Mutex::default() }
    }

    fn unit(&self) -> Unit {
        self.unit.get().copied().unwrap_or_default()
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Uri, Document>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a text under the configuration of its place, and tells the editor.
    async fn check(&self, uri: Uri, text: String, version: Option<i32>) {
        let path: Option<PathBuf> = uri.to_file_path().map(|path| path.into_owned());
        let findings = match check::text(path.as_deref(), text.as_bytes()) {
            Ok(findings) => findings,
            Err(error) => {
                // A broken cofferdam.toml is said; the file's last findings stay.
                self.client.show_message(MessageType::ERROR, error).await;
                return;
            }
        };
        let places = Places::new(&text, self.unit());
        let told = findings.iter().map(|it| diagnostic::diagnostic(it, &places, &uri)).collect();
        self.open().insert(uri.clone(), Document { text, findings });
        self.client.publish_diagnostics(uri, told, version).await;
    }

    /// What `tell` makes of each finding that meets a range.
    fn at<T>(
        &self,
        uri: &Uri,
        range: &Range,
        tell: impl Fn(&Finding, &Places<'_>) -> Option<T>,
    ) -> Vec<T> {
        let open = self.open();
        let Some(Document { text, findings }) = open.get(uri) else { return Vec::new() };
        let places = Places::new(text, self.unit());
        let here = findings.iter().filter(|finding| meet(&places.range(finding.span), range));
        here.filter_map(|finding| tell(finding, &places)).collect()
    }
}

impl LanguageServer for Dockerfiles {
    async fn initialize(&self, asked: InitializeParams) -> Result<InitializeResult> {
        let general = asked.capabilities.general.unwrap_or_default();
        let unit = Unit::choose(general.position_encodings.as_deref());
        let unit = *self.unit.get_or_init(|| unit);
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                position_encoding: Some(unit.kind()),
                // A Dockerfile is small: all of it comes with each change.
                text_document_sync: Some(TextDocumentSyncCapability::Kind(
                    TextDocumentSyncKind::FULL,
                )),
                hover_provider: Some(HoverProviderCapability::Simple(true)),
                code_action_provider: Some(CodeActionProviderCapability::Options(
                    CodeActionOptions {
                        code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
                        ..CodeActionOptions::default()
                    },
                )),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").into(),
                version: Some(env!("CARGO_PKG_VERSION").into()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(
        &self,
        DidOpenTextDocumentParams { text_document }: DidOpenTextDocumentParams,
    ) {
        self.check(text_document.uri, text_document.text, Some(text_document.version)).await;
    }

    async fn did_change(&self, changed: DidChangeTextDocumentParams) {
        let DidChangeTextDocumentParams { text_document, content_changes } = changed;
        // Each change is the whole text: the last one counts.
        if let Some(last) = content_changes.into_iter().next_back() {
            self.check(text_document.uri, last.text, Some(text_document.version)).await;
        }
    }

    async fn did_close(&self, closed: DidCloseTextDocumentParams) {
        let uri = closed.text_document.uri;
        self.open().remove(&uri);
        self.client.publish_diagnostics(uri, Vec::new(), None).await;
    }

    async fn code_action(&self, asked: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let uri = &asked.text_document.uri;
        let actions = self.at(uri, &asked.range, |finding, places| {
            let fix = finding.fix.as_ref()?;
            let action = diagnostic::action(finding, fix, places, uri);
            Some(CodeActionOrCommand::CodeAction(action))
        });
        Ok(Some(actions))
    }

    async fn hover(&self, asked: HoverParams) -> Result<Option<Hover>> {
        let asked = asked.text_document_position_params;
        let here = Range::new(asked.position, asked.position);
        let mut pages = self.at(&asked.text_document.uri, &here, |finding, places| {
            diagnostic::page(finding, places.range(finding.span))
        });
        Ok(if pages.is_empty() { None } else { Some(pages.swap_remove(0)) })
    }
}
