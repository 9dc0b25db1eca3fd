//! The module `time`: what the clock shows, sleeping, and the calendar in UTC.

mod format;

use crate::interp::error::{raise, type_error, value_error};
use crate::interp::types::{Type, class_name};
use crate::interp::{attribute, import, payload};
use crate::library::asyncio::natives;
use crate::library::builtins::wrong_argument;
use crate::runtime::{clock, thread};
use crate::source::Symbol;
use crate::value::*;

pub fn module() -> Vec<(Symbol, Value)> {
    let mut names = super::functions("time", &[FUNCTIONS]);
    let constants = [
        ("timezone", Value::Int(0)),
        ("altzone", Value::Int(0)),
        ("daylight", Value::Int(0)),
        ("CLOCK_REALTIME", Value::Int(CLOCK_REALTIME)),
        ("CLOCK_MONOTONIC", Value::Int(CLOCK_MONOTONIC)),
        ("CLOCK_PROCESS_CPUTIME_ID", Value::Int(CLOCK_PROCESS_CPUTIME_ID)),
        ("CLOCK_THREAD_CPUTIME_ID", Value::Int(CLOCK_THREAD_CPUTIME_ID)),
        ("tzname", Value::tuple([Value::from("UTC"), Value::from("UTC")])),
    ];
    names.extend(constants.map(|(name, value)| (Symbol::new(name), value)));
    names
}

const CLOCK_REALTIME: i64 = 0;
const CLOCK_MONOTONIC: i64 = 1;
const CLOCK_PROCESS_CPUTIME_ID: i64 = 2;
const CLOCK_THREAD_CPUTIME_ID: i64 = 3;

/// What one of the system's clocks shows, in nanoseconds.
fn clock_ns(which: &Value) -> Res<i64> {
    match payload::plain(which) {
        Value::Int(CLOCK_REALTIME) => Ok(clock::wall_ns()),
        Value::Int(CLOCK_MONOTONIC) => Ok(clock::now_ns()),
        Value::Int(CLOCK_PROCESS_CPUTIME_ID | CLOCK_THREAD_CPUTIME_ID) => Ok(clock::processor_ns()),
        Value::Int(_) => Err(raise(Type::OSError, "[Errno 22] Invalid argument")),
        other => Err(type_error(format!(
            "an integer is required, not {}",
            class_name(other)
        ))),
    }
}

fn seconds(ns: i64) -> Value {
    Value::float(ns as f64 / 1e9)
}

/// Under the virtual clock the float itself, which nanoseconds would round.
fn now() -> Value {
    Value::float(clock::now())
}

/// A number of seconds that was given as an argument.
pub fn seconds_given(value: &Value) -> Res<f64> {
    // What CPython counts times in: nanoseconds in 64 bits.
    const LIMIT: f64 = (1u64 << 63) as f64 / 1e9;
    let overflow = |message| Err(raise(Type::OverflowError, message));
    let plain = payload::plain(value);
    let seconds = match plain {
        Value::Int(_) | Value::Bool(_) | Value::Float(_) => payload::real(plain)?,
        Value::Big(_) => return overflow("timestamp too large to convert to C PyTime_t"),
        _ => {
            let kind = class_name(value);
            return Err(type_error(format!(
                "'{kind}' object cannot be interpreted as an integer"
            )));
        }
    };
    if seconds.is_nan() {
        return Err(value_error("Invalid value NaN (not a number)"));
    }
    if (-LIMIT..LIMIT).contains(&seconds) {
        return Ok(seconds);
    }
    match plain {
        Value::Float(_) => overflow("timestamp out of range for platform time_t"),
        _ => overflow("timestamp too large to convert to C PyTime_t"),
    }
}

