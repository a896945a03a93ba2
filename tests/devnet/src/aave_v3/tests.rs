use super::*;
use crate::{Chain, Devnet, Evm, NodeChain};
use alloy_primitives::{Address, U256};

const SUPPLIER: Address = Address::repeat_byte(0x51);
const BORROWER: Address = Address::repeat_byte(0x52);
const LIQUIDATOR: Address = Address::repeat_byte(0x53);

fn market<C: Chain>(chain: C, version: Version) -> GenuineMarket<C> {
    let ether = ReserveSpec::default();
    let dollar = ReserveSpec {
        symbol: "USDC",
        decimals: 6,
        price: 100_000_000,
        ltv: 7_700,
        liquidation_threshold: 8_000,
        liquidation_bonus: 10_450,
        supply_cap: 1_000_000_000,
        ..ether
    };
    let spec = MarketSpec {
        version,
        reserves: vec![ether, dollar],
        e_modes: vec![EModeSpec {
            id: 1,
            ltv: 9_000,
            liquidation_threshold: 9_300,
            liquidation_bonus: 10_100,
            price_source: Address::ZERO,
            collateral: vec![0],
            borrowable: vec![0],
        }],
        users: vec![SUPPLIER, BORROWER, LIQUIDATOR],
    };
    GenuineMarket::deploy_on(chain, &spec).unwrap_or_else(|error| panic!("{error}"))
}

fn plays<C: Chain>(chain: C, version: Version, refused: &str) {
    let mut market = market(chain, version);
    let [ether, dollar] = market.assets()[..] else {
        panic!("two assets")
    };
    let (eth, usd) = (U256::from(10).pow(U256::from(18)), U256::from(1_000_000));
    let supplied = U256::from(1_000_000) * usd;
    market.supply(SUPPLIER, dollar, supplied, SUPPLIER).expect("supplies");
    let collateral = U256::from(100) * eth;
    market.supply(BORROWER, ether, collateral, BORROWER).expect("supplies");
    assert!(!market.logs().is_empty());
    let debt = U256::from(150_000) * usd;
    market.borrow(BORROWER, dollar, debt, BORROWER).expect("borrows");
    assert_eq!(
        market.user_account_data(BORROWER).expect("a view").totalDebtBase,
        U256::from(150_000) * U256::from(100_000_000)
    );
    market.wait(86_400);
    let loan = U256::from(1_000) * usd;
    market
        .flash_loan_simple(SUPPLIER, dollar, loan, Receiver::Repays)
        .expect("repays");
    market
        .flash_loan(SUPPLIER, &[(dollar, loan)], Receiver::Repays)
        .expect("repays");
    market
        .flash_loan(SUPPLIER, &[(dollar, loan)], Receiver::Fails)
        .expect_err("fails");
    let healthy = market.liquidate(LIQUIDATOR, ether, dollar, BORROWER, U256::MAX, false);
    assert_eq!(healthy, Err(Failure::Reverted(refused.to_owned())));
    market
        .set_price(ether, U256::from(1_800) * U256::from(100_000_000))
        .expect("a price");
    market
        .liquidate(LIQUIDATOR, ether, dollar, BORROWER, U256::MAX, false)
        .expect("liquidates");
    let state = market.reserve(dollar).expect("views");
    assert!(state.liquidity_index > 10_u128.pow(27));
    market.set_e_mode(SUPPLIER, 1).expect("enters");
    assert_eq!(market.user_e_mode(SUPPLIER), Ok(1));
    market.mint_to_treasury(&[dollar, ether]).expect("mints");
    market.set_rates(dollar, Rates::default()).expect("rates");
    market
        .transfer_a_token(SUPPLIER, dollar, LIQUIDATOR, usd)
        .expect("transfers");
    assert_eq!(market.balances(LIQUIDATOR, dollar).expect("views")[0], usd);
}

#[test]
fn the_first_version_plays() {
    plays(Evm::new(OWNER), Version::V3_0_2, "45");
}

#[test]
fn a_later_version_plays() {
    plays(Evm::new(OWNER), Version::V3_6_0, "0x930bb771");
}

#[test]
fn plays_on_a_node() {
    for (version, refused) in [(Version::V3_0_2, "45"), (Version::V3_6_0, "0x930bb771")] {
        let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
        plays(NodeChain::new(devnet, OWNER), version, refused);
    }
}
