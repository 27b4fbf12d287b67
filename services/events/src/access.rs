//! What EventBridge checks before each operation.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html>

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::{bus, rule};

type Needs = Result<Vec<Access>, ApiError>;

fn on_rule(cx: &Context, action: &'static str, bus: Option<&str>, name: &str) -> Access {
    Access::new(action, rule::arn(&bus::place(cx, bus), name))
}

fn on_bus(cx: &Context, action: &'static str, bus: Option<&str>) -> Access {
    Access::new(action, bus::arn(&bus::place(cx, bus)))
}

fn tags(tags: Option<&Vec<g::Tag>>) -> impl Iterator<Item = (&str, &str)> {
    tags.into_iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str()))
}

pub(crate) fn bus_created(cx: &Context, input: &g::CreateEventBusRequest) -> Needs {
    let access = on_bus(cx, "events:CreateEventBus", Some(&input.name));
    Ok(vec![access.with_tags(tags(input.tags.as_ref()))])
}

pub(crate) fn bus_deleted(cx: &Context, input: &g::DeleteEventBusRequest) -> Needs {
    Ok(vec![on_bus(cx, "events:DeleteEventBus", Some(&input.name))])
}

pub(crate) fn bus_described(cx: &Context, input: &g::DescribeEventBusRequest) -> Needs {
    Ok(vec![on_bus(cx, "events:DescribeEventBus", input.name.as_deref())])
}

pub(crate) fn buses_listed(_cx: &Context, _input: &g::ListEventBusesRequest) -> Needs {
    Ok(vec![Access::everywhere("events:ListEventBuses")])
}

pub(crate) fn rule_put(cx: &Context, input: &g::PutRuleRequest) -> Needs {
    let access = on_rule(cx, "events:PutRule", input.event_bus_name.as_deref(), &input.name);
    Ok(vec![access.with_tags(tags(input.tags.as_ref()))])
}

pub(crate) fn rule_deleted(cx: &Context, input: &g::DeleteRuleRequest) -> Needs {
    Ok(vec![on_rule(cx, "events:DeleteRule", input.event_bus_name.as_deref(), &input.name)])
}

pub(crate) fn rule_described(cx: &Context, input: &g::DescribeRuleRequest) -> Needs {
    Ok(vec![on_rule(cx, "events:DescribeRule", input.event_bus_name.as_deref(), &input.name)])
}

pub(crate) fn rule_enabled(cx: &Context, input: &g::EnableRuleRequest) -> Needs {
    Ok(vec![on_rule(cx, "events:EnableRule", input.event_bus_name.as_deref(), &input.name)])
}

pub(crate) fn rule_disabled(cx: &Context, input: &g::DisableRuleRequest) -> Needs {
    Ok(vec![on_rule(cx, "events:DisableRule", input.event_bus_name.as_deref(), &input.name)])
}

pub(crate) fn rules_listed(_cx: &Context, _input: &g::ListRulesRequest) -> Needs {
    Ok(vec![Access::everywhere("events:ListRules")])
}

pub(crate) fn rules_of_target(_cx: &Context, _input: &g::ListRuleNamesByTargetRequest) -> Needs {
    Ok(vec![Access::everywhere("events:ListRuleNamesByTarget")])
}

pub(crate) fn targets_put(cx: &Context, input: &g::PutTargetsRequest) -> Needs {
    let mut access = on_rule(cx, "events:PutTargets", input.event_bus_name.as_deref(), &input.rule);
    access.keys.set_all("events:TargetArn", input.targets.iter().map(|target| target.arn.clone()));
    Ok(vec![access])
}

pub(crate) fn targets_removed(cx: &Context, input: &g::RemoveTargetsRequest) -> Needs {
    Ok(vec![on_rule(cx, "events:RemoveTargets", input.event_bus_name.as_deref(), &input.rule)])
}

pub(crate) fn targets_listed(cx: &Context, input: &g::ListTargetsByRuleRequest) -> Needs {
    Ok(vec![on_rule(cx, "events:ListTargetsByRule", input.event_bus_name.as_deref(), &input.rule)])
}

pub(crate) fn events_put(cx: &Context, input: &g::PutEventsRequest) -> Needs {
    let each = input.entries.iter().map(|entry| {
        on_bus(cx, "events:PutEvents", entry.event_bus_name.as_deref())
            .with_some("events:source", entry.source.clone())
            .with_some("events:detail-type", entry.detail_type.clone())
    });
    Ok(each.collect())
}

pub(crate) fn pattern_tested(_cx: &Context, _input: &g::TestEventPatternRequest) -> Needs {
    Ok(vec![Access::everywhere("events:TestEventPattern")])
}

pub(crate) fn tagged(_cx: &Context, input: &g::TagResourceRequest) -> Needs {
    let tags = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    Ok(vec![Access::new("events:TagResource", &input.resource_arn).with_tags(tags)])
}

pub(crate) fn untagged(_cx: &Context, input: &g::UntagResourceRequest) -> Needs {
    let mut access = Access::new("events:UntagResource", &input.resource_arn);
    access.keys.set_all("aws:TagKeys", input.tag_keys.iter().cloned());
    Ok(vec![access])
}

pub(crate) fn tags_listed(_cx: &Context, input: &g::ListTagsForResourceRequest) -> Needs {
    Ok(vec![Access::new("events:ListTagsForResource", &input.resource_arn)])
}
