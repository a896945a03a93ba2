//! The texts of one log: hex, quantities, times. Errors say what was expected and show the start of what was there.

use crate::error::excerpt;
use alloy_primitives::{Address, B256, Bytes, hex};

/// The EVM's own limit (`LOG4`).
pub(crate) const MAX_TOPICS: usize = 4;

pub(crate) fn hash(text: &str) -> Result<B256, String> {
    fixed::<32>(text).map(B256::from)
}

pub(crate) fn address(text: &str) -> Result<Address, String> {
    fixed::<20>(text).map(Address::from)
}

fn fixed<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let digits = text.strip_prefix("0x").ok_or_else(|| expected(N, text))?;
    if digits.len() != 2 * N {
        return Err(expected(N, text));
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|error| format!("bad hex {}: {error}", excerpt(text.as_bytes())))?;
    Ok(bytes)
}

fn expected(bytes: usize, text: &str) -> String {
    format!(
        "expected 0x and {} hex digits, got {} ({} characters)",
        2 * bytes,
        excerpt(text.as_bytes()),
        text.len()
    )
}

pub(crate) fn bytes(text: &str) -> Result<Bytes, String> {
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| format!("expected hex that starts with 0x, got {}", excerpt(text.as_bytes())))?;
    hex::decode(digits)
        .map(Bytes::from)
        .map_err(|error| format!("bad hex {}: {error}", excerpt(text.as_bytes())))
}

/// A whole number in decimal digits.
pub(crate) fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value: Option<u64> = if digits { text.parse().ok() } else { None };
    value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
        let bits = 8 * size_of::<T>();
        format!(
            "expected a whole number of at most {bits} bits, got {}",
            excerpt(text.as_bytes())
        )
    })
}

/// A hex quantity as JSON-RPC writes it.
pub(crate) fn quantity<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let digits = text
        .strip_prefix("0x")
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let value = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    value.and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
        let bits = 8 * size_of::<T>();
        format!(
            "expected a 0x quantity of at most {bits} bits, got {}",
            excerpt(text.as_bytes())
        )
    })
}

/// Topics as a list literal of Python or JSON: `['0x…', "0x…"]`.
pub(crate) fn topics(text: &str) -> Result<Vec<B256>, String> {
    let inner = text
        .trim()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or_else(|| format!("expected a list [..] of hex strings, got {}", excerpt(text.as_bytes())))?
        .trim();
    if inner.is_empty() {
        return Ok(Vec::new());
    }
    let count = inner.bytes().filter(|byte| *byte == b',').count() + 1;
    if count > MAX_TOPICS {
        return Err(format!("{count} topics; a log has at most {MAX_TOPICS}"));
    }
    inner.split(',').map(|item| hash(unquoted(item.trim()))).collect()
}

fn unquoted(item: &str) -> &str {
    let inside = |quote| item.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('\'').or_else(|| inside('"')).unwrap_or(item)
}

/// Seconds since the Unix epoch: plain seconds, or `2024-01-05 00:00:23` in UTC with `T`, `Z`, ` UTC`, `+00:00` or a
/// fraction (dropped) where the exporter writes them.
pub(crate) fn unix_time(text: &str) -> Result<u64, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text);
    }
    calendar(text).ok_or_else(|| {
        format!(
            "expected Unix seconds or a UTC time like 2024-01-05 00:00:23, got {}",
            excerpt(text.as_bytes())
        )
    })
}

fn calendar(text: &str) -> Option<u64> {
    let utc = ["Z", " UTC", "+00:00", "+00"]
        .iter()
        .find_map(|suffix| text.strip_suffix(suffix))
        .unwrap_or(text);
    let whole = match utc.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) => whole,
        Some(_) => return None,
        None => utc,
    };
    let bytes = whole.as_bytes();
    let punctuated = bytes.len() == 19
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b' ' | b'T')
        && bytes[13] == b':'
        && bytes[16] == b':';
    if !punctuated {
        return None;
    }
    let part = |from: usize, to: usize| number::<u64>(whole.get(from..to)?).ok();
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if year < 1970 || hour > 23 || minute > 59 || second > 59 || day == 0 || day > days_in(year, month)? {
        return None;
    }
    Some(((days_since_epoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> Option<u64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap(year) { 29 } else { 28 }),
        _ => None,
    }
}

/// Days from 1970-01-01 to a valid date of the Gregorian calendar, counted in years that start in March.
fn days_since_epoch(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + (day - 1);
    days - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        for text in [
            "1704412823",
            "2024-01-05 00:00:23",
            "2024-01-05T00:00:23Z",
            "2024-01-05 00:00:23 UTC",
            "2024-01-05T00:00:23.000+00:00",
            "2024-01-05 00:00:23.123456 UTC",
        ] {
            assert_eq!(unix_time(text), Ok(1_704_412_823), "{text}");
        }
        assert_eq!(unix_time("1970-01-01 00:00:00"), Ok(0));
        assert_eq!(unix_time("2000-02-29 12:00:00"), Ok(951_825_600));
        assert_eq!(unix_time("2024-12-31 23:59:59"), Ok(1_735_689_599));
        for text in [
            "",
            "2023-02-29 00:00:00",
            "2024-13-01 00:00:00",
            "2024-01-05",
            "2024-01-05 24:00:00",
            "2024-01-05 00:00:23+02:00",
            "-5",
            "1969-12-31 23:59:59",
            "2024-01-05 00:00:2é",
        ] {
            assert!(unix_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn topics_are_read_as_python_and_as_json() {
        let topic = format!("0x{}", "ab".repeat(32));
        let read = topics(&format!("['{topic}', \"{topic}\"]")).expect("two topics");
        assert_eq!(read, vec![B256::repeat_byte(0xab); 2]);
        assert_eq!(topics("[]"), Ok(vec![]));
        let five = format!("[{}]", [topic.as_str(); 5].join(","));
        assert_eq!(topics(&five).unwrap_err(), "5 topics; a log has at most 4");
        assert!(topics("['0xzz']").is_err());
        assert!(topics("0x").is_err());
        assert!(topics("['0xab").is_err());
    }

    #[test]
    fn numbers_and_quantities_keep_to_their_width() {
        assert_eq!(number::<u32>("4294967295"), Ok(u32::MAX));
        assert!(number::<u32>("4294967296").is_err());
        assert!(number::<u64>("+1").is_err());
        assert_eq!(quantity::<u64>("0x120f5b6"), Ok(18_937_270));
        assert!(quantity::<u32>("0x100000000").is_err());
        assert!(quantity::<u32>("0x").is_err());
        assert!(quantity::<u32>("12").is_err());
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(
            address("0x88e6").unwrap_err(),
            "expected 0x and 40 hex digits, got '0x88e6' (6 characters)"
        );
        assert!(bytes("0x123").unwrap_err().starts_with("bad hex '0x123'"));
        assert!(bytes("").is_err());
        assert_eq!(bytes("0x"), Ok(Bytes::new()));
    }
}
