use super::{Door, FromMarketError};
use crate::{Depth, ExactPool, PoolDepth, PoolDepthError, SoldInto};
use alloy_primitives::Address;
use plimsoll_units::Side;
use std::collections::BTreeMap;

/// A pool with its tokens and a name.
#[derive(Debug, Clone)]
pub struct TradedPool<'a> {
    /// The pool; every tick of it is known.
    pub pool: ExactPool<'a>,
    /// The token with the lower address, then the other one.
    pub tokens: [Address; 2],
    /// Its address or id, for who reads the book.
    pub name: String,
}

/// Depths by asset.
#[derive(Default)]
pub(super) struct Depths {
    pub(super) depths: Vec<(String, Depth)>,
    pub(super) left_out: Vec<Address>,
    pub(super) pools: BTreeMap<String, Vec<String>>,
}

/// What is known of a token.
#[derive(Clone, Copy)]
struct Token {
    decimals: u8,
    usd: f64,
}

impl Door<'_> {
    /// Each asset's depth over all its pools with what is sold for, each of those worth what the first lending market by name to price it
    /// says.
    pub(super) fn depths(&self) -> Result<Depths, FromMarketError> {
        let mut depths = Depths::default();
        if self.rules.sell_for.is_empty() {
            return Ok(depths);
        }
        let mut tokens: BTreeMap<Address, Token> = BTreeMap::new();
        let mut assets: BTreeMap<&str, Address> = BTreeMap::new();
        for (token, asset, decimals, usd) in self.listed.tokens() {
            let token = self.naming.counts_as(token);
            tokens.entry(token).or_insert(Token { decimals, usd });
            assets.entry(asset).or_insert(token);
        }
        let quotes: Vec<Address> = self
            .rules
            .sell_for
            .iter()
            .map(|token| self.naming.counts_as(*token))
            .collect();
        if let Some(token) = quotes.iter().find(|quote| !tokens.contains_key(*quote)) {
            return Err(FromMarketError::UnpricedQuote { token: *token });
        }
        let mut pools: Vec<TradedPool<'_>> = Vec::new();
        for pool in self.market.pools() {
            let tokens = [pool.token0, pool.token1];
            let address = pool.replay.address();
            if pool.replay.knows_every_tick() {
                pools.push(TradedPool {
                    pool: ExactPool::V3(pool.replay.pool()),
                    tokens,
                    name: address.to_string(),
                });
            } else if tokens
                .iter()
                .any(|token| quotes.contains(&self.naming.counts_as(*token)))
            {
                depths.left_out.push(address);
            }
        }
        pools.extend(self.rules.pools.iter().cloned());
        for (asset, token) in assets {
            let (mut sold, mut names) = (Vec::new(), Vec::new());
            for pool in &pools {
                let of_pool = pool.tokens.map(|token| self.naming.counts_as(token));
                for (place, token_in) in [Side::Token0, Side::Token1].into_iter().enumerate() {
                    let quote = of_pool[1 - place];
                    if of_pool[place] != token || quote == token || !quotes.contains(&quote) {
                        continue;
                    }
                    let Some(worth) = tokens.get(&quote) else {
                        continue;
                    };
                    sold.push(SoldInto {
                        pool: pool.pool,
                        token_in,
                        quote_decimals: worth.decimals,
                        quote_value: worth.usd,
                    });
                    names.push(pool.name.clone());
                }
            }
            let decimals = tokens.get(&token).map_or(0, |token| token.decimals);
            match PoolDepth::new(&sold, decimals) {
                Ok(depth) => {
                    let followed = self.rules.followed.get(&token);
                    let place = followed.and_then(|followed| names.iter().position(|name| name == followed));
                    let depth = match place {
                        Some(place) => depth.following(place),
                        None => depth,
                    };
                    depths.depths.push((asset.to_owned(), Depth::Pools(depth)));
                    depths.pools.insert(asset.to_owned(), names);
                }
                // Nobody takes it: the book has no depth of it.
                Err(PoolDepthError::NoLiquidity { .. }) => {}
                Err(error) => {
                    return Err(FromMarketError::Pools {
                        asset: asset.to_owned(),
                        error,
                        pools: names,
                    });
                }
            }
        }
        Ok(depths)
    }
}
