use alloy_primitives::{Address, U256};
use plimsoll_market::SupplyCurve;
use plimsoll_optimizer::source::{Kind, KinkedPool, KinkedPoolParams, Source, SourceError};
use plimsoll_runtime::View;

/// Base units of a whole token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale(f64);

impl Scale {
    pub(super) fn of_decimals(decimals: u8) -> Self {
        Self(10f64.powi(i32::from(decimals)))
    }

    /// Base units as whole tokens.
    pub(super) fn whole(self, amount: U256) -> f64 {
        f64::from(amount) / self.0
    }

    /// Whole tokens as base units, rounded down.
    pub(super) fn base_units(self, whole: f64) -> U256 {
        // A cast saturates; no token has 2¹²⁸ base units.
        U256::from((whole * self.0) as u128)
    }
}

/// A lending market as a strategy finds it; amounts in whole tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lendable {
    pub(super) address: Address,
    /// What it pays by own size.
    pub(super) source: Source,
    /// Own supply.
    pub(super) held: f64,
    /// What it can pay out now.
    liquid: f64,
}

impl Lendable {
    /// A market of the view; `None` where it is not known, or pays by no curve that could be.
    pub(super) fn seen(view: &View<'_>, address: Address, asset: Address, scale: Scale) -> Option<Self> {
        let venue = view.lending(address)?;
        let curve = venue.supply_curve(asset)?;
        let held = scale.whole(venue.position(asset).supplied);
        let (supplied, borrowed) = (scale.whole(curve.supplied), scale.whole(curve.borrowed));
        Some(Self {
            address,
            source: source(address, &curve, scale, held).ok()?,
            held,
            liquid: (supplied + held - borrowed).max(0.0),
        })
    }

    /// The source, of which no more than so much may be held.
    pub(super) fn source_up_to(&self, most: f64) -> Result<Source, SourceError> {
        let most = most.min(self.source.max_usd());
        Source::new(self.source.id(), *self.source.kind(), most)
    }

    /// What of own supply cannot leave now.
    pub(super) fn stuck(&self) -> f64 {
        (self.held - self.liquid).max(0.0)
    }
}

/// The curve as a source of yield. Of a market that takes no more, what is held may stay.
fn source(address: Address, curve: &SupplyCurve, scale: Scale, held: f64) -> Result<Source, SourceError> {
    let id = address.to_string();
    let fraction = |ray: U256| f64::from(ray) / 1e27;
    let params = KinkedPoolParams {
        base: fraction(curve.base_ray),
        slope1: fraction(curve.slope1_ray),
        slope2: fraction(curve.slope2_ray),
        optimal_utilization: fraction(curve.optimal_utilization_ray),
        reserve_factor: fraction(curve.reserve_factor_ray),
        supplied_usd: scale.whole(curve.supplied),
        borrowed_usd: scale.whole(curve.borrowed),
    };
    let pool = KinkedPool::new(&id, params)?;
    let most = match curve.room == U256::MAX {
        true => f64::INFINITY,
        false => scale.whole(curve.room).max(held),
    };
    Source::new(id, Kind::Kinked(pool), most)
}
