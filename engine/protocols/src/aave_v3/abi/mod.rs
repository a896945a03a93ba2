//! The events of pool, tokens, configurator and rate strategy, and their decoding.

mod configurator_events;
mod oracle_events;
mod pool_events;
mod proxy_events;
mod token_events;

pub use configurator_events::{ConfiguratorEvent, RateStrategyEvent, configurator, rate_strategy};
pub use oracle_events::{AssetSourceUpdated, oracle};
pub use pool_events::{PoolEvent, pool};
pub use proxy_events::{is_of_proxy, is_upgrade, proxy};
pub use token_events::{TokenEvent, token};

use alloy_primitives::Address;

/// What one of a market's contracts says it did. Fields are named as the contracts name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The pool, which users and liquidators call.
    Pool(PoolEvent),
    /// An aToken or a debt token, with its address.
    Token(Address, TokenEvent),
    /// The configurator, which changes reserves' parameters.
    Configurator(ConfiguratorEvent),
    /// The rate strategy that all reserves share (from 3.1).
    RateStrategy(RateStrategyEvent),
}

/// An enumeration over events of one contract, with its decoding.
macro_rules! events {
    ($(#[$doc:meta])* $name:ident, $role:literal, $module:ident { $($(#[$event_doc:meta])* $event:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($(#[$event_doc])* $event($module::$event),)*
        }

        impl $name {
            /// Reads one log.
            ///
            /// # Errors
            /// A topic that the contract does not emit, or fields that do not fit their types.
            pub fn decode(log: &crate::RawLog) -> Result<Self, crate::DecodeError> {
                use alloy_sol_types::SolEvent;
                Ok(match log.topics.first().copied().unwrap_or_default() {
                    $($module::$event::SIGNATURE_HASH => {
                        Self::$event(crate::decode::fields(log, stringify!($event))?)
                    })*
                    _ => return Err(crate::decode::unknown_topic(log, $role)),
                })
            }
        }
    };
}
use events;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawLog;
    use alloy_primitives::{B256, Bytes, U256};
    use alloy_sol_types::SolEvent;
    use plimsoll_units::LogRef;

    fn log<E: SolEvent>(event: &E) -> RawLog {
        let encoded = event.encode_log_data();
        RawLog {
            at: LogRef {
                block_number: 7,
                transaction_index: 1,
                log_index: 2,
                transaction_hash: B256::ZERO,
            },
            block_timestamp: None,
            address: Address::repeat_byte(0x33),
            topics: encoded.topics().to_vec(),
            data: encoded.data,
        }
    }

    fn borrow() -> pool::Borrow {
        pool::Borrow {
            reserve: Address::repeat_byte(1),
            user: Address::repeat_byte(2),
            onBehalfOf: Address::repeat_byte(3),
            amount: U256::from(4),
            interestRateMode: 2,
            borrowRate: U256::from(5),
            referralCode: 6,
        }
    }

    #[test]
    fn a_log_of_the_wrong_shape_is_refused_by_name() {
        let genuine = log(&borrow());
        assert_eq!(PoolEvent::decode(&genuine), Ok(PoolEvent::Borrow(borrow())));
        let (mut longer, mut shorter, mut wider, mut untold) =
            (genuine.clone(), genuine.clone(), genuine.clone(), genuine);
        longer.data = [&longer.data[..], &[0]].concat().into();
        shorter.data = Bytes::copy_from_slice(&shorter.data[..127]);
        // The first word is the user: an address over 160 bits.
        wider.data = [&[1], &wider.data[1..]].concat().into();
        untold.topics.pop();
        for wrong in [longer, shorter, wider, untold] {
            let error = PoolEvent::decode(&wrong).expect_err("malformed").to_string();
            assert!(
                error.starts_with("block 7, transaction index 1, log index 2"),
                "{error}"
            );
            assert!(error.contains("malformed Borrow log"), "{error}");
        }
    }

    #[test]
    fn a_log_of_another_contract_is_refused_by_name() {
        let log = log(&borrow());
        let named = |error: crate::DecodeError, role: &str| {
            assert!(error.to_string().contains(&format!("is no {role}")), "{error}");
        };
        named(TokenEvent::decode(&log).expect_err("the pool's"), "Aave v3 token");
        named(
            ConfiguratorEvent::decode(&log).expect_err("the pool's"),
            "Aave v3 pool configurator",
        );
        named(
            RateStrategyEvent::decode(&log).expect_err("the pool's"),
            "Aave v3 rate strategy",
        );
        let transfer = token::Transfer {
            from: Address::ZERO,
            to: Address::ZERO,
            value: U256::ONE,
        };
        named(
            PoolEvent::decode(&self::log(&transfer)).expect_err("a token's"),
            "Aave v3 pool",
        );
    }
}
