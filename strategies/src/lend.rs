use alloy_primitives::{Address, U256};
use plimsoll_runtime::{Action, Lend as Lending, LendingChange, Size, Strategy, View};
use plimsoll_units::{Rounding, mul_div, wad_ray_math::RAY};

/// A year, as lending markets count it.
const SECONDS_PER_YEAR: u64 = 31_536_000;

/// Why a lender cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LendError {
    /// No market is named.
    #[error("markets must name at least one lending market")]
    NoMarket,
    /// A market is named twice.
    #[error("markets names {0} twice")]
    Twice(Address),
    /// A horizon of zero, over which nothing is gained.
    #[error("horizon_hours must be at least 1")]
    NoHorizon,
}

/// Lends all of its capital of one token where that earns most, its own weight on the rates in it. It moves where the better rate earns
/// more over a horizon than the move costs.
#[derive(Debug, Clone)]
pub struct Lend {
    markets: Vec<Address>,
    asset: Address,
    horizon_seconds: u64,
    move_cost: U256,
}

impl Lend {
    /// A lender of an asset to the best of these markets. `move_cost` is what a move is taken to cost, in base units of the asset.
    ///
    /// # Errors
    /// No market, one twice, or no horizon.
    pub fn new(markets: Vec<Address>, asset: Address, horizon_hours: u64, move_cost: U256) -> Result<Self, LendError> {
        if markets.is_empty() {
            return Err(LendError::NoMarket);
        }
        let twice = (1..markets.len()).find(|place| markets[..*place].contains(&markets[*place]));
        if let Some(place) = twice {
            return Err(LendError::Twice(markets[place]));
        }
        if horizon_hours == 0 {
            return Err(LendError::NoHorizon);
        }
        Ok(Self {
            markets,
            asset,
            horizon_seconds: horizon_hours.saturating_mul(3_600),
            move_cost,
        })
    }

    /// What suppliers of a market earn a year once this much more is supplied, as a ray.
    fn rate(&self, view: &View<'_>, market: Address, change: LendingChange) -> Option<U256> {
        let rates = view.lending(market)?.rates_after(self.asset, change)?;
        Some(rates.supply_ray)
    }

    /// The market that would pay most for so much more; the first named of equals.
    fn best(&self, view: &View<'_>, amount: U256, except: Option<Address>) -> Option<(Address, U256)> {
        let others = self.markets.iter().filter(|market| Some(**market) != except);
        let rated =
            others.filter_map(|market| Some((*market, self.rate(view, *market, LendingChange::Supply(amount))?)));
        rated.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    fn supply(&self, market: Address) -> Action {
        Action::Supply(self.all(market))
    }

    const fn all(&self, market: Address) -> Lending {
        Lending {
            market,
            asset: self.asset,
            amount: Size::All,
        }
    }

    /// Whether a rate (ray) that is better by so much earns more over the horizon than a move costs.
    fn pays(&self, amount: U256, better_ray: U256) -> bool {
        let a_year = mul_div(amount, better_ray, RAY, Rounding::Down).unwrap_or_default();
        let (horizon, year) = (U256::from(self.horizon_seconds), U256::from(SECONDS_PER_YEAR));
        mul_div(a_year, horizon, year, Rounding::Down).is_some_and(|gain| gain > self.move_cost)
    }
}

impl Strategy for Lend {
    fn name(&self) -> &'static str {
        "lend"
    }

    fn on_block(&mut self, view: &View<'_>) -> Vec<Action> {
        if view.pending() > 0 {
            return Vec::new();
        }
        let supplied = |market: &Address| {
            let position = view.lending(*market)?.position(self.asset);
            (!position.supplied.is_zero()).then_some((*market, position.supplied))
        };
        let idle = view.balance(self.asset);
        let Some((market, amount)) = self.markets.iter().find_map(supplied) else {
            let best = if idle.is_zero() {
                None
            } else {
                self.best(view, idle, None)
            };
            return best.map(|(market, _)| self.supply(market)).into_iter().collect();
        };
        let all = amount.saturating_add(idle);
        // A market that cannot pay it out keeps it.
        let can_leave = self.rate(view, market, LendingChange::Withdraw(amount)).is_some();
        let here = self.rate(view, market, LendingChange::Supply(idle));
        if let (Some((other, there)), Some(here), true) = (self.best(view, all, Some(market)), here, can_leave)
            && self.pays(all, there.saturating_sub(here))
        {
            return vec![Action::Withdraw(self.all(market)), self.supply(other)];
        }
        // What a move left behind in the wallet is no dust.
        let back = !idle.is_zero() && here.is_some_and(|here| self.pays(idle, here));
        if back { vec![self.supply(market)] } else { Vec::new() }
    }
}
