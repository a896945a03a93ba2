/// What RiskDAO's line needs beside the book.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskDao {
    /// Parkinson volatility of every asset, by place, over the time that liquidity takes to come back.
    pub sigmas: Vec<f64>,
    /// The confidence that is asked for: the larger, the more is allowed.
    pub r: f64,
}

/// The LTV above which a liquidation leaves a position worse than before: 1 / (1 + i), i the incentive (Warmuz et al.).
pub fn spiral_ltv(incentive: f64) -> f64 {
    1.0 / (1.0 + incentive)
}

/// RiskDAO's LTV: exp(−σ·√(d/l)/r) − β, with d the debt behind an asset and l what can be sold of it at a slippage of β, both USD.
pub fn risk_dao_ltv(sigma: f64, debt_usd: f64, liquidity_usd: f64, beta: f64, r: f64) -> f64 {
    (-sigma * (debt_usd / liquidity_usd).sqrt() / r).exp() - beta
}

/// RiskDAO's confidence of an LTV: σ·√d / (ln(1/(LTV + β))·√l); `None` where LTV + β is 1 or more.
pub fn risk_dao_r(sigma: f64, debt_usd: f64, liquidity_usd: f64, beta: f64, ltv: f64) -> Option<f64> {
    let room = -(ltv + beta).ln();
    (room > 0.0).then(|| sigma * (debt_usd / liquidity_usd).sqrt() / room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_lines_are_what_the_hand_computes() {
        assert_eq!(spiral_ltv(0.25), 0.8);
        // e^(−0.1 · 2 / 1) = 0.818730753077982, less 0.05.
        let ltv = risk_dao_ltv(0.1, 4e6, 1e6, 0.05, 1.0);
        assert!((ltv - 0.768_730_753_077_982).abs() < 1e-15);
        assert!((risk_dao_r(0.1, 4e6, 1e6, 0.05, ltv).expect("room") - 1.0).abs() < 1e-12);
        assert_eq!(risk_dao_r(0.1, 4e6, 1e6, 0.05, 0.95), None);
        assert_eq!(risk_dao_ltv(0.1, 4e6, f64::INFINITY, 0.05, 1.0), 0.95);
    }
}
