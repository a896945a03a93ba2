use crate::Book;

/// Who holds how much of a book, at prices with a factor on every asset's.
#[derive(Debug, Clone, PartialEq)]
pub struct Concentration {
    /// Collateral over accounts, all assets together.
    pub collateral: Shares,
    /// Debt over accounts, all assets together.
    pub debt: Shares,
    /// Σ of squared shares of assets in all collateral; `None` without any.
    pub collateral_over_assets: Option<f64>,
    /// Σ of squared shares of assets in all debt; `None` without any.
    pub debt_over_assets: Option<f64>,
    /// Every asset over accounts, by its place.
    pub by_asset: Vec<AssetConcentration>,
}

/// Who holds how much of one asset.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetConcentration {
    /// What is supplied of it.
    pub collateral: Shares,
    /// What is owed of it.
    pub debt: Shares,
}

/// An amount that is shared between accounts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shares {
    /// All of it. USD.
    pub total_usd: f64,
    /// Accounts with a part of it.
    pub accounts: usize,
    /// The Herfindahl–Hirschman index: Σ of squared shares, 1 where one account has all; `None` where there is nothing.
    pub hhi: Option<f64>,
    /// The accounts with most of it, the largest first.
    pub top: Vec<Share>,
}

/// An account's part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The account, by its place in [`Book::accounts`].
    pub account: u32,
    /// Its amount. USD.
    pub usd: f64,
    /// Its part of the total.
    pub share: f64,
}

/// How concentrated a book is, with the largest `top` accounts of everything. An account is one in all markets together.
///
/// # Panics
/// Fewer factors than assets.
pub fn concentration(book: &Book, factors: &[f64], top: usize) -> Concentration {
    let prices = book.prices(factors);
    let (accounts, assets) = (book.accounts().len(), book.assets().len());
    let mut all = [vec![0.0; accounts], vec![0.0; accounts]];
    let mut of_asset: Vec<[Vec<(u32, f64)>; 2]> = vec![Default::default(); assets];
    for (place, position) in book.positions().iter().enumerate() {
        for holding in book.holdings_of(place) {
            let listing = holding.listing as usize;
            let asset = book.listings()[listing].asset as usize;
            for (side, amount) in [holding.collateral, holding.debt].into_iter().enumerate() {
                if amount > 0.0 {
                    let usd = amount * prices[listing];
                    all[side][position.account as usize] += usd;
                    of_asset[asset][side].push((position.account, usd));
                }
            }
        }
    }
    let [collateral, debt] = all.map(|of| {
        let held = (0u32..).zip(of).filter(|(_, usd)| *usd > 0.0);
        Shares::of(held.collect(), top)
    });
    let by_asset: Vec<AssetConcentration> = of_asset
        .into_iter()
        .map(|sides| {
            let [collateral, debt] = sides.map(|of| Shares::of(merged(of), top));
            AssetConcentration { collateral, debt }
        })
        .collect();
    let over_assets = |side: fn(&AssetConcentration) -> &Shares| {
        let totals: Vec<f64> = by_asset.iter().map(|of| side(of).total_usd).collect();
        hhi(&totals, totals.iter().sum())
    };
    Concentration {
        collateral,
        debt,
        collateral_over_assets: over_assets(|of| &of.collateral),
        debt_over_assets: over_assets(|of| &of.debt),
        by_asset,
    }
}

/// One entry an account, also where it is in several markets.
fn merged(mut of: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    of.sort_by_key(|(account, _)| *account);
    of.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    of
}

fn hhi(parts: &[f64], total: f64) -> Option<f64> {
    (total > 0.0).then(|| parts.iter().map(|usd| (usd / total).powi(2)).sum())
}

impl Shares {
    fn of(mut held: Vec<(u32, f64)>, top: usize) -> Self {
        let parts: Vec<f64> = held.iter().map(|(_, usd)| *usd).collect();
        let total_usd = parts.iter().fold(0.0, |sum, usd| sum + usd);
        held.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let share = |(account, usd): (u32, f64)| Share {
            account,
            usd,
            share: usd / total_usd,
        };
        Self {
            total_usd,
            accounts: parts.len(),
            hhi: hhi(&parts, total_usd),
            top: held.into_iter().take(top).map(share).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountRow,
        fixture::{account, asset},
    };

    #[test]
    fn shares_are_squared_and_summed_over_accounts_and_assets() {
        let elsewhere = AccountRow {
            market: "n".to_owned(),
            ..account("a", "ETH", 1.0, 0.0)
        };
        let accounts = [
            account("a", "ETH", 1.0, 0.0),
            elsewhere,
            account("b", "ETH", 1.0, 0.0),
            account("b", "USDC", 1_000.0, 0.0),
            account("c", "USDC", 0.0, 500.0),
        ];
        let mut assets = vec![asset("ETH", 1_000.0, 0.8, 0.05), asset("USDC", 1.0, 0.75, 0.04)];
        let mut other = assets[0].clone();
        other.market = "n".to_owned();
        assets.push(other);
        let book = Book::new(&accounts, &assets, &[]).expect("a book");
        let of = concentration(&book, &book.no_shock(), 1);
        // a has 2,000 in two markets, b has 2,000.
        assert_eq!((of.collateral.total_usd, of.collateral.accounts), (4_000.0, 2));
        assert_eq!(of.collateral.hhi, Some(0.5));
        assert_eq!(
            of.collateral.top,
            [Share {
                account: 0,
                usd: 2_000.0,
                share: 0.5
            }]
        );
        assert_eq!((of.debt.hhi, of.debt.top[0].account), (Some(1.0), 2));
        // ETH: 2/3 and 1/3.
        let eth = &of.by_asset[0];
        assert!((eth.collateral.hhi.expect("held") - 5.0 / 9.0).abs() < 1e-15);
        assert_eq!(eth.debt, Shares::default());
        // 3,000 of ETH, 1,000 of USDC.
        assert_eq!(of.collateral_over_assets, Some(0.625));
        assert_eq!(of.debt_over_assets, Some(1.0));
        // At half the price of ETH: 1,000 and 1,500.
        let of = concentration(&book, &[0.5, 1.0], 9);
        assert_eq!(of.collateral.hhi, Some(0.4f64.powi(2) + 0.6f64.powi(2)));
        assert_eq!(of.collateral.top[0].account, 1);
    }
}
