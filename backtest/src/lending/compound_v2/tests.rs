use super::*;
use alloy_primitives::address;
use plimsoll_market::{CompoundV2Token, Feeds, Oracle, PriceSource};
use plimsoll_protocols::compound_v2::{InterestRateModel, MarketParams};
use plimsoll_units::{BlockRef, Network};
use proptest::prelude::*;

const COIN: Address = address!("00000000000000000000000000000000000000c0");
const C_TOKEN: Address = address!("00000000000000000000000000000000000000cc");
const OTHER: Address = address!("00000000000000000000000000000000000000c1");
const E18: u128 = 10u128.pow(18);

fn wad(per_mille: u64) -> U256 {
    U256::from(per_mille) * U256::from(10).pow(U256::from(15))
}

/// One market that another user fills with 1,000 and borrows 100 from, recorded block by block.
struct History {
    pool: Pool,
    block: u64,
}

impl History {
    fn new() -> Self {
        let mut pool = Pool::new(Address::ZERO, Address::ZERO);
        let model = InterestRateModel::jump_v2(wad(0), wad(40), wad(1_090), wad(800)).expect("a model");
        pool.add_market(MarketParams {
            c_token: C_TOKEN,
            lends_ether: false,
            initial_exchange_rate: U256::from(2) * U256::from(10).pow(U256::from(26)),
            model: Some(model),
            block_number: 0,
        });
        pool.restore_factors(wad(500), wad(1_080));
        let id = pool.market_id(C_TOKEN).expect("it is there");
        let market = pool.market_mut(id).expect("it is there");
        (market.is_listed, market.collateral_factor, market.reserve_factor) = (true, wad(750), wad(100));
        let mut history = Self { pool, block: 1 };
        history.play(0, 1_000 * E18);
        history.play(1, 100 * E18);
        history
    }

    /// One call of the other's, five blocks later; returns its logs.
    fn play(&mut self, kind: u8, amount: u128) -> Vec<(Address, Event)> {
        self.block += 5;
        let prices = |_| U256::from(E18);
        let call = Call {
            block_number: self.block,
            prices: &prices,
        };
        let (pool, amount) = (&mut self.pool, U256::from(amount));
        let outcome = match kind {
            0 => pool.mint(call, C_TOKEN, OTHER, amount).and_then(|minted| {
                let _ = pool.enter_markets(call, OTHER, &[C_TOKEN])?;
                Ok(minted)
            }),
            1 => pool.borrow(call, C_TOKEN, OTHER, amount),
            2 => pool.repay_borrow(call, C_TOKEN, OTHER, amount),
            3 => pool.redeem_underlying(call, C_TOKEN, OTHER, amount),
            _ => return Vec::new(),
        };
        let logs = outcome.map(|outcome| outcome.logs).unwrap_or_default();
        logs.into_iter().map(|log| (log.emitter, log.event)).collect()
    }

    fn now<T>(&self, act: impl FnOnce(&Moment<'_>) -> T) -> T {
        let mut oracle = Oracle::default();
        oracle.set_source(C_TOKEN, PriceSource::Fixed(U256::from(E18)));
        let token = CompoundV2Token {
            underlying: COIN,
            decimals: 18,
        };
        let tokens = [(C_TOKEN, token)].into_iter().collect();
        let replay = CompoundV2Replay::new(Network::DEVNET, self.pool.clone(), tokens, oracle, None);
        act(&Moment {
            block: BlockRef {
                number: self.block,
                timestamp: Some(12 * self.block),
            },
            recorded: &LendingMarket::CompoundV2(replay),
            feeds: &Feeds::default(),
        })
    }

    fn followed_by(&self, own: &mut OwnCompoundV2, heard: Vec<(Address, Event)>) {
        own.heard = Some(heard);
        self.now(|at| own.follow(at));
    }
}

/// What others do, a call a block.
fn others() -> impl Strategy<Value = Vec<(u8, u64)>> {
    proptest::collection::vec((0u8..5, 1u64..10_000_000_000_000_000_000), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn prop_with_nothing_own_the_second_market_is_the_recorded_one(others in others()) {
        let mut history = History::new();
        let mut own = OwnCompoundV2::new(&history.pool, Footprint::Own);
        for (kind, amount) in others {
            let heard = history.play(kind, 10 * u128::from(amount));
            history.followed_by(&mut own, heard);
            prop_assert_eq!(own.pool.markets(), history.pool.markets());
        }
    }

    #[test]
    fn prop_without_a_footprint_own_supply_grows_by_the_recorded_rate(others in others(), amount in 1_000_000_000_000u128..1_000_000 * E18) {
        let mut history = History::new();
        let mut own = OwnCompoundV2::new(&history.pool, Footprint::None);
        history.now(|at| own.supply(COIN, U256::from(amount), at)).expect("supplies");
        let id = own.pool.market_id(C_TOKEN).expect("it is there");
        let tokens = U256::from(own.account().position(id).tokens);
        for (kind, amount) in others {
            let heard = history.play(kind, 10 * u128::from(amount));
            history.followed_by(&mut own, heard);
            let market = history.pool.market(C_TOKEN).expect("it is there").accrued(history.block).expect("accrues");
            let supplied = history.now(|at| own.positions(at))[0].1.supplied;
            prop_assert_eq!(supplied, underlying_for(&market, tokens));
            prop_assert_eq!(own.pool.markets(), history.pool.markets());
        }
        // All of it can be had back, whatever the others have left there.
        let withdrawn = history.now(|at| own.withdraw(COIN, None, at));
        prop_assert!(withdrawn.is_ok() && own.is_empty(), "{:?}", withdrawn);
    }
}
