use super::{ComptrollerCalls, GenuineCompound, GenuineMarket, TokenCalls};
use crate::{
    AAVE_V3_CORE, ArtifactError, COMPOUND_V2, Chain,
    artifacts::{creation_code, typechain_code},
    uniswap_v2::decode,
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue};

pub(super) const ADMIN: Address = Address::repeat_byte(0xad);

/// The creation codes of everything that is deployed.
#[derive(Debug, Clone)]
pub struct Codes {
    comptroller: Bytes,
    unitroller: Bytes,
    oracle: Bytes,
    c_erc20_immutable: Bytes,
    c_erc20_delegate: Bytes,
    c_erc20_delegator: Bytes,
    c_ether: Bytes,
    white_paper_model: Bytes,
    jump_rate_model: Bytes,
    jump_rate_model_v2: Bytes,
    token: Bytes,
}

impl Codes {
    /// Out of the published packages.
    ///
    /// # Errors
    /// No Node, no registry, or an archive that is not the pinned one.
    pub fn load() -> Result<Self, ArtifactError> {
        let code = |name| typechain_code(&COMPOUND_V2, &format!("dist/typechain/factories/{name}__factory.js"));
        let token = "artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json";
        Ok(Self {
            comptroller: code("Comptroller")?,
            unitroller: code("Unitroller")?,
            oracle: code("SimplePriceOracle")?,
            c_erc20_immutable: code("CErc20Immutable")?,
            c_erc20_delegate: code("CErc20Delegate")?,
            c_erc20_delegator: code("CErc20Delegator")?,
            c_ether: code("CEther")?,
            white_paper_model: code("WhitePaperInterestRateModel")?,
            jump_rate_model: code("JumpRateModel")?,
            jump_rate_model_v2: code("JumpRateModelV2")?,
            token: creation_code(&AAVE_V3_CORE, token)?,
        })
    }
}

/// An interest rate model to deploy; all numbers are mantissas, scaled by 1e18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// A base rate and a slope, a year.
    WhitePaper(U256, U256),
    /// A base rate, a slope, a slope beyond the kink, a year, and the kink.
    Jump(U256, U256, U256, U256),
    /// As [`Model::Jump`], the first slope reached at the kink.
    JumpV2(U256, U256, U256, U256),
}

/// A market to deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The underlying's decimals; `None` for ether.
    pub decimals: Option<u8>,
    /// Whether the cToken stands behind a delegator.
    pub delegated: bool,
    /// The underlying for one cToken before the first supply, scaled by 1e18.
    pub initial_exchange_rate: U256,
    /// What sets its rates.
    pub model: Model,
}

impl<C: Chain> GenuineCompound<C> {
    /// Deploys comptroller, oracle and these markets with new tokens. No market is listed yet; close factor and liquidation
    /// incentive are zero. These users get 2¹⁷⁶ of each token, and allow each market to take it; ether is the caller's to give.
    ///
    /// # Panics
    /// Where a deployment fails.
    pub fn deploy_on(chain: C, codes: &Codes, plans: &[Plan], users: &[Address]) -> Self {
        let plans: Vec<_> = plans.iter().map(|plan| (*plan, None)).collect();
        let mut genuine = Self::deploy_for(chain, codes, &plans);
        genuine.set_up_users(users);
        genuine
    }

    /// Deploys comptroller, oracle and these markets, each for a token that is there already or, with none, for a new one. No
    /// market is listed yet; close factor and liquidation incentive are zero.
    ///
    /// # Panics
    /// Where a deployment fails.
    pub fn deploy_for(mut chain: C, codes: &Codes, plans: &[(Plan, Option<Address>)]) -> Self {
        chain.act_as(ADMIN);
        let mut genuine = Self {
            comptroller: deployed(&mut chain, &codes.unitroller, &[]),
            oracle: deployed(&mut chain, &codes.oracle, &[]),
            chain,
            markets: Vec::new(),
        };
        genuine.set_up_comptroller(codes);
        genuine.set_up_markets(codes, plans);
        genuine
    }

