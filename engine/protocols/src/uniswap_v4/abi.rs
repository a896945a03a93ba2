//! The events of the `PoolManager` and their decoding (v4-core `IPoolManager`, `IProtocolFees`, `ERC6909`, `Owned`).

use super::{BalanceDelta, PoolKey, PositionKey, ProtocolFee};
use crate::{
    DecodeError, RawLog,
    decode::{fields, malformed, unknown_topic},
    uniswap_v3::abi::{price, tick},
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolEvent;
use plimsoll_units::{SqrtPriceX96, Tick};

/// The pool manager's events.
#[allow(missing_docs)]
pub mod manager {
    alloy_sol_types::sol! {
        event Initialize(bytes32 indexed id, address indexed currency0, address indexed currency1, uint24 fee, int24 tickSpacing, address hooks, uint160 sqrtPriceX96, int24 tick);
        event ModifyLiquidity(bytes32 indexed id, address indexed sender, int24 tickLower, int24 tickUpper, int256 liquidityDelta, bytes32 salt);
        event Swap(bytes32 indexed id, address indexed sender, int128 amount0, int128 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick, uint24 fee);
        event Donate(bytes32 indexed id, address indexed sender, uint256 amount0, uint256 amount1);
        event ProtocolFeeUpdated(bytes32 indexed id, uint24 protocolFee);
        event ProtocolFeeControllerUpdated(address indexed protocolFeeController);
        event OwnershipTransferred(address indexed user, address indexed newOwner);
        event OperatorSet(address indexed owner, address indexed operator, bool approved);
        event Approval(address indexed owner, address indexed spender, uint256 indexed id, uint256 amount);
        event Transfer(address caller, address indexed from, address indexed to, uint256 indexed id, uint256 amount);
    }
}

/// What the pool manager says that one of its pools did. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolEvent {
    /// The pool got its first price.
    Initialize {
        /// What the id is made of.
        key: PoolKey,
        /// The first price.
        sqrt_price: SqrtPriceX96,
        /// Its tick.
        tick: Tick,
    },
    /// Liquidity was added to a position or taken from it, or its fees paid.
    ModifyLiquidity(LiquidityChange),
    /// A swap; the state is the one after it.
    Swap(SwapRecord),
    /// Both tokens were given to the liquidity in range.
    Donate {
        /// Token0 given.
        amount0: U256,
        /// Token1 given.
        amount1: U256,
    },
    /// The protocol's fee changed.
    ProtocolFeeUpdated(ProtocolFee),
}

/// What a `ModifyLiquidity` log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidityChange {
    /// The position.
    pub position: PositionKey,
    /// Liquidity added; negative where taken.
    pub delta: i128,
}

/// What a `Swap` log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwapRecord {
    /// What the swapper got; negative what it paid.
    pub delta: BalanceDelta,
    /// The price after the swap.
    pub sqrt_price: SqrtPriceX96,
    /// The liquidity in range after the swap.
    pub liquidity: u128,
    /// The tick after the swap.
    pub tick: Tick,
    /// The whole fee in pips, the protocol's and the providers' together.
    pub fee_pips: u32,
}

impl PoolEvent {
    /// Reads one log of the pool manager, with the id of the pool it is about; `None` for the events that change no pool:
    /// claims (ERC-6909), ownership and the protocol fee's controller.
    ///
    /// # Errors
    /// A topic that the pool manager does not emit, fields that do not fit their types, or a key that is not the id's.
    pub fn decode(log: &RawLog) -> Result<Option<(B256, Self)>, DecodeError> {
        let topic = log.topics.first().copied().unwrap_or_default();
        Ok(Some(match topic {
            manager::Swap::SIGNATURE_HASH => {
                let e: manager::Swap = fields(log, "Swap")?;
                let record = SwapRecord {
                    delta: BalanceDelta {
                        amount0: e.amount0,
                        amount1: e.amount1,
                    },
                    sqrt_price: price(log, "Swap", e.sqrtPriceX96)?,
                    liquidity: e.liquidity,
                    tick: tick(log, "Swap", e.tick)?,
                    fee_pips: e.fee.to(),
                };
                (e.id, Self::Swap(record))
            }
            manager::ModifyLiquidity::SIGNATURE_HASH => {
                let e: manager::ModifyLiquidity = fields(log, "ModifyLiquidity")?;
                let position = PositionKey {
                    owner: e.sender,
                    lower: tick(log, "ModifyLiquidity", e.tickLower)?,
                    upper: tick(log, "ModifyLiquidity", e.tickUpper)?,
                    salt: e.salt,
                };
                let delta = i128::try_from(e.liquidityDelta)
                    .map_err(|_| malformed(log, "ModifyLiquidity", "liquidity over 127 bits".to_owned()))?;
                (e.id, Self::ModifyLiquidity(LiquidityChange { position, delta }))
            }
            manager::Initialize::SIGNATURE_HASH => {
                let e: manager::Initialize = fields(log, "Initialize")?;
                let key = PoolKey {
                    currency0: e.currency0,
                    currency1: e.currency1,
                    fee: e.fee.to(),
                    tick_spacing: e.tickSpacing.as_i32(),
                    hooks: e.hooks,
                };
                if key.id() != e.id {
                    let reason = format!("the key makes pool {} and not {}", key.id(), e.id);
                    return Err(malformed(log, "Initialize", reason));
                }
                let event = Self::Initialize {
                    key,
                    sqrt_price: price(log, "Initialize", e.sqrtPriceX96)?,
                    tick: tick(log, "Initialize", e.tick)?,
                };
                (e.id, event)
            }
            manager::Donate::SIGNATURE_HASH => {
                let e: manager::Donate = fields(log, "Donate")?;
                let event = Self::Donate {
                    amount0: e.amount0,
                    amount1: e.amount1,
                };
                (e.id, event)
            }
            manager::ProtocolFeeUpdated::SIGNATURE_HASH => {
                let e: manager::ProtocolFeeUpdated = fields(log, "ProtocolFeeUpdated")?;
                let fee = ProtocolFee::from_packed(e.protocolFee.to());
                (e.id, Self::ProtocolFeeUpdated(fee))
            }
            manager::ProtocolFeeControllerUpdated::SIGNATURE_HASH
            | manager::OwnershipTransferred::SIGNATURE_HASH
            | manager::OperatorSet::SIGNATURE_HASH
            | manager::Approval::SIGNATURE_HASH
            | manager::Transfer::SIGNATURE_HASH => return Ok(None),
            _ => return Err(unknown_topic(log, "Uniswap v4 pool manager")),
        }))
    }
}
