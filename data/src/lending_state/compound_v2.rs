use super::{
    Wrong,
    value::{Exact, Hex, entry, place},
};
use alloy_primitives::{Address, map::HashMap};
use plimsoll_market::{CompoundV2Token, LendingBody};
use plimsoll_protocols::compound_v2::{Account, Accounts, InterestRateModel, Market, Pool, Position};
use serde::{Deserialize, Serialize};

/// A Compound v2.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    admin: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_poster: Option<Hex>,
    close_factor: Exact,
    liquidation_incentive: Exact,
    transfer_paused: bool,
    seize_paused: bool,
    models: Vec<KnownModelRecord>,
    tokens: Vec<TokenRecord>,
    markets: Vec<MarketRecord>,
    accounts: Vec<AccountRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownModelRecord {
    address: Hex,
    model: ModelRecord,
}

/// A model: a straight line, or one with a kink.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelRecord {
    base_rate_per_block: Exact,
    multiplier_per_block: Exact,
    #[serde(skip_serializing_if = "Option::is_none")]
    jump_multiplier_per_block: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kink: Option<Exact>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRecord {
    c_token: Hex,
    underlying: Hex,
    decimals: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketRecord {
    c_token: Hex,
    lends_ether: bool,
    initial_exchange_rate: Exact,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<ModelRecord>,
    cash: Exact,
    total_borrows: Exact,
    total_reserves: Exact,
    total_supply: Exact,
    borrow_index: Exact,
    accrual_block_number: u64,
    reserve_factor: Exact,
    is_listed: bool,
    collateral_factor: Exact,
    borrow_cap: Exact,
    mint_paused: bool,
    borrow_paused: bool,
}

/// One account.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRecord {
    account: Hex,
    entered: Vec<Hex>,
    positions: Vec<PositionRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionRecord {
    c_token: Hex,
    tokens: Exact,
    borrow_principal: Exact,
    borrow_index: Exact,
}

impl Record {
    pub(super) fn of(pool: &Pool, tokens: &HashMap<Address, CompoundV2Token>, price_poster: Option<Address>) -> Self {
        let mut models: Vec<_> = pool.models().collect();
        models.sort_unstable_by_key(|(address, _)| *address);
        let mut tokens: Vec<_> = tokens.iter().collect();
        tokens.sort_unstable_by_key(|(c_token, _)| **c_token);
        Self {
            admin: Hex::of(pool.admin()),
            price_poster: price_poster.map(Hex::of),
            close_factor: Exact::of(pool.close_factor()),
            liquidation_incentive: Exact::of(pool.liquidation_incentive()),
            transfer_paused: pool.is_transfer_paused(),
            seize_paused: pool.is_seize_paused(),
            models: models
                .into_iter()
                .map(|(address, model)| KnownModelRecord {
                    address: Hex::of(address),
                    model: ModelRecord::of(model),
                })
                .collect(),
            tokens: tokens
                .into_iter()
                .map(|(c_token, token)| TokenRecord {
                    c_token: Hex::of(*c_token),
                    underlying: Hex::of(token.underlying),
                    decimals: token.decimals,
                })
                .collect(),
            markets: pool.markets().iter().map(MarketRecord::of).collect(),
            accounts: records(pool, pool.accounts()),
        }
    }

    pub(super) fn body(self, comptroller: Address) -> Result<LendingBody, Wrong> {
        const AT: &str = "compound_v2";
        let mut pool = Pool::new(comptroller, self.admin.get(AT, "admin")?);
        pool.restore_factors(
            self.close_factor.get(AT, "close_factor")?,
            self.liquidation_incentive.get(AT, "liquidation_incentive")?,
        );
        pool.restore_pauses(self.transfer_paused, self.seize_paused);
        for (index, record) in self.models.into_iter().enumerate() {
            let at = entry("compound_v2.models", index);
            let address = record.address.get(&at, "address")?;
            pool.know_model(address, record.model.model(&place(&at, "model"))?);
        }
        let mut tokens = HashMap::default();
        for (index, record) in self.tokens.into_iter().enumerate() {
            let at = entry("compound_v2.tokens", index);
            let c_token = record.c_token.get(&at, "c_token")?;
            let token = CompoundV2Token {
                underlying: record.underlying.get(&at, "underlying")?,
                decimals: record.decimals,
            };
            if tokens.insert(c_token, token).is_some() {
                return Err((place(&at, "c_token"), format!("{c_token} is there twice")));
            }
        }
        for (index, record) in self.markets.into_iter().enumerate() {
            let at = entry("compound_v2.markets", index);
            let market = record.market(&at)?;
            let token = tokens.get(&market.c_token).ok_or_else(|| {
                (
                    place(&at, "c_token"),
                    format!("{} is not among the tokens", market.c_token),
                )
            })?;
            if market.lends_ether && (!token.underlying.is_zero() || token.decimals != 18) {
                return Err((
                    place(&at, "lends_ether"),
                    "true, but its token is not ether with 18 decimals".to_owned(),
                ));
            }
            if pool.restore_market(market).is_none() {
                return Err((place(&at, "c_token"), format!("{} is there twice", market.c_token)));
            }
        }
        let accounts = accounts(self.accounts, &pool, "compound_v2.accounts")?;
        *pool.accounts_mut() = accounts;
        let price_poster = self
            .price_poster
            .map(|poster| poster.get(AT, "price_poster"))
            .transpose()?;
        Ok(LendingBody::CompoundV2 {
            pool,
            tokens,
            price_poster,
        })
    }
}

/// Accounts as records, by address.
pub(super) fn records(pool: &Pool, accounts: &Accounts) -> Vec<AccountRecord> {
    let mut accounts: Vec<(Address, &Account)> = accounts.iter().collect();
    accounts.sort_unstable_by_key(|(address, _)| *address);
    let c_token = |id| Hex::of(pool.market_by_id(id).map_or(Address::ZERO, |market| market.c_token));
    let record = |(address, account): (Address, &Account)| AccountRecord {
        account: Hex::of(address),
        entered: account.entered().iter().map(|id| c_token(*id)).collect(),
        positions: account
            .positions()
            .iter()
            .map(|position| PositionRecord {
                c_token: c_token(position.market),
                tokens: Exact::of(position.tokens),
                borrow_principal: Exact::of(position.borrow_principal),
                borrow_index: Exact::of(position.borrow_index),
            })
            .collect(),
    };
    accounts.into_iter().map(record).collect()
}

/// Accounts out of records; `list` is their key.
pub(super) fn accounts(records: Vec<AccountRecord>, pool: &Pool, list: &str) -> Result<Accounts, Wrong> {
    let mut accounts = Accounts::default();
    for (index, record) in records.into_iter().enumerate() {
        let at = entry(list, index);
        let address = record.account.get(&at, "account")?;
        if accounts.get(address).is_some() {
            return Err((place(&at, "account"), format!("{address} is there twice")));
        }
        let market = |c_token: &Hex, at: &str, key: &str| {
            let c_token = c_token.get(at, key)?;
            pool.market_id(c_token)
                .ok_or_else(|| (place(at, key), format!("{c_token} is no market")))
        };
        for (index, record) in record.positions.iter().enumerate() {
            let at = entry(&place(&at, "positions"), index);
            let id = market(&record.c_token, &at, "c_token")?;
            let before = accounts.position(address, id);
            if before.tokens != 0 || before.borrow_principal != 0 {
                return Err((place(&at, "c_token"), "it is there twice".to_owned()));
            }
            let position = Position {
                market: id,
                tokens: record.tokens.get(&at, "tokens")?,
                borrow_principal: record.borrow_principal.get(&at, "borrow_principal")?,
                borrow_index: record.borrow_index.get(&at, "borrow_index")?,
            };
            if (position.borrow_principal == 0) != (position.borrow_index == 0) {
                return Err((
                    place(&at, "borrow_index"),
                    "a borrow has an index, and nothing else has".to_owned(),
                ));
            }
            accounts.set_position(address, position);
        }
        for (index, c_token) in record.entered.iter().enumerate() {
            let key = entry("entered", index);
            if !accounts.enter(address, market(c_token, &at, &key)?) {
                return Err((place(&at, &key), "it is there twice".to_owned()));
            }
        }
    }
    Ok(accounts)
}

impl ModelRecord {
    fn of(model: InterestRateModel) -> Self {
        match model {
            InterestRateModel::WhitePaper {
                base_rate_per_block,
                multiplier_per_block,
            } => Self {
                base_rate_per_block: Exact::of(base_rate_per_block),
                multiplier_per_block: Exact::of(multiplier_per_block),
                jump_multiplier_per_block: None,
                kink: None,
            },
            InterestRateModel::Jump {
                base_rate_per_block,
                multiplier_per_block,
                jump_multiplier_per_block,
                kink,
            } => Self {
                base_rate_per_block: Exact::of(base_rate_per_block),
                multiplier_per_block: Exact::of(multiplier_per_block),
                jump_multiplier_per_block: Some(Exact::of(jump_multiplier_per_block)),
                kink: Some(Exact::of(kink)),
            },
        }
    }

    fn model(self, at: &str) -> Result<InterestRateModel, Wrong> {
        let base_rate_per_block = self.base_rate_per_block.get(at, "base_rate_per_block")?;
        let multiplier_per_block = self.multiplier_per_block.get(at, "multiplier_per_block")?;
        match (self.jump_multiplier_per_block, self.kink) {
            (None, None) => Ok(InterestRateModel::WhitePaper {
                base_rate_per_block,
                multiplier_per_block,
            }),
            (Some(jump), Some(kink)) => Ok(InterestRateModel::Jump {
                base_rate_per_block,
                multiplier_per_block,
                jump_multiplier_per_block: jump.get(at, "jump_multiplier_per_block")?,
                kink: kink.get(at, "kink")?,
            }),
            _ => Err((
                at.to_owned(),
                "jump_multiplier_per_block and kink go together".to_owned(),
            )),
        }
    }
}

impl MarketRecord {
    fn of(market: &Market) -> Self {
        Self {
            c_token: Hex::of(market.c_token),
            lends_ether: market.lends_ether,
            initial_exchange_rate: Exact::of(market.initial_exchange_rate),
            model: market.model.map(ModelRecord::of),
            cash: Exact::of(market.cash),
            total_borrows: Exact::of(market.total_borrows),
            total_reserves: Exact::of(market.total_reserves),
            total_supply: Exact::of(market.total_supply),
            borrow_index: Exact::of(market.borrow_index),
            accrual_block_number: market.accrual_block_number,
            reserve_factor: Exact::of(market.reserve_factor),
            is_listed: market.is_listed,
            collateral_factor: Exact::of(market.collateral_factor),
            borrow_cap: Exact::of(market.borrow_cap),
            mint_paused: market.mint_paused,
            borrow_paused: market.borrow_paused,
        }
    }

    fn market(self, at: &str) -> Result<Market, Wrong> {
        Ok(Market {
            c_token: self.c_token.get(at, "c_token")?,
            lends_ether: self.lends_ether,
            initial_exchange_rate: self.initial_exchange_rate.get(at, "initial_exchange_rate")?,
            model: self.model.map(|model| model.model(&place(at, "model"))).transpose()?,
            cash: self.cash.get(at, "cash")?,
            total_borrows: self.total_borrows.get(at, "total_borrows")?,
            total_reserves: self.total_reserves.get(at, "total_reserves")?,
            total_supply: self.total_supply.get(at, "total_supply")?,
            borrow_index: self.borrow_index.get(at, "borrow_index")?,
            accrual_block_number: self.accrual_block_number,
            reserve_factor: self.reserve_factor.get(at, "reserve_factor")?,
            is_listed: self.is_listed,
            collateral_factor: self.collateral_factor.get(at, "collateral_factor")?,
            borrow_cap: self.borrow_cap.get(at, "borrow_cap")?,
            mint_paused: self.mint_paused,
            borrow_paused: self.borrow_paused,
        })
    }
}
