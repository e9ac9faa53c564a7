//! ONBUILD instructions of bases: they run in this build, and no line of the Dockerfile shows them.

use cofferdam_frontend::dockerfile::Platform;
use cofferdam_frontend::graph::judge::Violation;
use cofferdam_frontend::policy::rules::elsewhere::ONBUILD_TRIGGER;
use cofferdam_frontend::policy::{Level, Rule as _};
use futures_util::future::join_all;

use super::in_engine::Job;
use super::masked;
use crate::engine::GatewayBridge;
use crate::error::Error;
use crate::inputs::Base;
use crate::report::printer::Printer;
use crate::request::DockerfileText;

/// Longest instruction that a message shows, in characters.
const LONGEST: usize = 60;
/// Most instructions that it shows.
const SHOWN: usize = 3;

/// The question, and what an answer does.
pub(super) struct Triggers<'a> {
    job: Job<'a>,
    bases: &'a [Base],
    written: &'a DockerfileText,
    level: Level,
}

impl<'a> Triggers<'a> {
    pub(super) fn of(job: Job<'a>, bases: &'a [Base], written: &'a DockerfileText) -> Self {
        let about = ONBUILD_TRIGGER.about();
        let level = job.request.rules.levels.of(about.id, about.severity);
        Self { job, bases, written, level }
    }

    /// Before anything runs, where the project refuses triggers.
    pub(super) async fn refuse(&self, bridge: &GatewayBridge) -> Result<(), Error> {
        if self.level != Level::Deny {
            return Ok(());
        }
        let violations = self.find(bridge).await;
        if violations.is_empty() {
            return Ok(());
        }
        Err(Error::Refused { names: Vec::new(), violations, text: Some(self.written.source()) })
    }

    /// Where they are only worth a line; the engine has the configurations at hand by then.
    pub(super) async fn tell(&self, bridge: &GatewayBridge, printer: &Printer) {
        if self.level == Level::Warn && self.job.request.progress.mode.is_for_people() {
            for Violation { rule, message, lines, .. } in self.find(bridge).await {
                let message = masked::text(self.job.request.secrets.needles(), &message);
                let place = lines.first().map(|(file, line, _)| format!("{file}:{line}: "));
                printer.notice(&format!("{}{message} ({rule})", place.unwrap_or_default()));
            }
        }
    }

    /// What an exception does not lift. A base whose configuration cannot be read says nothing here:
    /// the engine's frontend reads it too, and says why.
    async fn find(&self, bridge: &GatewayBridge) -> Vec<Violation> {
        let rule = ONBUILD_TRIGGER.about().id;
        let native = Platform::parse(&self.job.engine.facts().platform);
        let lists = self.bases.iter().map(|base| of(base, native.as_ref(), bridge));
        let lists = self.bases.iter().zip(join_all(lists).await);
        let found = lists.filter(|(_, triggers)| !triggers.is_empty());
        let violations: Vec<Violation> = found
            .map(|(base, triggers)| Violation {
                rule,
                message: format!("{} brings {}", base.name, told(&triggers)),
                lines: vec![(self.written.source().shown, base.line, base.line)],
                span: Some(base.span),
                fix: "take a base without them, and write what they do into this file".into(),
            })
            .collect();
        let lifted = !violations.is_empty() && self.job.request.exceptions.allows(rule).is_some();
        if lifted { Vec::new() } else { violations }
    }
}

/// The triggers of a base on the first platform that has some.
async fn of(base: &Base, native: Option<&Platform>, bridge: &GatewayBridge) -> Vec<String> {
    let platforms = base.platforms.iter().map(|platform| platform.as_ref().or(native));
    let configs = platforms.map(|platform| bridge.image_config(&base.image, platform));
    let lists = join_all(configs).await.into_iter().flatten().map(|config| triggers(&config));
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
}

/// The instructions, as the image's configuration has them.
///
/// Source: OCI image configuration as Docker extends it, `config.OnBuild`.
fn triggers(config: &[u8]) -> Vec<String> {
    let config: serde_json::Value = serde_json::from_slice(config).unwrap_or_default();
    let list = config.pointer("/config/OnBuild").and_then(serde_json::Value::as_array);
    let list = list.into_iter().flatten();
    list.filter_map(|entry| entry.as_str().map(str::to_string)).collect()
}

fn told(triggers: &[String]) -> String {
    let short = |text: &String| match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.clone(),
    };
    let mut shown: Vec<String> = triggers.iter().take(SHOWN).map(short).collect();
    if let Some(more) = triggers.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        shown.push(format!("{more} more"));
    }
    format!("ONBUILD instructions, which run in this build: {}", shown.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_read_and_hostile_ones_are_short() {
        let config = br#"{"config":{"OnBuild":["COPY . /app","RUN make"]}}"#;
        assert_eq!(triggers(config), ["COPY . /app", "RUN make"]);
        for nothing in [&b"{}"[..], b"", br#"{"config":{"OnBuild":null}}"#, br#"{"config":[1]}"#] {
            assert!(triggers(nothing).is_empty());
        }
        let long = vec![format!("RUN {}", "é".repeat(100_000)); 5];
        assert!(told(&long).chars().count() < 300);
        assert!(told(&long).ends_with("; 2 more"));
    }
}
