//! CreateStack UpdateStack DeleteStack

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_base::ids;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, Outcome, Stored, update as update_record};

use crate::execute::Run;
use crate::generated as g;
use crate::output::STACK;
use crate::plan::{self, Plan};
use crate::source::{self, Source};
use crate::table::{Acting, BEFORE, Before, NAMED, Named, Place, STACKS, STEPS, Stack, of_stack};
use crate::template::parameter::Values;
use crate::token::Token;
use crate::{CloudFormation, Handle, validation};

const VIA: &str = "cloudformation.amazonaws.com";

pub(crate) async fn create(
    handle: &Handle,
    cx: &Context,
    input: g::CreateStackInput,
) -> Result<g::CreateStackOutput, ApiError> {
    let cfn = &handle.0;
    if input.disable_rollback.is_some() && input.on_failure.is_some() {
        return Err(validation("You can specify either DisableRollback or OnFailure, but not both"));
    }
    let text = source::text(cfn, cx, input.template_body, input.template_url).await?;
    let source = Source::read(
        text.ok_or_else(|| validation("Either Template URL or Template Body must be specified."))?,
    )?;
    let capabilities = input.capabilities.unwrap_or_default();
    source.check_capabilities(&capabilities)?;
    let on_failure = input.on_failure.unwrap_or(g::OnFailure::Rollback);
    let token = Token::of("CreateStack", input.client_request_token);
    if let Some(present) = find(cfn, cx, &input.stack_name).await?
        && Token::repeats(token.as_ref(), &present.record)?
    {
        return Ok(g::CreateStackOutput { stack_id: Some(present.record.id), ..Default::default() });
    }
    let stack = Stack {
        token,
        status: "CREATE_IN_PROGRESS".into(),
        disable_rollback: input.disable_rollback.unwrap_or(on_failure == g::OnFailure::DoNothing),
        delete_on_failure: on_failure == g::OnFailure::Delete,
        ..empty(cfn, cx, &input.stack_name)?
    };
    let given = given(input.parameters, &Values::new())?;
    let stack = describe_in(stack, &source, &given, tags(input.tags), &capabilities);
    let plan = Plan::of(cfn, cx, source.template, &given, &stack).await?;
    insert(cfn, cx, &stack).await?;
    let id = stack.id.clone();
    start(run(cfn, cx, stack).await?, |run| run.create(plan));
    Ok(g::CreateStackOutput { stack_id: Some(id), ..Default::default() })
}

pub(crate) async fn update(
    handle: &Handle,
    cx: &Context,
    input: g::UpdateStackInput,
) -> Result<g::UpdateStackOutput, ApiError> {
    let cfn = &handle.0;
    let before = load(cfn, cx, &input.stack_name).await?.record;
    let token = Token::of("UpdateStack", input.client_request_token);
    if Token::repeats(token.as_ref(), &before)? {
        return Ok(g::UpdateStackOutput { stack_id: Some(before.id), ..Default::default() });
    }
    let text = source::text(cfn, cx, input.template_body, input.template_url).await?;
    let text = match text {
        Some(text) => text,
        None if input.use_previous_template == Some(true) => before.template.clone(),
        None => return Err(validation("Either Template URL or Template Body must be specified.")),
    };
    let source = Source::read(text)?;
    let capabilities = input.capabilities.unwrap_or_default();
    source.check_capabilities(&capabilities)?;
    let given = given(input.parameters, &before.parameters)?;
    let tags = input.tags.map_or_else(|| before.tags.clone(), |given| tags(Some(given)));
    let after = Stack { token, ..describe_in(before.clone(), &source, &given, tags, &capabilities) };
    let plan = Plan::of(cfn, cx, source.template, &given, &after).await?;
    let existing = plan::existing(cfn, &before.id).await?;
    let moved = before.suffix != cfn.suffix;
    let same = plan.changes(&existing)?.is_empty()
        && before.tags == after.tags
        && before.template == after.template
        && !moved;
    if same && plan.parameters == before.parameters {
        return Err(validation("No updates are to be performed."));
    }
    let after = begin(cfn, cx, after, "UPDATE_IN_PROGRESS", Some(before)).await?;
    let id = after.id.clone();
    start(run(cfn, cx, after).await?, |run| run.update(plan));
    Ok(g::UpdateStackOutput { stack_id: Some(id), ..Default::default() })
}

