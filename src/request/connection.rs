//! Which engine to talk to, and how: flags, then the environment, then Docker's configuration.
//!
//! Source: docker/cli, cli/command/cli.go, cli/flags/options.go and cli/command/cli_options.go.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};

use super::{ConnectionFlags, Environment, csv};
use crate::docker_config::{ConfigError, DockerConfig, ProxyArg};
use crate::engine::session::{RegistryAuth, TokenSettings};
use crate::engine::{Connection, DEFAULT_SOCKET, Endpoint, EngineError, Header, Tls, TlsFiles};
use crate::error::Error;
use crate::registry::{Http, ProxyVariables};

/// The context that is no context: flags and environment.
const DEFAULT_CONTEXT: &str = "default";
/// Where Docker looks when TLS is wanted and no address is given.
const DEFAULT_TLS_HOST: &str = "tcp://localhost:2376";
/// Headers that belong to the transport; a value of anybody's own breaks it.
const NOT_THEIRS: &[&str] =
    &["host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer"];

/// Everything that Docker's configuration has to say to a build.
#[derive(Debug)]
pub struct Docker {
    /// The engine.
    pub connection: Connection,
    /// The context in use, `default` for none.
    pub context: String,
    /// Everything else that is configured.
    pub config: DockerConfig,
    /// Build arguments for the engine's proxies, in upper case; see
    /// [`unset`](crate::docker_config::unset).
    pub proxy_args: Vec<ProxyArg>,
    /// Registry credentials; none is looked up yet.
    pub auth: RegistryAuth,
    /// How registries are asked from here; none is asked yet.
    pub http: Arc<Http>,
}

/// Reads Docker's configuration, once.
pub fn docker(flags: &ConnectionFlags, environment: &Environment) -> Result<Docker, Error> {
    let damaged = |error: ConfigError| {
        let hint = match error {
            ConfigError::Variable(_) => "mend the variable, or unset it",
            _ => "mend the file, or point DOCKER_CONFIG elsewhere",
        };
        Error::usage_hint(error.to_string(), hint)
    };
    let env = |name: &str| environment.var(name);
    let directory = environment.docker_config_dir(flags.config.as_deref());
    let mut config = DockerConfig::load(&directory).map_err(damaged)?;
    let (connection, context) = resolve(flags, env, &config, Path::exists)?;
    let proxy_args = config.proxy_args(&connection.endpoint.to_string());
    let proxies = ProxyVariables::read(env);
    let http = Arc::new(Http::new(proxies.clone()));
    let tokens = TokenSettings { directory, proxies };
    let tokens = Some(tokens).filter(|_| !is_true(env("BUILDKIT_NO_CLIENT_TOKEN").as_deref()));
    let credentials = config.credentials(env("DOCKER_AUTH_CONFIG").as_deref()).map_err(damaged)?;
    let auth = RegistryAuth::new(credentials, tokens);
    Ok(Docker { connection, context, config, proxy_args, auth, http })
}

