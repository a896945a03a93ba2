use crate::{
    endpoint::{Endpoint, EndpointOptions},
    error::{ChainError, NodeError},
    rpc_url::RpcUrl,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The endpoints of one chain. One answers; where it fails or lies, the next one is asked.
#[derive(Debug, Clone)]
pub struct Nodes {
    endpoints: Arc<[Endpoint]>,
    current: Arc<AtomicUsize>,
    chain_id: u64,
}

impl Nodes {
    /// Connects, and checks that every endpoint is of one chain: `chain_id` where it is given, else the first one's.
    ///
    /// An endpoint that cannot be reached is passed over as long as another one answers.
    ///
    /// # Errors
    /// No URL; an endpoint of another chain; none that answers.
    pub async fn connect(
        urls: impl IntoIterator<Item = RpcUrl>,
        chain_id: Option<u64>,
        options: EndpointOptions,
    ) -> Result<Self, ChainError> {
        let endpoints: Vec<Endpoint> = urls.into_iter().map(|url| Endpoint::new(url, options)).collect();
        if endpoints.is_empty() {
            return Err(ChainError::Asked("no node was named".to_owned()));
        }
        let mut expected = chain_id;
        let mut current = None;
        let mut failure = None;
        for (index, endpoint) in endpoints.iter().enumerate() {
            let checked = match expected {
                Some(expected) => endpoint.expect_chain(expected).await.map(|()| expected),
                None => endpoint.chain_id().await,
            };
            match checked {
                Ok(id) => {
                    expected = Some(id);
                    current = current.or(Some(index));
                }
                Err(error) if endpoints.len() > 1 && error.kind.is_transient() => {
                    tracing::warn!("{error}");
                    failure = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        match (current, expected, failure) {
            (Some(current), Some(chain_id), _) => Ok(Self {
                endpoints: endpoints.into(),
                current: Arc::new(AtomicUsize::new(current)),
                chain_id,
            }),
            (_, _, Some(error)) => Err(error.into()),
            _ => Err(ChainError::Asked("no node answers".to_owned())),
        }
    }

    /// EIP-155 id of the chain.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The endpoint that is asked first now.
    pub(crate) fn current(&self) -> &Endpoint {
        let index = self.current.load(Ordering::Relaxed) % self.endpoints.len();
        &self.endpoints[index]
    }

    /// Another endpoint than the current one, to compare with.
    pub(crate) fn second(&self) -> Option<&Endpoint> {
        let count = self.endpoints.len();
        let index = (self.current.load(Ordering::Relaxed) + 1) % count;
        (count > 1).then(|| &self.endpoints[index])
    }

    /// Makes the next endpoint the current one.
    pub(crate) fn move_on(&self) {
        self.current.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks the current endpoint and, where it fails, each of the others once.
    pub(crate) async fn ask<'a, T, F, Fut>(&'a self, question: F) -> Result<T, NodeError>
    where
        F: Fn(&'a Endpoint) -> Fut,
        Fut: Future<Output = Result<T, NodeError>>,
    {
        let mut tried = 1;
        loop {
            let index = self.current.load(Ordering::Relaxed) % self.endpoints.len();
            match question(&self.endpoints[index]).await {
                Ok(answer) => return Ok(answer),
                Err(error) if tried < self.endpoints.len() && !is_callers(&error) => {
                    let next = (index + 1) % self.endpoints.len();
                    tracing::warn!("{error}; asking {} instead", self.endpoints[next].host());
                    // Another task may have moved on already.
                    let _ = self
                        .current
                        .compare_exchange(index, next, Ordering::Relaxed, Ordering::Relaxed);
                    tried += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether the next endpoint would say the same, as with a range of logs that is too large.
const fn is_callers(error: &NodeError) -> bool {
    matches!(error.kind, crate::error::NodeErrorKind::TooMuch { .. })
}
