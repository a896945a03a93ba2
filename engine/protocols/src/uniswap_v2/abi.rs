//! The events of `IUniswapV2Pair` and of `IUniswapV2Factory`, and their decoding.

use crate::{
    DecodeError, RawLog,
    decode::{fields, unknown_topic},
};
use alloy_primitives::{Address, U256, aliases::U112};
use alloy_sol_types::SolEvent;

/// The pair's events (v2-core, `IUniswapV2Pair`), those of its liquidity as a token among them.
#[allow(missing_docs)]
pub mod pair {
    alloy_sol_types::sol! {
        event Approval(address indexed owner, address indexed spender, uint256 value);
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Mint(address indexed sender, uint256 amount0, uint256 amount1);
        event Burn(address indexed sender, uint256 amount0, uint256 amount1, address indexed to);
        event Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to);
        event Sync(uint112 reserve0, uint112 reserve1);
    }
}

/// The factory's event (v2-core, `IUniswapV2Factory`).
#[allow(missing_docs)]
pub mod factory {
    alloy_sol_types::sol! {
        event PairCreated(address indexed token0, address indexed token1, address pair, uint256 pairs);
    }
}

/// What a pair says it did. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairEvent {
    /// Liquidity was minted for tokens paid in; its `Transfer` came before.
    Mint {
        /// Who called the pair.
        sender: Address,
        /// Token0 paid in.
        amount0: U256,
        /// Token1 paid in.
        amount1: U256,
    },
    /// Liquidity was burnt for tokens paid out; its `Transfer` came before.
    Burn {
        /// Who called the pair.
        sender: Address,
        /// Token0 paid out.
        amount0: U256,
        /// Token1 paid out.
        amount1: U256,
        /// Who received them.
        to: Address,
    },
    /// A swap; its `Sync` came before.
    Swap(SwapRecord),
    /// The reserves, after every mint, burn, swap and sync.
    Sync {
        /// Token0.
        reserve0: U112,
        /// Token1.
        reserve1: U112,
    },
    /// Liquidity changed hands; from the zero address it was minted, to it burnt.
    Transfer {
        /// Whose it was.
        from: Address,
        /// Whose it is.
        to: Address,
        /// How much.
        liquidity: U256,
    },
    /// A holder allowed another to move liquidity; nothing moved.
    Approval,
}

/// What a `Swap` log records. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapRecord {
    /// Who called the pair.
    pub sender: Address,
    /// Token0 that came in.
    pub amount0_in: U256,
    /// Token1 that came in.
    pub amount1_in: U256,
    /// Token0 paid out.
    pub amount0_out: U256,
    /// Token1 paid out.
    pub amount1_out: U256,
    /// Who received it.
    pub to: Address,
}

/// What the factory says about a pair it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairCreated {
    /// The token with the lower address.
    pub token0: Address,
    /// The token with the higher address.
    pub token1: Address,
    /// The pair.
    pub pair: Address,
    /// How many pairs the factory has made, this one among them.
    pub pairs: U256,
}

impl PairEvent {
    /// Reads one log of a pair.
    ///
    /// # Errors
    /// A topic that no pair emits, or fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Self, DecodeError> {
        Ok(match log.topics.first().copied().unwrap_or_default() {
            pair::Swap::SIGNATURE_HASH => {
                let e: pair::Swap = fields(log, "Swap")?;
                Self::Swap(SwapRecord {
                    sender: e.sender,
                    amount0_in: e.amount0In,
                    amount1_in: e.amount1In,
                    amount0_out: e.amount0Out,
                    amount1_out: e.amount1Out,
                    to: e.to,
                })
            }
            pair::Sync::SIGNATURE_HASH => {
                let e: pair::Sync = fields(log, "Sync")?;
                Self::Sync {
                    reserve0: e.reserve0,
                    reserve1: e.reserve1,
                }
            }
            pair::Transfer::SIGNATURE_HASH => {
                let e: pair::Transfer = fields(log, "Transfer")?;
                Self::Transfer {
                    from: e.from,
                    to: e.to,
                    liquidity: e.value,
                }
            }
            pair::Mint::SIGNATURE_HASH => {
                let e: pair::Mint = fields(log, "Mint")?;
                Self::Mint {
                    sender: e.sender,
                    amount0: e.amount0,
                    amount1: e.amount1,
                }
            }
            pair::Burn::SIGNATURE_HASH => {
                let e: pair::Burn = fields(log, "Burn")?;
                Self::Burn {
                    sender: e.sender,
                    amount0: e.amount0,
                    amount1: e.amount1,
                    to: e.to,
                }
            }
            pair::Approval::SIGNATURE_HASH => {
                fields::<pair::Approval>(log, "Approval")?;
                Self::Approval
            }
            _ => return Err(unknown_topic(log, "Uniswap v2 pair")),
        })
    }
}

