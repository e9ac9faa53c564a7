//! What the tests of rules about commands share: a text may be the body of a RUN.

use crate::policy::testing;
use crate::policy::{Finding, Rule};

/// The findings of one rule in a Dockerfile; without a FROM, in a RUN.
pub fn found(rule: &dyn Rule, text: &str) -> Vec<Finding> {
    testing::findings(rule, &whole(text))
}

fn whole(text: &str) -> String {
    if text.contains("FROM ") { text.to_owned() } else { format!("FROM debian:12\nRUN {text}\n") }
}

/// Each text has exactly one finding of the rule.
pub fn fires(rule: &dyn Rule, texts: &[&str]) {
    for text in texts {
        let findings = found(rule, text);
        assert_eq!(findings.len(), 1, "{text}: {findings:#?}");
        assert!(findings[0].span.end <= whole(text).len());
    }
}

/// No text has a finding of the rule.
pub fn silent(rule: &dyn Rule, texts: &[&str]) {
    for text in texts {
        assert_eq!(found(rule, text), [], "{text}");
    }
}

/// The text with the fixes of the rule's findings made; a RUN is shown without its FROM.
pub fn fixed(rule: &dyn Rule, text: &str) -> String {
    let source = testing::fixed(rule, &whole(text));
    let run = source.strip_prefix("FROM debian:12\nRUN ").filter(|_| !text.contains("FROM "));
    run.map_or(source.clone(), |run| run.trim_end().to_owned())
}
