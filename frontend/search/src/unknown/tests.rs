//! What is a secret beyond doubt is found; what only looks like one is not.

use proptest::prelude::*;

use super::*;
use crate::shape::checksum::{BASE62, crc32};

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[5]
    };
    (0..length).map(|_| next()).collect()
}

fn letters(seed: u64, length: usize, alphabet: &str) -> String {
    let letter = |byte: u8| char::from(alphabet.as_bytes()[usize::from(byte) % alphabet.len()]);
    noise(seed, length).into_iter().map(letter).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..4 {
            let six = (bits >> (18 - 6 * letter)) as usize & 63;
            out.push(if letter <= three.len() { char::from(LETTERS[six]) } else { '=' });
        }
    }
    out
}

fn armour(label: &str, bytes: &[u8]) -> String {
    let body = base64(bytes);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn der_key(length: u16) -> Vec<u8> {
    let [high, low] = (length + 3).to_be_bytes();
    [&[0x30, 0x82, high, low, 2, 1, 0][..], &noise(7, length.into())].concat()
}

fn openssh(cipher: &[u8]) -> Vec<u8> {
    let mut key = b"openssh-key-v1\0\0\0\0\x04".to_vec();
    key.extend(cipher);
    key.extend(b"\0\0\0\x04none\0\0\0\0\0\0\0\x01");
    key.extend(noise(3, 300));
    key
}

fn pgp(usage: u8) -> Vec<u8> {
    let mut body = vec![4, 1, 2, 3, 4, 1, 0, 64];
    body.extend(noise(4, 8));
    body.extend([0, 17, 1, 0, 1, usage]);
    body.extend(noise(5, 40));
    [&[0x94, body.len() as u8][..], &body].concat()
}

fn github(seed: u64) -> String {
    let body = letters(seed, 30, BASE62);
    let mut sum = crc32(body.as_bytes());
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.insert(0, BASE62.as_bytes()[sum as usize % 62]);
        sum /= 62;
    }
    format!("ghp_{body}{}", String::from_utf8(digits).unwrap())
}

fn found(text: &str) -> Vec<String> {
    let mut unknown = Unknown::new();
    unknown.feed(text.as_bytes());
    unknown.finish().found.into_iter().map(|suspect| suspect.what).collect()
}

/// What must be found, and how it is called.
fn secrets() -> Vec<(String, &'static str)> {
    let secret = letters(11, 40, BASE62);
    let id = letters(12, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    let putty = format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 1\nAAAA\n\
         Private-Lines: 1\n{}\nPrivate-MAC: 00\n",
        base64(&noise(9, 36))
    );
    vec![
        (armour("PRIVATE KEY", &der_key(600)), "a private key"),
        (armour("RSA PRIVATE KEY", &der_key(1190)), "a private key"),
        (armour("EC PRIVATE KEY", &der_key(300)), "a private key"),
        (armour("RSA PRIVATE KEY", &der_key(9000)), "a private key"),
        (armour("PRIVATE KEY", &der_key(600)).replace('\n', "\\n"), "a private key"),
        (armour("OPENSSH PRIVATE KEY", &openssh(b"none")), "an OpenSSH private key"),
        (
            armour("PGP PRIVATE KEY BLOCK", &pgp(0))
                .replace("BLOCK-----\n", "BLOCK-----\nVersion: 1\n\n"),
            "a PGP private key",
        ),
        (armour("PGP PRIVATE KEY BLOCK", &pgp(0)), "a PGP private key"),
        (putty, "a PuTTY private key"),
        (github(1), "a GitHub token"),
        (format!("glpat-{}", letters(2, 20, BASE62)), "a GitLab token"),
        (
            format!("xoxb-{}-{}-{}", "731904826155", "402957316482", letters(3, 24, BASE62)),
            "a Slack token",
        ),
        (format!("sk_live_{}", letters(4, 24, BASE62)), "a Stripe live key"),
        (format!("pypi-AgEIcHlwaS5vcmc{}", letters(5, 120, BASE62)), "a PyPI token"),
        (format!("SG.{}.{}", letters(6, 22, BASE62), letters(7, 43, BASE62)), "a SendGrid key"),
        (
            format!("[default]\naws_access_key_id = AKIA{id}\naws_secret_access_key = {secret}\n"),
            "an AWS access key",
        ),
        (
            format!("{{\"AccessKeyId\": \"ASIA{id}\", \"SecretAccessKey\": \"{secret}\"}}"),
            "an AWS access key",
        ),
        (
            format!("AccountName=shop;AccountKey={};", base64(&noise(8, 64))),
            "an Azure storage account key",
        ),
    ]
}

