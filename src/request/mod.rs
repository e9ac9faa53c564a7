//! What was asked for: flags, environment and files become one value, once.
//!
//! Nothing later reads the environment, and everything that can be wrong without an engine is
//! found here, before anything starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::pins::reference::Reference;
use cofferdam_frontend::policy::secret_arg;

use crate::config::{self, Date, Exceptions};
use crate::engine::Endpoint;
use crate::engine::session::{RegistryAuth, SecretStore};
use crate::error::{Error, SourceText};
use crate::report::progress::settings::ProgressSettings;

mod environment;
mod pairs;
mod secret;

pub use environment::Environment;

/// Name of the lock file.
pub const LOCK_FILE: &str = "cofferdam.lock";
const DEFAULT_DOCKERFILE: &str = "Dockerfile";
/// Largest Dockerfile that is read, in bytes.
const MAX_DOCKERFILE: u64 = 64 << 20;

/// The flags of `build` as they were typed.
#[derive(Debug, Default)]
pub struct Typed {
    /// Build context.
    pub context: PathBuf,
    /// `-t`.
    pub tags: Vec<String>,
    /// `-f`.
    pub file: Option<PathBuf>,
    /// `--target`.
    pub target: Option<String>,
    /// `--platform`.
    pub platform: Option<String>,
    /// `--label`.
    pub labels: Vec<String>,
    /// `--build-arg`.
    pub build_args: Vec<String>,
    /// `--secret`.
    pub secrets: Vec<String>,
    /// `--locked`.
    pub locked: Option<bool>,
    /// `--network`.
    pub network: Option<String>,
    /// `--keep-suid`.
    pub keep_suid: Vec<String>,
    /// `-q`.
    pub print_id: bool,
    /// How progress is shown.
    pub progress: ProgressSettings,
    /// `--iidfile`.
    pub iidfile: Option<PathBuf>,
}

/// A file that keeps its set-uid bit, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Absolute path in the image.
    pub path: String,
    /// The reason, for the record.
    pub reason: String,
}

/// The Dockerfile of a build.
#[derive(Clone, Debug)]
pub struct DockerfileText {
    /// Path as the user would write it, for messages.
    pub shown: String,
    /// Its name without directories.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `<name>.dockerignore` beside it, if there is one.
    pub ignore: Option<Vec<u8>>,
}

impl DockerfileText {
    /// The text under the name that the user knows.
    pub fn source(&self) -> SourceText {
        let shown = self.shown.strip_prefix("./").unwrap_or(&self.shown).to_string();
        SourceText { shown, bytes: self.bytes.clone() }
    }
}

/// One build, checked as far as it can be without an engine.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// Directory of the context.
    pub context: PathBuf,
    /// The Dockerfile.
    pub dockerfile: DockerfileText,
    /// Names to give the image.
    pub tags: Vec<Reference>,
    /// Stage to build.
    pub target: Option<String>,
    /// Platform to build for; the engine's own otherwise.
    pub platform: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Secrets.
    pub secrets: SecretStore,
    /// Whether RUN steps get no network.
    pub no_network: bool,
    /// Files that keep their bits, from the command line and from `cofferdam.toml`.
    pub keep: Vec<Keep>,
    /// Whether file capabilities are removed.
    pub strip_capabilities: bool,
    /// What `cofferdam.toml` allows this Dockerfile.
    pub exceptions: Exceptions,
    /// What is worth a line before the build begins.
    pub notices: Vec<String>,
    /// The lock file, whether it exists or not.
    pub lock_path: PathBuf,
    /// Whether inputs that the lock does not hold are refused.
    pub locked: bool,
    /// Whether only the image's ID is printed.
    pub print_id: bool,
    /// How progress is shown.
    pub progress: ProgressSettings,
    /// Where to write the image's ID.
    pub iidfile: Option<PathBuf>,
    /// The engine.
    pub endpoint: Endpoint,
    /// Registry credentials.
    pub auth: RegistryAuth,
    /// Where records are kept.
    pub data_dir: PathBuf,
    /// Where short-lived state is kept.
    pub state_dir: Option<PathBuf>,
    /// Whether this runs in CI.
    pub in_ci: bool,
}

/// Reads what was typed.
pub fn read(typed: Typed, environment: &Environment) -> Result<BuildRequest, Error> {
    // An ID of an earlier build must not survive a failure of this one.
    if let Some(path) = &typed.iidfile {
        remove_if_there(path)?;
    }
    let tags = typed.tags.iter().map(|tag| image_name(tag)).collect::<Result<Vec<_>, _>>()?;
    check(typed, tags.clone(), environment).map_err(|error| error.naming(&tags))
}

