//! `--secret`: read once, before anything else happens, into the one type that never shows them.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use cofferdam_frontend::policy::secret_arg;

use super::csv;
use crate::engine::session::{Kind, SecretStore, SecretValue, SshAgents};
use crate::error::Error;

/// BuildKit's own limit, in bytes.
const MAX_SIZE: u64 = 500 * 1024;

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    File(PathBuf),
    Env(String),
}

/// Reads all secrets; `env` looks up an environment variable.
pub(super) fn read_all(
    specs: &[String],
    env: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<BTreeMap<String, SecretValue>, Error> {
    let mut values = BTreeMap::new();
    for spec in specs.iter().filter(|spec| !spec.is_empty()) {
        let (id, from) = parse(spec, |name| env(name).is_some())?;
        let value = match &from {
            From::File(path) => read_file(&id, path)?,
            From::Env(name) => read_env(&id, name, env(name))?,
        };
        // The last one of a name counts, as with buildx.
        values.insert(id, value);
    }
    Ok(values)
}

/// Adds what must not be in the image and no step may mount: build arguments that are secrets, which
/// only an exception lets this far, and the private keys that steps have things signed with.
pub(super) fn with_others(
    secrets: BTreeMap<String, SecretValue>,
    build_args: &BTreeMap<String, String>,
    ssh: Option<&SshAgents>,
) -> Result<SecretStore, Error> {
    let args = build_args
        .iter()
        .filter(|(name, value)| secret_arg::secret_build_arg(name, value).is_some())
        .map(|(name, value)| {
            (Kind::Argument, name.clone(), SecretValue::new(value.clone().into_bytes()))
        });
    let keys = ssh.into_iter().flat_map(SshAgents::private_keys);
    let keys = keys.map(|(id, value)| (Kind::Key, id.to_string(), value.clone()));
    let more = args.chain(keys).collect();
    SecretStore::new(secrets)
        .searching_for(more)
        .ok_or_else(|| Error::usage("the system gives no random numbers"))
}

/// Reads `id=…,src=…|env=…,type=file|env`; a bare id is a variable of that name, else a file.
fn parse(spec: &str, is_set: impl Fn(&str) -> bool) -> Result<(String, From), Error> {
    const FORM: &str = "--secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE";
    // The spec is not repeated in errors: people paste values into it.
    let wrong =
        |what: &str| Error::usage_hint(format!("--secret: {what}"), format!("write {FORM}"));
    let (mut id, mut file, mut variable, mut kind) = (None, None, None, None);
    for field in csv::fields(spec).map_err(|error| wrong(&error.to_string()))? {
        let Some((key, value)) = field.split_once('=') else {
            return Err(wrong("a field is not key=value"));
        };
        let slot = match key.trim().to_ascii_lowercase().as_str() {
            "id" => &mut id,
            "src" | "source" => &mut file,
            "env" => &mut variable,
            "type" => &mut kind,
            _ => return Err(wrong("unknown field; known are id, src, env and type")),
        };
        *slot = Some(value.to_string());
    }
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| wrong("it has no id"))?;
    let from = match (file, variable, kind.as_deref()) {
        (Some(_), Some(_), _) => return Err(wrong("both src and env are given")),
        // `type=env,src=NAME` is buildx's other way to write env=NAME.
        (Some(name), None, Some("env")) => From::Env(name),
        (Some(path), None, None | Some("file")) => From::File(path.into()),
        (None, Some(name), None | Some("env")) => From::Env(name),
        (None, None, Some("env")) => From::Env(id.clone()),
        (None, None, None) if is_set(&id) => From::Env(id.clone()),
        (None, None, None | Some("file")) => From::File(id.clone().into()),
        _ => return Err(wrong("type is file or env")),
    };
    Ok((id, from))
}

