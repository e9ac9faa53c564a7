//! Policy rules, one file each.

pub mod secret_arg;