fn check(
    typed: Typed,
    tags: Vec<Reference>,
    environment: &Environment,
) -> Result<BuildRequest, Error> {
    let Typed {
        context,
        tags: _,
        file,
        target,
        platform,
        labels,
        build_args,
        secrets,
        locked,
        network,
        keep_suid,
        print_id,
        progress,
        iidfile,
    } = typed;
    check_context(&context)?;
    let path = file.unwrap_or_else(|| context.join(DEFAULT_DOCKERFILE));
    let dockerfile = read_dockerfile(&path)?;
    let config_file = config::find(directory_of(&path));
    let today = Date::of(std::time::SystemTime::now());
    let configured = config::apply(config_file.as_deref(), Some(&path), today)?;
    let exceptions = configured.exceptions;
    let build_args = pairs::build_args(&build_args, |name| environment.var(name))?;
    refuse_secret_args(&build_args, &exceptions)?;
    let lock_path = lock_path(&path, config_file.as_deref());
    let locked = locked.unwrap_or(environment.in_ci() && lock_path.exists());
    let auth = RegistryAuth::load(&environment.docker_config_dir()).map_err(|error| {
        Error::usage_hint(error.to_string(), "mend the file, or point DOCKER_CONFIG elsewhere")
    })?;
    Ok(BuildRequest {
        tags,
        labels: pairs::labels(&labels)?,
        secrets: SecretStore::new(secret::read_all(&secrets, |name| environment.os_var(name))?),
        no_network: no_network(network.as_deref()).map_err(|error| error.offering(&exceptions))?,
        keep: keep_list(&keep_suid, configured.keep)?,
        strip_capabilities: configured.strip_capabilities,
        exceptions,
        notices: configured.notices,
        platform: single_platform(platform.or_else(|| environment.var("DOCKER_DEFAULT_PLATFORM")))?,
        endpoint: Endpoint::parse(environment.docker_host())?,
        data_dir: environment.data_dir()?,
        state_dir: environment.state_dir(),
        in_ci: environment.in_ci(),
        context,
        dockerfile,
        target: target.filter(|target| !target.is_empty()),
        build_args,
        lock_path,
        locked,
        print_id,
        progress,
        iidfile,
        auth,
    })
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(format!("remove the old {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

fn check_context(context: &Path) -> Result<(), Error> {
    match std::fs::metadata(context) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Error::usage_hint(
            format!("unable to prepare context: {} is not a directory", context.display()),
            "name the directory that COPY and ADD read from, for example `.`",
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::usage(format!(
            "unable to prepare context: path {:?} not found",
            context.display()
        ))),
        Err(error) => Err(Error::io(format!("read the context {}", context.display()))(error)),
    }
}

fn read_dockerfile(path: &Path) -> Result<DockerfileText, Error> {
    let shown = path.display().to_string();
    let bytes = match read_bounded(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::usage_hint(
                format!("no Dockerfile: {shown} does not exist"),
                "write one, or name another with -f FILE",
            ));
        }
        Err(error) => return Err(Error::io(format!("read {shown}"))(error)),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| DEFAULT_DOCKERFILE.into());
    let ignore = path.with_file_name(format!("{name}.dockerignore"));
    let ignore = match read_bounded(&ignore) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io(format!("read {}", ignore.display()))(error)),
    };
    Ok(DockerfileText { shown, name, bytes, ignore })
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_DOCKERFILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_DOCKERFILE {
        return Err(std::io::Error::other("it is larger than 64 MiB, which no Dockerfile is"));
    }
    Ok(bytes)
}

fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The lock stands next to `cofferdam.toml`, else next to the Dockerfile.
fn lock_path(dockerfile: &Path, config_file: Option<&Path>) -> PathBuf {
    directory_of(config_file.unwrap_or(dockerfile)).join(LOCK_FILE)
}

fn refuse_secret_args(
    build_args: &BTreeMap<String, String>,
    exceptions: &Exceptions,
) -> Result<(), Error> {
    for (name, value) in build_args {
        let Some(found) = secret_arg::secret_build_arg(name, value) else { continue };
        let rule = "secret-in-arg";
        if exceptions.allows(rule).is_none() {
            let refusal = Error::refused(Violation {
                rule,
                message: format!("--build-arg {name}: {}", found.reason),
                lines: Vec::new(),
                fix: secret_arg::advice(name, &found),
            });
            return Err(refusal.offering(exceptions));
        }
    }
    Ok(())
}

fn image_name(name: &str) -> Result<Reference, Error> {
    Reference::parse_tag_name(name).map_err(|error| {
        Error::usage_hint(
            format!("invalid tag {name:?}: {error}"),
            "write -t name:tag, in lower case",
        )
    })
}

fn no_network(mode: Option<&str>) -> Result<bool, Error> {
    match mode.unwrap_or("default") {
        "" | "default" => Ok(false),
        "none" => Ok(true),
        "host" => Err(Error::refused(Violation {
            rule: "host-network",
            message: "--network=host lets every RUN step reach the host's own services".into(),
            lines: Vec::new(),
            fix: "leave --network out; the default network reaches registries and mirrors".into(),
        })),
        other => Err(Error::usage(format!("--network {other:?}: known are default and none"))),
    }
}

fn single_platform(platform: Option<String>) -> Result<Option<String>, Error> {
    let platform = platform.filter(|platform| !platform.is_empty());
    if platform.as_ref().is_some_and(|platform| platform.contains(',')) {
        return Err(Error::usage_hint(
            "--platform names several platforms; this version builds one at a time",
            "build once per platform",
        ));
    }
    Ok(platform)
}

/// What the command line keeps, and what the configuration keeps beside it.
fn keep_list(typed: &[String], configured: Vec<config::Keep>) -> Result<Vec<Keep>, Error> {
    let mut list: Vec<Keep> =
        typed.iter().map(|entry| keep_suid_entry(entry)).collect::<Result<_, _>>()?;
    for config::Keep { path, reason, .. } in configured {
        if list.iter().all(|keep| keep.path != path) {
            list.push(Keep { path, reason });
        }
    }
    Ok(list)
}

fn keep_suid_entry(entry: &str) -> Result<Keep, Error> {
    let wrong = |what: &str| {
        Error::usage_hint(
            format!("--keep-suid {entry:?}: {what}"),
            "write --keep-suid /absolute/path='why it needs the bit'",
        )
    };
    let (path, reason) = entry.split_once('=').ok_or_else(|| wrong("it gives no reason"))?;
    if !path.starts_with('/') {
        return Err(wrong("the path is not absolute"));
    }
    if reason.trim().is_empty() {
        return Err(wrong("it gives no reason"));
    }
    Ok(Keep { path: path.to_string(), reason: reason.trim().to_string() })
}
