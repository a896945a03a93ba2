//! Numbers as people read them: thousands separators, a true minus, as many places as say something.

use alloy_primitives::{I256, U256};

/// What stands where a number is undefined.
pub(crate) const UNDEFINED: &str = "n/a";

/// `6,046`.
pub(super) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// Places that show about a millionth of `start`, at least two: cents of 10,000 USDC, 0.00001 of 5 WETH.
pub(super) fn places_for(start: f64, decimals: u8) -> usize {
    let magnitude = if start > 0.0 { start.log10().floor() } else { 4.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 2 and 12
    let places = (5.0 - magnitude).clamp(2.0, 12.0) as usize;
    places.min(usize::from(decimals))
}

/// Base units as a decimal number, rounded half away from zero: `−1,234.50`.
pub(super) fn money(value: I256, decimals: u8, places: usize) -> String {
    let digits = rounded(value.unsigned_abs(), decimals, places);
    if value.is_negative() && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("−{digits}")
    } else {
        digits
    }
}

/// The same with a `+` where it is above zero.
pub(super) fn signed_money(value: I256, decimals: u8, places: usize) -> String {
    let text = money(value, decimals, places);
    if value.is_positive() && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("+{text}")
    } else {
        text
    }
}

fn rounded(value: U256, decimals: u8, places: usize) -> String {
    let dropped = usize::from(decimals).saturating_sub(places);
    let unit = U256::from(10).checked_pow(U256::from(dropped));
    let value = match unit {
        Some(unit) => {
            let (whole, rest) = (value / unit, value % unit);
            if dropped > 0 && rest >= unit - rest {
                whole + U256::ONE
            } else {
                whole
            }
        }
        None => U256::ZERO,
    };
    let places = places.min(usize::from(decimals));
    let digits = format!("{:0>width$}", value.to_string(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if fraction.is_empty() {
        grouped(whole)
    } else {
        format!("{}.{fraction}", grouped(whole))
    }
}

/// A float with a fixed number of places: `−1,234.50`.
pub(crate) fn decimal(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let text = format!("{:.places$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        "−"
    } else {
        ""
    };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// A positive quantity with about six significant digits: `2,243.17`, `0.000445821`.
pub(super) fn significant(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 || !value.is_finite() {
        return decimal(value, 0);
    }
    if !(1e-9..1e12).contains(&magnitude) {
        return scientific(value);
    }
    let places = (0..14)
        .find(|places| magnitude * 10f64.powi(*places) >= 1e5)
        .unwrap_or(14);
    #[allow(clippy::cast_sign_loss)] // counted from 0
    let text = decimal(value, if magnitude >= 1e4 { 2 } else { places as usize });
    // Zeros beyond the second place say nothing.
    let least = text.find('.').map_or(text.len(), |point| point + 3).min(text.len());
    let kept = text.trim_end_matches('0').len().max(least);
    text.get(..kept).unwrap_or(&text).to_owned()
}

/// Three significant digits with a letter for thousands, millions or billions: `950`, `12.3k`, `1.25M`.
pub(super) fn short(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    if magnitude >= 999.5e12 {
        return scientific(value);
    }
    let (unit, letter) = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")]
        .into_iter()
        .find(|(unit, _)| magnitude >= unit * 0.9995)
        .unwrap_or((1.0, ""));
    let shown = magnitude / unit;
    let places = match shown {
        _ if magnitude == 0.0 => 0,
        // Cents of a dollar or two are not what a table in thousands is about.
        _ if letter.is_empty() && shown >= 99.95 => 0,
        _ if shown < 9.995 => 2,
        _ if shown < 99.95 => 1,
        _ => 0,
    };
    format!("{}{letter}", decimal(value / unit, places))
}

/// Base units of a token with about six significant digits.
pub(super) fn amount(value: U256, decimals: u8) -> String {
    significant(f64::from(value) / 10f64.powi(i32::from(decimals)))
}

/// `1.23 %`, without a sign where it is not below zero.
pub(super) fn percent(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => UNDEFINED.to_owned(),
        Some(value) if value.abs() >= 1e6 => format!("{} %", scientific(value)),
        Some(value) => format!("{} %", decimal(value, percent_places(value.abs()))),
    }
}

/// `+1.23 %`.
pub(super) fn signed_percent(value: Option<f64>) -> String {
    let text = percent(value);
    if value.is_some_and(|value| value > 0.0) && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("+{text}")
    } else {
        text
    }
}

fn percent_places(magnitude: f64) -> usize {
    match magnitude {
        0.0 => 2,
        m if m < 0.1 => 4,
        m if m < 10.0 => 3,
        m if m < 1_000.0 => 2,
        _ => 0,
    }
}

/// A ratio such as Sharpe's: two places.
pub(super) fn ratio(value: Option<f64>) -> String {
    match value.filter(|value| value.is_finite()) {
        None => UNDEFINED.to_owned(),
        Some(value) if value.abs() >= 1e6 => scientific(value),
        Some(value) if value.abs() >= 1_000.0 => decimal(value, 0),
        Some(value) => decimal(value, 2),
    }
}

fn scientific(value: f64) -> String {
    format!("{value:.2e}").replace('-', "−")
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
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

    fn units(value: i128) -> I256 {
        I256::try_from(value).expect("fits")
    }

    #[test]
    fn money_is_rounded_grouped_and_signed() {
        assert_eq!(money(units(1_234_567_895_000), 6, 2), "1,234,567.90");
        assert_eq!(money(units(-1_005_000), 6, 2), "−1.01");
        assert_eq!(money(units(-4_000), 6, 2), "0.00");
        assert_eq!(signed_money(units(5_000), 6, 2), "+0.01");
        assert_eq!(signed_money(units(4_000), 6, 2), "0.00");
        assert_eq!(money(units(7), 0, 2), "7");
        assert_eq!(money(I256::MAX, 200, 2), "0.00");
    }

    #[test]
    fn places_follow_the_start_value() {
        assert_eq!(places_for(10_000.0, 6), 2);
        assert_eq!(places_for(2_000_000.0, 6), 2);
        assert_eq!(places_for(5.0, 18), 5);
        assert_eq!(places_for(0.0, 18), 2);
        assert_eq!(places_for(5.0, 0), 0);
    }

    #[test]
    fn short_numbers_have_three_digits_and_a_letter() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.50"),
            (950.0, "950"),
            (999.6, "1.00k"),
            (-12_345.0, "−12.3k"),
            (999_600.0, "1.00M"),
            (1_249_000.0, "1.25M"),
            (3.4e9, "3.40B"),
            (f64::NAN, UNDEFINED),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn floats_never_print_nan_or_infinity() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for text in [
                decimal(bad, 2),
                significant(bad),
                percent(Some(bad)),
                signed_percent(Some(bad)),
                ratio(Some(bad)),
            ] {
                assert_eq!(text, UNDEFINED);
            }
        }
        assert_eq!(signed_percent(Some(0.231)), "+0.231 %");
        assert_eq!(signed_percent(Some(-12.3456)), "−12.35 %");
        assert_eq!(percent(Some(1.5e9)), "1.50e9 %");
        assert_eq!(significant(2_243.172_4), "2,243.17");
        assert_eq!(significant(0.000_445_821_3), "0.000445821");
        assert_eq!(
            [significant(0.0123), significant(2.0), significant(10_000.0)],
            ["0.0123", "2.00", "10,000.00"]
        );
    }
}
