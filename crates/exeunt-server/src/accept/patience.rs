//! How long a connection waits for the head of a request, by an alarm that is seldom set.
//!
//! Owns the one alarm of a connection. hyper begins a wait at every request and gives it up as soon as the head is there; to set
//! an alarm with the runtime and take it back costs more than looking a session up. So the alarm stays where it is: when it
//! rings before a wait is over it is set anew, which is once in as long as a connection waits. It never rings late.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// The waits of one connection, which are all of the same length and follow each other.
pub(super) struct Patience {
    length: Duration,
    alarm: Arc<Mutex<Alarm>>,
}

struct Alarm {
    sleep: Pin<Box<tokio::time::Sleep>>,
    /// Whom it wakes; nobody until somebody has waited.
    wakes: Option<Waker>,
}

/// One wait.
struct Wait {
    from: Instant,
    until: Instant,
    is_new: bool,
    alarm: Arc<Mutex<Alarm>>,
}

impl Patience {
    pub(super) fn new(length: Duration) -> Self {
        let sleep = Box::pin(tokio::time::sleep(length));
        Self { length, alarm: Arc::new(Mutex::new(Alarm { sleep, wakes: None })) }
    }
}

impl Timer for Patience {
    fn sleep(&self, length: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + length)
    }

    fn sleep_until(&self, until: Instant) -> Pin<Box<dyn Sleep>> {
        let from = until.checked_sub(self.length).unwrap_or(until);
        Box::pin(Wait { from, until, is_new: true, alarm: Arc::clone(&self.alarm) })
    }
}

impl Alarm {
    /// Whether it rings after `moment` and wakes this task then.
    fn is_set(&self, moment: Instant, waker: &Waker) -> bool {
        self.sleep.deadline().into_std() > moment && self.wakes.as_ref().is_some_and(|set| set.will_wake(waker))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.wakes.as_ref().is_some_and(|set| set.will_wake(cx.waker())) {
            self.wakes = Some(cx.waker().clone());
        }
        self.sleep.as_mut().poll(cx)
    }
}

impl Sleep for Wait {}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let is_new = std::mem::replace(&mut self.is_new, false);
        let mut alarm = self.alarm.lock().unwrap_or_else(PoisonError::into_inner);
        // Should it have rung since the wait began, this task is woken, and the wait is not new then.
        if is_new && alarm.is_set(self.from, cx.waker()) {
            return Poll::Pending;
        }
        loop {
            // The next wait may begin at the same moment as the last, but never before it.
            ready!(alarm.poll(cx));
            if Instant::now() >= self.until {
                return Poll::Ready(());
            }
            alarm.sleep.as_mut().reset(self.until.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whoever waits is woken when the wait is over, though the alarm was set for a wait before it.
    #[tokio::test]
    async fn a_wait_ends_at_its_own_end_and_not_at_that_of_the_one_before() {
        let patience = Patience::new(Duration::from_millis(40));
        let mut ends = Vec::new();
        for _ in 0..3 {
            let until = patience.now() + patience.length;
            patience.sleep_until(until).await;
            ends.push(until);
            assert!(Instant::now() >= until, "it was over too early");
        }
        let mut given_up = patience.sleep_until(patience.now() + patience.length);
        assert!(poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx))).await.is_pending());
        drop(given_up);
        let until = patience.now() + patience.length;
        patience.sleep_until(until).await;
        assert!(Instant::now() >= until, "the alarm of the wait that was given up ended this one");
    }

    #[tokio::test]
    async fn a_wait_polled_by_another_task_wakes_that_one() {
        let patience = Patience::new(Duration::from_millis(40));
        let mut first = patience.sleep_until(patience.now() + patience.length);
        assert!(poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx))).await.is_pending());
        drop(first);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut second = patience.sleep_until(patience.now() + patience.length);
        assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        while woken.0.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }
}
