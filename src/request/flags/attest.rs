//! What is stated about the image, and what is asked instead of building it.

use clap::Args;

/// What is stated about the image, and what is asked instead of building it.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Statements")]
pub(in crate::request) struct AttestFlags {
    /// Statement to add, `type=provenance,mode=max` or `type=sbom`
    #[arg(long = "attest", hide = true, value_name = "SPEC", allow_hyphen_values = true)]
    pub(in crate::request) attests: Vec<String>,
    /// Provenance of BuildKit: true, false or mode=max
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub(in crate::request) provenance: Option<String>,
    /// Attached SBOM: true, false or generator=IMAGE
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub(in crate::request) sbom: Option<String>,
    /// Policy of buildx
    #[arg(long = "policy", hide = true, value_name = "SPEC", allow_hyphen_values = true)]
    pub(in crate::request) policies: Vec<String>,
    /// Ask instead of building: check, outline, targets
    #[arg(
        long,
        value_name = "METHOD",
        alias = "print",
        allow_hyphen_values = true,
        overrides_with = "check"
    )]
    pub(in crate::request) call: Option<String>,
    /// Short for --call check
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    pub(in crate::request) check: Option<bool>,
}

impl AttestFlags {
    /// The question, whichever flag asks it.
    pub(in crate::request) fn question(&self) -> Option<&str> {
        if self.check == Some(true) { Some("check") } else { self.call.as_deref() }
    }
}
