use std::{collections::HashMap, fmt, time::Duration};

/// One way in which a node lies, breaks off or is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// `eth_getLogs` answers with no log.
    EmptyLogs,
    /// `eth_getLogs` leaves out the last logs.
    TruncatedLogs {
        /// How many, at most all of them.
        dropped: usize,
    },
    /// `eth_getLogs` leaves out one log that is neither the first nor the last.
    MissingLog,
    /// `eth_getLogs` gives a log its neighbour's index in the block, or the same log twice.
    DuplicateLogIndex,
    /// `eth_getLogs` names another block hash in one log.
    WrongBlockHash,
    /// `eth_getLogs` changes a digit of one log's data.
    ChangedLogData,
    /// `eth_getLogs` swaps two neighbours.
    WrongLogOrder,
    /// `eth_getBlockReceipts` answers with no receipt.
    EmptyReceipts,
    /// `eth_getBlockReceipts` leaves out one receipt.
    MissingReceipt,
    /// `eth_getBlockReceipts` leaves out one log.
    MissingReceiptLog,
    /// `eth_getBlockReceipts` changes a digit of one log's data.
    ChangedReceiptData,
    /// A block's header with another `gasUsed`.
    ChangedGasUsed,
    /// A block's header with another `timestamp`.
    ChangedTimestamp,
    /// A block's header with another `logsBloom`.
    ChangedBloom,
    /// A block's header with another `parentHash`.
    WrongParentHash,
    /// The node is behind: a lower head, `null` for newer blocks, and no logs of them.
    StaleHead {
        /// By how many blocks.
        behind: u64,
    },
    /// Another chain's id.
    WrongChainId,
    /// A JSON-RPC answer to another call's id.
    WrongId,
    /// A JSON-RPC error −32005, "rate limit".
    RateLimitError,
    /// A JSON-RPC error 429, with HTTP status 200.
    RateLimitInBody,
    /// A body that begins as JSON and does not end: streamed until the client hangs up.
    OversizedBody {
        /// Where it does end; cut to [`Fault::MOST_BYTES`].
        bytes: u64,
    },
    /// A web page with status 200.
    HtmlPage,
    /// The answer's first half, with a length that fits it.
    TruncatedJson,
    /// No answer until the client gives up.
    Hang {
        /// Or until so much time has passed; the connection is closed then.
        most: Duration,
    },
    /// The answer, a byte at a time.
    SlowDrip {
        /// Between two bytes.
        pause: Duration,
    },
    /// HTTP 429.
    TooManyRequests {
        /// Its Retry-After.
        retry_after: Option<RetryAfter>,
    },
    /// HTTP 503.
    Unavailable,
    /// The connection ends in the middle of the answer.
    Reset,
    /// The connection ends before the answer.
    Closed,
}

/// How a Retry-After header says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(u64),
    /// At the date that is so many seconds from now.
    Date(u64),
}

impl Fault {
    /// The most that an oversized body sends, in bytes.
    pub const MOST_BYTES: u64 = 1 << 30;

    /// One of each kind.
    pub const ALL: [Self; 31] = [
        Self::EmptyLogs,
        Self::TruncatedLogs { dropped: 1 },
        Self::MissingLog,
        Self::DuplicateLogIndex,
        Self::WrongBlockHash,
        Self::ChangedLogData,
        Self::WrongLogOrder,
        Self::EmptyReceipts,
        Self::MissingReceipt,
        Self::MissingReceiptLog,
        Self::ChangedReceiptData,
        Self::ChangedGasUsed,
        Self::ChangedTimestamp,
        Self::ChangedBloom,
        Self::WrongParentHash,
        Self::StaleHead { behind: 5 },
        Self::WrongChainId,
        Self::WrongId,
        Self::RateLimitError,
        Self::RateLimitInBody,
        Self::OversizedBody {
            bytes: Self::MOST_BYTES,
        },
        Self::HtmlPage,
        Self::TruncatedJson,
        Self::Hang {
            most: Duration::from_secs(120),
        },
        Self::SlowDrip {
            pause: Duration::from_millis(20),
        },
        Self::TooManyRequests { retry_after: None },
        Self::TooManyRequests {
            retry_after: Some(RetryAfter::Seconds(1)),
        },
        Self::TooManyRequests {
            retry_after: Some(RetryAfter::Date(1)),
        },
        Self::Unavailable,
        Self::Reset,
        Self::Closed,
    ];

