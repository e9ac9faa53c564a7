//! `cofferdam build`: the flags as they are typed.

use std::path::PathBuf;

use clap::Args;

use crate::error::Error;
use crate::report::printer::Printer;
use crate::report::progress::settings::{ProgressMode, ProgressSettings, UnknownMode};
use crate::request::{BuildRequest, Environment, Typed};
use crate::{pipeline, request};

/// The names of the formats of progress.
fn progress_mode(text: &str) -> Result<ProgressMode, UnknownMode> {
    text.parse()
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam build -t app:1 .
  cofferdam build -t app:1 --secret id=npm,src=.npmrc --keep-suid /usr/bin/sudo='admin image' .

Exit codes: 0 done, 1 failed, 3 refused by policy, 4 no engine or registry, 130 interrupted")]
pub(crate) struct BuildArgs {
    /// Directory that the Dockerfile's COPY and ADD read from
    #[arg(value_name = "PATH")]
    context: PathBuf,

    /// Name of the image, `name:tag`; repeat for several
    #[arg(short, long = "tag", value_name = "NAME")]
    tag: Vec<String>,
    /// Dockerfile [default: PATH/Dockerfile]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Stage to build
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Platform of the image, `os/arch`
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Label of the image
    #[arg(long, value_name = "KEY=VALUE")]
    label: Vec<String>,

    /// Value of an ARG; without `=VALUE` the variable of that name
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Inputs")]
    build_arg: Vec<String>,
    /// Secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE
    #[arg(long, value_name = "SPEC", help_heading = "Inputs")]
    secret: Vec<String>,
    /// Refuse inputs that cofferdam.lock lacks [default: when CI is set and a lock exists]
    #[arg(hide_possible_values = true,
        long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = "Inputs")]
    locked: Option<bool>,
    /// Network of RUN: default or none
    #[arg(long, value_name = "MODE", help_heading = "Inputs")]
    network: Option<String>,
    /// Leave a file's set-uid bit and capabilities, and say why; repeat for several
    #[arg(long, value_name = "PATH=REASON", help_heading = "Inputs")]
    keep_suid: Vec<String>,

    /// Print only the image's ID
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    /// Write the image's ID to a file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    iidfile: Option<PathBuf>,
    /// How progress is shown: auto, tty, plain, rawjson, quiet or none
    #[arg(
        long,
        value_name = "MODE",
        default_value = "auto",
        value_parser = progress_mode,
        help_heading = "Output"
    )]
    progress: ProgressMode,

    /// Always so; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    no_cache: Option<bool>,
    /// Always so for registry images; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    pull: Option<bool>,
    /// Always so; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    load: Option<bool>,
    /// Without meaning here; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    rm: Option<bool>,
    /// Without meaning here; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true")]
    force_rm: Option<bool>,
}

impl BuildArgs {
    /// Builds.
    pub(crate) fn run(self, printer: &Printer) -> Result<(), Error> {
        let request = self.into_request(printer)?;
        pipeline::run(request, printer)
    }

    fn into_request(self, printer: &Printer) -> Result<BuildRequest, Error> {
        let Self {
            context,
            tag,
            file,
            target,
            platform,
            label,
            build_arg,
            secret,
            locked,
            network,
            keep_suid,
            quiet,
            iidfile,
            progress,
            no_cache,
            pull: _,
            load,
            rm: _,
            force_rm: _,
        } = self;
        let environment = Environment::of_process();
        if no_cache == Some(false) {
            printer.notice("--no-cache=false has no effect: nothing is ever taken from the cache");
        }
        if load == Some(false) {
            printer.notice("--load=false has no effect: the image goes into the engine's store");
        }
        let silent = [ProgressMode::Auto, ProgressMode::Quiet, ProgressMode::None];
        if quiet && !silent.contains(&progress) {
            let contradiction = "--quiet and --progress contradict each other";
            return Err(Error::usage_hint(contradiction, "use one of them"));
        }
        let mode = if quiet { ProgressMode::Quiet } else { progress };
        let (progress, complaints) =
            ProgressSettings::new(mode, false, |name| environment.var(name))
                .map_err(|error| Error::usage(format!("BUILDKIT_PROGRESS: {error}")))?;
        printer.check(progress.mode)?;
        complaints.iter().for_each(|complaint| printer.notice(complaint));
        let typed = Typed {
            context,
            tags: tag,
            file,
            target,
            platform,
            labels: label,
            build_args: build_arg,
            secrets: secret,
            locked,
            network,
            keep_suid,
            print_id: quiet,
            progress,
            iidfile,
        };
        request::read(typed, &environment)
    }
}
