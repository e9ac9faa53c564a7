//! The whole story of a build on one screen.

use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use crate::engine::{BuildId, Engine, EngineKind};
use crate::error::Error;
use crate::inputs::{LockFile, Resolver, pin_text};
use crate::report::printer::Printer;
use crate::request::BuildRequest;

mod failure;
mod in_engine;
mod leftovers;
mod plan;
mod publish;
mod statement;
mod verdict;
mod words;

use in_engine::Sent;
use leftovers::Leftovers;
use plan::{Locals, plan};
use statement::Known;

/// How long an interrupted build may take to tidy up after itself.
const LAST_MOMENT: Duration = Duration::from_millis(1200);

/// Builds what was asked for, or explains why not.
pub fn run(request: BuildRequest, printer: &Printer) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let result = runtime.block_on(interruptible(&request, printer));
    // Calls that the engine never answers must not keep the process.
    runtime.shutdown_background();
    result
}

/// Runs the build until it ends or a signal comes, and tidies up either way.
async fn interruptible(request: &BuildRequest, printer: &Printer) -> Result<(), Error> {
    let stop = |kind| signal(kind).map_err(Error::io("listen for signals"));
    let (mut interrupt, mut terminate) =
        (stop(SignalKind::interrupt())?, stop(SignalKind::terminate())?);
    let engine = Engine::connect(request.endpoint.clone(), EngineKind::Docker).await?;
    let leftovers = Leftovers::default();
    let result = tokio::select! {
        result = build(request, &engine, &leftovers, printer) => {
            result.map_err(|error| error.naming(&request.tags))
        }
        _ = interrupt.recv() => Err(Error::Interrupted),
        _ = terminate.recv() => Err(Error::Interrupted),
    };
    let tidy = leftovers.tidy(&engine);
    match &result {
        Err(Error::Interrupted) => drop(tokio::time::timeout(LAST_MOMENT, tidy).await),
        Err(Error::EngineLost(_)) => {}
        _ => tidy.await,
    }
    result
}

/// Pin, judge, run, strip, export, record, and only then name.
async fn build(
    request: &BuildRequest,
    engine: &Engine,
    leftovers: &Leftovers,
    printer: &Printer,
) -> Result<(), Error> {
    let started = SystemTime::now();
    let id = BuildId::random().map_err(Error::io("make a name for the build"))?;
    plan::check_platforms(request, engine)?;
    engine.channel().await?;

    let mut lock = LockFile::read(&request.lock_path)?;
    let resolver = Resolver::new(engine, request, failure::source(request), lock.content.clone());
    let text = pin_text(&resolver, request, &engine.facts().platform).await?;
    lock.update(resolver.lock().await, printer)?;

    let locals = Locals::new(&id);
    let namespace = leftovers.begin(&id, engine, request.state_dir.as_deref());
    let files = locals.serve(request, &text)?;
    let plan = plan(request, &text, &locals, &namespace);

    let sent = Sent { request, engine, id: &id, locals: &locals, files: &files, plan: &plan };
    let (hardened, exported) =
        in_engine::run(sent, &resolver, &mut lock, leftovers, printer).await?;

    let known =
        Known { sent, text: &text, hardened: &hardened, exported: &exported, lock: &lock, started };
    known.record()?;
    publish::name(request, engine, &exported).await?;
    leftovers.keep();
    publish::print_id(request, &exported, printer)?;
    verdict::print(&known, printer);
    Ok(())
}
