use std::time::Duration;
use tokio::{
    sync::{Mutex, Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};

/// Keeps an endpoint's requests within a number at a time and a rate.
#[derive(Debug)]
pub(crate) struct Throttle {
    at_once: Semaphore,
    gap: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Throttle {
    /// At most so many requests at once, and so many a second where a rate is given.
    pub(crate) fn new(at_once: usize, per_second: Option<f64>) -> Self {
        let gap = per_second
            .filter(|rate| rate.is_finite() && *rate > 0.0)
            .and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Self {
            at_once: Semaphore::new(at_once.max(1)),
            gap,
            next: Mutex::new(None),
        }
    }

    /// Waits for a turn; the turn ends where the permit is dropped.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so that there is always a permit in the end.
        let permit = self.at_once.acquire().await.ok();
        if let Some(gap) = self.gap {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + gap);
            drop(next);
            sleep_until(at).await;
        }
        permit
    }
}
