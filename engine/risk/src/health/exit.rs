use crate::{Book, Depth, Sold};

/// The falls that exits are mostly judged at, as fractions.
pub const EXIT_FALLS: [f64; 3] = [0.02, 0.05, 0.10];

/// What could be sold of an asset, against what there is to be sold.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitLiquidity {
    /// The asset, by its place.
    pub asset: usize,
    /// What is supplied of it where it counts as collateral. USD.
    pub collateral_usd: f64,
    /// Of that, what belongs to positions with debt: only they can be liquidated. USD.
    pub borrowers_usd: f64,
    /// What its depth takes, one for each fall.
    pub points: Vec<ExitPoint>,
}

/// What can be sold until a price has fallen so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExitPoint {
    /// The fall, as a fraction.
    pub fall: f64,
    /// What can be sold for it.
    pub takes: Takes,
}

/// An amount that a depth takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Takes {
    /// USD.
    Usd(f64),
    /// At least so many USD: the depth is known no further, and the fall is not reached there.
    AtLeast(f64),
    /// Anything, by assumption.
    Unlimited,
    /// The book has no liquidity for it.
    Unknown,
}

/// Sets every asset's collateral against what its depth takes at each fall. USD are at the book's own prices, as depths are.
pub fn exit_liquidity(book: &Book, falls: &[f64]) -> Vec<ExitLiquidity> {
    let mut exits: Vec<ExitLiquidity> = book
        .assets()
        .iter()
        .enumerate()
        .map(|(place, asset)| {
            let price = book.listings().iter().find(|listing| listing.asset as usize == place);
            let price = price.map_or(1.0, |listing| listing.price_usd);
            let takes = |fall: &f64| ExitPoint {
                fall: *fall,
                takes: asset
                    .depth
                    .as_ref()
                    .map_or(Takes::Unknown, |depth| takes(depth, *fall, price)),
            };
            ExitLiquidity {
                asset: place,
                collateral_usd: 0.0,
                borrowers_usd: 0.0,
                points: falls.iter().map(takes).collect(),
            }
        })
        .collect();
    for position in 0..book.positions().len() {
        let holdings = book.holdings_of(position);
        let owes = holdings.iter().any(|holding| holding.debt > 0.0);
        for holding in holdings {
            let listing = &book.listings()[holding.listing as usize];
            if listing.liquidation_threshold > 0.0 {
                let usd = holding.collateral * listing.price_usd;
                let exit = &mut exits[listing.asset as usize];
                exit.collateral_usd += usd;
                exit.borrowers_usd += if owes { usd } else { 0.0 };
            }
        }
    }
    exits
}

/// The largest sale after which a price has fallen by no more than `fall`, to the last bit; any kind of depth.
pub(crate) fn takes(depth: &Depth, fall: f64, price_usd: f64) -> Takes {
    let after = |usd: f64| {
        let tokens = usd / price_usd;
        depth.fall(Sold { usd, tokens }, false)
    };
    // As far as both dollars and tokens can be counted.
    let farthest = f64::MAX.min(f64::MAX * price_usd);
    let mut most = match after(farthest) {
        Ok(far) if far <= fall => return Takes::Unlimited,
        Ok(_) => farthest,
        Err(beyond) => beyond.most_usd,
    };
    // A depth's own end may be refused by a rounding.
    let inside = |usd: f64| after(usd).is_ok_and(|after| after <= fall);
    if inside(most) {
        // At the fall exactly it is reached, short of it the depth ends first.
        return match after(most) {
            Ok(end) if end == fall => Takes::Usd(most),
            _ => Takes::AtLeast(most),
        };
    }
    let mut least = 0.0;
    loop {
        let middle = least + (most - least) / 2.0;
        if middle <= least || middle >= most {
            return Takes::Usd(least);
        }
        if inside(middle) {
            least = middle;
        } else {
            most = middle;
        }
    }
}

impl ExitPoint {
    /// Collateral over what can be sold: above 1 not all can leave at this fall. `None` where nothing is known or nothing can be sold.
    pub fn pressure(&self, collateral_usd: f64) -> Option<f64> {
        match self.takes {
            Takes::Usd(usd) | Takes::AtLeast(usd) if usd > 0.0 => Some(collateral_usd / usd),
            Takes::Unlimited => Some(0.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{account, asset, depth, one_account};

    #[test]
    fn a_depth_takes_what_its_corners_say() {
        let book = one_account(&[depth("ETH", 2.0, 1_000.0), depth("ETH", 6.0, 5_000.0)]);
        let exits = exit_liquidity(&book, &[0.01, 0.02, 0.05, 0.06, 0.1]);
        let takes: Vec<Takes> = exits[0].points.iter().map(|point| point.takes).collect();
        let close = |takes: Takes, expected: f64| {
            let Takes::Usd(usd) = takes else { panic!("{takes:?}") };
            assert!((usd - expected).abs() <= 1e-12 * expected, "{usd} against {expected}");
        };
        close(takes[0], 500.0);
        close(takes[1], 1_000.0);
        // 1,000 + 3 / 4 of 4,000.
        close(takes[2], 4_000.0);
        assert_eq!(takes[3..], [Takes::Usd(5_000.0), Takes::AtLeast(5_000.0)]);
        assert_eq!((exits[0].collateral_usd, exits[0].borrowers_usd), (20_000.0, 20_000.0));
        assert_eq!(exits[0].points[3].pressure(20_000.0), Some(4.0));
        assert_eq!(exits[1].points[0].takes, Takes::Unknown);
        assert_eq!(exits[1].points[0].pressure(1.0), None);
    }

    #[test]
    fn lenders_and_what_does_not_count_are_told_apart() {
        let accounts = [account("lends", "ETH", 1.0, 0.0), account("lends", "DOGE", 1.0, 0.0)];
        let assets = [asset("ETH", 2_000.0, 0.8, 0.05), asset("DOGE", 1.0, 0.0, 0.0)];
        let book = Book::new(&accounts, &assets, &[]).expect("a book");
        let book = book.with_depths([Some(Depth::Unlimited), Some(Depth::Unlimited)]);
        let exits = exit_liquidity(&book, &EXIT_FALLS);
        assert_eq!(
            (exits[0].collateral_usd, exits[1].collateral_usd, exits[1].borrowers_usd),
            (0.0, 2_000.0, 0.0)
        );
        assert_eq!(exits[1].points[0].takes, Takes::Unlimited);
    }
}
