//! Accounts at given prices and one time, any number of them: what of a reserve is the same for all is worked out once.

use super::{Pool, PriceOracle, Revert, Revision, Scaling, TokenKind, User, UserAccountData, checked::unit};
use alloy_primitives::U256;
use plimsoll_units::{Ratio, Rounding, wad_ray_math::RAY};

/// A market at these prices and this time. What it gives is what [`Pool::user_account_data`] gives, to the last unit.
pub struct Valuation<'a> {
    pool: &'a Pool,
    prices: &'a dyn PriceOracle,
    now: u64,
    /// By reserve number; `None` where a number is beyond what the short way can hold, or a price is missing.
    quotes: Vec<Option<Quote>>,
}

impl std::fmt::Debug for Valuation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Valuation")
            .field("now", &self.now)
            .field("quotes", &self.quotes)
            .finish_non_exhaustive()
    }
}

/// One reserve at its price.
#[derive(Debug, Clone, Copy)]
struct Quote {
    /// A scaled aToken in base units.
    income: Ratio,
    /// A scaled debt in base units.
    debt: Ratio,
    /// A base unit in base currency.
    price: Ratio,
    /// Loan to value and liquidation threshold for a user without a category, in basis points.
    risk: (u16, Option<u16>),
}

/// Sums in base currency, and in basis points of it.
#[derive(Default)]
struct Sums {
    collateral: u128,
    debt: u128,
    ltvs: u128,
    thresholds: u128,
}

impl<'a> Valuation<'a> {
    /// A market's reserves at these prices and this time (seconds since the Unix epoch).
    pub fn new(pool: &'a Pool, prices: &'a dyn PriceOracle, now: u64) -> Self {
        let count = pool
            .reserves()
            .map(|reserve| usize::from(reserve.id) + 1)
            .max()
            .unwrap_or(0);
        let quote = |id| Self::quote(pool, u16::try_from(id).ok()?, prices, now);
        Self {
            pool,
            prices,
            now,
            quotes: (0..count).map(quote).collect(),
        }
    }

    fn quote(pool: &Pool, id: u16, prices: &dyn PriceOracle, now: u64) -> Option<Quote> {
        let reserve = pool.reserve_by_id(id)?;
        let small = |number: U256| u128::try_from(number).ok();
        let ray = small(RAY)?;
        let index = |index: Result<U256, Revert>| Ratio::new(small(index.ok()?)?, ray);
        let price = prices.price(reserve.asset)?;
        Some(Quote {
            income: index(reserve.normalized_income(now))?,
            debt: index(reserve.normalized_debt(pool.revision(), now))?,
            price: Ratio::new(small(price)?, small(unit(reserve.configuration.decimals()))?)?,
            risk: pool.risk_parameters(reserve, 0),
        })
    }

    /// A user's account.
    ///
    /// # Errors
    /// As [`Pool::user_account_data`].
    #[inline]
    pub fn account(&self, user: &User) -> Result<UserAccountData, Revert> {
        match self.short_way(user) {
            Some(account) => Ok(account),
            None => self.pool.account_data_of(user, self.prices, self.now),
        }
    }

    /// The account where all of it fits 128 bits and nothing is out of the ordinary.
    fn short_way(&self, user: &User) -> Option<UserAccountData> {
        let configuration = user.configuration;
        // A category may have a price of its own.
        if self.pool.category_price_source(user.e_mode).is_some() {
            return None;
        }
        let mut positions = user.positions().iter().peekable();
        let mut sums = Sums::default();
        for (id, is_pledged, is_owed) in configuration.flags() {
            while positions.next_if(|position| position.reserve < id).is_some() {}
            let quote = self.quotes.get(usize::from(id))?.as_ref()?;
            let Some(position) = positions.next_if(|position| position.reserve == id) else {
                continue;
            };
            if is_pledged {
                let (ltv, threshold) = match user.e_mode {
                    0 => quote.risk,
                    category => self.pool.risk_parameters(self.pool.reserve_by_id(id)?, category),
                };
                if let Some(threshold) = threshold {
                    let worth = self.collateral(quote, position.supply.amount)?;
                    sums.collateral = sums.collateral.checked_add(worth)?;
                    sums.ltvs = sums.ltvs.checked_add(worth.checked_mul(u128::from(ltv))?)?;
                    sums.thresholds = sums.thresholds.checked_add(worth.checked_mul(u128::from(threshold))?)?;
                }
            }
            if is_owed {
                sums.debt = sums.debt.checked_add(self.debt(quote, position.debt.amount)?)?;
            }
        }
        self.summed(&sums)
    }

