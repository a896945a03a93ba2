use crate::{SimulatedExecutor, executor::Reverted, lending::Request, wallet::flow};
use alloy_primitives::U256;
use plimsoll_market::Market;
use plimsoll_runtime::{Filled, Lend, Size};

/// Lending, between the wallet and the markets.
impl SimulatedExecutor {
    pub(crate) fn supply(&mut self, lend: &Lend, market: &Market) -> Result<Filled, Reverted> {
        let amount = self.size(lend.asset, lend.amount)?;
        let paid = self.ask(lend, Request::Supply(amount), market)?;
        self.pay(lend, paid)
    }

    pub(crate) fn withdraw(&mut self, lend: &Lend, market: &Market) -> Result<Filled, Reverted> {
        let amount = match lend.amount {
            Size::Exact(amount) => Some(amount),
            Size::All => None,
        };
        let received = self.ask(lend, Request::Withdraw(amount), market)?;
        Ok(self.receive(lend, received))
    }

    pub(crate) fn borrow(&mut self, lend: &Lend, market: &Market) -> Result<Filled, Reverted> {
        let Size::Exact(amount) = lend.amount else {
            return Err("a borrow needs an exact amount".to_owned());
        };
        let received = self.ask(lend, Request::Borrow(amount), market)?;
        Ok(self.receive(lend, received))
    }

    pub(crate) fn repay(&mut self, lend: &Lend, market: &Market) -> Result<Filled, Reverted> {
        let amount = self.size(lend.asset, lend.amount)?;
        let at_most = lend.amount == Size::All;
        let paid = self.ask(lend, Request::Repay { amount, at_most }, market)?;
        self.pay(lend, paid)
    }

    fn ask(&mut self, lend: &Lend, request: Request, market: &Market) -> Result<U256, Reverted> {
        self.lending.act(lend.market, lend.asset, request, market)
    }

    fn pay(&mut self, lend: &Lend, paid: U256) -> Result<Filled, Reverted> {
        self.take(lend.asset, paid)?;
        Ok(Filled::of(lend.market, vec![flow(lend.asset, paid, U256::ZERO)]))
    }

    fn receive(&mut self, lend: &Lend, received: U256) -> Filled {
        self.give(lend.asset, received);
        Filled::of(lend.market, vec![flow(lend.asset, U256::ZERO, received)])
    }
}
