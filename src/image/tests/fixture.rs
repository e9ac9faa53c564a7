//! Images made by hand, on the disk and behind a registry's door.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

use crate::builders::Platform;
use crate::engine::session::{SecretStore, SecretValue};
use crate::image::{Source, Wanted};
use crate::request::{ConnectionFlags, Environment, ImageRequest, docker};

/// A digest that no blob has.
pub(super) const NOBODY: &str =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

pub(super) fn npm(name: &str, version: &str) -> (String, Vec<u8>) {
    let text = format!(r#"{{"name":"{name}","version":"{version}"}}"#);
    (format!("app/node_modules/{name}/package.json"), text.into_bytes())
}

pub(super) fn layer(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.to_vec()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// An image by the digests of its parts.
pub(super) struct Made {
    pub(super) manifest: String,
    pub(super) config: String,
    pub(super) layers: Vec<String>,
    platform: String,
    size: usize,
}

/// A directory for everything.
pub(super) struct World {
    dir: tempfile::TempDir,
    blobs: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), blobs: Mutex::default() }
    }

    pub(super) fn add(&self, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        self.blobs.lock().unwrap().insert(digest.clone(), bytes.to_vec());
        digest
    }

    pub(super) fn blob(&self, digest: &str) -> Vec<u8> {
        self.blobs.lock().unwrap()[digest].clone()
    }

    /// Another content under the digest, or none.
    pub(super) fn replace(&self, digest: &str, bytes: Option<&[u8]>) {
        let mut blobs = self.blobs.lock().unwrap();
        match bytes {
            Some(bytes) => blobs.insert(digest.into(), bytes.to_vec()),
            None => blobs.remove(digest),
        };
    }

    pub(super) fn image(
        &self,
        layers: &[Vec<u8>],
        pack: fn(&[u8]) -> Vec<u8>,
        platform: &str,
    ) -> Made {
        let config = self.add(config(layers, platform).as_bytes());
        let packed: Vec<Vec<u8>> = layers.iter().map(|layer| pack(layer)).collect();
        let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
        let described: Vec<String> = packed
            .iter()
            .map(|blob| {
                let (digest, size) = (self.add(blob), blob.len());
                format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size}}}"#)
            })
            .collect();
        let manifest = format!(
            r#"{{"config":{{"digest":"{config}","size":1}},"layers":[{}]}}"#,
            described.join(",")
        );
        let size = manifest.len();
        let layers = packed.iter().map(|blob| digest(blob)).collect();
        let manifest = self.add(manifest.as_bytes());
        Made { manifest, config, layers, platform: platform.into(), size }
    }

    pub(super) fn index(&self, images: &[&Made]) -> String {
        let entry = |made: &&Made| {
            let Made { manifest, platform, size, .. } = made;
            let parts: Vec<&str> = platform.split('/').collect();
            format!(
                r#"{{"digest":"{manifest}","size":{size},
                    "platform":{{"os":"{}","architecture":"{}"}}}}"#,
                parts[0], parts[1]
            )
        };
        let entries: Vec<String> = images.iter().map(entry).collect();
        format!(r#"{{"manifests":[{}]}}"#, entries.join(","))
    }

    /// A layout with this index; with a tag the index stands in another one.
    pub(super) fn layout(&self, index: &str, tag: &str) -> String {
        let directory = self.dir.path().join("layout");
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(directory.join("blobs/sha256")).unwrap();
        let outer = match tag {
            "" => index.to_string(),
            tag => {
                let inner = self.add(index.as_bytes());
                format!(
                    r#"{{"manifests":[{{"digest":"{inner}","size":1,
                        "annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}}}]}}"#
                )
            }
        };
        std::fs::write(directory.join("index.json"), outer).unwrap();
        std::fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        for (digest, bytes) in self.blobs.lock().unwrap().iter() {
            let path = directory.join("blobs").join(digest.replace(':', "/"));
            std::fs::write(path, bytes).unwrap();
        }
        directory.display().to_string()
    }

    /// A directory as an archive.
    pub(super) fn archive(&self, name: &str, directory: &str) -> String {
        let path = self.dir.path().join(format!("{name}.tar"));
        let mut builder = Builder::new(std::fs::File::create(&path).unwrap());
        builder.append_dir_all(".", directory).unwrap();
        builder.finish().unwrap();
        path.display().to_string()
    }

    /// What `docker save` of 20.10 writes.
    pub(super) fn saved(&self, name: &str, layers: &[Vec<u8>]) -> String {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let names: Vec<String> = (0..layers.len()).map(|n| format!("{n}/layer.tar")).collect();
        for (name, layer) in names.iter().zip(layers) {
            files.push((name.clone(), layer.clone()));
        }
        files.push(("c.json".into(), config(layers, "linux/amd64").into_bytes()));
        let manifest =
            format!(r#"[{{"Config":"c.json","RepoTags":["app:1"],"Layers":{names:?}}}]"#);
        files.push(("manifest.json".into(), manifest.into_bytes()));
        let path = self.dir.path().join(format!("{name}.tar"));
        std::fs::write(&path, layer(&files)).unwrap();
        path.display().to_string()
    }

    pub(super) fn gzipped(&self, name: &str, archive: &str) -> String {
        let path = self.dir.path().join(format!("{name}.tar"));
        std::fs::write(&path, gzip(&std::fs::read(archive).unwrap())).unwrap();
        path.display().to_string()
    }

    pub(super) fn request(&self, source: &str, platform: Option<&str>) -> ImageRequest {
        let wanted = Wanted {
            platform: Platform::parse(platform.unwrap_or("linux/amd64")),
            asked: platform.is_some(),
        };
        let home = self.dir.path().join("home").into_os_string();
        let nobody = "unix:///nonexistent/docker.sock".into();
        let variables = [("HOME".into(), home), ("DOCKER_HOST".into(), nobody)];
        let environment = Environment::given(variables);
        let docker = docker(&ConnectionFlags::default(), &environment).unwrap();
        ImageRequest {
            source: Source::of(source).unwrap(),
            wanted,
            docker: Some(docker),
            cache: Some(self.dir.path().join("cache")),
            contents: false,
            secrets: SecretStore::default(),
        }
    }

    pub(super) fn searching(&self, source: &str, value: &str) -> ImageRequest {
        let value = SecretValue::new(value.as_bytes().to_vec());
        let secrets = SecretStore::new(BTreeMap::from([("token".to_string(), value)]));
        ImageRequest { secrets, ..self.request(source, None) }
    }

    /// The entries of the cache.
    pub(super) fn cached(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.dir.path().join("cache/layers"));
        let entries = entries.into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| Path::is_file(path)).collect()
    }
}

