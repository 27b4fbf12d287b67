//! What CloudWatch checks before each operation. No action of metrics has a resource.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;

type Needs = Result<Vec<Access>, ApiError>;

pub(crate) fn written(_cx: &Context, input: &g::PutMetricDataInput) -> Needs {
    let access = Access::everywhere("cloudwatch:PutMetricData");
    Ok(vec![access.with("cloudwatch:namespace", &*input.namespace)])
}

pub(crate) fn data_read(_cx: &Context, _input: &g::GetMetricDataInput) -> Needs {
    Ok(vec![Access::everywhere("cloudwatch:GetMetricData")])
}

pub(crate) fn statistics_read(_cx: &Context, _input: &g::GetMetricStatisticsInput) -> Needs {
    Ok(vec![Access::everywhere("cloudwatch:GetMetricStatistics")])
}

pub(crate) fn listed(_cx: &Context, _input: &g::ListMetricsInput) -> Needs {
    Ok(vec![Access::everywhere("cloudwatch:ListMetrics")])
}
