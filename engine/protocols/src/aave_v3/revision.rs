//! Which rules a pool lives by: its revision, read from `POOL_REVISION` or from an `Upgraded` log's block.

use super::scaled_balance::Scaling;

/// A release of the pool's code.
///
/// Only [`V3_0_2`](Self::V3_0_2) and [`V3_6`](Self::V3_6) are held against published bytecode. What stands here for the others
/// rests on the written rules of their releases and on what the two neighbours do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 3.0.2: string codes, the aToken's own balance as liquidity, stable debt, half-up roundings. Judged by bytecode.
    V3_0_2,
    /// 3.1: virtual balance, frozen reserves lose their LTV, grace periods. Written rules only.
    V3_1,
    /// 3.2: no stable debt, categories of efficiency mode as bitmaps. Written rules only.
    V3_2,
    /// 3.3: deficit, close factor of the whole position, no dust left behind. Written rules only.
    V3_3,
    /// 3.4: compounding by the series of the exponential, premiums to the treasury, custom errors. Written rules only.
    V3_4,
    /// 3.5: roundings that favour the protocol. Written rules only.
    V3_5,
    /// 3.6: LTV zero and borrowing by category of efficiency mode. Judged by bytecode.
    V3_6,
    /// 3.7: liquidations round for the protocol too; no isolation mode, no siloed borrowing. Written rules only.
    V3_7,
}

/// A `POOL_REVISION` that no known release has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown revision {0} of an Aave v3 pool")]
pub struct UnknownRevision(pub u64);

impl Revision {
    /// Every known release, oldest first.
    pub const ALL: [Self; 8] = [
        Self::V3_0_2,
        Self::V3_1,
        Self::V3_2,
        Self::V3_3,
        Self::V3_4,
        Self::V3_5,
        Self::V3_6,
        Self::V3_7,
    ];

    /// The release that says this of itself (`POOL_REVISION`).
    ///
    /// # Errors
    /// A number that no known release has.
    pub const fn from_pool_revision(revision: u64) -> Result<Self, UnknownRevision> {
        Ok(match revision {
            // The package of 3.0.2 says 1; markets that were upgraded to it say 2 or 3.
            1..=3 => Self::V3_0_2,
            4 => Self::V3_1,
            5 => Self::V3_2,
            6 => Self::V3_3,
            7 | 8 => Self::V3_4,
            9 => Self::V3_5,
            10 => Self::V3_6,
            11 => Self::V3_7,
            _ => return Err(UnknownRevision(revision)),
        })
    }

    /// Whether published bytecode stands behind the rules; else they are written rules only.
    pub const fn judged_by_bytecode(self) -> bool {
        matches!(self, Self::V3_0_2 | Self::V3_6)
    }

    /// Whether a reserve counts its liquidity itself (from 3.1) or asks its token for the aToken's balance.
    pub fn virtual_balance(self) -> bool {
        self >= Self::V3_1
    }

    /// Whether categories of efficiency mode list their reserves (from 3.2), or a reserve names its one category.
    pub fn e_mode_bitmaps(self) -> bool {
        self >= Self::V3_2
    }

    /// Whether debt without collateral becomes a deficit, and the close factor regards the whole position (from 3.3).
    pub fn deficit(self) -> bool {
        self >= Self::V3_3
    }

    /// Whether flash premiums are the treasury's and debt compounds by the series of the exponential (from 3.4).
    pub fn premium_to_treasury(self) -> bool {
        self >= Self::V3_4
    }

    /// Whether reverts are custom errors (from 3.4) rather than string codes.
    pub fn custom_errors(self) -> bool {
        self >= Self::V3_4
    }

    /// Whether LTV zero and borrowing are settled by category of efficiency mode (from 3.6).
    pub fn e_mode_ltv_zero(self) -> bool {
        self >= Self::V3_6
    }

    /// Whether isolation mode and siloed borrowing exist (up to 3.6).
    pub fn isolation(self) -> bool {
        self <= Self::V3_6
    }

    /// How amounts and scaled amounts turn into each other.
    pub fn scaling(self) -> Scaling {
        if self >= Self::V3_5 {
            Scaling::ForTheProtocol
        } else {
            Scaling::HalfUp
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_revision_is_refused_by_name() {
        assert_eq!(Revision::from_pool_revision(1), Ok(Revision::V3_0_2));
        assert_eq!(Revision::from_pool_revision(10), Ok(Revision::V3_6));
        for unknown in [0, 12, u64::MAX] {
            let error = Revision::from_pool_revision(unknown).expect_err("unknown");
            assert_eq!(
                error.to_string(),
                format!("unknown revision {unknown} of an Aave v3 pool")
            );
        }
    }
}
