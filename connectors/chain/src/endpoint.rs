use crate::{
    error::{NodeError, NodeErrorKind},
    http::{Http, Oversized},
    range_hint,
    retry::Retry,
    rpc_url::RpcUrl,
    throttle::Throttle,
};
use alloy_json_rpc::{ErrorPayload, RpcError, RpcRecv, RpcSend};
use alloy_rpc_client::{ClientBuilder, RpcClient, WsConnect};
use alloy_transport::{TransportError, TransportErrorKind};
use alloy_transport_ws::WebSocketConfig;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

/// How an endpoint is treated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EndpointOptions {
    /// Requests under way at once.
    pub concurrency: usize,
    /// Requests a second; no bound by default.
    pub requests_per_second: Option<f64>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Bytes of one answer, unpacked.
    pub max_answer_bytes: u64,
    /// Calls in one batch.
    pub batch: usize,
    /// Whether `eth_call` may put code of ours in a contract's place, where the node lets it.
    pub state_overrides: bool,
    /// Attempts and pauses.
    pub retry: Retry,
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self {
            concurrency: 8,
            requests_per_second: None,
            timeout: Duration::from_secs(30),
            max_answer_bytes: 128 << 20,
            batch: 100,
            state_overrides: true,
            retry: Retry::default(),
        }
    }
}

/// One URL of a node: sends requests within its limits, and again where that helps.
#[derive(Debug)]
pub(crate) struct Endpoint {
    url: RpcUrl,
    options: EndpointOptions,
    throttle: Throttle,
    /// Calls that it takes in one batch; falls where it refuses.
    batch: AtomicUsize,
    /// The connection; a broken WebSocket is taken out and made again.
    client: Mutex<Option<RpcClient>>,
}

impl Endpoint {
    pub(crate) fn new(url: RpcUrl, options: EndpointOptions) -> Self {
        Self {
            url,
            options,
            throttle: Throttle::new(options.concurrency, options.requests_per_second),
            batch: AtomicUsize::new(options.batch.max(1)),
            client: Mutex::new(None),
        }
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host()
    }

    pub(crate) const fn concurrency(&self) -> usize {
        self.options.concurrency
    }

    pub(crate) const fn takes_overrides(&self) -> bool {
        self.options.state_overrides
    }

    /// Calls that one batch may hold.
    pub(crate) fn batch_size(&self) -> usize {
        self.batch.load(Ordering::Relaxed)
    }

    pub(crate) fn error(&self, kind: NodeErrorKind) -> NodeError {
        NodeError {
            host: self.host().to_owned(),
            kind,
        }
    }

    /// A lie about a block.
    pub(crate) fn lie(&self, block: u64, reason: impl Into<String>) -> NodeError {
        let reason = reason.into();
        self.error(NodeErrorKind::Lie { block, reason })
    }

    /// One call.
    pub(crate) async fn call<P: RpcSend, R: RpcRecv>(&self, method: &'static str, params: P) -> Result<R, NodeError> {
        let mut answers = self.calls(method, std::slice::from_ref(&params)).await?;
        answers.pop().ok_or_else(|| {
            self.error(NodeErrorKind::Garbage {
                method,
                reason: "no answer".to_owned(),
            })
        })
    }

