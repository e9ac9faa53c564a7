//! The engine's REST API, as far as looking at images needs it.

use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

/// An engine's socket.
#[derive(Debug)]
pub struct Daemon {
    socket: PathBuf,
}

/// The body of a good answer, until the connection ends.
pub type Body = BufReader<UnixStream>;

impl Daemon {
    pub fn new(socket: &str) -> Self {
        Self { socket: socket.into() }
    }

    /// `docker image inspect`; `None` when there is no such image.
    pub fn inspect(&self, image: &str) -> Option<Value> {
        self.json("GET", &format!("/images/{image}/json"), None).ok()
    }

    /// `docker history`, newest first.
    pub fn history(&self, image: &str) -> Result<Value> {
        self.json("GET", &format!("/images/{image}/history"), None)
    }

    /// Names and IDs of the images that hold `part` as a part of their name.
    pub fn images(&self, part: &str) -> Vec<(String, String)> {
        // The containerd store reads every image that it lists. A `*` matches no slash.
        let ends = [format!("{part}*"), format!("{part}/*")];
        let patterns: Vec<String> = ends
            .iter()
            .flat_map(|end| ["", "*/", "*/*/"].map(|start| format!("{start}{end}")))
            .collect();
        let filters = json!({ "reference": patterns }).to_string();
        let filters =
            percent_encoding::utf8_percent_encode(&filters, percent_encoding::NON_ALPHANUMERIC);
        let path = format!("/images/json?filters={filters}");
        // The list fails when an image goes away while it is made.
        let lists = (0..5).find_map(|_| self.json("GET", &path, None).ok());
        let mut names = Vec::new();
        for image in lists.iter().flat_map(Value::as_array).flatten() {
            let id = image["Id"].as_str().unwrap_or_default();
            for name in image["RepoTags"].as_array().into_iter().flatten() {
                names.push((name.as_str().unwrap_or_default().to_string(), id.to_string()));
            }
        }
        names.sort();
        names
    }

    /// The root file system of an image as a tar, given to `read` while it arrives.
    pub fn export<T>(&self, image: &Value, id: &str, read: impl FnOnce(Body) -> T) -> Result<T> {
        let text = |key: &str| image[key].as_str().unwrap_or_default();
        let mut platform = format!("{}/{}", text("Os"), text("Architecture"));
        if !text("Variant").is_empty() {
            platform = format!("{platform}/{}", text("Variant"));
        }
        let path = format!("/containers/create?platform={platform}");
        let config = json!({ "Image": id, "Cmd": ["/none"], "NetworkDisabled": true });
        let container = self.json("POST", &path, Some(&config))?;
        let container = container["Id"].as_str().unwrap_or_default().to_string();
        let tar = self.call("GET", &format!("/containers/{container}/export"), None);
        let found = tar.map(read);
        self.call("DELETE", &format!("/containers/{container}?force=1&v=1"), None)?;
        found
    }

    /// `docker rmi`.
    pub fn remove_image(&self, image: &str) -> Result<()> {
        self.call("DELETE", &format!("/images/{image}"), None).map(drop)
    }

    fn json(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        Ok(serde_json::from_reader(self.call(method, path, body)?)?)
    }

    /// HTTP/1.0, so that the body simply ends with the connection.
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Body> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut stream = BufReader::with_capacity(1 << 16, stream);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let good = line.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
        let mut header = String::new();
        while stream.read_line(&mut header)? > 2 {
            header.clear();
        }
        if !good {
            stream.read_to_string(&mut line)?;
            return Err(Error::other(format!("{method} {path}: {line}")));
        }
        Ok(stream)
    }
}
