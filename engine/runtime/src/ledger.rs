use crate::{Holding, Holdings, Prices};
use alloy_primitives::{Address, I256, U256};

/// Where a profit came from, in base units of the numeraire.
///
/// total = holding + (rebalancing − holding) − lvr + fees + interest − liquidations − gas − slippage, to the last unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Profit {
    /// End value less start value.
    pub total: I256,
    /// What the first holdings would have made.
    pub holding: I256,
    /// Σ x·ΔP over what was held block by block.
    pub rebalancing: I256,
    /// Loss versus rebalancing: Σ (x·ΔP − ΔV) over the positions' liquidity.
    pub lvr: I256,
    /// Fees earned by positions.
    pub fees: I256,
    /// Interest that lending markets paid, less what they were paid.
    pub interest: I256,
    /// What liquidations of own positions cost: collateral seized less debt repaid, at the moment's price.
    pub liquidations: I256,
    /// Gas, at the price of the moment.
    pub gas: I256,
    /// What own actions lost against the recorded price: swap fees, price impact, rounding.
    pub slippage: I256,
}

impl Profit {
    /// The parts' sum.
    pub fn sum(&self) -> Option<I256> {
        self.rebalancing
            .checked_sub(self.lvr)?
            .checked_add(self.fees)?
            .checked_add(self.interest)?
            .checked_sub(self.liquidations)?
            .checked_sub(self.gas)?
            .checked_sub(self.slippage)
    }
}

/// Why holdings could not be valued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Nothing in the run prices the token in the numeraire.
    #[error("neither a pool nor a lending market's oracle in the data prices token {0} in the numeraire")]
    NoPrice(Address),
    /// A sum leaves 255 bits.
    #[error("a value does not fit 255 bits")]
    TooLarge,
}

/// Follows the value of holdings block by block and splits what changed it. All amounts are exact base units.
///
/// Every part is a sum of differences of the same rounded values, so that nothing is lost between the parts and the whole.
#[derive(Debug, Clone)]
pub struct Ledger {
    start: Holdings,
    start_value: I256,
    last: Holdings,
    prices: Prices,
    profit: Profit,
    /// Half the value that swaps moved, twice.
    traded: U256,
}

