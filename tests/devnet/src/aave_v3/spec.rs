use alloy_primitives::{Address, U256};

/// Which of the genuine pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.0.2, as its package publishes the bytecode.
    V3_0_2,
    /// 3.6.0, compiled from its published sources; the first use takes a minute.
    V3_6_0,
}

/// What a market is made of.
#[derive(Debug, Clone)]
pub struct MarketSpec {
    /// Which pool.
    pub version: Version,
    /// The reserves, in the order of their ids.
    pub reserves: Vec<ReserveSpec>,
    /// The efficiency modes.
    pub e_modes: Vec<EModeSpec>,
    /// Who may act: each is given 2^120 of every token and lets the pool take them.
    pub users: Vec<Address>,
}

/// A reserve. Numbers without a unit of their own are basis points.
#[derive(Debug, Clone, Copy)]
pub struct ReserveSpec {
    /// The token, where it is there already; else one that anyone may mint is deployed.
    pub asset: Option<Address>,
    /// The token's name and symbol.
    pub symbol: &'static str,
    /// The token's decimals.
    pub decimals: u8,
    /// The first price of a whole token, in the oracle's unit: USD with eight decimals.
    pub price: u64,
    /// How its rates follow utilization.
    pub rates: Rates,
    /// How much may be borrowed against it.
    pub ltv: u16,
    /// At how much it may be liquidated; with zero it is no collateral.
    pub liquidation_threshold: u16,
    /// What a liquidator takes, over 10,000.
    pub liquidation_bonus: u16,
    /// The treasury's part of the interest.
    pub reserve_factor: u16,
    /// The treasury's part of the liquidation bonus.
    pub liquidation_protocol_fee: u16,
    /// In whole tokens; zero for none.
    pub supply_cap: u64,
    /// In whole tokens; zero for none.
    pub borrow_cap: u64,
    /// In cents of USD; zero for a collateral that is not isolated.
    pub debt_ceiling: u64,
    /// Whether it may be borrowed.
    pub borrowing: bool,
    /// Whether flash loans may be taken.
    pub flash_loans: bool,
    /// Whether its borrowers may borrow nothing else.
    pub siloed: bool,
    /// Whether it may be borrowed against an isolated collateral.
    pub borrowable_in_isolation: bool,
}

impl Default for ReserveSpec {
    /// Ether at 2,000 USD with mainnet's usual parameters and no caps.
    fn default() -> Self {
        Self {
            asset: None,
            symbol: "WETH",
            decimals: 18,
            price: 2_000 * 100_000_000,
            rates: Rates::default(),
            ltv: 8_000,
            liquidation_threshold: 8_250,
            liquidation_bonus: 10_500,
            reserve_factor: 1_500,
            liquidation_protocol_fee: 1_000,
            supply_cap: 0,
            borrow_cap: 0,
            debt_ceiling: 0,
            borrowing: true,
            flash_loans: true,
            siloed: false,
            borrowable_in_isolation: false,
        }
    }
}

/// A curve of interest rates, in basis points a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// The utilization at the kink.
    pub optimal_usage: u16,
    /// The rate at no utilization.
    pub base: u32,
    /// What is added up to the kink.
    pub slope1: u32,
    /// What is added beyond it.
    pub slope2: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            optimal_usage: 8_000,
            base: 0,
            slope1: 380,
            slope2: 8_000,
        }
    }
}

impl Rates {
    /// A number of basis points as a ray.
    pub(crate) fn ray(basis_points: u32) -> U256 {
        U256::from(basis_points) * U256::from(10).pow(U256::from(23))
    }
}

/// An efficiency mode. Numbers without a unit of their own are basis points.
#[derive(Debug, Clone)]
pub struct EModeSpec {
    /// Its number, from 1 on.
    pub id: u8,
    /// How much may be borrowed against its collateral.
    pub ltv: u16,
    /// At how much its collateral may be liquidated.
    pub liquidation_threshold: u16,
    /// What a liquidator takes, over 10,000.
    pub liquidation_bonus: u16,
    /// Its price source of its own; 3.0.2 only, zero for none.
    pub price_source: Address,
    /// The ids of its collateral. In 3.0.2 a reserve is in one mode at most, as collateral and as debt.
    pub collateral: Vec<usize>,
    /// The ids of what may be borrowed in it.
    pub borrowable: Vec<usize>,
}
