use super::{layout, models};
use crate::{
    error::NodeError,
    lending::{
        asking::Asking,
        calls::{CToken, Comptroller, Token},
    },
};
use alloy_primitives::{Address, map::HashMap};
use alloy_sol_types::SolCall;
use plimsoll_market::CompoundV2Token;
use plimsoll_protocols::compound_v2::{Market, Pool};

/// What is known of markets beside their state.
pub(super) struct Read {
    pub(super) tokens: HashMap<Address, CompoundV2Token>,
    /// The contracts that set rates, by market.
    pub(super) models: Vec<Address>,
}

/// Adds every market that the comptroller lists to the pool.
pub(super) async fn read(asking: &Asking<'_>, pool: &mut Pool) -> Result<Read, NodeError> {
    let listed = asking
        .one(pool.comptroller(), Comptroller::getAllMarketsCall {})
        .await?;
    add(asking, pool, &listed).await
}

/// Adds these markets to the pool.
pub(super) async fn add(asking: &Asking<'_>, pool: &mut Pool, c_tokens: &[Address]) -> Result<Read, NodeError> {
    let comptroller = pool.comptroller();
    let cash = asking.all_of(c_tokens, CToken::getCashCall {}).await?;
    let borrows = asking.all_of(c_tokens, CToken::totalBorrowsCall {}).await?;
    let reserves = asking.all_of(c_tokens, CToken::totalReservesCall {}).await?;
    let supplies = asking.all_of(c_tokens, CToken::totalSupplyCall {}).await?;
    let indexes = asking.all_of(c_tokens, CToken::borrowIndexCall {}).await?;
    let blocks = asking.all_of(c_tokens, CToken::accrualBlockNumberCall {}).await?;
    let factors = asking.all_of(c_tokens, CToken::reserveFactorMantissaCall {}).await?;
    let model_addresses = asking.all_of(c_tokens, CToken::interestRateModelCall {}).await?;
    let comptrollers = asking.all_of(c_tokens, CToken::comptrollerCall {}).await?;
    let underlyings = asking.maybe_of(c_tokens, CToken::underlyingCall {}).await?;
    let tokens: Vec<Address> = underlyings.iter().copied().flatten().collect();
    let decimals = asking.all_of(&tokens, Token::decimalsCall {}).await?;
    let mut decimals = decimals.into_iter();
    let listings = about(asking, comptroller, c_tokens, |market| Comptroller::marketsCall {
        cToken: market,
    })
    .await?;
    let caps = about(asking, comptroller, c_tokens, |market| Comptroller::borrowCapsCall {
        cToken: market,
    })
    .await?;
    let mint = about(asking, comptroller, c_tokens, |market| {
        Comptroller::mintGuardianPausedCall { cToken: market }
    })
    .await?;
    let borrow = about(asking, comptroller, c_tokens, |market| {
        Comptroller::borrowGuardianPausedCall { cToken: market }
    })
    .await?;

    let mut read = Read {
        tokens: HashMap::default(),
        models: model_addresses.clone(),
    };
    for (place, c_token) in c_tokens.iter().copied().enumerate() {
        let of = comptrollers.get(place).copied().unwrap_or_default();
        if of != comptroller {
            return Err(asking.refused(c_token, format!("its comptroller is {of}, not {comptroller}")));
        }
        let at = |numbers: &[alloy_primitives::U256]| numbers.get(place).copied().unwrap_or_default();
        let told = |flags: &[Option<bool>]| flags.get(place).copied().flatten().unwrap_or_default();
        let underlying = underlyings.get(place).copied().flatten();
        let digits = match underlying {
            Some(token) => asking.narrow(token, "decimals", decimals.next().unwrap_or_default())?,
            None => 18,
        };
        let mut market = Market {
            c_token,
            lends_ether: underlying.is_none(),
            initial_exchange_rate: Default::default(),
            model: None,
            cash: at(&cash),
            total_borrows: at(&borrows),
            total_reserves: at(&reserves),
            total_supply: at(&supplies),
            borrow_index: at(&indexes),
            accrual_block_number: asking.narrow(c_token, "accrual block", at(&blocks))?,
            reserve_factor: at(&factors),
            is_listed: false,
            collateral_factor: Default::default(),
            borrow_cap: caps.get(place).copied().flatten().unwrap_or_default(),
            mint_paused: told(&mint),
            borrow_paused: told(&borrow),
        };
        if let Some(listing) = listings.get(place).and_then(Option::as_ref) {
            market.is_listed = listing.isListed;
            market.collateral_factor = listing.collateralFactor;
        }
        let words = layout::Words::find(asking, &market).await?;
        market.initial_exchange_rate = words.initial_exchange_rate;
        let model = model_addresses.get(place).copied().unwrap_or_default();
        if let Some(known) = models::read(asking, model).await? {
            market.model = Some(known);
            pool.know_model(model, known);
        }
        let underlying = underlying.unwrap_or_default();
        read.tokens.insert(
            c_token,
            CompoundV2Token {
                underlying,
                decimals: digits,
            },
        );
        if pool.restore_market(market).is_none() {
            return Err(asking.refused(c_token, "it is listed twice"));
        }
    }
    Ok(read)
}

/// What the comptroller says about each cToken.
async fn about<C: SolCall>(
    asking: &Asking<'_>,
    comptroller: Address,
    c_tokens: &[Address],
    call: impl Fn(Address) -> C,
) -> Result<Vec<Option<C::Return>>, NodeError> {
    let calls: Vec<(Address, C)> = c_tokens.iter().map(|c_token| (comptroller, call(*c_token))).collect();
    asking.maybe(&calls).await
}
