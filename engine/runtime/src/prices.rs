use alloy_primitives::{Address, U256};
use plimsoll_market::Market;
use plimsoll_units::{Side, SqrtPriceX96};
use std::collections::BTreeMap;

/// Which pool prices each token in the numeraire; fixed for a run.
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

    /// Whether a token has a price.
    pub fn prices(&self, token: Address) -> bool {
        token == self.numeraire || self.sources.contains_key(&token)
    }

    /// The recorded prices of this moment.
    pub fn at(&self, market: &Market) -> Prices {
        let price = |(token, (pool, side)): (&Address, &(Address, Side))| {
            let replay = &market.pool(*pool)?.replay;
            Some((
                *token,
                (replay.pool().sqrt_price().filter(|_| replay.has_state())?, *side),
            ))
        };
        Prices {
            numeraire: self.numeraire,
            prices: self.sources.iter().filter_map(price).collect(),
        }
    }
}

/// Prices at one moment, as the chain recorded them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    numeraire: Address,
    prices: BTreeMap<Address, (SqrtPriceX96, Side)>,
}

impl Prices {
    /// The worth of an amount in base units of the numeraire, rounded down; `None` without a price or over 256 bits.
    pub fn value(&self, token: Address, amount: U256) -> Option<U256> {
        if token == self.numeraire || amount.is_zero() {
            return Some(amount);
        }
        let (price, side) = self.prices.get(&token)?;
        price.value(*side, amount)
    }

    /// One base unit of a token in base units of the numeraire, as a float for display and statistics only.
    pub fn price_f64(&self, token: Address) -> Option<f64> {
        if token == self.numeraire {
            return Some(1.0);
        }
        let (price, side) = self.prices.get(&token)?;
        Some(if *side == Side::Token0 {
            price.to_f64()
        } else {
            price.to_f64().recip()
        })
    }
}
