use super::{
    calls::{
        AssetCalls, ConfiguratorCalls, FirstConfiguratorCalls, LaterConfiguratorCalls, PoolCalls, PriceSourceCalls,
        SetupCalls,
    },
    market::{GenuineMarket, Listing},
    origin,
    spec::{MarketSpec, Rates, ReserveSpec, Version},
};
use crate::{
    AAVE_V3_CORE, Chain, artifacts,
    deployer::{Artifacts, DeployError, Deployer},
    linkable::Linkable,
    stubs,
};
use alloy_primitives::{Address, Bytes, I256, U256};
use alloy_sol_types::{SolCall, SolValue};
use std::collections::BTreeMap;

/// Where the treasury's aTokens go.
pub const TREASURY: Address = Address::repeat_byte(0x7e);
/// Who deploys, and has every role.
pub const OWNER: Address = Address::repeat_byte(0xad);

/// Where what 3.0.2 is deployed from lies in its package, under `artifacts/contracts`.
const PLACES: [(&str, &str); 20] = [
    ("ACLManager", "protocol/configuration"),
    ("AToken", "protocol/tokenization"),
    ("AaveOracle", "misc"),
    ("AaveProtocolDataProvider", "misc"),
    ("BorrowLogic", "protocol/libraries/logic"),
    ("BridgeLogic", "protocol/libraries/logic"),
    ("ConfiguratorLogic", "protocol/libraries/logic"),
    ("DefaultReserveInterestRateStrategy", "protocol/pool"),
    ("EModeLogic", "protocol/libraries/logic"),
    ("FlashLoanLogic", "protocol/libraries/logic"),
    ("LiquidationLogic", "protocol/libraries/logic"),
    ("MintableERC20", "mocks/tokens"),
    ("MockFlashLoanReceiver", "mocks/flashloan"),
    ("Pool", "protocol/pool"),
    ("PoolAddressesProvider", "protocol/configuration"),
    ("PoolConfigurator", "protocol/pool"),
    ("PoolLogic", "protocol/libraries/logic"),
    ("StableDebtToken", "protocol/tokenization"),
    ("SupplyLogic", "protocol/libraries/logic"),
    ("VariableDebtToken", "protocol/tokenization"),
];

/// An artifact of 3.0.2.
fn artifact_of_core(name: &str) -> Result<Linkable, DeployError> {
    if name == "MockFlashLoanSimpleReceiver" {
        let file = "mocks/flashloan/MockSimpleFlashLoanReceiver.sol/MockFlashLoanSimpleReceiver";
        return Ok(artifacts::linkable(
            &AAVE_V3_CORE,
            &format!("artifacts/contracts/{file}.json"),
        )?);
    }
    let place = PLACES.iter().find(|(known, _)| *known == name);
    let (_, folder) = place.ok_or_else(|| DeployError::NotDeployed(name.to_owned()))?;
    let file = format!("artifacts/contracts/{folder}/{name}.sol/{name}.json");
    Ok(artifacts::linkable(&AAVE_V3_CORE, &file)?)
}

/// Where the contracts of a version come from.
fn artifacts_of(version: Version) -> Result<Artifacts, DeployError> {
    let compiled = match version {
        Version::V3_0_2 => BTreeMap::new(),
        Version::V3_6_0 => origin::contracts()?,
    };
    // The tokens and the receivers of flash loans are 3.0.2's throughout.
    Ok(Box::new(move |name| match compiled.get(name) {
        Some(code) => Ok(code.clone()),
        None => artifact_of_core(name),
    }))
}

/// A deployment on its way.
struct Setup<C> {
    deployer: Deployer<C>,
    provider: Address,
    configurator: Address,
}

impl<C: Chain> Setup<C> {
    fn deploy(&mut self, name: &str, arguments: &[u8]) -> Result<Address, DeployError> {
        self.deployer.deploy(name, arguments)
    }

    fn call<F: SolCall>(&mut self, to: Address, call: &F) -> Result<F::Return, DeployError> {
        self.deployer.call(to, call)
    }

    fn configure<F: SolCall>(&mut self, call: &F) -> Result<F::Return, DeployError> {
        self.call(self.configurator, call)
    }

