use crate::error::NodeErrorKind;
use std::time::Duration;

/// How often, and after what pauses, a request is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles from there.
    pub first_pause: Duration,
    /// The longest pause, also where a node asks for more.
    pub longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(60),
        }
    }
}

impl Retry {
    /// The pause before the attempt after `failed` ones, or `None` where there is no point in another.
    ///
    /// Exponential, with a jitter of the upper half so that many requests that failed together do not come back
    /// together. What the node asks for by `Retry-After` is waited for in full.
    pub(crate) fn pause(&self, failed: u32, kind: &NodeErrorKind) -> Option<Duration> {
        if failed >= self.attempts || !kind.is_transient() {
            return None;
        }
        let doubled = self.first_pause.saturating_mul(1 << failed.saturating_sub(1).min(20));
        let whole = doubled.min(self.longest_pause);
        let jittered = whole.mul_f64(0.5 + 0.5 * fastrand::f64());
        match kind.retry_after() {
            Some(asked) => Some(asked.min(self.longest_pause).max(jittered)),
            None => Some(jittered),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(retry_after: Option<Duration>) -> NodeErrorKind {
        NodeErrorKind::RateLimited {
            method: "eth_call",
            retry_after,
            attempts: 1,
        }
    }

    #[test]
    fn pauses_double_and_end() {
        let retry = Retry::default();
        for (failed, whole) in [(1, 250), (2, 500), (3, 1000), (5, 4000)] {
            let pause = retry.pause(failed, &limited(None)).unwrap();
            assert!(pause >= Duration::from_millis(whole / 2) && pause <= Duration::from_millis(whole));
        }
        assert_eq!(retry.pause(6, &limited(None)), None);
    }

    #[test]
    fn what_the_node_asks_for_is_honoured() {
        let retry = Retry::default();
        let asked = Duration::from_secs(7);
        assert_eq!(retry.pause(1, &limited(Some(asked))), Some(asked));
        let forever = Duration::from_secs(86_400);
        assert_eq!(retry.pause(1, &limited(Some(forever))), Some(retry.longest_pause));
    }

    #[test]
    fn a_lie_is_not_asked_for_twice() {
        let lie = NodeErrorKind::Lie {
            block: 1,
            reason: String::new(),
        };
        assert_eq!(Retry::default().pause(1, &lie), None);
    }
}
