//! One rule, one file, one name: here, in `docs/rules` and in `examples/policy`.

pub mod local_add;
pub mod sudo;