#[test]
fn each_kind_is_found_once_where_it_stands() {
    for (secret, what) in secrets() {
        assert_eq!(found(&secret), [what], "{secret}");
        let within = format!("x = 1\nKEY=\"{secret}\"\nmore\n");
        assert_eq!(found(&within), [what], "{within}");
        // Across the borders of blocks.
        for before in [BLOCK - 100, BLOCK - 20, BLOCK + BEHIND - 30, BLOCK + AHEAD, 3 * BLOCK + 17]
        {
            let far = format!("{}\n{secret}\n{}", " .\n".repeat(before / 3), ".".repeat(BLOCK));
            assert_eq!(found(&far), [what], "at {before}: {secret}");
        }
    }
}

#[test]
fn data_in_letters_does_not_hide_what_follows() {
    let data = letters(5, 3 * BLOCK, BASE62);
    for before in 0..20 {
        let text = format!("{} {data}\n{}", ".".repeat(before), github(3));
        assert_eq!(found(&text), ["a GitHub token"]);
    }
}

#[test]
fn offsets_lie_near() {
    let text = format!("{}{}", ".\n".repeat(100_000), github(2));
    let mut unknown = Unknown::new();
    unknown.feed(text.as_bytes());
    let suspects = unknown.finish();
    assert_eq!((suspects.total, suspects.found[0].offset), (1, 200_000));
    assert_eq!(unknown.finish(), Suspects::default());
}

#[test]
fn what_is_no_secret_is_silent() {
    let secret = letters(11, 40, BASE62);
    let mut broken = github(1);
    broken.pop();
    broken.push('!');
    let cut = armour("PRIVATE KEY", &der_key(600));
    for text in [
        // Words about keys, and keys without a body.
        "-----BEGIN RSA PRIVATE KEY-----".into(),
        "\"-----BEGIN PRIVATE KEY-----\" + base64 + \"-----END PRIVATE KEY-----\"".into(),
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n".into(),
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
            .into(),
        cut.replace("-----END PRIVATE", "-----END RSA PRIVATE"),
        cut.replace("MI", "!!"),
        armour("RSA TESTING KEY", &der_key(600)),
        armour("CERTIFICATE", &der_key(600)),
        armour("PUBLIC KEY", &der_key(600)),
        // Keys with a passphrase.
        armour("ENCRYPTED PRIVATE KEY", &der_key(600)),
        armour("RSA PRIVATE KEY", &der_key(600)).replace(
            "KEY-----\nMI",
            "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMI",
        ),
        armour("OPENSSH PRIVATE KEY", &openssh(b"aes256-ctr")),
        armour("PGP PRIVATE KEY BLOCK", &pgp(254)),
        // In the data of a program.
        format!("\0\x01\0{}", armour("PRIVATE KEY", &der_key(600))),
        // Documentation.
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
         aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
            .into(),
        format!("aws_secret_access_key = {secret}"),
        "AKIAI44QH8DHBJXQ5FKT".into(),
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".into(),
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a".into(),
        broken,
        "xoxb-123456789012-1234567890123-abcdefghijklmnopqrstuvwx".into(),
        "sk_live_abcdefghijklmnopqrstuvwx0123".into(),
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc".into(),
        "glpat-xxxxxxxxxxxxxxxxxxxx glpat-ABCDEFGHIJKLMNOPQRST".into(),
        "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY".into(),
        format!(
            "AccountName=devstoreaccount1;AccountKey={}",
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        ),
        format!("AccountName=x;AccountKey={}", "A".repeat(86) + "=="),
        // Symbols, digests, sources of scripts.
        "_ZN4core3fmt9Formatter12pad_integral17h0123456789abcdefE".into(),
        letters(5, 100_000, BASE62),
    ] {
        assert_eq!(found(&text), Vec::<String>::new(), "{text:.200}");
    }
}

/// Marks, and what looks like the rest of it, over and over: no place is looked through often.
#[test]
fn hostile_texts_end() {
    let secret = letters(11, 40, BASE62);
    let key = base64(&noise(8, 64));
    for unit in [
        "-----BEGIN PRIVATE KEY-----\n".to_owned(),
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n".to_owned(),
        "PuTTY-User-Key-File-".to_owned(),
        format!("aws_secret_access_key={secret} "),
        format!("AccountKey={key};"),
        "ghp_".repeat(20) + "-",
        "-sk-".repeat(20) + ".",
    ] {
        let text: String = unit.repeat((2 << 20) / unit.len());
        assert_eq!(found(&text), Vec::<String>::new(), "{unit}");
    }
}

#[test]
fn many_are_few() {
    let text: String = (0..1000).map(|seed| github(seed) + "\n").collect();
    let mut unknown = Unknown::new();
    unknown.feed(text.as_bytes());
    let suspects = unknown.finish();
    assert_eq!((suspects.total, suspects.found.len()), (1000, KEPT));
}

