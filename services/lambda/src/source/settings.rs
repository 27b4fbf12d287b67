//! What a mapping is set to: read from requests, checked, and answered.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>

use pagoda_base::Arn;
use pagoda_protocol::ApiError;
use serde::{Deserialize, Serialize};

use super::filter;
use crate::generated as g;

const BATCH_DEFAULT: u32 = 100;
const AGE_SECONDS_MIN: i32 = 60;

/// How records are gathered, delivered and given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) batch_size: u32,
    /// How long a batch waits for more records.
    pub(crate) window_seconds: u32,
    /// Batches of one shard at the same time.
    pub(crate) parallelization: u32,
    pub(crate) bisect: bool,
    /// Nothing to try again until the records are too old.
    pub(crate) retries: Option<u32>,
    /// Nothing to deliver whatever the stream still has.
    pub(crate) age_seconds: Option<u32>,
    /// Zero without tumbling windows.
    pub(crate) tumbling_seconds: u32,
    /// The function's answer names the record at which it failed.
    pub(crate) partial: bool,
    /// Event patterns, one of which a record must match; none lets all through.
    pub(crate) filters: Vec<String>,
    /// The ARN to which is told what was given up.
    pub(crate) on_failure: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_size: BATCH_DEFAULT,
            window_seconds: 0,
            parallelization: 1,
            bisect: false,
            retries: None,
            age_seconds: None,
            tumbling_seconds: 0,
            partial: false,
            filters: Vec::new(),
            on_failure: None,
        }
    }
}

/// What a request sets; nothing of what it leaves out.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) batch_size: Option<i32>,
    pub(crate) window_seconds: Option<i32>,
    pub(crate) parallelization: Option<i32>,
    pub(crate) bisect: Option<bool>,
    pub(crate) retries: Option<i32>,
    pub(crate) age_seconds: Option<i32>,
    pub(crate) tumbling_seconds: Option<i32>,
    pub(crate) responses: Option<Vec<g::FunctionResponseType>>,
    pub(crate) filters: Option<g::FilterCriteria>,
    pub(crate) destinations: Option<g::DestinationConfig>,
}

impl Wanted {
    /// `settings` with what the request sets; the bounds of single numbers were checked with the request.
    ///
    /// # Errors
    /// `InvalidParameterValueException`, or 501 for destinations that the platform has not.
    pub(crate) fn over(self, mut settings: Settings) -> Result<Settings, ApiError> {
        let set = |place: &mut u32, wanted: Option<i32>| *place = wanted.map_or(*place, i32::unsigned_abs);
        set(&mut settings.batch_size, self.batch_size);
        set(&mut settings.window_seconds, self.window_seconds);
        set(&mut settings.parallelization, self.parallelization);
        set(&mut settings.tumbling_seconds, self.tumbling_seconds);
        settings.bisect = self.bisect.unwrap_or(settings.bisect);
        if let Some(retries) = self.retries {
            settings.retries = u32::try_from(retries).ok();
        }
        if let Some(age) = self.age_seconds {
            if (0..AGE_SECONDS_MIN).contains(&age) {
                return Err(invalid(
                    "The minimum value that can be set for MaximumRecordAgeInSeconds is 60.",
                ));
            }
            settings.age_seconds = u32::try_from(age).ok();
        }
        if let Some(responses) = self.responses {
            settings.partial = !responses.is_empty();
        }
        if let Some(criteria) = self.filters {
            settings.filters = filter::read(criteria)?;
        }
        if let Some(destinations) = self.destinations {
            settings.on_failure = on_failure(destinations)?;
        }
        if settings.tumbling_seconds > 0 && settings.parallelization > 1 {
            return Err(invalid(
                "TumblingWindowInSeconds can't be used with a ParallelizationFactor above 1.",
            ));
        }
        Ok(settings)
    }
}

fn on_failure(destinations: g::DestinationConfig) -> Result<Option<String>, ApiError> {
    if destinations.on_success.and_then(|success| success.destination).is_some_and(|text| !text.is_empty()) {
        return Err(invalid("OnSuccess destinations are not supported for event source mappings."));
    }
    let text = destinations.on_failure.and_then(|failure| failure.destination);
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let arn: Option<Arn> = text.parse().ok();
    match arn.as_ref().map(|arn| arn.service.as_str()) {
        Some("s3") => Ok(Some(text)),
        Some("sqs" | "sns") => {
            let what = format!("DestinationConfig.OnFailure={text}");
            Err(ApiError::not_implemented("CreateEventSourceMapping", &what))
        }
        _ => Err(invalid(&format!("Invalid destination for on-failure: {text}"))),
    }
}

/// 400 `InvalidParameterValueException`.
pub(super) fn invalid(message: &str) -> ApiError {
    g::InvalidParameterValueException::new(message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_stays() {
        let first = Wanted { retries: Some(3), bisect: Some(true), batch_size: Some(7), ..Wanted::default() };
        let first = first.over(Settings::default()).unwrap();
        assert_eq!((first.retries, first.bisect, first.batch_size), (Some(3), true, 7));
        let second = Wanted { retries: Some(-1), age_seconds: Some(60), ..Wanted::default() };
        let second = second.over(first).unwrap();
        assert_eq!((second.retries, second.bisect, second.age_seconds), (None, true, Some(60)));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let to = |destination: &str| {
            let failure = g::OnFailure { destination: Some(destination.to_owned()) };
            let destinations = Some(g::DestinationConfig { on_failure: Some(failure), on_success: None });
            Wanted { destinations, ..Wanted::default() }
        };
        let rows = [
            (Wanted { age_seconds: Some(59), ..Wanted::default() }, 400),
            (Wanted { tumbling_seconds: Some(5), parallelization: Some(2), ..Wanted::default() }, 400),
            (to("arn:aws:sqs:us-east-1:123456789012:q"), 501),
            (to("arn:aws:ec2:::x"), 400),
        ];
        for (wanted, status) in rows {
            let shown = format!("{wanted:?}");
            assert_eq!(wanted.over(Settings::default()).unwrap_err().status.as_u16(), status, "{shown}");
        }
        assert!(to("arn:aws:s3:::bucket").over(Settings::default()).is_ok());
    }
}
