use serde_json::Value;
use std::collections::BTreeMap;

/// What went through a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// HTTP requests.
    pub http_requests: u64,
    /// JSON-RPC calls by method; each call of a batch counts.
    pub calls: BTreeMap<String, u64>,
    /// Every `eth_getLogs`, in the order in which they were answered.
    pub log_queries: Vec<LogQuery>,
}

impl Counts {
    /// JSON-RPC calls of one method.
    pub fn calls_of(&self, method: &str) -> u64 {
        self.calls.get(method).copied().unwrap_or_default()
    }
}

/// One `eth_getLogs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// The blocks asked for; `None` for a block hash or a tag such as `latest`.
    pub range: Option<BlockRange>,
    /// What came of it.
    pub verdict: Verdict,
}

/// What a proxy did to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The node's answer was passed on.
    Answered,
    /// Refused because of a limit.
    Refused,
    /// Struck by a fault.
    Faulted,
}

/// Blocks, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRange {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl BlockRange {
    /// How many blocks; 0 where the end is before the beginning.
    pub const fn blocks(&self) -> u64 {
        match self.to.checked_sub(self.from) {
            Some(steps) => steps.saturating_add(1),
            None => 0,
        }
    }

    /// The range of a filter that names both ends by number.
    pub(crate) fn of_filter(filter: &Value) -> Option<Self> {
        let from = match &filter["fromBlock"] {
            Value::String(tag) if tag == "earliest" => 0,
            number => hex_number(number)?,
        };
        let to = hex_number(&filter["toBlock"])?;
        Some(Self { from, to })
    }
}

/// A number as JSON-RPC writes it, `"0x1f"`.
pub(crate) fn hex_number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}
