use super::{
    calls::{ConfiguratorCalls, PoolCalls, SetupCalls},
    market::GenuineMarket,
};
use crate::{
    AAVE_V3_CORE, Chain,
    aave_v3::{
        Listing, OWNER, Rates, TREASURY,
        calls::{AssetCalls, PriceSourceCalls},
        price_source,
    },
    artifacts,
    deployer::{DeployError, Deployer},
    linkable::Linkable,
    packages::AAVE_V2,
    stubs,
};
use alloy_primitives::{Address, Bytes, I256, U256};
use alloy_sol_types::{SolCall, SolValue};

/// What a market is made of.
#[derive(Debug, Clone)]
pub struct MarketSpec {
    /// The reserves, in the order of their ids.
    pub reserves: Vec<ReserveSpec>,
    /// Who may act: each is given 2^120 of every token and lets the pool take them.
    pub users: Vec<Address>,
}

/// A reserve. Numbers without a unit of their own are basis points.
#[derive(Debug, Clone, Copy)]
pub struct ReserveSpec {
    /// The token's name and symbol.
    pub symbol: &'static str,
    /// The token's decimals.
    pub decimals: u8,
    /// The first price of a whole token, in wei.
    pub price: u128,
    /// How its variable rate follows utilization.
    pub rates: Rates,
    /// What is added to the stable rate up to the kink, and beyond it.
    pub stable_slopes: [u32; 2],
    /// The stable rate at no utilization.
    pub market_borrow_rate: u32,
    /// How much may be borrowed against it.
    pub ltv: u16,
    /// At how much it may be liquidated; with zero it is no collateral.
    pub liquidation_threshold: u16,
    /// What a liquidator takes, over 10,000.
    pub liquidation_bonus: u16,
    /// The treasury's part of the interest.
    pub reserve_factor: u16,
    /// Whether it may be borrowed.
    pub borrowing: bool,
    /// Whether it may be borrowed at a stable rate.
    pub stable_borrowing: bool,
}

impl Default for ReserveSpec {
    /// Ether with mainnet's usual parameters.
    fn default() -> Self {
        Self {
            symbol: "WETH",
            decimals: 18,
            price: 1_000_000_000_000_000_000,
            rates: Rates {
                optimal_usage: 6_500,
                base: 0,
                slope1: 800,
                slope2: 10_000,
            },
            stable_slopes: [1_000, 10_000],
            market_borrow_rate: 300,
            ltv: 8_000,
            liquidation_threshold: 8_250,
            liquidation_bonus: 10_500,
            reserve_factor: 1_000,
            borrowing: true,
            stable_borrowing: true,
        }
    }
}

/// Where the contracts lie in the package, under `artifacts/contracts`.
const PLACES: [(&str, &str); 14] = [
    ("AToken", "protocol/tokenization"),
    ("AaveOracle", "misc"),
    ("DefaultReserveInterestRateStrategy", "protocol/lendingpool"),
    ("GenericLogic", "protocol/libraries/logic"),
    ("LendingPool", "protocol/lendingpool"),
    ("LendingPoolAddressesProvider", "protocol/configuration"),
    ("LendingPoolCollateralManager", "protocol/lendingpool"),
    ("LendingPoolConfigurator", "protocol/lendingpool"),
    ("LendingRateOracle", "mocks/oracle"),
    ("MockFlashLoanReceiver", "mocks/flashloan"),
    ("ReserveLogic", "protocol/libraries/logic"),
    ("StableDebtToken", "protocol/tokenization"),
    ("ValidationLogic", "protocol/libraries/logic"),
    ("VariableDebtToken", "protocol/tokenization"),
];

fn artifact(name: &str) -> Result<Linkable, DeployError> {
    if name == "MintableERC20" {
        let file = "artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json";
        return Ok(artifacts::linkable(&AAVE_V3_CORE, file)?);
    }
    let place = PLACES.iter().find(|(known, _)| *known == name);
    let (_, folder) = place.ok_or_else(|| DeployError::NotDeployed(name.to_owned()))?;
    let file = format!("artifacts/contracts/{folder}/{name}.sol/{name}.json");
    Ok(artifacts::linkable(&AAVE_V2, &file)?)
}