pub(crate) async fn delete(
    handle: &Handle,
    cx: &Context,
    input: g::DeleteStackInput,
) -> Result<Unit, ApiError> {
    let cfn = &handle.0;
    let found = match load(cfn, cx, &input.stack_name).await {
        Ok(found) => found.record,
        // A stack that does not exist is deleted already.
        Err(error) if error.code == "ValidationError" => return Ok(Unit),
        Err(error) => return Err(error),
    };
    let token = Token::of("DeleteStack", input.client_request_token);
    if Token::repeats(token.as_ref(), &found)? {
        return Ok(Unit);
    }
    let retained = input.retain_resources.unwrap_or_default();
    if !retained.is_empty() && found.status != "DELETE_FAILED" {
        return Err(validation(
            "Invalid operation on stack. RetainResources can be specified only for stacks in DELETE_FAILED.",
        ));
    }
    if found.status == "DELETE_COMPLETE" || found.status == "DELETE_IN_PROGRESS" {
        return Ok(Unit);
    }
    let stack = Stack { token, retained, ..found };
    let stack = begin(cfn, cx, stack, "DELETE_IN_PROGRESS", None).await?;
    start(run(cfn, cx, stack).await?, |mut run| async move { run.delete(None).await });
    Ok(Unit)
}

/// A stack that has nothing yet.
pub(crate) fn empty(cfn: &CloudFormation, cx: &Context, name: &str) -> Result<Stack, ApiError> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if name.len() > 128 || !starts_well || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(validation(format!(
            "1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )));
    }
    let id = cx.arn("cloudformation", format!("stack/{name}/{}", ids::uuid(&*cfn.random))).to_string();
    Ok(Stack {
        id,
        name: name.to_owned(),
        status: "REVIEW_IN_PROGRESS".into(),
        reason: None,
        description: None,
        template: String::new(),
        parameters: Values::new(),
        tags: BTreeMap::new(),
        capabilities: Vec::new(),
        outputs: Vec::new(),
        suffix: cfn.suffix.clone(),
        disable_rollback: false,
        delete_on_failure: false,
        change_set_id: None,
        created: cx.now,
        updated: None,
        deleted: None,
        acting: Acting::of(cx),
        retained: Vec::new(),
        token: None,
    })
}

/// Keeps a new stack under its name.
pub(crate) async fn insert(cfn: &CloudFormation, cx: &Context, stack: &Stack) -> Result<(), ApiError> {
    let place = Place::of(cx);
    let name = place.name(&stack.name);
    let named = Named { id: stack.id.clone() };
    let commit = NAMED.create(Commit::new(), &name, &named)?;
    let commit = STACKS.put(commit, &place.stack(&stack.id), stack)?;
    let event = cfn.event(stack, (&stack.name, &stack.id, STACK), &stack.status, Some("User Initiated"))?;
    match cfn.store().commit(commit.and(event)).await? {
        Outcome::CheckFailed { .. } => {
            Err(g::AlreadyExistsException::new(format!("Stack [{}] already exists", stack.name)).into())
        }
        outcome => Ok(outcome.done().map(drop)?),
    }
}

/// Marks the stack as being changed, unless somebody else is at it; keeps what it is to go back to.
pub(crate) async fn begin(
    cfn: &CloudFormation,
    cx: &Context,
    stack: Stack,
    status: &str,
    before: Option<Stack>,
) -> Result<Stack, ApiError> {
    let key = Place::of(cx).stack(&stack.id);
    let wanted = Stack { status: status.to_owned(), updated: Some(cx.now), acting: Acting::of(cx), ..stack };
    update_record(cfn.store(), &key, |present: Option<Stack>| {
        let present = present.ok_or_else(|| missing(&wanted.name))?;
        let busy = present.status.ends_with("_IN_PROGRESS") && present.status != "REVIEW_IN_PROGRESS";
        let stuck = matches!(
            &*present.status,
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" | "UPDATE_ROLLBACK_FAILED"
        );
        if busy || stuck && status != "DELETE_IN_PROGRESS" {
            let (id, now) = (&present.id, &present.status);
            return Err(validation(format!("Stack:{id} is in {now} state and can not be updated.")));
        }
        let what = (&*wanted.name, &*wanted.id, STACK);
        let begun = cfn.event(&wanted, what, status, Some("User Initiated"))?;
        let decision = Decision::save(wanted.clone(), wanted.clone()).with(begun);
        Ok(match &before {
            Some(before) => {
                let key = of_stack(&BEFORE, &before.id);
                decision.with(BEFORE.put(Commit::new(), &key, &Before(before.clone()))?)
            }
            None => decision,
        })
    })
    .await
}

/// The change of a stack, with what is kept of it.
pub(crate) async fn run(cfn: &Arc<CloudFormation>, cx: &Context, stack: Stack) -> Result<Run, ApiError> {
    let existing = plan::existing(cfn, &stack.id).await?;
    let steps = STEPS.scan(cfn.store(), &of_stack(&STEPS, &stack.id), None, 10_000).await?.items;
    let steps = steps.into_iter().map(|stored| stored.record).collect();
    let cx = cx.on_behalf(cx.caller.clone(), VIA);
    Ok(Run { cfn: Arc::clone(cfn), cx, stack, existing, steps })
}

/// Goes on with a change after the answer. What breaks inside is found in the stack's events and the log.
pub(crate) fn start<W>(run: Run, work: impl FnOnce(Run) -> W)
where
    W: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let name = run.stack.name.clone();
    let work = work(run);
    tokio::spawn(async move {
        if let Err(error) = work.await {
            tracing::error!(stack = name, %error, "the change of a stack broke off");
        }
    });
}

