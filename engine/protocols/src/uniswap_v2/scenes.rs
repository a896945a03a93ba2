//! Random pairs and random calls on them, at ordinary and at extreme sizes.

use super::*;
use alloy_primitives::{Address, U256, aliases::U112};
use plimsoll_units::Side;
use proptest::{collection::vec, prelude::*};

pub(super) const ADDRESS: Address = Address::repeat_byte(0x22);
pub(super) const PROVIDERS: [Address; 3] = [Address::repeat_byte(0xa1), Address::repeat_byte(0xa2), ADDRESS];
const PROTOCOL: Address = Address::repeat_byte(0xfe);
pub(super) const PARAMS: PairParams = PairParams {
    address: ADDRESS,
    token0: Address::with_last_byte(1),
    token1: Address::with_last_byte(2),
};

/// One call. What it needs is paid to the pair with it; a payer or receiver is one of a few.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Mint {
        who: u8,
        paid: (U256, U256),
    },
    /// In the reserves' ratio: this much of token0.
    MintEvenly {
        who: u8,
        amount0: U256,
    },
    Burn {
        who: u8,
        /// Of 255 parts of what the provider has.
        part: u8,
    },
    Trade {
        up: bool,
        amount: Amount,
    },
    Swap {
        out: (U256, U256),
        paid: (U256, U256),
    },
    Donate(U256, U256),
    Skim,
    Sync,
    FeeTo(bool),
    Wait(u64),
}

pub(super) fn sized(bits: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = U256> {
    (bits, any::<[u64; 4]>()).prop_map(|(bits, noise)| match bits {
        0 => U256::ZERO,
        _ => (U256::from_limbs(noise) >> (256 - bits)) | (U256::ONE << (bits - 1)),
    })
}

pub(super) fn amount(bits: usize) -> impl Strategy<Value = Amount> {
    (any::<bool>(), sized(0..=bits)).prop_map(|(exact_in, amount)| {
        if exact_in {
            Amount::ExactIn(amount)
        } else {
            Amount::ExactOut(amount)
        }
    })
}

pub(super) fn call(bits: usize) -> impl Strategy<Value = Call> {
    let both = move || (sized(0..=bits), sized(0..=bits));
    prop_oneof![
        2 => (0u8..3, both()).prop_map(|(who, paid)| Call::Mint { who, paid }),
        3 => (0u8..3, sized(0..=bits)).prop_map(|(who, amount0)| Call::MintEvenly { who, amount0 }),
        3 => (0u8..3, any::<u8>()).prop_map(|(who, part)| Call::Burn { who, part }),
        6 => (any::<bool>(), amount(bits)).prop_map(|(up, amount)| Call::Trade { up, amount }),
        2 => (both(), both()).prop_map(|(out, paid)| Call::Swap { out, paid }),
        1 => both().prop_map(|(amount0, amount1)| Call::Donate(amount0, amount1)),
        1 => Just(Call::Skim),
        1 => Just(Call::Sync),
        1 => any::<bool>().prop_map(Call::FeeTo),
        1 => any::<u64>().prop_map(Call::Wait),
    ]
}

/// A first mint, then calls.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) first: (U256, U256),
    pub(super) calls: Vec<Call>,
}

pub(super) fn scene(bits: usize) -> impl Strategy<Value = Scene> {
    let first = (sized(11..=bits), sized(11..=bits));
    (first, vec(call(bits), 0..12)).prop_map(|(first, calls)| Scene { first, calls })
}

/// A pair, and what has gone in and out of it.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) pair: Pair,
    pub(super) now: u64,
    pub(super) paid_in: (U256, U256),
    pub(super) paid_out: (U256, U256),
}

impl World {
    pub(super) fn new(scene: &Scene) -> Self {
        let mut world = Self {
            pair: Pair::new(PARAMS),
            now: 1_700_000_000,
            paid_in: (U256::ZERO, U256::ZERO),
            paid_out: (U256::ZERO, U256::ZERO),
        };
        let _ = world.call(&Call::Mint {
            who: 0,
            paid: scene.first,
        });
        world
    }

