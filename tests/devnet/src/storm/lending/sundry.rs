use super::{aave::AaveMarket, account::address, coin::Coin, compound::CompoundMarket};
use crate::{
    Devnet, DevnetError, Tx,
    aave_v3::{
        Listing, OWNER,
        calls::{ConfiguratorCalls, LaterConfiguratorCalls},
    },
    compound_v2::{ComptrollerCalls, GenuineCompound},
    storm::script::at,
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolValue;

/// What happens in Aave and Compound now and then, each at its share of the whole.
#[derive(Debug)]
pub(super) struct Sundry {
    blocks: u64,
}

/// When flash loans are taken.
const LOANS: [f64; 5] = [0.12, 0.34, 0.61, 0.68, 0.88];
/// When aTokens, and cTokens, change hands.
const TRANSFERS: [f64; 8] = [0.05, 0.18, 0.27, 0.41, 0.56, 0.66, 0.74, 0.92];
/// When the treasury gets what is its own.
const TREASURY: [f64; 5] = [0.15, 0.39, 0.58, 0.79, 0.97];
/// When the markets' parameters change: less may be borrowed against Aave's DAI, more against Compound's bitcoin, and Aave's
/// USDC costs more.
const PARAMETERS: f64 = 0.84;
/// When the owner supplies what bad debt is paid with, and pays a part of it.
const SUPPLIES: f64 = 0.90;
const PAYS: f64 = 0.94;

impl Sundry {
    pub(super) fn new(blocks: u64) -> Self {
        Self { blocks }
    }

    /// Who takes flash loans.
    pub(super) fn loaner() -> Address {
        address("flash loan", 0)
    }

    /// What happens in this block.
    pub(super) fn act(
        &self,
        devnet: &Devnet,
        block: u64,
        aave: &AaveMarket,
        compound: &CompoundMarket,
    ) -> Result<Vec<Vec<Tx>>, DevnetError> {
        let is_at = |share: f64| block == at(share, self.blocks);
        let mut txs = Vec::new();
        if let Some(number) = LOANS.iter().position(|share| is_at(*share)) {
            let dollars = (Coin::Usdc, Coin::Usdc.atoms(250_000.0));
            let several = [dollars, (Coin::Dai, Coin::Dai.atoms(120_000.0))];
            let loans = if number % 2 == 0 { &several[..1] } else { &several[..] };
            txs.push(vec![aave.flash_loan(Sundry::loaner(), loans)]);
        }
        if let Some(number) = TRANSFERS.iter().position(|share| is_at(*share)) {
            let (lender, to) = (address("aave lender", number % 3), address("saver", number));
            let amount = Coin::Usdc.atoms(2_500.0);
            txs.push(vec![aave.transfer_a_token(lender, Coin::Usdc, to, amount)]);
            // Of cTokens, whose decimals are eight.
            let (lender, amount) = (
                address("compound lender", number % 2),
                U256::from(5_000_000_000_000_u64),
            );
            txs.push(vec![compound.transfer(lender, Coin::Usdc, to, amount)]);
        }
        if TREASURY.iter().any(|share| is_at(*share)) {
            txs.push(vec![aave.mint_to_treasury(Sundry::loaner())]);
            txs.push(vec![compound.reduce_reserves(Coin::Usdc, Coin::Usdc.atoms(1.0))]);
        }
        if is_at(PARAMETERS) {
            txs.push(parameters(aave, compound));
        }
        if is_at(SUPPLIES) {
            txs.push(vec![aave.supply(OWNER, Coin::Usdc, Coin::Usdc.atoms(50_000.0))]);
        }
        if is_at(PAYS) {
            let deficit = aave.deficit(devnet, Coin::Usdc)? / U256::from(2);
            let amount = deficit.min(Coin::Usdc.atoms(40_000.0));
            if !amount.is_zero() {
                txs.push(vec![aave.eliminate_deficit(Coin::Usdc, amount)]);
            }
        }
        Ok(txs)
    }
}

/// Other parameters, as a risk steward sets them.
fn parameters(aave: &AaveMarket, compound: &CompoundMarket) -> Vec<Tx> {
    let Listing { asset, .. } = *aave.listing(Coin::Dai);
    let collateral = ConfiguratorCalls::configureReserveAsCollateralCall {
        asset,
        ltv: U256::from(6_000),
        liquidationThreshold: U256::from(7_600),
        liquidationBonus: U256::from(10_500),
    };
    let factor = ConfiguratorCalls::setReserveFactorCall {
        asset,
        newReserveFactor: U256::from(1_500),
    };
    // The utilization at the kink, the rate without any, and what is added up to the kink and beyond, in basis points.
    let rates = [9_000, 0, 500, 4_500].map(U256::from::<u32>);
    let rates = LaterConfiguratorCalls::setReserveInterestRateDataCall {
        asset: aave.listing(Coin::Usdc).asset,
        rateData: rates.abi_encode().into(),
    };
    let mantissa = U256::from(72) * U256::from(10).pow(U256::from(16));
    let collateral_factor = ComptrollerCalls::_setCollateralFactorCall {
        cToken: compound.c_token(Coin::Wbtc),
        mantissa,
    };
    vec![
        Tx::call(aave.configurator, &collateral).from(OWNER),
        Tx::call(aave.configurator, &factor).from(OWNER),
        Tx::call(aave.configurator, &rates).from(OWNER),
        Tx::call(compound.comptroller, &collateral_factor).from(GenuineCompound::ADMIN),
    ]
}
