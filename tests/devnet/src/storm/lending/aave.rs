use super::coin::Coin;
use crate::{
    Devnet, DevnetError, Tx,
    aave_v3::{
        Listing, OWNER, VARIABLE,
        calls::{PoolCalls, PriceSourceCalls, ScaledTokenCalls},
    },
};
use alloy_primitives::{Address, Bytes, I256, U256};

/// The Aave v3 market of a storm, its reserves in the order of the coins; verbs make transactions.
#[derive(Debug, Clone)]
pub struct AaveMarket {
    /// What knows the pool's other contracts.
    pub provider: Address,
    /// The pool, behind its proxy.
    pub pool: Address,
    /// `POOL_REVISION` of the pool.
    pub revision: u64,
    /// The configurator, behind its proxy.
    pub configurator: Address,
    /// What the pool asks for prices.
    pub oracle: Address,
    /// What sets all reserves' rates.
    pub rate_strategy: Address,
    /// Every reserve's contracts.
    pub reserves: Vec<Listing>,
    /// Who takes flash loans of one asset, and of several.
    pub(super) receivers: [Address; 2],
}

/// A user's account as the pool sees it.
pub(super) type AccountData = PoolCalls::getUserAccountDataReturn;

impl AaveMarket {
    /// Every contract whose logs tell of the market.
    pub fn contracts(&self) -> Vec<Address> {
        let mut contracts = vec![
            self.provider,
            self.pool,
            self.configurator,
            self.oracle,
            self.rate_strategy,
        ];
        for listing in &self.reserves {
            contracts.extend([listing.a_token, listing.variable_debt, listing.price_source]);
        }
        contracts
    }

    pub(super) fn listing(&self, coin: Coin) -> &Listing {
        &self.reserves[coin.index()]
    }

    fn asset(&self, coin: Coin) -> Address {
        self.listing(coin).asset
    }

    pub(super) fn supply(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        let call = PoolCalls::supplyCall {
            asset: self.asset(coin),
            amount,
            onBehalfOf: user,
            referralCode: 0,
        };
        Tx::call(self.pool, &call).from(user)
    }

    /// All of it for the greatest amount.
    pub(super) fn withdraw(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        let call = PoolCalls::withdrawCall {
            asset: self.asset(coin),
            amount,
            to: user,
        };
        Tx::call(self.pool, &call).from(user)
    }

    pub(super) fn borrow(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        let call = PoolCalls::borrowCall {
            asset: self.asset(coin),
            amount,
            interestRateMode: VARIABLE,
            referralCode: 0,
            onBehalfOf: user,
        };
        Tx::call(self.pool, &call).from(user)
    }

    /// All of it for the greatest amount.
    pub(super) fn repay(&self, user: Address, coin: Coin, amount: U256) -> Tx {
        let call = PoolCalls::repayCall {
            asset: self.asset(coin),
            amount,
            interestRateMode: VARIABLE,
            onBehalfOf: user,
        };
        Tx::call(self.pool, &call).from(user)
    }

    pub(super) fn use_as_collateral(&self, user: Address, coin: Coin) -> Tx {
        let call = PoolCalls::setUserUseReserveAsCollateralCall {
            asset: self.asset(coin),
            useAsCollateral: true,
        };
        Tx::call(self.pool, &call).from(user)
    }

    pub(super) fn enter_e_mode(&self, user: Address, category: u8) -> Tx {
        let call = PoolCalls::setUserEModeCall { categoryId: category };
        Tx::call(self.pool, &call).from(user)
    }

    pub(super) fn liquidate(&self, liquidator: Address, user: Address, terms: Liquidation) -> Tx {
        let call = PoolCalls::liquidationCallCall {
            collateralAsset: self.asset(terms.collateral),
            debtAsset: self.asset(terms.debt),
            user,
            debtToCover: terms.amount,
            receiveAToken: terms.receives_a_token,
        };
        Tx::call(self.pool, &call).from(liquidator)
    }