fn config(layers: &[Vec<u8>], platform: &str) -> String {
    let ids: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
    let parts: Vec<&str> = platform.split('/').collect();
    format!(
        r#"{{"os":"{}","architecture":"{}","rootfs":{{"diff_ids":{ids:?}}}}}"#,
        parts[0], parts[1]
    )
}

/// A registry that remembers what it was asked.
pub(super) struct Registry {
    pub(super) address: String,
    content: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let content: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (served, heard) = (content.clone(), asked.clone());
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut head = [0; 4000];
                let length = client.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_string();
                let found = match path.as_str() {
                    "/v2/" => Some(Vec::new()),
                    path => {
                        let name = path.rsplit('/').next().unwrap_or_default();
                        served.lock().unwrap().get(name).cloned()
                    }
                };
                heard.lock().unwrap().push(path);
                let (status, body) = match found {
                    Some(body) => ("200 OK", body),
                    None => ("404 Not Found", b"{}".to_vec()),
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = client.write_all(head.as_bytes());
                let _ = client.write_all(&body);
            }
        });
        Self { address, content, asked }
    }

    /// Everything that there is now, and an index under a tag.
    pub(super) fn serves(&self, world: &World, index: &str, tag: &str) {
        let mut content = self.content.lock().unwrap();
        content.clone_from(&world.blobs.lock().unwrap());
        content.insert(tag.into(), index.as_bytes().to_vec());
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}
