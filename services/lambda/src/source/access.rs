//! What the operations on event source mappings need.

use pagoda_base::Arn;
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context};

use crate::generated as g;
use crate::name;

type Needs = Result<Vec<Access>, ApiError>;

/// `arn:aws:lambda:…:event-source-mapping:UUID`.
pub(super) fn arn(cx: &Context, uuid: &str) -> String {
    Arn::regional("lambda", &cx.region, cx.account, format!("event-source-mapping:{uuid}")).to_string()
}

pub(crate) fn created(cx: &Context, input: &g::CreateEventSourceMappingRequest) -> Needs {
    let function = name::parse(cx, &input.function_name)?.arn();
    let tags = input.tags.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
    let access = Access::everywhere("lambda:CreateEventSourceMapping").with("lambda:FunctionArn", function);
    Ok(vec![access.with_tags(tags)])
}

pub(crate) fn updated(cx: &Context, input: &g::UpdateEventSourceMappingRequest) -> Needs {
    let function = input.function_name.as_deref().map(|text| name::parse(cx, text)).transpose()?;
    let access = Access::new("lambda:UpdateEventSourceMapping", arn(cx, &input.uuid));
    Ok(vec![access.with_some("lambda:FunctionArn", function.map(|named| named.arn()))])
}

pub(crate) fn deleted(cx: &Context, input: &g::DeleteEventSourceMappingRequest) -> Needs {
    Ok(vec![Access::new("lambda:DeleteEventSourceMapping", arn(cx, &input.uuid))])
}

pub(crate) fn read(cx: &Context, input: &g::GetEventSourceMappingRequest) -> Needs {
    Ok(vec![Access::new("lambda:GetEventSourceMapping", arn(cx, &input.uuid))])
}

pub(crate) fn listed(_cx: &Context, _input: &g::ListEventSourceMappingsRequest) -> Needs {
    Ok(vec![Access::everywhere("lambda:ListEventSourceMappings")])
}
