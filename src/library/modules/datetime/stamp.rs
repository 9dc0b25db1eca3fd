//! POSIX timestamps: moments counted in seconds from 1970 on. Local time is UTC, as in `time`.

use super::fields::{self, kept};
use super::{
    DAY, DAY_OF_1970, LAST_YEAR, SECOND, class_argument, construct, date_in, from_ordinal, moment_in,
    operators,
};
use crate::code::BinaryOp;
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::{call, operator, os_error};
use crate::library::asyncio::natives;
use crate::runtime::clock;
use crate::source::Symbol;
use crate::value::*;

/// Microseconds from day 0 to 1970.
const EPOCH: i64 = DAY_OF_1970 * DAY;

/// What dates have; moments inherit none of it.
pub const OF_DATES: &[NativeDef] = natives! {
    ClassMethod Plain "fromtimestamp" "(cls, timestamp, /)" "The local date of a POSIX timestamp." |args| {
        let us = match as_float(&args[1]) {
            Some(seconds) if seconds.is_finite() => since_1970(&Value::float(seconds.floor()))?,
            _ => since_1970(&args[1])?,
        };
        let number = us.div_euclid(DAY.into()) as i64 + DAY_OF_1970;
        check_year(number)?;
        date_in(class_argument(&args[0])?, number)
    };
};

/// What moments have.
pub const OF_MOMENTS: &[NativeDef] = natives! {
    ClassMethod Plain "fromtimestamp" "(cls, timestamp, tz=None)"
        "The moment of a POSIX timestamp, local or in a time zone."
        |args| {
            let zone = construct::checked_zone(args[2].clone())?;
            stamped(&args[0], since_1970(&args[1])?, zone)
        };
    ClassMethod Plain "now" "(cls, tz=None)" "The moment it is, local or in a time zone." |args| {
        let zone = construct::checked_zone(args[1].clone())?;
        stamped(&args[0], i128::from(clock::wall_ns().div_euclid(1000)), zone)
    };
    Method Plain "timestamp" "(self, /)" "The moment as a POSIX timestamp; local if it has no time zone."
        |args| timestamp(&args[0]);
};

/// A timestamp in microseconds, rounded.
fn since_1970(timestamp: &Value) -> Res<i128> {
    let too_far = || overflow_error("timestamp out of range for platform time_t");
    const TOO_FAR: f64 = (1u64 << 63) as f64;
    let second = i128::from(SECOND);
    match as_float(timestamp) {
        Some(seconds) if seconds.is_nan() => Err(value_error("Invalid value NaN (not a number)")),
        Some(seconds) if (-TOO_FAR..TOO_FAR).contains(&seconds) => {
            let part = (seconds.fract() * 1e6).round_ties_even();
            Ok(seconds.trunc() as i128 * second + part as i128)
        }
        Some(_) => Err(too_far()),
        None => Ok(i128::from(index_or(timestamp, too_far)?) * second),
    }
}

/// Refuses the day of a timestamp that is too far away.
fn check_year(number: i64) -> Res<()> {
    const VALUE_TOO_LARGE: i32 = rustix::io::Errno::OVERFLOW.raw_os_error();
    let (year, ..) = from_ordinal(number);
    if i32::try_from(year - 1900).is_err() {
        let error = std::io::Error::from_raw_os_error(VALUE_TOO_LARGE);
        return Err(Raised::new(os_error::of_io(&error, None)));
    }
    match (1..=LAST_YEAR).contains(&year) {
        true => Ok(()),
        false => Err(year_out_of_range(year)),
    }
}

#[cold]
fn year_out_of_range(year: i64) -> Raised {
    value_error(format!("year {year} is out of range"))
}

/// The moment so many microseconds after 1970, in a zone, or else local.
fn stamped(of: &Value, us: i128, zone: Value) -> Res {
    let us = us + i128::from(EPOCH);
    check_year(us.div_euclid(DAY.into()) as i64)?;
    let of = class_argument(of)?;
    if zone.is_none() {
        // CPython looks for a second reading of the same clock up to a day before.
        if us < i128::from(2 * DAY) {
            return Err(year_out_of_range(0));
        }
        return moment_in(of, us, zone);
    }
    let moment = moment_in(of, us, zone.clone())?;
    call::call_method(&zone, Symbol::new("fromutc"), &[moment])
}

fn timestamp(moment: &Value) -> Res {
    let fields::Kept::Moment(reading) = kept(moment)? else {
        return Ok(Value::None);
    };
    let us = reading.us();
    if let Some(offset) = super::span_of(&fields::utc_offset(moment)?) {
        let us = i64::try_from(i128::from(us - EPOCH) - offset).unwrap_or(i64::MAX);
        return operator::binary(BinaryOp::Div, &Value::Int(us), &Value::Int(SECOND));
    }
    if !reading.zone.is_none() {
        return Err(operators::mixed_difference());
    }
    if us < 2 * DAY {
        return Err(year_out_of_range(0));
    }
    let seconds = (us - EPOCH).div_euclid(SECOND) as f64;
    Ok(Value::float(seconds + us.rem_euclid(SECOND) as f64 / 1e6))
}
