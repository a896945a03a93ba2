use super::*;
use crate::fixture::{account, asset, depth};

fn refusal(accounts: &[AccountRow], assets: &[AssetRow], liquidity: &[LiquidityRow]) -> String {
    Book::new(accounts, assets, liquidity).expect_err("no book").to_string()
}

fn assets() -> [AssetRow; 2] {
    [asset("ETH", 2_000.0, 0.8, 0.05), asset("USDC", 1.0, 0.75, 0.04)]
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let mut accounts = vec![
        account("b", "ETH", 1.0, 0.0),
        account("a", "USDC", 0.0, 7.0),
        account("b", "USDC", 5.0, 3.0),
        account("a", "ETH", 2.0, 0.0),
    ];
    let liquidity = [depth("ETH", 1.0, 10.0), depth("ETH", 2.0, 30.0)];
    let book = Book::new(&accounts, &assets(), &liquidity).expect("a book");
    accounts.reverse();
    let [eth, usdc] = assets();
    let [small, large] = liquidity;
    assert_eq!(
        Book::new(&accounts, &[usdc, eth], &[large, small]).expect("a book"),
        book
    );
    assert_eq!(book.positions().len(), 2);
    assert_eq!(book.holdings_of(1)[1].debt, 3.0);
}

#[test]
fn what_is_no_book_is_refused_with_its_row() {
    let ok = [account("a", "ETH", 1.0, 0.0)];
    assert_eq!(refusal(&[], &assets(), &[]), "accounts: no rows");
    assert_eq!(
        refusal(&[ok[0].clone(), account("a", "ETH", 2.0, 0.0)], &assets(), &[]),
        "accounts row 2: account a with ETH in market m is there already, in row 1"
    );
    assert_eq!(
        refusal(&[account("a", "DOGE", 2.0, 0.0)], &assets(), &[]),
        "accounts row 1: account a in market m: asset DOGE has no row in assets, so no price"
    );
    assert_eq!(
        refusal(&[account("a", "ETH", -2.0, 0.0)], &assets(), &[]),
        "accounts row 1: collateral_amount is -2, expected an amount, 0 or more"
    );
    for price in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
        let text = refusal(&ok, &[asset("ETH", price, 0.8, 0.05)], &[]);
        assert!(text.starts_with("assets row 1: price_usd is "), "{text}");
    }
    assert_eq!(
        refusal(
            &ok,
            &[asset("ETH", 1.0, 0.8, 0.05), asset("USDC", 1.0, 1.01, 0.05)],
            &[]
        ),
        "assets row 2: ltv is 1.01, expected a fraction from 0 to 1"
    );
    let above_one = AssetRow {
        ltv: 0.5,
        ..asset("ETH", 1.0, 1.01, 0.05)
    };
    assert_eq!(
        refusal(&ok, &[above_one], &[]),
        "assets row 1: liquidation_threshold is 1.01, expected a fraction from 0 to 1"
    );
    let [eth, _] = assets();
    assert_eq!(
        refusal(&ok, &[eth.clone(), eth], &[]),
        "assets row 2: asset ETH of market m is there already, in row 1"
    );
    assert_eq!(
        refusal(&ok, &assets(), &[depth("ETH", 2.0, 10.0), depth("ETH", 1.0, 30.0)]),
        "liquidity row 2: ETH/USDC: depth_pct and sell_amount_usd must grow together, this row breaks it"
    );
}