    pub(super) fn after(scene: &Scene) -> Self {
        let mut world = Self::new(scene);
        for call in &scene.calls {
            let _ = world.call(call);
        }
        world
    }

    pub(super) fn k(&self) -> U256 {
        U256::from(self.pair.reserve(Side::Token0)) * U256::from(self.pair.reserve(Side::Token1))
    }

    /// As one transaction: where the pair refuses, the payment is taken back too.
    pub(super) fn call(&mut self, call: &Call) -> Result<(), Revert> {
        let before = self.clone();
        let result = self.carry_out(call);
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn carry_out(&mut self, call: &Call) -> Result<(), Revert> {
        let provider = |who: u8| PROVIDERS[usize::from(who % 3)];
        match *call {
            Call::Mint { who, paid } => {
                self.pay(paid)?;
                self.pair.mint(provider(who), self.now)?;
            }
            Call::MintEvenly { who, amount0 } => {
                let [reserve0, reserve1] = [Side::Token0, Side::Token1].map(|side| U256::from(self.pair.reserve(side)));
                self.pay((amount0, library::quote(amount0, reserve0, reserve1)?))?;
                self.pair.mint(provider(who), self.now)?;
            }
            Call::Burn { who, part } => {
                let (who, parts) = (provider(who), U256::from(255));
                let liquidity = self.pair.liquidity_of(who) / parts * U256::from(part);
                self.pair.transfer(who, ADDRESS, liquidity)?;
                let burnt = self.pair.burn(PROVIDERS[0], self.now)?;
                self.take((burnt.amount0, burnt.amount1));
            }
            Call::Trade { up, amount } => {
                let token_in = if up { Side::Token1 } else { Side::Token0 };
                let call = self.pair.trade(token_in, amount, PROVIDERS[0])?;
                self.swap(&call)?;
            }
            Call::Swap { out, paid } => {
                let call = SwapCall {
                    amount0_out: out.0,
                    amount1_out: out.1,
                    to: PROVIDERS[0],
                    paid0: paid.0,
                    paid1: paid.1,
                };
                self.swap(&call)?;
            }
            Call::Donate(amount0, amount1) => self.pay((amount0, amount1))?,
            Call::Skim => {
                let skimmed = self.pair.skim(PROVIDERS[0])?;
                self.take(skimmed);
            }
            Call::Sync => self.pair.sync(self.now)?,
            Call::FeeTo(on) => self.pair.set_fee_to(on.then_some(PROTOCOL)),
            Call::Wait(seconds) => self.now = self.now.wrapping_add(seconds),
        }
        Ok(())
    }

    fn swap(&mut self, call: &SwapCall) -> Result<(), Revert> {
        self.pair.swap(call, self.now)?;
        self.note_paid((call.paid0, call.paid1));
        self.take((call.amount0_out, call.amount1_out));
        Ok(())
    }

    fn pay(&mut self, amounts: (U256, U256)) -> Result<(), Revert> {
        self.pair.receive(amounts.0, amounts.1)?;
        self.note_paid(amounts);
        Ok(())
    }

    fn note_paid(&mut self, amounts: (U256, U256)) {
        self.paid_in.0 += amounts.0;
        self.paid_in.1 += amounts.1;
    }

    fn take(&mut self, amounts: (U256, U256)) {
        self.paid_out.0 += amounts.0;
        self.paid_out.1 += amounts.1;
    }
}

/// A state that no contract reaches, but that a false log or snapshot may put a pair in.
pub(super) fn wild_state() -> impl Strategy<Value = PairState> {
    let words = || (sized(0..=256), sized(0..=256));
    let reserves = (sized(0..=112), sized(0..=112));
    (reserves, any::<u32>(), words(), words(), words()).prop_map(|(reserves, time, prices, (k, supply), balances)| {
        PairState {
            reserve0: U112::wrapping_from(reserves.0),
            reserve1: U112::wrapping_from(reserves.1),
            block_timestamp_last: time,
            price0_cumulative_last: prices.0,
            price1_cumulative_last: prices.1,
            k_last: k,
            total_supply: supply,
            balance0: balances.0,
            balance1: balances.1,
        }
    })
}
