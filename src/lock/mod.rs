//! `cofferdam lock`: the lock file made, completed, checked and renewed without a build.
//!
//! What the Dockerfile names (`wanted`) is compared with what the lock holds (`plan`); only what
//! is missing or to be renewed is asked of the world (`resolve`). The rest is written and told.

use cofferdam_frontend::pins::{Lock, LockChange};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Error;
use crate::inputs::LockFile;
use crate::report::printer::Printer;
use crate::request::{DockerfileText, LockAction, LockRequest, Upgrade};

mod churn;
mod git;
mod images;
mod plan;
mod report;
mod resolve;
mod text;
mod wanted;

pub use report::{Line, Report, Told};

use plan::Plan;
use wanted::Wanted;

/// Does what was asked for, or explains why not.
pub fn run(request: &LockRequest, printer: &Printer) -> Result<Report, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let result = runtime.block_on(async {
        let stop = |kind| signal(kind).map_err(Error::io("listen for signals"));
        let (mut interrupt, mut terminate) =
            (stop(SignalKind::interrupt())?, stop(SignalKind::terminate())?);
        tokio::select! {
            done = lock(request, printer) => done,
            _ = interrupt.recv() => Err(Error::Interrupted),
            _ = terminate.recv() => Err(Error::Interrupted),
        }
    });
    // Servers that never answer must not keep the process.
    runtime.shutdown_background();
    result
}

async fn lock(request: &LockRequest, printer: &Printer) -> Result<Report, Error> {
    let written = dockerfile(request)?;
    let wanted = Wanted::read(request, written)?;
    let path = &request.build.lock_path;
    let (mut file, disputed, conflict) = match request.action {
        LockAction::Check => (LockFile::read(path)?, Vec::new(), false),
        _ => LockFile::read_joining(path)?,
    };
    let plan = Plan::new(request, &wanted, &file)?;
    let mut report = Report::new(request, &file, written);
    report.open(&wanted);
    report.disputed(&disputed);
    if request.action == LockAction::Check && request.upgrade == Upgrade::None {
        report.plan(&plan);
        return Ok(report);
    }
    let found = resolve::all(&plan.tasks, request, printer, written).await?;
    let mut new: Lock = file.content.clone();
    // What is the same as before keeps its date.
    found.into_iter().filter(|entry| !file.content.says(entry)).for_each(|entry| new.put(entry));
    if request.action == LockAction::Dockerfile {
        let pinned = text::pin(request, written, &new)?;
        text::write(request, &written.bytes, &pinned.bytes)?;
        report.pinned(&pinned, pinned.bytes != written.bytes);
        return Ok(report);
    }
    plan.unused.iter().for_each(|entry| new.take(entry));
    let changes: Vec<LockChange> = file.content.diff(&new);
    report.changes(&changes, &plan);
    if request.action == LockAction::Write {
        let nothing_yet = !file.exists() && !new.is_empty();
        if !changes.is_empty() || conflict || nothing_yet {
            report.entries(new.entries().count());
            file.write(new)?;
            report.written();
        }
    }
    Ok(report)
}

fn dockerfile(request: &LockRequest) -> Result<&DockerfileText, Error> {
    request.build.dockerfile.text().ok_or_else(|| Error::usage("there is no Dockerfile here"))
}