/// The arguments of the rate strategy.
fn strategy(provider: Address, rates: Rates, stable_slopes: [u32; 2]) -> Vec<u8> {
    let [stable1, stable2] = stable_slopes;
    let optimal = u32::from(rates.optimal_usage);
    let rates = [optimal, rates.base, rates.slope1, rates.slope2, stable1, stable2].map(Rates::ray);
    (provider, rates).abi_encode()
}

/// Creation code with the arguments of a rate strategy behind it.
pub(super) fn strategy_code(provider: Address, rates: Rates, stable_slopes: [u32; 2]) -> Result<Bytes, DeployError> {
    let name = "DefaultReserveInterestRateStrategy";
    let code = artifact(name)?.linked(&Default::default());
    let code = code.ok_or_else(|| DeployError::NotDeployed(name.to_owned()))?;
    Ok([&code[..], &strategy(provider, rates, stable_slopes)].concat().into())
}

/// A deployment on its way.
struct Setup<C> {
    deployer: Deployer<C>,
    provider: Address,
    pool: Address,
    configurator: Address,
    rate_oracle: Address,
}

impl<C: Chain> Setup<C> {
    fn provide<F: SolCall>(&mut self, call: &F) -> Result<F::Return, DeployError> {
        self.deployer.call(self.provider, call)
    }

    fn configure<F: SolCall>(&mut self, call: &F) -> Result<F::Return, DeployError> {
        self.deployer.call(self.configurator, call)
    }

    /// Provider, roles, pool, configurator and collateral manager.
    fn core(&mut self) -> Result<(), DeployError> {
        let market_id = ("Devnet",).abi_encode_params();
        self.provider = self.deployer.deploy("LendingPoolAddressesProvider", &market_id)?;
        self.provide(&SetupCalls::setPoolAdminCall { admin: OWNER })?;
        self.provide(&SetupCalls::setEmergencyAdminCall { emergencyAdmin: OWNER })?;
        let pool = self.deployer.deploy("LendingPool", &[])?;
        self.provide(&SetupCalls::setLendingPoolImplCall { pool })?;
        self.pool = self.provide(&SetupCalls::getLendingPoolCall {})?;
        let configurator = self.deployer.deploy("LendingPoolConfigurator", &[])?;
        self.provide(&SetupCalls::setLendingPoolConfiguratorImplCall { configurator })?;
        self.configurator = self.provide(&SetupCalls::getLendingPoolConfiguratorCall {})?;
        let manager = self.deployer.deploy("LendingPoolCollateralManager", &[])?;
        self.provide(&SetupCalls::setLendingPoolCollateralManagerCall { manager })?;
        let oracle = self.deployer.deploy("LendingRateOracle", &[])?;
        self.rate_oracle = oracle;
        let set = SetupCalls::setLendingRateOracleCall {
            lendingRateOracle: oracle,
        };
        self.provide(&set).map(|_| ())
    }

    /// A token with its price feed.
    fn asset(&mut self, id: usize, reserve: &ReserveSpec) -> Result<(Address, Address), DeployError> {
        let arguments = (reserve.symbol, reserve.symbol, U256::from(reserve.decimals)).abi_encode_params();
        let asset = self.deployer.deploy("MintableERC20", &arguments)?;
        let source = price_source(id);
        self.deployer
            .chain
            .set_code(source, Bytes::from_static(stubs::PRICE_SOURCE));
        let answer = I256::try_from(reserve.price).unwrap_or_default();
        self.deployer.call(source, &PriceSourceCalls::submitCall { answer })?;
        Ok((asset, source))
    }

    fn oracle(&mut self, listed: &[(Address, Address)]) -> Result<Address, DeployError> {
        let (assets, sources): (Vec<_>, Vec<_>) = listed.iter().copied().unzip();
        // Without WETH's own address every price is a feed's.
        let arguments = (assets, sources, Address::ZERO, Address::ZERO).abi_encode_params();
        let oracle = self.deployer.deploy("AaveOracle", &arguments)?;
        self.provide(&SetupCalls::setPriceOracleCall { priceOracle: oracle })?;
        Ok(oracle)
    }

