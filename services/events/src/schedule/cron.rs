//! `Minutes Hours Day-of-month Month Day-of-week Year`, as EventBridge reads them.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html#eb-cron-expressions>

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const YEARS: RangeInclusive<i16> = 1970..=2199;

/// A cron expression.
#[derive(Debug)]
pub(crate) struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: Days,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// The days, by the one of the two fields that is not `?`.
#[derive(Debug)]
enum Days {
    OfMonth(BTreeSet<i16>),
    LastOfMonth,
    LastWeekdayOfMonth,
    /// The weekday that is nearest to this day, in the same month.
    WeekdayNear(i16),
    /// 1 is Sunday.
    OfWeek(BTreeSet<i16>),
    /// The last such day of the month.
    LastOfWeek(i16),
    /// The nth such day of the month.
    NthOfWeek(i16, i16),
}

impl Cron {
    /// Reads the six fields; `None` for what is no expression.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, of_month, months, of_week, years] = fields.as_slice() else { return None };
        Some(Self {
            minutes: set(minutes, 0..=59, &[])?,
            hours: set(hours, 0..=23, &[])?,
            days: days(of_month, of_week)?,
            months: set(months, 1..=12, &MONTHS)?,
            years: set(years, YEARS, &[])?,
        })
    }

    /// The first moment after `after` that fits, both in seconds since 1970.
    pub(super) fn next(&self, after: i64) -> Option<i64> {
        let minute = Timestamp::from_second(after - after.rem_euclid(60) + 60).ok()?;
        let from = minute.to_zoned(TimeZone::UTC).datetime();
        let mut date = from.date();
        let (mut hour, mut minute) = (i16::from(from.hour()), i16::from(from.minute()));
        while date.year() <= *YEARS.end() {
            if !self.years.contains(&date.year()) {
                let year = *self.years.range(date.year()..).next()?;
                date = Date::new(year, 1, 1).ok()?;
            } else if !self.months.contains(&i16::from(date.month())) {
                date = date.last_of_month().tomorrow().ok()?;
            } else {
                if self.days.contains(date)
                    && let Some((hour, minute)) = self.time(hour, minute)
                {
                    let time = date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
                    return Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second());
                }
                date = date.tomorrow().ok()?;
            }
            (hour, minute) = (0, 0);
        }
        None
    }

    /// The first time of a day from this one on.
    fn time(&self, hour: i16, minute: i16) -> Option<(i16, i16)> {
        if self.hours.contains(&hour)
            && let Some(minute) = self.minutes.range(minute..).next()
        {
            return Some((hour, *minute));
        }
        Some((*self.hours.range(hour + 1..).next()?, *self.minutes.first()?))
    }
}

impl Days {
    fn contains(&self, date: Date) -> bool {
        let (day, last) = (i16::from(date.day()), i16::from(date.days_in_month()));
        let of_week = number(date.weekday());
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::LastOfMonth => day == last,
            Self::LastWeekdayOfMonth => day == weekday_near(date, last),
            Self::WeekdayNear(wanted) => *wanted <= last && day == weekday_near(date, *wanted),
            Self::OfWeek(days) => days.contains(&of_week),
            Self::LastOfWeek(wanted) => of_week == *wanted && day + 7 > last,
            Self::NthOfWeek(wanted, nth) => of_week == *wanted && (day - 1) / 7 + 1 == *nth,
        }
    }
}

/// 1 is Sunday.
fn number(day: Weekday) -> i16 {
    i16::from(day.to_sunday_one_offset())
}

/// The weekday nearest to the `day` of the month of `date`, without leaving the month.
fn weekday_near(date: Date, day: i16) -> i16 {
    let last = i16::from(date.days_in_month());
    let shift = i8::try_from(day).ok().and_then(|day| date.with().day(day).build().ok());
    match shift.map(Date::weekday) {
        Some(Weekday::Saturday) => {
            if day > 1 {
                day - 1
            } else {
                day + 2
            }
        }
        Some(Weekday::Sunday) => {
            if day < last {
                day + 1
            } else {
                day - 2
            }
        }
        _ => day,
    }
}

/// Exactly one of the two fields is `?`.
fn days(of_month: &str, of_week: &str) -> Option<Days> {
    match (of_month, of_week) {
        ("?", "?") => None,
        ("L", "?") => Some(Days::LastOfMonth),
        ("LW" | "WL", "?") => Some(Days::LastWeekdayOfMonth),
        (field, "?") => match field.strip_suffix('W') {
            Some(day) => value(day, &(1..=31), &[]).map(Days::WeekdayNear),
            None => set(field, 1..=31, &[]).map(Days::OfMonth),
        },
        ("?", "L") => Some(Days::OfWeek([7].into())),
        ("?", field) => {
            if let Some((day, nth)) = field.split_once('#') {
                let nth = value(nth, &(1..=5), &[])?;
                return Some(Days::NthOfWeek(value(day, &(1..=7), &DAYS)?, nth));
            }
            match field.strip_suffix('L') {
                Some(day) => value(day, &(1..=7), &DAYS).map(Days::LastOfWeek),
                None => set(field, 1..=7, &DAYS).map(Days::OfWeek),
            }
        }
        _ => None,
    }
}

