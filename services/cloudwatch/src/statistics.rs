//! GetMetricStatistics
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>

use std::collections::BTreeMap;

use pagoda_base::Timestamp;
use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::CloudWatch;
use crate::aggregate::Aggregate;
use crate::generated as g;
use crate::read::Window;
use crate::statistic::Statistic;
use crate::table::Series;

const OPERATION: &str = "GetMetricStatistics";
const DATAPOINTS_MAX: i64 = 1_440;

pub(crate) async fn get(
    metrics: &CloudWatch,
    cx: &Context,
    input: g::GetMetricStatisticsInput,
) -> Result<g::GetMetricStatisticsOutput, ApiError> {
    let wanted = Wanted::of(&input)?;
    let (start, end) = (input.start_time.as_second(), input.end_time.as_second());
    let window = Window::new(OPERATION, start, end, input.period, cx.now.as_second())?;
    if window.periods() > DATAPOINTS_MAX {
        let message = format!(
            "You have requested up to {} datapoints, which exceeds the limit of {DATAPOINTS_MAX}. You may reduce \
             the datapoints requested by increasing Period, or decreasing the time range.",
            window.periods()
        );
        return Err(g::InvalidParameterCombinationException::new(message).into());
    }
    metrics.catch_up().await?;
    let series = Series::named(&input.namespace, &input.metric_name, input.dimensions);
    let periods = metrics.periods(cx, &series, window).await?;
    let unit = input.unit.map(|unit| unit.to_string());
    let mut datapoints = Vec::new();
    for ((start, of), aggregate) in periods {
        if unit.as_ref().is_none_or(|unit| *unit == of) {
            datapoints.push(wanted.datapoint(start, &of, &aggregate)?);
        }
    }
    Ok(g::GetMetricStatisticsOutput { label: Some(input.metric_name), datapoints: Some(datapoints) })
}

/// The statistics that are asked for.
struct Wanted {
    plain: Vec<g::Statistic>,
    percentiles: Vec<(String, Statistic)>,
}

impl Wanted {
    fn of(input: &g::GetMetricStatisticsInput) -> Result<Self, ApiError> {
        let plain = input.statistics.clone().unwrap_or_default();
        let names = input.extended_statistics.clone().unwrap_or_default();
        if plain.is_empty() == names.is_empty() {
            let message = match plain.is_empty() {
                true => "Must specify either Statistics or ExtendedStatistics",
                false => "Must specify either Statistics or ExtendedStatistics, but not both",
            };
            return Err(g::InvalidParameterCombinationException::new(message).into());
        }
        let percentiles = names.into_iter().map(|name| {
            let statistic = Statistic::parse(OPERATION, "ExtendedStatistics", &name)?;
            Ok((name, statistic))
        });
        Ok(Self { plain, percentiles: percentiles.collect::<Result<_, ApiError>>()? })
    }

    fn datapoint(&self, start: i64, unit: &str, aggregate: &Aggregate) -> Result<g::Datapoint, ApiError> {
        let plain = |wanted: g::Statistic, statistic: Statistic| {
            self.plain.contains(&wanted).then(|| statistic.of(aggregate)).flatten()
        };
        let percentiles: BTreeMap<String, f64> = (self.percentiles.iter())
            .filter_map(|(name, statistic)| Some((name.clone(), statistic.of(aggregate)?)))
            .collect();
        Ok(g::Datapoint {
            timestamp: Some(Timestamp::from_second(start).map_err(|_| ApiError::internal())?),
            sample_count: plain(g::Statistic::SampleCount, Statistic::SampleCount),
            average: plain(g::Statistic::Average, Statistic::Average),
            sum: plain(g::Statistic::Sum, Statistic::Sum),
            minimum: plain(g::Statistic::Minimum, Statistic::Minimum),
            maximum: plain(g::Statistic::Maximum, Statistic::Maximum),
            unit: unit.parse().ok(),
            extended_statistics: (!percentiles.is_empty()).then_some(percentiles),
        })
    }
}
