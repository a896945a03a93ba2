//! What tokens call themselves. A token's contract may say anything, so nothing here is more than a label.

use crate::{
    endpoint::Endpoint,
    error::{ChainError, NodeError},
    nodes::Nodes,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use serde_json::{Value, json};

sol! {
    /// The optional part of ERC-20 (EIP-20).
    interface Erc20 {
        function symbol() external view returns (string);
        function name() external view returns (string);
        function decimals() external view returns (uint8);
    }
}

/// A token's own account of itself at the chain's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMetadata {
    /// The contract.
    pub address: Address,
    /// Its symbol, fit to be shown: one line of at most 32 characters; `None` where it has none.
    pub symbol: Option<String>,
    /// Its name, fit to be shown: one line of at most 64 characters; `None` where it has none.
    pub name: Option<String>,
    /// Digits after the point: one token is 10^decimals base units.
    pub decimals: Result<u8, NoDecimals>,
}

/// Why a token's amounts can only be shown in base units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDecimals {
    /// EIP-20 leaves them to the token.
    #[error("token {0} says no decimals")]
    Silent(Address),
    /// More than EIP-20's 8 bits can say.
    #[error("token {0} says {1} decimals, more than 255")]
    TooMany(Address, U256),
}

const LONGEST_SYMBOL: usize = 32;
const LONGEST_NAME: usize = 64;

impl Nodes {
    /// What each of these tokens says of itself, in the order asked for: one request for up to 33 tokens.
    ///
    /// # Errors
    /// No endpoint answers. A token without a symbol, a name or decimals is none.
    pub async fn token_metadata(&self, tokens: &[Address]) -> Result<Vec<TokenMetadata>, ChainError> {
        Ok(self.ask(|node| node.token_metadata(tokens)).await?)
    }
}

impl Endpoint {
    async fn token_metadata(&self, tokens: &[Address]) -> Result<Vec<TokenMetadata>, NodeError> {
        const ASKED: [[u8; 4]; 3] = [
            Erc20::symbolCall::SELECTOR,
            Erc20::nameCall::SELECTOR,
            Erc20::decimalsCall::SELECTOR,
        ];
        let call = |token, selector| json!([{"to": token, "data": Bytes::from(selector)}, "latest"]);
        let params = tokens
            .iter()
            .flat_map(|token| ASKED.map(|selector| call(*token, selector)));
        let params: Vec<Value> = params.collect();
        let calls: Vec<_> = params.iter().map(|params| ("eth_call", params)).collect();
        let mut answers = self.each::<Value, Bytes>(&calls).await?.into_iter();
        let mut metadata = Vec::with_capacity(tokens.len());
        for address in tokens.iter().copied() {
            let mut next = || match answers.next() {
                None => Ok(Bytes::new()),
                Some(Err(error)) if error.kind.is_revert() => Ok(Bytes::new()),
                Some(answer) => answer,
            };
            let (symbol, name, decimals) = (next()?, next()?, next()?);
            metadata.push(TokenMetadata {
                address,
                symbol: text(&symbol, LONGEST_SYMBOL),
                name: text(&name, LONGEST_NAME),
                decimals: read_decimals(address, &decimals),
            });
        }
        Ok(metadata)
    }
}

fn read_decimals(token: Address, answer: &[u8]) -> Result<u8, NoDecimals> {
    let word = answer.first_chunk::<32>().ok_or(NoDecimals::Silent(token))?;
    let number = U256::from_be_bytes(*word);
    u8::try_from(number).map_err(|_| NoDecimals::TooMany(token, number))
}

/// A `string`, or a `bytes32` as the first tokens have it, made fit to be shown.
fn text(answer: &[u8], longest: usize) -> Option<String> {
    let whole = match B256::try_from(answer) {
        Ok(word) => {
            let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
            String::from_utf8_lossy(word.get(..end)?).into_owned()
        }
        Err(_) => String::abi_decode(answer).ok()?,
    };
    shown(&whole, longest)
}

/// Without what a terminal or a page would act on, on one line, cut to a length; `None` where nothing is left.
fn shown(text: &str, longest: usize) -> Option<String> {
    let visible: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let line = words.join(" ");
    let cut = match line.char_indices().nth(longest) {
        Some(_) => line.chars().take(longest - 1).chain(['…']).collect(),
        None => line,
    };
    (!cut.is_empty()).then_some(cut)
}

/// Characters without a shape of their own, or that change the direction of those around them.
fn is_hidden(c: char) -> bool {
    let shapeless = matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    shapeless || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    fn word(text: &str) -> Vec<u8> {
        let mut word = text.as_bytes().to_vec();
        word.resize(32, 0);
        word
    }

    #[test]
    fn strings_and_words_are_read() {
        // "USDC" as a string, by the ABI's rules: offset, length, bytes.
        let usdc = hex!(
            "0000000000000000000000000000000000000000000000000000000000000020"
            "0000000000000000000000000000000000000000000000000000000000000004"
            "5553444300000000000000000000000000000000000000000000000000000000"
        );
        assert_eq!(text(&usdc, 32).as_deref(), Some("USDC"));
        assert_eq!(text(&word("MKR"), 32).as_deref(), Some("MKR"));
        assert_eq!(text(&[], 32), None);
        assert_eq!(text(&word(""), 32), None);
        assert_eq!(text(&usdc[..64], 32), None, "cut short");
    }

    #[test]
    fn what_is_shown_is_harmless() {
        assert_eq!(
            shown("\u{1b}[31mUSDC\u{202e}\u{7}\n x", 32).as_deref(),
            Some("[31mUSDC x")
        );
        assert_eq!(shown("\u{200b}\u{feff}", 32), None);
        assert_eq!(shown(&"a".repeat(33), 32).map(|line| line.chars().count()), Some(32));
        assert_eq!(shown(&"a".repeat(32), 32).as_deref(), Some("a".repeat(32).as_str()));
    }

    #[test]
    fn decimals_fit_8_bits_or_are_an_error() {
        let token = Address::repeat_byte(1);
        let number = |number: u64| U256::from(number).to_be_bytes::<32>();
        assert_eq!(read_decimals(token, &number(18)), Ok(18));
        assert_eq!(read_decimals(token, &number(255)), Ok(255));
        let many = U256::from(256);
        assert_eq!(
            read_decimals(token, &number(256)),
            Err(NoDecimals::TooMany(token, many))
        );
        assert_eq!(read_decimals(token, &[]), Err(NoDecimals::Silent(token)));
    }
}
