//! Shapes of credentials, as strict as their issuers make them.
//!
//! A shape is a sign without doubt: an exact alphabet and length, a checksum where there is one, and
//! no stand-in of documentation.

pub mod checksum;
pub mod scan;
pub mod text;
pub mod token;
