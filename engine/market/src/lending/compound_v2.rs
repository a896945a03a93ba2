use super::{AccountHealth, AccountPosition, LendingCounts, LendingError, LendingErrorKind};
use crate::{Divergence, Feeds, NoPrice, Oracle, Price, PriceSource};
use alloy_primitives::{Address, U256, map::HashMap};
use plimsoll_protocols::{
    RawLog,
    compound_v2::{
        Account, Checkpoint, Event, FollowError, InterestRateModel, Log, Market, MarketParams, MathError, Pool,
        PricePosted, Valuation, exponential::EXP_SCALE, liquidate_calculate_seize_tokens,
    },
};
use plimsoll_units::{LogRef, Network, Rounding, mul_div};

/// What a cToken stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompoundV2Token {
    /// The underlying; the zero address for ether.
    pub underlying: Address,
    /// The underlying's decimals.
    pub decimals: u8,
}

/// What Compound v2 was before a block.
#[derive(Debug, Clone)]
pub struct CompoundV2Before {
    state: Checkpoint,
    oracle: Oracle,
    expected: HashMap<Address, MarketParams>,
    models: HashMap<Address, Option<InterestRateModel>>,
    model_of: HashMap<Address, Address>,
    counts: LendingCounts,
}

/// Compound v2, followed log by log: every accrual, exchange, balance and seizure that a log records is computed first.
#[derive(Debug, Clone)]
pub struct CompoundV2Replay {
    network: Network,
    pool: Pool,
    tokens: HashMap<Address, CompoundV2Token>,
    /// By cToken, scaled by 1e(36 − decimals).
    oracle: Oracle,
    /// The contract that posts prices, where one does.
    price_poster: Option<Address>,
    /// Markets that are deployed in the data.
    expected: HashMap<Address, MarketParams>,
    /// Rate models by their contracts, and which one each market asks.
    models: HashMap<Address, Option<InterestRateModel>>,
    model_of: HashMap<Address, Address>,
    /// The exchange rate of a market's that was seized from, until the liquidation's own log.
    seized_at: Option<(Address, Result<U256, MathError>)>,
    counts: LendingCounts,
}

impl CompoundV2Replay {
    /// Follows a pool from this state on. `tokens` says what each cToken stands for; `price_poster` is an oracle whose
    /// `PricePosted` logs set prices.
    pub fn new(
        network: Network,
        pool: Pool,
        tokens: HashMap<Address, CompoundV2Token>,
        oracle: Oracle,
        price_poster: Option<Address>,
    ) -> Self {
        Self {
            network,
            pool,
            tokens,
            oracle,
            price_poster,
            expected: HashMap::default(),
            models: HashMap::default(),
            model_of: HashMap::default(),
            seized_at: None,
            counts: LendingCounts::default(),
        }
    }

    /// Expects a market that is deployed in the data: it joins with its first log, whose block is its first.
    pub fn expect_market(&mut self, params: MarketParams) {
        self.expected.insert(params.c_token, params);
    }

    /// Expects logs of a rate model, which say its parameters; those of today may be known.
    pub fn expect_model(&mut self, address: Address, model: Option<InterestRateModel>) {
        if let Some(model) = model {
            self.pool.know_model(address, model);
        }
        self.models.insert(address, model);
    }

    /// The state.
    pub const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Where prices come from, by cToken, scaled by 1e(36 − decimals).
    pub const fn oracle(&self) -> &Oracle {
        &self.oracle
    }

    /// What a cToken stands for.
    pub fn token(&self, c_token: Address) -> Option<CompoundV2Token> {
        self.tokens.get(&c_token).copied()
    }

    /// The cToken that stands for a token, the first listed of several.
    pub fn c_token(&self, underlying: Address) -> Option<Address> {
        let of_it = |token: CompoundV2Token| token.underlying == underlying;
        let mut listed = self.pool.markets().iter().filter(|market| market.is_listed);
        let market = listed.find(|market| self.token(market.c_token).is_some_and(of_it))?;
        Some(market.c_token)
    }

    /// The underlying of a cToken; the cToken itself where that is not known.
    pub fn underlying(&self, c_token: Address) -> Address {
        self.token(c_token).map_or(c_token, |token| token.underlying)
    }

