use super::{
    Wrong,
    json::SourceRecord,
    value::{Exact, Hex, entry, place},
};
use alloy_primitives::Address;
use plimsoll_market::{CompoundV3Upgrade, LendingBody};
use plimsoll_protocols::compound_v3::{
    Account, Accounts, AssetConfig, AssetTotals, BASE_INDEX_SCALE, Comet, Configuration, Curve, MAX_ASSETS, Paused,
    Totals,
};
use serde::{Deserialize, Serialize};

/// What totals of principals fit.
const PRINCIPAL_END: u128 = 1 << 104;

/// A Comet.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    configuration: ConfigurationRecord,
    base_supply_index: Exact,
    base_borrow_index: Exact,
    total_supply_base: Exact,
    total_borrow_base: Exact,
    last_accrual_time_s: u64,
    paused: PausedRecord,
    balance: Exact,
    collateral: Vec<CollateralRecord>,
    upgrades: Vec<UpgradeRecord>,
    accounts: Vec<AccountRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigurationRecord {
    governor: Hex,
    pause_guardian: Hex,
    base_token: Hex,
    base_scale: Exact,
    supply: CurveRecord,
    borrow: CurveRecord,
    store_front_price_factor: Exact,
    base_borrow_min: Exact,
    target_reserves: Exact,
    assets: Vec<AssetRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurveRecord {
    base_per_second: Exact,
    slope_low_per_second: Exact,
    slope_high_per_second: Exact,
    kink: Exact,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssetRecord {
    asset: Hex,
    scale: Exact,
    borrow_collateral_factor: Exact,
    liquidate_collateral_factor: Exact,
    liquidation_factor: Exact,
    supply_cap: Exact,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PausedRecord {
    supply: bool,
    transfer: bool,
    withdraw: bool,
    absorb: bool,
    buy: bool,
}

/// What all accounts have supplied of one asset, and what Comet has of it; in the configuration's order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CollateralRecord {
    asset: Hex,
    total_supply_asset: Exact,
    balance: Exact,
}

/// What the Comet is from a later block on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpgradeRecord {
    block_number: u64,
    configuration: ConfigurationRecord,
    oracle: Vec<SourceRecord>,
}

/// One account: base supplied, or borrowed below zero, as principal; and its collateral.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountRecord {
    account: Hex,
    principal: Exact,
    collateral: Vec<HeldRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldRecord {
    asset: Hex,
    amount: Exact,
}

impl Record {
    pub(super) fn of(comet: &Comet, upgrades: &[CompoundV3Upgrade]) -> Self {
        let (configuration, totals) = (comet.configuration(), comet.totals());
        let collateral = configuration.assets.iter().zip(comet.asset_totals());
        Self {
            configuration: ConfigurationRecord::of(configuration),
            base_supply_index: Exact::of(totals.base_supply_index),
            base_borrow_index: Exact::of(totals.base_borrow_index),
            total_supply_base: Exact::of(totals.total_supply_base),
            total_borrow_base: Exact::of(totals.total_borrow_base),
            last_accrual_time_s: totals.last_accrual_time,
            paused: PausedRecord {
                supply: totals.paused.supply,
                transfer: totals.paused.transfer,
                withdraw: totals.paused.withdraw,
                absorb: totals.paused.absorb,
                buy: totals.paused.buy,
            },
            balance: Exact::of(totals.balance),
            collateral: collateral
                .map(|(info, totals)| CollateralRecord {
                    asset: Hex::of(info.asset),
                    total_supply_asset: Exact::of(totals.total_supply_asset),
                    balance: Exact::of(totals.balance),
                })
                .collect(),
            upgrades: upgrades
                .iter()
                .map(|upgrade| UpgradeRecord {
                    block_number: upgrade.block_number,
                    configuration: ConfigurationRecord::of(&upgrade.configuration),
                    oracle: upgrade
                        .sources
                        .iter()
                        .map(|(token, source)| SourceRecord::of(Hex::of(*token), *source))
                        .collect(),
                })
                .collect(),
            accounts: records(comet, comet.accounts()),
        }
    }

    pub(super) fn body(self) -> Result<LendingBody, Wrong> {
        const AT: &str = "compound_v3";
        let configuration = self.configuration.configuration(&place(AT, "configuration"))?;
        let time = self.last_accrual_time_s;
        let mut comet =
            Comet::new(configuration, time).map_err(|error| (place(AT, "last_accrual_time_s"), error.to_string()))?;
        let index = |record: &Exact, key: &str| {
            let index: u64 = record.get(AT, key)?;
            if index < BASE_INDEX_SCALE {
                return Err((
                    place(AT, key),
                    format!("{index} is below the index at the beginning, 10^15"),
                ));
            }
            Ok(index)
        };
        let total = |record: &Exact, key: &str| {
            let total: u128 = record.get(AT, key)?;
            if total >= PRINCIPAL_END {
                return Err((place(AT, key), format!("{total} does not fit 104 bits")));
            }
            Ok(total)
        };
        comet.set_totals(Totals {
            base_supply_index: index(&self.base_supply_index, "base_supply_index")?,
            base_borrow_index: index(&self.base_borrow_index, "base_borrow_index")?,
            total_supply_base: total(&self.total_supply_base, "total_supply_base")?,
            total_borrow_base: total(&self.total_borrow_base, "total_borrow_base")?,
            last_accrual_time: time,
            paused: Paused {
                supply: self.paused.supply,
                transfer: self.paused.transfer,
                withdraw: self.paused.withdraw,
                absorb: self.paused.absorb,
                buy: self.paused.buy,
            },
            balance: self.balance.get(AT, "balance")?,
        });
        let known = comet.configuration().assets.len();
        if self.collateral.len() != known {
            let reason = format!("{} assets, but the configuration has {known}", self.collateral.len());
            return Err((place(AT, "collateral"), reason));
        }
        for (index, record) in self.collateral.iter().enumerate() {
            let at = entry("compound_v3.collateral", index);
            let asset = record.asset.get(&at, "asset")?;
            if comet.configuration().assets.get(index).map(|info| info.asset) != Some(asset) {
                let reason = format!("{asset} is not the configuration's asset in this place");
                return Err((place(&at, "asset"), reason));
            }
            let totals = AssetTotals {
                total_supply_asset: record.total_supply_asset.get(&at, "total_supply_asset")?,
                balance: record.balance.get(&at, "balance")?,
            };
            if let Some(asset) = comet.asset_totals_mut().get_mut(index) {
                *asset = totals;
            }
        }
        let mut upgrades: Vec<CompoundV3Upgrade> = Vec::with_capacity(self.upgrades.len());
        for (index, record) in self.upgrades.into_iter().enumerate() {
            let at = entry("compound_v3.upgrades", index);
            if upgrades
                .last()
                .is_some_and(|last| last.block_number >= record.block_number)
            {
                return Err((
                    place(&at, "block_number"),
                    "it does not come after the one before".to_owned(),
                ));
            }
            upgrades.push(record.upgrade(&at)?);
        }
        let accounts = accounts(self.accounts, &comet, "compound_v3.accounts")?;
        *comet.accounts_mut() = accounts;
        Ok(LendingBody::CompoundV3 {
            comet: Box::new(comet),
            upgrades,
        })
    }
}

impl UpgradeRecord {
    fn upgrade(self, at: &str) -> Result<CompoundV3Upgrade, Wrong> {
        let mut sources: Vec<(Address, _)> = Vec::with_capacity(self.oracle.len());
        for (index, record) in self.oracle.into_iter().enumerate() {
            let at = place(at, &entry("oracle", index));
            let (token, source) = record.source(&at)?;
            if sources.last().is_some_and(|(last, _)| *last >= token) {
                return Err((place(&at, "asset"), "it does not come after the one before".to_owned()));
            }
            sources.push((token, source));
        }
        Ok(CompoundV3Upgrade {
            block_number: self.block_number,
            configuration: self.configuration.configuration(&place(at, "configuration"))?,
            sources,
        })
    }
}

impl ConfigurationRecord {
    fn of(configuration: &Configuration) -> Self {
        Self {
            governor: Hex::of(configuration.governor),
            pause_guardian: Hex::of(configuration.pause_guardian),
            base_token: Hex::of(configuration.base_token),
            base_scale: Exact::of(configuration.base_scale),
            supply: CurveRecord::of(&configuration.supply),
            borrow: CurveRecord::of(&configuration.borrow),
            store_front_price_factor: Exact::of(configuration.store_front_price_factor),
            base_borrow_min: Exact::of(configuration.base_borrow_min),
            target_reserves: Exact::of(configuration.target_reserves),
            assets: configuration
                .assets
                .iter()
                .map(|info| AssetRecord {
                    asset: Hex::of(info.asset),
                    scale: Exact::of(info.scale),
                    borrow_collateral_factor: Exact::of(info.borrow_collateral_factor),
                    liquidate_collateral_factor: Exact::of(info.liquidate_collateral_factor),
                    liquidation_factor: Exact::of(info.liquidation_factor),
                    supply_cap: Exact::of(info.supply_cap),
                })
                .collect(),
        }
    }

    fn configuration(self, at: &str) -> Result<Configuration, Wrong> {
        if self.assets.len() > MAX_ASSETS {
            let reason = format!(
                "{} assets of one Comet: at most {MAX_ASSETS} are known",
                self.assets.len()
            );
            return Err((place(at, "assets"), reason));
        }
        let base_token = self.base_token.get(at, "base_token")?;
        let mut assets: Vec<AssetConfig> = Vec::with_capacity(self.assets.len());
        for (index, record) in self.assets.iter().enumerate() {
            let at = place(at, &entry("assets", index));
            let asset = record.asset.get(&at, "asset")?;
            if asset == base_token || assets.iter().any(|known| known.asset == asset) {
                return Err((place(&at, "asset"), format!("{asset} is there twice")));
            }
            assets.push(AssetConfig {
                asset,
                scale: scale(&record.scale, &at, "scale")?,
                borrow_collateral_factor: record.borrow_collateral_factor.get(&at, "borrow_collateral_factor")?,
                liquidate_collateral_factor: record
                    .liquidate_collateral_factor
                    .get(&at, "liquidate_collateral_factor")?,
                liquidation_factor: record.liquidation_factor.get(&at, "liquidation_factor")?,
                supply_cap: record.supply_cap.get(&at, "supply_cap")?,
            });
        }
        Ok(Configuration {
            governor: self.governor.get(at, "governor")?,
            pause_guardian: self.pause_guardian.get(at, "pause_guardian")?,
            base_token,
            base_scale: scale(&self.base_scale, at, "base_scale")?,
            supply: self.supply.curve(&place(at, "supply"))?,
            borrow: self.borrow.curve(&place(at, "borrow"))?,
            store_front_price_factor: self.store_front_price_factor.get(at, "store_front_price_factor")?,
            base_borrow_min: self.base_borrow_min.get(at, "base_borrow_min")?,
            target_reserves: self.target_reserves.get(at, "target_reserves")?,
            assets,
        })
    }
}

/// One whole token: a power of ten.
fn scale(record: &Exact, at: &str, key: &str) -> Result<u64, Wrong> {
    let scale: u64 = record.get(at, key)?;
    let exact = scale.checked_ilog10().and_then(|decimals| 10u64.checked_pow(decimals));
    if exact == Some(scale) {
        return Ok(scale);
    }
    Err((place(at, key), format!("{scale} is no power of ten")))
}

impl CurveRecord {
    fn of(curve: &Curve) -> Self {
        Self {
            base_per_second: Exact::of(curve.base_per_second),
            slope_low_per_second: Exact::of(curve.slope_low_per_second),
            slope_high_per_second: Exact::of(curve.slope_high_per_second),
            kink: Exact::of(curve.kink),
        }
    }

    fn curve(&self, at: &str) -> Result<Curve, Wrong> {
        Ok(Curve {
            base_per_second: self.base_per_second.get(at, "base_per_second")?,
            slope_low_per_second: self.slope_low_per_second.get(at, "slope_low_per_second")?,
            slope_high_per_second: self.slope_high_per_second.get(at, "slope_high_per_second")?,
            kink: self.kink.get(at, "kink")?,
        })
    }
}

/// Accounts as records, by address.
pub(super) fn records(comet: &Comet, accounts: &Accounts) -> Vec<AccountRecord> {
    let mut accounts: Vec<(Address, &Account)> = accounts.iter().collect();
    accounts.sort_unstable_by_key(|(address, _)| *address);
    let assets = &comet.configuration().assets;
    let token = |place: u8| assets.get(usize::from(place)).map_or(Address::ZERO, |info| info.asset);
    let record = |(address, account): (Address, &Account)| AccountRecord {
        account: Hex::of(address),
        principal: Exact::of(account.principal()),
        collateral: account
            .collateral()
            .iter()
            .map(|(place, amount)| HeldRecord {
                asset: Hex::of(token(*place)),
                amount: Exact::of(amount),
            })
            .collect(),
    };
    accounts.into_iter().map(record).collect()
}

/// Accounts out of records; `list` is their key.
pub(super) fn accounts(records: Vec<AccountRecord>, comet: &Comet, list: &str) -> Result<Accounts, Wrong> {
    let mut accounts = Accounts::default();
    for (index, record) in records.into_iter().enumerate() {
        let at = entry(list, index);
        let address = record.account.get(&at, "account")?;
        if accounts.get(address).is_some() {
            return Err((place(&at, "account"), format!("{address} is there twice")));
        }
        let principal: i128 = record.principal.get(&at, "principal")?;
        if principal.unsigned_abs() >= PRINCIPAL_END / 2 {
            return Err((place(&at, "principal"), format!("{principal} does not fit 104 bits")));
        }
        accounts.set_principal(address, principal);
        for (index, held) in record.collateral.iter().enumerate() {
            let at = place(&at, &entry("collateral", index));
            let asset = held.asset.get(&at, "asset")?;
            let (number, _) = comet
                .configuration()
                .asset(asset)
                .map_err(|_| (place(&at, "asset"), format!("{asset} is no collateral of this Comet")))?;
            if accounts.collateral(address, number) != 0 {
                return Err((place(&at, "asset"), "it is there twice".to_owned()));
            }
            let amount = held.amount.get(&at, "amount")?;
            accounts.set_collateral(address, number, amount);
        }
        if accounts.get(address).is_none() {
            return Err((at, format!("{address} has nothing and owes nothing")));
        }
    }
    Ok(accounts)
}