    /// Provider, roles, pool and configurator; returns the pool.
    fn core(&mut self, version: Version) -> Result<Address, DeployError> {
        let market_id = ("Devnet", OWNER).abi_encode_params();
        let provider = self.deploy("PoolAddressesProvider", &market_id)?;
        self.provider = provider;
        let (pool, configurator) = match version {
            Version::V3_0_2 => {
                let pool = self.deploy("Pool", &provider.abi_encode())?;
                (pool, self.deploy("PoolConfigurator", &[])?)
            }
            Version::V3_6_0 => {
                let strategy = self.deploy("DefaultReserveInterestRateStrategyV2", &provider.abi_encode())?;
                let pool = self.deploy("PoolInstance", &(provider, strategy).abi_encode())?;
                (pool, self.deploy("PoolConfiguratorInstance", &[])?)
            }
        };
        self.call(provider, &SetupCalls::setACLAdminCall { newAclAdmin: OWNER })?;
        let acl = self.deploy("ACLManager", &provider.abi_encode())?;
        self.call(provider, &SetupCalls::setACLManagerCall { newAclManager: acl })?;
        self.call(acl, &SetupCalls::addPoolAdminCall { admin: OWNER })?;
        self.call(acl, &SetupCalls::addEmergencyAdminCall { admin: OWNER })?;
        self.call(acl, &SetupCalls::addAssetListingAdminCall { admin: OWNER })?;
        self.call(acl, &SetupCalls::addRiskAdminCall { admin: OWNER })?;
        self.call(provider, &SetupCalls::setPoolImplCall { newPoolImpl: pool })?;
        let new = configurator;
        self.call(
            provider,
            &SetupCalls::setPoolConfiguratorImplCall {
                newPoolConfiguratorImpl: new,
            },
        )?;
        let pool = self.call(provider, &SetupCalls::getPoolCall {})?;
        self.configurator = self.call(provider, &SetupCalls::getPoolConfiguratorCall {})?;
        let data = self.deploy("AaveProtocolDataProvider", &provider.abi_encode())?;
        self.call(provider, &SetupCalls::setPoolDataProviderCall { newDataProvider: data })?;
        if version == Version::V3_6_0 {
            // Who may eliminate a deficit.
            let mut umbrella = [0; 32];
            umbrella[..8].copy_from_slice(b"UMBRELLA");
            self.call(
                provider,
                &SetupCalls::setAddressCall {
                    id: umbrella.into(),
                    newAddress: OWNER,
                },
            )?;
        }
        Ok(pool)
    }

    /// A token with its price feed.
    fn asset(&mut self, id: usize, reserve: &ReserveSpec) -> Result<(Address, Address), DeployError> {
        let asset = match reserve.asset {
            Some(asset) => asset,
            None => {
                let arguments = (reserve.symbol, reserve.symbol, U256::from(reserve.decimals)).abi_encode_params();
                self.deploy("MintableERC20", &arguments)?
            }
        };
        let source = price_source(id);
        self.deployer
            .chain
            .set_code(source, Bytes::from_static(stubs::PRICE_SOURCE));
        let answer = I256::try_from(reserve.price).unwrap_or_default();
        self.call(source, &PriceSourceCalls::submitCall { answer })?;
        Ok((asset, source))
    }

    fn oracle(&mut self, listed: &[(Address, Address)]) -> Result<Address, DeployError> {
        let (assets, sources): (Vec<_>, Vec<_>) = listed.iter().copied().unzip();
        let unit = U256::from(100_000_000);
        let arguments = (self.provider, assets, sources, Address::ZERO, Address::ZERO, unit).abi_encode_params();
        let oracle = self.deploy("AaveOracle", &arguments)?;
        let set = SetupCalls::setPriceOracleCall { newPriceOracle: oracle };
        self.call(self.provider, &set)?;
        Ok(oracle)
    }

