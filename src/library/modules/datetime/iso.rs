//! Dates and times as ISO 8601 writes them, and its calendar of weeks.

use super::{LAST_YEAR, from_ordinal, int32s, reckonable, to_ordinal};
use crate::interp::error::*;
use crate::library::asyncio::natives;
use crate::value::*;

pub const FUNCTIONS: &[NativeDef] = natives! {
    Function Plain "iso_calendar" "(number, /)" "The ISO year, week and weekday of a day's number." |args| {
        let number = reckonable(&args[0])?;
        let (year, ..) = from_ordinal(number - (number - 1).rem_euclid(7) + 3);
        let days = number - first_monday(year);
        Ok(ints([year, days / 7 + 1, days % 7 + 1]))
    };
    Function Plain "from_iso_calendar" "(year, week, weekday, /)"
        "The number of the day that an ISO year, week and weekday name."
        |args| from_calendar(int32s(args)?).map(Value::Int).map_err(value_error);
};

fn ints<const N: usize>(numbers: [i64; N]) -> Value {
    Value::tuple(numbers.map(Value::Int))
}

/// The day on which week 1 of a year begins: the week with its first Thursday.
fn first_monday(year: i64) -> i64 {
    let fourth = to_ordinal(year, 1, 4);
    fourth - (fourth - 1).rem_euclid(7)
}

fn from_calendar([year, week, weekday]: [i64; 3]) -> Result<i64, String> {
    if !(1..=LAST_YEAR).contains(&year) {
        return Err(format!("Year is out of range: {year}"));
    }
    let first = first_monday(year);
    let has_53 = || first_monday(year + 1) - first == 371;
    if !(1..=52).contains(&week) && (week != 53 || !has_53()) {
        return Err(format!("Invalid week: {week}"));
    }
    if !(1..=7).contains(&weekday) {
        return Err(format!("Invalid day: {weekday} (range is [1, 7])"));
    }
    Ok(first + (week - 1) * 7 + weekday - 1)
}

/// Takes a number of so many digits from the front of a text.
fn number(text: &mut &[char], digits: usize) -> Option<i64> {
    let mut number = 0;
    for char in text.get(..digits)? {
        number = number * 10 + i64::from(char.to_digit(10)?);
    }
    *text = &text[digits..];
    Some(number)
}

/// Takes a character from the front, if it is that one.
fn skip(text: &mut &[char], char: char) -> bool {
    let is_there = text.first() == Some(&char);
    if is_there {
        *text = &text[1..];
    }
    is_there
}

/// `2024-05-06`, `20240506`, `2024-W19-1`, `2024W191`, `2024-W19`
pub fn date(mut text: &[char]) -> Option<[i64; 3]> {
    let year = number(&mut text, 4)?;
    let is_parted = skip(&mut text, '-');
    if skip(&mut text, 'W') {
        let week = number(&mut text, 2)?;
        let weekday = if text.is_empty() {
            1
        } else if skip(&mut text, '-') == is_parted {
            number(&mut text, 1)?
        } else {
            return None;
        };
        let day = from_calendar([year, week, weekday]).ok()?;
        let (year, month, day) = from_ordinal(day);
        return text.is_empty().then_some([year, month, day]);
    }
    let month = number(&mut text, 2)?;
    if skip(&mut text, '-') != is_parted {
        return None;
    }
    let day = number(&mut text, 2)?;
    text.is_empty().then_some([year, month, day])
}

/// A clock's hour, minute, second and microsecond, the latter perhaps with fewer digits than six.
struct Clock {
    parts: [i64; 4],
    fraction_digits: usize,
}

