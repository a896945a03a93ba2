use super::*;
use alloy_primitives::{Address, U256};

const SUPPLIER: Address = Address::repeat_byte(0x51);
const BORROWER: Address = Address::repeat_byte(0x52);

#[test]
fn plays() {
    let ether = ReserveSpec::default();
    let dollar = ReserveSpec {
        symbol: "USDC",
        decimals: 6,
        price: 500_000_000_000_000,
        ..ether
    };
    let spec = MarketSpec {
        reserves: vec![ether, dollar],
        users: vec![SUPPLIER, BORROWER],
    };
    let mut market = GenuineMarket::deploy(&spec).unwrap_or_else(|error| panic!("{error}"));
    let [ether, dollar] = market.assets()[..] else {
        panic!("two assets")
    };
    let (eth, usd) = (U256::from(10).pow(U256::from(18)), U256::from(1_000_000));
    let lent = U256::from(1_000_000) * usd;
    market.deposit(SUPPLIER, dollar, lent, SUPPLIER).expect("deposits");
    market
        .deposit(BORROWER, ether, U256::from(100) * eth, BORROWER)
        .expect("deposits");
    let debt = U256::from(150_000) * usd;
    market
        .borrow(BORROWER, dollar, debt, Mode::Variable, BORROWER)
        .expect("borrows");
    market
        .borrow(BORROWER, dollar, usd, Mode::Stable, BORROWER)
        .expect("borrows");
    assert_eq!(market.stable_debt(BORROWER, dollar).expect("views").principal, usd);
    market.wait(86_400);
    let state = market.reserve(dollar).expect("views");
    let token = market.listing(dollar).stable_debt;
    let told = market
        .read_at(token, &calls::StableTokenCalls::getSupplyDataCall {})
        .expect("a view");
    assert_eq!(
        (state.stable_principal, state.stable_total),
        (told.principal, Ok(told.total))
    );
    assert_eq!(
        (state.average_stable_rate, state.stable_last_update),
        (told.averageRate, told.timestamp.to())
    );
    assert!(told.principal == usd && told.total > usd);
    let loan = [(dollar, U256::from(1_000) * usd, None)];
    market.flash_loan(SUPPLIER, &loan, Receiver::Repays).expect("repays");
    let failed = market.flash_loan(SUPPLIER, &loan, Receiver::Fails);
    assert_eq!(failed, Err(Failure::Reverted("66".to_owned())));
    let healthy = market.liquidate(SUPPLIER, ether, dollar, BORROWER, U256::MAX, false);
    assert_eq!(healthy, Err(Failure::Reverted("42".to_owned())));
    let price = U256::from(600_000_000_000_000_u64);
    market.set_price(dollar, price).expect("a price");
    market
        .liquidate(SUPPLIER, ether, dollar, BORROWER, U256::MAX, false)
        .expect("liquidates");
    assert!(market.reserve(dollar).expect("views").liquidity_index > 10_u128.pow(27));
    market.set_rates(dollar, Rates::default(), [100, 200]).expect("rates");
}
