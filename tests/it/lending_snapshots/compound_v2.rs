//! A genuine Compound v2 on a node: three tokens and ether, one cToken behind a delegator, every model.

use super::{Views, connect, hear, logs, market_of, sorted, whole};
use crate::random_sequences::Dice;
use alloy_primitives::{Address, U256};
use plimsoll_chain::LendingAddress;
use plimsoll_devnet::compound_v2::{
    CErc20Calls, Codes, ComptrollerCalls, GenuineCompound, GenuineMarket, Model, OracleCalls, Plan,
};
use plimsoll_devnet::{Devnet, NodeChain};
use plimsoll_market::{ContractRole, LendingBody, LendingMarket, LendingState};
use plimsoll_protocols::compound_v2::{Account, Pool, Valuation};

const USERS: [Address; 5] = [
    Address::repeat_byte(0xa1),
    Address::repeat_byte(0xa2),
    Address::repeat_byte(0xa3),
    Address::repeat_byte(0xa4),
    Address::repeat_byte(0xa5),
];
const OPERATIONS: u64 = 150;
const LOOKS: usize = 6;
/// A tenth of a percent, scaled.
const PER_MILLE: u64 = 1_000_000_000_000_000;

fn mantissa(per_mille: u64) -> U256 {
    U256::from(per_mille) * U256::from(PER_MILLE)
}

fn plans() -> [Plan; 4] {
    let plan = |decimals: Option<u8>, delegated, model| Plan {
        decimals,
        delegated,
        initial_exchange_rate: U256::from(200_000_000) * U256::from(10).pow(U256::from(decimals.unwrap_or(18))),
        model,
    };
    let [zero, slope, jump, kink] = [0, 40, 1_090, 800].map(mantissa);
    [
        plan(Some(6), true, Model::JumpV2(zero, slope, jump, kink)),
        plan(
            Some(18),
            false,
            Model::Jump(mantissa(20), mantissa(200), mantissa(3_000), mantissa(900)),
        ),
        plan(Some(8), false, Model::WhitePaper(mantissa(50), mantissa(450))),
        plan(None, false, Model::JumpV2(zero, slope, jump, kink)),
    ]
}

/// One thing that somebody does; a refusal is an outcome.
fn act(genuine: &mut GenuineCompound<NodeChain>, dice: &mut Dice) {
    let markets = genuine.markets().to_vec();
    let (user, other) = (dice.pick(&USERS), dice.pick(&USERS));
    let place = usize::try_from(dice.below(4)).expect("small");
    let market = markets[place];
    let unit = U256::from(10).pow(U256::from([6, 18, 8, 18][place]));
    let some = |dice: &mut Dice, most: u64| U256::from(1 + dice.below(most)) * unit + dice.bits(16);
    let (admin, comptroller) = (GenuineCompound::ADMIN, genuine.comptroller());
    let _ = match dice.below(24) {
        0..=5 => {
            let amount = some(dice, 500);
            genuine.mint(user, market, amount)
        }
        6..=10 => {
            let amount = some(dice, 60);
            genuine.borrow(user, market, amount)
        }
        11 | 12 => {
            let amount = some(dice, 40);
            genuine.repay_borrow(user, market, amount)
        }
        13 => {
            let amount = some(dice, 40);
            genuine.redeem_underlying(user, market, amount)
        }
        14 => genuine.redeem(user, market, dice.bits(36)),
        15 => {
            let all = markets.iter().map(|market| market.c_token).collect();
            genuine.enter_markets(user, all).map(|_| U256::ZERO)
        }
        16 => genuine.exit_market(user, market.c_token),
        17 => genuine.transfer(user, market, other, dice.bits(36)).map(|_| U256::ZERO),
        18 => {
            let amount = some(dice, 3);
            genuine.add_reserves(user, market, amount)
        }
        19 => {
            let to = dice.below(3);
            let price = U256::from(1 + to) * U256::from(10).pow(U256::from([30, 18, 28, 18][place]));
            genuine.set_price(market, price).map(|()| U256::ZERO)
        }
        20 => {
            let amount = some(dice, 20);
            genuine.liquidate_borrow(other, user, market, amount, dice.pick(&markets).c_token)
        }
        21 => {
            let call = CErc20Calls::_setReserveFactorCall {
                mantissa: mantissa(dice.below(400)),
            };
            genuine.call(admin, market.c_token, &call)
        }
        22 => {
            let call = ComptrollerCalls::_setBorrowPausedCall {
                cToken: market.c_token,
                state: dice.below(2) == 0,
            };
            genuine.call(admin, comptroller, &call).map(|_| U256::ZERO)
        }
        _ => {
            let model = dice.pick(&markets).model;
            let call = CErc20Calls::_setInterestRateModelCall { model };
            genuine.call(admin, market.c_token, &call)
        }
    };
    if dice.below(3) == 0 {
        genuine.roll(1 + dice.below(30));
    }
}