    /// A flash loan that is paid back at once: of one asset, or of several through the other function.
    pub(super) fn flash_loan(&self, user: Address, loans: &[(Coin, U256)]) -> Tx {
        let [simple, several] = self.receivers;
        if let [(coin, amount)] = *loans {
            let call = PoolCalls::flashLoanSimpleCall {
                receiverAddress: simple,
                asset: self.asset(coin),
                amount,
                params: Bytes::new(),
                referralCode: 0,
            };
            return Tx::call(self.pool, &call).from(user);
        }
        let call = PoolCalls::flashLoanCall {
            receiverAddress: several,
            assets: loans.iter().map(|(coin, _)| self.asset(*coin)).collect(),
            amounts: loans.iter().map(|(_, amount)| *amount).collect(),
            interestRateModes: vec![U256::ZERO; loans.len()],
            onBehalfOf: user,
            params: Bytes::new(),
            referralCode: 0,
        };
        Tx::call(self.pool, &call).from(user)
    }

    pub(super) fn transfer_a_token(&self, user: Address, coin: Coin, to: Address, amount: U256) -> Tx {
        let call = ScaledTokenCalls::transferCall { to, amount };
        Tx::call(self.listing(coin).a_token, &call).from(user)
    }

    pub(super) fn mint_to_treasury(&self, user: Address) -> Tx {
        let assets = self.reserves.iter().map(|listing| listing.asset).collect();
        Tx::call(self.pool, &PoolCalls::mintToTreasuryCall { assets }).from(user)
    }

    /// Pays so much of a reserve's bad debt with the owner's aTokens.
    pub(super) fn eliminate_deficit(&self, coin: Coin, amount: U256) -> Tx {
        let asset = self.asset(coin);
        Tx::call(self.pool, &PoolCalls::eliminateReserveDeficitCall { asset, amount }).from(OWNER)
    }

    /// A feed's next answer, in dollars with 8 decimals.
    pub(super) fn tell(&self, coin: Coin, answer: U256) -> Tx {
        let answer = I256::from_raw(answer);
        Tx::call(
            self.listing(coin).price_source,
            &PriceSourceCalls::submitCall { answer },
        )
        .from(OWNER)
    }

    /// These users' accounts.
    pub(super) fn accounts(&self, devnet: &Devnet, users: &[Address]) -> Result<Vec<AccountData>, DevnetError> {
        let call = |user: &Address| (self.pool, PoolCalls::getUserAccountDataCall { user: *user });
        devnet.view_all(&users.iter().map(call).collect::<Vec<_>>())
    }

    /// What a user has of each coin, and owes, with interest, in coins.
    pub(super) fn holdings(&self, devnet: &Devnet, user: Address) -> Result<[(f64, f64); 5], DevnetError> {
        let call = |token| (token, ScaledTokenCalls::balanceOfCall { user });
        let tokens = self
            .reserves
            .iter()
            .flat_map(|listing| [listing.a_token, listing.variable_debt]);
        let balances = devnet.view_all(&tokens.map(call).collect::<Vec<_>>())?;
        Ok(Coin::ALL.map(|coin| {
            let at = |offset: usize| coin.coins(balances[2 * coin.index() + offset]);
            (at(0), at(1))
        }))
    }

    /// A reserve's bad debt, in its smallest unit.
    pub(super) fn deficit(&self, devnet: &Devnet, coin: Coin) -> Result<U256, DevnetError> {
        let asset = self.asset(coin);
        devnet.view(self.pool, &PoolCalls::getReserveDeficitCall { asset })
    }
}

/// How an account is liquidated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Liquidation {
    pub(super) collateral: Coin,
    pub(super) debt: Coin,
    /// How much debt to cover, in its smallest unit; as much as may be for the greatest.
    pub(super) amount: U256,
    pub(super) receives_a_token: bool,
}
