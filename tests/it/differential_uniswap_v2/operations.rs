//! What is tried on a pair: each call made on both sides, its events foretold from the engine's outcome.

use super::{Both, NONE, PROTOCOL, SIDES};
use alloy_primitives::{Address, Bytes, U256};
use plimsoll_devnet::Chain;
use plimsoll_devnet::uniswap_v2::{GenuinePair, LibraryCalls, PairCalls::*, pays};
use plimsoll_protocols::uniswap_v2::{
    Amount, LiquidityChange, MINIMUM_LIQUIDITY, Pair, PairEvent, SwapCall, SwapRecord, library,
};
use plimsoll_units::Side;

impl<C: Chain> Both<C> {
    pub(super) fn step(&mut self) {
        if self.dice.below(2) == 0 {
            let seconds = match self.dice.below(20) {
                0 => self.dice.bits(34).to(),
                _ => self.dice.below(100),
            };
            self.genuine.wait(seconds);
        }
        let done = match self.dice.below(24) {
            0..=4 => self.provide(),
            5..=8 => self.withdraw(),
            9..=13 => self.trade(),
            14 | 15 => self.flash(),
            16 => self.swap_anything(),
            17 => {
                let amounts = [self.amount(), self.amount()];
                self.pay(amounts);
                true
            }
            18 => self.skim(),
            19 => self.sync(),
            20 => self.set_fee_to(),
            21 => self.transfer(),
            22 => self.ask(),
            _ => self.rebase(),
        };
        // What was paid for nothing would otherwise stay, and make one overflow a hundred.
        if !done && self.dice.below(4) > 0 && !self.skim() {
            self.sync();
        }
    }

    /// Transfers tokens to the pair.
    fn pay(&mut self, amounts: [U256; 2]) {
        self.genuine.pay(amounts).expect("the owner has enough");
        self.engine.receive(amounts[0], amounts[1]).expect("fits");
    }

    fn provide(&mut self) -> bool {
        let [reserve0, reserve1] = self.reserves();
        let mut amounts = [self.amount(), self.amount()];
        if !reserve0.is_zero() && self.dice.below(4) > 0 {
            amounts[1] = amounts[0]
                .checked_mul(reserve1)
                .map_or(U256::ONE, |worth| worth / reserve0 + U256::ONE);
        }
        self.pay(amounts);
        let (from, to) = (self.caller(), self.receiver());
        self.both(
            "mint",
            |genuine| genuine.call(from, &mintCall { to }).map(|liquidity| vec![liquidity]),
            |engine, now| {
                let first = engine.state().total_supply.is_zero();
                let change = engine.mint(to, now)?;
                let mut events = fee_event(engine, &change);
                if first {
                    events.push(transferred(Address::ZERO, Address::ZERO, MINIMUM_LIQUIDITY));
                }
                events.push(transferred(Address::ZERO, to, change.liquidity));
                let (amount0, amount1) = (change.amount0, change.amount1);
                events.extend([
                    sync_event(engine),
                    PairEvent::Mint {
                        sender: from,
                        amount0,
                        amount1,
                    },
                ]);
                Ok((vec![change.liquidity], Some(events)))
            },
        )
    }

    fn withdraw(&mut self) -> bool {
        if self.dice.below(10) > 0 {
            self.transfer_from_to(None);
        }
        let (from, to, address) = (self.caller(), self.receiver(), self.engine.params().address);
        self.both(
            "burn",
            |genuine| {
                genuine
                    .call(from, &burnCall { to })
                    .map(|paid| vec![paid.amount0, paid.amount1])
            },
            |engine, now| {
                let change = engine.burn(to, now)?;
                let (amount0, amount1) = (change.amount0, change.amount1);
                let mut events = fee_event(engine, &change);
                events.push(transferred(address, Address::ZERO, change.liquidity));
                events.extend([
                    sync_event(engine),
                    PairEvent::Burn {
                        sender: from,
                        amount0,
                        amount1,
                        to,
                    },
                ]);
                Ok((vec![amount0, amount1], Some(events)))
            },
        )
    }

    fn transfer(&mut self) -> bool {
        let to = self.receiver();
        self.transfer_from_to(Some(to))
    }

    /// Liquidity to someone, or to the pair.
    fn transfer_from_to(&mut self, to: Option<Address>) -> bool {
        let (from, to) = (self.caller(), to.unwrap_or(self.engine.params().address));
        let held = self.engine.liquidity_of(from);
        let value = match self.dice.below(12) {
            0 => held + U256::ONE,
            1 => self.dice.bits(120),
            2 | 3 => held,
            part => held / U256::from(part - 2),
        };
        self.both(
            "transfer",
            |genuine| genuine.call(from, &transferCall { to, value }).map(|_| Vec::new()),
            |engine, _| {
                engine
                    .transfer(from, to, value)
                    .map(|()| (Vec::new(), Some(vec![transferred(from, to, value)])))
            },
        )
    }

