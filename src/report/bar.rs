//! Bars in the cells of tables: as wide as their cell on any screen.

use maud::{Markup, html};

/// A scale that all bars of a column share; zero is on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    low: f64,
    span: f64,
}

impl Scale {
    /// The scale on which all values have room.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((0.0f64, 0.0f64), |ends, value| (ends.0.min(value), ends.1.max(value)));
        Self {
            low,
            span: if high > low { high - low } else { 1.0 },
        }
    }

    fn percent(&self, value: f64) -> f64 {
        ((value - self.low) / self.span * 100.0).clamp(0.0, 100.0)
    }

    /// From one value to another, a gain or a loss by its direction.
    pub(super) fn signed(&self, step: (f64, f64)) -> Markup {
        self.bar(step, if step.1 < step.0 { "loss" } else { "gain" })
    }

    /// From one value to another, of a class.
    pub(super) fn bar(&self, (from, to): (f64, f64), class: &str) -> Markup {
        let (left, right) = (self.percent(from.min(to)), self.percent(from.max(to)));
        // A part too small for its scale still leaves a mark.
        let width = (right - left).max(0.4);
        let zero = format!("{:.2}%", self.percent(0.0));
        html! {
            svg class="step" width="100%" height="20" aria-hidden="true" {
                line class="zero" x1=(zero) x2=(zero) y1="0" y2="20" {}
                @if from < to || to < from {
                    rect class={ "bar " (class) } x=(format!("{:.2}%", left.min(99.6))) width=(format!("{width:.2}%")) y="3" height="14" rx="2" {}
                }
            }
        }
    }
}