#[test]
fn what_is_odd_but_no_error_is_told() {
    let accounts = [
        account("empty", "ETH", 0.0, 0.0),
        // 0.8 · 2,000 = 1,600 against 1,700, of 2,000.
        account("below", "ETH", 1.0, 0.0),
        account("below", "USDC", 0.0, 1_700.0),
        account("under", "USDC", 0.0, 1.0),
    ];
    let odd = AssetRow {
        ltv: 0.9,
        ..asset("ETH", 2_000.0, 0.8, 0.05)
    };
    let usdc = asset("USDC", 1.0, 0.75, 0.04);
    let book = Book::new(&accounts, &[odd, usdc], &[depth("DOGE", 1.0, 1.0)]).expect("a book");
    let told = BookNotes {
        empty_rows: 1,
        below_one_positions: 2,
        under_water_positions: 1,
        ltv_above_threshold: vec!["m/ETH".to_owned()],
        unlisted_liquidity: vec!["DOGE".to_owned()],
    };
    assert_eq!(*book.notes(), told);
}

#[test]
fn an_asset_may_be_listed_on_several_terms() {
    let usdc = asset("USDC", 1.0, 0.75, 0.04);
    let part = |row: &AssetRow, variant: &str| ListingPart {
        row: row.clone(),
        variant: variant.to_owned(),
    };
    let [eth, _] = assets();
    let parts = [
        part(&usdc, ""),
        part(&asset("ETH", 2_000.0, 0.95, 0.01), "e-mode 1"),
        part(&eth, ""),
    ];
    let holding = |account: &str, listing, collateral_amount, debt_amount| HoldingPart {
        account: account.to_owned(),
        listing,
        collateral_amount,
        debt_amount,
    };
    let holdings = [
        holding("b", 1, 1.0, 0.0),
        holding("b", 0, 0.0, 1_700.0),
        holding("a", 2, 1.0, 0.0),
        holding("a", 0, 0.0, 1_700.0),
    ];
    let curve = crate::DepthCurve::new(&[(10.0, 0.1)]).expect("it grows");
    let depths =
        [("ETH", curve.clone()), ("DOGE", curve)].map(|(name, curve)| (name.to_owned(), crate::Depth::Curve(curve)));
    let book = Book::from_parts(&parts, &holdings, depths).expect("a book");
    let variants: Vec<&str> = (0..3).map(|listing| book.variant(listing)).collect();
    assert_eq!(variants, ["", "e-mode 1", ""]);
    assert_eq!(book.assets().len(), 2);
    assert!(book.assets()[0].depth.is_some());
    // 1,900 and 1,600 against 1,700.
    assert_eq!(book.notes().below_one_positions, 1);
    assert_eq!(book.notes().unlisted_liquidity, ["DOGE"]);
    let health =
        |position| crate::Standing::of(&book, book.holdings_of(position), &book.prices(&[1.0, 1.0])).health_factor();
    assert_eq!(
        (health(0), health(1)),
        (Some(1_600.0 / 1_700.0), Some(1_900.0 / 1_700.0))
    );

    // Rows and parts make the same book.
    let rows = [account("a", "ETH", 1.0, 0.0), account("a", "USDC", 0.0, 1_700.0)];
    let of_rows = Book::new(&rows, &assets(), &[]).expect("a book");
    let plain = [part(&usdc, ""), part(&eth, "")];
    let holdings = [holding("a", 0, 0.0, 1_700.0), holding("a", 1, 1.0, 0.0)];
    assert_eq!(Book::from_parts(&plain, &holdings, []).expect("a book"), of_rows);

    let refusal = |parts: &[ListingPart], holdings: &[HoldingPart]| {
        Book::from_parts(parts, holdings, []).expect_err("no book").to_string()
    };
    assert_eq!(
        refusal(&plain, &[holding("a", 2, 1.0, 0.0)]),
        "accounts row 1: account a has a holding of listing 2, which is not there"
    );
    assert_eq!(
        refusal(&[plain[0].clone(), plain[0].clone()], &[holding("a", 0, 1.0, 0.0)]),
        "assets row 2: asset USDC of market m is there already, in row 1"
    );
    assert_eq!(
        refusal(&plain, &[holding("a", 0, 1.0, 0.0), holding("a", 0, 1.0, 0.0)]),
        "accounts row 2: account a with USDC in market m is there already, in row 1"
    );
}
