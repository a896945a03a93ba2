//! Genuine pools on the lending market's own chain.

use super::super::random_sequences::Dice;
use alloy_primitives::{Address, Bytes, I256, Log, U256, U512};
use alloy_sol_types::{SolCall, SolValue};
use plimsoll_devnet::{
    Evm, UNISWAP_V3_CORE,
    aave_v3::calls::AssetCalls,
    creation_code,
    uniswap_v3::{PoolCalls, PoolOfTokens, i24, u160},
};

/// Amounts that a swap may be asked for, and stays below 2^255.
pub(super) const ANY: U256 = U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 2]);
/// The prices (roots, Q96) that a swap may be limited to, by TickMath's bounds.
const FIRST: U256 = U256::from_limbs([4_295_128_740, 0, 0, 0]);
const LAST: U256 = U256::from_limbs([6_743_328_256_752_651_557, 17_280_870_778_742_802_505, 4_294_805_859, 0]);

pub(super) fn ten_to(exponent: u8) -> U256 {
    U256::from(10).pow(U256::from(exponent))
}

/// A pool at the price that these whole tokens are worth, with liquidity of so many dollars over all prices and more near that one; and
/// the logs that tell of it.
pub(super) fn deploy(
    chain: &mut Evm,
    [(a, decimals_a, dollars_a), (b, decimals_b, dollars_b)]: [(Address, u8, u64); 2],
    tier: (u32, i32),
    depth: u64,
) -> (PoolOfTokens, Vec<Vec<Log>>) {
    let code = creation_code(
        &UNISWAP_V3_CORE,
        "artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
    );
    let pool = PoolOfTokens::deploy_on(chain, code.unwrap_or_else(|error| panic!("{error}")), [a, b], tier);
    // Base units of either for a dollar, times 10^12.
    let scaled = |decimals: u8, dollars: u64| ten_to(decimals) * ten_to(12) / U256::from(dollars);
    let mut amounts = [(a, scaled(decimals_a, dollars_a)), (b, scaled(decimals_b, dollars_b))];
    amounts.sort_unstable_by_key(|(token, _)| *token);
    let [(token0, of0), (token1, of1)] = amounts;
    let square = (U512::from(of1) << 192usize) / U512::from(of0);
    let price: U256 = square.root(2).wrapping_to();
    for token in [token0, token1] {
        mint(chain, token, pool.payer, U256::ONE << 190);
    }
    let initialize = PoolCalls::initializeCall {
        sqrtPriceX96: u160(price),
    };
    pool.call(chain, &initialize).expect("a first price");
    let mut logs = vec![chain.logs().to_vec()];
    let tick = slot0(chain, pool).1;
    // Liquidity of so many dollars over all prices: √(amount0 · amount1).
    let amount = |of: U256| U512::from(of * U256::from(depth)) / U512::from(ten_to(12));
    let liquidity: U512 = (amount(of0) * amount(of1)).root(2);
    let liquidity: u128 = liquidity.wrapping_to::<U256>().to();
    let spacing = tier.1;
    let around = tick.div_euclid(spacing) * spacing;
    let widest = 887_272 / spacing * spacing;
    for (lower, upper, liquidity) in [
        (-widest, widest, liquidity),
        (around - 100 * spacing, around + 100 * spacing, liquidity * 3),
        (around - 20 * spacing, around + 10 * spacing, liquidity * 5),
        (around - 40 * spacing, around - 30 * spacing, liquidity * 7),
    ] {
        let call = PoolCalls::mintCall {
            recipient: pool.payer,
            tickLower: i24(lower),
            tickUpper: i24(upper),
            amount: liquidity,
            data: Bytes::new(),
        };
        pool.call(chain, &call).expect("mints");
        logs.push(chain.logs().to_vec());
    }
    (pool, logs)
}

pub(super) fn mint(chain: &mut Evm, token: Address, to: Address, amount: U256) {
    let call = AssetCalls::mintCall {
        account: to,
        value: amount,
    };
    chain.send(token, call.abi_encode().into());
    assert!(balance(chain, token, to) >= amount, "minted");
}

pub(super) fn balance(chain: &mut Evm, token: Address, account: Address) -> U256 {
    match chain.view(token, AssetCalls::balanceOfCall { account }.abi_encode().into()) {
        plimsoll_devnet::Answer::Returned(data) => U256::abi_decode(&data).expect("a balance"),
        other => panic!("{other:?}"),
    }
}

/// Price root and tick.
pub(super) fn slot0(chain: &mut Evm, pool: PoolOfTokens) -> (U256, i32) {
    let slot0 = pool.read(chain, &PoolCalls::slot0Call {}).expect("a view");
    (U256::from(slot0.sqrtPriceX96), slot0.tick.as_i32())
}

/// What so much of a token is worth in the other by the pool's price, rounded down.
pub(super) fn worth(chain: &mut Evm, pool: PoolOfTokens, token: Address, amount: U256) -> U256 {
    let (root, _) = slot0(chain, pool);
    let square = U512::from(root) * U512::from(root);
    let worth = match token == pool.tokens[0] {
        true => (U512::from(amount) * square) >> 192usize,
        false => (U512::from(amount) << 192usize) / square,
    };
    worth.wrapping_to()
}

/// Someone outside trades the pool until its price is moved as its tokens' prices are, in basis points of what they were.
pub(super) fn trade_to(chain: &mut Evm, pool: PoolOfTokens, moved: [u64; 2]) -> bool {
    let (root, _) = slot0(chain, pool);
    let square = U512::from(root) * U512::from(root);
    let target: U512 = (square * U512::from(moved[0]) / U512::from(moved[1])).root(2);
    let target = target.wrapping_to::<U256>().clamp(FIRST, LAST);
    if target == root {
        return false;
    }
    swap(chain, pool, pool.payer, target < root, ANY, target);
    true
}

fn swap_call(recipient: Address, zero_for_one: bool, amount: U256, limit: U256) -> PoolCalls::swapCall {
    PoolCalls::swapCall {
        recipient,
        zeroForOne: zero_for_one,
        amountSpecified: I256::from_raw(amount),
        sqrtPriceLimitX96: u160(limit),
        data: Bytes::new(),
    }
}

fn swap(chain: &mut Evm, pool: PoolOfTokens, recipient: Address, zero_for_one: bool, amount: U256, limit: U256) {
    let call = swap_call(recipient, zero_for_one, amount, limit);
    pool.call(chain, &call).expect("swaps");
}

/// Sells all of a token that the seller has for the other of the pool's; returns what he gets.
pub(super) fn sell(chain: &mut Evm, pool: PoolOfTokens, seller: Address, token: Address, amount: U256) -> U256 {
    let zero_for_one = token == pool.tokens[0];
    let other = pool.tokens[usize::from(zero_for_one)];
    if amount.is_zero() {
        return amount;
    }
    let before = balance(chain, other, seller);
    chain.act_as(seller);
    let give = AssetCalls::transferCall { to: pool.payer, amount };
    chain.send(token, give.abi_encode().into());
    swap(
        chain,
        pool,
        seller,
        zero_for_one,
        amount,
        if zero_for_one { FIRST } else { LAST },
    );
    balance(chain, other, seller) - before
}

/// A number of dollars between 1,000 and 4,000,000, small ones oftener than large ones.
pub(super) fn heavy_tailed(dice: &mut Dice) -> u64 {
    let size = 1_000u64 << dice.below(12);
    size + dice.below(size)
}
