//! An editor's side of a conversation.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tower_lsp_server::{LspService, Server};

use super::server::Dockerfiles;

const URI: &str = "untitled:Dockerfile";

struct Editor {
    to: tokio::io::DuplexStream,
    from: BufReader<tokio::io::DuplexStream>,
}

impl Editor {
    async fn start() -> Self {
        let (to, input) = tokio::io::duplex(1 << 16);
        let (output, from) = tokio::io::duplex(1 << 16);
        let (service, socket) = LspService::new(Dockerfiles::new);
        tokio::spawn(Server::new(input, output, socket).serve(service));
        let mut editor = Self { to, from: BufReader::new(from) };
        let told = editor.ask("initialize", json!({"capabilities": {}})).await;
        assert_eq!(told["capabilities"]["positionEncoding"], "utf-16");
        editor.say(json!({"method": "initialized", "params": {}})).await;
        editor
    }

    async fn say(&mut self, mut message: Value) {
        message["jsonrpc"] = "2.0".into();
        let text = message.to_string();
        let head = format!("Content-Length: {}\r\n\r\n{text}", text.len());
        self.to.write_all(head.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.from.read_line(&mut line).await.unwrap();
            match line.trim().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap();
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(json!({"id": 1, "method": method, "params": params})).await;
        let mut told = self.hear().await;
        assert!(told["error"].is_null(), "{told}");
        told["result"].take()
    }

    /// Opens a text; what is wrong with it.
    async fn open(&mut self, text: &str) -> Value {
        let document = json!({"uri": URI, "languageId": "dockerfile", "version": 1, "text": text});
        self.say(json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}))
            .await;
        self.hear().await["params"]["diagnostics"].take()
    }
}

fn rules(diagnostics: &Value) -> Vec<&str> {
    diagnostics.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn findings_fixes_and_pages() {
    let mut editor = Editor::start().await;
    let found =
        editor.open("FROM scratch\nUSER 1000\nADD app /srv/app\nCMD [\"/srv/app\"]\n").await;
    assert_eq!(rules(&found), ["local-add"]);
    assert_eq!(found[0]["range"]["start"], json!({"line": 2, "character": 0}));
    let range = json!({"start": {"line": 2, "character": 1}, "end": {"line": 2, "character": 1}});
    let document = json!({"uri": URI});
    let actions = editor
        .ask(
            "textDocument/codeAction",
            json!({"textDocument": document, "range": range, "context": {"diagnostics": []}}),
        )
        .await;
    assert_eq!(actions[0]["title"], "use COPY");
    assert_eq!(actions[0]["edit"]["changes"][URI][0]["newText"], "COPY");
    let hover = editor
        .ask("textDocument/hover", json!({"textDocument": document, "position": range["start"]}))
        .await;
    assert!(hover["contents"]["value"].as_str().unwrap().starts_with("# local-add"));
}

#[tokio::test]
async fn a_change_is_checked_and_a_closed_file_is_clean() {
    let mut editor = Editor::start().await;
    assert_eq!(rules(&editor.open("FROM scratch\nNO\n").await), ["parse-error"]);
    let changes = json!([{"text": "FROM scratch\nUSER 1000\nCOPY app /app\n"}]);
    let document = json!({"uri": URI, "version": 2});
    editor
        .say(json!({
            "method": "textDocument/didChange",
            "params": {"textDocument": document, "contentChanges": changes},
        }))
        .await;
    assert_eq!(editor.hear().await["params"]["diagnostics"], json!([]));
    editor.open("FROM scratch\nNO\n").await;
    let close = json!({"textDocument": {"uri": URI}});
    editor.say(json!({"method": "textDocument/didClose", "params": close})).await;
    assert_eq!(editor.hear().await["params"]["diagnostics"], json!([]));
    assert_eq!(editor.ask("shutdown", Value::Null).await, Value::Null);
}
