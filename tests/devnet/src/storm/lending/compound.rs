use super::coin::Coin;
use crate::{
    Devnet, DevnetError, Tx,
    compound_v2::{CErc20Calls, ComptrollerCalls, GenuineCompound, GenuineMarket, OracleCalls},
};
use alloy_primitives::{Address, U256};

/// The Compound v2 of a storm, its markets in the order of the coins; verbs make transactions.
#[derive(Debug, Clone)]
pub struct CompoundMarket {
    /// The comptroller, behind its Unitroller.
    pub comptroller: Address,
    /// What the comptroller asks for prices: USD, scaled by 1e(36 − decimals).
    pub oracle: Address,
    /// Every market's contracts.
    pub markets: Vec<GenuineMarket>,
}

/// Shares of a collateral's value that may be borrowed, in percent.
pub(super) const COLLATERAL_PERCENT: [u64; 4] = [80, 82, 70, 75];

impl CompoundMarket {
    /// Every contract whose logs tell of the market.
    pub fn contracts(&self) -> Vec<Address> {
        let markets = self.markets.iter().flat_map(|market| [market.c_token, market.model]);
        [self.comptroller, self.oracle].into_iter().chain(markets).collect()
    }

    pub(super) fn c_token(&self, coin: Coin) -> Address {
        self.markets[coin.index()].c_token
    }

    fn call<C: alloy_sol_types::SolCall>(&self, user: Address, coin: Coin, call: &C) -> Tx {
        Tx::call(self.c_token(coin), call).from(user)
    }

    pub(super) fn enter(&self, user: Address, coins: &[Coin]) -> Tx {
        let markets = coins.iter().map(|coin| self.c_token(*coin)).collect();
        Tx::call(self.comptroller, &ComptrollerCalls::enterMarketsCall { markets }).from(user)
    }

    pub(super) fn mint(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        self.call(user, coin, &CErc20Calls::mintCall { amount })
    }

    pub(super) fn redeem(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        self.call(user, coin, &CErc20Calls::redeemUnderlyingCall { amount })
    }

    pub(super) fn borrow(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        self.call(user, coin, &CErc20Calls::borrowCall { amount })
    }

    /// All of it for the greatest amount.
    pub(super) fn repay(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        self.call(user, coin, &CErc20Calls::repayBorrowCall { amount })
    }

    pub(super) fn liquidate(
        &self,
        liquidator: Address,
        borrower: Address,
        debt: Coin,
        amount: U256,
        collateral: Coin,
    ) -> Tx {
        let collateral = self.c_token(collateral);
        let call = CErc20Calls::liquidateBorrowCall {
            borrower,
            amount,
            collateral,
        };
        self.call(liquidator, debt, &call)
    }

    pub(super) fn transfer(&self, user: Address, coin: Coin, to: Address, tokens: U256) -> Tx {
        self.call(user, coin, &CErc20Calls::transferCall { to, tokens })
    }

    pub(super) fn reduce_reserves(&self, coin: Coin, amount: U256) -> Tx {
        let call = CErc20Calls::_reduceReservesCall { amount };
        self.call(GenuineCompound::ADMIN, coin, &call)
    }

    /// What a feed says, in dollars with 8 decimals, as the oracle takes it.
    pub(super) fn post(&self, coin: Coin, answer: U256) -> Tx {
        let call = OracleCalls::setUnderlyingPriceCall {
            cToken: self.c_token(coin),
            mantissa: mantissa(coin, answer),
        };
        Tx::call(self.oracle, &call).from(GenuineCompound::ADMIN)
    }

    /// What these users have of each coin, and owe, in coins, as their markets were left by their last interest.
    pub(super) fn holdings(&self, devnet: &Devnet, users: &[Address]) -> Result<Vec<Holdings>, DevnetError> {
        let calls = users.iter().flat_map(|user| {
            let call = CErc20Calls::getAccountSnapshotCall { account: *user };
            Coin::COMPOUND.map(|coin| (self.c_token(coin), call.clone()))
        });
        let snapshots = devnet.view_all(&calls.collect::<Vec<_>>())?;
        let per_user = snapshots.chunks(Coin::COMPOUND.len());
        Ok(per_user
            .map(|of_user| {
                let mut holdings = Holdings::default();
                for (coin, snapshot) in Coin::COMPOUND.into_iter().zip(of_user) {
                    let tokens = f64::from(snapshot.tokens) * f64::from(snapshot.exchangeRate) / 1e18;
                    holdings.supplied[coin.index()] = tokens / libm::pow(10.0, f64::from(coin.decimals()));
                    holdings.owed[coin.index()] = coin.coins(snapshot.borrow);
                }
                holdings
            })
            .collect())
    }
}

/// A feed's answer as the oracle takes it.
pub(super) fn mantissa(coin: Coin, answer: U256) -> U256 {
    answer * U256::from(10).pow(U256::from(28 - coin.decimals()))
}

/// What a user has in each market, and owes, in coins.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Holdings {
    pub(super) supplied: [f64; 4],
    pub(super) owed: [f64; 4],
}

impl Holdings {
    /// Dollars that may be owed, and dollars that are.
    pub(super) fn dollars(&self, prices: &[f64; 5]) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for coin in Coin::COMPOUND {
            let (index, price) = (coin.index(), prices[coin.index()]);
            #[allow(clippy::cast_precision_loss)] // a percentage
            let factor = COLLATERAL_PERCENT[index] as f64 / 100.0;
            sums.0 += self.supplied[index] * price * factor;
            sums.1 += self.owed[index] * price;
        }
        sums
    }

    /// What may be owed over what is; infinite without debt. Below 1 there is a shortfall.
    pub(super) fn health(&self, prices: &[f64; 5]) -> f64 {
        let (may, does) = self.dollars(prices);
        may / does
    }

    /// The coin with most dollars among these amounts.
    pub(super) fn greatest(amounts: &[f64; 4], prices: &[f64; 5]) -> (Coin, f64) {
        let dollars = Coin::COMPOUND.map(|coin| (coin, amounts[coin.index()] * prices[coin.index()]));
        let most = |most: (Coin, f64), next: (Coin, f64)| if next.1 > most.1 { next } else { most };
        dollars.into_iter().fold((Coin::Weth, 0.0), most)
    }
}