fn open(genuine: &mut GenuineCompound<NodeChain>) {
    let (admin, comptroller) = (GenuineCompound::ADMIN, genuine.comptroller());
    for (place, market) in genuine.markets().to_vec().into_iter().enumerate() {
        let list = ComptrollerCalls::_supportMarketCall { cToken: market.c_token };
        genuine.call(admin, comptroller, &list).expect("listed");
        if market.underlying.is_some() {
            let price = U256::from(10).pow(U256::from([30, 18, 28, 18][place]));
            genuine.set_price(market, price).expect("a price");
        }
        let factor = ComptrollerCalls::_setCollateralFactorCall {
            cToken: market.c_token,
            mantissa: mantissa(750),
        };
        genuine.call(admin, comptroller, &factor).expect("a factor");
    }
    let close = ComptrollerCalls::_setCloseFactorCall {
        mantissa: mantissa(500),
    };
    genuine.call(admin, comptroller, &close).expect("a factor");
    let incentive = ComptrollerCalls::_setLiquidationIncentiveCall {
        mantissa: mantissa(1_080),
    };
    genuine.call(admin, comptroller, &incentive).expect("an incentive");
    let caps = ComptrollerCalls::_setMarketBorrowCapsCall {
        cTokens: vec![genuine.markets()[1].c_token],
        caps: vec![U256::from(10).pow(U256::from(21))],
    };
    genuine.call(admin, comptroller, &caps).expect("caps");
    let paused = ComptrollerCalls::_setTransferPausedCall { state: false };
    genuine.call(admin, comptroller, &paused).expect("a pause");
}

/// A Compound v2 that was played with: itself, the block after which it stood and nobody had used it, and the last one.
pub(crate) fn story(dice: &mut Dice, operations: u64) -> (GenuineCompound<NodeChain>, u64, u64) {
    let devnet = Devnet::start().unwrap_or_else(|error| panic!("{error}"));
    let codes = Codes::load().unwrap_or_else(|error| panic!("{error}"));
    let users: Vec<Address> = USERS.into_iter().chain([GenuineCompound::ADMIN]).collect();
    let chain = NodeChain::new(devnet, GenuineCompound::ADMIN);
    let mut genuine = GenuineCompound::deploy_on(chain, &codes, &plans(), &users);
    open(&mut genuine);
    let first = genuine.chain().devnet().block_number().expect("a node");
    for _ in 0..operations {
        act(&mut genuine, dice);
    }
    let head = genuine.chain().devnet().block_number().expect("a node");
    (genuine, first, head)
}

