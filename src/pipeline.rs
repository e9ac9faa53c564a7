//! The whole story of a build on one screen.

use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::engine::{BuildId, Engine};
use crate::error::Error;
use crate::inputs::LockFile;
use crate::report::printer::Printer;
use crate::request::BuildRequest;

mod attests;
mod context;
mod failure;
mod hosts;
mod in_engine;
mod leftovers;
mod limits;
mod load;
mod metadata;
mod named;
mod node;
mod options;
mod outputs;
mod plan;
mod publish;
mod push;
mod question;
mod scan;
mod statement;
mod steps;
mod supported;
mod verdict;
mod words;

use context::Taken;
use in_engine::{Desk, Job};
use leftovers::Leftovers;
use outputs::Outlets;
use plan::Locals;
use statement::Known;
use steps::Steps;

/// Messages of the engine's progress that may wait for the printer.
const PROGRESS_BACKLOG: usize = 256;
/// How long an interrupted build may take to tidy up after itself.
const LAST_MOMENT: Duration = Duration::from_millis(1200);

/// Builds what was asked for, or explains why not.
pub fn run(request: BuildRequest, printer: &Printer) -> Result<(), Error> {
    supported::check(&request)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    request.notices.iter().for_each(|notice| printer.notice(notice));
    let result = runtime.block_on(interruptible(request, printer));
    // Calls that the engine never answers must not keep the process.
    runtime.shutdown_background();
    result
}

/// Runs the build until it ends or a signal comes, and tidies up either way.
async fn interruptible(request: BuildRequest, printer: &Printer) -> Result<(), Error> {
    let stop = |kind| signal(kind).map_err(Error::io("listen for signals"));
    let (mut interrupt, mut terminate) =
        (stop(SignalKind::interrupt())?, stop(SignalKind::terminate())?);
    let tags = request.tags.clone();
    let (request, taken) = tokio::select! {
        taken = context::take_stdin(request) => taken.map_err(|error| error.naming(&tags))?,
        _ = interrupt.recv() => return Err(Error::Interrupted),
        _ = terminate.recv() => return Err(Error::Interrupted),
    };
    let engine = node::connect(&request.builder, &request.platforms).await?;
    let request = hosts::find_gateway(request, &engine).await?;
    let leftovers = Leftovers::default();
    let result = tokio::select! {
        result = build(&request, &taken, &engine, &leftovers, printer) => {
            result.map_err(|error| error.naming(&request.tags).offering(&request.exceptions))
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
    taken: &Taken,
    engine: &Engine,
    leftovers: &Leftovers,
    printer: &Printer,
) -> Result<(), Error> {
    let started = SystemTime::now();
    let id = BuildId::random().map_err(Error::io("make a name for the build"))?;
    plan::check_platforms(request, engine)?;
    named::check(request, engine)?;
    engine.channel().await?;
    let mut lock = LockFile::read(&request.lock_path)?;

    let locals = Locals::new(&id);
    let namespace = leftovers.begin(&id, engine, request.state_dir.as_deref());
    let files = locals.serve(request)?;
    named::serve(request, &id, &files);
    let outputs = request.outputs.resolve(request.builder.outputs(), &request.tags)?;
    attests::check(request, engine, &outputs)?;
    let mut outlets = Outlets::new(request, &outputs, engine, printer).await?;
    let job = Job {
        request,
        taken,
        engine,
        id: &id,
        locals: &locals,
        files: &files,
        namespace: &namespace,
    };
    let (sender, receiver) = mpsc::channel(PROGRESS_BACKLOG);
    if let Some(asked) = &request.call {
        let story = async { job.ask(asked, &Steps::new(sender)).await };
        let progress = printer.progress(receiver, &request.progress, locals.filter());
        let (answer, _) = tokio::join!(story, progress);
        return question::print(asked, &answer?, printer);
    }
    // The progress ends when nobody holds its sender any more: at the end of the story.
    let story = async {
        let steps = Steps::new(sender);
        let active = job.open(&outlets, &steps).await?;
        let desk = Desk { lock: &mut lock, leftovers, printer };
        let built = job.run(active, &mut outlets, desk, &steps).await?;
        let known = Known { job, built: &built, lock: &lock, started };
        // The engine's part of the tidying takes as long as ours.
        let (published, ()) = tokio::join!(
            publish::publish(known, &outlets, &steps),
            leftovers.forget_inputs(engine)
        );
        published?;
        leftovers.keep();
        Ok::<_, Error>(built)
    };
    let progress = printer.progress(receiver, &request.progress, locals.filter());
    let (built, watched) = tokio::join!(story, progress);
    let built = built?;
    publish::print_id(request, &built.exported, printer)?;
    verdict::print(&Known { job, built: &built, lock: &lock, started }, watched.ledger, printer);
    Ok(())
}
