//! DescribeTimeToLive DescribeContinuousBackups DescribeEndpoints: what tools ask of every table.
//!
//! Neither time to live nor backups can be switched on yet, so both are always off.

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::DynamoDb;
use crate::generated as g;
use crate::place::Place;
use crate::table;

/// How long clients may keep the endpoint.
const ENDPOINT_MINUTES: i64 = 1440;

pub(crate) async fn time_to_live(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::DescribeTimeToLiveInput,
) -> Result<g::DescribeTimeToLiveOutput, ApiError> {
    table::load(dynamodb, &Place::of(cx, &input.table_name)?).await?;
    let disabled = g::TimeToLiveDescription {
        time_to_live_status: Some(g::TimeToLiveStatus::Disabled),
        attribute_name: None,
    };
    Ok(g::DescribeTimeToLiveOutput { time_to_live_description: Some(disabled) })
}

pub(crate) async fn continuous_backups(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::DescribeContinuousBackupsInput,
) -> Result<g::DescribeContinuousBackupsOutput, ApiError> {
    table::load(dynamodb, &Place::of(cx, &input.table_name)?).await?;
    let recovery = g::PointInTimeRecoveryDescription {
        point_in_time_recovery_status: Some(g::PointInTimeRecoveryStatus::Disabled),
        ..Default::default()
    };
    let description = g::ContinuousBackupsDescription {
        continuous_backups_status: g::ContinuousBackupsStatus::Disabled,
        point_in_time_recovery_description: Some(recovery),
    };
    Ok(g::DescribeContinuousBackupsOutput { continuous_backups_description: Some(description) })
}

/// The endpoint is the one that was asked.
pub(crate) async fn endpoints(
    _dynamodb: &DynamoDb,
    cx: &Context,
    _input: g::DescribeEndpointsRequest,
) -> Result<g::DescribeEndpointsResponse, ApiError> {
    let endpoint = &cx.origin.endpoint;
    let address = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host).to_owned();
    let endpoints = vec![g::Endpoint { address, cache_period_in_minutes: ENDPOINT_MINUTES }];
    Ok(g::DescribeEndpointsResponse { endpoints })
}
