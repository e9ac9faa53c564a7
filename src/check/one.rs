//! One file: read, check, mend, report.

use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use cofferdam_frontend::day::Day;
use cofferdam_frontend::dockerfile::Dockerfile;
use cofferdam_frontend::policy::{self, Finding, Level, Levels};

use rustix::fs::OFlags;

use super::project::{Project, Projects};
use super::{Asked, MAX_SIZE, Mended, STDIN, rewrite, row, shown};
use crate::error::Error;
use crate::report::findings::{CheckedFile, Row};

/// How long a pipe may be without a writer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What one file came to.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Its name, when it could be read.
    pub(super) read: Option<String>,
    /// Findings, if there are any.
    pub(super) file: Option<CheckedFile>,
    /// Exceptions for it that have ended, each in its configuration.
    pub(super) expired: Vec<CheckedFile>,
    /// Why it could not be read or written.
    pub(super) failure: Option<String>,
    pub(super) mended: Option<Mended>,
    /// What standard input holds after its fixes.
    pub(super) stdin: Vec<u8>,
    pub(super) fixed: usize,
    pub(super) silenced: usize,
}

/// Checks a file of a directory.
pub(super) fn file(asked: &Asked, projects: &Projects<'_>, path: &Path) -> Result<Taken, Error> {
    let name = shown(path);
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let failure = Some(format!("cannot read {name}: {error}"));
            return Ok(Taken { failure, ..Taken::default() });
        }
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let project = projects.of(directory)?;
    let mut taken = look(asked, &project, name, Some(path), bytes);
    if let (Some(mended), false) = (&taken.mended, asked.dry_run)
        && let Err(error) = rewrite::rewrite(path, &mended.new)
    {
        taken.failure = Some(format!("cannot write {}: {error}", mended.name));
    }
    Ok(taken)
}

/// Checks what standard input held, as a file of the working directory.
pub(super) fn stdin(
    asked: &Asked,
    projects: &Projects<'_>,
    bytes: Vec<u8>,
) -> Result<Taken, Error> {
    let project = projects.of(Path::new("."))?;
    Ok(look(asked, &project, STDIN.into(), None, bytes))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    // A named pipe without a writer would never open otherwise.
    let waits_not = OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(waits_not).open(path)?;
    let about = file.metadata()?;
    let mut bytes = Vec::new();
    if about.file_type().is_fifo() {
        wait_for_writer(&file, &mut bytes)?;
        let flags = rustix::fs::fcntl_getfl(&file)? - OFlags::NONBLOCK;
        rustix::fs::fcntl_setfl(&file, flags)?;
    }
    if about.is_file() {
        // One more, so that the end is seen without growing.
        bytes.reserve(usize::try_from(about.len().min(MAX_SIZE)).unwrap_or(0) + 1);
    }
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(std::io::Error::other("it is larger than 64 MiB, and no Dockerfile"));
    }
    Ok(bytes)
}

/// Waits until somebody writes to a pipe, and takes the first bytes, as `check <(generate)` needs.
fn wait_for_writer(mut pipe: &std::fs::File, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let end = Instant::now() + PATIENCE;
    let mut first = [0; 512];
    loop {
        match pipe.read(&mut first) {
            // Nobody has opened it yet.
            Ok(0) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
            Ok(0) => return Err(std::io::Error::other("it is a pipe that nobody writes to")),
            Ok(read) => {
                bytes.extend_from_slice(first.get(..read).unwrap_or_default());
                return Ok(());
            }
            // Somebody has, and thinks.
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn look(
    asked: &Asked,
    project: &Project,
    name: String,
    path: Option<&Path>,
    bytes: Vec<u8>,
) -> Taken {
    let judge = Judge::new(project, path, asked.today);
    let (mut fixed, mut mended) = (0, None);
    let mut bytes = bytes;
    if let Some(most) = asked.fix {
        let result = policy::mend(&bytes, most, |file| judge.look(file).0);
        fixed = result.made.len();
        if result.bytes != bytes {
            let new = result.bytes.clone();
            let old = std::mem::replace(&mut bytes, result.bytes);
            mended = Some(Mended { name: name.clone(), old, new });
        }
    }
    let file = Dockerfile::parse(&bytes);
    let (findings, silenced) = judge.look(&file);
    let mut places = row::Rows::new(&file);
    let rows: Vec<Row> = findings
        .into_iter()
        .map(|finding| {
            let denied = project.levels.of(finding.rule, finding.severity) == Level::Deny;
            places.row(finding, denied)
        })
        .collect();
    let any = !rows.is_empty();
    let stdin = if path.is_none() { bytes.clone() } else { Vec::new() };
    Taken {
        read: Some(name.clone()),
        file: any.then_some(CheckedFile { name, source: bytes, rows }),
        expired: judge.expired,
        failure: None,
        mended,
        stdin,
        fixed,
        silenced,
    }
}

/// What is reported of a text that stands, or will stand, at `path`.
pub(super) fn findings(
    asked: &Asked,
    projects: &Projects<'_>,
    path: Option<&Path>,
    bytes: &[u8],
) -> Result<Vec<Finding>, Error> {
    let directory = path.and_then(Path::parent).unwrap_or(Path::new("."));
    let project = projects.of(directory)?;
    let judge = Judge::new(&project, path, asked.today);
    Ok(judge.look(&Dockerfile::parse(bytes)).0)
}

/// Decides what of a file's findings is reported.
struct Judge<'a> {
    project: &'a Project,
    today: Day,
    levels: &'a Levels,
    /// Rules that an exception of the project lifts for this file.
    lifted: Vec<String>,
    /// Exceptions whose end has passed.
    expired: Vec<CheckedFile>,
}

impl<'a> Judge<'a> {
    fn new(project: &'a Project, path: Option<&Path>, today: Day) -> Self {
        let mut judge = Self {
            project,
            today,
            levels: &project.levels,
            lifted: Vec::new(),
            expired: Vec::new(),
        };
        let Some(config) = &project.config else { return judge };
        for exception in config.exceptions_of(path) {
            match exception.expires.filter(|expires| *expires < today) {
                Some(expires) => {
                    let message = format!("{} ended on {expires}", exception.title());
                    judge.expired.push(row::of_config(config, exception.line, message));
                }
                None => judge.lifted.push(exception.rule.clone()),
            }
        }
        judge
    }

    /// What is reported of a file, and how many findings are not.
    fn look(&self, file: &Dockerfile) -> (Vec<Finding>, usize) {
        let levels = self.levels;
        let wanted = |about: &policy::About| levels.wants(about);
        let mut findings = policy::check(file, &self.project.settings, wanted);
        findings.extend(policy::read_errors(file));
        findings.sort_by(|a, b| (a.span.start, a.rule).cmp(&(b.span.start, b.rule)));
        let heard = policy::heed(file, findings, self.today, wanted);
        let (mut findings, mut silenced) = (heard.findings, heard.silenced.len());
        findings.retain(|finding| levels.of(finding.rule, finding.severity) != Level::Allow);
        let before = findings.len();
        findings.retain(|finding| !self.lifted.iter().any(|rule| rule == finding.rule));
        silenced += before - findings.len();
        (findings, silenced)
    }
}
