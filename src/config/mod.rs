//! `cofferdam.toml`: what a project allows, with a reason and an end.
//!
//! The file stands in the Dockerfile's directory or above it, within the repository. A directory
//! further up belongs to somebody else, who must not be able to allow anything here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cofferdam_frontend::day::Day;
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::policy::{Level, Levels, Profile};

use crate::error::{Error, SourceText};

mod error;
mod exceptions;
mod read;
mod schema;
#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use exceptions::{EXCEPTABLE, Exception, Exceptions};
pub use schema::schema;

/// Name of the file.
pub const FILE: &str = "cofferdam.toml";
/// Largest file that is read, in bytes.
const MAX_SIZE: u64 = 1 << 20;
/// How long before its end an entry is pointed at, in days.
const NOTICE: i64 = 14;

/// What a `cofferdam.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `profile`: what findings do where nothing else is said.
    pub profile: Option<Profile>,
    /// `[rules]`: levels by the rule's id.
    pub rules: BTreeMap<String, Level>,
    /// `check.registries`: where base images may come from; empty allows all.
    pub registries: Vec<String>,
    /// Its path, as it leads there from here.
    shown: String,
    directory: PathBuf,
    text: Vec<u8>,
    /// `[[exception]]`.
    pub exceptions: Vec<Exception>,
    /// `strip.keep`.
    pub keep: Vec<Keep>,
    /// `strip.capabilities`: whether file capabilities are removed.
    pub strip_capabilities: bool,
}

/// A file of the image that keeps its set-uid bit: an entry of `strip.keep`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Absolute path in the image.
    pub path: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds.
    pub expires: Option<Day>,
    /// The line of the configuration that begins it, from 1.
    pub line: usize,
}

/// What the configuration means for one build.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The exceptions for its Dockerfile.
    pub exceptions: Exceptions,
    /// Files that keep their bits.
    pub keep: Vec<Keep>,
    /// Whether file capabilities are removed.
    pub strip_capabilities: bool,
    /// What is worth a line: entries that end soon.
    pub notices: Vec<String>,
    /// How its rules weigh.
    pub rules: Rules,
}

/// What the project asks of its Dockerfiles.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What findings do.
    pub levels: Levels,
    /// Where images may come from; empty allows all.
    pub registries: Vec<String>,
    /// The day of the build.
    pub today: Day,
}

impl Config {
    /// Reads a configuration.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = shown(path);
        let failed = |source| ConfigError::Read { path: shown.clone(), source };
        let bytes = bounded(path).map_err(failed)?;
        let mut config = read::parse(&shown, bytes)?;
        config.directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(config)
    }

    /// Whether an exception is about this Dockerfile; `None` is standard input.
    fn is_about(&self, exception: &Exception, dockerfile: Option<&Path>) -> bool {
        match dockerfile {
            None => exception.path == "-",
            Some(dockerfile) => {
                exception.path != "-"
                    && self.directory.join(&exception.path).canonicalize().ok().as_deref()
                        == dockerfile.canonicalize().ok().as_deref()
            }
        }
    }

    /// The levels of its rules, before a command line has its say.
    pub fn levels(&self) -> Levels {
        Levels {
            profile: self.profile.unwrap_or_default(),
            rules: self.rules.clone(),
            ..Levels::default()
        }
    }

    /// The exceptions for one Dockerfile, for whoever asks about it without building it.
    pub fn exceptions_of(&self, dockerfile: Option<&Path>) -> Vec<&Exception> {
        self.exceptions.iter().filter(|e| self.is_about(e, dockerfile)).collect()
    }

    /// The file as it leads there from here.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Its bytes.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Refuses entries whose end has passed.
    fn check_ends(&self, exceptions: &[Exception], today: Day) -> Result<(), Error> {
        let exceptions = exceptions.iter().map(|e| (e.line, e.expires, e.title(), &e.owner));
        let keep = self.keep.iter().map(|k| (k.line, k.expires, k.title(), &k.owner));
        let violations: Vec<Violation> = exceptions
            .chain(keep)
            .filter_map(|(line, expires, title, owner)| {
                let expires = expires.filter(|expires| *expires < today)?;
                let ask =
                    owner.as_ref().map(|owner| format!("ask {owner}, then ")).unwrap_or_default();
                Some(Violation {
                    rule: "exception-expired",
                    message: format!("{title} ended on {expires}"),
                    lines: vec![(self.shown.clone(), line, line)],
                    span: None,
                    fix: format!("{ask}remove the entry, or give it a new date and reason"),
                })
            })
            .collect();
        if violations.is_empty() {
            return Ok(());
        }
        let text = SourceText { shown: self.shown.clone(), bytes: self.text.clone() };
        Err(Error::Refused { names: Vec::new(), violations, text: Some(text) })
    }

    fn notices(&self, exceptions: &[Exception], today: Day) -> Vec<String> {
        let exceptions = exceptions.iter().map(|e| (e.line, e.expires, e.title()));
        let keep = self.keep.iter().map(|k| (k.line, k.expires, k.title()));
        let soon = exceptions.chain(keep).filter_map(|(line, expires, title)| {
            let expires = expires.filter(|expires| today.days_until(*expires) <= NOTICE)?;
            let when = match today.days_until(expires) {
                0 => "today".to_string(),
                1 => "tomorrow".to_string(),
                days => format!("in {days} days, on {expires}"),
            };
            Some(format!("{}:{line}: {title} ends {when}; builds fail afterwards", self.shown))
        });
        soon.collect()
    }
}

