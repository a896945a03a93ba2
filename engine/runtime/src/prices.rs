use alloy_primitives::{Address, U256};
use plimsoll_market::Market;
use plimsoll_units::{Rounding, Side, SqrtPriceX96, mul_div};
use std::collections::BTreeMap;

/// What prices each token in the numeraire: pools, fixed for a run, and where none does, a lending market's oracle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceBook {
    numeraire: Address,
    sources: BTreeMap<Address, (Address, Side)>,
}

impl PriceBook {
    /// Takes, for every other token, the first of `pools` that trades it against the numeraire.
    pub fn new(numeraire: Address, market: &Market, pools: &[Address]) -> Self {
        let mut sources = BTreeMap::new();
        for pool in pools.iter().filter_map(|address| market.pool(*address)) {
            if let Some(side) = pool.side(numeraire).map(Side::other) {
                sources.entry(pool.token(side)).or_insert((pool.replay.address(), side));
            }
        }
        Self { numeraire, sources }
    }

    /// The token that everything is valued in.
    pub const fn numeraire(&self) -> Address {
        self.numeraire
    }

    /// The pool that prices a token; `None` for the numeraire and for what no pool prices.
    pub fn source(&self, token: Address) -> Option<Address> {
        self.sources.get(&token).map(|(pool, _)| *pool)
    }

    /// Whether a token is priced whatever lending markets list: by a pool, or as the numeraire.
    pub fn prices(&self, token: Address) -> bool {
        token == self.numeraire || self.sources.contains_key(&token)
    }

    /// The recorded prices of this moment: a pool's; else, in the first lending market whose oracle prices the token and the numeraire,
    /// the one's price over the other's.
    pub fn at(&self, market: &Market) -> Prices {
        let price = |(token, (pool, side)): (&Address, &(Address, Side))| {
            let replay = &market.pool(*pool)?.replay;
            let price = replay.pool().sqrt_price().filter(|_| replay.has_state())?;
            Some((*token, Price::Pool(price, *side)))
        };
        let mut prices: BTreeMap<Address, Price> = self.sources.iter().filter_map(price).collect();
        for lending in market.lending_markets() {
            let Some(numeraire) = lending.unit_price(self.numeraire, market.feeds()) else {
                continue;
            };
            for asset in lending.assets().filter(|asset| !self.prices(*asset)) {
                if let Some(asset_price) = lending.unit_price(asset, market.feeds()) {
                    prices.entry(asset).or_insert(Price::Oracle {
                        asset: asset_price,
                        numeraire,
                    });
                }
            }
        }
        Prices {
            numeraire: self.numeraire,
            prices,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Price {
    /// A pool's, and the token's side there.
    Pool(SqrtPriceX96, Side),
    /// An oracle's of one base unit each, in a unit of its own.
    Oracle { asset: U256, numeraire: U256 },
}

/// Prices at one moment, as the chain recorded them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    numeraire: Address,
    prices: BTreeMap<Address, Price>,
}

impl Prices {
    /// The worth of an amount in base units of the numeraire, rounded down; `None` without a price or over 256 bits.
    pub fn value(&self, token: Address, amount: U256) -> Option<U256> {
        if token == self.numeraire || amount.is_zero() {
            return Some(amount);
        }
        match self.prices.get(&token)? {
            Price::Pool(price, side) => price.value(*side, amount),
            Price::Oracle { asset, numeraire } => mul_div(amount, *asset, *numeraire, Rounding::Down),
        }
    }

    /// One base unit of a token in base units of the numeraire, as a float for display and statistics only.
    pub fn price_f64(&self, token: Address) -> Option<f64> {
        if token == self.numeraire {
            return Some(1.0);
        }
        Some(match self.prices.get(&token)? {
            Price::Pool(price, Side::Token0) => price.to_f64(),
            Price::Pool(price, Side::Token1) => price.to_f64().recip(),
            Price::Oracle { asset, numeraire } => f64::from(*asset) / f64::from(*numeraire),
        })
    }

    /// The tokens that a lending market's oracle prices for want of a pool.
    pub fn by_oracle(&self) -> impl Iterator<Item = Address> {
        let by_oracle = |(token, price): (&Address, &Price)| matches!(price, Price::Oracle { .. }).then_some(*token);
        self.prices.iter().filter_map(by_oracle)
    }
}
