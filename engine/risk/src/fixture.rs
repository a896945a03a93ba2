//! Small books for tests.

use crate::{AccountRow, AssetRow, Book, LiquidityRow};

pub(crate) fn account(account: &str, asset: &str, collateral: f64, debt: f64) -> AccountRow {
    AccountRow {
        account: account.to_owned(),
        market: "m".to_owned(),
        asset: asset.to_owned(),
        collateral_amount: collateral,
        debt_amount: debt,
    }
}

pub(crate) fn asset(asset: &str, price_usd: f64, threshold: f64, bonus: f64) -> AssetRow {
    AssetRow {
        market: "m".to_owned(),
        asset: asset.to_owned(),
        price_usd,
        ltv: threshold,
        liquidation_threshold: threshold,
        liquidation_bonus: bonus,
        close_factor: 0.5,
        decimals: 18,
    }
}

pub(crate) fn depth(asset: &str, depth_pct: f64, sell_amount_usd: f64) -> LiquidityRow {
    LiquidityRow {
        asset: asset.to_owned(),
        quote: "USDC".to_owned(),
        depth_pct,
        sell_amount_usd,
    }
}

/// One account with 10 ETH of 2,000 USD at a threshold of 0.8 and a bonus of 5 %, that owes 15,000 USDC.
pub(crate) fn one_account(liquidity: &[LiquidityRow]) -> Book {
    let accounts = [account("a", "ETH", 10.0, 0.0), account("a", "USDC", 0.0, 15_000.0)];
    let assets = [asset("ETH", 2_000.0, 0.8, 0.05), asset("USDC", 1.0, 0.0, 0.0)];
    Book::new(&accounts, &assets, liquidity).expect("a book")
}
