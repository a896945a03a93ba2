//! What a difference is worth as evidence.

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % most as u64) as usize
    }
}

/// The mean of a series with its 95 % interval by a bootstrap of blocks around the circle (Politis, Romano, 1992): percentiles of the means
/// of 10,000 series made of blocks of so many values.
pub(crate) fn mean_with_interval(series: &[f64], block: usize) -> (f64, [f64; 2]) {
    let count = series.len();
    let mean = series.iter().sum::<f64>() / count as f64;
    let mut dice = Dice(20_260_331);
    let mut means: Vec<f64> = (0..10_000)
        .map(|_| {
            let (mut sum, mut taken) = (0.0, 0);
            while taken < count {
                let start = dice.below(count);
                let length = block.min(count - taken);
                sum += (0..length).map(|step| series[(start + step) % count]).sum::<f64>();
                taken += length;
            }
            sum / count as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (mean, [means[250], means[9_749]])
}

#[test]
fn the_interval_is_that_of_independent_values_where_they_are() {
    // 0 and 1 by turns have mean 1/2; alone, each of n = 400 draws has variance 1/4: ± 1.96·0.5/20 = 0.049. In blocks of two they are
    // always one of each.
    let series: Vec<f64> = (0..400).map(|at| f64::from(at % 2)).collect();
    let (mean, [low, high]) = mean_with_interval(&series, 1);
    assert_eq!(mean, 0.5);
    assert!(
        (low - 0.451).abs() < 0.005 && (high - 0.549).abs() < 0.005,
        "{low} {high}"
    );
    assert_eq!(mean_with_interval(&series, 2), (0.5, [0.5, 0.5]));
}