impl Ledger {
    /// Begins with holdings at the first block's prices.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn new(holdings: Holdings, prices: Prices) -> Result<Self, LedgerError> {
        let start_value = value(&holdings, &prices)?;
        Ok(Self {
            start: holdings.clone(),
            start_value,
            last: holdings,
            prices,
            profit: Profit::default(),
            traded: U256::ZERO,
        })
    }

    /// Books what own actions did at the top of a block, at the prices before it.
    /// `gas` is in base units of the numeraire.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn acted(&mut self, after: Holdings, gas: U256) -> Result<(), LedgerError> {
        let fees = self.sum_of(&after, |new, old| (new.fees_earned, old.fees_earned))?;
        // Interest from the last block's end to this block's top is in it: actions see it accrued.
        let earned = self.sum_of(&after, |new, old| (new.interest_earned, old.interest_earned))?;
        let paid = self.sum_of(&after, |new, old| (new.interest_paid, old.interest_paid))?;
        let interest = sub(earned, paid)?;
        let lost = sub(value(&self.last, &self.prices)?, value(&after, &self.prices)?)?;
        add_to(&mut self.profit.fees, fees)?;
        add_to(&mut self.profit.interest, interest)?;
        add_to(&mut self.profit.slippage, add(add(lost, fees)?, interest)?)?;
        add_to(&mut self.profit.gas, signed(gas)?)?;
        self.last = after;
        Ok(())
    }

    /// Books what a block's events did to the holdings, and moves on to its prices.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn block_ended(&mut self, after: Holdings, prices: Prices) -> Result<(), LedgerError> {
        for (token, old) in &self.last {
            let change = |amount| sub(worth(&prices, *token, amount)?, worth(&self.prices, *token, amount)?);
            for amount in [old.wallet, old.pooled, old.uncollected, old.supplied] {
                add_to(&mut self.profit.rebalancing, change(amount)?)?;
            }
            let owed = change(old.borrowed)?;
            self.profit.rebalancing = sub(self.profit.rebalancing, owed)?;
        }
        self.prices = prices;
        let lvr = self.sum_of(&after, |new, old| (old.pooled, new.pooled))?;
        add_to(&mut self.profit.lvr, lvr)?;
        let fees = self.sum_of(&after, |new, old| (new.uncollected, old.uncollected))?;
        add_to(&mut self.profit.fees, fees)?;
        let earned = self.sum_of(&after, |new, old| (new.supplied, old.supplied))?;
        let paid = self.sum_of(&after, |new, old| (new.borrowed, old.borrowed))?;
        add_to(&mut self.profit.interest, sub(earned, paid)?)?;
        self.last = after;
        Ok(())
    }

    /// Books what liquidations of own positions took at a block's end, at its prices.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn liquidated(&mut self, after: Holdings) -> Result<(), LedgerError> {
        let lost = sub(value(&self.last, &self.prices)?, value(&after, &self.prices)?)?;
        add_to(&mut self.profit.liquidations, lost)?;
        self.last = after;
        Ok(())
    }

    /// Counts a swap of this value towards turnover, in base units of the numeraire.
    pub fn traded(&mut self, value: U256) {
        self.traded = self.traded.saturating_add(value);
    }

    /// The value that own swaps moved, in base units of the numeraire.
    pub const fn turnover(&self) -> U256 {
        self.traded
    }

    /// Prices of the last block booked.
    pub const fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Holdings at the last block booked.
    pub const fn holdings(&self) -> &Holdings {
        &self.last
    }

    /// Value at the first block, in base units of the numeraire.
    pub const fn start_value(&self) -> I256 {
        self.start_value
    }

    /// Value now: holdings less all gas, in base units of the numeraire.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn value(&self) -> Result<I256, LedgerError> {
        sub(value(&self.last, &self.prices)?, self.profit.gas)
    }

    /// What the first holdings are worth now, in base units of the numeraire.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn held_value(&self) -> Result<I256, LedgerError> {
        value(&self.start, &self.prices)
    }

    /// The parts so far. The whole is the end value less the start value, taken apart from the parts.
    ///
    /// # Errors
    /// A holding without a price.
    pub fn profit(&self) -> Result<Profit, LedgerError> {
        let total = sub(self.value()?, self.start_value)?;
        let holding = sub(self.held_value()?, self.start_value)?;
        Ok(Profit {
            total,
            holding,
            ..self.profit
        })
    }

    /// Σ over tokens of the worth of one amount less that of another, at the present prices.
    fn sum_of(&self, after: &Holdings, pick: impl Fn(&Holding, &Holding) -> (U256, U256)) -> Result<I256, LedgerError> {
        let mut sum = I256::ZERO;
        for token in after
            .keys()
            .chain(self.last.keys().filter(|token| !after.contains_key(*token)))
        {
            let (new, old) = (
                after.get(token).copied().unwrap_or_default(),
                self.last.get(token).copied().unwrap_or_default(),
            );
            let (plus, minus) = pick(&new, &old);
            add_to(
                &mut sum,
                sub(worth(&self.prices, *token, plus)?, worth(&self.prices, *token, minus)?)?,
            )?;
        }
        Ok(sum)
    }
}

fn value(holdings: &Holdings, prices: &Prices) -> Result<I256, LedgerError> {
    let mut sum = I256::ZERO;
    for (token, holding) in holdings {
        for amount in [holding.wallet, holding.pooled, holding.uncollected, holding.supplied] {
            add_to(&mut sum, worth(prices, *token, amount)?)?;
        }
        sum = sub(sum, worth(prices, *token, holding.borrowed)?)?;
    }
    Ok(sum)
}

fn worth(prices: &Prices, token: Address, amount: U256) -> Result<I256, LedgerError> {
    signed(prices.value(token, amount).ok_or(LedgerError::NoPrice(token))?)
}

fn signed(amount: U256) -> Result<I256, LedgerError> {
    I256::try_from(amount).map_err(|_| LedgerError::TooLarge)
}

fn add(a: I256, b: I256) -> Result<I256, LedgerError> {
    a.checked_add(b).ok_or(LedgerError::TooLarge)
}

fn sub(a: I256, b: I256) -> Result<I256, LedgerError> {
    a.checked_sub(b).ok_or(LedgerError::TooLarge)
}

fn add_to(sum: &mut I256, part: I256) -> Result<(), LedgerError> {
    *sum = add(*sum, part)?;
    Ok(())
}