/// `07`, `07:08`, `07:08:09`, the same without colons, and with a fraction.
fn clock(text: &mut &[char]) -> Option<Clock> {
    let mut parts = [number(text, 2)?, 0, 0, 0];
    let mut ahead = *text;
    let is_parted = skip(&mut ahead, ':');
    let mut has_second = false;
    if let Some(minute) = number(&mut ahead, 2) {
        (parts[1], *text) = (minute, ahead);
        if skip(&mut ahead, ':') == is_parted
            && let Some(second) = number(&mut ahead, 2)
        {
            (parts[2], *text) = (second, ahead);
            has_second = true;
        }
    }
    // After seconds CPython takes a fraction that goes on as the parts before it do, too.
    let fraction = match *text {
        [',' | '.', rest @ ..] => Some((rest, 1)),
        [':', rest @ ..] if has_second && is_parted => Some((rest, 1)),
        rest if has_second && !is_parted => Some((rest, 2)),
        _ => None,
    };
    let mut fraction_digits = 0;
    if let Some((rest, least)) = fraction {
        fraction_digits = rest.iter().take_while(|char| char.is_ascii_digit()).count();
        if fraction_digits >= least {
            let mut digits: Vec<char> = rest[..fraction_digits.min(6)].to_vec();
            digits.resize(6, '0');
            parts[3] = number(&mut &digits[..], 6)?;
            *text = &rest[fraction_digits..];
        }
    }
    Some(Clock {
        parts,
        fraction_digits,
    })
}

/// What a text says of a time.
#[derive(Default)]
pub struct Time {
    /// Hour, minute, second and microsecond.
    pub clock: [i64; 4],
    /// Its sign, seconds and microseconds.
    pub offset: Option<[i64; 3]>,
}

/// A date and a time, between which any character may stand; there may be no time.
pub fn moment(text: &[char]) -> Option<([i64; 3], Time)> {
    let (day, clock) = split(text);
    let day = date(day)?;
    Some((day, clock.map_or_else(|| Some(Time::default()), time)?))
}

/// A clock and perhaps an offset: `Z`, or `+` or `-` and a clock.
pub fn time(mut text: &[char]) -> Option<Time> {
    let own = clock(&mut text)?;
    // CPython passes over one character before the offset, such as a blank, unless it reads a short
    // fraction there.
    let is_sign = |char: &char| matches!(char, 'Z' | '+' | '-');
    if let [stray, sign, ..] = text
        && !is_sign(stray)
        && is_sign(sign)
    {
        if (1..6).contains(&own.fraction_digits) {
            return None;
        }
        text = &text[1..];
    }
    let offset = match text {
        [] => None,
        ['Z'] => Some([1, 0, 0]),
        [sign @ ('+' | '-'), rest @ ..] => {
            let mut rest = rest;
            let [hours, minutes, seconds, us] = clock(&mut rest)?.parts;
            if !rest.is_empty() {
                return None;
            }
            let whole = hours * 3600 + minutes * 60 + seconds;
            // CPython's fraction needs seconds.
            let us = if whole == 0 { 0 } else { us };
            Some([if *sign == '-' { -1 } else { 1 }, whole, us])
        }
        _ => return None,
    };
    Some(Time {
        clock: own.parts,
        offset,
    })
}

/// The date and the time of a moment, without the character between them; there may be no time.
fn split(text: &[char]) -> (&[char], Option<&[char]>) {
    let is = |place: usize, wanted: char| text.get(place) == Some(&wanted);
    let is_digit = |place: usize| text.get(place).is_some_and(char::is_ascii_digit);
    let end = if text.len() == 7 {
        7
    } else if is(4, '-') {
        // After a hyphen two digits are an hour, one is a weekday.
        match is(5, 'W') && (!is(8, '-') || is_digit(10)) {
            true => 8,
            false => 10,
        }
    } else if is(4, 'W') {
        let digits = (7..).take_while(|&place| is_digit(place)).count() + 7;
        match digits {
            ..9 => digits,
            _ if digits % 2 == 1 => 8,
            _ => 7,
        }
    } else {
        8
    };
    match text.len() > end {
        true => (&text[..end], Some(&text[end + 1..])),
        false => (text, None),
    }
}
