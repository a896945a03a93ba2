//! What accounts are worth at given prices: each market is priced once, for any number of accounts.

use super::{
    Account, ComptrollerError, Hypothetical, Liquidity, Market, Pool, Position, Revert,
    call::PriceOracle,
    exponential::{
        Scaled,
        no_error::{add, mul_exp},
    },
};
use alloy_primitives::{Address, U256};

/// Every market of a pool at its price.
#[derive(Debug, Clone)]
pub struct Valuation(Vec<Quote>);

/// One market at its price.
#[derive(Debug, Clone)]
struct Quote {
    market: Market,
    worth: Result<Worth, ComptrollerError>,
}

/// What a market's units are worth, scaled by 1e18.
#[derive(Debug, Clone, Copy)]
struct Worth {
    /// A cToken as collateral: factor · exchange rate · price, truncated twice.
    collateral: Result<Scaled, Revert>,
    /// The underlying.
    price: Scaled,
}

/// Collateral and borrows so far, in the oracle's unit of value.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    collateral: U256,
    borrows: U256,
}

/// Why an account has no value.
enum Unvalued {
    Failed(ComptrollerError),
    Reverted(Revert),
}

impl From<Revert> for Unvalued {
    fn from(revert: Revert) -> Self {
        Self::Reverted(revert)
    }
}

impl Valuation {
    /// All of a pool's markets at these prices, each as of its own last accrual.
    pub fn new(pool: &Pool, prices: &dyn PriceOracle) -> Self {
        let quote = |market: &Market| Quote {
            market: *market,
            worth: worth(market, prices.underlying_price(market.c_token)),
        };
        Self(pool.markets().iter().map(quote).collect())
    }

    /// Both sides of an account, of which `getAccountLiquidity` tells the difference: what may be borrowed against its collateral,
    /// and what it has borrowed, in the oracle's unit of value. `None` where there is no value, for want of a price or by an
    /// overflow.
    pub fn both_sides(&self, account: &Account) -> Option<(U256, U256)> {
        let sums = self.sums(account, None).ok()?;
        Some((sums.collateral, sums.borrows))
    }

    /// What an account could still borrow, or lacks (`getAccountLiquidity`).
    ///
    /// # Errors
    /// `multiplication overflow`, `addition overflow`.
    pub fn liquidity(&self, account: &Account) -> Result<Liquidity, Revert> {
        self.hypothetical(account, None)
    }

    /// As [`Self::liquidity`], after a redemption or a borrow (`getHypotheticalAccountLiquidity`).
    ///
    /// # Errors
    /// `multiplication overflow`, `addition overflow`.
    pub fn hypothetical(&self, account: &Account, after: Option<Hypothetical>) -> Result<Liquidity, Revert> {
        match self.sums(account, after) {
            Ok(sums) => Ok(Liquidity {
                error: None,
                liquidity: sums.collateral.saturating_sub(sums.borrows),
                shortfall: sums.borrows.saturating_sub(sums.collateral),
            }),
            Err(Unvalued::Failed(error)) => Ok(Liquidity {
                error: Some(error),
                liquidity: U256::ZERO,
                shortfall: U256::ZERO,
            }),
            Err(Unvalued::Reverted(revert)) => Err(revert),
        }
    }

    fn sums(&self, account: &Account, after: Option<Hypothetical>) -> Result<Sums, Unvalued> {
        let mut sums = Sums::default();
        for &id in account.entered() {
            let Some(quote) = self.0.get(usize::from(id.0)) else {
                continue;
            };
            let worth = quote.add(&account.position(id), &mut sums)?;
            if let Some(after) = after.filter(|after| after.market == id) {
                let redeemed = worth.collateral()?.times(after.redeem_tokens)?;
                sums.borrows = add(redeemed, sums.borrows)?;
                sums.borrows = add(worth.price.times(after.borrow_amount)?, sums.borrows)?;
            }
        }
        Ok(sums)
    }
}

impl Quote {
    fn add(&self, position: &Position, sums: &mut Sums) -> Result<&Worth, Unvalued> {
        let owed = self
            .market
            .borrow_balance_stored(position)
            .map_err(|_| Unvalued::Failed(ComptrollerError::SnapshotError))?;
        let worth = self.worth.as_ref().map_err(|error| Unvalued::Failed(*error))?;
        let collateral = worth.collateral()?;
        if position.tokens > 0 {
            sums.collateral = add(collateral.times_u128(position.tokens)?, sums.collateral)?;
        }
        if !owed.is_zero() {
            sums.borrows = add(worth.price.times(owed)?, sums.borrows)?;
        }
        Ok(worth)
    }
}

impl Worth {
    fn collateral(&self) -> Result<&Scaled, Revert> {
        self.collateral.as_ref().map_err(|revert| *revert)
    }
}

fn worth(market: &Market, price: U256) -> Result<Worth, ComptrollerError> {
    let exchange_rate = market
        .exchange_rate_stored()
        .map_err(|_| ComptrollerError::SnapshotError)?;
    if price.is_zero() {
        return Err(ComptrollerError::PriceError);
    }
    let collateral = mul_exp(market.collateral_factor, exchange_rate).and_then(|worth| mul_exp(worth, price));
    Ok(Worth {
        collateral: collateral.map(Scaled::new),
        price: Scaled::new(price),
    })
}

impl Pool {
    /// What an account could still borrow, or lacks (`getAccountLiquidity`): each market as of its own last accrual.
    ///
    /// # Errors
    /// `multiplication overflow`, `addition overflow`.
    pub fn account_liquidity(&self, prices: &dyn PriceOracle, account: Address) -> Result<Liquidity, Revert> {
        self.hypothetical_liquidity(prices, account, None)
    }

    /// As [`Self::account_liquidity`], after a redemption or a borrow (`getHypotheticalAccountLiquidity`).
    ///
    /// # Errors
    /// `multiplication overflow`, `addition overflow`.
    pub fn hypothetical_liquidity(
        &self,
        prices: &dyn PriceOracle,
        account: Address,
        after: Option<Hypothetical>,
    ) -> Result<Liquidity, Revert> {
        let nothing = Account::default();
        let account = self.accounts().get(account).unwrap_or(&nothing);
        Valuation::new(self, prices).hypothetical(account, after)
    }
}
