//! The bundled sample's lending markets and pools as a book in floats: through the crash every account stands as the contracts say, and
//! every price keeps its source.

use alloy_primitives::{Address, U256, U512};
use plimsoll_data::samples::Sample;
use plimsoll_market::{AccountHealth, EventBody, LendingMarket, Market, MarketPool, PoolReplay, PriceSource, Start};
use plimsoll_protocols::{RawLog, aave_v3::Revision, uniswap_v3::Amount};
use plimsoll_risk::{Bonus, Depth, FromMarket, MarketBook, Shock, Standing, factors, stress};
use plimsoll_runtime::Role;
use std::collections::BTreeMap;

/// Blocks between two looks.
const EVERY: u64 = 400;

fn storm() -> &'static Sample {
    Sample::named("storm").expect("it is bundled")
}

fn market() -> (Market, BTreeMap<Address, Role>) {
    let (mut market, mut roles) = (Market::default(), BTreeMap::new());
    for lending in storm().lending {
        market.insert_lending(lending.market(storm().network).expect("a known revision"));
        roles.extend(lending.roles());
    }
    for pool in storm().pools {
        market.insert(MarketPool {
            replay: PoolReplay::new(storm().network, pool.address, Start::Logs(pool.params)),
            token0: pool.token0.address,
            token1: pool.token1.address,
        });
        roles.insert(pool.address, Role::UniswapV3Pool);
    }
    (market, roles)
}

/// The sample with its own symbols, and collateral sold for dollars.
fn rules() -> FromMarket<'static> {
    let tokens = storm().lending_tokens();
    let names: BTreeMap<Address, String> = tokens.map(|token| (token.address, token.symbol.to_owned())).collect();
    let dollars = names
        .iter()
        .filter(|(_, name)| *name == "USDC")
        .map(|(token, _)| *token);
    FromMarket {
        sell_for: dollars.collect(),
        names,
        ..FromMarket::new(Bonus::Paid)
    }
}

/// What an asset counts for with an account, in 10^-18.
fn threshold(lending: &LendingMarket, account: Address, asset: Address) -> u128 {
    match lending {
        LendingMarket::AaveV3(replay) => {
            let pool = replay.pool();
            let reserve = pool.reserve(asset).expect("listed");
            // A category's threshold holds for its collateral, which a bitmap tells from 3.2 on.
            let category = pool.e_mode_category(pool.user_e_mode(account));
            let category = category.filter(|category| match pool.revision() < Revision::V3_2 {
                true => reserve.configuration.e_mode_category() == pool.user_e_mode(account),
                false => category.collateral_bitmap >> reserve.id & 1 == 1,
            });
            let own = reserve.configuration.liquidation_threshold();
            u128::from(category.map_or(own, |category| category.liquidation_threshold)) * 100_000_000_000_000
        }
        LendingMarket::CompoundV2(replay) => {
            let c_token = replay.c_token(asset).expect("listed");
            let market = replay.pool().market(c_token).expect("listed");
            market.collateral_factor.to()
        }
        _ => panic!("the storm has no such market"),
    }
}

/// Σ supplied·price·threshold / Σ owed·price in whole numbers.
fn exact_health(lending: &LendingMarket, market: &Market, health: &AccountHealth) -> Option<f64> {
    let (mut weighted, mut owed) = (U512::ZERO, U512::ZERO);
    for position in &health.positions {
        let Some(price) = lending.unit_price(position.asset, market.feeds()) else {
            assert!(!position.is_collateral && position.debt_amount.is_zero());
            continue;
        };
        let price = U512::from(price);
        if position.is_collateral {
            let threshold = U512::from(threshold(lending, health.account, position.asset));
            weighted += U512::from(position.collateral_amount) * price * threshold;
        }
        owed += U512::from(position.debt_amount) * price;
    }
    let quotient: U512 = (weighted * U512::from(10u64.pow(18))).checked_div(owed)?;
    let quotient: U256 = quotient.wrapping_to();
    Some(f64::from(quotient) / 1e36)
}

/// How far the contracts' health factor may lie from the quotient, as a fraction, by their own roundings. Aave: each value of collateral
/// down by at most a unit of the oracle's, each debt by a unit either way, up to 3.4 the average threshold of several by a basis point.
/// Compound: what is supplied is told in whole base units, while the contract goes on with fractions of one.
fn rounding(lending: &LendingMarket, health: &AccountHealth) -> f64 {
    let pledged = || health.positions.iter().filter(|position| position.is_collateral);
    let pledged = || pledged().filter(|position| !position.collateral_amount.is_zero());
    let owed = health
        .positions
        .iter()
        .filter(|position| !position.debt_amount.is_zero());
    let (collateral, debt) = (f64::from(health.collateral_value), f64::from(health.debt_value));
    let factor = health.health_factor_wad.map_or(1.0, f64::from) / 1e18;
    let of_values = (pledged().count() as f64 + 1.0) / (factor * debt) + owed.count() as f64 / debt + 1e-18 / factor;
    of_values
        + match lending {
            LendingMarket::AaveV3(replay) if replay.pool().revision() < Revision::V3_5 && pledged().count() > 1 => {
                collateral * 1e-4 / (factor * debt)
            }
            LendingMarket::AaveV3(_) => 0.0,
            _ => pledged()
                .map(|position| 1.0 / f64::from(position.collateral_amount))
                .fold(0.0, f64::max),
        }
}

