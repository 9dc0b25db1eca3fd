//! `__new__` and `replace` of dates, times and moments.

use super::{check_date, check_time, class_argument, date_text, fields, instance, int32, is_ours, made_of};
use crate::interp::error::*;
use crate::interp::payload::*;
use crate::interp::types::class_of;
use crate::interp::{attribute, call, import};
use crate::library::asyncio::natives;
use crate::library::builtins::wrong_argument;
use crate::source::{Symbol, name};
use crate::value::*;

/// The methods, by the class that they are of and the name under which `datetime` imports them.
const METHODS: [(&str, &str, &[NativeDef]); 3] = [
    ("datetime.date", "date", DATE),
    ("datetime.time", "time", TIME),
    ("datetime.datetime", "datetime", MOMENT),
];

/// `new_date`, `replace_date` and so on.
pub fn names() -> Vec<(Symbol, Value)> {
    let of = |(owner, suffix, table): (&'static str, &str, &'static [NativeDef])| {
        let named = move |def: &NativeDef| {
            let verb = def.name.trim_matches('_');
            (
                Symbol::new(&format!("{verb}_{suffix}")),
                Native::of(def, owner).into(),
            )
        };
        table.iter().map(named).collect::<Vec<_>>()
    };
    METHODS.into_iter().flat_map(of).collect()
}

const DATE: &[NativeDef] = natives! {
    Static Plain "__new__" "(cls, year=None, month=None, day=None, *more, **unknown)" "A day." new_date;
    Method Plain "replace" "(self, year=None, month=None, day=None)" "The same date but for the fields given."
        |args| replaced(args, 3, new_date);
};

const TIME: &[NativeDef] = natives! {
    Static Plain "__new__"
        "(cls, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *more, fold=0, **unknown)"
        "A time of day." new_time;
    Method Plain "replace"
        "(self, hour=None, minute=None, second=None, microsecond=None, tzinfo=None, *, fold=None)"
        "The same time but for the fields given." |args| replaced(args, 5, new_time);
};

const MOMENT: &[NativeDef] = natives! {
    Static Plain "__new__"
        "(cls, year=None, month=None, day=None, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *more, \
         fold=0, **unknown)"
        "A date and a time of day." new_moment;
    Method Plain "replace"
        "(self, year=None, month=None, day=None, hour=None, minute=None, second=None, microsecond=None, \
         tzinfo=None, *, fold=None)"
        "The same moment but for the fields given." |args| replaced(args, 8, new_moment);
};

fn new_date(args: &[Value]) -> Res {
    let day = day_of(&args[1..4])?;
    refuse_more("3 arguments", 3, &args[4], &args[5])?;
    let day = numbers(day)?;
    check_date(day)?;
    make(&args[0], day.map(Value::Int))
}

fn new_time(args: &[Value]) -> Res {
    refuse_more("5 positional arguments", 5, &args[6], &args[8])?;
    let [hour, minute, second, us, fold] = numbers([&args[1], &args[2], &args[3], &args[4], &args[7]])?;
    check_time([hour, minute, second, us], fold)?;
    let zone = zone(&args[5])?;
    let [hour, minute, second, us, fold] = [hour, minute, second, us, fold].map(Value::Int);
    make(&args[0], [hour, minute, second, us, zone, fold])
}

fn new_moment(args: &[Value]) -> Res {
    let [year, month, day] = day_of(&args[1..4])?;
    refuse_more("8 positional arguments", 8, &args[9], &args[11])?;
    let clock = [&args[4], &args[5], &args[6], &args[7], &args[10]];
    let [year, month, day, hour, minute, second, us, fold] =
        numbers([year, month, day, clock[0], clock[1], clock[2], clock[3], clock[4]])?;
    check_date([year, month, day])?;
    check_time([hour, minute, second, us], fold)?;
    let zone = zone(&args[8])?;
    let [year, month, day, hour, minute, second, us, fold] =
        [year, month, day, hour, minute, second, us, fold].map(Value::Int);
    make(&args[0], [year, month, day, hour, minute, second, us, zone, fold])
}

fn make<const N: usize>(of: &Value, fields: [Value; N]) -> Res {
    Ok(instance(class_argument(of)?, name::FIELDS, Value::tuple(fields)))
}

