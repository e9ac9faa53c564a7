//! Pages that are made from the command line itself: completions and man pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use crate::error::Error;
use crate::report::printer::Printer;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam completion bash > ~/.local/share/bash-completion/completions/cofferdam
  cofferdam completion zsh > \"${fpath[1]}/_cofferdam\"")]
pub(crate) struct CompletionArgs {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

impl CompletionArgs {
    /// Prints the script.
    pub(crate) fn run(self, mut command: clap::Command, printer: &Printer) -> Result<(), Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "cofferdam", &mut script);
        printer.stdout(&script)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam man | man -l -
  cofferdam man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Directory to write all pages to; without it the first page is printed
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

#[cfg(test)]
mod tests;

impl ManArgs {
    /// Writes or prints pages.
    pub(crate) fn run(self, command: clap::Command, printer: &Printer) -> Result<(), Error> {
        match self.directory {
            Some(directory) => std::fs::create_dir_all(&directory)
                .and_then(|()| clap_mangen::generate_to(command, &directory))
                .map_err(Error::io(format!("write pages to {}", directory.display()))),
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command)
                    .render(&mut page)
                    .map_err(Error::io("make the page"))?;
                printer.stdout(&page)
            }
        }
    }
}
