//! Registry credentials for the engine: tokens that were fetched here, so that passwords stay here;
//! a login itself only where an engine or a registry knows nothing else.
//!
//! Source: moby/buildkit, session/auth/auth.proto and session/auth/authprovider.

use std::path::PathBuf;
use std::sync::Arc;

use bollard_buildkit_proto::moby::filesync::v1::auth_server::Auth;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use tonic::{Request, Response, Status};

use crate::docker_config::{CredentialError, Credentials, Login};
use crate::registry::{self, Http, ProxyVariables, TokenRequest};

mod authority;
mod seed;

use authority::TokenAuthority;

/// The service's methods.
pub(super) const METHODS: [&str; 4] = [
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.filesync.v1.Auth/FetchToken",
    "/moby.filesync.v1.Auth/GetTokenAuthority",
    "/moby.filesync.v1.Auth/VerifyTokenAuthority",
];

/// How registry tokens are fetched.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// Docker's configuration directory, where what tells our tokens from others' is kept.
    pub directory: PathBuf,
    /// The environment's proxies.
    pub proxies: ProxyVariables,
}

/// Logins of registries, and tokens that they buy; shows none of them.
#[derive(Clone, Debug, Default)]
pub struct RegistryAuth {
    credentials: Credentials,
    tokens: Option<Arc<Tokens>>,
}

#[derive(Debug)]
struct Tokens {
    http: Http,
    authority: TokenAuthority,
}

impl RegistryAuth {
    /// Serves `credentials`; without settings the engine fetches tokens itself.
    pub fn new(credentials: Credentials, tokens: Option<TokenSettings>) -> Self {
        let tokens = tokens.map(|TokenSettings { directory, proxies }| {
            let authority = TokenAuthority::new(directory);
            Arc::new(Tokens { http: Http::new(proxies), authority })
        });
        Self { credentials, tokens }
    }

    /// The login for a registry's host, as Docker files them.
    pub async fn login(&self, host: &str) -> Result<Option<Arc<Login>>, CredentialError> {
        self.credentials.login(host).await
    }

    async fn login_for_engine(&self, host: &str) -> Result<Option<Arc<Login>>, Status> {
        self.login(host).await.map_err(|error| Status::unknown(error.to_string()))
    }

    /// Engines take "unavailable" for the word to fetch tokens themselves.
    fn tokens(&self) -> Result<&Tokens, Status> {
        let off = || Status::unavailable("client side tokens disabled");
        self.tokens.as_deref().ok_or_else(off)
    }

    /// The key that proves to the engine that its token came from somebody with the same login.
    async fn key(&self, host: &str, salt: &[u8]) -> Result<authority::Key, Status> {
        let tokens = self.tokens()?;
        let login = self.login_for_engine(host).await?;
        let secret = login.is_some_and(|login| !login.for_tokens().1.is_empty());
        tokens.authority.key(host, salt, secret).await.map_err(|error| {
            tracing::debug!(%error, "no token authority");
            Status::unavailable(error.to_string())
        })
    }
}

#[tonic::async_trait]
impl Auth for RegistryAuth {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let host = request.into_inner().host;
        let login = self.login_for_engine(&host).await?;
        let (username, secret) = login.as_deref().map(Login::for_tokens).unwrap_or_default();
        tracing::debug!(host, known = !secret.is_empty(), "the engine asks for a login");
        Ok(Response::new(CredentialsResponse {
            username: username.to_string(),
            secret: secret.to_string(),
        }))
    }

    async fn fetch_token(
        &self,
        request: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        let FetchTokenRequest { client_id, host, realm, service, scopes } = request.into_inner();
        let tokens = self.tokens()?;
        let login = self.login_for_engine(&host).await?;
        tracing::debug!(host, realm, ?scopes, known = login.is_some(), "fetching a registry token");
        let request = TokenRequest { realm, service, scopes, client: client_id };
        let token = registry::fetch(&tokens.http, &request, login.as_deref()).await;
        let token = token.map_err(|error| Status::unknown(error.to_string()))?;
        Ok(Response::new(FetchTokenResponse {
            token: token.token.to_string(),
            expires_in: token.expires_in,
            issued_at: token.issued_at,
        }))
    }

    async fn get_token_authority(
        &self,
        request: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        let GetTokenAuthorityRequest { host, salt } = request.into_inner();
        let public_key = self.key(&host, &salt).await?.public();
        Ok(Response::new(GetTokenAuthorityResponse { public_key }))
    }

    async fn verify_token_authority(
        &self,
        request: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        let VerifyTokenAuthorityRequest { host, payload, salt } = request.into_inner();
        let signed = self.key(&host, &salt).await?.sign(&payload);
        Ok(Response::new(VerifyTokenAuthorityResponse { signed }))
    }
}

#[cfg(test)]
mod tests;