    /// What it is, in a few words.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::EmptyLogs => "empty logs",
            Self::TruncatedLogs { .. } => "truncated logs",
            Self::MissingLog => "missing log",
            Self::DuplicateLogIndex => "duplicate log index",
            Self::WrongBlockHash => "wrong block hash",
            Self::ChangedLogData => "changed log data",
            Self::WrongLogOrder => "wrong log order",
            Self::EmptyReceipts => "empty receipts",
            Self::MissingReceipt => "missing receipt",
            Self::MissingReceiptLog => "missing log in a receipt",
            Self::ChangedReceiptData => "changed log data in a receipt",
            Self::ChangedGasUsed => "changed gasUsed",
            Self::ChangedTimestamp => "changed timestamp",
            Self::ChangedBloom => "changed logsBloom",
            Self::WrongParentHash => "wrong parent hash",
            Self::StaleHead { .. } => "stale head",
            Self::WrongChainId => "wrong chain id",
            Self::WrongId => "wrong id",
            Self::RateLimitError => "rate limit error",
            Self::RateLimitInBody => "429 in the body",
            Self::OversizedBody { .. } => "oversized body",
            Self::HtmlPage => "web page",
            Self::TruncatedJson => "truncated JSON",
            Self::Hang { .. } => "hang",
            Self::SlowDrip { .. } => "slow drip",
            Self::TooManyRequests { retry_after: None } => "429",
            Self::TooManyRequests {
                retry_after: Some(RetryAfter::Seconds(_)),
            } => "429 with Retry-After in seconds",
            Self::TooManyRequests {
                retry_after: Some(RetryAfter::Date(_)),
            } => "429 with Retry-After as a date",
            Self::Unavailable => "503",
            Self::Reset => "reset in the middle of an answer",
            Self::Closed => "closed without an answer",
        }
    }

    /// Whether an answer to this method can have the fault.
    pub fn applies_to(&self, method: &str) -> bool {
        match self {
            Self::EmptyLogs
            | Self::TruncatedLogs { .. }
            | Self::MissingLog
            | Self::DuplicateLogIndex
            | Self::WrongBlockHash
            | Self::ChangedLogData
            | Self::WrongLogOrder => method == "eth_getLogs",
            Self::EmptyReceipts | Self::MissingReceipt | Self::MissingReceiptLog | Self::ChangedReceiptData => {
                method == "eth_getBlockReceipts"
            }
            Self::ChangedGasUsed | Self::ChangedTimestamp | Self::ChangedBloom | Self::WrongParentHash => {
                matches!(method, "eth_getBlockByNumber" | "eth_getBlockByHash")
            }
            Self::StaleHead { .. } => matches!(
                method,
                "eth_blockNumber" | "eth_getBlockByNumber" | "eth_getLogs" | "eth_getBlockReceipts"
            ),
            Self::WrongChainId => matches!(method, "eth_chainId" | "net_version"),
            _ => true,
        }
    }

    /// Whether it strikes the HTTP answer as a whole, with every call of a batch.
    pub(crate) const fn is_of_the_connection(&self) -> bool {
        matches!(
            self,
            Self::OversizedBody { .. }
                | Self::HtmlPage
                | Self::TruncatedJson
                | Self::Hang { .. }
                | Self::SlowDrip { .. }
                | Self::TooManyRequests { .. }
                | Self::Unavailable
                | Self::Reset
                | Self::Closed
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which call gets which fault. Calls are numbered from 1, each method for itself.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    rule: Rule,
    seen: HashMap<String, u64>,
}

#[derive(Debug, Clone, Default)]
enum Rule {
    #[default]
    None,
    Random {
        seed: u64,
        probability: f64,
        kinds: Vec<Fault>,
    },
    Script(Vec<(String, u64, Fault)>),
}

/// A fault as the plan gives it to one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) fault: Fault,
    /// The call's number within its method.
    pub(crate) call: u64,
    /// Decides which log, receipt or digit it strikes.
    pub(crate) dice: u64,
}

impl FaultPlan {
    /// No fault.
    pub fn none() -> Self {
        Self::default()
    }