/// The stack of this name or ARN. A deleted one is found by its ARN only.
pub(crate) async fn load(cfn: &CloudFormation, cx: &Context, name: &str) -> Result<Stored<Stack>, ApiError> {
    find(cfn, cx, name).await?.ok_or_else(|| missing(name))
}

async fn find(cfn: &CloudFormation, cx: &Context, name: &str) -> Result<Option<Stored<Stack>>, ApiError> {
    let place = Place::of(cx);
    let id = match name.starts_with("arn:") {
        true => Some(name.to_owned()),
        false => NAMED.get(cfn.store(), &place.name(name)).await?.map(|named| named.record.id),
    };
    Ok(match id {
        Some(id) => STACKS.get(cfn.store(), &place.stack(&id)).await?,
        None => None,
    })
}

fn missing(name: &str) -> ApiError {
    validation(format!("Stack with id {name} does not exist"))
}

/// The stack as a template, its values and tags describe it.
pub(crate) fn describe_in(
    stack: Stack,
    source: &Source,
    parameters: &Values,
    tags: BTreeMap<String, String>,
    capabilities: &[g::Capability],
) -> Stack {
    Stack {
        description: source.template.description.clone(),
        template: source.text.clone(),
        parameters: parameters.clone(),
        tags,
        capabilities: capabilities.iter().map(|capability| capability.as_str().to_owned()).collect(),
        ..stack
    }
}

/// The values that a request gives, or keeps from before.
pub(crate) fn given(parameters: Option<Vec<g::Parameter>>, before: &Values) -> Result<Values, ApiError> {
    let mut given = Values::new();
    for parameter in parameters.unwrap_or_default() {
        let name =
            parameter.parameter_key.ok_or_else(|| validation("Parameters must have a ParameterKey"))?;
        let value = match (parameter.use_previous_value, parameter.parameter_value) {
            (Some(true), None) => before.get(&name).cloned().ok_or_else(|| {
                validation(format!("Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"))
            })?,
            (_, Some(value)) => value,
            (_, None) => return Err(validation(format!("Invalid input for parameter key {name}. Need to specify either usePreviousValue as true or a value for the parameter"))),
        };
        given.insert(name, value);
    }
    Ok(given)
}

pub(crate) fn tags(tags: Option<Vec<g::Tag>>) -> BTreeMap<String, String> {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}
