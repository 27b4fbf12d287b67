//! DescribeStacks ListStacks DescribeStackResource DescribeStackResources ListStackResources GetTemplate
//! ListExports

use pagoda_protocol::ApiError;
use pagoda_service::Context;

use crate::generated as g;
use crate::plan;
use crate::source::Source;
use crate::table::{EXPORTS, Place, STACKS, Stack, StackResource};
use crate::{CloudFormation, Handle, stack, validation};

pub(crate) async fn stacks(
    handle: &Handle,
    cx: &Context,
    input: g::DescribeStacksInput,
) -> Result<g::DescribeStacksOutput, ApiError> {
    let stacks = match input.stack_name {
        Some(name) => vec![stack::load(&handle.0, cx, &name).await?.record],
        None => {
            all(&handle.0, cx).await?.into_iter().filter(|stack| stack.status != "DELETE_COMPLETE").collect()
        }
    };
    let stacks = stacks.into_iter().map(describe_stack);
    Ok(g::DescribeStacksOutput { stacks: Some(stacks.collect()), next_token: None })
}

async fn all(cfn: &CloudFormation, cx: &Context) -> Result<Vec<Stack>, ApiError> {
    let (prefix, mut after, mut found) = (Place::of(cx).stacks(), None, Vec::new());
    loop {
        let page = STACKS.scan(cfn.store(), &prefix, after.as_ref(), 100).await?;
        found.extend(page.items.into_iter().map(|stored| stored.record));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

fn describe_stack(stack: Stack) -> g::Stack {
    // Parameters that must not be shown are not: the template says which.
    let hidden =
        Source::read(stack.template.clone()).map(|source| source.template.parameters).unwrap_or_default();
    let parameters = stack.parameters.iter().map(|(key, value)| {
        let no_echo = hidden.get(key).is_some_and(|parameter| parameter.no_echo);
        g::Parameter {
            parameter_key: Some(key.clone()),
            parameter_value: Some(if no_echo { "****".into() } else { value.clone() }),
            ..Default::default()
        }
    });
    let outputs = stack.outputs.iter().map(|output| g::Output {
        output_key: Some(output.key.clone()),
        output_value: Some(output.value.clone()),
        description: output.description.clone(),
        export_name: output.export.clone(),
    });
    let tags = stack.tags.iter().map(|(key, value)| g::Tag { key: key.clone(), value: value.clone() });
    g::Stack {
        parameters: Some(parameters.collect()),
        outputs: Some(outputs.collect()),
        tags: Some(tags.collect()),
        capabilities: Some(stack.capabilities.iter().filter_map(|text| text.parse().ok()).collect()),
        stack_id: Some(stack.id),
        stack_name: stack.name,
        change_set_id: stack.change_set_id,
        description: stack.description,
        creation_time: stack.created,
        deletion_time: stack.deleted,
        last_updated_time: stack.updated,
        stack_status: stack.status.parse().unwrap_or_default(),
        stack_status_reason: stack.reason,
        disable_rollback: Some(stack.disable_rollback),
        enable_termination_protection: Some(false),
        ..Default::default()
    }
}

pub(crate) async fn list(
    handle: &Handle,
    cx: &Context,
    input: g::ListStacksInput,
) -> Result<g::ListStacksOutput, ApiError> {
    let wanted = input.stack_status_filter.unwrap_or_default();
    let stacks = all(&handle.0, cx).await?.into_iter().map(|stack| g::StackSummary {
        stack_id: Some(stack.id),
        stack_name: stack.name,
        template_description: stack.description,
        creation_time: stack.created,
        last_updated_time: stack.updated,
        deletion_time: stack.deleted,
        stack_status: stack.status.parse().unwrap_or_default(),
        stack_status_reason: stack.reason,
        ..Default::default()
    });
    let stacks = stacks.filter(|stack| wanted.is_empty() || wanted.contains(&stack.stack_status));
    Ok(g::ListStacksOutput { stack_summaries: Some(stacks.collect()), next_token: None })
}

async fn resources_of(
    handle: &Handle,
    cx: &Context,
    name: &str,
) -> Result<(Stack, Vec<StackResource>), ApiError> {
    let stack = stack::load(&handle.0, cx, name).await?.record;
    let resources = plan::existing(&handle.0, &stack.id).await?;
    Ok((stack, resources.into_values().collect()))
}

pub(crate) async fn resource(
    handle: &Handle,
    cx: &Context,
    input: g::DescribeStackResourceInput,
) -> Result<g::DescribeStackResourceOutput, ApiError> {
    let (stack, resources) = resources_of(handle, cx, &input.stack_name).await?;
    let found = resources.into_iter().find(|resource| resource.logical == input.logical_resource_id);
    let found = found.ok_or_else(|| {
        validation(format!("Resource {} does not exist for stack {}", input.logical_resource_id, stack.name))
    })?;
    let detail = g::StackResourceDetail {
        stack_name: Some(stack.name),
        stack_id: Some(stack.id),
        logical_resource_id: found.logical,
        physical_resource_id: Some(found.physical),
        resource_type: found.kind,
        last_updated_timestamp: found.changed,
        resource_status: found.status.parse().unwrap_or_default(),
        resource_status_reason: found.reason,
        ..Default::default()
    };
    Ok(g::DescribeStackResourceOutput { stack_resource_detail: Some(detail) })
}

pub(crate) async fn resources(
    handle: &Handle,
    cx: &Context,
    input: g::DescribeStackResourcesInput,
) -> Result<g::DescribeStackResourcesOutput, ApiError> {
    if input.physical_resource_id.is_some() {
        return Err(ApiError::not_implemented("DescribeStackResources", "PhysicalResourceId"));
    }
    let name =
        input.stack_name.ok_or_else(|| validation("Stack name or physical resource id must be specified"))?;
    let (stack, resources) = resources_of(handle, cx, &name).await?;
    let wanted = |resource: &StackResource| {
        input.logical_resource_id.as_ref().is_none_or(|id| *id == resource.logical)
    };
    let resources = resources.into_iter().filter(wanted).map(|resource| g::StackResource {
        stack_name: Some(stack.name.clone()),
        stack_id: Some(stack.id.clone()),
        logical_resource_id: resource.logical,
        physical_resource_id: Some(resource.physical),
        resource_type: resource.kind,
        timestamp: resource.changed,
        resource_status: resource.status.parse().unwrap_or_default(),
        resource_status_reason: resource.reason,
        ..Default::default()
    });
    Ok(g::DescribeStackResourcesOutput { stack_resources: Some(resources.collect()) })
}

pub(crate) async fn list_resources(
    handle: &Handle,
    cx: &Context,
    input: g::ListStackResourcesInput,
) -> Result<g::ListStackResourcesOutput, ApiError> {
    let (_, resources) = resources_of(handle, cx, &input.stack_name).await?;
    let summaries = resources.into_iter().map(|resource| g::StackResourceSummary {
        logical_resource_id: resource.logical,
        physical_resource_id: Some(resource.physical),
        resource_type: resource.kind,
        last_updated_timestamp: resource.changed,
        resource_status: resource.status.parse().unwrap_or_default(),
        resource_status_reason: resource.reason,
        ..Default::default()
    });
    Ok(g::ListStackResourcesOutput { stack_resource_summaries: Some(summaries.collect()), next_token: None })
}

pub(crate) async fn template(
    handle: &Handle,
    cx: &Context,
    input: g::GetTemplateInput,
) -> Result<g::GetTemplateOutput, ApiError> {
    if input.change_set_name.is_some() {
        return Err(ApiError::not_implemented("GetTemplate", "ChangeSetName"));
    }
    let name = input.stack_name.ok_or_else(|| validation("StackName is required"))?;
    let text = stack::load(&handle.0, cx, &name).await?.record.template;
    let body = match input.template_stage.unwrap_or(g::TemplateStage::Original) {
        g::TemplateStage::Original => text,
        g::TemplateStage::Processed => Source::read(text)?.processed.to_string(),
    };
    Ok(g::GetTemplateOutput {
        template_body: Some(body),
        stages_available: Some(vec![g::TemplateStage::Original, g::TemplateStage::Processed]),
    })
}

pub(crate) async fn exports(
    handle: &Handle,
    cx: &Context,
    input: g::ListExportsInput,
) -> Result<g::ListExportsOutput, ApiError> {
    let place = Place::of(cx);
    let after = input.next_token.map(|name| place.export(&name));
    let page = EXPORTS.scan(handle.0.store(), &place.exports(), after.as_ref(), 100).await?;
    let next_token = page.next.and(page.items.last().map(|last| last.record.name.clone()));
    let exports = page.items.into_iter().map(|stored| g::Export {
        exporting_stack_id: Some(stored.record.stack_id),
        name: Some(stored.record.name),
        value: Some(stored.record.value),
    });
    Ok(g::ListExportsOutput { exports: Some(exports.collect()), next_token })
}
