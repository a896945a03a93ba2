//! The cascade on chain state: in integers, by the contracts' own rules.

use super::{
    cascade::RuleArgs,
    figures::{pairs, signed_percent, table as columns},
    source::{BookArgs, ShockArgs, is_stable, tokens},
};
use crate::{
    Format, Terminal,
    exit::{Failure, print, print_json},
    followed::Followed,
    report::decimal,
};
use alloy_primitives::{Address, U256};
use plimsoll_risk::on_chain::{
    BadDebt, Cascade, CascadeError, CascadeRules, ChainState, Clock, Feedback, Follower, Gas, Liquidated,
    LiquidatorRules, OracleUpdate, Pace, PriceMove, PricePath, SaleRules, Shock, Trade, VenueId,
};
use plimsoll_units::format_amount;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU32, NonZeroU64},
};

/// A shock's move is carried out to a millionth of a percent.
const MOVE_SCALE: f64 = 1e8;

pub(super) fn run(
    book: &BookArgs,
    shocks: &ShockArgs,
    rules: &RuleArgs,
    rounds: bool,
    terminal: Terminal,
) -> Result<(), Failure> {
    if shocks.scenario.is_some() {
        return Err(Failure::usage(
            "--scenario: on chain state a cascade takes --shock; scenarios are for books",
        ));
    }
    for (flag, set) in [
        ("--refill", rules.refill),
        ("--extrapolate", rules.extrapolate),
        ("--capital-usd", rules.capital_usd.is_some()),
    ] {
        if set {
            return Err(Failure::usage(format!("{flag}: for books, not for chain state")));
        }
    }
    let followed = book.followed(terminal)?;
    let clock = Clock {
        timestamp: followed.block.timestamp,
        block_number: followed.block.number,
    };
    let mut state = ChainState::of(&followed.market, clock);
    let left_out: Vec<Address> = state.left_out().iter().map(|of| of.pool).collect();
    let shock = Shock {
        moves: moves(&followed, shocks)?,
        ..Shock::default()
    };
    let followers = followers(&followed, rules);
    let rules = CascadeRules {
        liquidators: LiquidatorRules {
            always: rules.always_liquidate,
            gas: gas(&followed, rules)?,
            sales: SaleRules {
                over: tokens(&followed)
                    .filter(|token| is_stable(&followed, *token) || is_ether(&followed, *token))
                    .collect(),
                otherwise_assumed: rules.assume_liquidity.then_some(0),
                ..SaleRules::default()
            },
            ..LiquidatorRules::default()
        },
        feedback: if rules.no_feedback {
            Feedback::Off
        } else {
            Feedback::On(followers.clone())
        },
        most_rounds: u32::try_from(rules.max_rounds)
            .ok()
            .and_then(NonZeroU32::new)
            .ok_or_else(|| Failure::usage("--max-rounds: a count from 1 on"))?,
        pace: Pace::BLOCK,
        exits_bps: 0,
    };
    let cascade = state.cascade(&shock, &rules).map_err(|error| match error {
        CascadeError::NoPool { token, into } => {
            let name = |token: Address| followed.symbol(token).map_or_else(|| token.to_string(), str::to_owned);
            Failure::failed(format!(
                "{} is seized for {}, and no known pool trades them: add a pool, or --assume-liquidity sells it at the oracle's price",
                name(token),
                name(into)
            ))
        }
        other => Failure::failed(other),
    })?;
    let told = Told {
        followed: &followed,
        cascade: &cascade,
        followers: &followers,
        left_out,
        rounds,
    };
    match terminal.format {
        Format::Json => print_json(&told.document()),
        Format::Table => print(&told.table()),
    }
}

/// A token by symbol or address.
fn token(followed: &Followed, name: &str) -> Result<Address, Failure> {
    let mut known = tokens(followed).filter(|token| followed.symbol(*token) == Some(name));
    if let Some(token) = known.next() {
        return match known.next() {
            None => Ok(token),
            Some(other) => Err(Failure::usage(format!(
                "{name} is {token} and {other}: give the address"
            ))),
        };
    }
    name.parse().map_err(|_| {
        Failure::usage(format!(
            "{name}: neither a token of the data by its symbol nor an address"
        ))
    })
}

