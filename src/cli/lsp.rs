//! `cofferdam lsp`.

use clap::Args;

use crate::error::Error;
use crate::lsp;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cofferdam lsp                  what an editor starts; see docs/editor.md
  cofferdam lsp --stdio          the same, as some editors say it")]
pub(crate) struct LspArgs {
    /// Speak on standard input and output, which it always does
    #[arg(long)]
    stdio: bool,
}

impl LspArgs {
    /// Serves an editor until it says goodbye.
    pub(crate) fn run(&self) -> Result<(), Error> {
        let Self { stdio: _ } = self;
        lsp::serve()
    }
}