    /// As a router trades: asks the library, pays, and calls; now and then it pays or asks for a unit too much or too little.
    fn trade(&mut self) -> bool {
        let side = self.dice.pick(&SIDES);
        let (given, exact_in, to) = (self.amount(), self.dice.below(2) == 0, self.receiver());
        let [amount_in, amount_out] = [given; 2];
        let (reserve_in, reserve_out) = (
            U256::from(self.engine.reserve(side)),
            U256::from(self.engine.reserve(side.other())),
        );
        let amount = if exact_in {
            Amount::ExactIn(given)
        } else {
            Amount::ExactOut(given)
        };
        let mut call = None;
        let priced = self.view(
            "price",
            |genuine| match exact_in {
                true => genuine.ask(&LibraryCalls::getAmountOutCall {
                    amountIn: amount_in,
                    reserveIn: reserve_in,
                    reserveOut: reserve_out,
                }),
                false => genuine.ask(&LibraryCalls::getAmountInCall {
                    amountOut: amount_out,
                    reserveIn: reserve_in,
                    reserveOut: reserve_out,
                }),
            },
            |engine| {
                let trade = *call.insert(engine.trade(side, amount, to)?);
                let out = if side == Side::Token0 {
                    trade.amount1_out
                } else {
                    trade.amount0_out
                };
                Ok(if exact_in { out } else { trade.paid0 + trade.paid1 })
            },
        );
        let (true, Some(mut call)) = (priced, call) else {
            return false;
        };
        match self.dice.below(16) {
            0 => call.amount0_out += U256::ONE,
            1 => call.amount1_out += U256::ONE,
            2 => call.paid0 = call.paid0.saturating_sub(U256::ONE),
            3 => call.paid1 = call.paid1.saturating_sub(U256::ONE),
            _ => {}
        }
        self.pay([call.paid0, call.paid1]);
        (call.paid0, call.paid1) = (U256::ZERO, U256::ZERO);
        self.swap("swap", call)
    }

    /// Borrows one token or both, and pays in the callback: the fee, about the fee, or anything.
    fn flash(&mut self) -> bool {
        let reserves = self.reserves();
        let mut out = NONE;
        for (out, reserve) in out.iter_mut().zip(reserves) {
            let wanted = self.amount();
            *out = if reserve.is_zero() || self.dice.below(3) == 0 {
                U256::ZERO
            } else {
                wanted % reserve
            };
        }
        let mut paid = out.map(|out| (out * U256::from(1_000)).div_ceil(U256::from(997)));
        if self.dice.below(3) == 0 {
            // Back in the other token.
            paid[0] = NONE[0];
            paid[1] = library::get_amount_in(out[0], reserves[1], reserves[0]).unwrap_or_default() + out[1];
        }
        for paid in &mut paid {
            *paid = match self.dice.below(12) {
                0 => paid.saturating_sub(U256::ONE),
                1 => *paid + self.dice.bits(60),
                2 => self.amount(),
                _ => *paid,
            };
        }
        let [amount0_out, amount1_out] = out;
        let to = GenuinePair::CALLEE;
        self.swap(
            "flash swap",
            SwapCall {
                amount0_out,
                amount1_out,
                to,
                paid0: paid[0],
                paid1: paid[1],
            },
        )
    }

    /// Any outputs to anyone, a token among them, for what happens to have been paid.
    fn swap_anything(&mut self) -> bool {
        let [mut amount0_out, mut amount1_out] = [self.amount(), self.amount()];
        if self.dice.below(4) > 0 {
            let [reserve0, reserve1] = self.reserves();
            amount0_out = amount0_out.checked_rem(reserve0).unwrap_or_default();
            amount1_out = amount1_out.checked_rem(reserve1).unwrap_or_default();
            let paid = [self.amount(), self.amount()];
            if self.dice.below(2) == 0 {
                self.pay(paid);
            }
        }
        let (to, token) = (self.receiver(), self.dice.pick(&GenuinePair::TOKENS));
        let to = if self.dice.below(4) == 0 { token } else { to };
        self.swap(
            "any swap",
            SwapCall {
                amount0_out,
                amount1_out,
                to,
                paid0: U256::ZERO,
                paid1: U256::ZERO,
            },
        )
    }

