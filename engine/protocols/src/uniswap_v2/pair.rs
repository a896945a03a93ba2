//! A pair's whole state and what its functions do to it (v2-core `UniswapV2Pair`, `UniswapV2ERC20`).

use super::{
    Revert,
    safe_math::{add, div, mul, sqrt, sub},
};
use alloy_primitives::{Address, U256, aliases::U112, map::HashMap};
use plimsoll_units::Side;

/// Liquidity that the first mint locks at the zero address for good.
pub const MINIMUM_LIQUIDITY: U256 = U256::from_limbs([1_000, 0, 0, 0]);

/// What the factory fixes when it creates a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairParams {
    /// The pair's own address: liquidity sent there is what a burn burns.
    pub address: Address,
    /// The token with the lower address.
    pub token0: Address,
    /// The token with the higher address.
    pub token1: Address,
}

/// The numbers in a pair's storage, and its balances in its two tokens. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PairState {
    /// Token0 that counts: the balance as of the last mint, burn, swap or sync.
    pub reserve0: U112,
    /// Token1 that counts.
    pub reserve1: U112,
    /// Seconds since the Unix epoch, modulo 2³², of the block in which the reserves last changed.
    pub block_timestamp_last: u32,
    /// Token1 per token0 as a UQ112x112, summed over seconds; wraps at 2²⁵⁶.
    pub price0_cumulative_last: U256,
    /// Token0 per token1 as a UQ112x112, summed over seconds; wraps at 2²⁵⁶.
    pub price1_cumulative_last: U256,
    /// The reserves' product after the last mint or burn while the protocol fee was on; zero while it is off.
    pub k_last: U256,
    /// Liquidity in all, the locked part among it.
    pub total_supply: U256,
    /// Token0 that the pair holds, donations among it.
    pub balance0: U256,
    /// Token1 that the pair holds, donations among it.
    pub balance1: U256,
}

/// What a mint or a burn moved. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidityChange {
    /// Liquidity minted to the provider, or burnt.
    pub liquidity: U256,
    /// Token0 paid in (mint) or out (burn).
    pub amount0: U256,
    /// Token1 paid in (mint) or out (burn).
    pub amount1: U256,
    /// Liquidity minted to the protocol before.
    pub fee_liquidity: U256,
}

/// One pair at one moment. Every number is the contract's own.
///
/// Both tokens are taken to be plain: a transfer moves just its amount, or fails where there is less. Calls back into
/// the pair from a swap's callback (`UniswapV2: LOCKED`) are not modelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    params: PairParams,
    state: PairState,
    fee_to: Option<Address>,
    liquidity: HashMap<Address, U256>,
}

impl Pair {
    /// A pair as the factory deploys it: no reserves, no protocol fee.
    pub fn new(params: PairParams) -> Self {
        Self {
            params,
            state: PairState::default(),
            fee_to: None,
            liquidity: HashMap::default(),
        }
    }

    /// The addresses of the pair and its tokens.
    pub const fn params(&self) -> PairParams {
        self.params
    }

    /// Every number but the holders' liquidity.
    pub const fn state(&self) -> PairState {
        self.state
    }

    /// The reserve of one token, in base units.
    pub const fn reserve(&self, token: Side) -> U112 {
        match token {
            Side::Token0 => self.state.reserve0,
            Side::Token1 => self.state.reserve1,
        }
    }

    /// A holder's liquidity; the contract's `balanceOf`.
    pub fn liquidity_of(&self, holder: Address) -> U256 {
        self.liquidity.get(&holder).copied().unwrap_or_default()
    }

    /// Everyone who holds liquidity, in no order; the zero address holds the locked part.
    pub fn holders(&self) -> impl Iterator<Item = (Address, U256)> {
        self.liquidity.iter().map(|(holder, liquidity)| (*holder, *liquidity))
    }

    /// Who receives the protocol's share of fees; `None` while the factory has it off.
    pub const fn fee_to(&self) -> Option<Address> {
        self.fee_to
    }

    /// Turns the protocol fee on or off, as the factory's `setFeeTo` does for all its pairs; the zero address is off.
    pub fn set_fee_to(&mut self, fee_to: Option<Address>) {
        self.fee_to = fee_to.filter(|to| !to.is_zero());
    }

    /// Books tokens that someone transferred to the pair, in base units, without calling it.
    ///
    /// # Errors
    /// No reason where a balance would leave 256 bits: such a token refuses the transfer.
    pub fn receive(&mut self, amount0: U256, amount1: U256) -> Result<(), Revert> {
        let received = |balance: U256, amount| balance.checked_add(amount).ok_or(Revert::WITHOUT_REASON);
        let balances = (
            received(self.state.balance0, amount0)?,
            received(self.state.balance1, amount1)?,
        );
        (self.state.balance0, self.state.balance1) = balances;
        Ok(())
    }

