//! A connection's timer, which costs next to nothing while requests come and go.
//!
//! hyper asks for a timer for the headers of each request, and seldom needs it: arming and disarming one in
//! the runtime's wheel for each request is dear. Here a connection has one timer in the wheel. It stays
//! armed when hyper drops its own; when it goes off too early for the next, it is armed again.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The timer of one connection, for delays of about the same length.
#[derive(Clone, Default)]
pub(crate) struct ConnectionTimer(Arc<Mutex<Option<Pin<Box<tokio::time::Sleep>>>>>);

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Delay { deadline, timer: self.clone() })
    }
}

struct Delay {
    deadline: Instant,
    timer: ConnectionTimer,
}

impl Future for Delay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = tokio::time::Instant::from_std(self.deadline);
        let mut armed = self.timer.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let armed = armed.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if armed.deadline() > deadline {
            armed.as_mut().reset(deadline);
        }
        loop {
            ready!(armed.as_mut().poll(cx));
            if armed.deadline() >= deadline {
                return Poll::Ready(());
            }
            armed.as_mut().reset(deadline);
        }
    }
}

impl Sleep for Delay {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A later delay is not ended by what an earlier one had armed, and an earlier one is not late.
    #[tokio::test(start_paused = true)]
    async fn each_delay_ends_at_its_own_time() {
        let timer = ConnectionTimer::default();
        let start = tokio::time::Instant::now();
        let after = |seconds| timer.sleep_until(start.into_std() + Duration::from_secs(seconds));
        let mut dropped = after(10);
        assert!(futures_util::poll!(dropped.as_mut()).is_pending());
        drop(dropped);
        for seconds in [25, 30, 31] {
            after(seconds).await;
            assert_eq!(start.elapsed().as_secs(), seconds);
        }
        let mut late = after(60);
        assert!(futures_util::poll!(late.as_mut()).is_pending());
        after(40).await;
        assert_eq!(start.elapsed().as_secs(), 40);
        late.await;
        assert_eq!(start.elapsed().as_secs(), 60);
    }
}
