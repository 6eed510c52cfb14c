//! gRPC with a token on every call.

use std::{net::SocketAddr, time::Duration};

use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, Routes, interceptor::InterceptedService},
    transport::{Channel, Endpoint, Server},
};

use crate::settings::SecretText;

/// Refuses calls without the token. Compared in constant time.
#[derive(Debug, Clone)]
pub struct RequireToken(SecretText);

impl RequireToken {
    /// Asks for a token.
    ///
    /// # Errors
    /// If it is empty: operations without a token are not offered.
    pub fn new(token: SecretText) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !token.expose().is_empty(),
            "grpc_token is empty: set WAYBILL_GRPC_TOKEN or WAYBILL_GRPC_TOKEN_FILE"
        );
        Ok(Self(token))
    }
}

impl Interceptor for RequireToken {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let given = request
            .metadata()
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.strip_prefix("Bearer "))
            .unwrap_or_default();
        if given.as_bytes().ct_eq(self.0.expose().as_bytes()).into() {
            Ok(request)
        } else {
            Err(Status::unauthenticated("send 'authorization: Bearer <token>' with the service's gRPC token"))
        }
    }
}

/// Both ends ask as often whether the other is there, and drop a connection on which no answer comes in time: after a
/// cut that neither heard of, a call would only run into its own time-out, and so would each that comes after it.
const ASK_EVERY: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Serves until told to stop.
///
/// # Errors
/// If the transport fails.
pub async fn serve(listener: TcpListener, routes: Routes, stop: CancellationToken) -> anyhow::Result<()> {
    Server::builder()
        .http2_keepalive_interval(Some(ASK_EVERY))
        .http2_keepalive_timeout(Some(ANSWER_WITHIN))
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.cancelled_owned())
        .await?;
    Ok(())
}

/// A channel to a peer that sends the token with each call.
pub type PeerChannel = InterceptedService<Channel, SendToken>;

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct SendToken(MetadataValue<Ascii>);

impl Interceptor for SendToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A channel to `url`, connected when it is first used and again after a loss. No call takes longer than 30 s.
///
/// # Errors
/// If the URL or the token cannot be used.
pub fn peer(url: &str, token: &SecretText) -> anyhow::Result<PeerChannel> {
    peer_within(Duration::from_secs(30), url, token)
}

/// A [`peer`] whose calls take no longer than this, however long their callers would wait.
///
/// # Errors
/// If the URL or the token cannot be used.
pub fn peer_within(within: Duration, url: &str, token: &SecretText) -> anyhow::Result<PeerChannel> {
    let endpoint = Endpoint::from_shared(url.to_owned())?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(ASK_EVERY)
        .keep_alive_timeout(ANSWER_WITHIN)
        .timeout(within);
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.expose()).parse()?;
    value.set_sensitive(true);
    Ok(InterceptedService::new(endpoint.connect_lazy(), SendToken(value)))
}

/// Binds a listener; port 0 takes a free one.
///
/// # Errors
/// If the address cannot be bound; says which.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    use anyhow::Context as _;
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}: choose another address"))
}