    /// Moves liquidity from one holder to another.
    ///
    /// # Errors
    /// `ds-math-sub-underflow` for more than there is.
    pub fn transfer(&mut self, from: Address, to: Address, liquidity: U256) -> Result<(), Revert> {
        let left = sub(self.liquidity_of(from), liquidity)?;
        self.set_liquidity_of(from, left);
        self.credit(to, liquidity);
        Ok(())
    }

    /// Mints liquidity for what the pair holds over its reserves, in a block of this time (seconds since the Unix epoch).
    ///
    /// # Errors
    /// `UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED` where it comes to nothing; `ds-math-sub-underflow` for a first mint too
    /// small to lock its part or for a balance below its reserve; `UniswapV2: OVERFLOW` for a balance over 112 bits;
    /// `ds-math-…-overflow`; no reason where a reserve is zero.
    pub fn mint(&mut self, to: Address, timestamp: u64) -> Result<LiquidityChange, Revert> {
        let state = self.state;
        let (reserve0, reserve1) = (U256::from(state.reserve0), U256::from(state.reserve1));
        let amount0 = sub(state.balance0, reserve0)?;
        let amount1 = sub(state.balance1, reserve1)?;
        let fee_liquidity = self.fee_liquidity()?;
        let supply = add(state.total_supply, fee_liquidity)?;
        let (locked, liquidity) = if supply.is_zero() {
            (MINIMUM_LIQUIDITY, sub(sqrt(mul(amount0, amount1)?), MINIMUM_LIQUIDITY)?)
        } else {
            let by_token0 = div(mul(amount0, supply)?, reserve0)?;
            let by_token1 = div(mul(amount1, supply)?, reserve1)?;
            (U256::ZERO, by_token0.min(by_token1))
        };
        if liquidity.is_zero() {
            return Err(Revert("UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED"));
        }
        let total_supply = add(add(supply, locked)?, liquidity)?;
        let reserves = (within_reserve(state.balance0)?, within_reserve(state.balance1)?);

        self.state.total_supply = total_supply;
        self.credit_fee(fee_liquidity);
        self.credit(Address::ZERO, locked);
        self.credit(to, liquidity);
        self.update(reserves, timestamp);
        self.note_k();
        Ok(LiquidityChange {
            liquidity,
            amount0,
            amount1,
            fee_liquidity,
        })
    }

    /// Burns the liquidity that was sent to the pair and pays out its share of what the pair holds, in a block of this
    /// time (seconds since the Unix epoch).
    ///
    /// # Errors
    /// `UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED` where a share comes to nothing; `UniswapV2: OVERFLOW` where more than 112
    /// bits are left; `ds-math-mul-overflow`; no reason before the first mint.
    pub fn burn(&mut self, to: Address, timestamp: u64) -> Result<LiquidityChange, Revert> {
        let state = self.state;
        let liquidity = self.liquidity_of(self.params.address);
        let fee_liquidity = self.fee_liquidity()?;
        let supply = add(state.total_supply, fee_liquidity)?;
        let amount0 = div(mul(liquidity, state.balance0)?, supply)?;
        let amount1 = div(mul(liquidity, state.balance1)?, supply)?;
        if amount0.is_zero() || amount1.is_zero() {
            return Err(Revert("UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED"));
        }
        let total_supply = sub(supply, liquidity)?;
        let balances = self.paid_out(to, amount0, amount1)?;
        let reserves = (within_reserve(balances.0)?, within_reserve(balances.1)?);

        self.state.total_supply = total_supply;
        // A protocol fee that goes to the pair itself comes after what is burnt was counted, and stays.
        self.set_liquidity_of(self.params.address, U256::ZERO);
        self.credit_fee(fee_liquidity);
        self.update(reserves, timestamp);
        self.note_k();
        Ok(LiquidityChange {
            liquidity,
            amount0,
            amount1,
            fee_liquidity,
        })
    }

    /// Pays out what the pair holds over its reserves; returns token0 and token1, in base units.
    ///
    /// # Errors
    /// `ds-math-sub-underflow` for a balance below its reserve.
    pub fn skim(&mut self, to: Address) -> Result<(U256, U256), Revert> {
        let amount0 = sub(self.state.balance0, U256::from(self.state.reserve0))?;
        let amount1 = sub(self.state.balance1, U256::from(self.state.reserve1))?;
        (self.state.balance0, self.state.balance1) = self.paid_out(to, amount0, amount1)?;
        Ok((amount0, amount1))
    }

    /// Makes the reserves what the pair holds, in a block of this time (seconds since the Unix epoch).
    ///
    /// # Errors
    /// `UniswapV2: OVERFLOW` for a balance over 112 bits.
    pub fn sync(&mut self, timestamp: u64) -> Result<(), Revert> {
        let reserves = (
            within_reserve(self.state.balance0)?,
            within_reserve(self.state.balance1)?,
        );
        self.update(reserves, timestamp);
        Ok(())
    }

