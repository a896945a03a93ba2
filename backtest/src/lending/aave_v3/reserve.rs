//! A reserve beside the recorded one.

use crate::lending::{Change, difference, offset};
use alloy_primitives::{Address, I256, U256};
use plimsoll_protocols::aave_v3::{Event, PoolEvent, Reserve, Revision, TokenKind, Utilization};
use plimsoll_runtime::LendingRates;
use plimsoll_units::{Rounding, mul_div};

/// How far a reserve is from the recorded one, because of own supply and debt.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnReserve {
    /// The recorded reserve when it was last followed.
    pub(super) recorded: Reserve,
    /// What own actions have moved, in base units.
    available: I256,
    /// Own aTokens, scaled, and what others' are apart from the record for the other index.
    supply: I256,
    /// Own debt, scaled, and what others' is apart from the record for the other index.
    debt: I256,
    /// Isolated debt of own, with two decimals.
    isolated: I256,
    /// Own bad debt, in base units.
    deficit: I256,
}

/// What others brought or took in a block, in base units.
#[derive(Debug, Clone, Copy)]
enum OthersFlow {
    Supplied(U256),
    Withdrew(U256),
    Borrowed(U256),
    Repaid(U256),
}

/// What logs say that others did with an asset.
fn flows_of(asset: Address, heard: &[Event]) -> Vec<OthersFlow> {
    use OthersFlow::{Borrowed, Repaid, Supplied, Withdrew};
    let mut flows = Vec::new();
    for event in heard {
        let Event::Pool(event) = event else { continue };
        match event {
            PoolEvent::Supply(e) if e.reserve == asset => flows.push(Supplied(e.amount)),
            PoolEvent::Withdraw(e) if e.reserve == asset => flows.push(Withdrew(e.amount)),
            PoolEvent::Borrow(e) if e.reserve == asset => flows.push(Borrowed(e.amount)),
            PoolEvent::Repay(e) if e.reserve == asset => {
                flows.push(Repaid(e.amount));
                if e.useATokens {
                    flows.push(Withdrew(e.amount));
                }
            }
            PoolEvent::DeficitCreated(e) if e.debtAsset == asset => flows.push(Repaid(e.amountCreated)),
            PoolEvent::LiquidationCall(e) => {
                if e.debtAsset == asset {
                    flows.push(Repaid(e.debtToCover));
                }
                if e.collateralAsset == asset && !e.receiveAToken {
                    flows.push(Withdrew(e.liquidatedCollateralAmount));
                }
            }
            _ => {}
        }
    }
    flows
}

impl OwnReserve {
    pub(super) const fn new(recorded: Reserve) -> Self {
        Self {
            recorded,
            available: I256::ZERO,
            supply: I256::ZERO,
            debt: I256::ZERO,
            isolated: I256::ZERO,
            deficit: I256::ZERO,
        }
    }

    /// Keeps what a call of own has moved.
    pub(super) fn acted(&mut self, before: &Reserve, after: &Reserve) {
        let moved = |sum: &mut I256, after: U256, before: U256| *sum = sum.wrapping_add(difference(after, before));
        moved(
            &mut self.available,
            after.available_liquidity,
            before.available_liquidity,
        );
        moved(&mut self.supply, after.scaled_supply, before.scaled_supply);
        moved(&mut self.debt, after.scaled_variable_debt, before.scaled_variable_debt);
        let wide = |reserve: &Reserve| {
            let Reserve {
                isolation_mode_total_debt,
                deficit,
                ..
            } = *reserve;
            (U256::from(isolation_mode_total_debt), U256::from(deficit))
        };
        let (after, before) = (wide(after), wide(before));
        moved(&mut self.isolated, after.0, before.0);
        moved(&mut self.deficit, after.1, before.1);
    }

    /// Puts indexes and rates back as recorded.
    pub(super) const fn leave_no_trace(&self, reserve: &mut Reserve) {
        let recorded = &self.recorded;
        reserve.liquidity_index = recorded.liquidity_index;
        reserve.liquidity_rate = recorded.liquidity_rate;
        reserve.variable_borrow_index = recorded.variable_borrow_index;
        reserve.variable_borrow_rate = recorded.variable_borrow_rate;
        reserve.last_update = recorded.last_update;
        reserve.accrued_to_treasury = recorded.accrued_to_treasury;
    }

