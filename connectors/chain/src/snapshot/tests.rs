use super::{state::*, *};
use plimsoll_protocols::uniswap_v3::{Pool, factory::FEE_TIERS, tick_math};

fn tick(number: i32) -> Tick {
    Tick::new(number).expect("in range")
}

/// What the engine's pool holds after a few mints, as a snapshot.
fn sound() -> PoolSnapshot {
    let params = FEE_TIERS[1];
    let mut pool = Pool::new(params);
    let price = SqrtPriceX96::new(U256::ONE << 96).expect("fits");
    pool.initialize(price).expect("a price");
    let key = |lower, upper| PositionKey {
        owner: Address::repeat_byte(1),
        lower: tick(lower),
        upper: tick(upper),
    };
    let keys = [key(-100, 100), key(-50, 20), key(30, 40), key(-887_270, 887_270)];
    for (key, amount) in keys.into_iter().zip([1000, 2000, 3000, 4000]) {
        pool.mint(key, amount).expect("liquidity");
    }
    let held = |key| (key, pool.position(&key).copied().unwrap_or_default());
    PoolSnapshot {
        chain_id: 1,
        pool: Address::repeat_byte(2),
        factory: Address::repeat_byte(3),
        token0: Address::repeat_byte(4),
        token1: Address::repeat_byte(5),
        block_number: 6,
        block_hash: B256::repeat_byte(7),
        block_timestamp: 8,
        params,
        sqrt_price: price,
        tick: pool.tick(),
        liquidity: pool.liquidity(),
        fee_protocol: pool.fee_protocol(),
        protocol_fees: pool.protocol_fees(),
        fee_growth_global: pool.fee_growth_global(),
        ticks: pool
            .ticks()
            .sorted()
            .into_iter()
            .map(|(number, info)| (tick(number), info))
            .collect(),
        positions: keys.into_iter().map(held).collect(),
        read_by: ReadBy::Lens,
    }
}

#[track_caller]
fn contradicts(says: &str, change: impl FnOnce(&mut PoolSnapshot)) {
    let mut snapshot = sound();
    change(&mut snapshot);
    let Contradiction(reason) = check::check(&snapshot).expect_err("a contradiction");
    assert!(reason.contains(says), "{reason}");
}

#[test]
fn what_an_engine_holds_is_sound() {
    assert_eq!(check::check(&sound()), Ok(()));
}

#[test]
fn what_cannot_be_a_pool_contradicts_itself() {
    contradicts("no liquidity that can be", |pool| {
        pool.ticks.remove(0);
    });
    contradicts("sums up to 4000, not 0", |pool| {
        pool.ticks.pop();
    });
    contradicts("liquidity is 7001, but", |pool| pool.liquidity += 1);
    contradicts("sum up to 4000", |pool| {
        pool.tick = tick(200);
        pool.sqrt_price = tick_math::sqrt_ratio_at_tick(tick(200));
    });
    contradicts("does not lie in tick", |pool| pool.tick = tick(1));
    contradicts("liquidityGross 0", |pool| pool.ticks[2].1.liquidity_gross = 0);
    contradicts("liquidityGross 1 ", |pool| pool.ticks[2].1.liquidity_gross = 1);
    contradicts("liquidityGross", |pool| pool.ticks[2].1.liquidity_gross = u128::MAX);
    contradicts("no liquidity that can be", |pool| {
        pool.ticks[0].1.liquidity_net = -4000;
    });
    contradicts("more liquidity than its ticks", |pool| {
        pool.positions[2].1.liquidity += 1
    });
    contradicts("1/3 of the fees", |pool| pool.fee_protocol.token1 = 3);
    contradicts("without a price", |pool| {
        pool.sqrt_price = SqrtPriceX96::new(U256::ZERO).expect("fits");
    });
}

#[test]
fn words_cover_every_usable_tick() {
    for (tier, count) in FEE_TIERS.iter().zip([6932, 694, 116, 36]) {
        let spacing = tier.tick_spacing;
        let words = bitmap_words(spacing);
        assert_eq!(words.clone().count(), count);
        let highest = Tick::MAX.get() / spacing * spacing;
        let all = vec![U256::MAX; count];
        let marked = marked_ticks(spacing, &all);
        assert!(marked.is_sorted() && marked.contains(&highest) && marked.contains(&-highest));
        assert!(words.start() * 256 * spacing <= -highest && (words.end() + 1) * 256 * spacing > highest);
    }
}

/// A word of any bits, or one of few.
fn word(rng: &mut fastrand::Rng) -> U256 {
    U256::from_limbs([rng.u64(..), rng.u64(..), rng.u64(..), rng.u64(..)]) >> rng.usize(0..256)
}

#[test]
fn prop_any_answer_is_read_or_refused() {
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..10_000 {
        let words = [(); 5].map(|()| word(&mut rng));
        let globals = layout::globals(words);
        assert_eq!(globals.sqrt_price.get(), words[0] & ((U256::ONE << 160) - U256::ONE));
        assert!((-(1 << 23)..1 << 23).contains(&globals.tick));
        let count = rng.usize(0..20);
        let answer: Vec<U256> = (0..count).map(|_| word(&mut rng)).collect();
        let _ = (view::tick(&answer), view::position(&answer));
        let answers: Vec<Vec<U256>> = answer.chunks(2).map(<[U256]>::to_vec).collect();
        let _ = view::globals(&answers);
    }
}
