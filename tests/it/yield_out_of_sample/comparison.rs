//! The optimizer beside the rules, network by network and over all of them.

use super::{
    reserves::{History, YEAR_SECONDS},
    statistics::mean_with_interval,
    walk::{Terms, Walk, Who, decisions, month_of, open_at, walk},
};
use plimsoll_optimizer::rules::Rule;

/// Weeks of a block in the bootstrap.
const BLOCK_WEEKS: usize = 4;
/// 1 September 2025, UTC: from the record's beginning a forecast has its window, and what came of it another.
const FROM: f64 = 1_756_684_800.0;
/// Fewer reserves are no choice.
const FEWEST: usize = 3;

/// Who walked, by name, and how.
#[derive(Debug, Clone)]
pub(crate) struct Walked {
    pub(crate) name: &'static str,
    pub(crate) walk: Walk,
}

/// All walks over one set of reserves; the optimizer's is the first.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) terms: Terms,
    pub(crate) decided: Vec<usize>,
    pub(crate) walked: Vec<Walked>,
}

/// A year's net yield of the optimizer above another's: its mean, and the 95 % interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference {
    pub(crate) mean: f64,
    pub(crate) interval: [f64; 2],
}

impl Difference {
    fn of(weeks: &[f64], years: f64) -> Self {
        let a_year = weeks.len() as f64 / years;
        let (mean, interval) = mean_with_interval(weeks, BLOCK_WEEKS);
        Self {
            mean: mean * a_year,
            interval: interval.map(|end| end * a_year),
        }
    }

    /// What may be said of it.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.interval[0] > 0.0, self.interval[1] < 0.0) {
            (true, _) => "wins",
            (_, true) => "LOSES",
            _ if self.mean < 0.0 => "behind, within chance",
            _ => "ahead, within chance",
        }
    }
}

impl Comparison {
    /// Every allocator over the reserves that are open at the first decision and later, on networks of one kind.
    fn run(history: &History, name: &str, max_share: f64, slippage: f64, is_in: impl Fn(&str) -> bool) -> Option<Self> {
        let decided = decisions(history, FROM);
        let first = *decided.first()?;
        if open_at(history, first, &is_in).len() < FEWEST {
            return None;
        }
        let here = (0..history.reserves.len()).filter(|&reserve| is_in(&history.reserves[reserve].network));
        let terms = Terms {
            reserves: here.collect(),
            capital_usd: 100_000.0,
            max_share,
            slippage,
        };
        let (low, high) = band(history, first, &terms.reserves);
        let walked = [
            ("optimizer", Who::Optimizer),
            ("equal weight", Who::Rule(Rule::EqualWeight)),
            ("best spot rate", Who::Rule(Rule::BestSpotRate)),
            ("equalized utilization", Who::MostUsed(0.025)),
            // The rule to its letter, which on reserves that own size does not move never moves again.
            (
                "most used, kept",
                Who::Rule(Rule::EqualizedUtilization { trigger: 0.025 }),
            ),
            ("APY band", Who::Rule(Rule::ApyBand { low, high })),
            ("hold", Who::Hold),
        ]
        .map(|(name, who)| Walked {
            name,
            walk: walk(history, &decided, &terms, who),
        });
        Some(Self {
            name: name.to_owned(),
            terms,
            decided,
            walked: walked.to_vec(),
        })
    }

    /// The optimizer's weeks less another's.
    fn weeks_above(&self, other: usize) -> Vec<f64> {
        let pairs = self.walked[0].walk.weeks.iter().zip(&self.walked[other].walk.weeks);
        pairs.map(|(ours, theirs)| ours.net() - theirs.net()).collect()
    }

    pub(crate) fn difference(&self, other: usize) -> Difference {
        Difference::of(&self.weeks_above(other), self.walked[0].walk.years)
    }
}

/// The quartiles of rates at the first decision, between which a band keeps.
fn band(history: &History, first: usize, reserves: &[usize]) -> (f64, f64) {
    let states = reserves.iter().filter_map(|&reserve| history.state(reserve, first));
    let mut rates: Vec<f64> = states.filter(|state| state.is_open).map(|state| state.rate).collect();
    rates.sort_by(f64::total_cmp);
    let at = |share: f64| rates[((rates.len() - 1) as f64 * share).round() as usize];
    (at(0.25), at(0.75))
}