fn moves(followed: &Followed, shocks: &ShockArgs) -> Result<BTreeMap<Address, PriceMove>, Failure> {
    let mut moves = BTreeMap::new();
    for shock in &shocks.shocks {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // above 0, and saturating
        let numerator = ((1.0 + shock.change) * MOVE_SCALE).round() as u64;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a whole number
        let denominator = MOVE_SCALE as u64;
        let (Some(numerator), Some(denominator)) = (NonZeroU64::new(numerator), NonZeroU64::new(denominator)) else {
            return Err(Failure::usage(format!("shock of {}: it leaves no price", shock.asset)));
        };
        let by = PriceMove { numerator, denominator };
        if moves.insert(token(followed, &shock.asset)?, by).is_some() {
            return Err(Failure::usage(format!("shock of {} is given twice", shock.asset)));
        }
    }
    Ok(moves)
}

fn is_ether(followed: &Followed, token: Address) -> bool {
    matches!(followed.symbol(token), Some("WETH" | "ETH"))
}

/// Every asset that a pool trades for a stablecoin follows the first such pool.
fn followers(followed: &Followed, rules: &RuleArgs) -> Vec<Follower> {
    let mut followers: Vec<Follower> = Vec::new();
    for pool in followed.market.pools().filter(|pool| pool.replay.knows_every_tick()) {
        for (asset, quote) in [(pool.token0, pool.token1), (pool.token1, pool.token0)] {
            let new = followers.iter().all(|known| known.asset != asset);
            if new && is_stable(followed, quote) && !is_stable(followed, asset) {
                followers.push(Follower {
                    asset,
                    quote,
                    pool: VenueId::Pool(pool.replay.address()),
                    deviation_bps: rules.deviation_bps,
                    heartbeat_seconds: rules.heartbeat_seconds,
                });
            }
        }
    }
    followers
}

/// Gas in wrapped ether, by the first market's price of it.
fn gas(followed: &Followed, rules: &RuleArgs) -> Result<Option<Gas>, Failure> {
    if rules.gas_usd == 0.0 {
        return Ok(None);
    }
    let ether = tokens(followed).find(|token| is_ether(followed, *token));
    let priced = ether.and_then(|token| {
        let mut markets = followed.market.lending_markets();
        markets.find_map(|lending| {
            let decimals = lending.price_decimals(lending.decimals(token)?)?;
            let prices = lending.prices(followed.market.feeds());
            let price = prices.into_iter().find(|(asset, _)| *asset == token)?.1.ok()?;
            Some((token, f64::from(price.value) / 10f64.powi(decimals.into())))
        })
    });
    let (token, usd) = priced.ok_or_else(|| Failure::usage("--gas-usd: no market of the data prices wrapped ether"))?;
    let amount = U256::try_from(rules.gas_usd / usd * 1e18);
    let amount = amount.map_err(|_| Failure::usage(format!("--gas-usd {}: no amount of gas", rules.gas_usd)))?;
    Ok(Some(Gas { token, amount }))
}

/// A cascade with what is needed to tell it.
struct Told<'a> {
    followed: &'a Followed,
    cascade: &'a Cascade,
    followers: &'a [Follower],
    left_out: Vec<Address>,
    rounds: bool,
}

