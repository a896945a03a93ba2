//! The events of aTokens and debt tokens (`IScaledBalanceToken`, `IAToken`, `ICreditDelegationToken`, ERC-20).

use super::events;

/// The events of a token whose balances are scaled.
#[allow(missing_docs)] // What a field means is said by the variants of `TokenEvent`; the names are the contracts'.
pub mod token {
    alloy_sol_types::sol! {
        #![sol(all_derives)]
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Approval(address indexed owner, address indexed spender, uint256 value);
        event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index);
        event Burn(address indexed from, address indexed target, uint256 value, uint256 balanceIncrease, uint256 index);
        event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index);
        event BorrowAllowanceDelegated(address indexed fromUser, address indexed toUser, address indexed asset, uint256 amount);
        event Upgraded(address indexed implementation);
    }
}

events! {
    /// What an aToken or a debt token says it did. Values are base units of the underlying, interest among them, but for
    /// the scaled value of a `BalanceTransfer`; indexes are rays.
    TokenEvent, "Aave v3 token", token {
        /// The ERC-20's own, before each of the others that move something.
        Transfer,
        /// The ERC-20's own.
        Approval,
        /// A balance grew, by an action or by interest; also a burn that is smaller than the interest since the last.
        Mint,
        /// A balance fell by more than the interest since the last.
        Burn,
        /// A balance changed hands; its value is scaled.
        BalanceTransfer,
        /// How much another may borrow on a user's behalf.
        BorrowAllowanceDelegated,
        /// The proxy runs another implementation.
        Upgraded,
    }
}