    /// What was followed so far.
    pub const fn counts(&self) -> LendingCounts {
        self.counts
    }

    /// A price as the contracts ask for it (`getUnderlyingPrice`), zero for none.
    pub fn underlying_price(&self, c_token: Address, feeds: &Feeds) -> U256 {
        self.oracle
            .price(c_token, feeds)
            .map(|price| price.value)
            .unwrap_or_default()
    }

    /// What undoes a block that is about to begin; [`Self::apply`] adds to it.
    pub fn before(&self) -> CompoundV2Before {
        CompoundV2Before {
            state: self.pool.checkpoint(),
            oracle: self.oracle.clone(),
            expected: self.expected.clone(),
            models: self.models.clone(),
            model_of: self.model_of.clone(),
            counts: self.counts,
        }
    }

    /// Puts back what was before a block.
    pub fn restore(&mut self, before: CompoundV2Before) {
        self.pool.restore(before.state);
        self.oracle = before.oracle;
        (self.expected, self.models, self.model_of) = (before.expected, before.models, before.model_of);
        self.counts = before.counts;
        self.seized_at = None;
    }

    /// Takes over one log, and proves what it records. What it changes is first added to `before`.
    ///
    /// # Errors
    /// See [`LendingError`].
    pub fn apply(
        &mut self,
        log: &RawLog,
        feeds: &Feeds,
        before: Option<&mut CompoundV2Before>,
    ) -> Result<(), LendingError> {
        self.counts.logs += 1;
        if Some(log.address) == self.price_poster {
            if let Some(posted) = PricePosted::decode(log)? {
                self.post(posted, log.block_timestamp);
            }
            return Ok(());
        }
        if self.models.contains_key(&log.address) {
            return self.follow_model(log);
        }
        let event = Event::decode(log)?;
        if let Some(params) = self.expected.remove(&log.address) {
            self.pool.add_market(MarketParams {
                block_number: log.at.block_number,
                ..params
            });
        }
        if log.address != self.pool.comptroller() && self.pool.market_id(log.address).is_none() {
            return Err(LendingError::refused(log, LendingErrorKind::UnknownContract));
        }
        if let Event::NewPriceOracle { new, .. } = event
            && self.price_poster.is_some_and(|poster| poster != new)
        {
            let what = "prices come from another oracle from here on".to_owned();
            return Err(LendingError::refused(log, LendingErrorKind::Unsupported(what)));
        }
        if let Event::NewInterestRateModel { new, .. } = event {
            self.model_of.insert(log.address, new);
        }
        if let Some(before) = before {
            before.state.keep(&self.pool, log.address, &event);
        }
        self.prove(log.at, log.address, &event, feeds)?;
        let was = self.pool.market(log.address).copied();
        let followed = Log {
            emitter: log.address,
            event,
        };
        match self.pool.follow(log.at.block_number, &followed) {
            Ok(()) => {
                // Interest is compared where the model is known.
                if matches!(event, Event::AccrueInterest { .. }) {
                    let known = was.is_some_and(|market| market.model.is_some());
                    self.count(known);
                }
                Ok(())
            }
            Err(FollowError::Differs {
                what, expected, got, ..
            }) => Err(self.diverges(log.at, log.address, format!("{what} {got}"), expected.to_string())),
            Err(error) => Err(self.diverges(log.at, log.address, format!("{event:?}"), error.to_string())),
        }
    }

    /// How every account stands, in no order (`getAccountLiquidity`): interest up to each market's own last accrual, as the
    /// contracts see it.
    ///
    /// # Errors
    /// A price that an account needs and that is missing, or numbers beyond 256 bits.
    pub fn accounts(&self, feeds: &Feeds) -> Result<Vec<AccountHealth>, LendingErrorKind> {
        let markets = self.pool.markets().iter();
        let prices: Vec<_> = markets.map(|market| self.oracle.price(market.c_token, feeds)).collect();
        let valuation = Valuation::new(&self.pool, &|c_token| self.underlying_price(c_token, feeds));
        let accounts = self.pool.accounts().iter();
        // A cToken holds what was sent to it; it is nobody's account.
        let accounts = accounts.filter(|(address, _)| self.pool.market_id(*address).is_none());
        accounts
            .map(|(address, account)| self.health(address, account, &valuation, &prices))
            .collect()
    }

