//! The tokens and pools of a backtest: from its configuration, the known pools, and the factory's rule for addresses.

use crate::{config::Config, exit::Failure, report::Token};
use alloy_primitives::Address;
use plimsoll_data::samples::{Sample, SampleLending};
use plimsoll_protocols::uniswap_v3::{PoolParams, factory, known_pool, known_symbol, known_token};
use plimsoll_units::Network;

/// Wrapped forms of the chains' own tokens.
const NATIVE: [(u64, &str); 4] = [
    (1, "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
    (10, "0x4200000000000000000000000000000000000006"),
    (137, "0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270"),
    (42161, "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1"),
];

/// What is known of tokens and pools.
#[derive(Debug)]
pub(crate) struct Universe<'a> {
    network: Network,
    config: &'a Config,
    name: &'a str,
    sample: Option<&'static Sample>,
    tokens: Vec<Token>,
}

/// A pool with its tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolInfo {
    pub(crate) address: Address,
    pub(crate) token0: Address,
    pub(crate) token1: Address,
    pub(crate) params: PoolParams,
}

impl<'a> Universe<'a> {
    pub(crate) fn new(
        config: &'a Config,
        name: &'a str,
        network: Network,
        sample: Option<&'static Sample>,
    ) -> Result<Self, Failure> {
        let mut tokens = Vec::new();
        for (symbol, token) in &config.tokens {
            let address = token.address.parse().map_err(|_| {
                Failure::usage(format!(
                    "{name}: [tokens.{symbol}] address: '{}' is no address",
                    token.address
                ))
            })?;
            if token.decimals > 38 {
                return Err(Failure::usage(format!(
                    "{name}: [tokens.{symbol}] decimals: at most 38"
                )));
            }
            tokens.push(Token {
                symbol: symbol.clone(),
                address,
                decimals: token.decimals,
            });
        }
        let sampled = sample.into_iter().flat_map(|sample| sample.pools);
        let lent = sample.into_iter().flat_map(|sample| sample.lending);
        let lent = lent.flat_map(SampleLending::tokens);
        for token in sampled.flat_map(|pool| [pool.token0, pool.token1]).chain(lent) {
            if tokens.iter().all(|known: &Token| known.address != token.address) {
                tokens.push(Token {
                    symbol: token.symbol.to_owned(),
                    address: token.address,
                    decimals: token.decimals,
                });
            }
        }
        Ok(Self {
            network,
            config,
            name,
            sample,
            tokens,
        })
    }

    /// A token by symbol or address.
    pub(crate) fn token(&self, key: &str, text: &str) -> Result<Token, Failure> {
        if let Some(token) = self.tokens.iter().find(|token| token.symbol == text) {
            return Ok(token.clone());
        }
        if let Some((address, decimals)) = known_token(self.network, text).filter(|_| self.sample.is_none()) {
            return Ok(Token {
                symbol: text.to_owned(),
                address,
                decimals,
            });
        }
        if let Ok(address) = text.parse() {
            return self.describe(address).ok_or_else(|| {
                Failure::usage(format!(
                    "{}: {key}: the data do not say the decimals of {text}: give [tokens.SYMBOL]",
                    self.name
                ))
            });
        }
        Err(Failure::usage(format!(
            "{}: {key}: unknown token '{text}': give [tokens.{text}] with its address and decimals",
            self.name
        )))
    }

    /// What is known of a token.
    pub(crate) fn describe(&self, address: Address) -> Option<Token> {
        let configured = self.tokens.iter().find(|token| token.address == address).cloned();
        configured.or_else(|| {
            let (symbol, decimals) = known_symbol(self.network, address)?;
            Some(Token {
                symbol: symbol.to_owned(),
                address,
                decimals,
            })
        })
    }

    /// A pool by address.
    pub(crate) fn pool(&self, address: Address) -> Result<PoolInfo, Failure> {
        let mut sampled = self.sample.into_iter().flat_map(|sample| sample.pools);
        if let Some(pool) = sampled.find(|pool| pool.address == address) {
            return Ok(PoolInfo {
                address,
                token0: pool.token0.address,
                token1: pool.token1.address,
                params: pool.params,
            });
        }
        if let Some(known) = known_pool(self.network, address) {
            return Ok(PoolInfo {
                address,
                token0: known.token0.1,
                token1: known.token1.1,
                params: known.params,
            });
        }
        if let Some(pool) = self.configured_pool(address)? {
            return Ok(pool);
        }
        let mut candidates: Vec<Address> = self.tokens.iter().map(|token| token.address).collect();
        let symbols = self.config.portfolio.keys().chain([&self.config.numeraire.token]);
        candidates.extend(
            symbols
                .filter_map(|symbol| known_token(self.network, symbol))
                .map(|(address, _)| address),
        );
        candidates.sort_unstable();
        candidates.dedup();
        let pairs = || {
            candidates
                .iter()
                .enumerate()
                .flat_map(|(i, a)| candidates[i + 1..].iter().map(move |b| (*a, *b)))
        };
        for (token0, token1) in pairs() {
            if let Some(params) = factory::tier_at(address, token0, token1) {
                return Ok(PoolInfo {
                    address,
                    token0,
                    token1,
                    params,
                });
            }
        }
        Err(Failure::usage(format!(
            "{}: pool {address} on {} is none of the known pools, and no pair of the tokens named has its pool there: \
             give both of its tokens under [tokens.SYMBOL], or the pool under [pools.\"{address}\"] with token0, token1, \
             fee_pips and tick_spacing",
            self.name, self.network
        )))
    }

    fn configured_pool(&self, address: Address) -> Result<Option<PoolInfo>, Failure> {
        for (text, pool) in &self.config.pools {
            let key = format!("[pools.\"{text}\"]");
            let wrong = |message: &str| Failure::usage(format!("{}: {key} {message}", self.name));
            if text.parse::<Address>().map_err(|_| wrong("is no address"))? != address {
                continue;
            }
            let (token0, token1) = (
                self.token(&key, &pool.token0)?.address,
                self.token(&key, &pool.token1)?.address,
            );
            if token0 >= token1 {
                return Err(wrong("token0 must be the token with the lower address"));
            }
            let params = PoolParams::new(pool.fee_pips, pool.tick_spacing)
                .ok_or_else(|| wrong("fee_pips must be below 1000000, tick_spacing within 1 and 16383"))?;
            return Ok(Some(PoolInfo {
                address,
                token0,
                token1,
                params,
            }));
        }
        Ok(None)
    }

    /// The token that stands for the chain's own.
    pub(crate) fn native(&self) -> Result<Option<Address>, Failure> {
        if let Some(symbol) = &self.config.execution.native {
            return self
                .token("[execution] native", symbol)
                .map(|token| Some(token.address));
        }
        if let Some(sample) = self.sample {
            return Ok(Some(sample.native.address));
        }
        let native = NATIVE.iter().find(|(chain_id, _)| *chain_id == self.network.chain_id);
        Ok(native.and_then(|(_, address)| address.parse().ok()))
    }
}
