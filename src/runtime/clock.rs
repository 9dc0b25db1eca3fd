//! What time it is: the real clock, or a virtual one that stands still while scripts run.
//!
//! Time is seconds as a float, as scripts see it: whether `0.1 + 0.2` and `0.3` are the same
//! instant is theirs to observe.

use std::cell::Cell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Timers this close to now count as due.
pub const RESOLUTION: f64 = 1e-9;

/// Where time comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clock {
    #[default]
    Real,
    /// Starts at 0.0 and moves only by [`jump`].
    Virtual,
}

thread_local! {
    static CLOCK: Cell<Clock> = const { Cell::new(Clock::Real) };
    /// The virtual time.
    static NOW: Cell<f64> = const { Cell::new(0.0) };
    /// An instant and the seconds since boot at it, so that `now` is what CPython shows.
    static BASE: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// Chooses the clock; a virtual one starts at 0.0.
pub fn set(clock: Clock) {
    CLOCK.set(clock);
    NOW.set(0.0);
}

pub fn is_virtual() -> bool {
    CLOCK.get() == Clock::Virtual
}

/// The time of loops and `time.monotonic`, in seconds.
pub fn now() -> f64 {
    match CLOCK.get() {
        Clock::Virtual => NOW.get(),
        Clock::Real => monotonic().as_secs_f64(),
    }
}

/// Timers that are due before this time are due at `now`. Late on a long clock the resolution is
/// below what a float can tell apart, so it is at least the next number.
pub fn due_before(now: f64) -> f64 {
    (now + RESOLUTION).max(now.next_up())
}

/// The same as [`now`] in nanoseconds.
pub fn now_ns() -> i64 {
    match CLOCK.get() {
        Clock::Virtual => (NOW.get() * 1e9) as i64,
        Clock::Real => monotonic().as_nanos() as i64,
    }
}

#[allow(clippy::disallowed_methods)] // the one place that reads the machine's clock
fn monotonic() -> Duration {
    let (instant, base) = BASE.get().unwrap_or_else(|| {
        let uptime = std::fs::read_to_string("/proc/uptime").ok();
        let seconds = uptime
            .and_then(|t| t.split(' ').next()?.parse::<f64>().ok())
            .unwrap_or(0.0);
        let base = (Instant::now(), Duration::from_secs_f64(seconds.max(0.0)));
        BASE.set(Some(base));
        base
    });
    base + instant.elapsed()
}

/// The time of day: nanoseconds since 1970; the virtual clock's own time under it.
#[allow(clippy::disallowed_methods)] // the one place that reads the time of day
pub fn wall_ns() -> i64 {
    match CLOCK.get() {
        Clock::Virtual => now_ns(),
        Clock::Real => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as i64),
    }
}

/// Moves the virtual clock forward.
pub fn jump(to: f64) {
    if to > NOW.get() {
        super::instrument::tell(|| super::instrument::Event::ClockJump { from: NOW.get(), to });
        NOW.set(to);
    }
}

/// Processor time of this process, in nanoseconds (to the system's tick).
pub fn processor_ns() -> i64 {
    // Fields 14 and 15 count from the end of the name, which may hold anything: clock ticks, of
    // which Linux has a hundred a second.
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return now_ns();
    };
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: i64 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|n| n.parse::<i64>().ok())
        .sum();
    ticks * 10_000_000
}