    fn list_first(&mut self, pool: Address, spec: &MarketSpec, assets: &[Address]) -> Result<(), DeployError> {
        let a_token = self.deploy("AToken", &pool.abi_encode())?;
        let stable = self.deploy("StableDebtToken", &pool.abi_encode())?;
        let variable = self.deploy("VariableDebtToken", &pool.abi_encode())?;
        let mut input = Vec::new();
        for (reserve, &asset) in spec.reserves.iter().zip(assets) {
            let arguments = first_strategy(self.provider, reserve.rates);
            let symbol = reserve.symbol;
            input.push(FirstConfiguratorCalls::InitReserveInput {
                aTokenImpl: a_token,
                stableDebtTokenImpl: stable,
                variableDebtTokenImpl: variable,
                underlyingAssetDecimals: reserve.decimals,
                interestRateStrategyAddress: self.deploy("DefaultReserveInterestRateStrategy", &arguments)?,
                underlyingAsset: asset,
                treasury: TREASURY,
                incentivesController: Address::ZERO,
                aTokenName: format!("a{symbol}"),
                aTokenSymbol: format!("a{symbol}"),
                variableDebtTokenName: format!("v{symbol}"),
                variableDebtTokenSymbol: format!("v{symbol}"),
                stableDebtTokenName: format!("s{symbol}"),
                stableDebtTokenSymbol: format!("s{symbol}"),
                params: Bytes::new(),
            });
        }
        self.configure(&FirstConfiguratorCalls::initReservesCall { input })
            .map(|_| ())
    }

    fn list_later(&mut self, pool: Address, spec: &MarketSpec, assets: &[Address]) -> Result<(), DeployError> {
        let arguments = (pool, Address::ZERO, TREASURY).abi_encode();
        let a_token = self.deploy("ATokenInstance", &arguments)?;
        let variable = self.deploy("VariableDebtTokenInstance", &(pool, Address::ZERO).abi_encode())?;
        let listing = |(reserve, &asset): (&ReserveSpec, &Address)| {
            let symbol = reserve.symbol;
            LaterConfiguratorCalls::InitReserveInput {
                aTokenImpl: a_token,
                variableDebtTokenImpl: variable,
                underlyingAsset: asset,
                aTokenName: format!("a{symbol}"),
                aTokenSymbol: format!("a{symbol}"),
                variableDebtTokenName: format!("v{symbol}"),
                variableDebtTokenSymbol: format!("v{symbol}"),
                params: Bytes::new(),
                interestRateData: later_rates(reserve.rates),
            }
        };
        let input = spec.reserves.iter().zip(assets).map(listing).collect();
        self.configure(&LaterConfiguratorCalls::initReservesCall { input })
            .map(|_| ())
    }

    /// A reserve's parameters, where they are not what a new reserve has.
    fn parameters(&mut self, asset: Address, reserve: &ReserveSpec) -> Result<(), DeployError> {
        let number = U256::from::<u64>;
        if reserve.liquidation_threshold > 0 {
            self.configure(&ConfiguratorCalls::configureReserveAsCollateralCall {
                asset,
                ltv: U256::from(reserve.ltv),
                liquidationThreshold: U256::from(reserve.liquidation_threshold),
                liquidationBonus: U256::from(reserve.liquidation_bonus),
            })?;
        }
        let enabled = reserve.borrowing;
        self.configure(&ConfiguratorCalls::setReserveBorrowingCall { asset, enabled })?;
        let enabled = reserve.flash_loans;
        self.configure(&ConfiguratorCalls::setReserveFlashLoaningCall { asset, enabled })?;
        let new = U256::from(reserve.reserve_factor);
        self.configure(&ConfiguratorCalls::setReserveFactorCall {
            asset,
            newReserveFactor: new,
        })?;
        if reserve.liquidation_protocol_fee > 0 {
            let fee = U256::from(reserve.liquidation_protocol_fee);
            self.configure(&ConfiguratorCalls::setLiquidationProtocolFeeCall { asset, newFee: fee })?;
        }
        if reserve.supply_cap > 0 {
            let cap = number(reserve.supply_cap);
            self.configure(&ConfiguratorCalls::setSupplyCapCall {
                asset,
                newSupplyCap: cap,
            })?;
        }
        if reserve.borrow_cap > 0 {
            let cap = number(reserve.borrow_cap);
            self.configure(&ConfiguratorCalls::setBorrowCapCall {
                asset,
                newBorrowCap: cap,
            })?;
        }
        if reserve.debt_ceiling > 0 {
            let ceiling = number(reserve.debt_ceiling);
            self.configure(&ConfiguratorCalls::setDebtCeilingCall {
                asset,
                newDebtCeiling: ceiling,
            })?;
        }
        if reserve.siloed {
            self.configure(&ConfiguratorCalls::setSiloedBorrowingCall { asset, siloed: true })?;
        }
        if reserve.borrowable_in_isolation {
            let set = ConfiguratorCalls::setBorrowableInIsolationCall {
                asset,
                borrowable: true,
            };
            self.configure(&set)?;
        }
        Ok(())
    }