#[test]
fn public_paths_are_known() {
    for path in [
        "/usr/lib/python3/dist-packages/x/key.pem",
        "./usr/share/doc/openssl/key.pem",
        "app/node_modules/a/test.key",
        "/usr/local/lib/python3.12/test/keycert.pem",
        "/usr/local/go/src/crypto/tls/testdata/example-key.pem",
        "/usr/local/go/src/crypto/tls/tls_test.go",
        "/etc/ssl/private/ssl-cert-snakeoil.key",
        "/opt/app/lib.jar",
        "/root/.cargo/registry/src/index/pem-4/src/lib.rs",
        "/srv/docs/key.md",
        "/srv/README.md",
        "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages",
    ] {
        assert!(is_public_path(path), "{path}");
    }
    for path in [
        "/root/.ssh/id_ed25519",
        "/app/key.pem",
        "/etc/ssl/private/server.key",
        "/etc/ssh/ssh_host_rsa_key",
        "/usr/src/app/config.py",
        "/usr/local/share/ca.key",
        "/home/latest/contest/key",
        "/app/lib/key.pem",
    ] {
        assert!(!is_public_path(path), "{path}");
    }
}

#[test]
fn files_of_credentials_are_read() {
    let docker =
        format!("{{\"auths\":{{\"r.io\":{{\"auth\":\"{}\"}}}}}}", base64(b"me:s3cr3t-v4lue"));
    for (path, contents, held) in [
        ("/root/.npmrc", "//r.io/:_authToken=npm-s3cr3t-v4lue\n", true),
        ("/app/.npmrc", "registry=https://r.io/\n//r.io/:_authToken=${NPM_TOKEN}\n", false),
        ("/app/.npmrc", "; //r.io/:_authToken=npm-s3cr3t-v4lue\n", false),
        ("/root/.netrc", "machine github.com\nlogin me\npassword s3cr3t-v4lue\n", true),
        ("/root/.netrc", "machine github.com login me\n", false),
        ("/root/.docker/config.json", &docker, true),
        ("/root/.docker/config.json", "{\"auths\":{\"r.io\":{}},\"credsStore\":\"pass\"}", false),
        ("/root/.pypirc", "[pypi]\nusername = __token__\npassword = s3cr3t-v4lue\n", true),
        ("/root/.git-credentials", "https://me:s3cr3t-v4lue@github.com\n", true),
        ("/etc/pip.conf", "[global]\nindex-url = https://me:s3cr3t-v4lue@r.io/simple\n", true),
        ("/etc/pip.conf", "[global]\nindex-url = https://r.io/simple\n", false),
        ("/etc/pip.conf", "# index-url = https://me:s3cr3t-v4lue@r.io/simple\n", false),
        ("/root/.m2/settings.xml", "<server><password>s3cr3t-v4lue</password></server>", true),
        ("/root/.m2/settings.xml", "<password>${env.PASSWORD}</password>", false),
        ("/usr/share/maven/conf/settings.xml", "<password>some_passphrase</password>", true),
        ("/root/.cargo/credentials.toml", "[registry]\ntoken = \"s3cr3t-v4lue\"\n", true),
        ("/root/.gem/credentials", ":rubygems_api_key: s3cr3t-v4lue\n", true),
    ] {
        let file = CredentialsFile::of(path).unwrap();
        assert_eq!(file.holds(contents.as_bytes()).is_some(), held, "{path}: {contents}");
    }
    for path in ["/app/config.json", "/app/settings.xml", "/app/credentials", "/app/npmrc"] {
        assert_eq!(CredentialsFile::of(path), None, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where chunks end changes nothing.
    #[test]
    fn chunks_do_not_matter(which in 0..18_usize, before in 0..200_000_usize, chunk in 1..70_000_usize) {
        let (secret, what) = secrets().remove(which);
        let text = format!("{}\n{secret}\nend", ".\n".repeat(before / 2));
        let mut unknown = Unknown::new();
        for chunk in text.as_bytes().chunks(chunk) {
            unknown.feed(chunk);
        }
        let suspects = unknown.finish();
        prop_assert_eq!(suspects.total, 1);
        prop_assert_eq!(&suspects.found[0].what, what);
    }

    #[test]
    fn noise_is_silent(text in prop::collection::vec(any::<u8>(), 0..2000), mark in 0..8_usize) {
        let mut unknown = Unknown::new();
        unknown.feed(&text);
        unknown.feed(b"-----BEGIN RSA ");
        unknown.feed(MARKS[mark].0);
        unknown.feed(&text);
        prop_assert_eq!(unknown.finish().total, 0);
    }
}
