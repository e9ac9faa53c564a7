//! Real engines, a real registry, and the tests that need them.