/// Looks at every account of the book; how many owe, and how many are below 1.
fn look(made: &MarketBook, market: &Market, now: u64) -> (usize, usize) {
    let book = &made.book;
    let prices = book.prices(&book.no_shock());
    let mut standings: BTreeMap<(&str, &str), Standing> = BTreeMap::new();
    for (place, position) in book.positions().iter().enumerate() {
        let key = (
            book.markets()[position.market as usize].as_str(),
            book.accounts()[position.account as usize].as_str(),
        );
        standings.insert(key, Standing::of(book, book.holdings_of(place), &prices));
    }
    let (mut owing, mut below_one) = (0, 0);
    for lending in market.lending_markets() {
        let name = format!("{} {}", lending.protocol(), lending.address());
        for health in lending.accounts(market.feeds(), now).expect("prices") {
            let Some(wad) = health.health_factor_wad else {
                continue;
            };
            let account = health.account.to_string();
            let standing = standings[&(name.as_str(), account.as_str())];
            let (mine, its) = (standing.health_factor().expect("it owes"), f64::from(wad) / 1e18);
            let exact = exact_health(lending, market, &health).expect("it owes");
            assert!(
                (mine - exact).abs() <= 1e-12 * exact,
                "{account}: {mine} against {exact}"
            );
            let allowed = 1e-12 + rounding(lending, &health);
            assert!(
                (mine - its).abs() <= allowed * its,
                "{account}: {mine} against {its}, {allowed:e} allowed"
            );
            owing += 1;
            below_one += usize::from(its < 1.0);
        }
    }
    (owing, below_one)
}

/// Sales of a whole token up to a thousand, each pool's share of it sold into the pool's integers; how many were compared.
fn look_at_depths(made: &MarketBook, market: &Market) -> usize {
    let mut compared = 0;
    for asset in made.book.assets() {
        let Some(Depth::Pools(depth)) = &asset.depth else {
            continue;
        };
        let symbols = rules().names;
        let token = symbols.iter().find(|(_, name)| **name == asset.name).expect("named").0;
        for tokens in [1.0, 30.0, 1_000.0] {
            let Ok(split) = depth.split(tokens) else {
                continue;
            };
            for share in split.iter().filter(|share| share.tokens > 1e-3) {
                let name = &made.pools[&asset.name][share.place];
                let pool = market
                    .pool(name.parse().expect("an address"))
                    .expect("it is in the market");
                let side = pool.side(*token).expect("it trades it");
                // WETH alone is sold for something here.
                assert_eq!(asset.name, "WETH");
                let amount = Amount::ExactIn(U256::from((share.tokens * 1e18) as u128));
                let outcome = pool.replay.pool().quote(side, amount, None).expect("it swaps");
                let price = f64::from(outcome.sqrt_price.get()) / 2f64.powi(96);
                assert!(
                    (share.sqrt_price - price).abs() <= 1e-9 * price,
                    "{} against {price}",
                    share.sqrt_price
                );
                // The other token has 6 decimals, of which the integers leave the last ones out.
                let usd = made.book.asset("USDC").and_then(|usdc| {
                    let mut listings = made.book.listings().iter();
                    listings.find(|listing| listing.asset as usize == usdc)
                });
                let worth = f64::from(outcome.amount_out()) / 1e6 * usd.expect("listed").price_usd;
                assert!(
                    (share.value - worth).abs() <= 1e-9 * worth + 3e-6,
                    "{} against {worth}",
                    share.value
                );
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn the_storm_is_a_book_at_every_look() {
    let (mut market, roles) = market();
    let (mut block, mut next, mut looks) = ((0, 0), storm().pools_from + EVERY, Vec::new());
    let mut compared = 0;
    let mut last = None;
    for log in storm().logs().expect("the sample") {
        let log: RawLog = log.expect("a log");
        let Some(event) = roles
            .get(&log.address)
            .and_then(|role| role.decode(&log).expect("its event"))
        else {
            continue;
        };
        if event.at.block_number != block.0 {
            market.end_block().unwrap_or_else(|error| panic!("{error}"));
            if block.0 >= next {
                let made = rules().book(&market, block.1).unwrap_or_else(|error| panic!("{error}"));
                looks.push(look(&made, &market, block.1));
                compared += look_at_depths(&made, &market);
                last = Some(made);
                next = block.0 + EVERY;
            }
        }
        block = (event.at.block_number, log.block_timestamp.expect("a time"));
        assert!(!matches!(event.body, EventBody::PositionManager(_)));
        market.apply(&event).unwrap_or_else(|error| panic!("{error}"));
    }
    let owing: usize = looks.iter().map(|(owing, _)| owing).sum();
    eprintln!("{} looks, {owing} health factors, {compared} depths", looks.len());
    assert!(looks.len() > 5 && owing > 1_000 && compared > 5);
    // The crash is in it.
    assert!(looks.iter().any(|(_, below_one)| *below_one > 0));

    let made = last.expect("there were looks");
    assert!(made.unpriced.is_empty());
    assert_eq!(made.prices.len(), made.book.listings().len());
    for price in &made.prices {
        assert!(!matches!(price.source, PriceSource::Fixed(_)));
        assert!(price.age_seconds(made.now).is_some(), "{price:?}");
    }
    let book = &made.book;
    let fall = Shock {
        asset: "WETH".to_owned(),
        change: -0.3,
    };
    let (calm, fallen) = (
        stress(book, &book.no_shock()),
        stress(book, &factors(book, &[fall]).expect("listed")),
    );
    assert_eq!(calm.liquidatable_positions, book.notes().below_one_positions);
    assert!(fallen.liquidatable_positions > calm.liquidatable_positions);
}
