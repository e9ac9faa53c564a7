//! One rule, one file, one name: here, in `docs/rules` and in `examples/policy`.

pub mod base_from_arg;
pub mod elsewhere;
pub mod latest_tag;
pub mod local_add;
pub mod registry_not_allowed;
pub mod stale_base;
pub mod sudo;
pub mod unpinned_frontend;
pub mod unpinned_image;
