//! Values, under a name that says nothing.

use super::super::{Reason, Shape, secret_build_arg};
use super::{ALNUM, HEX, URL_SAFE, base64, checksummed, digits, random};
use crate::policy::secret_arg::checksum::{BASE36, crc32};

fn shape(value: &str) -> Option<Shape> {
    match secret_build_arg("SETTING", value)?.reason {
        Reason::Value(shape) => Some(shape),
        other => panic!("{other:?}"),
    }
}

fn jwt(header: &str, payload: &str) -> String {
    let signature = random(3, 43, URL_SAFE);
    format!("{}.{}.{signature}", base64(header.as_bytes()), base64(payload.as_bytes()))
}

fn pem(label: &str) -> String {
    let dashes = "-".repeat(5);
    let body = random(5, 64, ALNUM);
    format!("{dashes}BEGIN {label}{dashes}\n{body}\n{body}\n{dashes}END {label}{dashes}\n")
}

fn gitlab_routable() -> String {
    let token = format!("{}{}.01.0w", "glpat-", random(4, 32, URL_SAFE));
    let sum = digits(crc32(token.as_bytes()), 7, BASE36);
    format!("{token}{sum}")
}

/// A token of each issuer, and what it is called.
fn tokens() -> Vec<(String, &'static str)> {
    let hex = |prefix: &str, length| format!("{prefix}{}", random(11, length, HEX));
    let safe = |prefix: &str, length| format!("{prefix}{}", random(12, length, URL_SAFE));
    let alnum = |prefix: &str, length| format!("{prefix}{}", random(13, length, ALNUM));
    let infix = format!("{}{}", "T3Blbk", "FJ");
    let base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    vec![
        (checksummed("ghp_", 1, 30), "GitHub"),
        (checksummed("gho_", 2, 30), "GitHub"),
        (checksummed("ghu_", 3, 30), "GitHub"),
        (checksummed("ghs_", 4, 30), "GitHub"),
        (checksummed("ghr_", 5, 70), "GitHub"),
        (format!("github_pat_{}_{}", random(1, 22, ALNUM), random(2, 59, ALNUM)), "GitHub"),
        (checksummed("npm_", 6, 30), "npm"),
        (safe("glpat-", 20), "GitLab"),
        (gitlab_routable(), "GitLab"),
        (hex("glptt-", 40), "GitLab"),
        (format!("AKIA{}", random(8, 16, base32)), "AWS"),
        (format!("ASIA{}", random(9, 16, base32)), "AWS"),
        (format!("xoxb-{}-{}-{}", "1".repeat(11), "234567890123", random(1, 24, ALNUM)), "Slack"),
        (alnum("sk_live_", 24), "Stripe"),
        (alnum("rk_live_", 99), "Stripe"),
        (safe("pypi-AgEIcHlwaS5vcmc", 120), "PyPI"),
        (safe("AIza", 35), "Google"),
        (format!("{}AA", safe("sk-ant-api03-", 93)), "Anthropic"),
        (format!("{}{infix}{}", safe("sk-proj-", 74), random(2, 74, URL_SAFE)), "OpenAI"),
        (format!("{}{infix}{}", alnum("sk-", 20), random(2, 20, ALNUM)), "OpenAI"),
        (alnum("hf_", 34), "Hugging Face"),
        (safe("dckr_pat_", 27), "Docker Hub"),
        (hex("dop_v1_", 64), "DigitalOcean"),
        (format!("SG.{}.{}", random(3, 22, URL_SAFE), random(4, 43, URL_SAFE)), "SendGrid"),
        (safe("hvs.", 96), "Vault"),
        (hex("shpat_", 32), "Shopify"),
        (hex("rubygems_", 48), "RubyGems"),
        (hex("dapi", 32), "Databricks"),
        (format!("AGE-SECRET-KEY-1{}", random(6, 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")), "age"),
    ]
}

#[test]
fn tokens_are_known_by_their_issuer() {
    for (token, issuer) in tokens() {
        let Some(Shape::Token(what)) = shape(&token) else {
            panic!("{issuer} token not seen: {token}")
        };
        assert!(what.contains(issuer), "{what} for {issuer}");
        // Also within flags, URLs and files, and not as a part of a longer word.
        assert!(shape(&format!("--token={token} --verbose")).is_some(), "{issuer}");
        assert!(shape(&format!("https://{token}@example.org/x")).is_some(), "{issuer}");
        assert_eq!(shape(&format!("x{token}")), None, "{issuer}");
        assert_eq!(shape(&format!("{token}0")).filter(|_| issuer == "GitHub"), None);
    }
}

#[test]
fn a_wrong_checksum_is_no_token() {
    for prefix in ["ghp_", "gho_", "ghs_", "npm_"] {
        for seed in 0..200 {
            assert_eq!(shape(&format!("{prefix}{}", random(seed + 1, 36, ALNUM))), None);
        }
    }
    let token = gitlab_routable();
    let wrong = format!("{}a", &token[..token.len() - 1]);
    if wrong != token {
        assert_eq!(shape(&wrong), None);
    }
}

#[test]
fn keys_documents_and_addresses_are_seen() {
    let token = random(21, 36, ALNUM);
    let encoded_pem = base64(pem("RSA PRIVATE KEY").as_bytes()).replace('-', "+").replace('_', "/");
    let account = random(22, 86, ALNUM);
    let team = format!(
        "T{}/B{}",
        random(1, 10, "ABCDEFGH0123456789"),
        random(2, 10, "ABCDEFGH0123456789")
    );
    let auth = base64(b"user:some-password").replace('-', "+").replace('_', "/");
    let cases = [
        (jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"1"}"#), Shape::Jwt),
        (format!("ghs_123_{}", jwt(r#"{"alg":"RS256"}"#, r#"{"iss":"1"}"#)), Shape::Jwt),
        (pem("PRIVATE KEY"), Shape::PrivateKey),
        (pem("OPENSSH PRIVATE KEY"), Shape::PrivateKey),
        (pem("EC PRIVATE KEY").replace('\n', "\\n"), Shape::PrivateKey),
        (pem("PGP PRIVATE KEY BLOCK"), Shape::PrivateKey),
        (encoded_pem, Shape::PrivateKey),
        ("https://user:pass@host".into(), Shape::UrlPassword),
        ("https://user:p%40ss@host:8443/path?x=1".into(), Shape::UrlPassword),
        ("redis://:hunter2@cache:6379/0".into(), Shape::UrlPassword),
        ("jdbc:mysql://app:hunter2@db/app".into(), Shape::UrlPassword),
        ("--extra-index-url https://u:hunter2@pypi.corp/simple".into(), Shape::UrlPassword),
        ("postgres://app:a@b@db/app".into(), Shape::UrlPassword),
        ("git+https://x-access-token:abcdef0123@github.com/o/r".into(), Shape::UrlPassword),
        ("jdbc:postgresql://db/app?user=app&password=hunter2".into(), Shape::UrlParameter),
        (
            format!(
                "https://a.blob.core.windows.net/c?sv=2022&sp=r&se=2030-01-01&sig={}",
                random(1, 44, ALNUM)
            ),
            Shape::UrlParameter,
        ),
        (
            format!(
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={account}==;EndpointSuffix=core.windows.net"
            ),
            Shape::ConnectionString,
        ),
        ("Server=db;Database=app;User Id=sa;Password=Hunter-2;".into(), Shape::ConnectionString),
        (
            format!("https://hooks.slack.com/services/{team}/{}", random(3, 24, ALNUM)),
            Shape::WebHook("Slack"),
        ),
        (
            format!(
                "https://discord.com/api/webhooks/123456789012345678/{}",
                random(4, 68, URL_SAFE)
            ),
            Shape::WebHook("Discord"),
        ),
        (
            format!("//registry.npmjs.org/:_authToken={token}"),
            Shape::CredentialsFile("a .npmrc with a token"),
        ),
        (format!("_authToken={token}"), Shape::CredentialsFile("a .npmrc with a token")),
        (
            "machine h login me password hunter2".into(),
            Shape::CredentialsFile("a .netrc with a password"),
        ),
        (
            format!(r#"{{"auths":{{"ghcr.io":{{"auth": "{auth}"}}}}}}"#),
            Shape::CredentialsFile("a Docker configuration with a password"),
        ),
        (format!("Authorization: Bearer {token}"), Shape::AuthorizationHeader),
        (format!("--header=authorization: basic {token}"), Shape::AuthorizationHeader),
    ];
    for (value, expected) in cases {
        assert_eq!(shape(&value), Some(expected), "{value}");
    }
}

#[test]
fn what_only_resembles_a_credential_is_let_through() {
    let hash = random(1, 64, HEX);
    let dashes = "-".repeat(5);
    let cases = [
        "",
        "main",
        "1.2.3",
        "v1.2.3-rc.1",
        "linux/amd64",
        "a=b;c=d",
        "user@example.org",
        "me@host:path/repo.git",
        "git@github.com:org/repo.git",
        "ssh://git@github.com/org/repo",
        "https://example.org",
        "https://user@example.org",
        "https://example.org:8443/@scope/pkg",
        "https://example.org/a:b@c",
        "https://user:@example.org",
        "https://example.org/?a:b@c",
        "https://${USER}:${PASS}@example.org",
        "https://user:$PASS@example.org",
        "https://user:<password>@example.org",
        "https://user:****@example.org",
        "postgres://postgres:postgres@localhost/app",
        "mysql://root:password@db/app",
        "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/2",
        "http://[::1]:8080/x",
        "file:///home/me@work:x",
        "npm:@scope/pkg@1.0",
        "ghp_",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "ghp_YOUR_TOKEN_HERE",
        "npm_config_registry",
        "npm_lifecycle_event",
        "npm_package_name_with_thirty_six_lett",
        "github_pat_",
        "github_pattern",
        "glpat-",
        "glpat-xxxxxxxxxxxxxxxxxxxx",
        "glpat-YOUR_TOKEN_HERE_1234",
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA",
        "ASIAPACIFICREGIONONE",
        "ASIAPACIFICREGIONABC",
        "xoxb-",
        "xoxb-your-token",
        "xoxb-not-a-real-token-at-all-but-long-enough",
        "sk_live_",
        "sk_test_4242",
        "sk-",
        "sk-proj-",
        "sk-learn",
        "sk-SK",
        "sk-ant-api03-",
        "scikit-learn==1.5.0",
        "pypi-server",
        "pypi-AgEIcHlwaS5vcmc",
        "AIza",
        "hf_transfer",
        "HF_HUB_ENABLE_HF_TRANSFER",
        "hvs.",
        "SG.sendgrid",
        "dapi",
        "dapibus",
        "dop_v1_",
        "eyJ",
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.e30.",
        "eyJ.eyJ.sig",
        "a.b.c",
        "AGE-SECRET-KEY-1",
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kxarxrw",
        "hooks.slack.com/services/",
        "https://hooks.slack.com/services/T000/B000/XXX",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://discord.com/api/webhooks/",
        "_authToken=",
        "_authToken=${NPM_TOKEN}",
        "//registry.npmjs.org/:_authToken=$NPM_TOKEN",
        "machine learning",
        "machine h login me",
        "machine h login me password $PASS",
        "Authorization: Bearer",
        "Authorization: Bearer $TOKEN",
        "Authorization: Bearer <token>",
        "authorization: none",
        r#"{"auths":{}}"#,
        r#"{"auths":{"ghcr.io":{"auth":""}}}"#,
        "Server=db;Database=app;Trusted_Connection=True",
        "Server=db;Password=${PW}",
        "AccountName=a;AccountKey=${listKeys(storage.id, storage.apiVersion).keys[0].value}",
        "password=x",
        "Host=a;Port=1",
        "AccountName=a;AccountKey=",
        "https://example.org/?page=2&token=abc",
        "https://example.org/reset?password=",
        "https://example.org/search?q=password&sig=1",
        "LS0tLS1CRUdJTi",
        "-----BEGIN",
    ];
    for value in cases {
        assert_eq!(secret_build_arg("SETTING", value), None, "{value}");
    }
    let made = [
        format!("docker-image://alpine:3.20@sha256:{hash}"),
        format!("alpine:3.20@sha256:{hash}"),
        format!("https://github.com/o/r.git#{}", &hash[..40]),
        hash.clone(),
        format!("sha512-{}==", random(1, 86, ALNUM)),
        pem("CERTIFICATE"),
        pem("PUBLIC KEY"),
        base64(pem("CERTIFICATE").as_bytes()),
        format!("{dashes}BEGIN RSA PRIVATE KEY{dashes}"),
        format!("{dashes}BEGIN PRIVATE KEY{dashes}\n<key>\n{dashes}END PRIVATE KEY{dashes}"),
        jwt(r#"{"typ":"JWT"}"#, r#"{"sub":"1"}"#),
        format!("{}.{}.", base64(br#"{"alg":"none"}"#), base64(br#"{"sub":"1"}"#)),
        "x".repeat(100_000),
        "eyJ".repeat(2_000),
        "://:@".repeat(2_000),
        "-----BEGIN ".repeat(2_000),
    ];
    for value in made {
        assert_eq!(secret_build_arg("SETTING", &value), None, "{value}");
    }
}

#[test]
fn keys_that_browsers_hold_are_let_through_when_the_name_says_so() {
    let google = format!("AIza{}", random(12, 35, URL_SAFE));
    let anon = jwt(r#"{"alg":"HS256"}"#, r#"{"role":"anon"}"#);
    for name in ["NEXT_PUBLIC_FIREBASE_API_KEY", "VITE_GOOGLE_MAPS_API_KEY", "GOOGLE_MAPS_API_KEY"]
    {
        assert_eq!(secret_build_arg(name, &google), None, "{name}");
    }
    for name in ["SUPABASE_ANON_KEY", "VITE_SUPABASE_ANON_KEY", "NEXT_PUBLIC_SUPABASE_ANON_KEY"] {
        assert_eq!(secret_build_arg(name, &anon), None, "{name}");
    }
    assert!(secret_build_arg("GOOGLE_API_KEY", &google).is_some());
    assert!(secret_build_arg("SUPABASE_SERVICE_ROLE_KEY", &anon).is_some());
    // No name makes a GitHub token public.
    assert!(secret_build_arg("NEXT_PUBLIC_X", &checksummed("ghp_", 1, 30)).is_some());
}

#[test]
fn proxies_with_a_password_are_secrets_by_value() {
    for name in ["HTTP_PROXY", "https_proxy", "Ftp_Proxy", "ALL_PROXY"] {
        for value in ["http://me:hunter2@proxy:3128", "me:hunter2@proxy:3128", "socks5://a:bcd@p"] {
            let found = secret_build_arg(name, value).map(|found| found.reason);
            assert_eq!(found, Some(Reason::Proxy), "{name}={value}");
        }
        for value in
            ["", "http://proxy:3128", "proxy:3128", "http://me@proxy", "http://$U:$P@proxy"]
        {
            assert_eq!(secret_build_arg(name, value), None, "{name}={value}");
        }
    }
    assert_eq!(secret_build_arg("NO_PROXY", "localhost,.corp:8080"), None);
}
