use super::counts::{BlockRange, hex_number};
use serde_json::{Value, json};

/// What a provider refuses to answer to `eth_getLogs`. A single block is never refused, as no client could ask for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most logs in an answer, and how more are refused.
    pub results: Option<(usize, ResultsRefusal)>,
    /// The most blocks in a range, and how more are refused.
    pub blocks: Option<(u64, BlocksRefusal)>,
    /// The most bytes in an answer; HTTP 413 for more.
    pub answer_bytes: Option<usize>,
}

/// How too many logs are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultsRefusal {
    /// −32005, and a range that would do.
    Suggested,
    /// −32005 and nothing to go by.
    Plain,
    /// −32602, "Log response size exceeded", and a range that would do.
    ResponseSize {
        /// A range of up to so many blocks may have any number of logs.
        free_blocks: u64,
    },
    /// −32005, "query timeout exceeded".
    Timeout,
}

/// How too many blocks are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlocksRefusal {
    /// −32600, "block range is too wide".
    TooWide,
    /// −32000, "exceed maximum block range: N".
    ExceedMaximum,
    /// −32614, "eth_getLogs is limited to a N range".
    LimitedRange,
}

impl Limits {
    /// No limit.
    pub const NONE: Self = Self {
        results: None,
        blocks: None,
        answer_bytes: None,
    };

    /// Whether the answer itself has to be looked at.
    pub(crate) const fn weighs_answers(&self) -> bool {
        self.results.is_some() || self.answer_bytes.is_some()
    }

    /// The error for a range of too many blocks.
    pub(crate) fn refuses_range(&self, range: BlockRange) -> Option<Value> {
        let (most, refusal) = self.blocks?;
        if range.blocks() <= most.max(1) {
            return None;
        }
        Some(match refusal {
            BlocksRefusal::TooWide => error(-32600, "block range is too wide".to_owned()),
            BlocksRefusal::ExceedMaximum => error(-32000, format!("exceed maximum block range: {most}")),
            BlocksRefusal::LimitedRange => {
                error(-32614, format!("eth_getLogs is limited to a {} range", thousands(most)))
            }
        })
    }

    /// Whether that many logs of a range are too many.
    pub(crate) fn refuses_results(&self, range: BlockRange, results: usize) -> bool {
        let Some((most, refusal)) = self.results else {
            return false;
        };
        let free_blocks = match refusal {
            ResultsRefusal::ResponseSize { free_blocks } => free_blocks,
            _ => 1,
        };
        results > most && range.blocks() > free_blocks.max(1)
    }

    /// Whether that many bytes are too many.
    pub(crate) fn refuses_bytes(&self, range: BlockRange, bytes: usize) -> bool {
        range.blocks() > 1 && self.answer_bytes.is_some_and(|most| bytes > most)
    }

    /// The error for too many logs, given all of them.
    pub(crate) fn refusal(&self, range: BlockRange, logs: &[Value]) -> Option<Value> {
        let (most, refusal) = self.results.filter(|_| self.refuses_results(range, logs.len()))?;
        // Up to the block before the first log that is too many.
        let too_many = logs.get(most).and_then(|log| hex_number(&log["blockNumber"]));
        let last = too_many.unwrap_or(range.to).saturating_sub(1).max(range.from);
        Some(match refusal {
            ResultsRefusal::Suggested => error(
                -32005,
                format!(
                    "query returned more than {most} results. Try with this block range [{:#x}, {last:#x}].",
                    range.from
                ),
            ),
            ResultsRefusal::Plain => error(-32005, format!("query returned more than {most} results")),
            ResultsRefusal::ResponseSize { free_blocks } => {
                let (free, most) = (in_thousands(free_blocks), in_thousands(most as u64));
                let last = last.max(range.from.saturating_add(free_blocks.saturating_sub(1)));
                error(
                    -32602,
                    format!(
                        "Log response size exceeded. You can make eth_getLogs requests with up to a {free} block range and no \
                         limit on the response size, or you can request any block range with a cap of {most} logs in the \
                         response. Based on your parameters and the response size limit, this block range should work: \
                         [{:#x}, {last:#x}]",
                        range.from
                    ),
                )
            }
            ResultsRefusal::Timeout => error(-32005, "query timeout exceeded".to_owned()),
        })
    }
}

/// A JSON-RPC error object.
pub(crate) fn error(code: i64, message: String) -> Value {
    json!({ "code": code, "message": message })
}

/// 10000 as "10K"; what is no whole thousand as it is.
fn in_thousands(number: u64) -> String {
    if number > 0 && number.is_multiple_of(1_000) {
        format!("{}K", number / 1_000)
    } else {
        number.to_string()
    }
}

/// 10000 as "10,000".
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(blocks: &[u64]) -> Vec<Value> {
        blocks
            .iter()
            .map(|block| json!({ "blockNumber": format!("{block:#x}") }))
            .collect()
    }

    #[test]
    fn a_suggested_range_holds_no_more_than_the_limit() {
        let limits = |refusal| Limits {
            results: Some((3, refusal)),
            ..Limits::NONE
        };
        let range = BlockRange { from: 10, to: 40 };
        let logs = logs(&[10, 12, 12, 15, 39]);
        let said = |refusal| limits(refusal).refusal(range, &logs);
        assert_eq!(
            said(ResultsRefusal::Suggested),
            Some(
                json!({ "code": -32005, "message": "query returned more than 3 results. Try with this block range [0xa, 0xe]." })
            )
        );
        assert_eq!(
            said(ResultsRefusal::Plain),
            Some(json!({ "code": -32005, "message": "query returned more than 3 results" }))
        );
        assert_eq!(
            said(ResultsRefusal::Timeout),
            Some(json!({ "code": -32005, "message": "query timeout exceeded" }))
        );
        let size = said(ResultsRefusal::ResponseSize { free_blocks: 20 }).expect("a refusal");
        let message = size["message"].as_str().expect("text");
        assert_eq!(size["code"], -32602);
        assert!(
            message.ends_with("this block range should work: [0xa, 0x1d]"),
            "{message}"
        );
        assert_eq!(said(ResultsRefusal::ResponseSize { free_blocks: 31 }), None);
        let single = BlockRange { from: 10, to: 10 };
        assert_eq!(limits(ResultsRefusal::Plain).refusal(single, &logs), None);
    }

    #[test]
    fn wide_ranges_are_refused_as_providers_do() {
        let refused = |most, refusal| {
            let limits = Limits {
                blocks: Some((most, refusal)),
                ..Limits::NONE
            };
            let from = 100;
            assert_eq!(
                limits.refuses_range(BlockRange {
                    from,
                    to: from + most - 1
                }),
                None
            );
            limits.refuses_range(BlockRange { from, to: from + most })
        };
        assert_eq!(
            refused(2_000, BlocksRefusal::TooWide),
            Some(json!({ "code": -32600, "message": "block range is too wide" }))
        );
        assert_eq!(
            refused(5_000, BlocksRefusal::ExceedMaximum),
            Some(json!({ "code": -32000, "message": "exceed maximum block range: 5000" }))
        );
        assert_eq!(
            refused(10_000, BlocksRefusal::LimitedRange),
            Some(json!({ "code": -32614, "message": "eth_getLogs is limited to a 10,000 range" }))
        );
    }
}
