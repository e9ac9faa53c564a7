use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::registry::ProxyVariables;

/// A server that answers each request with the next of `answers`; what it was asked.
async fn server(answers: &'static [(u16, &'static str)]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let text = loop {
                let mut buffer = [0; 4096];
                let n = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..n]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                });
                if n == 0 || body.len() >= length.unwrap_or(0) {
                    break text;
                }
            };
            log.lock().unwrap().push(text);
            let extra =
                if *status == 302 { format!("Location: {body}\r\n") } else { String::new() };
            let answer = format!(
                "HTTP/1.1 {status} X\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

fn request(address: &str) -> TokenRequest {
    TokenRequest {
        realm: format!("http://{address}/token?account=x"),
        service: "the registry".into(),
        scopes: vec!["repository:a/b:pull".into(), "repository:c:pull,push".into()],
        client: String::new(),
    }
}

fn login(user: &str, password: &str, identity: &str) -> Login {
    Login {
        username: user.into(),
        password: Zeroizing::new(password.into()),
        identity_token: Zeroizing::new(identity.into()),
        ..Login::default()
    }
}

async fn ask(address: &str, login: Option<&Login>) -> Result<Token, TokenError> {
    fetch(&Http::new(ProxyVariables::default()), &request(address), login).await
}

#[tokio::test]
async fn nobody_gets_a_token_with_a_get() {
    let told = r#"{"token":"t","expires_in":300,"issued_at":"2024-02-29T12:00:00Z"}"#;
    let (address, asked) = server(Box::leak(Box::new([(200, told)]))).await;
    let token = ask(&address, None).await.unwrap();
    assert_eq!((token.token.as_str(), token.expires_in), ("t", 300));
    assert_eq!(token.issued_at, 1_709_208_000);
    let asked = asked.lock().unwrap()[0].clone();
    let line = asked.lines().next().unwrap();
    assert_eq!(
        line,
        "GET /token?account=x&service=the+registry&scope=repository%3Aa%2Fb%3Apull&\
         scope=repository%3Ac%3Apull%2Cpush HTTP/1.1"
    );
    assert!(!asked.to_ascii_lowercase().contains("authorization"));
}

#[tokio::test]
async fn an_identity_token_is_shown_in_a_post() {
    let (address, asked) = server(&[(200, r#"{"access_token":"t"}"#)]).await;
    let token = ask(&address, Some(&login("", "", "idt"))).await.unwrap();
    assert_eq!((token.token.as_str(), token.expires_in, token.issued_at), ("t", 60, 0));
    let asked = asked.lock().unwrap()[0].clone();
    assert!(asked.starts_with("POST /token?account=x HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("grant_type=refresh_token&refresh_token=idt"), "{asked}");
}

#[tokio::test]
async fn a_server_without_oauth_gets_a_basic_login() {
    for status in [401, 404, 405] {
        let answers = Box::leak(Box::new([(status, "no"), (200, r#"{"token":"t"}"#)]));
        let (address, asked) = server(answers).await;
        ask(&address, Some(&login("me", "p&p", ""))).await.unwrap();
        let asked = asked.lock().unwrap().clone();
        assert!(asked[0].contains("grant_type=password&username=me&password=p%26p"));
        let basic = STANDARD.encode("me:p&p");
        assert!(asked[1].starts_with("GET ") && asked[1].contains(&format!("Basic {basic}")));
    }
}

#[tokio::test]
async fn a_registry_token_needs_nobody() {
    let token = Login { registry_token: Zeroizing::new("rt".into()), ..Login::default() };
    assert_eq!(ask("127.0.0.1:1", Some(&token)).await.unwrap().token.as_str(), "rt");
}

#[tokio::test]
async fn refusals_are_told_without_the_login() {
    let me = login("me", "hunter2", "");
    let (address, _) = server(&[(403, "{\"details\":\"blocked\"}")]).await;
    let error = ask(&address, Some(&me)).await.unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("blocked"), "{error}");
    assert!(error.contains(&address) && !error.contains("account=x"), "{error}");
    let (address, _) = server(&[(200, "{}")]).await;
    assert!(ask(&address, Some(&me)).await.unwrap_err().to_string().contains("holds none"));
    let (address, _) = server(&[(200, "<html>")]).await;
    assert!(ask(&address, None).await.unwrap_err().to_string().contains("holds none"));
    let gone = ask("127.0.0.1:1", Some(&me)).await.unwrap_err().to_string();
    assert!(gone.contains("127.0.0.1") && !gone.contains("hunter2"), "{gone}");
    let bad = TokenRequest { realm: "no address".into(), ..TokenRequest::default() };
    let http = Http::new(ProxyVariables::default());
    assert!(matches!(fetch(&http, &bad, None).await, Err(TokenError::Realm(_))));
}

#[tokio::test]
async fn a_login_does_not_follow_a_redirection_to_another_server() {
    let (second, seen) = server(&[(200, r#"{"token":"t"}"#)]).await;
    let location: &'static str = Box::leak(format!("http://{second}/there").into_boxed_str());
    let answers = Box::leak(Box::new([(404, ""), (302, location)]));
    let (first, asked) = server(answers).await;
    ask(&first, Some(&login("me", "p", ""))).await.unwrap();
    assert!(asked.lock().unwrap()[1].to_ascii_lowercase().contains("authorization: basic"));
    assert!(!seen.lock().unwrap()[0].to_ascii_lowercase().contains("authorization"));
}
