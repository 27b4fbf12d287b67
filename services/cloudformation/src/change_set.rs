//! CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet ListChangeSets

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome, Stored};

use crate::generated as g;
use crate::plan::{self, Plan};
use crate::source::{self, Source};
use crate::stack::{self, describe_in, given, tags};
use crate::table::{CHANGE_SETS, Change, ChangeSet, Place, STACKS, Stack, in_stack, of_stack};
use crate::token::Token;
use crate::{CloudFormation, Handle, validation};

pub(crate) async fn create(
    handle: &Handle,
    cx: &Context,
    input: g::CreateChangeSetInput,
) -> Result<g::CreateChangeSetOutput, ApiError> {
    let cfn = &handle.0;
    if input.include_nested_stacks == Some(true) {
        return Err(ApiError::not_implemented("CreateChangeSet", "IncludeNestedStacks"));
    }
    let kind = input.change_set_type.unwrap_or(g::ChangeSetType::Update);
    let before = stack_for(cfn, cx, &input.stack_name, kind).await?;
    let text = source::text(cfn, cx, input.template_body, input.template_url).await?;
    let text = match text {
        Some(text) => text,
        None if input.use_previous_template == Some(true) => before.template.clone(),
        None => return Err(validation("Either Template URL or Template Body must be specified.")),
    };
    let source = Source::read(text)?;
    let capabilities = input.capabilities.unwrap_or_default();
    source.check_capabilities(&capabilities)?;
    let parameters = given(input.parameters, &before.parameters)?;
    let tags = input.tags.map_or_else(|| before.tags.clone(), |given| tags(Some(given)));
    let after = describe_in(before.clone(), &source, &parameters, tags.clone(), &capabilities);
    let plan = Plan::of(cfn, cx, source.template.clone(), &parameters, &after).await?;
    let changes = plan.changes(&plan::existing(cfn, &before.id).await?)?;
    // Outputs and tags may change without any resource.
    let same = before.template == source.text && before.tags == tags && before.suffix == cfn.suffix;
    let nothing = changes.is_empty() && same && before.status != "REVIEW_IN_PROGRESS";
    let set = ChangeSet {
        id: cx.arn("cloudformation", format!("changeSet/{}/{}", input.change_set_name, ids::uuid(&*cfn.random))).to_string(),
        name: input.change_set_name,
        stack_id: before.id.clone(),
        stack_name: before.name.clone(),
        description: input.description,
        status: if nothing { "FAILED" } else { "CREATE_COMPLETE" }.into(),
        reason: nothing.then(|| "The submitted information didn't contain changes. Submit different information to create a change set.".into()),
        execution: if nothing { "UNAVAILABLE" } else { "AVAILABLE" }.into(),
        template: source.text,
        parameters,
        tags,
        capabilities: capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
        changes,
        created: cx.now,
        token: input.client_token,
    };
    let kept = keep(cfn, cx, &before, set).await?;
    Ok(g::CreateChangeSetOutput { id: Some(kept.id), stack_id: Some(kept.stack_id) })
}

/// The stack that a change set is for: an existing one, or a new one that waits for it.
async fn stack_for(
    cfn: &CloudFormation,
    cx: &Context,
    name: &str,
    kind: g::ChangeSetType,
) -> Result<Stack, ApiError> {
    let present = match stack::load(cfn, cx, name).await {
        Ok(stored) => Some(stored.record),
        Err(error) if error.code == "ValidationError" => None,
        Err(error) => return Err(error),
    };
    match (kind, present) {
        (g::ChangeSetType::Import, _) => {
            Err(ApiError::not_implemented("CreateChangeSet", "ChangeSetType=IMPORT"))
        }
        (g::ChangeSetType::Create, None) => stack::empty(cfn, cx, name),
        (g::ChangeSetType::Create, Some(stack)) if stack.status == "REVIEW_IN_PROGRESS" => Ok(stack),
        (g::ChangeSetType::Create, Some(stack)) => {
            let message = format!(
                "Stack [{name}] already exists and cannot be created again with the changeSet [{}].",
                stack.id
            );
            Err(validation(message))
        }
        (g::ChangeSetType::Update, Some(stack)) if stack.status != "REVIEW_IN_PROGRESS" => Ok(stack),
        (g::ChangeSetType::Update, _) => Err(validation(format!("Stack [{name}] does not exist"))),
    }
}

