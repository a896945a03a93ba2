//! A genuine Aave v2 market on a node, with stable debt.

use super::{Views, connect, logs, sorted, whole};
use crate::random_sequences::Dice;
use alloy_primitives::{Address, U256};
use alloy_sol_types::sol;
use plimsoll_chain::LendingAddress;
use plimsoll_devnet::aave_v2::{
    GenuineMarket, MarketSpec, Mode, OWNER, Receiver, ReserveSpec, TREASURY,
    calls::{PoolCalls, ScaledTokenCalls, StableTokenCalls},
};
use plimsoll_devnet::aave_v3::calls::{AssetCalls, PriceSourceCalls};
use plimsoll_devnet::{Devnet, NodeChain};
use plimsoll_market::{ContractRole, LendingBody, LendingState};
use plimsoll_protocols::aave_v2::{
    InterestRateStrategy, Pool, Reserve, ReserveConfiguration, ReserveParams, StableSupply,
};

const USERS: [Address; 5] = [
    Address::repeat_byte(0x51),
    Address::repeat_byte(0x52),
    Address::repeat_byte(0x53),
    Address::repeat_byte(0x54),
    Address::repeat_byte(0x55),
];
const OPERATIONS: u64 = 150;
const LOOKS: usize = 6;

sol! {
    /// What sets a reserve's rates.
    interface Curves {
        function OPTIMAL_UTILIZATION_RATE() external view returns (uint256);
        function baseVariableBorrowRate() external view returns (uint256);
        function variableRateSlope1() external view returns (uint256);
        function variableRateSlope2() external view returns (uint256);
        function stableRateSlope1() external view returns (uint256);
        function stableRateSlope2() external view returns (uint256);
    }
}

fn act(market: &mut GenuineMarket<NodeChain>, dice: &mut Dice) {
    let assets = market.assets();
    let (user, other, mut asset) = (dice.pick(&USERS), dice.pick(&USERS), dice.pick(&assets));
    let (what, is_stable) = (dice.below(20), dice.below(2) == 0);
    // Nobody owes at a stable rate what he supplies as well: some supply one asset and borrow the other.
    let home = usize::from(user.0[0] % 2);
    match what {
        0..=5 if dice.below(5) > 0 => asset = assets[home],
        6..=10 if is_stable => asset = assets[1 - home],
        _ => {}
    }
    let place = assets.iter().position(|known| *known == asset).expect("listed");
    let unit = U256::from(10).pow(U256::from([18, 6][place]));
    let tokens = |dice: &mut Dice, most: u64| U256::from(1 + dice.below(most)) * unit + dice.bits(18);
    let mode = if is_stable { Mode::Stable } else { Mode::Variable };
    let _ = match what {
        0..=5 => market.deposit(user, asset, tokens(dice, 2_000), user),
        6..=10 => market.borrow(user, asset, tokens(dice, 40), mode, user),
        11 | 12 => market.repay(user, asset, tokens(dice, 100), mode, user).map(|_| ()),
        13 => market.repay(user, asset, U256::MAX, mode, user).map(|_| ()),
        14 => market.withdraw(user, asset, tokens(dice, 300), user).map(|_| ()),
        15 => market.set_collateral(user, asset, dice.below(2) == 0),
        16 => market.transfer_a_token(user, asset, other, tokens(dice, 100)),
        17 => market.swap_borrow_rate_mode(user, asset, mode),
        18 => market.flash_loan(user, &[(asset, tokens(dice, 50), None)], Receiver::Repays),
        _ => {
            let price = [1_000_000_000_000_000_000, 500_000_000_000_000][place];
            let price = price / 2 + dice.below(price);
            market.set_price(asset, U256::from(price))
        }
    };
    if dice.below(3) == 0 {
        market.wait(dice.below(2_000_000));
    }
}