/// Each network on its own, where moves are swaps; and all of them, where they are bridged too.
pub(crate) fn comparisons(history: &History, max_share: f64) -> Vec<Comparison> {
    let mut networks: Vec<&str> = history
        .reserves
        .iter()
        .map(|reserve| reserve.network.as_str())
        .collect();
    networks.dedup();
    let alone = networks
        .iter()
        .filter_map(|network| Comparison::run(history, network, max_share, 0.000_2, |name| name == *network));
    let mut all: Vec<Comparison> = alone.collect();
    all.extend(Comparison::run(history, "all networks", max_share, 0.000_4, |_| true));
    all
}

/// The mean over networks of the optimizer's weeks above another's.
pub(crate) fn pooled(comparisons: &[Comparison], other: usize) -> Difference {
    let alone: Vec<&Comparison> = comparisons
        .iter()
        .filter(|comparison| comparison.name != "all networks")
        .collect();
    let weeks: Vec<Vec<f64>> = alone.iter().map(|comparison| comparison.weeks_above(other)).collect();
    let mean = |week: usize| weeks.iter().map(|weeks| weeks[week]).sum::<f64>() / weeks.len() as f64;
    let means: Vec<f64> = (0..weeks[0].len()).map(mean).collect();
    Difference::of(&means, alone[0].walked[0].walk.years)
}

/// Net yield by month of the decisions: year and month, and a year's yield for each allocator.
fn months(comparison: &Comparison) -> Vec<(String, Vec<f64>)> {
    let weeks = &comparison.walked[0].walk.weeks;
    let mut names: Vec<usize> = weeks.iter().map(|week| month_of(week.time)).collect();
    names.dedup();
    let yields = |month: usize, walk: &Walk| {
        let of_month = walk
            .weeks
            .iter()
            .enumerate()
            .filter(|(_, week)| month_of(week.time) == month);
        let (mut net, mut seconds) = (0.0, 0.0);
        for (at, week) in of_month {
            net += week.net();
            seconds += walk
                .weeks
                .get(at + 1)
                .map_or(7.0 * 86_400.0, |next| next.time - week.time);
        }
        net * YEAR_SECONDS / seconds
    };
    let row = |month: usize| {
        let name = format!("{}-{:02}", 1970 + month / 12, month % 12 + 1);
        (
            name,
            comparison
                .walked
                .iter()
                .map(|walked| yields(month, &walked.walk))
                .collect(),
        )
    };
    names.into_iter().map(row).collect()
}

/// The figures, as lines of text.
pub(crate) fn told(comparisons: &[Comparison], max_share: f64) -> String {
    let percent = |value: f64| format!("{:7.3}", 100.0 * value);
    let mut text = format!(
        "Aave v3 reserves of dollar coins, rate-taking, at most {:.0} % in one reserve\n",
        100.0 * max_share
    );
    for comparison in comparisons {
        let weeks = comparison.walked[0].walk.weeks.len();
        text += &format!(
            "\n{}: {} reserves, {weeks} weeks\n",
            comparison.name,
            comparison.terms.reserves.len()
        );
        text += "                        net %/y  cost %/y changes  optimizer above it, %/y [95 %]\n";
        for (at, Walked { name, walk }) in comparison.walked.iter().enumerate() {
            let cost: f64 = walk.weeks.iter().map(|week| week.gas_usd + week.slippage_usd).sum();
            let changes: usize = walk.weeks.iter().map(|week| week.changes).sum();
            let cost = cost / comparison.terms.capital_usd / walk.years;
            text += &format!("  {name:22}{} {} {changes:8}", percent(walk.net_apr()), percent(cost));
            if at > 0 {
                text += &line(&comparison.difference(at));
            }
            text += "\n";
        }
    }
    text += "\nmean over networks, optimizer above:\n";
    for (at, Walked { name, .. }) in comparisons[0].walked.iter().enumerate().skip(1) {
        text += &format!("  {name:22}{}\n", line(&pooled(comparisons, at)));
    }
    if let Some(all) = comparisons.last() {
        text += &format!(
            "\n{} by month, net %/y: {}\n",
            all.name,
            all.walked
                .iter()
                .map(|walked| walked.name)
                .collect::<Vec<_>>()
                .join(", ")
        );
        for (month, yields) in months(all) {
            let yields: Vec<String> = yields.into_iter().map(percent).collect();
            text += &format!("  {month} {}\n", yields.join(" "));
        }
    }
    text
}

fn line(difference: &Difference) -> String {
    let [low, high] = difference.interval;
    let (mean, low, high) = (100.0 * difference.mean, 100.0 * low, 100.0 * high);
    format!("  {mean:+7.3} [{low:+7.3}, {high:+7.3}]  {}", difference.verdict())
}