fn read_file(id: &str, path: &PathBuf) -> Result<SecretValue, Error> {
    let failed = |source: std::io::Error| {
        Error::usage_hint(
            format!("cannot read the secret {id} from {}: {source}", path.display()),
            format!("name a file that can be read, or a variable: --secret id={id},env=VARIABLE"),
        )
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    // Room for all of it at once: growing would leave copies behind in memory.
    let mut bytes = Vec::with_capacity(usize::try_from(MAX_SIZE).unwrap_or(0) + 1);
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(failed)?;
    check(id, SecretValue::new(bytes), &format!("the file {}", path.display()))
}

fn read_env(id: &str, name: &str, value: Option<std::ffi::OsString>) -> Result<SecretValue, Error> {
    use std::os::unix::ffi::OsStringExt as _;
    let Some(value) = value else {
        return Err(Error::usage_hint(
            format!("secret {id}: the variable {name} is not set"),
            format!("set {name}, or give a file: --secret id={id},src=FILE"),
        ));
    };
    check(id, SecretValue::new(value.into_vec()), &format!("the variable {name}"))
}

fn check(id: &str, value: SecretValue, from: &str) -> Result<SecretValue, Error> {
    if value.is_empty() {
        return Err(Error::usage_hint(
            format!("secret {id}: {from} is empty"),
            "a step that needs the secret would run without it; fill it or leave --secret out",
        ));
    }
    if value.len() as u64 > MAX_SIZE {
        return Err(Error::usage(format!(
            "secret {id}: {from} is larger than {} KiB, BuildKit's limit",
            MAX_SIZE / 1024
        )));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(spec: &str) -> Option<(String, From)> {
        parse(spec, |name| name == "SET").ok()
    }

    #[test]
    fn every_form_of_buildx_is_read() {
        let file = |id: &str, path: &str| Some((id.to_string(), From::File(path.into())));
        let env = |id: &str, name: &str| Some((id.to_string(), From::Env(name.into())));
        assert_eq!(from("id=a,src=b"), file("a", "b"));
        assert_eq!(from("id=a,source=/c d"), file("a", "/c d"));
        assert_eq!(from("id=a,\"src=b,c\""), file("a", "b,c"));
        assert_eq!(from("id=a,env=X"), env("a", "X"));
        assert_eq!(from("type=env,id=a,src=X"), env("a", "X"));
        assert_eq!(from("type=file,id=a,src=X"), file("a", "X"));
        assert_eq!(from("id=SET"), env("SET", "SET"));
        assert_eq!(from("id=unset"), file("unset", "unset"));
        for bad in ["", "a", "src=b", "id=,src=b", "id=a,x=b", "id=a,src=b,env=c", "id=a,type=x"] {
            assert_eq!(from(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_missing_or_empty_is_an_error_and_no_value_shows() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        std::fs::write(dir.path().join("empty"), "").unwrap();
        std::fs::write(dir.path().join("good"), "hunter2").unwrap();
        std::fs::write(dir.path().join("large"), vec![b'x'; 500 * 1024 + 1]).unwrap();
        let read =
            |specs: &[String]| read_all(specs, |name| (name == "EMPTY").then(Default::default));
        for bad in [
            vec![format!("id=a,src={}", path("missing"))],
            vec![format!("id=a,src={}", path("empty"))],
            vec![format!("id=a,src={}", path("large"))],
            vec![format!("id=a,src={}", dir.path().display())],
            vec!["id=a,env=UNSET".into()],
            vec!["id=a,env=EMPTY".into()],
        ] {
            let error = read(&bad).unwrap_err();
            assert_eq!(error.exit_code(), 1, "{bad:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let good = read(&[format!("id=a,src={}", path("good"))]).unwrap();
        assert_eq!(good["a"].len(), 7);
        std::fs::write(dir.path().join("other"), "12").unwrap();
        let both = ["good", "other"].map(|name| format!("id=a,src={}", path(name)));
        assert_eq!(read(&both).unwrap()["a"].len(), 2);
    }
}
