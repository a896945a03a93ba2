//! Numbers and addresses as the JSON spells them: exact numbers as decimal strings, addresses with their checksum.

use super::Wrong;
use crate::error::excerpt;
use alloy_primitives::{Address, B256, I256, U256};
use serde::{Deserialize, Serialize};
use std::{fmt::Display, str::FromStr};

/// A number of any width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Exact(String);

impl Exact {
    pub(super) fn of(number: impl Display) -> Self {
        Self(number.to_string())
    }

    /// The number, where it is one and fits its type.
    pub(super) fn get<T: Number>(&self, at: &str, key: &str) -> Result<T, Wrong> {
        let digits = if T::SIGNED {
            self.0.strip_prefix('-').unwrap_or(&self.0)
        } else {
            &self.0
        };
        let text = excerpt(self.0.as_bytes());
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err((place(at, key), format!("expected decimal digits, got {text}")));
        }
        T::from_str(&self.0).map_err(|_| (place(at, key), format!("{text} does not fit {} bits", T::BITS)))
    }
}

/// What a number may be.
pub(super) trait Number: FromStr {
    const BITS: u16;
    const SIGNED: bool;
}

impl Number for u64 {
    const BITS: u16 = 64;
    const SIGNED: bool = false;
}

impl Number for i128 {
    const BITS: u16 = 128;
    const SIGNED: bool = true;
}

impl Number for u128 {
    const BITS: u16 = 128;
    const SIGNED: bool = false;
}

impl Number for U256 {
    const BITS: u16 = 256;
    const SIGNED: bool = false;
}

impl Number for I256 {
    const BITS: u16 = 256;
    const SIGNED: bool = true;
}

/// An address with its checksum (EIP-55).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Hex(String);

impl Hex {
    pub(super) fn of(address: Address) -> Self {
        Self(address.to_string())
    }

    /// The address, where it is one and its checksum is right.
    pub(super) fn get(&self, at: &str, key: &str) -> Result<Address, Wrong> {
        Address::parse_checksummed(&self.0, None).map_err(|error| {
            let text = excerpt(self.0.as_bytes());
            (
                place(at, key),
                format!("{text} is no address with its checksum: {error}"),
            )
        })
    }
}

/// A block's hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Hash(String);

impl Hash {
    pub(super) fn of(hash: B256) -> Self {
        Self(hash.to_string())
    }

    pub(super) fn get(&self, key: &str) -> Result<B256, Wrong> {
        crate::logs::field::hash(&self.0).map_err(|reason| (key.to_owned(), reason))
    }
}

/// A key below another one.
pub(super) fn place(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

/// An entry of a list.
pub(super) fn entry(list: &str, index: usize) -> String {
    format!("{list}[{index}]")
}