impl PairCreated {
    /// Reads one log of the factory.
    ///
    /// # Errors
    /// A topic that the factory does not emit, or fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Self, DecodeError> {
        if log.topics.first() != Some(&factory::PairCreated::SIGNATURE_HASH) {
            return Err(unknown_topic(log, "Uniswap v2 factory"));
        }
        let e: factory::PairCreated = fields(log, "PairCreated")?;
        Ok(Self {
            token0: e.token0,
            token1: e.token1,
            pair: e.pair,
            pairs: e.pairs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, Bytes};
    use plimsoll_units::LogRef;

    fn log<E: SolEvent>(event: &E) -> RawLog {
        let encoded = event.encode_log_data();
        RawLog {
            at: LogRef {
                block_number: 7,
                transaction_index: 1,
                log_index: 2,
                transaction_hash: B256::ZERO,
            },
            block_timestamp: None,
            address: Address::repeat_byte(0x22),
            topics: encoded.topics().to_vec(),
            data: encoded.data,
        }
    }

    fn sync() -> RawLog {
        log(&pair::Sync {
            reserve0: U112::from(3),
            reserve1: U112::MAX,
        })
    }

    #[test]
    fn a_log_of_the_wrong_shape_is_refused_by_name() {
        let reserves = PairEvent::Sync {
            reserve0: U112::from(3),
            reserve1: U112::MAX,
        };
        assert_eq!(PairEvent::decode(&sync()), Ok(reserves));
        let (mut longer, mut shorter, mut wider, mut untold) = (sync(), sync(), sync(), sync());
        longer.data = [&longer.data[..], &[0]].concat().into();
        shorter.data = Bytes::copy_from_slice(&shorter.data[..63]);
        // A reserve over 112 bits.
        wider.data = [&[1], &wider.data[1..]].concat().into();
        untold.topics.push(B256::ZERO);
        for wrong in [longer, shorter, wider, untold] {
            let error = PairEvent::decode(&wrong).expect_err("malformed").to_string();
            assert!(
                error.starts_with("block 7, transaction index 1, log index 2"),
                "{error}"
            );
            assert!(error.contains("malformed Sync log"), "{error}");
        }
    }

    #[test]
    fn a_log_of_another_contract_is_refused_by_name() {
        let mut none = sync();
        none.topics.clear();
        let error = PairEvent::decode(&none).expect_err("no topic").to_string();
        assert!(error.contains("is no Uniswap v2 pair: it emitted no topic"), "{error}");
        let error = PairCreated::decode(&sync()).expect_err("a pair's").to_string();
        assert!(error.contains("is no Uniswap v2 factory"), "{error}");
    }

    #[test]
    fn a_new_pair_is_read() {
        let [token0, token1, pair] = [1, 2, 3].map(Address::with_last_byte);
        let pairs = U256::from(9);
        let created = PairCreated {
            token0,
            token1,
            pair,
            pairs,
        };
        let event = factory::PairCreated {
            token0,
            token1,
            pair,
            pairs,
        };
        assert_eq!(PairCreated::decode(&log(&event)), Ok(created));
    }
}
