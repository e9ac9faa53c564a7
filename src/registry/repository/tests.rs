use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex as StdMutex;

use super::*;
use crate::registry::ProxyVariables;

/// A registry that answers each request by its head and body; what it was asked.
fn registry(
    answer: impl Fn(&str, &str) -> String + Send + Sync + 'static,
) -> (String, Arc<StdMutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(StdMutex::new(Vec::new()));
    let (log, own) = (asked.clone(), address.clone());
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).replace(&own, "HOST");
            let length = head.to_ascii_lowercase();
            let length =
                length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            client.read_exact(&mut body).unwrap();
            log.lock().unwrap().push(head.lines().next().unwrap_or_default().to_string());
            let text = answer(&head, &String::from_utf8_lossy(&body)).replace("HOST", &own);
            let _ = client.write_all(text.as_bytes());
        }
    });
    (address, asked)
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

fn http() -> Http {
    Http::new(ProxyVariables::default())
}

fn login() -> Option<Arc<Login>> {
    let secret = |text: &str| Zeroizing::new(text.to_string());
    Some(Arc::new(Login {
        username: "me".into(),
        password: secret("hunter2"),
        identity_token: secret(""),
        registry_token: secret(""),
    }))
}

const TEXT: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#;

#[tokio::test]
async fn a_manifest_goes_under_a_name_with_a_token_for_just_that() {
    let (host, asked) = registry(|head, body| {
        if head.starts_with("POST /token") {
            assert!(body.contains("scope=repository%3Aa%2Fb%3Apull%2Cpush"), "{body}");
            assert!(body.contains("password=hunter2"), "{body}");
            return response("200 OK", "", r#"{"access_token":"T0"}"#);
        }
        let head = head.to_ascii_lowercase();
        if !head.contains("authorization: bearer t0") {
            let challenge =
                "WWW-Authenticate: Bearer realm=\"http://HOST/token\",service=\"s\"\r\n";
            return response("401 Unauthorized", challenge, "{}");
        }
        match head.split(' ').next() {
            Some("get") if head.contains("/manifests/") => {
                response("200 OK", "Content-Type: x/y\r\n", TEXT)
            }
            Some("put") => {
                assert!(head.contains("content-type: application/vnd.oci.image.manifest.v1+json"));
                assert_eq!(body, TEXT);
                response("201 Created", "", "")
            }
            _ => response("200 OK", "", "{}"),
        }
    });
    let http = http();
    let repository = Repository::open(&http, (&host, "a/b"), login(), false).await.unwrap();
    let manifest = repository.manifest(&digest(TEXT.as_bytes())).await.unwrap();
    repository.put("1.2", &manifest).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(asked.last().unwrap(), "PUT /v2/a/b/manifests/1.2 HTTP/1.1");
    assert_eq!(asked.iter().filter(|line| line.contains("/token")).count(), 1);
}

#[tokio::test]
async fn a_password_goes_along_where_that_is_asked_for() {
    let (host, _) = registry(|head, _| {
        // me:hunter2
        if head.to_ascii_lowercase().contains("authorization: basic bwu6ahvudgvymg==") {
            return response("200 OK", "", "{}");
        }
        response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "{}")
    });
    let http = http();
    Repository::open(&http, (&host, "a"), login(), false).await.unwrap();
    let error = Repository::open(&http, (&host, "a"), None, false).await.unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");
}

#[tokio::test]
async fn what_is_not_what_was_asked_for_is_not_put_anywhere() {
    let (host, _) = registry(|head, _| match head.starts_with("GET /v2/ ") {
        true => response("200 OK", "", "{}"),
        false => response("200 OK", "Content-Type: x/y\r\n", TEXT),
    });
    let http = http();
    let repository = Repository::open(&http, (&host, "a"), None, false).await.unwrap();
    let other = digest(b"other");
    let error = repository.manifest(&other).await.unwrap_err();
    assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_refusal_is_repeated_and_no_answer_is_none() {
    let (host, _) = registry(|head, _| match head.starts_with("PUT ") {
        true => response(
            "403 Forbidden",
            "",
            r#"{"errors":[{"code":"DENIED","message":"tags are immutable"}]}"#,
        ),
        false => response("200 OK", "", "{}"),
    });
    let http = http();
    let repository = Repository::open(&http, (&host, "a"), None, false).await.unwrap();
    let manifest = Manifest::new("", Bytes::from_static(TEXT.as_bytes()));
    let error = repository.put("1", &manifest).await.unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("tags are immutable"), "{error}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let error = Repository::open(&http, (&nobody, "a"), None, false).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable(_)), "{error}");
    assert!(Repository::open(&http, ("a b", "a"), None, false).await.is_err());
}

#[test]
fn only_this_machine_speaks_http_unasked() {
    for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"] {
        assert!(is_local(host), "{host}");
    }
    for host in ["registry.example", "localhost.example:5000", "127.example", "10.0.0.1:5000"] {
        assert!(!is_local(host), "{host}");
    }
}

#[tokio::test]
async fn a_tag_is_what_came_and_not_what_a_header_says() {
    let own = digest(TEXT.as_bytes());
    let told = own.clone();
    let (host, asked) = registry(move |head, _| {
        let lower = head.to_ascii_lowercase();
        if head.starts_with("GET /token") {
            return response("200 OK", "", r#"{"token":"T0"}"#);
        }
        if !lower.contains("authorization: bearer t0") {
            let challenge =
                "WWW-Authenticate: Bearer realm=\"http://HOST/token\",service=\"s\"\r\n";
            return response("401 Unauthorized", challenge, "{}");
        }
        let header = |digest: &str| format!("Docker-Content-Digest: {digest}\r\n");
        match head.split(' ').nth(1).unwrap_or_default() {
            "/v2/" => response("200 OK", "", "{}"),
            "/v2/a/manifests/good" => response("200 OK", &header(&told), TEXT),
            "/v2/a/manifests/silent" => response("200 OK", "", TEXT),
            "/v2/a/manifests/liar" => response("200 OK", &header(&digest(b"other")), TEXT),
            path if path.starts_with("/v2/a/blobs/") => response("200 OK", "", TEXT),
            _ => response("404 Not Found", "", "{}"),
        }
    });
    let http = http();
    let repository = Repository::reading(&http, (&host, "a"), None).await.unwrap();
    for tag in ["good", "silent"] {
        assert_eq!(repository.resolve(tag).await.unwrap().0, own);
    }
    let error = repository.resolve("liar").await.unwrap_err();
    assert!(matches!(error, RegistryError::Damaged { .. }), "{error}");
    assert_eq!(repository.resolve("none").await.unwrap_err().refusal(), Refusal::Absent);
    assert_eq!(repository.blob(&own).await.unwrap(), TEXT.as_bytes());
    assert!(repository.blob(&digest(b"other")).await.is_err());
    let asked = asked.lock().unwrap();
    let scopes = asked.iter().filter(|line| line.contains("/token"));
    assert!(scopes.clone().all(|line| line.contains("scope=repository%3Aa%3Apull ")), "{asked:?}");
}
