//! What time it is: the real clock, or a virtual one that stands still while scripts run.
//!
//! Time is seconds as a float, as scripts see it: whether `0.1 + 0.2` and `0.3` are the same
//! instant is theirs to observe.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::cell::Cell;

/// Timers this close to now count as due.
pub const RESOLUTION: f64 = 1e-9;

/// How far the machine's last tick can be in the past, in seconds: ticks are 1 to 10 ms apart.
const ROUGHNESS: f64 = 0.02;

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
        Clock::Real => seconds(clock_gettime(ClockId::Monotonic)),
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
        Clock::Real => nanoseconds(clock_gettime(ClockId::Monotonic)),
    }
}

/// Whether it is before a time, as far as that can be said without reading the clock exactly: that
/// takes several times as long, and a busy loop asks at every pass (benchmark: sched/timeout).
pub fn is_well_before(when: f64) -> bool {
    match CLOCK.get() {
        Clock::Virtual => NOW.get() < when - RESOLUTION,
        Clock::Real => rough().is_some_and(|rough| rough + ROUGHNESS < when),
    }
}

/// The machine's clock as it was at its last tick, if it tells that.
fn rough() -> Option<f64> {
    #[cfg(target_os = "linux")]
    return Some(seconds(clock_gettime(ClockId::MonotonicCoarse)));
    #[cfg(not(target_os = "linux"))]
    return None;
}

fn seconds(time: Timespec) -> f64 {
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn nanoseconds(time: Timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The time of day: nanoseconds since 1970; the virtual clock's own time under it.
pub fn wall_ns() -> i64 {
    match CLOCK.get() {
        Clock::Virtual => now_ns(),
        Clock::Real => nanoseconds(clock_gettime(ClockId::Realtime)),
    }
}

/// Moves the virtual clock forward.
pub fn jump(to: f64) {
    if to > NOW.get() {
        super::instrument::tell(|| super::instrument::Event::ClockJump { from: NOW.get(), to });
        NOW.set(to);
    }
}

/// Processor time of this process, in nanoseconds.
pub fn processor_ns() -> i64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}
