//! The events of `IUniswapV3Pool` and of the `NonfungiblePositionManager`, and their decoding.

use crate::{
    DecodeError, RawLog,
    decode::{fields, malformed, unknown_topic},
};
use alloy_primitives::{Address, I256, U160, U256, aliases::I24};
use alloy_sol_types::SolEvent;
use plimsoll_units::{SqrtPriceX96, Tick};

/// The pool's events (v3-core, `IUniswapV3PoolEvents`).
#[allow(missing_docs)]
pub mod pool {
    alloy_sol_types::sol! {
        event Initialize(uint160 sqrtPriceX96, int24 tick);
        event Mint(address sender, address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1);
        event Collect(address indexed owner, address recipient, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount0, uint128 amount1);
        event Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1);
        event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick);
        event Flash(address indexed sender, address indexed recipient, uint256 amount0, uint256 amount1, uint256 paid0, uint256 paid1);
        event IncreaseObservationCardinalityNext(uint16 observationCardinalityNextOld, uint16 observationCardinalityNextNew);
        event SetFeeProtocol(uint8 feeProtocol0Old, uint8 feeProtocol1Old, uint8 feeProtocol0New, uint8 feeProtocol1New);
        event CollectProtocol(address indexed sender, address indexed recipient, uint128 amount0, uint128 amount1);
    }
}

/// The position manager's events (v3-periphery, `INonfungiblePositionManager`) with those of ERC-721.
#[allow(missing_docs)]
pub mod manager {
    alloy_sol_types::sol! {
        event IncreaseLiquidity(uint256 indexed tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
        event DecreaseLiquidity(uint256 indexed tokenId, uint128 liquidity, uint256 amount0, uint256 amount1);
        event Collect(uint256 indexed tokenId, address recipient, uint256 amount0, uint256 amount1);
        event Transfer(address indexed from, address indexed to, uint256 indexed tokenId);
        event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId);
        event ApprovalForAll(address indexed owner, address indexed operator, bool approved);
    }
}

/// What a pool says it did. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolEvent {
    /// The pool got its first price.
    Initialize {
        /// The first price.
        sqrt_price: SqrtPriceX96,
        /// Its tick.
        tick: Tick,
    },
    /// Liquidity was added to a position.
    Mint(LiquidityChange),
    /// Liquidity was taken from a position; the amounts wait to be collected.
    Burn(LiquidityChange),
    /// A position's owner withdrew what was owed.
    Collect {
        /// The position.
        position: PositionKey,
        /// Token0 paid out.
        amount0: u128,
        /// Token1 paid out.
        amount1: u128,
    },
    /// A swap; the state is the one after it.
    Swap(SwapRecord),
    /// A flash loan.
    Flash {
        /// Token0 lent.
        amount0: U256,
        /// Token1 lent.
        amount1: U256,
        /// Token0 paid for it, over the loan.
        paid0: U256,
        /// Token1 paid for it, over the loan.
        paid1: U256,
    },
    /// The oracle array was lengthened; amounts do not depend on it.
    IncreaseObservationCardinalityNext,
    /// The protocol's share of fees changed (1/n of the fee; 0 is none).
    SetFeeProtocol {
        /// Denominators before, for token0 and token1.
        old: (u8, u8),
        /// Denominators after, for token0 and token1.
        new: (u8, u8),
    },
    /// The protocol withdrew its fees.
    CollectProtocol {
        /// Token0 paid out.
        amount0: u128,
        /// Token1 paid out.
        amount1: u128,
    },
}

/// The fields that `Mint` and `Burn` share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidityChange {
    /// The position.
    pub position: PositionKey,
    /// Liquidity added or taken.
    pub amount: u128,
    /// Token0 paid in (mint) or owed (burn).
    pub amount0: U256,
    /// Token1 paid in (mint) or owed (burn).
    pub amount1: U256,
}

/// What a `Swap` log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapRecord {
    /// Token0 into the pool; negative when paid out.
    pub amount0: I256,
    /// Token1 into the pool; negative when paid out.
    pub amount1: I256,
    /// The price after the swap.
    pub sqrt_price: SqrtPriceX96,
    /// The liquidity in range after the swap.
    pub liquidity: u128,
    /// The tick after the swap.
    pub tick: Tick,
}

/// A position, as the pool keys it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PositionKey {
    /// Who owns it at the pool.
    pub owner: Address,
    /// Lower end of the range.
    pub lower: Tick,
    /// Upper end of the range, exclusive.
    pub upper: Tick,
}

/// What the position manager says about one of its NFTs. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagerEvent {
    /// The NFT.
    pub token_id: U256,
    /// What happened.
    pub kind: ManagerEventKind,
    /// Token0 moved.
    pub amount0: U256,
    /// Token1 moved.
    pub amount1: U256,
}

/// Which of the position manager's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagerEventKind {
    /// This much liquidity was added.
    Increase(u128),
    /// This much liquidity was taken.
    Decrease(u128),
    /// Owed tokens were withdrawn.
    Collect,
}

/// A price as an event's field.
pub(crate) fn price(log: &RawLog, event: &'static str, value: U160) -> Result<SqrtPriceX96, DecodeError> {
    SqrtPriceX96::new(U256::from(value)).ok_or_else(|| malformed(log, event, "price over 160 bits".to_owned()))
}

/// A tick as an event's field.
pub(crate) fn tick(log: &RawLog, event: &'static str, value: I24) -> Result<Tick, DecodeError> {
    Tick::new(value.as_i32()).ok_or_else(|| malformed(log, event, "tick beyond ±887272".to_owned()))
}

