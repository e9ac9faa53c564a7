//! Flags of older builders: some have no meaning here, and some must not be ignored.

use clap::Args;

use crate::error::Error;

/// Flags that change nothing here, or are refused.
#[derive(Debug, Default, Args)]
pub(in crate::request) struct LegacyFlags {
    /// Always so; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    no_cache: Option<bool>,
    /// Always so for all stages; accepted for scripts
    #[arg(long, hide = true, value_name = "STAGES", allow_hyphen_values = true)]
    no_cache_filter: Vec<String>,
    /// Nothing is taken from a cache
    #[arg(long, hide = true, value_name = "SPEC", allow_hyphen_values = true)]
    cache_from: Vec<String>,
    /// Nothing is written to a cache
    #[arg(long, hide = true, value_name = "SPEC", allow_hyphen_values = true)]
    cache_to: Vec<String>,
    /// Without meaning here; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    rm: Option<bool>,
    /// Without meaning here; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    force_rm: Option<bool>,
    /// Without meaning here; accepted for scripts
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    compress: Option<bool>,
    /// Without meaning on Linux
    #[arg(long, hide = true, value_name = "KIND", allow_hyphen_values = true)]
    isolation: Option<String>,
    /// Docker's old notary
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    disable_content_trust: Option<bool>,
    /// Refused: buildx takes it and does nothing
    #[arg(long, hide = true, value_name = "OPTION", allow_hyphen_values = true)]
    security_opt: Vec<String>,
    /// Refused: BuildKit has no such thing
    #[arg(long, hide = true, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = crate::request::boolean::parse)]
    squash: Option<bool>,
}

impl LegacyFlags {
    /// What is worth a line, or an error for what must not be ignored.
    pub(in crate::request) fn notices(&self) -> Result<Vec<String>, Error> {
        let Self {
            no_cache,
            no_cache_filter: _,
            cache_from,
            cache_to,
            rm: _,
            force_rm: _,
            compress: _,
            isolation,
            disable_content_trust,
            security_opt,
            squash,
        } = self;
        if !security_opt.is_empty() {
            return Err(Error::usage_hint(
                "--security-opt is not supported: BuildKit ignores it, and the steps would run without it",
                "leave it out; the engine's own defaults apply to every step",
            ));
        }
        if *squash == Some(true) {
            return Err(Error::usage_hint(
                "--squash is not supported: BuildKit has no such thing",
                "use a stage of its own: FROM scratch, then COPY --from=build / /",
            ));
        }
        let mut notices = Vec::new();
        let mut say = |when: bool, text: &str| {
            if when {
                notices.push(text.to_string());
            }
        };
        let given = |name: &'static str, values: &[String]| (!values.is_empty()).then_some(name);
        let caches: Vec<_> = [given("--cache-from", cache_from), given("--cache-to", cache_to)]
            .into_iter()
            .flatten()
            .collect();
        if !caches.is_empty() {
            let verb = if caches.len() == 1 { "has" } else { "have" };
            say(
                true,
                &format!(
                    "{} {verb} no effect: every step runs, and no cache is written",
                    caches.join(" and ")
                ),
            );
        }
        say(
            *no_cache == Some(false),
            "--no-cache=false has no effect: nothing is ever taken from the cache",
        );
        say(
            isolation.as_deref().is_some_and(|kind| !matches!(kind, "" | "default")),
            "--isolation has no effect on Linux",
        );
        say(
            *disable_content_trust == Some(false),
            "--disable-content-trust=false has no effect: inputs are pinned by digest instead",
        );
        Ok(notices)
    }
}
