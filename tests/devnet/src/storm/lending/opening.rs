use super::{Lending, aave::AaveMarket, coin::Coin, compound::CompoundMarket, markets, sundry::Sundry};
use crate::{
    Devnet, DevnetError, Tx,
    aave_v3::OWNER,
    contracts::token::Token,
    multicall3,
    storm::{FIRST_BLOCK, LENDING_FIRST_BLOCK, Storm},
};
use alloy_primitives::{Address, U256};
use serde_json::json;

/// What an account is given of each coin, in its smallest unit.
const WEALTH: U256 = U256::from_limbs([0, 1 << 36, 0, 0]);
/// How many gifts go into one transaction.
const GIFTS: usize = 200;
/// Wei a unit of gas, before the storm.
const BASE_FEE: u64 = 12_000_000_000;

/// Deploys both markets from [`LENDING_FIRST_BLOCK`] on, and opens all accounts before the storm's first block.
pub(in crate::storm) fn set_up(
    devnet: &Devnet,
    storm: Storm,
    [usdc, weth]: [Token; 2],
) -> Result<Lending, DevnetError> {
    let bitcoin = Token::deploy(devnet, "Wrapped BTC", "WBTC", 8)?;
    let dai = Token::deploy(devnet, "Dai Stablecoin", "DAI", 18)?;
    let link = Token::deploy(devnet, "ChainLink Token", "LINK", 18)?;
    let tokens = [weth, usdc, bitcoin, dai, link];
    // Gifts are no lending: they come before.
    let people = Lending::people(storm);
    people.endow(devnet, &tokens)?;
    let head = devnet.block_number()?;
    devnet.mine((LENDING_FIRST_BLOCK - 1).saturating_sub(head))?;
    let aave = markets::aave(devnet, &tokens)?;
    let compound = markets::compound(devnet, &tokens)?;
    people.approve(devnet, &tokens, &aave, &compound)?;
    let lending = Lending::new(storm, people, aave, compound);
    let head = devnet.block_number()?;
    let blocks = usize::try_from((FIRST_BLOCK - 1).saturating_sub(head)).unwrap_or_default();
    open(devnet, &lending.openings(), blocks)?;
    Ok(lending)
}

/// Plays these, in their order, over so many blocks.
fn open(devnet: &Devnet, all: &[Vec<Tx>], blocks: usize) -> Result<(), DevnetError> {
    let mut played = 0;
    for block in 1..=blocks {
        let until = all.len() * block / blocks;
        let txs: Vec<Tx> = all[played..until].iter().flatten().cloned().collect();
        played = until;
        let method = "anvil_setNextBlockBaseFeePerGas";
        devnet.rpc().call(method, json!([U256::from(BASE_FEE)]))?;
        if txs.is_empty() {
            devnet.mine(1)?;
            continue;
        }
        let receipts = devnet.mine_block_with(&txs)?;
        if let Some(receipt) = receipts.iter().find(|receipt| !receipt.succeeded) {
            let output = devnet.output(receipt.transaction_hash)?;
            return Err(DevnetError::Reverted {
                hash: receipt.transaction_hash,
                reason: output.to_string(),
            });
        }
    }
    Ok(())
}

impl super::People {
    /// Everyone with each coin that he pays in, and whether it is to Aave.
    fn purses(&self) -> Vec<(Address, Coin, bool)> {
        let mut purses = Vec::new();
        for (accounts, on_aave) in [
            (self.aave_borrowers.accounts(), true),
            (self.compound_borrowers.accounts(), false),
        ] {
            for account in accounts {
                let coins = account.coins().into_iter();
                purses.extend(coins.map(|coin| (account.address, coin, on_aave)));
            }
        }
        purses.extend(self.lenders.on_aave().map(|(lender, coin)| (lender, coin, true)));
        purses.extend(self.lenders.on_compound().map(|(lender, coin)| (lender, coin, false)));
        for bot in self.liquidators.bots() {
            purses.extend(Coin::ALL.map(|coin| (*bot, coin, true)));
            purses.extend(Coin::COMPOUND.map(|coin| (*bot, coin, false)));
        }
        purses.push((OWNER, Coin::Usdc, true));
        purses
    }

    /// Gives everyone ether for gas, and the coins.
    fn endow(&self, devnet: &Devnet, tokens: &[Token; 5]) -> Result<(), DevnetError> {
        devnet.give_ether(Sundry::loaner())?;
        let mut gifts = Vec::new();
        let mut last = None;
        for (user, coin, _) in self.purses() {
            if last.replace(user) != Some(user) {
                devnet.give_ether(user)?;
            }
            gifts.extend(tokens[coin.index()].gift(multicall3::ADDRESS, user, WEALTH));
        }
        for gifts in gifts.chunks(GIFTS) {
            devnet.send(&multicall3::aggregate(gifts))?;
        }
        Ok(())
    }

    /// Lets the markets take the coins.
    fn approve(
        &self,
        devnet: &Devnet,
        tokens: &[Token; 5],
        aave: &AaveMarket,
        compound: &CompoundMarket,
    ) -> Result<(), DevnetError> {
        let approval = |(user, coin, on_aave): (Address, Coin, bool)| {
            let spender = if on_aave { aave.pool } else { compound.c_token(coin) };
            tokens[coin.index()].approve(user, spender)
        };
        let approvals: Vec<Tx> = self.purses().into_iter().map(approval).collect();
        for approvals in approvals.chunks(GIFTS) {
            devnet.mine_block_with(approvals)?;
        }
        Ok(())
    }
}