/// A market that was played with: itself, the block after which it stood and nobody had used it, and the last one.
pub(crate) fn story(dice: &mut Dice, operations: u64) -> (GenuineMarket<NodeChain>, u64, u64) {
    let ether = ReserveSpec::default();
    let dollar = ReserveSpec {
        symbol: "USDC",
        decimals: 6,
        price: 500_000_000_000_000,
        ..ether
    };
    let spec = MarketSpec {
        reserves: vec![ether, dollar],
        users: USERS.to_vec(),
    };
    let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
    let mut market = GenuineMarket::deploy_on(NodeChain::new(devnet, OWNER), &spec).expect("a market");
    let first = market.chain().devnet().block_number().expect("a node");
    for _ in 0..operations {
        act(&mut market, dice);
    }
    let head = market.chain().devnet().block_number().expect("a node");
    (market, first, head)
}

#[test]
fn a_market_of_v2_is_read_as_it_is() {
    let mut dice = Dice::new(41);
    let (mut market, first, head) = story(&mut dice, OPERATIONS);
    let nodes = connect(market.chain().devnet().anvil().url());
    let address = LendingAddress::Aave(market.pool());
    let begin = whole(&nodes, address, first);
    let mut followed = pool(&begin).clone();
    let mut looks: Vec<u64> = (1..LOOKS).map(|_| first + 1 + dice.below(head - first)).collect();
    looks.push(head);
    looks.sort_unstable();
    let (mut heard, mut users_seen, mut stable_seen) = (first, 0, 0);
    for block in looks {
        let read = whole(&nodes, address, block);
        assert!(read.holds_everyone(), "everyone is found at block {block}");
        compare(&mut market, &read);
        for log in logs(market.chain().devnet(), heard + 1, block) {
            if let Some(event) = followed.decode(&log).expect("the market's") {
                let now = log.block_timestamp.expect("a time");
                followed
                    .record(log.address, &event, now)
                    .unwrap_or_else(|error| panic!("{error}"));
            }
        }
        heard = block;
        assert_eq!(pool(&read).reserves(), followed.reserves());
        let users = |pool: &Pool| sorted(pool.users().map(|(address, user)| (address, format!("{user:?}"))));
        assert_eq!(users(pool(&read)), users(&followed));
        users_seen += read.account_count();
        stable_seen += pool(&read)
            .users()
            .map(|(_, user)| user.stable_debts().len())
            .sum::<usize>();
    }
    assert!(stable_seen > LOOKS, "stable debt is looked at too: {stable_seen}");
    eprintln!("Aave v2: {LOOKS} blocks, {users_seen} users, {stable_seen} stable debts");
}

fn pool(state: &LendingState) -> &Pool {
    match &state.body {
        LendingBody::AaveV2 { pool } => pool,
        _ => panic!("Aave v2"),
    }
}