    /// Each call with this probability, 0 to 1, by one of those kinds that its method can have.
    ///
    /// What a call gets depends on the seed, its method and its number alone, so that threads which race change nothing.
    pub fn random(seed: u64, probability: f64, kinds: &[Fault]) -> Self {
        let kinds = kinds.to_vec();
        Self {
            rule: Rule::Random {
                seed,
                probability,
                kinds,
            },
            seen: HashMap::new(),
        }
    }

    /// The n-th call of a method, counted from 1, gets the fault.
    pub fn script<'a>(script: impl IntoIterator<Item = (&'a str, u64, Fault)>) -> Self {
        let script = script
            .into_iter()
            .map(|(method, call, fault)| (method.to_owned(), call, fault));
        Self {
            rule: Rule::Script(script.collect()),
            seen: HashMap::new(),
        }
    }

    /// Counts one call and says what befalls it.
    pub(crate) fn draw(&mut self, method: &str) -> Option<Drawn> {
        let call = match self.seen.get_mut(method) {
            Some(seen) => {
                *seen += 1;
                *seen
            }
            None => {
                self.seen.insert(method.to_owned(), 1);
                1
            }
        };
        let (fault, dice) = match &self.rule {
            Rule::None => return None,
            Rule::Random {
                seed,
                probability,
                kinds,
            } => {
                let dice = mixed(mixed(*seed ^ name_hash(method)) ^ call);
                // 53 bits, the mantissa of a double.
                if (dice >> 11) as f64 / (1u64 << 53) as f64 >= *probability {
                    return None;
                }
                let kinds: Vec<Fault> = kinds.iter().filter(|kind| kind.applies_to(method)).copied().collect();
                let dice = mixed(dice);
                (*kinds.get(nth(dice, kinds.len()))?, mixed(dice))
            }
            Rule::Script(script) => {
                let (_, _, fault) = script
                    .iter()
                    .find(|(scripted, number, _)| scripted == method && *number == call)?;
                (*fault, mixed(name_hash(method) ^ call))
            }
        };
        Some(Drawn { fault, call, dice })
    }
}

/// A number below `count` from a throw; zero where there is none.
pub(crate) fn nth(dice: u64, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
    usize::try_from(dice % count).unwrap_or_default()
}

/// A well-mixed number from any other (the finalizer of SplitMix64; Steele, Lea and Flood 2014).
pub(crate) const fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0, |hash, byte| mixed(hash ^ u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_depends_on_seed_method_and_number_alone() {
        let calls = |plan: &mut FaultPlan, methods: &[&str]| {
            methods
                .iter()
                .map(|method| plan.draw(method).map(|drawn| (drawn.fault, drawn.call, drawn.dice)))
                .collect::<Vec<_>>()
        };
        let plan = |seed| FaultPlan::random(seed, 0.5, &Fault::ALL);
        let alone = calls(&mut plan(7), &["eth_getLogs"; 50]);
        let mut among = plan(7);
        let among: Vec<_> = (0..50)
            .map(|_| calls(&mut among, &["eth_chainId", "eth_getLogs"]).remove(1))
            .collect();
        assert_eq!(alone, among);
        assert_ne!(alone, calls(&mut plan(8), &["eth_getLogs"; 50]));
        let struck = alone.iter().flatten().count();
        assert!((10..40).contains(&struck), "{struck} of 50 at one half");
        assert!(
            alone
                .iter()
                .flatten()
                .all(|(fault, ..)| fault.applies_to("eth_getLogs"))
        );
    }

    #[test]
    fn every_kind_is_drawn() {
        let mut plan = FaultPlan::random(1, 1.0, &Fault::ALL);
        let methods = [
            "eth_getLogs",
            "eth_getBlockReceipts",
            "eth_getBlockByNumber",
            "eth_chainId",
        ];
        let drawn: std::collections::HashSet<_> = (0..4_000)
            .filter_map(|i| plan.draw(methods[i % 4]))
            .map(|drawn| drawn.fault)
            .collect();
        assert_eq!(drawn.len(), Fault::ALL.len());
    }

    #[test]
    fn a_script_strikes_where_it_says() {
        let mut plan = FaultPlan::script([("eth_getLogs", 2, Fault::EmptyLogs)]);
        let faults: Vec<_> = ["eth_getLogs", "eth_chainId", "eth_getLogs", "eth_getLogs"]
            .map(|method| plan.draw(method).map(|drawn| drawn.fault))
            .into();
        assert_eq!(faults, [None, None, Some(Fault::EmptyLogs), None]);
    }
}