const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "time" "()" "Seconds since 1970." |_| {
        Ok(if clock::is_virtual() { now() } else { seconds(clock::wall_ns()) })
    };
    Function Plain "time_ns" "()" "Nanoseconds since 1970." |_| Ok(Value::Int(clock::wall_ns()));
    Function Plain "monotonic" "()" "Seconds on a clock that never goes back." |_| Ok(now());
    Function Plain "monotonic_ns" "()" "Nanoseconds on a clock that never goes back."
        |_| Ok(Value::Int(clock::now_ns()));
    Function Plain "perf_counter" "()" "Seconds on the clock for short times." |_| Ok(now());
    Function Plain "perf_counter_ns" "()" "Nanoseconds on the clock for short times."
        |_| Ok(Value::Int(clock::now_ns()));
    Function Plain "process_time" "()" "Seconds of processor time." |_| Ok(seconds(clock::processor_ns()));
    Function Plain "process_time_ns" "()" "Nanoseconds of processor time."
        |_| Ok(Value::Int(clock::processor_ns()));
    Function Plain "thread_time" "()" "Seconds of processor time." |_| Ok(seconds(clock::processor_ns()));
    Function Plain "thread_time_ns" "()" "Nanoseconds of processor time."
        |_| Ok(Value::Int(clock::processor_ns()));
    Function Plain "clock_gettime" "(clk_id, /)" "Seconds on one of the system's clocks."
        |args| Ok(seconds(clock_ns(&args[0])?));
    Function Plain "clock_gettime_ns" "(clk_id, /)" "Nanoseconds on one of the system's clocks."
        |args| Ok(Value::Int(clock_ns(&args[0])?));
    Function Plain "sleep" "(seconds, /)" "Block this thread for some seconds." |args| {
        let length = seconds_given(&args[0])?;
        if length.is_nan() {
            return Err(value_error("Invalid value NaN (not a number)"));
        }
        if length < 0.0 {
            return Err(value_error("sleep length must be non-negative"));
        }
        thread::sleep(length)?;
        Ok(Value::None)
    };
    Function Plain "gmtime" "(seconds=None, /)" "The calendar's view of a time, in UTC."
        |args| fields_of(&args[0], "GMT");
    Function Plain "localtime" "(seconds=None, /)" "The calendar's view of a time; aio's time zone is UTC."
        |args| fields_of(&args[0], "UTC");
    Function Plain "mktime" "(tuple, /)" "The time that a calendar's view stands for." |args| {
        let fields = Fields::read(&args[0], "mktime")?;
        Ok(Value::float(fields.timestamp() as f64))
    };
    Function Plain "strftime" "(format, tuple=None, /)" "A time as text." |args| {
        let format = match payload::as_str(&args[0]) {
            Some(format) => &format.text,
            None => return Err(wrong_argument("strftime() argument 1", "str", &args[0])),
        };
        let fields = match args[1].given() {
            Some(tuple) => Fields::read(tuple, "strftime")?,
            None => Fields::at(clock::wall_ns().div_euclid(1_000_000_000)),
        };
        Ok(fields.format(format).into())
    };
    Function Plain "asctime" "(tuple=None, /)" "A time as text: 'Sun Jun  9 10:01:02 2024'." |args| {
        let fields = match args[0].given() {
            Some(tuple) => Fields::read(tuple, "asctime")?,
            None => Fields::at(clock::wall_ns().div_euclid(1_000_000_000)),
        };
        Ok(fields.format("%a %b %e %H:%M:%S %Y").into())
    };
    Function Plain "ctime" "(seconds=None, /)" "A time as text: 'Sun Jun  9 10:01:02 2024'."
        |args| Ok(Fields::at(moment(&args[0])?).format("%a %b %e %H:%M:%S %Y").into());
};

fn moment(value: &Value) -> Res<i64> {
    Ok(match value.given() {
        Some(value) => {
            let too_far = || raise(Type::OverflowError, "timestamp out of range for platform time_t");
            match payload::as_float(value) {
                Some(seconds) if seconds.is_nan() => {
                    return Err(value_error("Invalid value NaN (not a number)"));
                }
                Some(seconds) if seconds.abs() < 9e18 => seconds.floor() as i64,
                Some(_) => return Err(too_far()),
                None => payload::index_or(value, too_far)?,
            }
        }
        None => clock::wall_ns().div_euclid(1_000_000_000),
    })
}

