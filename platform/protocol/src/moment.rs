//! Moments as the protocols write them.

use pagoda_base::Timestamp;

use crate::schema::TimestampFormat;

/// Reads `text` as `format`.
pub(crate) fn parse(text: &str, format: TimestampFormat) -> Option<Timestamp> {
    match format {
        TimestampFormat::EpochSeconds => text.parse().ok().and_then(from_seconds),
        TimestampFormat::DateTime => text.parse().ok(),
        TimestampFormat::HttpDate => {
            let zoned = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
            zoned.parse_timestamp(text).ok()
        }
    }
}

/// The moment `seconds` after the start of 1970, to the millisecond.
pub(crate) fn from_seconds(seconds: f64) -> Option<Timestamp> {
    let milliseconds = (seconds * 1000.0).round();
    // Beyond this a float no longer counts milliseconds, and jiff's years end long before.
    (milliseconds.abs() < 9e15).then(|| Timestamp::from_millisecond(milliseconds as i64).ok())?
}

/// Seconds since the start of 1970, to the millisecond, as short as JSON has it.
pub(crate) fn seconds(moment: Timestamp) -> String {
    let milliseconds = moment.as_millisecond();
    if milliseconds % 1000 == 0 {
        return (milliseconds / 1000).to_string();
    }
    let sign = if milliseconds < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:03}", (milliseconds / 1000).abs(), (milliseconds % 1000).abs());
    text.trim_end_matches('0').to_owned()
}

/// RFC 3339 in UTC, with milliseconds where there are any.
pub(crate) fn date_time(moment: Timestamp) -> String {
    if moment.as_millisecond() % 1000 == 0 { plain(moment) } else { with_milliseconds(moment) }
}

/// RFC 3339 in UTC, always with milliseconds, as S3 has it.
pub(crate) fn with_milliseconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn plain(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 9110's IMF-fixdate.
pub(crate) fn http_date(moment: Timestamp) -> String {
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_the_forms_of_the_protocols() {
        let rows = [
            (0, "0", "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (
                1_421_866_952_062,
                "1421866952.062",
                "2015-01-21T19:02:32.062Z",
                "Wed, 21 Jan 2015 19:02:32 GMT",
            ),
            (1_500_000_000_500, "1500000000.5", "2017-07-14T02:40:00.500Z", "Fri, 14 Jul 2017 02:40:00 GMT"),
            (-1_500, "-1.5", "1969-12-31T23:59:58.500Z", "Wed, 31 Dec 1969 23:59:58 GMT"),
        ];
        for (milliseconds, epoch, rfc3339, http) in rows {
            let moment = Timestamp::from_millisecond(milliseconds).unwrap();
            assert_eq!(seconds(moment), epoch);
            assert_eq!(date_time(moment), rfc3339);
            assert_eq!(http_date(moment), http);
            assert_eq!(parse(epoch, TimestampFormat::EpochSeconds), Some(moment));
            assert_eq!(parse(rfc3339, TimestampFormat::DateTime), Some(moment));
            let whole = parse(http, TimestampFormat::HttpDate).unwrap();
            assert_eq!(whole.as_second(), milliseconds.div_euclid(1000));
        }
        assert_eq!(from_seconds(f64::NAN), None);
        assert_eq!(from_seconds(1e300), None);
    }
}