    fn health(
        &self,
        address: Address,
        account: &Account,
        valuation: &Valuation,
        prices: &[Result<Price, NoPrice>],
    ) -> Result<AccountHealth, LendingErrorKind> {
        let beyond = || LendingErrorKind::Unsupported(format!("{address}'s numbers leave 256 bits"));
        let mut health = AccountHealth {
            account: address,
            health_factor_wad: None,
            collateral_value: U256::ZERO,
            debt_value: U256::ZERO,
            positions: Vec::with_capacity(account.positions().len()),
        };
        let value = |amount, price| mul_div(amount, price, EXP_SCALE, Rounding::Down);
        for position in account.positions() {
            let place = usize::from(position.market.0);
            let (Some(market), Some(price)) = (self.pool.markets().get(place), prices.get(place)) else {
                continue;
            };
            let is_collateral = account.entered().contains(&position.market);
            let supplied = underlying_for(market, U256::from(position.tokens)).map_err(|_| beyond())?;
            let owed = market.borrow_balance_stored(position).map_err(|_| beyond())?;
            if is_collateral {
                let price = price.map_err(LendingErrorKind::NoPrice)?.value;
                let sum = |sum: U256, amount| value(amount, price).and_then(|value| sum.checked_add(value));
                health.collateral_value = sum(health.collateral_value, supplied).ok_or_else(beyond)?;
                health.debt_value = sum(health.debt_value, owed).ok_or_else(beyond)?;
            }
            health.positions.push(AccountPosition {
                asset: self.underlying(market.c_token),
                collateral_amount: supplied,
                is_collateral,
                debt_amount: owed,
            });
        }
        let (borrowable, borrowed) = valuation.both_sides(account).ok_or_else(beyond)?;
        health.health_factor_wad = mul_div(borrowable, EXP_SCALE, borrowed, Rounding::Down);
        Ok(health)
    }

    /// A rate model's own log: its parameters, for the markets that ask it.
    fn follow_model(&mut self, log: &RawLog) -> Result<(), LendingError> {
        let Some(model) = InterestRateModel::decode(log)? else {
            return Ok(());
        };
        self.expect_model(log.address, Some(model));
        let asks = |(c_token, asked): (&Address, &Address)| (*asked == log.address).then_some(*c_token);
        let markets: Vec<Address> = self.model_of.iter().filter_map(asks).collect();
        markets
            .into_iter()
            .for_each(|c_token| self.pool.set_model(c_token, model));
        Ok(())
    }

    fn post(&mut self, posted: PricePosted, at: Option<u64>) {
        let of_asset = |(_, token): &(&Address, &CompoundV2Token)| token.underlying == posted.asset;
        let c_tokens: Vec<Address> = self
            .tokens
            .iter()
            .filter(of_asset)
            .map(|(address, _)| *address)
            .collect();
        for c_token in c_tokens {
            let value = posted.price;
            self.oracle.set_source(c_token, PriceSource::Posted { value, at });
        }
    }

    const fn count(&mut self, proven: bool) {
        if proven {
            self.counts.proven += 1;
        } else {
            self.counts.unverifiable += 1;
        }
    }

    fn diverges(&self, at: LogRef, contract: Address, expected: String, got: String) -> LendingError {
        LendingError::Divergence(Box::new(Divergence {
            network: self.network,
            at,
            contract,
            expected,
            got,
        }))
    }

