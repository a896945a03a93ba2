//! The best way to sell one amount in several pools of a pair: until the next unit brings the same in each of them.

use super::{
    Venue,
    venue::{ANY_AMOUNT, Quote},
};
use alloy_primitives::{Address, U256, U512};
use plimsoll_units::{Rounding, Side, SqrtPriceX96, mul_div};

/// A part of a sale: which pool, and what it does there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The pool's place in the list.
    pub(super) venue: usize,
    pub(super) quote: Quote,
}

/// A pool of the pair, and the side that the sold token is on.
#[derive(Clone, Copy)]
struct Pool<'a> {
    place: usize,
    venue: &'a Venue,
    side: Side,
    /// √(1 − fee), as a Q96.
    root_of_rest: U256,
}

const MILLION: u32 = 1_000_000;
/// What a pair's fee leaves of an input, in thousandths.
const AFTER_FEE: U256 = U256::from_limbs([997, 0, 0, 0]);
const THOUSAND: U256 = U256::from_limbs([1_000, 0, 0, 0]);

/// Splits a sale over all pools of a pair. `None` where no pool trades the pair; no parts where none takes anything.
///
/// At the best split, pools that are sold into all pay the same for the next unit, fee deducted: P(1 − fee), P the price of what is
/// sold. A bisection on the root of that marginal price finds what each pool takes down to it; what rounding leaves over goes where it
/// brings most. Inputs are whole base units: another split may bring what a unit of input in each pool does, and no more.
pub(super) fn split(venues: &[Venue], token_in: Address, token_out: Address, amount: U256) -> Option<Vec<Part>> {
    let pools: Vec<Pool<'_>> = venues
        .iter()
        .enumerate()
        .filter_map(|(place, venue)| {
            let side = venue.trades(token_in, token_out)?;
            let rest = MILLION.saturating_sub(venue.fee_pips(side));
            let root: U512 = ((U512::from(rest) << 192usize) / U512::from(MILLION)).root(2);
            Some(Pool {
                place,
                venue,
                side,
                root_of_rest: root.wrapping_to(),
            })
        })
        .collect();
    match pools.as_slice() {
        [] => None,
        [one] => Some(one.sell(amount).into_iter().collect()),
        several => Some(between(several, amount)),
    }
}

impl Pool<'_> {
    fn sell(&self, amount: U256) -> Option<Part> {
        let quote = (!amount.is_zero())
            .then(|| self.venue.quote(self.side, amount))
            .flatten()?;
        Some(Part {
            venue: self.place,
            quote,
        })
    }

    /// The root of the marginal price (Q96, of the sold token in the other, fee deducted) before anything is sold.
    fn root_now(&self) -> Option<U256> {
        self.root(self.venue.sqrt_price()?.get())
    }

    /// The same after all is sold here; `None` where the pool does not take all.
    fn root_after(&self, amount: U256) -> Option<U256> {
        if let Some((held, product)) = self.product() {
            let rest = mul_div(amount, AFTER_FEE, THOUSAND, Rounding::Up)?;
            return product.checked_div(held.checked_add(rest)?);
        }
        let quote = self.venue.quote(self.side, amount)?;
        self.root(self.venue.sqrt_price_after(&quote)?.get())
            .filter(|_| quote.amount_in == amount)
    }

    /// The root of the marginal price where the pool's own root is this.
    fn root(&self, price: U256) -> Option<U256> {
        match self.side {
            Side::Token0 => mul_div(price, self.root_of_rest, U256::ONE << 96, Rounding::Down),
            Side::Token1 => over(self.root_of_rest, price),
        }
    }

    /// Of a pair: what it holds of the sold token, and √(γ · both reserves' product) as a Q96, γ what the fee leaves. The fee of a pair
    /// stays in its reserves, so that their ratio is not its marginal price, which is γ · product / (held + γ · sold)².
    fn product(&self) -> Option<(U256, U256)> {
        let [reserve0, reserve1] = self.venue.reserves()?;
        let held = if self.side == Side::Token0 { reserve0 } else { reserve1 };
        let product: U512 = reserve0.widening_mul(reserve1);
        let square = (product * U512::from(AFTER_FEE) / U512::from(THOUSAND)) << 192usize;
        Some((held, square.root(2).wrapping_to()))
    }

    /// What the pool takes, of at most so much, until a marginal price of this root.
    fn takes(&self, root: U256, most: U256) -> U256 {
        if let Some((held, product)) = self.product() {
            let until = product.checked_div(root).unwrap_or(U256::MAX);
            let rest = until.saturating_sub(held);
            let sold = mul_div(rest, THOUSAND, AFTER_FEE, Rounding::Down);
            return sold.unwrap_or(U256::MAX).min(most);
        }
        let first = SqrtPriceX96::MIN.get() + U256::ONE;
        let last = SqrtPriceX96::MAX.get() - U256::ONE;
        // A price beyond all prices is their end on the way of the sale, and lies behind on the other.
        let limit = match self.side {
            Side::Token0 => over(root, self.root_of_rest)
                .filter(|limit| *limit <= last)
                .map(|limit| limit.max(first)),
            Side::Token1 => Some(over(self.root_of_rest, root).map_or(last, |limit| limit.min(last)))
                .filter(|limit| *limit >= first),
        };
        let limit = limit.and_then(SqrtPriceX96::new);
        let quote = limit.and_then(|limit| self.venue.quote_to(self.side, most, limit));
        quote.map_or(U256::ZERO, |quote| quote.amount_in)
    }
}

