//! What a hook may do, which its address says in its low fourteen bits (v4-core `Hooks`).

use alloy_primitives::Address;

/// Every permission with its bit, named as in `Hooks.Permissions`.
const FLAGS: [(u16, &str); 14] = [
    (1 << 13, "beforeInitialize"),
    (1 << 12, "afterInitialize"),
    (1 << 11, "beforeAddLiquidity"),
    (1 << 10, "afterAddLiquidity"),
    (1 << 9, "beforeRemoveLiquidity"),
    (1 << 8, "afterRemoveLiquidity"),
    (1 << 7, "beforeSwap"),
    (1 << 6, "afterSwap"),
    (1 << 5, "beforeDonate"),
    (1 << 4, "afterDonate"),
    (1 << 3, "beforeSwapReturnDelta"),
    (1 << 2, "afterSwapReturnDelta"),
    (1 << 1, "afterAddLiquidityReturnDelta"),
    (1 << 0, "afterRemoveLiquidityReturnDelta"),
];

/// The permissions that return amounts, each with the one it needs beside it.
const RETURNS: [(u16, u16); 4] = [(1 << 3, 1 << 7), (1 << 2, 1 << 6), (1 << 1, 1 << 10), (1 << 0, 1 << 8)];

fn bits(hook: Address) -> u16 {
    let [.., high, low] = hook.into_array();
    u16::from_be_bytes([high, low]) & 0x3fff
}

/// The names of what a hook may do, as in `Hooks.Permissions`.
pub fn permissions(hook: Address) -> impl Iterator<Item = &'static str> {
    let bits = bits(hook);
    FLAGS
        .into_iter()
        .filter(move |(bit, _)| bits & bit != 0)
        .map(|(_, name)| name)
}

/// The first permission by which a hook may change what a call moves; `None` where it can only watch or refuse.
pub fn changes_amounts(hook: Address) -> Option<&'static str> {
    permissions(hook).find(|name| name.ends_with("ReturnDelta"))
}

/// Whether a pool may have this hook: a permission that returns amounts comes with the one it belongs to, and a hook has
/// some permission or a fee to set (`Hooks.isValidHookAddress`).
pub fn is_valid(hook: Address, dynamic_fee: bool) -> bool {
    let bits = bits(hook);
    let complete = RETURNS
        .iter()
        .all(|(returns, of)| bits & returns == 0 || bits & of != 0);
    let purposeful = if hook.is_zero() {
        !dynamic_fee
    } else {
        bits != 0 || dynamic_fee
    };
    complete && purposeful
}