/// As Go reads a boolean.
fn is_true(text: Option<&str>) -> bool {
    matches!(text, Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// What was chosen, before any of its files are read.
#[derive(Debug, PartialEq, Eq)]
enum Choice<'a> {
    /// An address and the words that gave it.
    Host(String, &'static str),
    /// A context and the words that named it.
    Context(String, &'a str),
    /// Nothing was said.
    Default,
}

/// The engine of a context, or at an address, as a builder's node names it.
pub(super) fn at(name: &str, config: &DockerConfig) -> Result<Connection, Error> {
    let mut flags = ConnectionFlags::default();
    match name.contains("://") {
        true => flags.host.push(name.to_string()),
        false => flags.context = Some(name.to_string()),
    }
    // What the environment says is said of the engine in use, not of this one.
    Ok(resolve(&flags, |_| None, config, Path::exists)?.0)
}

/// Finds the engine and the context that it is of; `env` looks up a variable, `exists` tells
/// whether there is such a file.
///
/// Reads the context's description and TLS files, once. No program is started and nothing is
/// dialled.
fn resolve(
    flags: &ConnectionFlags,
    env: impl Fn(&str) -> Option<String>,
    config: &DockerConfig,
    exists: impl Fn(&Path) -> bool,
) -> Result<(Connection, String), Error> {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    let tls = TlsWish::read(flags, &env, config);
    let mut context = DEFAULT_CONTEXT.to_string();
    let (endpoint, origin) = match choose(flags, &env, config)? {
        Choice::Context(name, from) => {
            let endpoint = of_context(config, &name)?;
            let origin = format!("the context {name:?} ({from})");
            context = name;
            (endpoint, origin)
        }
        Choice::Host(host, from) => {
            let endpoint = parse(&host, from)?;
            (tls.apply(endpoint, &exists)?, from.to_string())
        }
        Choice::Default => {
            let endpoint = match tls.wanted {
                true => parse(DEFAULT_TLS_HOST, "the default address")?,
                false => default_socket(&env, &exists),
            };
            (tls.apply(endpoint, &exists)?, "the default".to_string())
        }
    };
    tracing::debug!(%endpoint, origin, "the engine");
    let api_version = env("DOCKER_API_VERSION").map(|text| api_version(&text)).transpose()?;
    let headers = headers(env("DOCKER_CUSTOM_HEADERS").as_deref(), config)?;
    Ok((Connection { endpoint, headers, api_version, origin }, context))
}

fn choose<'a>(
    flags: &ConnectionFlags,
    env: &impl Fn(&str) -> Option<String>,
    config: &DockerConfig,
) -> Result<Choice<'a>, Error> {
    let named = flags.context.as_deref().filter(|name| !name.is_empty());
    if named.is_some() && !flags.host.is_empty() {
        return Err(Error::usage("conflicting options: cannot specify both --host and --context"));
    }
    let host = match flags.host.as_slice() {
        [] => env("DOCKER_HOST").map(|host| (host, "DOCKER_HOST")),
        [host] => Some((host.clone(), "--host")),
        _ => return Err(Error::usage("specify only one -H")),
    };
    let context = match named {
        Some(name) => Some((name.to_string(), "--context")),
        None if host.is_some() => None,
        None => env("DOCKER_CONTEXT").map(|name| (name, "DOCKER_CONTEXT")).or_else(|| {
            let name = config.current_context()?;
            Some((name.to_string(), "currentContext in config.json"))
        }),
    };
    Ok(match (context, host) {
        (Some((name, from)), _) if name != DEFAULT_CONTEXT => Choice::Context(name, from),
        (_, Some((host, from))) if !host.trim().is_empty() => Choice::Host(host, from),
        _ => Choice::Default,
    })
}

fn parse(host: &str, from: &str) -> Result<Endpoint, Error> {
    Endpoint::parse(Some(host)).map_err(|error| match error {
        EngineError::BadHost { host, reason, .. } => {
            Error::Engine(EngineError::BadHost { from: from.to_string(), host, reason })
        }
        other => Error::Engine(other),
    })
}

fn of_context(config: &DockerConfig, name: &str) -> Result<Endpoint, Error> {
    let stored = config.context(name).map_err(|error| {
        Error::usage_hint(
            format!("unable to resolve docker endpoint: {error}"),
            "see `docker context ls`, or leave the context out with --context default",
        )
    })?;
    let endpoint = parse(&stored.host, &format!("the host of the context {name:?},"))?;
    if !stored.wants_tls() || !matches!(endpoint, Endpoint::Tcp(_)) {
        return Ok(endpoint);
    }
    secured(
        endpoint,
        TlsFiles {
            ca: stored.ca,
            cert: stored.cert,
            key: stored.key,
            server_name: None,
            http2: false,
            skip_verify: stored.skip_tls_verify,
        },
    )
}

/// TLS as flags and environment wish it, for an engine that is no context's.
struct TlsWish {
    wanted: bool,
    verify: bool,
    /// Where files are that no flag names.
    directory: PathBuf,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl TlsWish {
    /// `--tlsverify` and `DOCKER_TLS_VERIFY` verify, `--tls` and `DOCKER_TLS` alone do not; the
    /// files are those of flags, else of `DOCKER_CERT_PATH`.
    fn read(
        flags: &ConnectionFlags,
        env: &impl Fn(&str) -> Option<String>,
        config: &DockerConfig,
    ) -> Self {
        let verify = flags.tls_verify.unwrap_or_else(|| env("DOCKER_TLS_VERIFY").is_some());
        let tls = flags.tls.unwrap_or_else(|| env("DOCKER_TLS").is_some());
        let directory = env("DOCKER_CERT_PATH").map(PathBuf::from);
        let named = |file: &Option<OsString>| {
            file.clone().filter(|file| !file.is_empty()).map(PathBuf::from)
        };
        Self {
            // As with docker, to say that nothing is to be verified is to want TLS.
            wanted: tls || verify || flags.tls_verify.is_some(),
            verify,
            directory: directory.unwrap_or_else(|| config.directory().to_path_buf()),
            ca: named(&flags.tls_ca_cert),
            cert: named(&flags.tls_cert),
            key: named(&flags.tls_key),
        }
    }

    fn apply(self, endpoint: Endpoint, exists: &impl Fn(&Path) -> bool) -> Result<Endpoint, Error> {
        if !self.wanted || !matches!(endpoint, Endpoint::Tcp(_)) {
            return Ok(endpoint);
        }
        let Self { wanted: _, verify, directory, ca, cert, key } = self;
        let file = |name: &str| Some(directory.join(name)).filter(|path| exists(path));
        secured(
            endpoint,
            TlsFiles {
                // Whoever wants to verify must say by whom.
                ca: verify.then(|| ca.unwrap_or_else(|| directory.join("ca.pem"))),
                cert: cert.or_else(|| file("cert.pem")),
                key: key.or_else(|| file("key.pem")),
                server_name: None,
                http2: false,
                skip_verify: !verify,
            },
        )
    }
}

pub(super) fn secured(endpoint: Endpoint, files: TlsFiles) -> Result<Endpoint, Error> {
    let tls = Tls::load(files).map_err(|error| {
        Error::usage_hint(
            format!("cannot use TLS with {endpoint}: {error}"),
            "renew the file, or name another engine with --context or DOCKER_HOST",
        )
    })?;
    Ok(endpoint.with_tls(tls))
}

/// The socket of a Docker that runs without root, where there is no other: docker itself only
/// finds it through a context.
fn default_socket(
    env: &impl Fn(&str) -> Option<String>,
    exists: &impl Fn(&Path) -> bool,
) -> Endpoint {
    let default = Endpoint::Unix(DEFAULT_SOCKET.into());
    if exists(Path::new(DEFAULT_SOCKET)) {
        return default;
    }
    let rootless = env("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("docker.sock"));
    match rootless.filter(|socket| socket.is_absolute() && exists(socket)) {
        Some(socket) => {
            tracing::debug!(?socket, "no {DEFAULT_SOCKET}; using the one of a rootless Docker");
            Endpoint::Unix(socket)
        }
        None => default,
    }
}

/// `1.41`; Docker's own tools write it without the `v` and allow it.
fn api_version(text: &str) -> Result<(usize, usize), Error> {
    let number = |part: &str| part.parse().ok().filter(|_| !part.starts_with('+'));
    let version = text.strip_prefix('v').unwrap_or(text).split_once('.');
    version.and_then(|(major, minor)| Some((number(major)?, number(minor)?))).ok_or_else(|| {
        Error::usage_hint(
            format!("DOCKER_API_VERSION {text:?} is no version"),
            "write a number like 1.41, or leave it out and the engine is asked",
        )
    })
}

/// The variable's headers replace the file's, as with docker.
fn headers(variable: Option<&str>, config: &DockerConfig) -> Result<Vec<Header>, Error> {
    let Some(text) = variable else {
        let pairs =
            config.http_headers().map(|(name, value)| (name.to_string(), value.to_string()));
        return pairs
            .map(|(name, value)| header(name, value, "HttpHeaders of config.json"))
            .collect();
    };
    let failed = |what: &str| {
        Error::usage(format!(
            "failed to set custom headers from DOCKER_CUSTOM_HEADERS environment variable: {what}"
        ))
    };
    let line = text.lines().next().unwrap_or_default();
    let fields = csv::fields(line)
        .map_err(|_| failed("value must be formatted as comma-separated key=value pairs"))?;
    let mut headers: Vec<Header> = Vec::new();
    for field in fields {
        // The values may be secret and are not repeated.
        let (name, value) =
            field.split_once('=').ok_or_else(|| failed("missing \"=\" in a key=value pair"))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(failed("value contains a key=value pair with an empty key"));
        }
        headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
        headers.push(header(name.to_string(), value.to_string(), "DOCKER_CUSTOM_HEADERS")?);
    }
    Ok(headers)
}

fn header(name: String, value: String, from: &str) -> Result<Header, Error> {
    let lower = name.to_ascii_lowercase();
    if NOT_THEIRS.contains(&lower.as_str()) {
        return Err(Error::usage(format!("{from}: the header {name} cannot be set")));
    }
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err(Error::usage(format!("{from}: {name:?} is no header's name")));
    }
    if HeaderValue::from_str(&value).is_err() {
        return Err(Error::usage(format!("{from}: the value of {name} is no header's value")));
    }
    Ok(Header { name, value })
}

#[cfg(test)]
mod tests;