/// ⌊a · 2^96 / b⌋ where it fits 256 bits.
fn over(a: U256, b: U256) -> Option<U256> {
    let quotient = (U512::from(a) << 96usize).checked_div(U512::from(b))?;
    (quotient.bit_len() <= 256).then(|| quotient.wrapping_to())
}

fn between(pools: &[Pool<'_>], amount: U256) -> Vec<Part> {
    let most = amount.saturating_add(U256::ONE).min(ANY_AMOUNT);
    let taken = |root: U256| {
        let parts = pools.iter().map(|pool| pool.takes(root, most));
        parts.fold(U256::ZERO, U256::saturating_add)
    };
    // Down to `high` all pools together take no more than there is; down to `low`, where one of them has taken it all, at least that.
    let now = pools.iter().filter_map(Pool::root_now).max();
    let mut high = now.unwrap_or(U256::MAX >> 1).saturating_add(U256::from(2u8));
    let after = pools.iter().filter_map(|pool| pool.root_after(amount)).max();
    let mut low = after.unwrap_or_default().saturating_sub(U256::from(2u8)).min(high);
    while high - low > U256::ONE {
        let middle = low + (high - low) / U256::from(2u8);
        if taken(middle) <= amount {
            high = middle;
        } else {
            low = middle;
        }
    }
    let parts: Vec<U256> = pools.iter().map(|pool| pool.takes(high, most)).collect();
    let left = parts.iter().fold(amount, |left, part| left.saturating_sub(*part));
    let with = |extra: Option<usize>| -> Vec<Part> {
        let all = pools.iter().zip(&parts).enumerate();
        all.filter_map(|(number, (pool, part))| {
            let more = if extra == Some(number) { left } else { U256::ZERO };
            pool.sell(part.saturating_add(more))
        })
        .collect()
    };
    let proceeds = |parts: &[Part]| {
        parts
            .iter()
            .fold(U256::ZERO, |sum, part| sum.saturating_add(part.quote.amount_out))
    };
    let sales = (0..pools.len()).map(|number| with(Some(number)));
    // The first of several that bring as much.
    sales
        .fold(None, |best: Option<(U256, Vec<Part>)>, sale| {
            let brings = proceeds(&sale);
            match best {
                Some((most, _)) if most >= brings => best,
                _ => Some((brings, sale)),
            }
        })
        .map(|(_, sale)| sale)
        .unwrap_or_default()
}