/// Keeps a new change set; the one that is there, if it came of the same request.
async fn keep(
    cfn: &CloudFormation,
    cx: &Context,
    stack: &Stack,
    set: ChangeSet,
) -> Result<ChangeSet, ApiError> {
    if stack.template.is_empty() {
        match stack::insert(cfn, cx, stack).await {
            Err(error) if error.code != "AlreadyExistsException" => return Err(error),
            _ => {}
        }
    }
    let key = in_stack(&CHANGE_SETS, &set.stack_id, &set.name);
    match cfn.store().commit(CHANGE_SETS.create(Commit::new(), &key, &set)?).await? {
        Outcome::CheckFailed { .. } => {
            let present = CHANGE_SETS.get(cfn.store(), &key).await?.map(|stored| stored.record);
            if let Some(same) = present.filter(|present| set.token.is_some() && present.token == set.token) {
                return Ok(same);
            }
            let message = format!(
                "ChangeSet {} cannot be created due to a mismatch with existing attribute Description",
                set.name
            );
            Err(g::AlreadyExistsException::new(message).into())
        }
        outcome => Ok(outcome.done().map(|_| set)?),
    }
}

pub(crate) async fn execute(
    handle: &Handle,
    cx: &Context,
    input: g::ExecuteChangeSetInput,
) -> Result<g::ExecuteChangeSetOutput, ApiError> {
    let cfn = &handle.0;
    let token = Token::of("ExecuteChangeSet", input.client_request_token);
    let stored = match load(cfn, cx, &input.change_set_name, input.stack_name.as_deref()).await {
        Err(error) if error.code == "ChangeSetNotFound" => {
            let executed = executed(cfn, cx, &input.change_set_name, input.stack_name.as_deref()).await?;
            return match executed.iter().any(|stack| Token::repeats(token.as_ref(), stack).unwrap_or(false)) {
                true => Ok(g::ExecuteChangeSetOutput::default()),
                false => Err(error),
            };
        }
        found => found?,
    };
    let set = stored.record;
    if set.execution != "AVAILABLE" {
        let message =
            format!("ChangeSet [{}] cannot be executed in its current status of [{}]", set.id, set.status);
        return Err(g::InvalidChangeSetStatusException::new(message).into());
    }
    let before = stack::load(cfn, cx, &set.stack_id).await?.record;
    let is_new = before.status == "REVIEW_IN_PROGRESS";
    let disable_rollback = input.disable_rollback.unwrap_or(false);
    if disable_rollback && !is_new {
        return Err(ApiError::not_implemented("ExecuteChangeSet", "DisableRollback=true for an update"));
    }
    let source = Source::read(set.template.clone())?;
    let capabilities: Vec<g::Capability> =
        set.capabilities.iter().filter_map(|text| text.parse().ok()).collect();
    let after = describe_in(before.clone(), &source, &set.parameters, set.tags.clone(), &capabilities);
    let after = Stack { change_set_id: Some(set.id.clone()), disable_rollback, token, ..after };
    let plan = Plan::of(cfn, cx, source.template, &set.parameters, &after).await?;
    let status = if is_new { "CREATE_IN_PROGRESS" } else { "UPDATE_IN_PROGRESS" };
    let after = stack::begin(cfn, cx, after, status, (!is_new).then_some(before)).await?;
    // The other change sets were made for the stack as it was.
    let (lo, hi) = of_stack(&CHANGE_SETS, &set.stack_id).prefix_range();
    cfn.store().commit(Commit::new().clear_range(lo, hi)).await?.done()?;
    let run = stack::run(cfn, cx, after).await?;
    if is_new {
        stack::start(run, |run| run.create(plan));
    } else {
        stack::start(run, |run| run.update(plan));
    }
    Ok(g::ExecuteChangeSetOutput::default())
}

/// The stacks that the change set of this name may have been executed for: it is gone since then.
async fn executed(
    cfn: &CloudFormation,
    cx: &Context,
    name: &str,
    stack: Option<&str>,
) -> Result<Vec<Stack>, ApiError> {
    let stacks = match stack {
        Some(stack) => vec![stack::load(cfn, cx, stack).await?.record],
        None => {
            let all = STACKS.scan(cfn.store(), &Place::of(cx).stacks(), None, 10_000).await?;
            all.items.into_iter().map(|stored| stored.record).collect()
        }
    };
    let is_it = |stack: &Stack| {
        let id = stack.change_set_id.as_deref().unwrap_or_default();
        id == name || id.rsplit('/').nth(1) == Some(name)
    };
    Ok(stacks.into_iter().filter(is_it).collect())
}

pub(crate) async fn delete(
    handle: &Handle,
    cx: &Context,
    input: g::DeleteChangeSetInput,
) -> Result<g::DeleteChangeSetOutput, ApiError> {
    let cfn = &handle.0;
    let stored = match load(cfn, cx, &input.change_set_name, input.stack_name.as_deref()).await {
        Ok(stored) => stored,
        Err(error) if error.code == "ChangeSetNotFound" => return Ok(g::DeleteChangeSetOutput::default()),
        Err(error) => return Err(error),
    };
    cfn.store().commit(Commit::new().delete(stored.key)).await?.done()?;
    Ok(g::DeleteChangeSetOutput::default())
}

