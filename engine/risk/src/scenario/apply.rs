use super::{Scenario, ScenarioShock, Selector, classes::fits};
use crate::{Book, Cascade, CascadeError, CascadeOutcome, CascadeRules, OracleLag, Stress, stress};

/// A scenario on a book: what to value and to run.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedScenario {
    /// The book with the scenario's liquidity.
    pub book: Book,
    /// How liquidators act, with the scenario's gas.
    pub rules: CascadeRules,
    /// The factor on every asset's price on the market.
    pub factors: Vec<f64>,
    /// What the oracle shows of it.
    pub lag: OracleLag,
    /// What its reader should know.
    pub notes: Vec<ScenarioNote>,
}

/// What a scenario could not do, or what it did not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScenarioNote {
    /// A factor on gas, where gas costs nothing.
    GasIsFree,
    /// A factor on liquidity, where no asset that moves has a known depth.
    NoKnownDepth,
    /// A selector that chooses no asset of the book, beside others that do.
    ChoosesNothing {
        /// The selector.
        selector: String,
    },
}

/// Why a scenario does not fit a book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// A shock that chooses no asset of the book.
    #[error("scenario {scenario}: no asset of the book is {selector}; it has {listed}")]
    NothingOfBook {
        /// The scenario.
        scenario: String,
        /// What was to be chosen.
        selector: String,
        /// What is listed.
        listed: String,
    },
    /// A class that the scenario does not have.
    #[error("scenario {scenario}: there is no class {class}; there are {known}")]
    UnknownClass {
        /// The scenario.
        scenario: String,
        /// The class.
        class: String,
        /// What is there.
        known: String,
    },
    /// An asset that is named by its address, so that its class is anybody's guess.
    #[error("scenario {scenario}: {asset} is named by its address: say which class it is of, or choose assets by name")]
    Unclassified {
        /// The scenario.
        scenario: String,
        /// The asset.
        asset: String,
    },
    /// A number that cannot be.
    #[error("scenario {scenario}: {what} is {value}, expected {expected}")]
    OutOfRange {
        /// The scenario.
        scenario: String,
        /// The number.
        what: &'static str,
        /// What is there.
        value: String,
        /// What may be there.
        expected: &'static str,
    },
}

impl Scenario {
    /// Sets the scenario upon a book.
    ///
    /// # Errors
    /// A number that cannot be; a shock that chooses no asset of the book; a class that is not known, or an asset whose class is not.
    pub fn apply(&self, book: &Book, rules: CascadeRules) -> Result<AppliedScenario, ScenarioError> {
        self.check()?;
        let mut notes = Vec::new();
        let factors = self.factors(book, &mut notes)?;
        if self.gas_factor != 1.0 && rules.gas_usd == 0.0 {
            notes.push(ScenarioNote::GasIsFree);
        }
        let depths = book.assets().iter().map(|asset| asset.depth.as_ref());
        if self.liquidity_factor != 1.0 && depths.clone().all(|depth| depth.is_none()) {
            notes.push(ScenarioNote::NoKnownDepth);
        }
        let depths: Vec<_> = depths.map(|depth| Some(depth?.scaled(self.liquidity_factor))).collect();
        Ok(AppliedScenario {
            book: book.clone().with_depths(depths),
            rules: CascadeRules {
                gas_usd: rules.gas_usd * self.gas_factor,
                ..rules
            },
            factors,
            lag: self.oracle,
            notes,
        })
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let above_zero = |value: f64| value > 0.0;
        let number = |what, value: f64, may_be: &dyn Fn(f64) -> bool, expected| {
            if value.is_finite() && may_be(value) {
                return Ok(());
            }
            Err(ScenarioError::OutOfRange {
                scenario: self.name.clone(),
                what,
                value: value.to_string(),
                expected,
            })
        };
        number(
            "liquidity_factor",
            self.liquidity_factor,
            &above_zero,
            "a factor above 0",
        )?;
        number(
            "gas_factor",
            self.gas_factor,
            &|value| value >= 0.0,
            "a factor, 0 or more",
        )?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        number(
            "the oracle's share",
            self.oracle.share,
            &share,
            "a fraction from 0 to 1",
        )?;
        number("horizon_hours", self.horizon_hours, &above_zero, "hours above 0")?;
        for shock in &self.shocks {
            let change = |value: f64| value > -1.0;
            number("change", shock.change, &change, "a fall of less than 100 %")?;
            for beta in std::iter::once(shock.beta).chain(shock.betas.iter().map(|(_, beta)| *beta)) {
                // Beyond this no price is left in floats.
                let factor = (1.0 + shock.change).powf(beta);
                number(
                    "beta",
                    beta,
                    &|_| factor > 0.0 && factor.is_finite(),
                    "a power that leaves a price",
                )?;
            }
        }
        Ok(())
    }