fn fields_of(value: &Value, zone: &str) -> Res {
    let f = Fields::at(moment(value)?);
    let numbers = [
        f.year, f.month, f.day, f.hour, f.minute, f.second, f.weekday, f.yearday, 0,
    ];
    let class = attribute::get(&import::by_name("_struct_time")?, Symbol::new("struct_time"))?;
    let Some(class) = payload::as_class(&class) else {
        return Err(type_error("time.struct_time is no class"));
    };
    let made = Instance::new(class.clone(), Value::tuple(numbers.map(Value::Int)));
    made.set(Symbol::new("tm_zone"), Value::from(zone));
    made.set(Symbol::new("tm_gmtoff"), Value::Int(0));
    Ok(Ref::new(made).into())
}

/// The calendar's view of a time.
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// Monday is 0.
    weekday: i64,
    /// 1 to 366.
    yearday: i64,
    zone: String,
}

/// The zone of times that do not name theirs.
const ZONE: &str = "UTC";

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years begin in March here,
/// so that the leap day is the last.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year, month and day of a number of days from 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Fields {
    fn at(timestamp: i64) -> Fields {
        let (days, rest) = (timestamp.div_euclid(86_400), timestamp.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        Fields {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 3).rem_euclid(7),
            yearday: days - days_from_civil(year, 1, 1) + 1,
            zone: ZONE.to_string(),
        }
    }

    /// What a tuple says, for the function that was given it.
    fn read(value: &Value, function: &str) -> Res<Fields> {
        let Some(tuple) = payload::as_tuple(value) else {
            return Err(type_error("Tuple or struct_time argument required"));
        };
        let items = &tuple.items;
        if items.len() != 9 {
            return Err(type_error(format!("{function}(): illegal time tuple argument")));
        }
        let mut n = [0; 8];
        for (number, item) in n.iter_mut().zip(items) {
            *number = payload::small(item)?;
            for (is_beyond, word) in [
                (*number > i64::from(i32::MAX), "greater than maximum"),
                (*number < i64::from(i32::MIN), "less than minimum"),
            ] {
                if is_beyond {
                    return Err(raise(Type::OverflowError, format!("signed integer is {word}")));
                }
            }
        }
        let [
            mut year,
            mut month,
            mut day,
            hour,
            minute,
            second,
            weekday,
            mut yearday,
        ] = n;
        if function == "mktime" {
            // Months beyond the year are those of other years.
            (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
        } else {
            // What is not said is the first.
            for part in [&mut month, &mut day, &mut yearday] {
                *part = if *part == 0 { 1 } else { *part };
            }
        }
        let named = match value {
            Value::Tuple(_) => None,
            moment => attribute::find(moment, Symbol::new("tm_zone"))?,
        };
        let zone = named
            .as_ref()
            .and_then(payload::text_of)
            .unwrap_or(ZONE)
            .to_string();
        let fields = Fields {
            year,
            month,
            day,
            hour,
            minute,
            second,
            weekday: weekday.rem_euclid(7),
            yearday,
            zone,
        };
        if function != "mktime" {
            for (name, value, most) in [
                ("month", fields.month, 12),
                ("day of month", fields.day, 31),
                ("hour", fields.hour, 23),
                ("minute", fields.minute, 59),
                ("seconds", fields.second, 61),
                ("day of week", if weekday < -1 { weekday } else { 0 }, 6),
                ("day of year", fields.yearday, 366),
            ] {
                if !(0..=most).contains(&value) {
                    return Err(value_error(format!("{name} out of range")));
                }
            }
        }
        if !(0..=12).contains(&fields.month) || fields.year.abs() > 1_000_000_000 {
            return Err(raise(Type::OverflowError, "mktime argument out of range"));
        }
        Ok(fields)
    }

    /// The year and the number of its week of ISO 8601.
    fn iso_week(&self) -> (i64, i64) {
        let thursday = self.timestamp().div_euclid(86_400) - self.weekday + 3;
        let year = civil_from_days(thursday).0;
        (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
    }

    fn timestamp(&self) -> i64 {
        let days = days_from_civil(self.year, self.month, self.day);
        days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for days in [-719_162, -1, 0, 59, 60, 10_957, 19_782, 2_932_896] {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
        assert_eq!(civil_from_days(19_782), (2024, 2, 29));
    }

    #[test]
    fn a_time_is_formatted() {
        let fields = Fields::at(1_717_927_262);
        assert_eq!(
            fields.format("%a %b %e %H:%M:%S %Y %j %U %W"),
            "Sun Jun  9 10:01:02 2024 161 23 23"
        );
    }
}