    fn list(&mut self, asset: Address, reserve: &ReserveSpec) -> Result<(), DeployError> {
        let rate = Rates::ray(reserve.market_borrow_rate);
        let set = SetupCalls::setMarketBorrowRateCall { asset, rate };
        self.deployer.call(self.rate_oracle, &set)?;
        let name = |kind: &str| format!("{kind}{}", reserve.symbol);
        let a_token = (self.pool, asset, TREASURY, name("a"), name("a"), Address::ZERO).abi_encode_params();
        let debt = |kind: &str| (self.pool, asset, name(kind), name(kind), Address::ZERO).abi_encode_params();
        let [stable, variable] = ["s", "v"].map(debt);
        let rates = strategy(self.provider, reserve.rates, reserve.stable_slopes);
        let init = ConfiguratorCalls::initReserveCall {
            aTokenImpl: self.deployer.deploy("AToken", &a_token)?,
            stableDebtTokenImpl: self.deployer.deploy("StableDebtToken", &stable)?,
            variableDebtTokenImpl: self.deployer.deploy("VariableDebtToken", &variable)?,
            underlyingAssetDecimals: reserve.decimals,
            interestRateStrategyAddress: self.deployer.deploy("DefaultReserveInterestRateStrategy", &rates)?,
        };
        self.configure(&init)?;
        if reserve.liquidation_threshold > 0 {
            self.configure(&ConfiguratorCalls::configureReserveAsCollateralCall {
                asset,
                ltv: U256::from(reserve.ltv),
                liquidationThreshold: U256::from(reserve.liquidation_threshold),
                liquidationBonus: U256::from(reserve.liquidation_bonus),
            })?;
        }
        if reserve.borrowing {
            self.configure(&ConfiguratorCalls::enableBorrowingOnReserveCall {
                asset,
                stableBorrowRateEnabled: reserve.stable_borrowing,
            })?;
        }
        let factor = U256::from(reserve.reserve_factor);
        self.configure(&ConfiguratorCalls::setReserveFactorCall {
            asset,
            reserveFactor: factor,
        })
        .map(|_| ())
    }

    fn listing(&mut self, asset: Address, source: Address) -> Result<Listing, DeployError> {
        let data = self
            .deployer
            .call(self.pool, &PoolCalls::getReserveDataCall { asset })?;
        Ok(Listing {
            asset,
            a_token: data.aTokenAddress,
            variable_debt: data.variableDebtTokenAddress,
            stable_debt: data.stableDebtTokenAddress,
            price_source: source,
        })
    }
}

impl<C: Chain> GenuineMarket<C> {
    /// Deploys a market on a chain, whose sender it makes the owner first.
    ///
    /// # Errors
    /// No contracts, or parameters that the configurator refuses.
    pub fn deploy_on(mut chain: C, spec: &MarketSpec) -> Result<Self, DeployError> {
        chain.act_as(OWNER);
        let mut setup = Setup {
            deployer: Deployer::new(chain, Box::new(artifact)),
            provider: Address::ZERO,
            pool: Address::ZERO,
            configurator: Address::ZERO,
            rate_oracle: Address::ZERO,
        };
        setup.core()?;
        let mut listed = Vec::new();
        for (id, reserve) in spec.reserves.iter().enumerate() {
            listed.push(setup.asset(id, reserve)?);
        }
        let oracle = setup.oracle(&listed)?;
        let mut listings = Vec::new();
        for (reserve, (asset, source)) in spec.reserves.iter().zip(listed) {
            setup.list(asset, reserve)?;
            listings.push(setup.listing(asset, source)?);
        }
        let receiver = setup
            .deployer
            .deploy("MockFlashLoanReceiver", &setup.provider.abi_encode())?;
        let mut market = Self {
            provider: setup.provider,
            pool: setup.pool,
            configurator: setup.configurator,
            oracle,
            rate_oracle: setup.rate_oracle,
            listings,
            receiver,
            chain: setup.deployer.chain,
        };
        for &user in &spec.users {
            market.endow(user)?;
        }
        Ok(market)
    }

    /// Gives a user 2^120 of every token and lets the pool take them.
    fn endow(&mut self, user: Address) -> Result<(), DeployError> {
        for asset in self.assets() {
            let mint = AssetCalls::mintCall {
                account: user,
                value: U256::ONE << 120,
            };
            let approve = AssetCalls::approveCall {
                spender: self.pool,
                amount: U256::MAX,
            };
            let minted = self.call_at(user, asset, &mint).map(|_| ());
            let done = minted.and_then(|()| self.call_at(user, asset, &approve).map(|_| ()));
            done.map_err(|failure| DeployError::Refused { call: "endow", failure })?;
        }
        Ok(())
    }
}