    /// The price accumulators as of a block's time (seconds since the Unix epoch): token1 per token0, then token0 per
    /// token1, UQ112x112 seconds (v2-periphery `UniswapV2OracleLibrary.currentCumulativePrices`).
    pub fn cumulative_prices(&self, timestamp: u64) -> (U256, U256) {
        let state = &self.state;
        // Both the seconds and the sums are meant to wrap.
        let elapsed = U256::from(seconds(timestamp).wrapping_sub(state.block_timestamp_last));
        let (reserve0, reserve1) = (U256::from(state.reserve0), U256::from(state.reserve1));
        if reserve0.is_zero() || reserve1.is_zero() {
            return (state.price0_cumulative_last, state.price1_cumulative_last);
        }
        let grown = |sum: U256, of: U256, per: U256| {
            let price: U256 = (of << 112) / per;
            sum.wrapping_add(price.wrapping_mul(elapsed))
        };
        (
            grown(state.price0_cumulative_last, reserve1, reserve0),
            grown(state.price1_cumulative_last, reserve0, reserve1),
        )
    }

    /// The contract's `_update`: sums the old price over the time it held, then takes the pair's balances as reserves.
    pub(super) fn update(&mut self, reserves: (U112, U112), timestamp: u64) {
        let (price0, price1) = self.cumulative_prices(timestamp);
        let state = &mut self.state;
        (state.price0_cumulative_last, state.price1_cumulative_last) = (price0, price1);
        state.block_timestamp_last = seconds(timestamp);
        (state.reserve0, state.reserve1) = reserves;
        (state.balance0, state.balance1) = (U256::from(reserves.0), U256::from(reserves.1));
    }

    /// What the pair would hold after paying out of both tokens; a payment to itself changes nothing.
    pub(super) fn paid_out(&self, to: Address, amount0: U256, amount1: U256) -> Result<(U256, U256), Revert> {
        let to_itself = to == self.params.address;
        let left = |balance: U256, amount| {
            let left = balance
                .checked_sub(amount)
                .ok_or(Revert("UniswapV2: TRANSFER_FAILED"))?;
            Ok::<_, Revert>(if to_itself { balance } else { left })
        };
        Ok((left(self.state.balance0, amount0)?, left(self.state.balance1, amount1)?))
    }

    /// Liquidity due to the protocol: a sixth of the growth of √k since `k_last`, rounded down (v2-core `_mintFee`).
    fn fee_liquidity(&self) -> Result<U256, Revert> {
        let state = &self.state;
        if self.fee_to.is_none() || state.k_last.is_zero() {
            return Ok(U256::ZERO);
        }
        let root_k = sqrt(mul(U256::from(state.reserve0), U256::from(state.reserve1))?);
        let root_k_last = sqrt(state.k_last);
        if root_k <= root_k_last {
            return Ok(U256::ZERO);
        }
        let numerator = mul(state.total_supply, sub(root_k, root_k_last)?)?;
        div(numerator, add(mul(root_k, U256::from(5))?, root_k_last)?)
    }

    /// Where the protocol's share starts to count from next time.
    fn note_k(&mut self) {
        self.state.k_last = if self.fee_to.is_some() {
            U256::from(self.state.reserve0) * U256::from(self.state.reserve1)
        } else {
            U256::ZERO
        };
    }

    fn credit_fee(&mut self, liquidity: U256) {
        if let Some(fee_to) = self.fee_to {
            self.credit(fee_to, liquidity);
        }
    }

    fn credit(&mut self, holder: Address, liquidity: U256) {
        // No holder has more than the total supply, which was checked.
        self.set_liquidity_of(holder, self.liquidity_of(holder).wrapping_add(liquidity));
    }
}

/// What a replay or a snapshot knows from outside the contract's functions.
impl Pair {
    /// Puts every number but the holders' liquidity where the chain says it is.
    pub fn set_state(&mut self, state: PairState) {
        self.state = state;
    }

    /// Puts a holder's liquidity where the chain says it is.
    pub fn set_liquidity_of(&mut self, holder: Address, liquidity: U256) {
        if liquidity.is_zero() {
            self.liquidity.remove(&holder);
        } else {
            self.liquidity.insert(holder, liquidity);
        }
    }
}

/// A balance as a reserve.
pub(super) fn within_reserve(balance: U256) -> Result<U112, Revert> {
    if balance.bit_len() > 112 {
        return Err(Revert("UniswapV2: OVERFLOW"));
    }
    Ok(balance.wrapping_to())
}

/// A block's time as the pair keeps it, modulo 2³².
const fn seconds(timestamp: u64) -> u32 {
    (timestamp % (1 << 32)) as u32
}
