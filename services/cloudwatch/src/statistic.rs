//! Statistics by their names.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>

use pagoda_protocol::ApiError;

use crate::aggregate::Aggregate;
use crate::put::invalid;

/// What is asked of the observations of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// The share of observations that are below, from 0 to 1.
    Percentile(f64),
}

impl Statistic {
    /// The statistic called `name`, which `parameter` of `operation` wants.
    ///
    /// # Errors
    /// `InvalidParameterValue` for what is none; 501 for the trimmed statistics, which are not built.
    pub(crate) fn parse(operation: &str, parameter: &str, name: &str) -> Result<Self, ApiError> {
        Ok(match name {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Average" => Self::Average,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => match percentile(name) {
                Some(share) => Self::Percentile(share),
                None if is_trimmed(name) => {
                    return Err(ApiError::not_implemented(operation, &format!("{parameter} ({name})")));
                }
                None => {
                    return Err(invalid(format!(
                        "The value {name} for parameter {parameter} is not supported."
                    )));
                }
            },
        })
    }

    /// Its value; nothing where the observations don't have it.
    pub(crate) fn of(self, aggregate: &Aggregate) -> Option<f64> {
        match self {
            Self::SampleCount => Some(aggregate.count),
            Self::Sum => Some(aggregate.sum),
            Self::Average => Some(aggregate.sum / aggregate.count),
            Self::Minimum => Some(aggregate.min),
            Self::Maximum => Some(aggregate.max),
            Self::Percentile(share) => aggregate.quantile(share),
        }
    }
}

/// `p0` to `p100`, with up to ten decimal places.
fn percentile(name: &str) -> Option<f64> {
    let digits = name.strip_prefix('p')?;
    let is_plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.split_once('.').is_none_or(|(_, places)| (1..=10).contains(&places.len()));
    let percent: f64 = digits.parse().ok().filter(|_| is_plain)?;
    (percent <= 100.0).then_some(percent / 100.0)
}

fn is_trimmed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "iqm" || ["tm", "wm", "tc", "ts", "pr"].iter().any(|kind| lower.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_have_names() {
        let check = |name: &str| Statistic::parse("Get", "Stat", name).map_err(|error| error.status.as_u16());
        assert_eq!(check("Sum"), Ok(Statistic::Sum));
        assert_eq!(check("p99.9"), Ok(Statistic::Percentile(0.9990000000000001)));
        assert_eq!(check("p0"), Ok(Statistic::Percentile(0.0)));
        for name in ["p101", "p", "p1.", "p-1", "p1e1", "pinf", "sum", "P99"] {
            assert_eq!(check(name), Err(400), "{name}");
        }
        assert_eq!(check("tm99"), Err(501));
        assert_eq!(check("IQM"), Err(501));
    }
}
