//! Asking the world for everything at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cofferdam_frontend::pins::{
    Elsewhere, Entry, GitPlace, ImageSource, LockedGit, LockedHttp, LockedImage, Reference,
};
use futures_util::future::try_join_all;
use tokio::sync::Semaphore;
use url::Url;

use super::images::{Asker, Found};
use super::plan::{Task, What, Why};
use super::{churn, git};
use crate::engine::{Engine, EngineError, EngineKind};
use crate::error::Error;
use crate::inputs::{PROGRAM, now};
use crate::report::printer::Printer;
use crate::request::{DockerfileText, LockRequest};

/// How many are asked at the same time.
const AT_ONCE: usize = 8;
/// How often a long download is told.
const EVERY: Duration = Duration::from_secs(5);

/// What the tasks came to: entries that are new or changed.
pub(super) async fn all(
    tasks: &[Task],
    request: &LockRequest,
    printer: &Printer,
    written: &DockerfileText,
) -> Result<Vec<Entry>, Error> {
    let images = tasks.iter().any(|task| matches!(task.what, What::Image { .. }));
    let engine = if images { engine(request, printer).await? } else { None };
    let source = written.source();
    let asker = Asker { request, engine, shown: &source.shown };
    let turns = Semaphore::new(AT_ONCE);
    let found = tasks.iter().map(|task| {
        let (asker, turns) = (&asker, &turns);
        async move {
            let _turn = turns.acquire().await;
            one(task, asker, printer).await
        }
    });
    Ok(try_join_all(found).await?.into_iter().flatten().collect())
}

/// The engine that is asked; a BuildKit daemon answers only within a build.
async fn engine(request: &LockRequest, printer: &Printer) -> Result<Option<Engine>, Error> {
    let target = &request.build.builder;
    if !request.ask_engine || target.kind() != EngineKind::Docker {
        return Ok(None);
    }
    let Some(connection) = target.connections.first() else { return Ok(None) };
    match Engine::connect(connection.clone(), EngineKind::Docker).await {
        Ok(engine) => Ok(Some(engine)),
        Err(error @ EngineError::BadHost { .. }) => Err(Error::Engine(error)),
        Err(error) => {
            printer.notice(&format!("{error}: asking registries from here"));
            Ok(None)
        }
    }
}

async fn one(task: &Task, asker: &Asker<'_>, printer: &Printer) -> Result<Option<Entry>, Error> {
    let place = task.line.map(|line| format!("{}:{line}: ", asker.shown)).unwrap_or_default();
    match &task.what {
        What::Image { reference, before, platforms, named } => {
            let wish = Wish { reference, before: before.as_deref(), platforms: platforms.as_ref() };
            let source = image(task, &wish, asker).await?;
            Ok(source.map(|source| entry(&wish, source, *named)))
        }
        What::Http(url) => download(url, &place, asker, printer).await.map(Some),
        What::Git(at) => {
            let commit = git::commit(at, &asker.request.git_environment).await;
            let commit = commit.map_err(|reason| no_git(at, &place, &reason))?;
            let by = Some(PROGRAM.to_string());
            Ok(Some(Entry::Git(LockedGit { at: at.clone(), commit, resolved: now(), by })))
        }
    }
}

/// What is asked about an image, and what is known of it.
struct Wish<'a> {
    reference: &'a Reference,
    before: Option<&'a LockedImage>,
    platforms: Option<&'a BTreeSet<String>>,
}

fn entry(wish: &Wish<'_>, source: ImageSource, named: Option<Elsewhere>) -> Entry {
    let mut image = LockedImage::new(wish.reference, source, now());
    image.by = Some(PROGRAM.to_string());
    image.named = named;
    Entry::Image(image)
}

/// What the lock is to hold from now on; `None` when it holds that already.
async fn image(
    task: &Task,
    wish: &Wish<'_>,
    asker: &Asker<'_>,
) -> Result<Option<ImageSource>, Error> {
    let Wish { reference, before, platforms } = *wish;
    let nothing = BTreeMap::new();
    let (old, locked) = match before.map(|before| &before.source) {
        Some(ImageSource::Registry { digest, platforms }) => (Some(digest), platforms),
        _ => (None, &nothing),
    };
    let choose = |now: &BTreeMap<_, _>| {
        churn::choose(now, platforms, locked).map_err(|absent| {
            let has: Vec<&str> = now.keys().map(String::as_str).collect();
            Error::usage_hint(
                format!("{} has no {absent}", reference.familiar()),
                match old {
                    Some(_) => format!("locked is one with {}; try --upgrade", has.join(", ")),
                    None => format!("it has {}", has.join(", ")),
                },
            )
        })
    };
    // What is locked already is completed from what is locked.
    let completed = async |digest| match asker.platforms(reference, digest).await {
        Ok(now) => {
            let platforms = choose(&now)?;
            Ok(Some(ImageSource::Registry { digest: digest.clone(), platforms }))
        }
        Err(words) => {
            let hint = "see that its registry can be asked from here, or leave --platform out";
            Err(asker.no_answer(reference, task.line, &words, hint))
        }
    };
    let lacks = |found: &BTreeSet<String>| found.iter().any(|name| !locked.contains_key(name));
    let lacks = platforms.is_some_and(lacks);
    if let (Some(digest), Why::Lacks(_)) = (old, &task.why) {
        return completed(digest).await;
    }
    match asker.now(reference, task.line).await? {
        Found::Local { image_id } => {
            let source = ImageSource::Local { image_id };
            Ok(Some(source).filter(|source| before.is_none_or(|known| known.source != *source)))
        }
        Found::Registry { digest, platforms: now } => {
            let same = old == Some(&digest)
                || now.as_ref().is_some_and(|now| churn::is_only_index(locked, now));
            match (old, now) {
                (Some(_), _) if same && !lacks => Ok(None),
                (Some(old), _) if same => completed(old).await,
                (_, Some(now)) => {
                    Ok(Some(ImageSource::Registry { platforms: choose(&now)?, digest }))
                }
                (_, None) if platforms.is_some() => completed(&digest).await,
                (_, None) => Ok(Some(ImageSource::Registry { digest, platforms: nothing })),
            }
        }
    }
}

async fn download(
    url: &str,
    place: &str,
    asker: &Asker<'_>,
    printer: &Printer,
) -> Result<Entry, Error> {
    let failed = |reason: String, hint: &str| Error::Registry {
        message: format!("{place}cannot download {url}: {reason}"),
        hint: hint.to_string(),
    };
    let address = Url::parse(url).map_err(|error| failed(error.to_string(), "correct it"))?;
    let mut told = Instant::now();
    let seen = |bytes: u64| {
        if told.elapsed() > EVERY {
            told = Instant::now();
            printer.notice(&format!("{url}: {} so far", megabytes(bytes)));
        }
    };
    let done = asker.request.build.http.digest(&address, seen).await;
    let done =
        done.map_err(|error| failed(error.to_string(), "check the address and the network"))?;
    let checksum = done.digest.parse().map_err(|_| failed(done.digest.clone(), "try again"))?;
    let by = Some(PROGRAM.to_string());
    Ok(Entry::Http(LockedHttp { url: url.to_string(), checksum, resolved: now(), by }))
}

fn megabytes(bytes: u64) -> String {
    crate::report::size::megabytes(bytes)
}

fn no_git(at: &GitPlace, place: &str, reason: &str) -> Error {
    Error::Registry {
        message: format!("{place}cannot resolve {at}: {reason}"),
        hint: "check the address and its reference with `git ls-remote`".into(),
    }
}