pub(crate) async fn describe(
    handle: &Handle,
    cx: &Context,
    input: g::DescribeChangeSetInput,
) -> Result<g::DescribeChangeSetOutput, ApiError> {
    let set = load(&handle.0, cx, &input.change_set_name, input.stack_name.as_deref()).await?.record;
    let parameters = set.parameters.iter().map(|(key, value)| g::Parameter {
        parameter_key: Some(key.clone()),
        parameter_value: Some(value.clone()),
        ..Default::default()
    });
    let tags = set.tags.iter().map(|(key, value)| g::Tag { key: key.clone(), value: value.clone() });
    Ok(g::DescribeChangeSetOutput {
        parameters: Some(parameters.collect()),
        tags: Some(tags.collect()),
        changes: Some(set.changes.iter().map(describe_change).collect()),
        capabilities: Some(set.capabilities.iter().filter_map(|text| text.parse().ok()).collect()),
        change_set_name: Some(set.name),
        change_set_id: Some(set.id),
        stack_id: Some(set.stack_id),
        stack_name: Some(set.stack_name),
        description: set.description,
        creation_time: Some(set.created),
        execution_status: set.execution.parse().ok(),
        status: set.status.parse().ok(),
        status_reason: set.reason,
        include_nested_stacks: Some(false),
        ..Default::default()
    })
}

fn describe_change(change: &Change) -> g::Change {
    let replacement = match (change.action.as_str(), change.replacement) {
        ("Modify", true) => Some(g::Replacement::True),
        ("Modify", false) => Some(g::Replacement::False),
        _ => None,
    };
    g::Change {
        r#type: Some(g::ChangeType::Resource),
        resource_change: Some(g::ResourceChange {
            action: change.action.parse().ok(),
            logical_resource_id: Some(change.logical.clone()),
            physical_resource_id: change.physical.clone(),
            resource_type: Some(change.kind.clone()),
            replacement,
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) async fn list(
    handle: &Handle,
    cx: &Context,
    input: g::ListChangeSetsInput,
) -> Result<g::ListChangeSetsOutput, ApiError> {
    let cfn = &handle.0;
    let stack = stack::load(cfn, cx, &input.stack_name).await?.record;
    let after = input.next_token.map(|name| in_stack(&CHANGE_SETS, &stack.id, &name));
    let page = CHANGE_SETS.scan(cfn.store(), &of_stack(&CHANGE_SETS, &stack.id), after.as_ref(), 100).await?;
    let next_token = page.next.and(page.items.last().map(|last| last.record.name.clone()));
    let summaries = page.items.into_iter().map(|stored| {
        let set = stored.record;
        g::ChangeSetSummary {
            stack_id: Some(set.stack_id),
            stack_name: Some(set.stack_name),
            change_set_id: Some(set.id),
            change_set_name: Some(set.name),
            execution_status: set.execution.parse().ok(),
            status: set.status.parse().ok(),
            status_reason: set.reason,
            creation_time: Some(set.created),
            description: set.description,
            ..Default::default()
        }
    });
    Ok(g::ListChangeSetsOutput { summaries: Some(summaries.collect()), next_token })
}

/// The change set of this ARN, or of this name for a stack.
async fn load(
    cfn: &CloudFormation,
    cx: &Context,
    name: &str,
    stack: Option<&str>,
) -> Result<Stored<ChangeSet>, ApiError> {
    let missing =
        || ApiError::from(g::ChangeSetNotFoundException::new(format!("ChangeSet [{name}] does not exist")));
    let stacks = match stack {
        Some(stack) => vec![stack::load(cfn, cx, stack).await?.record.id],
        None if name.starts_with("arn:") => {
            let all = STACKS.scan(cfn.store(), &Place::of(cx).stacks(), None, 10_000).await?;
            all.items.into_iter().map(|stored| stored.record.id).collect()
        }
        None => {
            return Err(validation(
                "StackName must be specified if ChangeSetName is not specified as an ARN.",
            ));
        }
    };
    let short = name.rsplit("changeSet/").next().and_then(|rest| rest.split('/').next()).unwrap_or(name);
    for stack in stacks {
        let found = CHANGE_SETS.get(cfn.store(), &in_stack(&CHANGE_SETS, &stack, short)).await?;
        if let Some(stored) = found.filter(|stored| !name.starts_with("arn:") || stored.record.id == name) {
            return Ok(stored);
        }
    }
    Err(missing())
}
