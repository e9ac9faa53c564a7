//! `cofferdam install` and `cofferdam uninstall`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::Error;
use crate::plugin::Step;
use crate::plugin::install::{Wanted, first_docker, install, program, uninstall};
use crate::report::printer::Printer;
use crate::request::{ConnectionFlags, Environment};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam install --dry-run
  cofferdam install --shim ~/.local/lib/cofferdam

The shim is a `docker` that takes builds, also with DOCKER_BUILDKIT=0, and hands everything else to
Docker's own. Put its directory before Docker's in PATH.")]
pub(crate) struct InstallArgs {
    /// Copy the program instead of linking to it
    #[arg(long)]
    copy: bool,
    /// Put a `docker` into this directory that stands in front of Docker's own
    #[arg(long, value_name = "DIR")]
    shim: Option<PathBuf>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam uninstall --dry-run
  cofferdam uninstall")]
pub(crate) struct UninstallArgs {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

impl InstallArgs {
    /// Installs.
    pub(crate) fn run(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
        printer: &Printer,
    ) -> Result<(), Error> {
        let Self { copy, shim, dry_run } = self;
        let search = environment.os_var("PATH").unwrap_or_default();
        let wanted = Wanted {
            config_dir: config_dir(connection, environment)?,
            program: program(&search)?,
            copy,
            shim: shim.map(absolute).transpose()?,
        };
        if !go(&install(&wanted)?, dry_run, printer)? {
            printer.notice("already installed: nothing to do");
        } else if !dry_run {
            printer.notice(
                "docker build, docker image build and docker builder build run cofferdam now",
            );
            printer.notice("undo with: cofferdam uninstall");
        }
        let shim = wanted.shim.filter(|shim| !stands_first(shim, &search));
        if let Some(shim) = shim {
            printer.notice(&format!(
                "put the shim before Docker's own: PATH={}:$PATH",
                shim.display()
            ));
        }
        Ok(())
    }
}

impl UninstallArgs {
    /// Takes an installation back.
    pub(crate) fn run(
        self,
        connection: &ConnectionFlags,
        environment: &Environment,
        printer: &Printer,
    ) -> Result<(), Error> {
        let config_dir = config_dir(connection, environment)?;
        if !go(&uninstall(&config_dir)?, self.dry_run, printer)? {
            printer.notice("not installed: nothing to do");
        }
        Ok(())
    }
}

/// Docker's configuration directory, as docker finds it.
fn config_dir(connection: &ConnectionFlags, environment: &Environment) -> Result<PathBuf, Error> {
    absolute(environment.docker_config_dir(connection.config.as_deref()))
}

fn absolute(path: PathBuf) -> Result<PathBuf, Error> {
    std::path::absolute(&path).map_err(Error::io(format!("find {}", path.display())))
}

/// Tells the steps and takes them; whether there are any.
fn go(steps: &[Step], dry_run: bool, printer: &Printer) -> Result<bool, Error> {
    for step in steps {
        if !dry_run {
            step.carry_out()?;
        }
        if let Some(told) = step.told() {
            printer.notice(&if dry_run { format!("would {told}") } else { told });
        }
    }
    Ok(!steps.is_empty())
}

fn stands_first(shim: &Path, search: &std::ffi::OsStr) -> bool {
    let whole = |path: &Path| path.canonicalize().ok();
    let first = first_docker(search).and_then(|docker| docker.parent().and_then(whole));
    // Before it is made, its place in PATH decides.
    let mut directories = std::env::split_paths(search);
    let listed = directories.position(|directory| directory == shim);
    let real = std::env::split_paths(search).position(|directory| whole(&directory) == first);
    (first.is_some() && first == whole(shim))
        || matches!((listed, real), (Some(a), Some(b)) if a < b)
}
