//! Questions that change nothing.

use super::Both;
use super::compare::{reasoned, refused};
use alloy_primitives::{Address, U256};
use plimsoll_devnet::Chain;
use plimsoll_devnet::compound_v2::{ComptrollerCalls::*, GenuineMarket, ModelCalls};
use plimsoll_protocols::compound_v2::{Hypothetical, InterestRateModel};

impl<C: Chain> Both<C> {
    /// Questions that change nothing: what would be left, what a repayment seizes, rates on anything.
    pub(super) fn ask(&mut self, market: GenuineMarket, account: Address) {
        let doing = self.doing("ask");
        let comptroller = self.genuine.comptroller();
        let prices = self.prices.clone();
        let prices = move |c_token: Address| prices.get(&c_token).copied().unwrap_or_default();
        let [redeem_tokens, borrow_amount, amount] = [0; 3].map(|_: u8| self.dice.bits(90));
        let after = Hypothetical {
            market: self.engine.market_id(market.c_token).expect("a market"),
            redeem_tokens,
            borrow_amount,
        };
        let engine = self.engine.hypothetical_liquidity(&prices, account, Some(after));
        let engine = engine.map(|answer| {
            let error = answer.error.map_or(0, |error| error.code());
            [U256::from(error), answer.liquidity, answer.shortfall]
        });
        let call = getHypotheticalAccountLiquidityCall {
            account,
            cToken: market.c_token,
            redeemTokens: redeem_tokens,
            borrowAmount: borrow_amount,
        };
        let genuine = self.genuine.ask(comptroller, &call);
        let genuine = genuine.map(|answer| [answer.error, answer.liquidity, answer.shortfall]);
        assert_eq!(reasoned(engine), genuine, "{doing}");

        let collateral = self.market().0.c_token;
        let borrowed = market.c_token;
        let engine = self.engine.seize_tokens(&prices, borrowed, collateral, amount);
        let engine = engine.map(|(error, tokens)| [U256::from(error.map_or(0, |error| error.code())), tokens]);
        let call = liquidateCalculateSeizeTokensCall {
            borrowed,
            collateral,
            amount,
        };
        let genuine = self.genuine.ask(comptroller, &call);
        assert_eq!(
            refused(engine),
            genuine.map(|answer| [answer.error, answer.tokens]),
            "{doing}"
        );

        let [cash, borrows, reserves] = [0; 3].map(|_: u8| match self.dice.below(8) {
            0 => self.dice.bits(256),
            1 => U256::ZERO,
            _ => self.dice.bits(100),
        });
        let factor = self.per_mille(0, 1_100);
        let model = super::model(super::plans(self.kind)[usize::from(after.market.0)].model);
        let utilization = ModelCalls::utilizationRateCall {
            cash,
            borrows,
            reserves,
        };
        let rate = ModelCalls::getBorrowRateCall {
            cash,
            borrows,
            reserves,
        };
        let supply = ModelCalls::getSupplyRateCall {
            cash,
            borrows,
            reserves,
            reserveFactor: factor,
        };
        let genuine = [
            self.genuine.ask(market.model, &utilization),
            self.genuine.ask(market.model, &rate),
            self.genuine.ask(market.model, &supply),
        ];
        let engine = [
            InterestRateModel::utilization_rate(cash, borrows, reserves),
            model.borrow_rate(cash, borrows, reserves),
            model.supply_rate(cash, borrows, reserves, factor),
        ];
        assert_eq!(
            engine.map(reasoned),
            genuine,
            "{doing}: {cash} {borrows} {reserves} {factor}"
        );
        *self.tally.entry(("ask", "done".to_owned())).or_default() += 1;
    }
}