    /// Holds what an event records against the state before it.
    fn prove(&mut self, at: LogRef, emitter: Address, event: &Event, feeds: &Feeds) -> Result<(), LendingError> {
        let Some(market) = self.pool.market(emitter).copied() else {
            return Ok(());
        };
        let told = match *event {
            Event::ReservesAdded { benefactor, .. } if benefactor == emitter => {
                self.seized_at = Some((emitter, market.exchange_rate_stored()));
                return Ok(());
            }
            Event::Mint { amount, tokens, .. } => {
                let computed = tokens_for(&market, amount);
                Told::one("tokens minted", tokens, computed)
            }
            Event::Redeem { amount, tokens, .. } => {
                let by_tokens = underlying_for(&market, tokens);
                // Redeemed by the underlying's amount, the tokens are what is rounded.
                if by_tokens == Ok(amount) || tokens_for(&market, amount) == Ok(tokens) {
                    Told::one("amount redeemed", amount, Ok(amount))
                } else {
                    Told::one("amount redeemed", amount, by_tokens)
                }
            }
            Event::Borrow {
                borrower,
                amount,
                account_borrows,
                ..
            } => {
                let owed = self.owed(&market, borrower);
                let computed = owed.and_then(|owed| owed.checked_add(amount).ok_or(MathError::IntegerOverflow));
                Told::one("account borrows", account_borrows, computed)
            }
            Event::RepayBorrow {
                borrower,
                amount,
                account_borrows,
                ..
            } => {
                let owed = self.owed(&market, borrower);
                let computed = owed.and_then(|owed| owed.checked_sub(amount).ok_or(MathError::IntegerUnderflow));
                Told::one("account borrows", account_borrows, computed)
            }
            Event::LiquidateBorrow {
                repay_amount,
                collateral,
                seize_tokens,
                ..
            } => return self.prove_seizure(at, emitter, repay_amount, collateral, seize_tokens, feeds),
            _ => return Ok(()),
        };
        self.judge(at, emitter, told)
    }

    fn owed(&self, market: &Market, borrower: Address) -> Result<U256, MathError> {
        let id = self.pool.market_id(market.c_token);
        let position = id.map(|id| self.pool.accounts().position(borrower, id));
        position.map_or(Ok(U256::ZERO), |position| market.borrow_balance_stored(&position))
    }

    /// A seizure is computed at the collateral's exchange rate before the reserves took their part of it; cTokens without such a
    /// part have kept the rate until the liquidation's own log.
    fn prove_seizure(
        &mut self,
        at: LogRef,
        emitter: Address,
        repay_amount: U256,
        collateral: Address,
        seize_tokens: U256,
        feeds: &Feeds,
    ) -> Result<(), LendingError> {
        let prices = [emitter, collateral].map(|c_token| self.underlying_price(c_token, feeds));
        let seized_at = self.seized_at.take().filter(|(market, _)| *market == collateral);
        let now = || self.pool.market(collateral).map(Market::exchange_rate_stored);
        let rate = seized_at.map(|(_, rate)| rate).or_else(now);
        let (Some(Ok(rate)), false) = (rate, prices.contains(&U256::ZERO)) else {
            self.count(false);
            return Ok(());
        };
        let incentive = self.pool.liquidation_incentive();
        let computed = liquidate_calculate_seize_tokens(incentive, prices[0], prices[1], rate, repay_amount);
        match computed {
            Ok(computed) if computed == seize_tokens => {
                self.count(true);
                Ok(())
            }
            other => {
                let got = other.map_or_else(|revert| format!("{revert:?}"), |tokens| tokens.to_string());
                Err(self.diverges(at, emitter, format!("tokens seized {seize_tokens}"), got))
            }
        }
    }

    fn judge(&mut self, at: LogRef, emitter: Address, told: Told) -> Result<(), LendingError> {
        if told.computed == Ok(told.recorded) {
            self.count(true);
            return Ok(());
        }
        let got = match told.computed {
            Ok(number) => number.to_string(),
            Err(error) => format!("{error:?}"),
        };
        Err(self.diverges(at, emitter, format!("{} {}", told.what, told.recorded), got))
    }
}

/// A number that a log records, and what the rules make it.
struct Told {
    what: &'static str,
    recorded: U256,
    computed: Result<U256, MathError>,
}

impl Told {
    const fn one(what: &'static str, recorded: U256, computed: Result<U256, MathError>) -> Self {
        Self {
            what,
            recorded,
            computed,
        }
    }
}

/// The cTokens that an amount of the underlying buys, rounded down.
fn tokens_for(market: &Market, amount: U256) -> Result<U256, MathError> {
    let rate = market.exchange_rate_stored()?;
    mul_div(amount, EXP_SCALE, rate, Rounding::Down).ok_or(MathError::DivisionByZero)
}

/// The underlying that cTokens stand for, rounded down.
fn underlying_for(market: &Market, tokens: U256) -> Result<U256, MathError> {
    let rate = market.exchange_rate_stored()?;
    mul_div(tokens, rate, EXP_SCALE, Rounding::Down).ok_or(MathError::IntegerOverflow)
}
