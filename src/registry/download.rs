//! The digest of what an address gives: read once, kept nowhere.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::http::{Ask, Http, HttpError, words};

/// How long a server may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How long the whole may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);
/// Largest download, in bytes.
const MAX_SIZE: u64 = 32 << 30;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Its digest, `sha256:…`.
    pub digest: String,
    /// Its length, in bytes.
    pub bytes: u64,
}

impl Http {
    /// Reads what `url` gives to its end; `seen` hears how many bytes came so far.
    pub async fn digest(
        &self,
        url: &Url,
        mut seen: impl FnMut(u64),
    ) -> Result<Downloaded, HttpError> {
        let host = url.host_str().unwrap_or_default().to_string();
        let failed = |reason: String| HttpError { host: host.clone(), reason };
        let silent = || format!("it says nothing for {} s", SILENCE.as_secs());
        let ask = Ask {
            method: Method::GET,
            url: url.clone(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            unverified: false,
        };
        let whole = async {
            let answer = tokio::time::timeout(SILENCE, self.follow(ask)).await;
            let answer = answer.map_err(|_| silent())??;
            if answer.status() != StatusCode::OK {
                return Err(format!("it answers {}", answer.status()));
            }
            let mut body = answer.into_body();
            let (mut hasher, mut bytes) = (Sha256::new(), 0_u64);
            loop {
                let frame = tokio::time::timeout(SILENCE, body.frame()).await;
                let Some(frame) = frame.map_err(|_| silent())? else { break };
                let frame = frame.map_err(|error| format!("it broke off: {}", words(&error)))?;
                let Some(data) = frame.data_ref() else { continue };
                bytes += data.len() as u64;
                if bytes > MAX_SIZE {
                    return Err(format!("it is larger than {} GiB", MAX_SIZE >> 30));
                }
                hasher.update(data);
                seen(bytes);
            }
            let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(Downloaded { digest: format!("sha256:{hex}"), bytes })
        };
        match tokio::time::timeout(LIMIT, whole).await {
            Ok(done) => done.map_err(failed),
            Err(_) => Err(failed(format!("it takes more than {} minutes", LIMIT.as_secs() / 60))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::registry::ProxyVariables;

    /// A server that answers every request by its path.
    fn server(answer: fn(&str) -> &'static str) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut head = [0; 1000];
                let length = client.read(&mut head).unwrap();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                let _ = client.write_all(answer(path).as_bytes());
            }
        });
        format!("http://{address}").parse().unwrap()
    }

    async fn digest(url: &Url) -> Result<Downloaded, String> {
        let http = Http::new(ProxyVariables::default());
        http.digest(url, |_| {}).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn the_end_of_all_redirections_counts_and_a_broken_answer_does_not() {
        let base = server(|path| match path {
            "/moved" => "HTTP/1.1 302 Found\r\nLocation: /file\r\nContent-Length: 0\r\n\r\n",
            "/file" => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            "/short" => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "/around" => "HTTP/1.1 302 Found\r\nLocation: /around\r\nContent-Length: 0\r\n\r\n",
            _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
        });
        let expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = Downloaded { digest: expected.into(), bytes: 3 };
        assert_eq!(digest(&base.join("/moved").unwrap()).await, Ok(expected));
        for (path, reason) in [("/none", "404"), ("/short", "broke off"), ("/around", "too often")]
        {
            let error = digest(&base.join(path).unwrap()).await.unwrap_err();
            assert!(error.contains(reason), "{path}: {error}");
        }
    }
}
