//! Why a call reverts (`CometMainInterface`, `CometMath`).

/// Why Comet reverts, by its errors' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[allow(missing_docs)] // the names are the contract's own
pub enum Revert {
    #[error("BadAsset")]
    BadAsset,
    #[error("BadPrice")]
    BadPrice,
    #[error("BorrowTooSmall")]
    BorrowTooSmall,
    #[error("InsufficientReserves")]
    InsufficientReserves,
    #[error("InvalidInt104")]
    InvalidInt104,
    #[error("InvalidInt256")]
    InvalidInt256,
    #[error("InvalidUInt64")]
    InvalidUInt64,
    #[error("InvalidUInt104")]
    InvalidUInt104,
    #[error("InvalidUInt128")]
    InvalidUInt128,
    #[error("NoSelfTransfer")]
    NoSelfTransfer,
    #[error("NotCollateralized")]
    NotCollateralized,
    #[error("NotForSale")]
    NotForSale,
    #[error("NotLiquidatable")]
    NotLiquidatable,
    #[error("Paused")]
    Paused,
    #[error("SupplyCapExceeded")]
    SupplyCapExceeded,
    #[error("TimestampTooLarge")]
    TimestampTooLarge,
    #[error("TooMuchSlippage")]
    TooMuchSlippage,
    #[error("Unauthorized")]
    Unauthorized,
    /// Checked arithmetic that leaves its type.
    #[error("Panic(0x11)")]
    ArithmeticPanic,
    /// A division by zero.
    #[error("Panic(0x12)")]
    DivisionPanic,
    /// The token refuses to pay out what Comet does not have; the reason is the token's own.
    #[error("the token refuses the transfer")]
    TransferOutFailed,
}
