use alloy_primitives::U256;

/// Why a decimal amount was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not digits with at most one point.
    #[error("'{0}' is no decimal amount: digits with at most one point")]
    NotDecimal(String),
    /// More places than the token has decimals.
    #[error("'{text}' has more than the token's {decimals} decimal places")]
    TooFine {
        /// What was given.
        text: String,
        /// The token's decimals.
        decimals: u8,
    },
    /// Above 2^128 − 1 base units.
    #[error("'{0}' is absurdly large: it does not fit 128 bits of base units")]
    TooLarge(String),
}

/// Reads a decimal amount (`1234.5`) of a token with `decimals` places into base units, exactly.
///
/// # Errors
/// A sign, another character, too many places, or more than 128 bits.
pub fn parse_amount(text: &str, decimals: u8) -> Result<U256, AmountError> {
    let not_decimal = || AmountError::NotDecimal(text.to_owned());
    let digits = text.trim().replace('_', "");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(not_decimal());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(decimals) {
        return Err(AmountError::TooFine {
            text: text.to_owned(),
            decimals,
        });
    }
    let too_large = || AmountError::TooLarge(text.to_owned());
    let padded = format!("{whole}{fraction:0<width$}", width = usize::from(decimals));
    let trimmed = padded.trim_start_matches('0');
    if trimmed.len() > 39 {
        return Err(too_large());
    }
    let value = if trimmed.is_empty() {
        0
    } else {
        trimmed.parse::<u128>().map_err(|_| too_large())?
    };
    Ok(U256::from(value))
}

/// Writes base units as a decimal amount with every place that is not a trailing zero.
pub fn format_amount(base_units: U256, decimals: u8) -> String {
    let digits = base_units.to_string();
    let places = usize::from(decimals);
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_the_same_amount() {
        for (text, decimals, units) in [
            ("1234.5", 6, 1_234_500_000u128),
            ("0.000001", 6, 1),
            ("7", 0, 7),
            ("0", 18, 0),
        ] {
            let amount = parse_amount(text, decimals).expect(text);
            assert_eq!(amount, U256::from(units));
            assert_eq!(format_amount(amount, decimals), text);
        }
    }

    #[test]
    fn refuses_signs_extra_places_and_absurd_sizes() {
        assert!(matches!(parse_amount("-1", 6), Err(AmountError::NotDecimal(_))));
        assert!(matches!(parse_amount("1.0000001", 6), Err(AmountError::TooFine { .. })));
        assert!(matches!(
            parse_amount(&"9".repeat(60), 6),
            Err(AmountError::TooLarge(_))
        ));
        assert!(matches!(parse_amount("", 6), Err(AmountError::NotDecimal(_))));
        assert!(matches!(parse_amount("1e5", 6), Err(AmountError::NotDecimal(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn prop_written_amount_reads_back(units: u128, shift in 0u32..128, decimals: u8) {
            let units = U256::from(units >> shift);
            prop_assert_eq!(parse_amount(&format_amount(units, decimals), decimals), Ok(units));
        }

        #[test]
        fn prop_any_text_is_read_or_refused(text in "[0-9._ +e-]{0,60}|.{0,20}", decimals: u8) {
            let _ = parse_amount(&text, decimals);
        }
    }
}
