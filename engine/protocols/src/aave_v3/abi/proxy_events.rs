//! What a market's proxies say of themselves.

use crate::RawLog;
use alloy_sol_types::SolEvent;

/// The events of proxies and of the initializing of what is behind them (`BaseUpgradeabilityProxy`, `Initializable`,
/// `IInitializableAToken`, `IInitializableDebtToken`).
#[allow(missing_docs)] // The names are the contracts'.
pub mod proxy {
    alloy_sol_types::sol! {
        #![sol(all_derives)]
        event Upgraded(address indexed implementation);
        event AdminChanged(address previousAdmin, address newAdmin);
        event Initialized(uint64 version);
    }

    /// Of OpenZeppelin's fourth version.
    pub mod initializable {
        alloy_sol_types::sol! {
            event Initialized(uint8 version);
        }
    }

    /// Of an aToken.
    pub mod a_token {
        alloy_sol_types::sol! {
            event Initialized(address indexed underlyingAsset, address indexed pool, address treasury, address incentivesController, uint8 aTokenDecimals, string aTokenName, string aTokenSymbol, bytes params);
        }
    }

    /// Of a debt token.
    pub mod debt_token {
        alloy_sol_types::sol! {
            event Initialized(address indexed underlyingAsset, address indexed pool, address incentivesController, uint8 debtTokenDecimals, string debtTokenName, string debtTokenSymbol, bytes params);
        }
    }
}

/// Whether a log says that a proxy runs another implementation from here on.
pub fn is_upgrade(log: &RawLog) -> bool {
    log.topics.first() == Some(&proxy::Upgraded::SIGNATURE_HASH)
}

/// Whether a log is of a proxy's own life: it changes no number of the market, but an upgrade may change the rules.
pub fn is_of_proxy(log: &RawLog) -> bool {
    let topics = [
        proxy::Upgraded::SIGNATURE_HASH,
        proxy::AdminChanged::SIGNATURE_HASH,
        proxy::Initialized::SIGNATURE_HASH,
        proxy::initializable::Initialized::SIGNATURE_HASH,
        proxy::a_token::Initialized::SIGNATURE_HASH,
        proxy::debt_token::Initialized::SIGNATURE_HASH,
    ];
    log.topics.first().is_some_and(|topic| topics.contains(topic))
}