    fn set_up_comptroller(&mut self, codes: &Codes) {
        let (unitroller, oracle) = (self.comptroller, self.oracle);
        let implementation = deployed(&mut self.chain, &codes.comptroller, &[]);
        let call = ComptrollerCalls::_setPendingImplementationCall { implementation };
        self.must(ADMIN, unitroller, &call);
        self.must(ADMIN, implementation, &ComptrollerCalls::_becomeCall { unitroller });
        self.must(ADMIN, unitroller, &ComptrollerCalls::_setPriceOracleCall { oracle });
    }

    fn set_up_markets(&mut self, codes: &Codes, plans: &[(Plan, Option<Address>)]) {
        let (comptroller, chain) = (self.comptroller, &mut self.chain);
        let mut deploy = |code: &Bytes, arguments: Vec<u8>| deployed(chain, code, &arguments);
        let delegate = deploy(&codes.c_erc20_delegate, Vec::new());
        let markets = plans.iter().map(|(plan, token)| {
            let model = match plan.model {
                Model::WhitePaper(base, slope) => deploy(&codes.white_paper_model, (base, slope).abi_encode_params()),
                Model::Jump(base, slope, jump, kink) => {
                    deploy(&codes.jump_rate_model, (base, slope, jump, kink).abi_encode_params())
                }
                Model::JumpV2(base, slope, jump, kink) => {
                    let arguments = (base, slope, jump, kink, ADMIN).abi_encode_params();
                    deploy(&codes.jump_rate_model_v2, arguments)
                }
            };
            let decimals = U256::from(8);
            let rate = plan.initial_exchange_rate;
            let Some(underlying_decimals) = plan.decimals else {
                let arguments = (comptroller, model, rate, "cETH", "cETH", decimals, ADMIN).abi_encode_params();
                let c_token = deploy(&codes.c_ether, arguments);
                return GenuineMarket {
                    c_token,
                    underlying: None,
                    model,
                };
            };
            let underlying = token.unwrap_or_else(|| {
                let arguments = ("Token", "TOK", U256::from(underlying_decimals)).abi_encode_params();
                deploy(&codes.token, arguments)
            });
            let c_token = if plan.delegated {
                let code = &codes.c_erc20_delegator;
                let arguments = (
                    underlying,
                    comptroller,
                    model,
                    rate,
                    "cToken",
                    "cTOK",
                    decimals,
                    ADMIN,
                    delegate,
                    Bytes::new(),
                );
                deploy(code, arguments.abi_encode_params())
            } else {
                let arguments = (underlying, comptroller, model, rate, "cToken", "cTOK", decimals, ADMIN);
                deploy(&codes.c_erc20_immutable, arguments.abi_encode_params())
            };
            GenuineMarket {
                c_token,
                underlying: Some(underlying),
                model,
            }
        });
        self.markets = markets.collect();
    }

    fn set_up_users(&mut self, users: &[Address]) {
        for market in self.markets.clone() {
            let Some(token) = market.underlying else { continue };
            for &user in users {
                let amount = U256::ONE << 176;
                self.must(ADMIN, token, &TokenCalls::mintCall { to: user, amount });
                let spender = market.c_token;
                let amount = U256::MAX;
                self.must(user, token, &TokenCalls::approveCall { spender, amount });
            }
        }
    }

    /// A call that cannot fail.
    fn must<F: SolCall>(&mut self, from: Address, to: Address, call: &F) {
        self.chain.act_as(from);
        let answer = decode::<F>(self.chain.send(to, call.abi_encode().into()));
        if let Err(failure) = answer {
            panic!("{}: {failure:?}", F::SIGNATURE);
        }
    }
}

fn deployed<C: Chain>(chain: &mut C, code: &Bytes, arguments: &[u8]) -> Address {
    let code = [&code[..], arguments].concat();
    chain.deploy(code.into()).expect("the published contract deploys")
}