#[test]
fn a_compound_v2_is_read_as_it_is() {
    let mut dice = Dice::new(21);
    let (mut genuine, first, head) = story(&mut dice, OPERATIONS);
    let nodes = connect(genuine.chain().devnet().anvil().url());
    let address = LendingAddress::Compound(genuine.comptroller());
    let begin = whole(&nodes, address, first);
    let mut looks: Vec<u64> = (1..LOOKS).map(|_| first + 1 + dice.below(head - first)).collect();
    looks.push(head);
    looks.sort_unstable();
    let mut follower = market_of(&begin);
    let (mut heard, mut accounts_seen) = (first, 0);
    for block in looks {
        let read = whole(&nodes, address, block);
        assert!(read.holds_everyone(), "everyone is found at block {block}");
        compare(&mut genuine, &read);
        let told = logs(genuine.chain().devnet(), heard + 1, block);
        hear(&mut follower, &begin, &told);
        heard = block;
        let Some(LendingMarket::CompoundV2(replay)) = follower.lending(begin.address) else {
            panic!("the market")
        };
        same_state(pool(&read), replay.pool());
        for market in genuine.markets() {
            let [theirs, ours] = [
                read.oracle.price(market.c_token, &read.answers()),
                replay.oracle().price(market.c_token, follower.feeds()),
            ];
            assert_eq!(theirs.map(|price| price.value), ours.map(|price| price.value));
        }
        accounts_seen += read.account_count();
    }
    let counts = follower.lending(begin.address).expect("the market").counts();
    assert!(counts.proven > 20 * counts.unverifiable, "{counts:?}");
    eprintln!("Compound v2: {LOOKS} blocks, {accounts_seen} accounts, {counts:?}");
}

pub(crate) fn pool(state: &LendingState) -> &Pool {
    match &state.body {
        LendingBody::CompoundV2 { pool, .. } => pool,
        _ => panic!("Compound v2"),
    }
}

