//! The value never shows, and no input makes the rule panic.

use super::super::{Reason, advice, secret_build_arg};
use super::{checksummed, opaque};
use proptest::prelude::*;

fn everything_said(name: &str, value: &str) -> Option<String> {
    let found = secret_build_arg(name, value)?;
    Some(format!("{found:?} {:#?} {} {}", found, found.reason, advice(name, &found)))
}

#[test]
fn the_advice_can_be_copied() {
    let found = secret_build_arg("NPM_TOKEN", &opaque()).unwrap();
    assert_eq!(found.reason.to_string(), "its name says that it is a token");
    assert_eq!(
        advice("NPM_TOKEN", &found),
        "pass it as a build secret: --secret id=npm_token,env=NPM_TOKEN\n\
         and in the Dockerfile: RUN --mount=type=secret,id=npm_token \
         NPM_TOKEN=\"$(cat /run/secrets/npm_token)\" …"
    );
    let found = secret_build_arg("http_proxy", "http://me:hunter2@proxy").unwrap();
    let said = advice("http_proxy", &found);
    assert!(said.contains("config.json") && said.contains("\"httpProxy\""), "{said}");
    assert!(said.contains("needs no password") && !said.contains("hunter2"), "{said}");
    let found = secret_build_arg("HTTPS_PROXY", "me:hunter2@proxy").unwrap();
    assert!(advice("HTTPS_PROXY", &found).contains("\"httpsProxy\""));
    let found = secret_build_arg("db-password", &opaque()).unwrap();
    assert!(advice("db-password", &found).contains("--secret id=db_password,src=FILE"));
}

#[test]
fn a_secret_given_as_the_name_is_not_repeated() {
    let token = checksummed("ghp_", 9, 30);
    let found = secret_build_arg(&token, "").unwrap();
    assert!(matches!(found.reason, Reason::CredentialAsName(_)));
    let said = everything_said(&token, "").unwrap();
    assert!(!said.contains(&token[4..12]), "{said}");
}

#[test]
fn a_hostile_name_cannot_write_to_the_terminal_or_the_command() {
    let name = "x\u{1b}[2J\n,src=/etc/shadow;rm -rf ~;_PASSWORD";
    let said = advice(name, &secret_build_arg(name, &opaque()).unwrap());
    assert!(!said.contains('\u{1b}') && !said.contains("rm -rf") && !said.contains("/etc/shadow"));
}

proptest! {
    #[test]
    fn nothing_said_contains_the_value(
        name in "(DB_PASSWORD|HTTP_PROXY|SETTING)",
        secret in "[A-Za-z0-9]{16,40}",
        form in 0..3_usize,
    ) {
        let value = [
            secret.clone(),
            format!("https://user:{secret}@host"),
            format!("Authorization: Bearer {secret}"),
        ];
        if let Some(said) = everything_said(&name, &value[form]) {
            prop_assert!(!said.contains(&secret));
        }
    }

    #[test]
    fn any_input_has_an_answer(name in any::<String>(), value in any::<String>()) {
        let _ = everything_said(&name, &value);
    }

    #[test]
    fn fragments_of_credentials_have_an_answer(
        value in "(ghp_|eyJ|://|:|@|-----BEGIN |PRIVATE KEY-----|\\.|=|;|é|\"auth\"|_authToken=|glpat-|\\?){0,40}",
    ) {
        let _ = everything_said("HTTP_PROXY", &value);
        let _ = everything_said("SETTING", &value);
    }
}

#[test]
fn a_long_hostile_value_takes_linear_time() {
    let started = std::time::Instant::now();
    for piece in [
        "eyJ",
        "eyJ.",
        "glpat-",
        "ghp_",
        "://a:",
        "_authToken=",
        "\"auth\":\"",
        "LS0tLS1CRUdJTi/",
        "-----BEGIN x",
        "a=b;",
        "hooks.slack.com/services/",
        "sk-proj-",
        "authorization:",
    ] {
        let value = piece.repeat(128 * 1024 / piece.len());
        let _ = secret_build_arg("NPM_TOKEN", &value);
    }
    // Linear work takes well under a second, quadratic work minutes.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
