//! The timer that sends SIGALRM: an OS thread that waits, on the real clock.

use super::clock;
use std::cell::RefCell;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

const SIGALRM: i32 = signal_hook::consts::SIGALRM;

/// The longest wait, in seconds.
const LONGEST: f64 = 1e9;

struct Alarm {
    /// When it first comes, on the clock.
    due: f64,
    /// The seconds between it and the next; 0 if it comes once.
    interval: f64,
    /// Dropped to stop the thread.
    _stop: Sender<()>,
}

thread_local! {
    static ALARM: RefCell<Option<Alarm>> = const { RefCell::new(None) };
}

/// Sets the timer (0 seconds: none); gives the seconds that the one before had left, and its
/// interval.
pub fn set(seconds: f64, interval: f64) -> (f64, f64) {
    let before = left();
    let alarm = (seconds > 0.0).then(|| {
        let (stop, stopped) = channel::<()>();
        let wait = |seconds: f64| Duration::from_secs_f64(seconds.min(LONGEST));
        std::thread::spawn(move || {
            let mut next = wait(seconds);
            while stopped.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
                // A signal that cannot be sent is a timer that never rings.
                let _ = signal_hook::low_level::raise(SIGALRM);
                if interval <= 0.0 {
                    break;
                }
                next = wait(interval);
            }
        });
        Alarm {
            due: clock::now() + seconds,
            interval,
            _stop: stop,
        }
    });
    drop(ALARM.replace(alarm));
    before
}

/// The seconds until the timer rings, and its interval; zeros if it is not set.
pub fn left() -> (f64, f64) {
    ALARM.with_borrow(|alarm| {
        let Some(alarm) = alarm else { return (0.0, 0.0) };
        let left = alarm.due - clock::now();
        match (left > 0.0, alarm.interval > 0.0) {
            (true, _) => (left, alarm.interval),
            (false, true) => (left.rem_euclid(alarm.interval), alarm.interval),
            (false, false) => (0.0, 0.0),
        }
    })
}
