//! JSON-RPC over HTTP with a bound on the answer's size; a node's body may be anything.

use crate::rpc_url::RpcUrl;
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_transport::{TransportError, TransportErrorKind, TransportFut, TransportResult};
use reqwest::{Client, Response, header};
use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower::Service;

/// The answer is larger than is read.
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {limit} bytes")]
pub(crate) struct Oversized {
    pub(crate) limit: u64,
}

/// A connection pool to one endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    url: RpcUrl,
    limit: u64,
}

impl Http {
    /// Nothing is sent yet; answers over `limit` bytes (unpacked) are given up.
    pub(crate) fn new(url: RpcUrl, limit: u64, connect_timeout: Duration) -> TransportResult<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TransportErrorKind::custom)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(connect_timeout)
            .tcp_nodelay(true)
            // A redirect would carry the request, and the key in it, to another host.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| TransportErrorKind::custom(error.without_url()))?;
        Ok(Self { client, url, limit })
    }

    async fn send(self, packet: RequestPacket) -> TransportResult<ResponsePacket> {
        let body = serde_json::to_vec(&packet).map_err(TransportError::ser_err)?;
        let request = self.client.post(self.url.secret().clone());
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        let response = request
            .send()
            .await
            .map_err(|error| TransportErrorKind::custom_str(&cause(error)))?;
        let (status, retry_after) = (response.status(), retry_after(&response));
        let body = self.read(response).await?;
        if !status.is_success() {
            // Some nodes send their JSON-RPC error under an HTTP error's status.
            if let Ok(answer) = serde_json::from_slice::<ResponsePacket>(&body)
                && status.as_u16() != 429
            {
                return Ok(answer);
            }
            let body = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            return Err(TransportErrorKind::http_error_with_retry_after(
                status.as_u16(),
                body,
                retry_after,
            ));
        }
        serde_json::from_slice(&body).map_err(|error| {
            let start = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            TransportError::deser_err(error, start)
        })
    }

    async fn read(&self, mut response: Response) -> TransportResult<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            match chunk.map_err(|error| TransportErrorKind::custom_str(&cause(error)))? {
                None => return Ok(body),
                Some(chunk) if (body.len() + chunk.len()) as u64 > self.limit => {
                    return Err(TransportErrorKind::non_retryable(Oversized { limit: self.limit }));
                }
                Some(chunk) => body.extend_from_slice(&chunk),
            }
        }
    }
}

/// The innermost reason of a failed request, without its URL.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason: &dyn std::error::Error = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}

/// `Retry-After` as seconds; as a date it is measured against the answer's own `Date`, since our clock may differ.
fn retry_after(response: &Response) -> Option<Duration> {
    let read = |name| response.headers().get(name)?.to_str().ok();
    let value = read(header::RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(read(header::DATE)?).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

impl Service<RequestPacket> for Http {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> TransportFut<'static> {
        Box::pin(self.clone().send(packet))
    }
}