impl Exception {
    /// What it is, for messages.
    pub(crate) fn title(&self) -> String {
        match &self.secret {
            Some(secret) => {
                format!("the exception from {} of {secret} for {}", self.rule, self.path)
            }
            None => format!("the exception from {} for {}", self.rule, self.path),
        }
    }
}

impl Keep {
    fn title(&self) -> String {
        format!("the entry of strip.keep for {}", self.path)
    }
}

/// The configuration of a Dockerfile's directory, if there is one: upwards to the root of the
/// repository; where there is none, upwards to the working directory.
pub fn find(directory: &Path) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let repository = directory.ancestors().find(|dir| dir.join(".git").exists());
    let here = here.as_deref().filter(|here| directory.starts_with(here));
    let root = repository.or(here).unwrap_or(&directory);
    let within = directory.ancestors().take_while(|dir| dir.starts_with(root));
    within.map(|dir| dir.join(FILE)).find(|path| path.is_file())
}

/// What the configuration at `path` means for a build; `dockerfile` is `None` for one that was read
/// from standard input. Without a configuration nothing is allowed.
pub fn apply(path: Option<&Path>, dockerfile: Option<&Path>, today: Day) -> Result<Applied, Error> {
    let Some(path) = path else {
        let exceptions = Exceptions::new(Vec::new(), FILE.into(), named(dockerfile, None), today);
        let (keep, notices) = (Vec::new(), Vec::new());
        let rules = Rules { levels: Levels::default(), registries: Vec::new(), today };
        return Ok(Applied { exceptions, keep, strip_capabilities: true, notices, rules });
    };
    let config = Config::read(path)?;
    let about = |e: &&Exception| config.is_about(e, dockerfile);
    let exceptions: Vec<Exception> = config.exceptions.iter().filter(about).cloned().collect();
    config.check_ends(&exceptions, today)?;
    let notices = config.notices(&exceptions, today);
    let named = named(dockerfile, Some(&config.directory));
    let rules = Rules { levels: config.levels(), registries: config.registries, today };
    Ok(Applied {
        exceptions: Exceptions::new(exceptions, config.shown, named, today),
        notices,
        keep: config.keep,
        strip_capabilities: config.strip_capabilities,
        rules,
    })
}

/// The Dockerfile as an exception names it: as seen from the configuration, which would be made in
/// the repository's root, else beside the Dockerfile.
fn named(dockerfile: Option<&Path>, directory: Option<&Path>) -> String {
    let Some(dockerfile) = dockerfile else { return "-".into() };
    let whole = dockerfile.canonicalize().unwrap_or_else(|_| dockerfile.to_path_buf());
    let repository = whole.ancestors().skip(1).find(|dir| dir.join(".git").exists());
    let directory = directory.and_then(|directory| directory.canonicalize().ok());
    let from = directory.as_deref().or(repository).or_else(|| whole.parent());
    let relative = from.and_then(|from| whole.strip_prefix(from).ok()).unwrap_or(&whole);
    relative.display().to_string()
}

/// A path as it leads there from the working directory.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let relative = here.as_deref().and_then(|here| path.strip_prefix(here).ok());
    relative.unwrap_or(path).display().to_string()
}

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}
