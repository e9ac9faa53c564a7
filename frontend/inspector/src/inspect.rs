//! Looking through the layers of an image: every name and every byte that a layer added or changed.
//!
//! A layer is a directory of its own, or a whole file system that is compared with the one it was
//! made on. One walk serves every examiner; what they find leaves on standard output at once.

mod attributes;
mod compare;
mod content;
mod contents;
mod examine;
mod gone;
mod leaks;
mod output;
mod packages;
mod plain;
mod visit;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::time::Instant;

pub use self::content::Content;
pub use self::examine::{At, Examination, Examine, LayerRoot, Name, Want};
pub use self::output::Sink;

use self::compare::Below;
use self::visit::Visit;
use crate::args::{InspectOptions, LayerMount};
use crate::error::Failure;
use crate::report::before::Before;
use crate::report::inspection::{LayerSum, Spent, Sum};
use crate::walk::{open_root, walk};

/// Bytes of what is known of layers below: names of as many files as are kept of them.
const BEFORE: u64 = 256 << 20;

/// Inspects the layers and writes the answer to `out`; `input` says what is known of those below.
pub fn run(
    options: &InspectOptions,
    input: impl Read,
    out: impl Write + Send,
) -> Result<(), Failure> {
    // Whoever looks through them may not be done yet.
    let before = if options.before { read(input)? } else { Before::default() };
    let began = Instant::now();
    let needles = leaks::read(&options.needles)?;
    let sink = Sink::new(out);
    let bases: Vec<bool> = options.layers.iter().map(|layer| layer.base).collect();
    let suspects = contents::Suspects::default();
    let searches = !needles.is_empty();
    let contents =
        contents::Contents::new(&sink, searches.then_some((&needles, &suspects)), &bases)
            .over(before.contents);
    let packages = packages::Packages::new(&sink).over(&before.packages);
    let mut examinations: Vec<Box<dyn Examination + '_>> =
        vec![Box::new(packages), Box::new(contents)];
    if options.plain {
        examinations.push(Box::new(plain::Directories::new(&sink)));
    }
    if searches {
        let (needles, sink, suspects, bases) = (&needles, &sink, &suspects, &bases);
        examinations.push(Box::new(leaks::Leaks { needles, sink, suspects, bases }));
    }
    let mut sum = Sum::default();
    for (number, layer) in options.layers.iter().enumerate() {
        sum.layers.push(inspect(number, layer, &mut examinations)?);
    }
    drop(examinations);
    sum.spent = spent(began);
    sink.finish(sum).map_err(Failure::Output)
}

fn read(input: impl Read) -> Result<Before, Failure> {
    let mut bytes = Vec::new();
    input.take(BEFORE).read_to_end(&mut bytes).map_err(Failure::Input)?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::Input(error.into()))
}

fn inspect(
    number: usize,
    layer: &LayerMount,
    examinations: &mut [Box<dyn Examination + '_>],
) -> Result<LayerSum, Failure> {
    let root = open_root(&layer.root)?;
    let below = layer.over.as_ref().map(|path| Below::open(path, root.as_fd())).transpose()?;
    let seen = Mutex::new(HashSet::new());
    let layer = LayerRoot { number, root: root.as_fd(), below: below.as_ref() };
    let sum = {
        let examiners = || examinations.iter().map(|one| one.examiner(layer)).collect();
        let visits = walk(root.as_fd(), || Visit::new(layer, &seen, examiners()))?;
        visits.iter().fold(LayerSum::default(), |sum, visit| LayerSum {
            names: sum.names + visit.sum.names,
            files: sum.files + visit.sum.files,
            bytes: sum.bytes + visit.sum.bytes,
        })
    };
    for examination in examinations {
        examination.end(layer)?;
    }
    Ok(sum)
}

fn spent(began: Instant) -> Spent {
    // Source: proc_pid_status(5).
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    Spent {
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        kilobytes: kilobytes.unwrap_or(0),
    }
}