    /// The factor on every asset's price, by its place.
    fn factors(&self, book: &Book, notes: &mut Vec<ScenarioNote>) -> Result<Vec<f64>, ScenarioError> {
        let mut factors = book.no_shock();
        for shock in &self.shocks {
            let chosen = self.chosen(book, shock, notes)?;
            for (factor, asset) in factors
                .iter_mut()
                .zip(book.assets())
                .zip(chosen)
                .filter_map(|(of, chosen)| chosen.then_some(of))
            {
                let mut beta = shock.beta;
                for (selector, own) in &shock.betas {
                    if self.selects(selector, &asset.name)? {
                        beta = *own;
                    }
                }
                // A power of 1 is the change itself, to the last bit.
                *factor = if beta == 1.0 {
                    1.0 + shock.change
                } else {
                    (1.0 + shock.change).powf(beta)
                };
            }
        }
        Ok(factors)
    }

    /// Which assets a shock moves, by place.
    fn chosen(
        &self,
        book: &Book,
        shock: &ScenarioShock,
        notes: &mut Vec<ScenarioNote>,
    ) -> Result<Vec<bool>, ScenarioError> {
        let mut chosen = vec![false; book.assets().len()];
        let mut nothing = Vec::new();
        for selector in &shock.assets {
            let mut any = false;
            for (chosen, asset) in chosen.iter_mut().zip(book.assets()) {
                let fits = self.selects(selector, &asset.name)?;
                *chosen |= fits;
                any |= fits;
            }
            if !any {
                nothing.push(selector.to_string());
            }
        }
        for selector in &shock.except {
            for (chosen, asset) in chosen.iter_mut().zip(book.assets()) {
                *chosen &= !self.selects(selector, &asset.name)?;
            }
        }
        if !chosen.contains(&true) {
            let list = |selectors: &[Selector]| {
                selectors
                    .iter()
                    .map(Selector::to_string)
                    .collect::<Vec<_>>()
                    .join(" or ")
            };
            let but = if shock.except.is_empty() { "" } else { " but not " };
            return Err(ScenarioError::NothingOfBook {
                scenario: self.name.clone(),
                selector: format!("{}{but}{}", list(&shock.assets), list(&shock.except)),
                listed: book
                    .assets()
                    .iter()
                    .map(|asset| asset.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
        notes.extend(
            nothing
                .into_iter()
                .map(|selector| ScenarioNote::ChoosesNothing { selector }),
        );
        Ok(chosen)
    }

    fn selects(&self, selector: &Selector, asset: &str) -> Result<bool, ScenarioError> {
        let class = match selector {
            Selector::Pattern(pattern) => return Ok(fits(pattern, asset)),
            Selector::Class(class) => class,
        };
        let is_of = self
            .classes
            .is_of(asset, class)
            .ok_or_else(|| ScenarioError::UnknownClass {
                scenario: self.name.clone(),
                class: class.clone(),
                known: self.classes.names().collect::<Vec<_>>().join(", "),
            })?;
        let is_address =
            asset.len() == 42 && asset.starts_with("0x") && asset[2..].bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_address && !self.classes.knows(asset) {
            return Err(ScenarioError::Unclassified {
                scenario: self.name.clone(),
                asset: asset.to_owned(),
            });
        }
        Ok(is_of)
    }
}

impl AppliedScenario {
    /// The book at the market's prices, before anybody acts.
    pub fn stress(&self) -> Stress {
        stress(&self.book, &self.factors)
    }

    /// What becomes of it.
    ///
    /// # Errors
    /// An asset must be sold whose depth is unknown, or not known that far.
    pub fn cascade(&self) -> Result<CascadeOutcome, CascadeError> {
        Cascade::new(&self.book, self.rules).run_lagged(&self.factors, self.lag)
    }
}