/// Arguments as ints of 32 bits, 0 where none was given.
fn numbers<const N: usize>(args: [&Value; N]) -> Res<[i64; N]> {
    let mut numbers = [0; N];
    for (number, arg) in numbers.iter_mut().zip(args) {
        if !arg.is_unset() {
            *number = int32(arg)?;
        }
    }
    Ok(numbers)
}

/// Year, month and day, all of which must be there.
fn day_of(args: &[Value]) -> Res<[&Value; 3]> {
    let [year, month, day] = args else {
        return Err(type_error("function missing required argument 'year' (pos 1)"));
    };
    for (place, name) in ["year", "month", "day"].into_iter().enumerate() {
        if args[place].is_unset() {
            args[..place]
                .iter()
                .try_for_each(|before| int32(before).map(drop))?;
            return Err(type_error(format!(
                "function missing required argument '{name}' (pos {})",
                place + 1
            )));
        }
        index(&args[place])?;
    }
    Ok([year, month, day])
}

/// Refuses arguments beyond those that a constructor takes.
fn refuse_more(most: &str, count: usize, more: &Value, unknown: &Value) -> Res<()> {
    let more = as_tuple(more).map_or(0, |more| more.items.len());
    let unknown = as_dict(unknown).map_or_else(Vec::new, |unknown| unknown.symbol_entries());
    if more > 0 {
        let given = count + more + unknown.len();
        return Err(type_error(format!(
            "function takes at most {most} ({given} given)"
        )));
    }
    match unknown.first() {
        Some((name, _)) => Err(type_error(format!(
            "this function got an unexpected keyword argument '{name}'"
        ))),
        None => Ok(()),
    }
}

/// A tzinfo argument.
fn zone(zone: &Value) -> Res {
    if let Some(zone) = zone.given()
        && !matches!(zone, Value::None)
    {
        let check = attribute::get(&import::by_name("_datetime_zone")?, Symbol::new("check_zone"))?;
        call::call(&check, std::slice::from_ref(zone))?;
    }
    Ok(zone.given().cloned().unwrap_or(Value::None))
}

/// The object with some of its fields changed; the first `count` are positional, the next is the fold.
fn replaced(args: &[Value], count: usize, new: fn(&[Value]) -> Res) -> Res {
    let own = made_of(&args[0], name::FIELDS)?;
    let field = |place: usize, given: &Value| match given {
        Value::Unset => Ok(fields(&own)?.get(place).cloned().unwrap_or_default()),
        given => Ok(given.clone()),
    };
    let given = args[1..].iter().enumerate();
    let mut all = given
        .map(|(place, given)| field(place, given))
        .collect::<Res<Vec<_>>>()?;
    let fold = all.split_off(count).pop();
    let of = class_of(&args[0]);
    if is_ours(&of) {
        all.insert(0, of.into());
        all.push(Value::Unset);
        all.extend(fold.map(|fold| [fold, Value::Unset]).into_iter().flatten());
        all.push(Value::Unset);
        return new(&all);
    }
    // Other classes than ours are called with the fields.
    let is_second = fold.as_ref().is_some_and(|fold| !fold.is(&Value::Int(0)));
    let named: Vec<_> = fold
        .filter(|_| is_second)
        .map(|fold| (Symbol::new("fold"), fold))
        .into_iter()
        .collect();
    call::call_kw(&of.into(), &all, &named)
}

/// A moment as text, but for its offset.
pub fn moment_text(args: &[Value]) -> Res {
    let own = fields(&args[0])?;
    let sep = match &args[1] {
        Value::Str(sep) if sep.chars == 1 => sep,
        sep => {
            return Err(wrong_argument(
                "isoformat() argument 1",
                "a unicode character",
                sep,
            ));
        }
    };
    let timespec =
        text_of(&args[2]).ok_or_else(|| wrong_argument("isoformat() argument 2", "str", &args[2]))?;
    let clock = super::clock_text(own.get(3..).unwrap_or_default(), timespec)?;
    Ok(Value::from(format!("{}{}{clock}", date_text(own), sep.text)))
}
