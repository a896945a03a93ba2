use super::{CascadeError, TokenFlow, Trade};
use alloy_primitives::{Address, I256, U256};
use std::collections::BTreeMap;

/// Who got how much of what in a round; what lending markets hold is taken from their own books, before and after.
#[derive(Debug, Default)]
pub(super) struct Flows {
    before: BTreeMap<Address, U256>,
    moved: BTreeMap<Address, Moved>,
}

#[derive(Debug, Default)]
struct Moved {
    pools: I256,
    liquidators: I256,
    suppliers: I256,
    outside: I256,
}

const BEYOND: CascadeError = CascadeError::Overflow("what tokens moved in a round");

fn signed(amount: U256) -> Result<I256, CascadeError> {
    I256::try_from(amount).map_err(|_| BEYOND)
}

fn add(sum: &mut I256, more: I256) -> Result<(), CascadeError> {
    *sum = sum.checked_add(more).ok_or(BEYOND)?;
    Ok(())
}

impl Flows {
    /// Begins with what lending markets hold.
    pub(super) fn new(before: BTreeMap<Address, U256>) -> Self {
        Self {
            before,
            moved: BTreeMap::new(),
        }
    }

    fn of(&mut self, token: Address) -> &mut Moved {
        self.moved.entry(token).or_default()
    }

    /// A liquidator repays a market, which gives him collateral.
    pub(super) fn liquidated(&mut self, repaid: (Address, U256), seized: (Address, U256)) -> Result<(), CascadeError> {
        add(&mut self.of(repaid.0).liquidators, -signed(repaid.1)?)?;
        add(&mut self.of(seized.0).liquidators, signed(seized.1)?)
    }

    /// A liquidator sells. Without consequences for pools, the trade is with someone outside.
    pub(super) fn traded(&mut self, trade: &Trade, moves_pools: bool) -> Result<(), CascadeError> {
        let sides = [
            (trade.token_in, signed(trade.amount_in)?),
            (trade.token_out, -signed(trade.amount_out)?),
        ];
        for (token, amount) in sides {
            let moved = self.of(token);
            add(&mut moved.liquidators, -amount)?;
            if trade.pool.is_some() && moves_pools {
                add(&mut moved.pools, amount)?;
            } else {
                add(&mut moved.outside, amount)?;
            }
        }
        Ok(())
    }

    /// A supplier withdraws.
    pub(super) fn left(&mut self, token: Address, amount: U256) -> Result<(), CascadeError> {
        add(&mut self.of(token).suppliers, signed(amount)?)
    }

    /// Where everything is now.
    ///
    /// # Errors
    /// A token of which there is more or less than before.
    pub(super) fn settled(
        mut self,
        round: u32,
        after: &BTreeMap<Address, U256>,
    ) -> Result<Vec<TokenFlow>, CascadeError> {
        let mut flows = Vec::new();
        for token in after.keys().chain(self.before.keys()) {
            self.moved.entry(*token).or_default();
        }
        for (token, moved) in self.moved {
            let held = |at: &BTreeMap<Address, U256>| signed(at.get(&token).copied().unwrap_or_default());
            let lending = held(after)?.checked_sub(held(&self.before)?).ok_or(BEYOND)?;
            let parts = [moved.pools, moved.liquidators, moved.suppliers, moved.outside];
            let mut sum = lending;
            for part in parts {
                add(&mut sum, part)?;
            }
            if !sum.is_zero() {
                return Err(CascadeError::NotConserved {
                    round,
                    token,
                    more: sum.unsigned_abs(),
                    appeared: sum.is_positive(),
                });
            }
            let [pools, liquidators, suppliers, outside] = parts;
            if parts.iter().chain([&lending]).any(|part| !part.is_zero()) {
                flows.push(TokenFlow {
                    token,
                    lending,
                    pools,
                    liquidators,
                    suppliers,
                    outside,
                });
            }
        }
        Ok(flows)
    }
}