    /// The same call with each of these parameters, in as few requests as the endpoint takes; the answers in order.
    pub(crate) async fn calls<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        params: &[P],
    ) -> Result<Vec<R>, NodeError> {
        let calls: Vec<_> = params.iter().map(|params| (method, params)).collect();
        self.each(&calls).await?.into_iter().collect()
    }

    /// These calls, in as few requests as the endpoint takes; each call's own answer or refusal, in order.
    ///
    /// # Errors
    /// What befell a whole request.
    pub(crate) async fn each<P: RpcSend, R: RpcRecv>(
        &self,
        calls: &[(&'static str, &P)],
    ) -> Result<Vec<Result<R, NodeError>>, NodeError> {
        let mut answers = Vec::with_capacity(calls.len());
        let mut rest = calls;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.batch_size()));
            match self.persist(now).await {
                Ok(more) => answers.extend(more.into_iter().map(|answer| answer.map_err(|kind| self.error(kind)))),
                Err(kind) if now.len() > 1 && refuses_batch(&kind) => {
                    self.batch.fetch_min(now.len() / 2, Ordering::Relaxed);
                    continue;
                }
                Err(kind) => return Err(self.error(kind)),
            }
            rest = later;
        }
        Ok(answers)
    }

    /// One request, again and again where the failure may pass.
    async fn persist<P: RpcSend, R: RpcRecv>(&self, calls: &[(&'static str, &P)]) -> Result<Answers<R>, NodeErrorKind> {
        let method = calls.first().map_or("", |(method, _)| method);
        let mut failed = 0;
        loop {
            let mut kind = match self.attempt(method, calls).await {
                Ok(answers) => return Ok(answers),
                Err(kind) => kind,
            };
            failed += 1;
            // A range of logs that is too large to read, or to find in time, is asked for in parts and not again.
            let split = method == "eth_getLogs"
                && matches!(kind, NodeErrorKind::Oversized { .. } | NodeErrorKind::TimedOut { .. });
            let pause = self.options.retry.pause(failed, &kind).filter(|_| !split);
            let Some(pause) = pause else {
                if let NodeErrorKind::RateLimited { attempts, .. } = &mut kind {
                    *attempts = failed;
                }
                return Err(kind);
            };
            tracing::debug!(host = self.host(), method, failed, ?pause, %kind, "trying again");
            sleep(pause).await;
        }
    }

    async fn attempt<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        calls: &[(&'static str, &P)],
    ) -> Result<Answers<R>, NodeErrorKind> {
        let _turn = self.throttle.turn().await;
        let seconds = self.options.timeout.as_secs();
        let within = timeout(self.options.timeout, self.send(method, calls)).await;
        let sent = within.unwrap_or(Err(NodeErrorKind::TimedOut { method, seconds }));
        if matches!(
            sent,
            Err(NodeErrorKind::Unreachable(_) | NodeErrorKind::TimedOut { .. })
        ) && self.url.is_websocket()
        {
            self.client.lock().await.take();
        }
        sent
    }

    async fn send<P: RpcSend, R: RpcRecv>(
        &self,
        method: &'static str,
        calls: &[(&'static str, &P)],
    ) -> Result<Answers<R>, NodeErrorKind> {
        let failed = |error| self.kind(method, error);
        let client = self.client().await.map_err(failed)?;
        if let [(method, params)] = *calls {
            return Ok(vec![match client.request(method, params.clone()).await {
                Ok(answer) => Ok(answer),
                Err(error) => self.refused_alone(method, error)?,
            }]);
        }
        let mut batch = client.new_batch();
        let mut waiters = Vec::with_capacity(calls.len());
        for (method, params) in calls {
            waiters.push(batch.add_call::<P, R>(*method, params).map_err(failed)?);
        }
        batch.send().await.map_err(failed)?;
        let mut answers = Vec::with_capacity(waiters.len());
        for (waiter, (method, _)) in waiters.into_iter().zip(calls) {
            answers.push(match waiter.await {
                Ok(answer) => Ok(answer),
                Err(error) => self.refused_alone(method, error)?,
            });
        }
        Ok(answers)
    }

    /// A refusal of one call, which leaves the other calls' answers as they are; an error where it concerns them all.
    fn refused_alone<R>(
        &self,
        method: &'static str,
        error: TransportError,
    ) -> Result<Result<R, NodeErrorKind>, NodeErrorKind> {
        match self.kind(method, error) {
            kind @ (NodeErrorKind::Refused { .. } | NodeErrorKind::TooMuch { .. }) if !refuses_batch(&kind) => {
                Ok(Err(kind))
            }
            kind => Err(kind),
        }
    }

    async fn client(&self) -> Result<RpcClient, TransportError> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let EndpointOptions {
            timeout,
            max_answer_bytes,
            ..
        } = self.options;
        let made = if self.url.is_websocket() {
            let limit = usize::try_from(max_answer_bytes).unwrap_or(usize::MAX);
            let config = WebSocketConfig::default()
                .max_message_size(Some(limit))
                .max_frame_size(Some(limit));
            // A connection that breaks is made again here, where the pauses are known.
            let connect = WsConnect::new(self.url.secret().as_str())
                .with_config(config)
                .with_max_retries(1);
            ClientBuilder::default().ws(connect).await?
        } else {
            RpcClient::new(Http::new(self.url.clone(), max_answer_bytes, timeout)?, false)
        };
        *client = Some(made.clone());
        Ok(made)
    }

    /// What an error of the transport means.
    fn kind(&self, method: &'static str, error: TransportError) -> NodeErrorKind {
        match error {
            RpcError::ErrorResp(payload) => self.refusal(method, &payload),
            RpcError::NullResp => NodeErrorKind::Garbage {
                method,
                reason: "null".to_owned(),
            },
            RpcError::DeserError { err, .. } => NodeErrorKind::Garbage {
                method,
                reason: self.line(&err.to_string()),
            },
            RpcError::Transport(TransportErrorKind::NonRetryable(error)) => match error.downcast::<Oversized>() {
                Ok(oversized) => NodeErrorKind::Oversized {
                    method,
                    limit: oversized.limit,
                },
                Err(error) => NodeErrorKind::Unreachable(self.line(&error.to_string())),
            },
            RpcError::Transport(TransportErrorKind::MissingBatchResponse(_)) => NodeErrorKind::Garbage {
                method,
                reason: "a call of the batch has no answer".to_owned(),
            },
            RpcError::Transport(error) => match (error.as_http_error(), error.retry_after()) {
                (Some(http), retry_after) if http.status == 429 => NodeErrorKind::RateLimited {
                    method,
                    retry_after,
                    attempts: 1,
                },
                (Some(http), _) if http.status == 413 && method == "eth_getLogs" => NodeErrorKind::TooMuch {
                    message: "HTTP status 413".to_owned(),
                    hint: range_hint::RangeHint::default(),
                },
                (Some(http), retry_after) => NodeErrorKind::Status {
                    method,
                    status: http.status,
                    retry_after,
                },
                (None, _) => NodeErrorKind::Unreachable(self.line(&error.to_string())),
            },
            other => NodeErrorKind::Unreachable(self.line(&other.to_string())),
        }
    }

    /// What a JSON-RPC error means.
    fn refusal(&self, method: &'static str, payload: &ErrorPayload) -> NodeErrorKind {
        let message = self.line(&payload.message);
        let lower = message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if method == "eth_getLogs"
            && let Some(hint) = range_hint::read(&message)
        {
            return NodeErrorKind::TooMuch { message, hint };
        }
        // -32005 is "limit exceeded", -32007 and 429 are providers' own.
        if matches!(payload.code, 429 | -32007)
            || says(&[
                "too many requests",
                "rate limit",
                "exceeded its compute units",
                "request limit",
            ])
            || (payload.code == -32005 && says(&["limit"]))
        {
            return NodeErrorKind::RateLimited {
                method,
                retry_after: None,
                attempts: 1,
            };
        }
        NodeErrorKind::Refused {
            method,
            code: payload.code,
            message,
        }
    }

    /// A foreign text on one line, without secrets, and no longer than a line may be.
    fn line(&self, text: &str) -> String {
        const LONGEST: usize = 200;
        let scrubbed = self.url.scrub(text);
        let words: Vec<String> = scrubbed
            .split_whitespace()
            .map(|word| word.escape_debug().to_string())
            .collect();
        let line = words.join(" ");
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

/// Each call's answer, or why it has none.
type Answers<R> = Vec<Result<R, NodeErrorKind>>;

/// Whether the endpoint takes no batch of this size, or none at all.
fn refuses_batch(kind: &NodeErrorKind) -> bool {
    match kind {
        // A contract's words are not the endpoint's.
        refused @ NodeErrorKind::Refused { message, .. } => {
            !refused.is_revert() && message.to_ascii_lowercase().contains("batch")
        }
        NodeErrorKind::Oversized { .. } | NodeErrorKind::TimedOut { .. } => true,
        NodeErrorKind::Status { status, .. } => *status == 413,
        _ => false,
    }
}