/// Every number against the contracts' views.
fn compare(genuine: &mut GenuineCompound<NodeChain>, read: &LendingState) {
    let (comptroller, oracle) = (genuine.comptroller(), genuine.oracle());
    let markets = genuine.markets().to_vec();
    let views = Views {
        devnet: genuine.chain().devnet(),
        block: read.block_number,
    };
    let state = pool(read);
    assert_eq!(
        read.block_hash,
        views.devnet.block_hash(read.block_number).expect("a block")
    );
    assert_eq!(
        (state.comptroller(), state.admin()),
        (comptroller, GenuineCompound::ADMIN)
    );
    assert_eq!(state.markets().len(), markets.len());
    assert_eq!(
        state.close_factor(),
        views.ask(comptroller, &ComptrollerCalls::closeFactorMantissaCall {})
    );
    let incentive = views.ask(comptroller, &ComptrollerCalls::liquidationIncentiveMantissaCall {});
    assert_eq!(state.liquidation_incentive(), incentive);
    let paused = [
        views.ask(comptroller, &ComptrollerCalls::transferGuardianPausedCall {}),
        views.ask(comptroller, &ComptrollerCalls::seizeGuardianPausedCall {}),
    ];
    assert_eq!([state.is_transfer_paused(), state.is_seize_paused()], paused);
    for (
        GenuineMarket {
            c_token, underlying, ..
        },
        plan,
    ) in markets.iter().copied().zip(plans())
    {
        let market = state.market(c_token).expect("a market");
        let number = |call: fn(&Views<'_>, Address) -> U256| call(&views, c_token);
        assert_eq!(market.lends_ether, underlying.is_none());
        assert_eq!(market.initial_exchange_rate, plan.initial_exchange_rate);
        assert_eq!(
            market.cash,
            number(|views, to| views.ask(to, &CErc20Calls::getCashCall {}))
        );
        assert_eq!(
            market.total_borrows,
            number(|views, to| views.ask(to, &CErc20Calls::totalBorrowsCall {}))
        );
        assert_eq!(
            market.total_reserves,
            number(|views, to| views.ask(to, &CErc20Calls::totalReservesCall {}))
        );
        assert_eq!(
            market.total_supply,
            number(|views, to| views.ask(to, &CErc20Calls::totalSupplyCall {}))
        );
        assert_eq!(
            market.borrow_index,
            number(|views, to| views.ask(to, &CErc20Calls::borrowIndexCall {}))
        );
        let accrued = number(|views, to| views.ask(to, &CErc20Calls::accrualBlockNumberCall {}));
        assert_eq!(U256::from(market.accrual_block_number), accrued);
        let factor = number(|views, to| views.ask(to, &CErc20Calls::reserveFactorMantissaCall {}));
        assert_eq!(market.reserve_factor, factor);
        let rate = number(|views, to| views.ask(to, &CErc20Calls::exchangeRateStoredCall {}));
        assert_eq!(market.exchange_rate_stored(), Ok(rate));
        let [borrow, supply] = [
            number(|views, to| views.ask(to, &CErc20Calls::borrowRatePerBlockCall {})),
            number(|views, to| views.ask(to, &CErc20Calls::supplyRatePerBlockCall {})),
        ];
        assert_eq!(market.borrow_rate_per_block(), Ok(borrow), "the model is known");
        assert_eq!(market.supply_rate_per_block(), Ok(supply));
        let listing = views.ask(comptroller, &ComptrollerCalls::marketsCall { cToken: c_token });
        let ours = (market.is_listed, market.collateral_factor);
        assert_eq!(ours, (listing.isListed, listing.collateralFactorMantissa));
        let cap = views.ask(comptroller, &ComptrollerCalls::borrowCapsCall { cToken: c_token });
        assert_eq!(market.borrow_cap, cap);
        let mint = views.ask(
            comptroller,
            &ComptrollerCalls::mintGuardianPausedCall { cToken: c_token },
        );
        let borrow = views.ask(
            comptroller,
            &ComptrollerCalls::borrowGuardianPausedCall { cToken: c_token },
        );
        assert_eq!((market.mint_paused, market.borrow_paused), (mint, borrow));
        let price = views.ask(oracle, &OracleCalls::getUnderlyingPriceCall { cToken: c_token });
        assert_eq!(
            read.oracle.price(c_token, &read.answers()).map(|price| price.value),
            Ok(price)
        );
        for role in [ContractRole::CToken, ContractRole::InterestRateModel] {
            assert!(
                read.contracts
                    .iter()
                    .any(|known| known.role == role && (role != ContractRole::CToken || known.address == c_token))
            );
        }
    }
    let prices = |c_token: Address| {
        read.oracle
            .price(c_token, &read.answers())
            .map(|price| price.value)
            .unwrap_or_default()
    };
    let valuation = Valuation::new(state, &prices);
    let nothing = Account::default();
    for account in USERS.into_iter().chain([GenuineCompound::ADMIN]) {
        let held = state.accounts().get(account).unwrap_or(&nothing);
        for GenuineMarket { c_token, .. } in &markets {
            let market = state.market(*c_token).expect("a market");
            let position = held.position(state.market_id(*c_token).expect("a market"));
            let told = views.ask(*c_token, &CErc20Calls::getAccountSnapshotCall { account });
            let ours = [
                U256::from(position.tokens),
                market.borrow_balance_stored(&position).expect("a number"),
                market.exchange_rate_stored().expect("a number"),
            ];
            assert_eq!(
                ours,
                [told.tokens, told.borrow, told.exchangeRate],
                "{account} in {c_token}"
            );
        }
        let entered = held
            .entered()
            .iter()
            .map(|id| state.market_by_id(*id).expect("a market").c_token);
        let assets = views.ask(comptroller, &ComptrollerCalls::getAssetsInCall { account });
        assert_eq!(entered.collect::<Vec<_>>(), assets);
        let told = views.ask(comptroller, &ComptrollerCalls::getAccountLiquidityCall { account });
        let ours = valuation.liquidity(held).expect("known");
        assert_eq!(
            (ours.liquidity, ours.shortfall),
            (told.liquidity, told.shortfall),
            "{account}"
        );
    }
}

/// A snapshot and what the engine has made of the logs: the very same numbers, borrows' principals and indexes among them.
pub(crate) fn same_state(read: &Pool, followed: &Pool) {
    for (read, followed) in read.markets().iter().zip(followed.markets()) {
        assert_eq!(read, followed);
    }
    let accounts = |pool: &Pool| {
        let accounts = pool.accounts().iter();
        sorted(accounts.map(|(address, account)| (address, format!("{account:?}"))))
    };
    assert_eq!(accounts(read), accounts(followed));
    assert_eq!(read.close_factor(), followed.close_factor());
    assert_eq!(read.liquidation_incentive(), followed.liquidation_incentive());
}