impl PoolEvent {
    /// Reads one log of a pool.
    ///
    /// # Errors
    /// A topic that no pool emits, or fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Self, DecodeError> {
        let topic = log.topics.first().copied().unwrap_or_default();
        let price = |event, value| price(log, event, value);
        let tick = |event, value| tick(log, event, value);
        Ok(match topic {
            pool::Swap::SIGNATURE_HASH => {
                let e: pool::Swap = fields(log, "Swap")?;
                Self::Swap(SwapRecord {
                    amount0: e.amount0,
                    amount1: e.amount1,
                    sqrt_price: price("Swap", e.sqrtPriceX96)?,
                    liquidity: e.liquidity,
                    tick: tick("Swap", e.tick)?,
                })
            }
            pool::Mint::SIGNATURE_HASH => {
                let e: pool::Mint = fields(log, "Mint")?;
                let position = PositionKey {
                    owner: e.owner,
                    lower: tick("Mint", e.tickLower)?,
                    upper: tick("Mint", e.tickUpper)?,
                };
                Self::Mint(LiquidityChange {
                    position,
                    amount: e.amount,
                    amount0: e.amount0,
                    amount1: e.amount1,
                })
            }
            pool::Burn::SIGNATURE_HASH => {
                let e: pool::Burn = fields(log, "Burn")?;
                let position = PositionKey {
                    owner: e.owner,
                    lower: tick("Burn", e.tickLower)?,
                    upper: tick("Burn", e.tickUpper)?,
                };
                Self::Burn(LiquidityChange {
                    position,
                    amount: e.amount,
                    amount0: e.amount0,
                    amount1: e.amount1,
                })
            }
            pool::Collect::SIGNATURE_HASH => {
                let e: pool::Collect = fields(log, "Collect")?;
                let position = PositionKey {
                    owner: e.owner,
                    lower: tick("Collect", e.tickLower)?,
                    upper: tick("Collect", e.tickUpper)?,
                };
                Self::Collect {
                    position,
                    amount0: e.amount0,
                    amount1: e.amount1,
                }
            }
            pool::Initialize::SIGNATURE_HASH => {
                let e: pool::Initialize = fields(log, "Initialize")?;
                Self::Initialize {
                    sqrt_price: price("Initialize", e.sqrtPriceX96)?,
                    tick: tick("Initialize", e.tick)?,
                }
            }
            pool::Flash::SIGNATURE_HASH => {
                let e: pool::Flash = fields(log, "Flash")?;
                Self::Flash {
                    amount0: e.amount0,
                    amount1: e.amount1,
                    paid0: e.paid0,
                    paid1: e.paid1,
                }
            }
            pool::IncreaseObservationCardinalityNext::SIGNATURE_HASH => {
                fields::<pool::IncreaseObservationCardinalityNext>(log, "IncreaseObservationCardinalityNext")?;
                Self::IncreaseObservationCardinalityNext
            }
            pool::SetFeeProtocol::SIGNATURE_HASH => {
                let e: pool::SetFeeProtocol = fields(log, "SetFeeProtocol")?;
                Self::SetFeeProtocol {
                    old: (e.feeProtocol0Old, e.feeProtocol1Old),
                    new: (e.feeProtocol0New, e.feeProtocol1New),
                }
            }
            pool::CollectProtocol::SIGNATURE_HASH => {
                let e: pool::CollectProtocol = fields(log, "CollectProtocol")?;
                Self::CollectProtocol {
                    amount0: e.amount0,
                    amount1: e.amount1,
                }
            }
            _ => return Err(unknown_topic(log, "Uniswap v3 pool")),
        })
    }
}

impl ManagerEvent {
    /// Reads one log of the position manager; `None` for the ERC-721 events, which move no liquidity.
    ///
    /// # Errors
    /// A topic that the position manager does not emit, or fields that do not fit their types.
    pub fn decode(log: &RawLog) -> Result<Option<Self>, DecodeError> {
        let topic = log.topics.first().copied().unwrap_or_default();
        Ok(Some(match topic {
            manager::IncreaseLiquidity::SIGNATURE_HASH => {
                let e: manager::IncreaseLiquidity = fields(log, "IncreaseLiquidity")?;
                let kind = ManagerEventKind::Increase(e.liquidity);
                Self {
                    token_id: e.tokenId,
                    kind,
                    amount0: e.amount0,
                    amount1: e.amount1,
                }
            }
            manager::DecreaseLiquidity::SIGNATURE_HASH => {
                let e: manager::DecreaseLiquidity = fields(log, "DecreaseLiquidity")?;
                let kind = ManagerEventKind::Decrease(e.liquidity);
                Self {
                    token_id: e.tokenId,
                    kind,
                    amount0: e.amount0,
                    amount1: e.amount1,
                }
            }
            manager::Collect::SIGNATURE_HASH => {
                let e: manager::Collect = fields(log, "Collect")?;
                Self {
                    token_id: e.tokenId,
                    kind: ManagerEventKind::Collect,
                    amount0: e.amount0,
                    amount1: e.amount1,
                }
            }
            manager::Transfer::SIGNATURE_HASH
            | manager::Approval::SIGNATURE_HASH
            | manager::ApprovalForAll::SIGNATURE_HASH => {
                return Ok(None);
            }
            _ => return Err(unknown_topic(log, "Uniswap v3 position manager")),
        }))
    }
}