    fn listing(&mut self, pool: Address, asset: Address, source: Address) -> Result<Listing, DeployError> {
        let data = self.call(pool, &PoolCalls::getReserveDataCall { asset })?;
        Ok(Listing {
            asset,
            a_token: data.aTokenAddress,
            variable_debt: data.variableDebtTokenAddress,
            stable_debt: data.stableDebtTokenAddress,
            price_source: source,
        })
    }
}

/// Where the price feed of a reserve is.
pub(crate) fn price_source(id: usize) -> Address {
    let [.., low] = id.to_be_bytes();
    let mut address = Address::repeat_byte(0xfe);
    address.0[19] = low;
    address
}

/// The arguments of 3.0.2's strategy; its stable rates are what a market without stable borrowing has.
pub(super) fn first_strategy(provider: Address, rates: Rates) -> Vec<u8> {
    let stable = [0, 0, 200, 500, 2_000].map(Rates::ray);
    let variable = [u32::from(rates.optimal_usage), rates.base, rates.slope1, rates.slope2].map(Rates::ray);
    (provider, variable, stable).abi_encode()
}

/// The rates as 3.6 takes them.
pub(super) fn later_rates(rates: Rates) -> Bytes {
    let words = [u32::from(rates.optimal_usage), rates.base, rates.slope1, rates.slope2];
    words.map(U256::from).abi_encode().into()
}

impl<C: Chain> GenuineMarket<C> {
    /// Deploys a market on a chain, whose sender it makes the owner first.
    ///
    /// # Errors
    /// No contracts, or parameters that the configurator refuses.
    pub fn deploy_on(mut chain: C, spec: &MarketSpec) -> Result<Self, DeployError> {
        chain.act_as(OWNER);
        let mut setup = Setup {
            deployer: Deployer::new(chain, artifacts_of(spec.version)?),
            provider: Address::ZERO,
            configurator: Address::ZERO,
        };
        let pool = setup.core(spec.version)?;
        let mut listed = Vec::new();
        for (id, reserve) in spec.reserves.iter().enumerate() {
            listed.push(setup.asset(id, reserve)?);
        }
        let oracle = setup.oracle(&listed)?;
        let assets: Vec<Address> = listed.iter().map(|(asset, _)| *asset).collect();
        match spec.version {
            Version::V3_0_2 => setup.list_first(pool, spec, &assets)?,
            Version::V3_6_0 => setup.list_later(pool, spec, &assets)?,
        }
        let mut listings = Vec::new();
        for (reserve, (asset, source)) in spec.reserves.iter().zip(listed) {
            setup.parameters(asset, reserve)?;
            listings.push(setup.listing(pool, asset, source)?);
        }
        let provider = setup.provider;
        let receiver = setup.deploy("MockFlashLoanReceiver", &provider.abi_encode())?;
        let simple_receiver = setup.deploy("MockFlashLoanSimpleReceiver", &provider.abi_encode())?;
        let mut market = Self {
            version: spec.version,
            provider,
            pool,
            configurator: setup.configurator,
            oracle,
            listings,
            receiver,
            simple_receiver,
            chain: setup.deployer.chain,
        };
        for e_mode in &spec.e_modes {
            market
                .set_e_mode_category(e_mode)
                .map_err(|failure| DeployError::Refused {
                    call: "setEModeCategory",
                    failure,
                })?;
        }
        for &user in &spec.users {
            market.endow(user)?;
        }
        Ok(market)
    }

    /// Gives a user 2^120 of every token and lets the pool take them.
    ///
    /// # Errors
    /// How it failed.
    pub fn endow(&mut self, user: Address) -> Result<(), DeployError> {
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

/// Creation code with the arguments of 3.0.2's strategy behind it.
pub(super) fn first_strategy_code(provider: Address, rates: Rates) -> Result<Bytes, DeployError> {
    let code = artifact_of_core("DefaultReserveInterestRateStrategy")?;
    let code = code
        .linked(&BTreeMap::new())
        .ok_or_else(|| DeployError::NotDeployed("DefaultReserveInterestRateStrategy".to_owned()))?;
    Ok([&code[..], &first_strategy(provider, rates)].concat().into())
}
