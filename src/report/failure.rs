//! The last words of a failed step.

use std::io;

/// A step that failed, with what a person needs to see why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name of the step, as `[2/3] RUN make`.
    pub name: String,
    /// What the engine says went wrong.
    pub error: String,
    /// The last lines of its log, each with the seconds since its start in front.
    pub tail: Vec<Vec<u8>>,
}

impl Failure {
    /// Writes the block that buildx prints at the end of its progress.
    pub fn write(&self, out: &mut impl io::Write) -> io::Result<()> {
        let mut block = format!("------\n > {}:\n", self.name).into_bytes();
        for line in &self.tail {
            block.extend_from_slice(line);
            block.push(b'\n');
        }
        block.extend_from_slice(b"------\n");
        out.write_all(&block)
    }
}
