//! Servers that are not what they should be.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A loopback server that answers every request by `answer`, given the request's head.
pub fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(client, &*answer));
        }
    });
    address
}

/// An HTTP response.
pub fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// An address at which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A registry that wants credentials and likes none.
pub fn locked_registry() -> String {
    server(|_| {
        let challenge = "WWW-Authenticate: Basic realm=\"test\"\r\nContent-Type: application/json\r\n\
                         Docker-Distribution-Api-Version: registry/2.0\r\n";
        let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
        response("401 Unauthorized", challenge, body)
    })
}

/// An engine from before BuildKit.
pub fn old_engine() -> String {
    server(|head| {
        let json = "Content-Type: application/json\r\nApi-Version: 1.24\r\n";
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            path if path.ends_with("/_ping") => response("200 OK", json, "OK"),
            path if path.ends_with("/version") => {
                let body =
                    r#"{"Version":"1.12.6","ApiVersion":"1.24","Os":"linux","Arch":"amd64"}"#;
                response("200 OK", json, body)
            }
            path if path.ends_with("/info") => {
                let body = r#"{"ServerVersion":"1.12.6","OSType":"linux","Architecture":"x86_64"}"#;
                response("200 OK", json, body)
            }
            path if path.contains("/distribution/") => {
                let body = r#"{"Descriptor":{"mediaType":"x","size":1,"digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},"Platforms":[]}"#;
                response("200 OK", json, body)
            }
            _ => response("404 Not Found", json, r#"{"message":"page not found"}"#),
        }
    })
}

fn serve(mut client: TcpStream, answer: &dyn Fn(&str) -> String) {
    let mut head = Vec::new();
    let mut byte = [0];
    // A request's body is of no interest: none of these servers is sent one it must read.
    while !head.ends_with(b"\r\n\r\n") {
        match client.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
        if head.ends_with(b"\r\n\r\n") {
            let text = answer(&String::from_utf8_lossy(&head));
            if client.write_all(text.as_bytes()).is_err() {
                return;
            }
            head.clear();
        }
    }
}
