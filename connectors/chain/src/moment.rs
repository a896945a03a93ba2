use crate::{
    error::{ChainError, NodeErrorKind},
    nodes::Nodes,
};
use alloy_primitives::Address;

impl Nodes {
    /// Height of the chain's head.
    ///
    /// # Errors
    /// No endpoint answers.
    pub async fn head(&self) -> Result<u64, ChainError> {
        Ok(self.ask(|node| node.head()).await?)
    }

    /// Makes sure that an endpoint has got as far as a block; one that has not yet is passed over for the next.
    ///
    /// # Errors
    /// No endpoint answers, or [`NodeErrorKind::Behind`] of the last one asked.
    pub async fn expect_block(&self, block: u64) -> Result<(), ChainError> {
        Ok(self
            .ask(|node| async move {
                let head = node.head().await?;
                if head < block {
                    return Err(node.error(NodeErrorKind::Behind { block, head }));
                }
                Ok(())
            })
            .await?)
    }

    /// Height of the last final block; `None` where the chain knows no finality, or has none yet.
    ///
    /// # Errors
    /// No endpoint answers.
    pub async fn finalized(&self) -> Result<Option<u64>, ChainError> {
        Ok(self.ask(|node| node.finalized()).await?)
    }

    /// The first block at or after a time in seconds since the Unix epoch; `None` where the head is earlier.
    ///
    /// # Errors
    /// No endpoint answers.
    pub async fn first_block_at(&self, timestamp: u64) -> Result<Option<u64>, ChainError> {
        let head = self.head().await?;
        if self.timestamp(head).await? < timestamp {
            return Ok(None);
        }
        // Times never fall along a chain.
        let (mut low, mut high) = (0, head);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.timestamp(middle).await? < timestamp {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(Some(low))
    }

    /// Whether there is a contract at an address at the chain's head.
    ///
    /// # Errors
    /// No endpoint answers.
    pub async fn has_code(&self, address: Address) -> Result<bool, ChainError> {
        let code = self
            .ask(|node| async move {
                let head = node.head().await?;
                let headers = node.headers(head..=head).await?;
                let hash = headers.first().map(|header| header.hash).unwrap_or_default();
                node.code(address, (head, hash)).await
            })
            .await?;
        Ok(!code.is_empty())
    }

    async fn timestamp(&self, number: u64) -> Result<u64, ChainError> {
        let headers = self.ask(|node| node.headers(number..=number)).await?;
        Ok(headers.first().map(|header| header.timestamp).unwrap_or_default())
    }
}