    fn swap(&mut self, what: &'static str, call: SwapCall) -> bool {
        let (from, to, paid) = (self.caller(), call.to, [call.paid0, call.paid1]);
        let (amount0_out, amount1_out) = (call.amount0_out, call.amount1_out);
        let data = if paid == NONE { Bytes::new() } else { pays(paid) };
        let swap = swapCall {
            amount0Out: amount0_out,
            amount1Out: amount1_out,
            to,
            data,
        };
        self.both(
            what,
            |genuine| genuine.call(from, &swap).map(|_| Vec::new()),
            |engine, now| {
                let outcome = engine.swap(&call, now)?;
                let (amount0_in, amount1_in) = (outcome.amount0_in, outcome.amount1_in);
                let record = SwapRecord {
                    sender: from,
                    amount0_in,
                    amount1_in,
                    amount0_out,
                    amount1_out,
                    to,
                };
                Ok((Vec::new(), Some(vec![sync_event(engine), PairEvent::Swap(record)])))
            },
        )
    }

    fn skim(&mut self) -> bool {
        let (from, to) = (self.caller(), self.receiver());
        self.both(
            "skim",
            |genuine| genuine.call(from, &skimCall { to }).map(|_| Vec::new()),
            |engine, _| engine.skim(to).map(|_| (Vec::new(), Some(Vec::new()))),
        )
    }

    fn sync(&mut self) -> bool {
        let from = self.caller();
        self.both(
            "sync",
            |genuine| genuine.call(from, &syncCall {}).map(|_| Vec::new()),
            |engine, now| engine.sync(now).map(|()| (Vec::new(), Some(vec![sync_event(engine)]))),
        )
    }

    fn set_fee_to(&mut self) -> bool {
        let address = self.engine.params().address;
        let fee_to = self.dice.pick(&[
            Address::ZERO,
            Address::ZERO,
            PROTOCOL,
            PROTOCOL,
            GenuinePair::OWNER,
            address,
        ]);
        self.genuine.set_fee_to(fee_to).expect("the setter's call");
        self.engine.set_fee_to(Some(fee_to));
        true
    }

    /// The library on anything, where its products overflow too.
    fn ask(&mut self) -> bool {
        let edges = [
            U256::ZERO,
            U256::ONE,
            U256::MAX,
            U256::MAX / U256::from(1_000),
            U256::MAX / U256::from(997),
        ];
        let [a, b, c] = [0; 3].map(|_: u8| {
            let random = self.dice.bits(256);
            if self.dice.below(2) == 0 {
                self.dice.pick(&edges)
            } else {
                random
            }
        });
        let (quote, out) = (
            LibraryCalls::quoteCall {
                amountA: a,
                reserveA: b,
                reserveB: c,
            },
            LibraryCalls::getAmountOutCall {
                amountIn: a,
                reserveIn: b,
                reserveOut: c,
            },
        );
        let cost = LibraryCalls::getAmountInCall {
            amountOut: a,
            reserveIn: b,
            reserveOut: c,
        };
        self.view("quote", |genuine| genuine.ask(&quote), |_| library::quote(a, b, c));
        self.view(
            "get_amount_out",
            |genuine| genuine.ask(&out),
            |_| library::get_amount_out(a, b, c),
        );
        self.view(
            "get_amount_in",
            |genuine| genuine.ask(&cost),
            |_| library::get_amount_in(a, b, c),
        );
        true
    }

    /// What a token does whose balances move by themselves: less than the reserves, more, or nothing left.
    fn rebase(&mut self) -> bool {
        if self.dice.below(6) > 0 {
            return self.trade();
        }
        let mut state = self.engine.state();
        for balance in [&mut state.balance0, &mut state.balance1] {
            *balance = match self.dice.below(6) {
                0 => U256::ZERO,
                1 | 2 => *balance >> usize::try_from(self.dice.below(8)).expect("small"),
                3 => *balance + self.dice.bits(40),
                _ => *balance,
            };
        }
        self.genuine.rebase([state.balance0, state.balance1]);
        self.engine.set_state(state);
        if self.dice.below(4) > 0 {
            self.sync();
            // A reserve of nothing would refuse almost everything from here on.
            if self.dice.below(4) > 0 && self.reserves().contains(&U256::ZERO) {
                let amounts = [self.amount(), self.amount()];
                self.pay(amounts);
                self.sync();
            }
        }
        true
    }
}

fn transferred(from: Address, to: Address, liquidity: U256) -> PairEvent {
    PairEvent::Transfer { from, to, liquidity }
}

/// The reserves as they are now.
fn sync_event(pair: &Pair) -> PairEvent {
    let [reserve0, reserve1] = SIDES.map(|side| pair.reserve(side));
    PairEvent::Sync { reserve0, reserve1 }
}

/// The protocol's share, where there was one.
fn fee_event(pair: &Pair, change: &LiquidityChange) -> Vec<PairEvent> {
    let share = pair.fee_to().filter(|_| !change.fee_liquidity.is_zero());
    share
        .map(|to| transferred(Address::ZERO, to, change.fee_liquidity))
        .into_iter()
        .collect()
}
