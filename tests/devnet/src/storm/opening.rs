use super::{outside::START_PRICE, venue::Venue};
use crate::{
    Devnet, DevnetError, Tx,
    contracts::{
        token::Token,
        uniswap_v3::{Pool, UniswapV3},
    },
};
use alloy_primitives::{Address, U256, keccak256};

/// Contracts, and accounts with tokens and approvals, before the first block.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) tokens: [Token; 2],
    pub(super) venues: [Venue; 2],
    /// Who trades through the router.
    pub(super) traders: Vec<Address>,
    /// Who holds positions of the position manager's.
    pub(super) holders: Vec<Address>,
}

/// A pool's payers: arbitrage, just-in-time liquidity and flash loans, then the providers, then the traders.
pub(super) const ARBITRAGEUR: usize = 0;
pub(super) const JUST_IN_TIME: usize = 1;
pub(super) const BORROWER: usize = 2;
pub(super) const PROVIDERS: std::ops::Range<usize> = 3..11;
pub(super) const TRADERS: std::ops::Range<usize> = 11..20;
const ROUTED_TRADERS: u64 = 20;
const HOLDERS: u64 = 12;
/// What an account is given of each token, in its smallest unit.
const WEALTH: U256 = U256::from_limbs([0, 1 << 36, 0, 0]);
/// The factory's own tiers: fee in hundredths of a basis point, tick spacing.
const TIERS: [(u32, i32); 2] = [(500, 10), (3_000, 60)];

/// Deploys the pools and all that they need.
pub(super) fn set_up(devnet: &Devnet) -> Result<Stage, DevnetError> {
    let weth = Token::deploy_weth(devnet)?;
    // As on mainnet the dollar is to be token0, whose address is the lower one; the deployer's next one may be.
    let usdc = loop {
        let usdc = Token::deploy(devnet, "USD Coin", "USDC", 6)?;
        if usdc.address < weth.address {
            break usdc;
        }
    };
    let contracts = UniswapV3::deploy(devnet, weth)?;
    let venue = |(fee_pips, tick_spacing)| -> Result<Venue, DevnetError> {
        let pool = contracts.create_pool(devnet, [usdc, weth], fee_pips)?;
        let numbers = 0..u64::try_from(TRADERS.end).unwrap_or_default();
        let payers: Result<Vec<Pool>, _> = numbers.map(|number| pool.with_payer(devnet, number)).collect();
        Ok(Venue::new(payers?, pool, tick_spacing, START_PRICE))
    };
    let venues = [venue(TIERS[0])?, venue(TIERS[1])?];
    let accounts = |role: &str, count: u64| -> Vec<Address> {
        let account = |number: u64| Address::from_word(keccak256(format!("{role} {number}")));
        (0..count).map(account).collect()
    };
    let (traders, holders) = (accounts("trader", ROUTED_TRADERS), accounts("holder", HOLDERS));
    let mut approvals: Vec<Tx> = Vec::new();
    for account in traders.iter().chain(&holders) {
        usdc.give(devnet, *account, WEALTH)?;
        weth.give(devnet, *account, WEALTH)?;
        approvals.extend(venues[0].pool.approve_periphery(*account));
    }
    devnet.mine_block_with(&approvals)?;
    Ok(Stage {
        tokens: [usdc, weth],
        venues,
        traders,
        holders,
    })
}
