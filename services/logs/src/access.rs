//! What CloudWatch Logs checks before each operation.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::group;

type Needs = Result<Vec<Access>, ApiError>;

fn on_group(cx: &Context, action: &'static str, name: &str) -> Needs {
    Ok(vec![Access::new(action, cx.arn("logs", format!("log-group:{name}")))])
}

/// Resources of whole groups are named with `:*` behind them where their streams are meant too.
fn below_group(cx: &Context, action: &'static str, name: &str) -> Needs {
    Ok(vec![Access::new(action, cx.arn("logs", format!("log-group:{name}:*")))])
}

fn on_stream(cx: &Context, action: &'static str, group: &str, stream: &str) -> Needs {
    Ok(vec![Access::new(action, cx.arn("logs", format!("log-group:{group}:log-stream:{stream}")))])
}

pub(crate) fn new_group(cx: &Context, input: &g::CreateLogGroupRequest) -> Needs {
    let tags = input.tags.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
    let needs = on_group(cx, "logs:CreateLogGroup", &input.log_group_name)?;
    Ok(needs.into_iter().map(|access| access.with_tags(tags.clone())).collect())
}

pub(crate) fn new_stream(cx: &Context, input: &g::CreateLogStreamRequest) -> Needs {
    below_group(cx, "logs:CreateLogStream", &input.log_group_name)
}

pub(crate) fn group_deleted(cx: &Context, input: &g::DeleteLogGroupRequest) -> Needs {
    below_group(cx, "logs:DeleteLogGroup", &input.log_group_name)
}

pub(crate) fn stream_deleted(cx: &Context, input: &g::DeleteLogStreamRequest) -> Needs {
    on_stream(cx, "logs:DeleteLogStream", &input.log_group_name, &input.log_stream_name)
}

pub(crate) fn retention_put(cx: &Context, input: &g::PutRetentionPolicyRequest) -> Needs {
    below_group(cx, "logs:PutRetentionPolicy", &input.log_group_name)
}

pub(crate) fn retention_deleted(cx: &Context, input: &g::DeleteRetentionPolicyRequest) -> Needs {
    below_group(cx, "logs:DeleteRetentionPolicy", &input.log_group_name)
}

pub(crate) fn groups(cx: &Context, _input: &g::DescribeLogGroupsRequest) -> Needs {
    below_group(cx, "logs:DescribeLogGroups", "")
}

pub(crate) fn streams(cx: &Context, input: &g::DescribeLogStreamsRequest) -> Needs {
    let name = group::named(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    below_group(cx, "logs:DescribeLogStreams", &name)
}

pub(crate) fn filtered(cx: &Context, input: &g::FilterLogEventsRequest) -> Needs {
    let name = group::named(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    below_group(cx, "logs:FilterLogEvents", &name)
}

pub(crate) fn read(cx: &Context, input: &g::GetLogEventsRequest) -> Needs {
    let name = group::named(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    on_stream(cx, "logs:GetLogEvents", &name, &input.log_stream_name)
}

pub(crate) fn written(cx: &Context, input: &g::PutLogEventsRequest) -> Needs {
    on_stream(cx, "logs:PutLogEvents", &input.log_group_name, &input.log_stream_name)
}

pub(crate) fn tagged(cx: &Context, input: &g::TagResourceRequest) -> Needs {
    let tags = input.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let needs = on_group(cx, "logs:TagResource", &group::named(None, Some(&input.resource_arn))?)?;
    Ok(needs.into_iter().map(|access| access.with_tags(tags.clone())).collect())
}

pub(crate) fn untagged(cx: &Context, input: &g::UntagResourceRequest) -> Needs {
    let mut needs = on_group(cx, "logs:UntagResource", &group::named(None, Some(&input.resource_arn))?)?;
    for access in &mut needs {
        access.keys.set_all("aws:TagKeys", input.tag_keys.iter().cloned());
    }
    Ok(needs)
}

pub(crate) fn tags_listed(cx: &Context, input: &g::ListTagsForResourceRequest) -> Needs {
    on_group(cx, "logs:ListTagsForResource", &group::named(None, Some(&input.resource_arn))?)
}