/// `*`, values, ranges and steps, with commas between them.
fn set(field: &str, bounds: RangeInclusive<i16>, names: &[&str]) -> Option<BTreeSet<i16>> {
    let mut found = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(value(step, &(1..=*bounds.end()), &[])?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (*bounds.start(), *bounds.end()),
            Some((from, to)) => (value(from, &bounds, names)?, value(to, &bounds, names)?),
            None => {
                let from = value(range, &bounds, names)?;
                (from, if step.is_some() { *bounds.end() } else { from })
            }
        };
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        if from <= to {
            found.extend((from..=to).step_by(step));
        } else if names.is_empty() {
            return None;
        } else {
            // FRI-MON goes over the end of the week.
            let around = (from..=*bounds.end()).chain(*bounds.start()..=to);
            found.extend(around.step_by(step));
        }
    }
    Some(found)
}

fn value(text: &str, bounds: &RangeInclusive<i16>, names: &[&str]) -> Option<i16> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let number = match named {
        Some(place) => i16::try_from(place).ok()? + bounds.start(),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    bounds.contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, after: &str, expected: &[&str]) {
        let cron = Cron::parse(text).unwrap_or_else(|| panic!("{text}"));
        let mut at = after.parse::<Timestamp>().unwrap().as_second();
        for expected in expected {
            at = cron.next(at).unwrap();
            assert_eq!(Timestamp::from_second(at).unwrap().to_string(), *expected, "{text}");
        }
    }

    #[test]
    fn the_examples_of_the_documentation() {
        let from = "2026-01-15T12:00:00Z"; // a Thursday
        check("0 10 * * ? *", from, &["2026-01-16T10:00:00Z", "2026-01-17T10:00:00Z"]);
        check("15 12 * * ? *", from, &["2026-01-15T12:15:00Z", "2026-01-16T12:15:00Z"]);
        check(
            "0 18 ? * MON-FRI *",
            from,
            &["2026-01-15T18:00:00Z", "2026-01-16T18:00:00Z", "2026-01-19T18:00:00Z"],
        );
        check("0 8 1 * ? *", from, &["2026-02-01T08:00:00Z", "2026-03-01T08:00:00Z"]);
        check("0/15 * * * ? *", from, &["2026-01-15T12:15:00Z", "2026-01-15T12:30:00Z"]);
        check("0/10 * ? * MON-FRI *", "2026-01-16T23:50:00Z", &["2026-01-19T00:00:00Z"]);
        check("0/5 8-17 ? * MON-FRI *", "2026-01-15T17:55:00Z", &["2026-01-16T08:00:00Z"]);
        check("0/30 20-2 ? * MON-FRI *".replace("20-2", "20-23").as_str(), from, &["2026-01-15T20:00:00Z"]);
    }

    #[test]
    fn special_days_are_found() {
        let from = "2026-01-15T12:00:00Z";
        check("0 0 L * ? *", from, &["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]);
        check(
            "0 0 LW * ? *",
            from,
            &["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z", "2026-03-31T00:00:00Z"],
        );
        check(
            "0 0 1W * ? *",
            from,
            &["2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-04-01T00:00:00Z"],
        );
        check("0 0 15W 8,11 ? *", from, &["2026-08-14T00:00:00Z", "2026-11-16T00:00:00Z"]);
        check("0 0 ? * 3#2 *", from, &["2026-02-10T00:00:00Z", "2026-03-10T00:00:00Z"]);
        check("0 0 ? * FRIL *", from, &["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]);
        check("0 0 ? * L *", from, &["2026-01-17T00:00:00Z"]);
        check(
            "0 0 ? * SAT-MON *",
            from,
            &["2026-01-17T00:00:00Z", "2026-01-18T00:00:00Z", "2026-01-19T00:00:00Z"],
        );
        check("0 0 29 2 ? *", from, &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
        check("59 23 31 12 ? 2030", from, &["2030-12-31T23:59:00Z"]);
        check("0 0 1 JAN,JUL ? 2026/2", from, &["2026-07-01T00:00:00Z", "2028-01-01T00:00:00Z"]);
    }

    #[test]
    fn what_is_over_never_comes() {
        assert_eq!(Cron::parse("0 0 1 1 ? 2020").unwrap().next(1_800_000_000), None);
        assert_eq!(Cron::parse("0 0 30 2 ? *").unwrap().next(1_800_000_000), None);
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in [
            "",
            "* * * * *",
            "* * * * * *",
            "* * ? * ? *",
            "60 * * * ? *",
            "* 24 * * ? *",
            "* * 0 * ? *",
            "* * 32 * ? *",
            "* * * 13 ? *",
            "* * ? * 8 *",
            "* * ? * 0 *",
            "* * * * ? 1969",
            "* * * * ? 2200",
            "a * * * ? *",
            "5-1 * * * ? *",
            "*/0 * * * ? *",
            "1,,2 * * * ? *",
            "* * ? * 2#6 *",
            "* * 1 * MON *",
            "-1 * * * ? *",
            "* * LL * ? *",
            "? * * * ? *",
        ] {
            assert!(Cron::parse(text).is_none(), "{text}");
        }
    }
}