/// Every number against the contracts' views.
fn compare(market: &mut GenuineMarket<NodeChain>, read: &LendingState) {
    let (pool_address, configurator) = (market.pool(), market.configurator());
    let listings = market.listings().to_vec();
    let views = Views {
        devnet: market.chain().devnet(),
        block: read.block_number,
    };
    let state = pool(read);
    assert_eq!(
        read.block_hash,
        views.devnet.block_hash(read.block_number).expect("a block")
    );
    assert_eq!(
        (state.params().pool, state.params().configurator),
        (pool_address, configurator)
    );
    assert_eq!(state.paused(), views.ask(pool_address, &PoolCalls::pausedCall {}));
    assert_eq!(state.reserves().len(), listings.len());
    for (listing, reserve) in listings.iter().zip(state.reserves()) {
        let asset = listing.asset;
        let data = views.ask(pool_address, &PoolCalls::getReserveDataCall { asset });
        let stable = views.ask(listing.stable_debt, &StableTokenCalls::getSupplyDataCall {});
        let curve = data.interestRateStrategyAddress;
        let account = listing.a_token;
        let expected = Reserve {
            params: ReserveParams {
                asset,
                a_token: listing.a_token,
                stable_debt: listing.stable_debt,
                variable_debt: listing.variable_debt,
                treasury: TREASURY,
            },
            id: data.id,
            configuration: ReserveConfiguration(data.configuration),
            strategy: InterestRateStrategy {
                optimal_utilization_rate: views.ask(curve, &Curves::OPTIMAL_UTILIZATION_RATECall {}),
                base_variable_borrow_rate: views.ask(curve, &Curves::baseVariableBorrowRateCall {}),
                variable_rate_slope1: views.ask(curve, &Curves::variableRateSlope1Call {}),
                variable_rate_slope2: views.ask(curve, &Curves::variableRateSlope2Call {}),
                stable_rate_slope1: views.ask(curve, &Curves::stableRateSlope1Call {}),
                stable_rate_slope2: views.ask(curve, &Curves::stableRateSlope2Call {}),
            },
            market_borrow_rate: U256::from(ReserveSpec::default().market_borrow_rate)
                * U256::from(10).pow(U256::from(23)),
            liquidity_index: data.liquidityIndex,
            variable_borrow_index: data.variableBorrowIndex,
            current_liquidity_rate: data.currentLiquidityRate,
            current_variable_borrow_rate: data.currentVariableBorrowRate,
            current_stable_borrow_rate: data.currentStableBorrowRate,
            last_update: data.lastUpdateTimestamp.to(),
            scaled_supply: views.ask(listing.a_token, &ScaledTokenCalls::scaledTotalSupplyCall {}),
            scaled_variable_debt: views.ask(listing.variable_debt, &ScaledTokenCalls::scaledTotalSupplyCall {}),
            stable: StableSupply {
                principal: stable.principal,
                average_rate: stable.averageRate,
                last_update: stable.timestamp.to(),
            },
            available_liquidity: views.ask(asset, &AssetCalls::balanceOfCall { account }),
        };
        assert_eq!(*reserve, expected);
        for (role, address) in [
            (ContractRole::AToken, listing.a_token),
            (ContractRole::StableDebtToken, listing.stable_debt),
            (ContractRole::VariableDebtToken, listing.variable_debt),
            (ContractRole::RateStrategy, curve),
            (ContractRole::Aggregator, listing.price_source),
        ] {
            let found = read
                .contracts
                .iter()
                .any(|known| (known.role, known.address) == (role, address));
            assert!(found, "{role} {address}");
        }
        let told = views.ask(listing.price_source, &PriceSourceCalls::latestAnswerCall {});
        assert_eq!(
            read.feeds[&listing.price_source].answer.map(|answer| answer.value),
            Some(told)
        );
        for user in USERS {
            let known = state.user(user).cloned().unwrap_or_default();
            let (position, stable) = (known.position(reserve.id), known.stable_debt(reserve.id));
            let supply = views.ask(listing.a_token, &ScaledTokenCalls::scaledBalanceOfCall { user });
            let debt = views.ask(listing.variable_debt, &ScaledTokenCalls::scaledBalanceOfCall { user });
            assert_eq!(position.scaled_supply, supply, "{user}");
            assert_eq!(position.scaled_variable_debt, debt, "{user}");
            let principal = views.ask(listing.stable_debt, &StableTokenCalls::principalBalanceOfCall { user });
            assert_eq!(stable.principal, principal, "{user}");
            if !principal.is_zero() {
                let rate = views.ask(listing.stable_debt, &StableTokenCalls::getUserStableRateCall { user });
                let updated = views.ask(listing.stable_debt, &StableTokenCalls::getUserLastUpdatedCall { user });
                assert_eq!(
                    (U256::from(stable.rate), stable.last_update),
                    (rate, updated.to()),
                    "{user}"
                );
            }
        }
    }
    let prices = |asset| read.oracle.price(asset, &read.answers()).ok().map(|price| price.value);
    for user in USERS {
        let word = views.ask(pool_address, &PoolCalls::getUserConfigurationCall { user });
        assert_eq!(
            state.user(user).map(|user| user.configuration.0).unwrap_or_default(),
            word
        );
        let told = views.ask(pool_address, &PoolCalls::getUserAccountDataCall { user });
        let ours = state
            .user_account_data(user, &prices, read.block_timestamp)
            .expect("health");
        assert_eq!(ours.total_debt, told.totalDebtETH, "{user}");
        assert_eq!(ours.total_collateral, told.totalCollateralETH, "{user}");
        assert_eq!(ours.health_factor, told.healthFactor, "{user}");
    }
}
