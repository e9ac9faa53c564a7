use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tonic::Code;

use super::*;
use crate::docker_config::DockerConfig;

fn auth(config: &str, tokens: bool) -> (RegistryAuth, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("config.json"), config).unwrap();
    let credentials = DockerConfig::load(directory.path()).unwrap().credentials(None).unwrap();
    let settings = TokenSettings {
        directory: directory.path().to_path_buf(),
        proxies: ProxyVariables::default(),
    };
    (RegistryAuth::new(credentials, tokens.then_some(settings)), directory)
}

async fn credentials(auth: &RegistryAuth, host: &str) -> Result<(String, String), Status> {
    let request = Request::new(CredentialsRequest { host: host.into() });
    let answer = auth.credentials(request).await?.into_inner();
    Ok((answer.username, answer.secret))
}

#[tokio::test]
async fn an_engine_gets_what_it_can_use() {
    let hub = STANDARD.encode("me:pass");
    let (auth, _directory) = auth(
        &format!(
            r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{hub}"}},
                "t":{{"identitytoken":"idt","username":"u"}},"h":{{}}}},
                "credHelpers":{{"broken":"cofferdam-none"}}}}"#
        ),
        true,
    );
    let pair = |user: &str, secret: &str| (user.to_string(), secret.to_string());
    assert_eq!(credentials(&auth, "registry-1.docker.io").await.unwrap(), pair("me", "pass"));
    assert_eq!(credentials(&auth, "t").await.unwrap(), pair("", "idt"));
    assert_eq!(credentials(&auth, "h").await.unwrap(), pair("", ""));
    let error = credentials(&auth, "broken").await.unwrap_err();
    assert!(error.message().contains("docker-credential-cofferdam-none"), "{error}");
    assert!(!format!("{auth:?}").contains("pass"));
}

#[tokio::test]
async fn without_tokens_the_engine_is_told_to_fetch_them_itself() {
    let (auth, _directory) = auth("{}", false);
    let request = GetTokenAuthorityRequest { host: "r".into(), salt: vec![1] };
    let refused = auth.get_token_authority(Request::new(request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
}

#[tokio::test]
async fn the_authority_signs_with_the_key_it_names() {
    let (auth, _directory) = auth(r#"{"auths":{"r":{"username":"u","password":"p"}}}"#, true);
    let salt = vec![7; 32];
    let request = GetTokenAuthorityRequest { host: "r".into(), salt: salt.clone() };
    let key = auth.get_token_authority(Request::new(request)).await.unwrap().into_inner();
    let request = VerifyTokenAuthorityRequest { host: "r".into(), payload: vec![9; 32], salt };
    let signed = auth.verify_token_authority(Request::new(request)).await.unwrap().into_inner();
    let (signature, payload) = signed.signed.split_at(64);
    assert_eq!(payload, [9; 32]);
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key.public_key);
    public.verify(payload, signature).unwrap();
}
