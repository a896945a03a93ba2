/// What a node has found too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dimension {
    /// Logs, or the time and bytes that they take.
    #[default]
    Logs,
    /// Blocks.
    Blocks,
}

/// What a node says it would answer, as far as it can be read from its refusal of a log range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RangeHint {
    /// The most logs that it returns at once.
    pub max_logs: Option<u64>,
    /// The most blocks that it looks through at once.
    pub max_blocks: Option<u64>,
    /// What was too much.
    pub dimension: Dimension,
    /// The range it proposes, both ends included.
    pub suggested: Option<(u64, u64)>,
}

/// Phrases by which the usual nodes and providers refuse a log range.
const PHRASES: [&str; 22] = [
    "query returned more than",
    "more than 10000 results",
    "too many results",
    "too many logs",
    "response size exceeded",
    "response size should not",
    "response size is larger",
    "response is too big",
    "log response size",
    "limit exceeded: logs",
    "exceed maximum block range",
    "exceeds max block range",
    "block range is too wide",
    "block range too large",
    "block range too wide",
    "block range limit",
    "range is too large",
    "is limited to a",
    "range too large",
    "max block range",
    "query timeout exceeded",
    "maximum number of logs",
];

/// Reads a refusal; `None` where the message is about something else.
pub(crate) fn read(message: &str) -> Option<RangeHint> {
    let lower = message.to_ascii_lowercase();
    if !PHRASES.iter().any(|phrase| lower.contains(phrase)) {
        return None;
    }
    let mut hint = RangeHint {
        suggested: suggested(&lower),
        ..RangeHint::default()
    };
    // The proposed range holds hex numbers, which say nothing of a limit.
    let words = lower.split('[').next().unwrap_or_default();
    let numbers = numbers(words);
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["range"]) && !says(&["results", "logs in"]) {
        hint.dimension = Dimension::Blocks;
        hint.max_blocks = numbers.last().copied();
    } else if let (true, [blocks, logs]) = (says(&["block range"]), numbers.as_slice()) {
        // "up to a 2K block range and no limit on the response size, or any block range with a cap of 10K logs"
        (hint.max_blocks, hint.max_logs) = (None, Some((*logs).max(*blocks)));
    } else if says(&["results", "logs"]) {
        hint.max_logs = numbers.first().copied();
    }
    Some(hint)
}

/// The two block numbers of `[0x1, 0x2]`.
fn suggested(message: &str) -> Option<(u64, u64)> {
    let inside = message.rsplit_once('[')?.1.split(']').next()?;
    let (from, to) = inside.split_once(',')?;
    let number = |text: &str| match text.trim().strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.trim().parse().ok(),
    };
    let (from, to) = (number(from)?, number(to)?);
    (from <= to).then_some((from, to))
}

/// Every number above one, `10k` and `10,000` too, in order.
fn numbers(text: &str) -> Vec<u64> {
    let plain: String = text.chars().filter(|letter| !matches!(letter, ',' | '_')).collect();
    let parts = plain.split(|letter: char| !letter.is_ascii_alphanumeric());
    parts
        .filter_map(|part| match part.strip_suffix('k') {
            Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000),
            None => part.parse().ok(),
        })
        .filter(|number| *number > 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(max_logs: Option<u64>, max_blocks: Option<u64>, suggested: Option<(u64, u64)>) -> Option<RangeHint> {
        refusal(Dimension::Logs, max_logs, max_blocks, suggested)
    }

    fn range(max_blocks: Option<u64>) -> Option<RangeHint> {
        refusal(Dimension::Blocks, None, max_blocks, None)
    }

    fn refusal(
        dimension: Dimension,
        max_logs: Option<u64>,
        max_blocks: Option<u64>,
        suggested: Option<(u64, u64)>,
    ) -> Option<RangeHint> {
        Some(RangeHint {
            dimension,
            max_logs,
            max_blocks,
            suggested,
        })
    }

    #[test]
    fn refusals_of_the_usual_nodes_are_read() {
        let cases = [
            (
                "query returned more than 10000 results. Try with this block range [0x10, 0x2f].",
                hint(Some(10_000), None, Some((16, 47))),
            ),
            ("query returned more than 10000 results", hint(Some(10_000), None, None)),
            (
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit \
                 on the response size, or you can request any block range with a cap of 10K logs in the response. Based \
                 on your parameters and the response size limit, this block range should work: [0x1, 0xff]",
                hint(Some(10_000), None, Some((1, 255))),
            ),
            ("exceed maximum block range: 5000", range(Some(5000))),
            ("eth_getLogs is limited to a 10,000 range", range(Some(10_000))),
            ("block range is too wide", range(None)),
            ("query timeout exceeded", hint(None, None, None)),
            ("execution reverted", None),
            ("header not found", None),
        ];
        for (message, expected) in cases {
            assert_eq!(read(message), expected, "{message}");
        }
    }
}
