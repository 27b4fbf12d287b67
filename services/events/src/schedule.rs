//! Schedules: `rate(…)` and `cron(…)`, in UTC.
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>

mod cron;

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;

use cron::Cron;

/// When a rule fires.
#[derive(Debug)]
pub(crate) enum Schedule {
    /// Every so many seconds, from when the rule was made or enabled.
    Rate(i64),
    Cron(Box<Cron>),
}

impl Schedule {
    /// Reads an expression.
    ///
    /// # Errors
    /// `ValidationException`.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let parsed = match (inner("rate"), inner("cron")) {
            (Some(rate), _) => rate_seconds(rate).map(Self::Rate),
            (_, Some(cron)) => Cron::parse(cron).map(|cron| Self::Cron(Box::new(cron))),
            _ => None,
        };
        parsed.ok_or_else(|| ApiError::validation("Parameter ScheduleExpression is not valid."))
    }

    /// The first firing after `last`, which was one or was when the rule began, that is not before `now`; in
    /// seconds since 1970. None for a schedule that is over.
    pub(crate) fn next(&self, last: i64, now: Timestamp) -> Option<i64> {
        let now = now.as_second();
        match self {
            // What was missed is left out; the rhythm stays.
            Self::Rate(seconds) => {
                let missed = (now - last).max(0) / seconds;
                last.checked_add((missed + 1).checked_mul(*seconds)?)
            }
            Self::Cron(cron) => cron.next(now.max(last)),
        }
    }
}

/// `5 minutes`, `1 hour`: the unit has an s unless there is one of it.
fn rate_seconds(text: &str) -> Option<i64> {
    let (value, unit) = text.split_once(' ')?;
    let count: i64 = value.parse().ok().filter(|count| *count > 0 && !value.starts_with('+'))?;
    let unit = if count == 1 { unit } else { unit.strip_suffix('s')? };
    let seconds = match unit {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    count.checked_mul(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units_in_their_number() {
        let check = |text: &str, expected: Option<i64>| {
            let found = Schedule::parse(text).ok().map(|schedule| match schedule {
                Schedule::Rate(seconds) => seconds,
                Schedule::Cron(_) => panic!("{text} is no cron expression"),
            });
            assert_eq!(found, expected, "{text}");
        };
        check("rate(1 minute)", Some(60));
        check("rate(5 minutes)", Some(300));
        check("rate(1 hour)", Some(3_600));
        check("rate(2 days)", Some(172_800));
        for text in [
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(1)",
            "rate(1.5 hours)",
            "rate( 1 minute)",
            "rate(1 second)",
            "Rate(1 minute)",
            "rate(1 minute",
            "1 minute",
            "",
            "rate(+5 minutes)",
            "rate(9223372036854775807 days)",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_rate_keeps_its_rhythm() {
        let rate = Schedule::Rate(300);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(rate.next(1_000, at(1_000)), Some(1_300));
        assert_eq!(rate.next(1_000, at(1_299)), Some(1_300));
        assert_eq!(rate.next(1_300, at(1_301)), Some(1_600));
        // The platform was off for an hour.
        assert_eq!(rate.next(1_300, at(5_000)), Some(5_200));
    }
}
