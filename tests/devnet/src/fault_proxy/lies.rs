//! What a lying node would have answered, made of what an honest one did.

use super::fault::{Drawn, Fault, mixed, nth};
use serde_json::{Value, json};

/// Turns a call's true result into the lie. Returns whether it differs: an empty list of logs cannot lack one.
pub(crate) fn tell(drawn: &Drawn, result: &mut Value) -> bool {
    let dice = drawn.dice;
    match drawn.fault {
        Fault::EmptyLogs | Fault::EmptyReceipts => list(result).is_some_and(|list| {
            let had_some = !list.is_empty();
            list.clear();
            had_some
        }),
        Fault::TruncatedLogs { dropped } => list(result).is_some_and(|logs| {
            let before = logs.len();
            logs.truncate(before.saturating_sub(dropped));
            logs.len() < before
        }),
        Fault::MissingLog => list(result).is_some_and(|logs| {
            let inner = logs.len().saturating_sub(2);
            if inner > 0 {
                logs.remove(1 + nth(dice, inner));
            }
            inner > 0
        }),
        Fault::MissingReceipt => list(result).is_some_and(|receipts| {
            let some = !receipts.is_empty();
            if some {
                receipts.remove(nth(dice, receipts.len()));
            }
            some
        }),
        Fault::DuplicateLogIndex => list(result).is_some_and(|logs| repeat_an_index(logs, dice)),
        Fault::WrongBlockHash => one_of(list(result), dice).is_some_and(|log| change_digit(log, "blockHash", dice)),
        Fault::ChangedLogData => list(result).is_some_and(|logs| change_data(logs.iter_mut().collect(), dice)),
        Fault::WrongLogOrder => list(result).is_some_and(|logs| {
            let pairs = logs.len().saturating_sub(1);
            let first = nth(dice, pairs);
            let differ = pairs > 0 && logs.get(first) != logs.get(first + 1);
            if differ {
                logs.swap(first, first + 1);
            }
            differ
        }),
        Fault::MissingReceiptLog => list(result).is_some_and(|receipts| {
            let with_logs: Vec<_> = receipts
                .iter_mut()
                .filter_map(|receipt| list(&mut receipt["logs"]).filter(|logs| !logs.is_empty()))
                .collect();
            let count = with_logs.len();
            with_logs.into_iter().nth(nth(dice, count)).is_some_and(|logs| {
                logs.remove(nth(mixed(dice), logs.len()));
                true
            })
        }),
        Fault::ChangedReceiptData => list(result).is_some_and(|receipts| {
            let logs = receipts.iter_mut().filter_map(|receipt| list(&mut receipt["logs"]));
            change_data(logs.flatten().collect(), dice)
        }),
        Fault::ChangedGasUsed => change_digit(result, "gasUsed", dice),
        Fault::ChangedTimestamp => change_digit(result, "timestamp", dice),
        Fault::ChangedBloom => change_digit(result, "logsBloom", dice),
        Fault::WrongParentHash => change_digit(result, "parentHash", dice),
        Fault::WrongChainId => match result.as_str() {
            // net_version is decimal.
            Some(id) => {
                *result = json!(if id.starts_with("0x") { "0xdead" } else { "57005" });
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn list(value: &mut Value) -> Option<&mut Vec<Value>> {
    value.as_array_mut()
}

fn one_of(list: Option<&mut Vec<Value>>, dice: u64) -> Option<&mut Value> {
    let list = list?;
    let index = nth(dice, list.len());
    list.get_mut(index)
}

/// A log gets the index of the one before it in the same block; where no block has two, a log comes twice.
fn repeat_an_index(logs: &mut Vec<Value>, dice: u64) -> bool {
    let neighbours: Vec<usize> = (1..logs.len())
        .filter(|i| logs[*i]["blockNumber"] == logs[i - 1]["blockNumber"])
        .collect();
    if let Some(second) = neighbours.get(nth(dice, neighbours.len())) {
        logs[*second]["logIndex"] = logs[second - 1]["logIndex"].clone();
        return true;
    }
    let index = nth(dice, logs.len());
    match logs.get(index).cloned() {
        Some(log) => {
            logs.insert(index, log);
            true
        }
        None => false,
    }
}

/// Changes a digit in the data of one of the logs that have any.
fn change_data(logs: Vec<&mut Value>, dice: u64) -> bool {
    let with_data: Vec<_> = logs
        .into_iter()
        .filter(|log| log["data"].as_str().is_some_and(|data| data.len() > 2))
        .collect();
    let count = with_data.len();
    let log = with_data.into_iter().nth(nth(dice, count));
    log.is_some_and(|log| change_digit(log, "data", mixed(dice)))
}

/// Changes one hex digit of a field to another that keeps a number's length: the first becomes no zero.
fn change_digit(object: &mut Value, field: &str, dice: u64) -> bool {
    let Some(text) = object.get(field).and_then(Value::as_str) else {
        return false;
    };
    let Some(digits) = text.strip_prefix("0x").filter(|digits| !digits.is_empty()) else {
        return false;
    };
    let at = nth(dice, digits.len());
    let changed = digits.char_indices().map(|(i, digit)| match digit {
        _ if i != at => digit,
        '1' => '2',
        _ => '1',
    });
    let changed: String = changed.collect();
    object[field] = json!(format!("0x{changed}"));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(fault: Fault, dice: u64) -> Drawn {
        Drawn { fault, call: 1, dice }
    }

    fn logs() -> Value {
        let log = |block: &str, index: &str| json!({ "blockNumber": block, "logIndex": index, "blockHash": "0xab", "data": "0x1234" });
        json!([
            log("0x1", "0x0"),
            log("0x1", "0x1"),
            log("0x2", "0x0"),
            log("0x3", "0x0")
        ])
    }

    /// How many logs are left, and how many of the honest ones are among them.
    fn after(fault: Fault, dice: u64) -> (usize, usize) {
        let mut told = logs();
        assert!(tell(&drawn(fault, dice), &mut told), "{fault}");
        assert_ne!(told, logs(), "{fault}");
        let told = told.as_array().expect("a list");
        let honest = logs();
        let kept = honest.as_array().expect("a list");
        (told.len(), kept.iter().filter(|log| told.contains(log)).count())
    }

    #[test]
    fn each_lie_about_logs_is_the_one_it_says() {
        for dice in 0..50 {
            assert_eq!(after(Fault::EmptyLogs, dice), (0, 0));
            assert_eq!(after(Fault::TruncatedLogs { dropped: 3 }, dice), (1, 1));
            assert_eq!(after(Fault::MissingLog, dice), (3, 3));
            assert_eq!(after(Fault::DuplicateLogIndex, dice), (4, 3));
            assert_eq!(after(Fault::WrongBlockHash, dice), (4, 3));
            assert_eq!(after(Fault::ChangedLogData, dice), (4, 3));
            assert_eq!(after(Fault::WrongLogOrder, dice), (4, 4));
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_left_out() {
        for fault in Fault::ALL {
            assert!(!tell(&drawn(fault, 3), &mut json!([])), "{fault}");
            assert!(!tell(&drawn(fault, 3), &mut Value::Null), "{fault}");
        }
    }

    #[test]
    fn lies_about_receipts_and_headers() {
        let receipts = json!([{ "logs": [] }, { "logs": [{ "data": "0x" }, { "data": "0x0f" }] }]);
        let told = |fault| {
            let mut told = receipts.clone();
            assert!(tell(&drawn(fault, 4), &mut told), "{fault}");
            told
        };
        assert_eq!(told(Fault::EmptyReceipts), json!([]));
        assert_eq!(told(Fault::MissingReceipt).as_array().map(Vec::len), Some(1));
        assert_eq!(
            told(Fault::MissingReceiptLog)[1]["logs"].as_array().map(Vec::len),
            Some(1)
        );
        let changed = told(Fault::ChangedReceiptData);
        assert_eq!(changed[1]["logs"][0], json!({ "data": "0x" }));
        assert_ne!(changed[1]["logs"][1], json!({ "data": "0x0f" }));

        let header = json!({ "gasUsed": "0x0", "timestamp": "0x6", "logsBloom": "0x00", "parentHash": "0xab" });
        for (fault, field) in [
            (Fault::ChangedGasUsed, "gasUsed"),
            (Fault::ChangedTimestamp, "timestamp"),
            (Fault::ChangedBloom, "logsBloom"),
            (Fault::WrongParentHash, "parentHash"),
        ] {
            let mut told = header.clone();
            assert!(tell(&drawn(fault, 9), &mut told));
            assert_ne!(told[field], header[field]);
            told[field] = header[field].clone();
            assert_eq!(told, header);
        }
    }
}