    fn balance(&self, kind: TokenKind, index: Ratio, scaled: u128) -> Option<u128> {
        match (self.pool.revision().scaling(), kind) {
            (Scaling::HalfUp, _) => index.half_up(scaled),
            (Scaling::ForTheProtocol, TokenKind::AToken) => index.of(scaled, Rounding::Down),
            (Scaling::ForTheProtocol, TokenKind::VariableDebt) => index.of(scaled, Rounding::Up),
        }
    }

    fn collateral(&self, quote: &Quote, scaled: u128) -> Option<u128> {
        let balance = self.balance(TokenKind::AToken, quote.income, scaled)?;
        quote.price.of(balance, Rounding::Down)
    }

    fn debt(&self, quote: &Quote, scaled: u128) -> Option<u128> {
        let owed = self.balance(TokenKind::VariableDebt, quote.debt, scaled)?;
        let rounding = if self.pool.revision() >= Revision::V3_5 {
            Rounding::Up
        } else {
            Rounding::Down
        };
        quote.price.of(owed, rounding)
    }

    fn summed(&self, sums: &Sums) -> Option<UserAccountData> {
        const WAD: u128 = 1_000_000_000_000_000_000;
        const PERCENTAGE_FACTOR: u128 = 10_000;
        let later = self.pool.revision() >= Revision::V3_5;
        let average = |sum: u128| sum.checked_div(sums.collateral).unwrap_or_default();
        let (ltv, threshold) = (average(sums.ltvs), average(sums.thresholds));
        let worth = sums.collateral.checked_mul(ltv)?;
        let borrowable = if later {
            worth / PERCENTAGE_FACTOR
        } else {
            worth.checked_add(PERCENTAGE_FACTOR / 2)? / PERCENTAGE_FACTOR
        };
        let health_factor = if sums.debt == 0 {
            U256::MAX
        } else {
            let safe = if later {
                sums.thresholds
            } else {
                let sum = sums.collateral.checked_mul(threshold)?;
                sum.checked_add(PERCENTAGE_FACTOR / 2)? / PERCENTAGE_FACTOR
            };
            let over = if later { PERCENTAGE_FACTOR } else { 1 };
            let half = sums.debt / 2;
            match safe.checked_mul(WAD).and_then(|wads| wads.checked_add(half)) {
                Some(wads) => U256::from(wads / sums.debt / over),
                None => {
                    let wads = U256::from(safe) * U256::from(WAD) + U256::from(half);
                    wads / U256::from(sums.debt) / U256::from(over)
                }
            }
        };
        Some(UserAccountData {
            total_collateral_base: U256::from(sums.collateral),
            total_debt_base: U256::from(sums.debt),
            available_borrows_base: U256::from(borrowable.saturating_sub(sums.debt)),
            current_liquidation_threshold: U256::from(threshold),
            ltv: U256::from(ltv),
            health_factor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aave_v3::{PoolParams, Reserve, ScaledBalance};
    use alloy_primitives::{Address, map::HashMap};
    use proptest::{collection::vec, prelude::*};

    const NOW: u64 = 1_700_000_000;

    #[derive(Debug, Clone)]
    struct Plan {
        decimals: u8,
        price: u128,
        indexes: (u128, u128),
        rates: (u128, u128),
        age: u64,
        word: (u16, u16),
        category: bool,
    }

    fn plan() -> impl Strategy<Value = Plan> {
        let ray = 10u128.pow(27);
        let index = ray..ray * 20;
        (
            prop_oneof![Just(6u8), Just(8), Just(18), 0u8..30],
            prop_oneof![0u128..100, any::<u64>().prop_map(u128::from), any::<u128>()],
            (index.clone(), index),
            (0..ray, 0..ray * 3),
            0u64..100_000_000,
            (0u16..10_000, 0u16..10_000),
            any::<bool>(),
        )
            .prop_map(|(decimals, price, indexes, rates, age, word, category)| Plan {
                decimals,
                price,
                indexes,
                rates,
                age,
                word,
                category,
            })
    }

    fn address(number: usize) -> Address {
        Address::with_last_byte(u8::try_from(number + 1).expect("small"))
    }

    fn pool(revision: Revision, plans: &[Plan]) -> (Pool, HashMap<Address, U256>) {
        let mut pool = Pool::new(PoolParams {
            address: Address::repeat_byte(0xaa),
            configurator: Address::repeat_byte(0xbb),
            revision,
        });
        let mut prices = HashMap::default();
        for (number, plan) in plans.iter().enumerate() {
            let asset = address(number);
            let mut reserve = Reserve::new(
                asset,
                address(number + 50),
                address(number + 100),
                Address::ZERO,
                plan.decimals,
            );
            (reserve.liquidity_index, reserve.variable_borrow_index) = plan.indexes;
            (reserve.liquidity_rate, reserve.variable_borrow_rate) = plan.rates;
            reserve.last_update = NOW - plan.age;
            reserve.configuration.set_ltv(U256::from(plan.word.0)).expect("small");
            reserve
                .configuration
                .set_liquidation_threshold(U256::from(plan.word.1))
                .expect("small");
            if plan.category && !revision.e_mode_bitmaps() {
                reserve.configuration.set_e_mode_category(1);
            }
            let id = pool.list(reserve).expect("a place");
            if plan.category {
                let category = pool.e_mode_category_mut(1);
                category.collateral_bitmap |= 1 << id;
            }
            prices.insert(asset, U256::from(plan.price));
        }
        let category = pool.e_mode_category_mut(1);
        (category.ltv, category.liquidation_threshold, category.liquidation_bonus) = (9_300, 9_500, 10_100);
        (pool, prices)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn prop_the_short_way_ends_where_the_long_way_does(
            revision in proptest::sample::select(Revision::ALL.as_slice()),
            plans in vec(plan(), 1..6),
            users in vec((vec((0usize..6, any::<u128>(), any::<u128>(), 0u32..128, any::<(bool, bool)>()), 0..5), any::<bool>()), 1..6),
            missing in proptest::option::weighted(0.1, 0usize..6),
        ) {
            let (mut pool, mut prices) = pool(revision, &plans);
            if let Some(missing) = missing {
                prices.remove(&address(missing));
            }
            for (number, (positions, e_mode)) in users.iter().enumerate() {
                let user = pool.user_mut(address(200 + number));
                user.e_mode = u8::from(*e_mode);
                for (reserve, supply, debt, shift, (pledged, owed)) in positions {
                    let id = u16::try_from(reserve % plans.len()).expect("small");
                    let amount = |amount: &u128| ScaledBalance { amount: amount >> shift, last_index: 1 };
                    user.set_balance(id, TokenKind::AToken, amount(supply));
                    user.set_balance(id, TokenKind::VariableDebt, amount(debt));
                    user.configuration.set_using_as_collateral(id, *pledged).expect("small");
                    user.configuration.set_borrowing(id, *owed).expect("small");
                }
            }
            let valuation = Valuation::new(&pool, &prices, NOW);
            for (address, user) in pool.users() {
                prop_assert_eq!(valuation.account(user), pool.user_account_data(address, &prices, NOW));
            }
        }
    }
}