    /// Moves on to the recorded reserve at a block's end; returns the reserve beside it. `was` is that one until now, `heard` the
    /// block's logs. Within a block nothing accrues, so that their order does not matter.
    pub(super) fn follow(&mut self, was: &Reserve, after: &Reserve, heard: &[Event], revision: Revision) -> Reserve {
        let (mut own, mut model) = (*was, self.recorded);
        let touched = after.last_update != model.last_update || is_updated(after.asset, heard);
        if touched {
            // Each grows by its own rates. What would overflow here has overflowed in the record as well.
            let _ = own.update_state(revision, after.last_update);
            let _ = model.update_state(revision, after.last_update);
        }
        flows_of(after.asset, heard)
            .into_iter()
            .for_each(|flow| self.convert(flow, &own, &model, revision));
        let accrued = difference(
            U256::from(own.accrued_to_treasury),
            U256::from(model.accrued_to_treasury),
        );
        let minted = after.accrued_to_treasury < model.accrued_to_treasury;
        if minted {
            self.supply = self.supply.wrapping_add(accrued);
        }
        let accrued = if minted { I256::ZERO } else { accrued };
        let wide = |number: u128, by: I256| narrow(offset(U256::from(number), by));
        let mut now = Reserve {
            liquidity_index: own.liquidity_index,
            variable_borrow_index: own.variable_borrow_index,
            liquidity_rate: own.liquidity_rate,
            variable_borrow_rate: own.variable_borrow_rate,
            last_update: own.last_update,
            available_liquidity: offset(after.available_liquidity, self.available),
            scaled_supply: offset(after.scaled_supply, self.supply),
            scaled_variable_debt: offset(after.scaled_variable_debt, self.debt),
            accrued_to_treasury: wide(after.accrued_to_treasury, accrued),
            isolation_mode_total_debt: wide(after.isolation_mode_total_debt, self.isolated),
            deficit: wide(after.deficit, self.deficit),
            ..*after
        };
        now.liquidity_index = now.liquidity_index.saturating_add(premium(&model, after, &now));
        if touched {
            set_rates(&mut now, after, revision);
        }
        self.recorded = *after;
        now
    }

    /// Others bring and take the recorded amounts; by another index they are other scaled ones.
    fn convert(&mut self, flow: OthersFlow, own: &Reserve, recorded: &Reserve, revision: Revision) {
        let scaling = revision.scaling();
        let (kind, amount, is_minted) = match flow {
            OthersFlow::Supplied(amount) => (TokenKind::AToken, amount, true),
            OthersFlow::Withdrew(amount) => (TokenKind::AToken, amount, false),
            OthersFlow::Borrowed(amount) => (TokenKind::VariableDebt, amount, true),
            OthersFlow::Repaid(amount) => (TokenKind::VariableDebt, amount, false),
        };
        let scaled = |reserve: &Reserve| {
            let index = U256::from(match kind {
                TokenKind::AToken => reserve.liquidity_index,
                TokenKind::VariableDebt => reserve.variable_borrow_index,
            });
            match is_minted {
                true => scaling.minted(kind, amount, index),
                false => scaling.burnt(kind, amount, index),
            }
        };
        if let (Ok(own), Ok(recorded)) = (scaled(own), scaled(recorded)) {
            let sum = match kind {
                TokenKind::AToken => &mut self.supply,
                TokenKind::VariableDebt => &mut self.debt,
            };
            *sum = match is_minted {
                true => sum.wrapping_add(difference(own, recorded)),
                false => sum.wrapping_sub(difference(own, recorded)),
            };
        }
    }
}

/// What raised the recorded supply index beyond interest (premiums of flash loans), shared with what is own.
fn premium(model: &Reserve, after: &Reserve, now: &Reserve) -> u128 {
    let raised = U256::from(after.liquidity_index.saturating_sub(model.liquidity_index));
    let by_index = mul_div(
        raised,
        U256::from(now.liquidity_index),
        U256::from(model.liquidity_index),
        Rounding::Down,
    );
    let shared = by_index.and_then(|raised| mul_div(raised, after.scaled_supply, now.scaled_supply, Rounding::Down));
    shared.map(narrow).unwrap_or_default()
}

/// The recorded rates, moved as far as own supply and debt move the strategy's. Where its curve is not known, they stay.
fn set_rates(now: &mut Reserve, recorded: &Reserve, revision: Revision) {
    let [own, model] = [&*now, recorded].map(|reserve| rates(reserve, revision, Change::default()));
    let moved = |rate: u128, pick: fn(&LendingRates) -> U256| match (&own, &model) {
        (Some(own), Some(model)) => narrow(offset(U256::from(rate), difference(pick(own), pick(model)))),
        _ => rate,
    };
    now.liquidity_rate = moved(recorded.liquidity_rate, |rates| rates.supply_ray);
    now.variable_borrow_rate = moved(recorded.variable_borrow_rate, |rates| rates.borrow_ray);
}

/// What the reserve's strategy makes of its state after a change; `None` where more is taken than there is.
pub(super) fn rates(reserve: &Reserve, revision: Revision, change: Change) -> Option<LendingRates> {
    let index = U256::from(reserve.variable_borrow_index);
    let scaling = revision.scaling();
    let debt = scaling
        .balance(TokenKind::VariableDebt, reserve.scaled_variable_debt, index)
        .ok()?;
    let total_debt = match change.is_debt {
        true => debt.checked_add(change.taken)?.saturating_sub(change.added),
        false => debt,
    };
    let unbacked = U256::from(match revision.deficit() {
        true => reserve.deficit,
        false => reserve.unbacked,
    });
    let at = Utilization {
        available: reserve.available_liquidity,
        added: change.added,
        taken: change.taken,
        total_debt,
        unbacked,
        reserve_factor: reserve.configuration.reserve_factor(),
    };
    let rates = reserve.strategy.rates(revision, &at).ok()?;
    Some(LendingRates {
        supply_ray: rates.liquidity,
        borrow_ray: rates.variable,
    })
}

fn is_updated(asset: Address, heard: &[Event]) -> bool {
    let of_asset = |event: &Event| matches!(event, Event::Pool(PoolEvent::ReserveDataUpdated(e)) if e.reserve == asset);
    heard.iter().any(of_asset)
}

/// The contracts keep these in 128 bits.
fn narrow(number: U256) -> u128 {
    u128::try_from(number).unwrap_or(u128::MAX)
}
