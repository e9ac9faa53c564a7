//! The helper's binary on real trees, as root, as in the engine.

// `cfg(test)` tells clippy that helpers of tests are tests.
#[cfg(test)]
mod contents;
mod faults;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod overlay;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod strip;
#[cfg(test)]
mod support;