impl Told<'_> {
    fn symbol(&self, token: Address) -> String {
        self.followed
            .symbol(token)
            .map_or_else(|| token.to_string(), str::to_owned)
    }

    fn amount(&self, token: Address, amount: U256) -> String {
        let decimals = self
            .followed
            .market
            .lending_markets()
            .find_map(|lending| lending.decimals(token));
        match decimals {
            Some(decimals) => format!("{} {}", format_amount(amount, decimals), self.symbol(token)),
            None => format!("{amount} of {token}"),
        }
    }

    /// Change in percent by the oracle's own numbers.
    fn percent(path: &PricePath, to: U256) -> f64 {
        (f64::from(to) / f64::from(path.before) - 1.0) * 100.0
    }

    fn amplification(path: &PricePath) -> Option<f64> {
        (path.shocked != path.before).then(|| Self::percent(path, path.last) / Self::percent(path, path.shocked))
    }

    fn document(&self) -> Value {
        let followed = self.followed;
        let prices = self.cascade.prices.iter().map(|path| {
            json!({
                "market": path.market.to_string(),
                "asset": path.asset.to_string(),
                "symbol": followed.symbol(path.asset),
                "before": path.before.to_string(),
                "shocked": path.shocked.to_string(),
                "last": path.last.to_string(),
                "shock_pct": Self::percent(path, path.shocked),
                "price_change_pct": Self::percent(path, path.last),
                "amplification": Self::amplification(path),
            })
        });
        let bad_debt = self.cascade.bad_debt.iter().map(|of: &BadDebt| {
            json!({
                "market": of.market.to_string(),
                "reserve": of.reserve.to_string(),
                "asset": of.asset.to_string(),
                "deficit": of.deficit.to_string(),
                "stranded": of.stranded.to_string(),
                "uncovered": of.uncovered.to_string(),
            })
        });
        let shortfalls = self.cascade.shortfalls.iter().map(|of| {
            let decimals = followed
                .market
                .lending_markets()
                .find(|lending| lending.address() == of.market)
                .and_then(|lending| lending.usd_decimals());
            json!({
                "market": of.market.to_string(),
                "accounts": of.accounts,
                "value": of.value.to_string(),
                "value_usd": decimals.map(|decimals| f64::from(of.value) / 10f64.powi(decimals.into())),
            })
        });
        let rounds = self.cascade.rounds.iter().filter(|_| self.rounds).map(|round| {
            json!({
                "round": round.number,
                "below_one": round.below_one.len(),
                "unprofitable": round.unprofitable.len(),
                "oracle": round.oracle.iter().map(oracle).collect::<Vec<_>>(),
            })
        });
        json!({
            "exact": true,
            "network": followed.network.to_string(),
            "data": followed.data,
            "synthetic": followed.sample.is_some(),
            "block": followed.block.number,
            "block_hash": followed.block.hash.map(|hash| hash.to_string()),
            "rounds": self.cascade.rounds_with_liquidations(),
            "stopped_by": self.cascade.stopped_by.name(),
            "prices": prices.collect::<Vec<_>>(),
            "bad_debt": bad_debt.collect::<Vec<_>>(),
            "shortfalls": shortfalls.collect::<Vec<_>>(),
            "liquidations": self.cascade.liquidations().map(liquidation).collect::<Vec<_>>(),
            "rounds_detail": rounds.collect::<Vec<_>>(),
            "assumed_liquidity": self.assumed(),
            "following": self.followers.iter().map(|of| json!({
                "asset": of.asset.to_string(),
                "pool": of.pool.to_string(),
                "deviation_bps": of.deviation_bps,
                "heartbeat_seconds": of.heartbeat_seconds,
            })).collect::<Vec<_>>(),
            "pools_left_out": self.left_out.iter().map(Address::to_string).collect::<Vec<_>>(),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    fn table(&self) -> String {
        let followed = self.followed;
        let mut sums: BTreeMap<Address, (U256, U256)> = BTreeMap::new();
        for of in self.cascade.liquidations() {
            let repaid = &mut sums.entry(of.debt_asset).or_default().0;
            *repaid = repaid.saturating_add(of.repaid);
            let seized = &mut sums.entry(of.collateral_asset).or_default().1;
            *seized = seized.saturating_add(of.seized);
        }
        let figures = pairs([
            ("rounds", self.cascade.rounds_with_liquidations().to_string()),
            ("stopped by", self.cascade.stopped_by.name().replace('_', " ")),
            ("liquidations", self.cascade.liquidations().count().to_string()),
        ]);
        let prices = columns(
            ["asset", "market", "shock", "end", "amplification"],
            self.cascade.prices.iter().map(|path| {
                [
                    self.symbol(path.asset),
                    self.market(path.market),
                    signed_percent(Self::percent(path, path.shocked)),
                    signed_percent(Self::percent(path, path.last)),
                    Self::amplification(path).map_or_else(|| "–".to_owned(), |factor| decimal(factor, 4)),
                ]
            }),
        );
        let moved = columns(
            ["token", "repaid", "seized"],
            sums.iter().map(|(token, (repaid, seized))| {
                [
                    self.symbol(*token),
                    self.amount(*token, *repaid),
                    self.amount(*token, *seized),
                ]
            }),
        );
        let bad_debt = columns(
            [
                "bad debt",
                "reserve",
                "written off",
                "without collateral",
                "not covered",
            ],
            self.cascade.bad_debt.iter().map(|of| {
                [
                    self.market(of.market),
                    self.symbol(of.asset),
                    self.amount(of.asset, of.deficit),
                    self.amount(of.asset, of.stranded),
                    self.amount(of.asset, of.uncovered),
                ]
            }),
        );
        let mut text = format!(
            "{}, {}, block {}: exact, on a clone of the markets\n\n{figures}\n",
            followed.data, followed.network, followed.block.number
        );
        for part in [prices, moved, bad_debt].iter().filter(|part| part.lines().count() > 1) {
            text.push_str(&format!("\n{part}\n"));
        }
        let assumed = self.assumed();
        if !assumed.is_empty() {
            text.push_str(&format!(
                "\nWARNING: sold at the oracle's price, moving nothing, for want of a pool: {}",
                assumed.join(", ")
            ));
        }
        for pool in &self.left_out {
            text.push_str(&format!("\npool {pool} is left out: not all of its ticks are known"));
        }
        if self.followers.is_empty() {
            text.push_str("\nNo oracle follows a pool: none trades an asset for a stablecoin.");
        }
        if let Some(sample) = followed.sample {
            text.push_str(&format!(
                "\nSynthetic data: sample \"{}\" was recorded on a local chain.",
                sample.name
            ));
        }
        text
    }

    /// What was sold in no pool, by symbol.
    fn assumed(&self) -> Vec<String> {
        let trades = self.cascade.liquidations().flat_map(|of| &of.sale.trades);
        let assumed: BTreeSet<Address> = trades
            .filter(|trade| trade.pool.is_none())
            .map(|trade| trade.token_in)
            .collect();
        assumed.into_iter().map(|token| self.symbol(token)).collect()
    }

    fn market(&self, address: Address) -> String {
        let mut markets = self.followed.market.lending_markets();
        let market = markets.find(|lending| lending.address() == address);
        market.map_or_else(|| address.to_string(), |lending| lending.protocol().name().to_owned())
    }
}

fn oracle(update: &OracleUpdate) -> Value {
    json!({
        "asset": update.asset.to_string(),
        "before": update.before.to_string(),
        "after": update.after.to_string(),
    })
}

fn liquidation(of: &Liquidated) -> Value {
    let trade = |trade: &Trade| {
        json!({
            "pool": trade.pool.map(|pool| pool.to_string()),
            "token_in": trade.token_in.to_string(),
            "amount_in": trade.amount_in.to_string(),
            "token_out": trade.token_out.to_string(),
            "amount_out": trade.amount_out.to_string(),
        })
    };
    json!({
        "market": of.standing.market.to_string(),
        "account": of.standing.account.to_string(),
        "health_factor_wad": of.standing.health_factor_wad.to_string(),
        "debt_asset": of.debt_asset.to_string(),
        "collateral_asset": of.collateral_asset.to_string(),
        "repaid": of.repaid.to_string(),
        "seized": of.seized.to_string(),
        "protocol_fee": of.protocol_fee.to_string(),
        "profit": of.sale.profit.to_string(),
        "trades": of.sale.trades.iter().map(trade).collect::<Vec<_>>(),
    })
}
