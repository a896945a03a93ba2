use super::{tx, with_arguments};
use crate::{AAVE_V3_CORE, Devnet, DevnetError, Tx, UNISWAP_V2_PERIPHERY, creation_code};
use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolEvent, SolValue, sol};

sol! {
    /// An ERC-20 with what makes test tokens: `mint` of Aave's mintable one, `deposit` and `withdraw` of WETH9.
    #[allow(missing_docs)]
    #[derive(Debug, PartialEq, Eq)]
    interface Erc20 {
        event Transfer(address indexed from, address indexed to, uint256 value);
        event Deposit(address indexed owner, uint256 wad);
        function name() external view returns (string name);
        function symbol() external view returns (string symbol);
        function decimals() external view returns (uint8 decimals);
        function balanceOf(address owner) external view returns (uint256 balance);
        function totalSupply() external view returns (uint256 supply);
        function transfer(address to, uint256 amount) external returns (bool done);
        function approve(address spender, uint256 amount) external returns (bool done);
        function mint(address to, uint256 amount) external returns (bool done);
        function deposit() external payable;
        function withdraw(uint256 amount) external;
    }
}

/// A genuine token: an ERC-20 that anyone may mint, or wrapped ether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The contract.
    pub address: Address,
    /// Whether it is WETH9, whose supply is what is deposited.
    pub wraps_ether: bool,
}

impl Token {
    /// Deploys Aave's mintable ERC-20 with this name, symbol and number of decimals.
    ///
    /// # Errors
    /// No contract, or no node.
    pub fn deploy(devnet: &Devnet, name: &str, symbol: &str, decimals: u8) -> Result<Self, DevnetError> {
        let code = creation_code(
            &AAVE_V3_CORE,
            "artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json",
        )?;
        let arguments = (name, symbol, U256::from(decimals)).abi_encode_params();
        Ok(Self {
            address: devnet.deploy(with_arguments(&code, &arguments))?,
            wraps_ether: false,
        })
    }

    /// Deploys WETH9.
    ///
    /// # Errors
    /// No contract, or no node.
    pub fn deploy_weth(devnet: &Devnet) -> Result<Self, DevnetError> {
        let code = creation_code(&UNISWAP_V2_PERIPHERY, "build/WETH9.json")?;
        Ok(Self {
            address: devnet.deploy(code)?,
            wraps_ether: true,
        })
    }

    /// Hands an account so much, in the token's smallest unit: minted, or deposited with ether made for it.
    ///
    /// # Errors
    /// More than the token can hold.
    pub fn give(self, devnet: &Devnet, to: Address, amount: U256) -> Result<(), DevnetError> {
        if self.wraps_ether {
            devnet.give_ether(to)?;
            devnet.send(&self.deposit(to, amount))?;
        } else {
            devnet.send(&tx(self.address, Erc20::mintCall { to, amount }))?;
        }
        Ok(())
    }

    /// What `from` does so that an account has so much more, in the token's smallest unit: mints, or wraps its ether and hands it on.
    pub fn gift(self, from: Address, to: Address, amount: U256) -> Vec<Tx> {
        if self.wraps_ether {
            vec![self.deposit(from, amount), self.transfer(from, to, amount)]
        } else {
            vec![tx(self.address, Erc20::mintCall { to, amount }).from(from)]
        }
    }

    /// Wraps so much of the owner's ether, in wei; WETH9 only.
    pub fn deposit(self, owner: Address, amount: U256) -> Tx {
        tx(self.address, Erc20::depositCall {}).from(owner).with_value(amount)
    }

    /// Unwraps so much of the owner's, in wei; WETH9 only.
    pub fn withdraw(self, owner: Address, amount: U256) -> Tx {
        tx(self.address, Erc20::withdrawCall { amount }).from(owner)
    }

    /// Moves so much from one account to another.
    pub fn transfer(self, from: Address, to: Address, amount: U256) -> Tx {
        tx(self.address, Erc20::transferCall { to, amount }).from(from)
    }

    /// Lets a spender take all that the owner has and will have.
    pub fn approve(self, owner: Address, spender: Address) -> Tx {
        let amount = U256::MAX;
        tx(self.address, Erc20::approveCall { spender, amount }).from(owner)
    }

    /// What an account has, in the token's smallest unit.
    ///
    /// # Errors
    /// No node.
    pub fn balance_of(self, devnet: &Devnet, owner: Address) -> Result<U256, DevnetError> {
        devnet.view(self.address, &Erc20::balanceOfCall { owner })
    }
}

/// The hash of `Transfer`'s signature.
pub const TRANSFER: alloy_primitives::B256 = Erc20::Transfer::SIGNATURE_HASH;
