//! A random seed for each registry's host, kept beside Docker's configuration.
//!
//! The same files as buildx's: `.token_seed`, JSON, and `.token_seed.lock`, held while it is read
//! and written.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// Bytes of a seed.
const LENGTH: usize = 16;
/// How long another program may hold the lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// There is no seed, and so no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeedError {
    /// A file cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody holds the lock.
    #[error("{} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// No key comes of it.
    #[error("no key can be made")]
    Key,
}

type Known = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The seeds of this user, read when they are first needed.
#[derive(Debug)]
pub(super) struct Seeds {
    directory: PathBuf,
    known: Known,
}

#[derive(Default, Serialize, Deserialize)]
struct Seed {
    #[serde(rename = "Seed", default)]
    seed: String,
}

impl Seeds {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory, known: Known::default() }
    }

    /// The seed of `host`, the same in every session; where nothing can be written, the same in
    /// this one.
    pub(super) async fn of(&self, host: &str) -> Result<Vec<u8>, SeedError> {
        let (directory, known, host) =
            (self.directory.clone(), self.known.clone(), host.to_string());
        let work = tokio::task::spawn_blocking(move || seed(&directory, &known, host));
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(seed)) => seed,
            Ok(Err(_)) => Err(SeedError::Key),
            Err(_) => Err(SeedError::Locked(self.directory.join(".token_seed.lock"))),
        }
    }
}

fn seed(directory: &Path, known: &Known, host: String) -> Result<Vec<u8>, SeedError> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(seed) = known.get(&host) {
        return Ok(seed.clone());
    }
    let seed = match kept(directory, &host) {
        Ok(seed) => seed,
        // The password stays here all the same; only other sessions cannot share the token.
        Err(SeedError::File { path, source }) if unwritable(&source) => {
            tracing::debug!(?path, %source, "the token seed lives as long as this build");
            random()?
        }
        Err(error) => return Err(error),
    };
    known.insert(host, seed.clone());
    Ok(seed)
}

/// Reads the seed of `host`, or makes one and writes it.
fn kept(directory: &Path, host: &str) -> Result<Vec<u8>, SeedError> {
    let of = |path: &Path| {
        let path = path.to_path_buf();
        move |source| SeedError::File { path, source }
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(of(directory))?;
    let lock = directory.join(".token_seed.lock");
    let held = private().create(true).truncate(false).open(&lock).map_err(of(&lock))?;
    File::lock(&held).map_err(of(&lock))?;

    let path = directory.join(".token_seed");
    let mut seeds: BTreeMap<String, Seed> = match std::fs::read(&path) {
        // A crash may have left half of it.
        Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
        Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(of(&path)(error)),
    };
    let found = seeds.get(host).and_then(|seed| STANDARD.decode(&seed.seed).ok());
    if let Some(seed) = found.filter(|seed| !seed.is_empty()) {
        return Ok(seed);
    }
    let seed = random()?;
    seeds.insert(host.to_string(), Seed { seed: STANDARD.encode(&seed) });
    let text = serde_json::to_vec_pretty(&seeds).map_err(|_| SeedError::Key)?;
    write(directory, &path, &text).map_err(of(&path))?;
    Ok(seed)
}

/// Whole or not at all, for this user's eyes.
fn write(directory: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".token_seed-").tempfile_in(directory)?;
    file.write_all(text)?;
    file.persist(path)?;
    Ok(())
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn random() -> Result<Vec<u8>, SeedError> {
    use ring::rand::SecureRandom as _;
    let mut seed = vec![0; LENGTH];
    ring::rand::SystemRandom::new().fill(&mut seed).map_err(|_| SeedError::Key)?;
    Ok(seed)
}

fn unwritable(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::StorageFull
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_seed_is_kept_for_the_next_session_and_for_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("docker");
        let seed = Seeds::new(config.clone()).of("r").await.unwrap();
        assert_eq!(seed.len(), LENGTH);
        assert_eq!(Seeds::new(config.clone()).of("r").await.unwrap(), seed);
        assert_ne!(Seeds::new(config.clone()).of("s").await.unwrap(), seed);
        let mode =
            |name: &str| std::fs::metadata(config.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(".token_seed"), mode(".token_seed.lock")), (0o600, 0o600));
        // What buildx writes and reads.
        let text = std::fs::read_to_string(config.join(".token_seed")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["r"]["Seed"], STANDARD.encode(&seed));
    }

    #[tokio::test]
    async fn where_nothing_can_be_written_a_seed_lives_as_long_as_we_do() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        let seeds = Seeds::new(file.join("docker"));
        let seed = seeds.of("r").await.unwrap();
        assert_eq!(seeds.of("r").await.unwrap(), seed);
    }

    #[tokio::test]
    async fn a_damaged_file_is_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(".token_seed"), "{\"r\":{\"Se").unwrap();
        let seed = Seeds::new(directory.path().to_path_buf()).of("r").await.unwrap();
        assert_eq!(Seeds::new(directory.path().to_path_buf()).of("r").await.unwrap(), seed);
    }
}
