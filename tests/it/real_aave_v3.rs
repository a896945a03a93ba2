//! A day of Aave v3 on Polygon: every step of both indexes out of the rates that the log before it left.
//!
//! The borrow index follows its rate to the unit. The supply index does so too, but for the premiums of flash loans, which are
//! spread over it without saying so: an engine that follows rates alone understates what suppliers earn.

use alloy_primitives::{Address, U256, address};
use plimsoll_data::logs;
use plimsoll_protocols::aave_v3::{PoolEvent, Reserve, Revision, pool_abi::ReserveDataUpdated};

use super::real_data::real_data;

const POOL: Address = address!("794a61358D6845594F94dc1DB02A252b5b4814aD");

/// What a day's updates come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Day {
    logs: u64,
    steps: u64,
    /// Steps whose borrow index is what its rate makes of it.
    borrow_by_rate: u64,
    /// Steps whose supply index is what its rate makes of it; all others are above.
    supply_by_rate: u64,
    /// How much the supply index has grown, as a ray.
    growth: U256,
    /// How much of it no rate explains.
    by_premiums: U256,
}

#[test]
fn a_day_of_dollars_follows_its_rates_and_premiums() {
    let Some(day) = day("polygon_usdc_e_2024-01-06.raw.csv.gz") else {
        return;
    };
    assert_eq!((day.logs, day.steps, day.borrow_by_rate), (2_111, 1_230, 1_230));
    assert_eq!(day.supply_by_rate, 882);
    assert_eq!(day.premiums_per_mille(), 20);
}

#[test]
fn a_day_of_ether_follows_its_rates_and_premiums() {
    let Some(day) = day("polygon_weth_2024-01-06.raw.csv.gz") else {
        return;
    };
    assert_eq!((day.logs, day.steps, day.borrow_by_rate), (858, 444, 444));
    assert_eq!(day.supply_by_rate, 413);
    assert_eq!(day.premiums_per_mille(), 362);
}

impl Day {
    /// What of the supply index's growth was premiums, rounded half up.
    fn premiums_per_mille(&self) -> u64 {
        let doubled = self.by_premiums * U256::from(2_000) / self.growth;
        ((doubled + U256::ONE) / U256::from(2)).to()
    }
}

fn day(file: &str) -> Option<Day> {
    let folder = real_data("aave_v3")?;
    let mut day = Day::default();
    let mut before: Option<Reserve> = None;
    for log in logs::open(&folder.join(file), Some(POOL)).expect("the file opens") {
        let log = log.expect("a row");
        day.logs += 1;
        let event = PoolEvent::decode(&log).expect("the pool's");
        let PoolEvent::ReserveDataUpdated(updated) = event else {
            continue;
        };
        let now = log.block_timestamp.expect("a time");
        let told = reserve(&updated, now);
        if let Some(mut reserve) = before {
            reserve.update_state(Revision::V3_0_2, now).expect("in bounds");
            day.steps += 1;
            day.borrow_by_rate += u64::from(reserve.variable_borrow_index == told.variable_borrow_index);
            day.supply_by_rate += u64::from(reserve.liquidity_index == told.liquidity_index);
            let premium = told.liquidity_index.checked_sub(reserve.liquidity_index);
            day.by_premiums += U256::from(premium.expect("no step falls short of its rate"));
            day.growth += U256::from(told.liquidity_index - before.expect("set").liquidity_index);
        }
        before = Some(told);
    }
    eprintln!(
        "{file}: {} of {} supply steps by rate, {:.1} % of the growth by premiums",
        day.supply_by_rate,
        day.steps,
        f64::from(u32::try_from(day.premiums_per_mille()).expect("small")) / 10.0
    );
    Some(day)
}

/// The reserve as an update leaves it; what it holds does not matter, as long as there is debt.
fn reserve(updated: &ReserveDataUpdated, now: u64) -> Reserve {
    let none = Address::ZERO;
    let mut reserve = Reserve::new(updated.reserve, none, none, none, 18);
    let fits = |value: U256| u128::try_from(value).expect("128 bits");
    reserve.liquidity_rate = fits(updated.liquidityRate);
    reserve.liquidity_index = fits(updated.liquidityIndex);
    reserve.variable_borrow_rate = fits(updated.variableBorrowRate);
    reserve.variable_borrow_index = fits(updated.variableBorrowIndex);
    reserve.scaled_variable_debt = U256::ONE;
    reserve.last_update = now;
    reserve
}
