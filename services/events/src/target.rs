//! PutTargets RemoveTargets ListTargetsByRule
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html>

use pagoda_base::Arn;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Decision, update};
use serde::de::IgnoredAny;

use crate::generated as g;
use crate::table::{self, Input, Rule, Target};
use crate::{Events, bus, input, page, rule};

const TARGETS_MAX: usize = 5;

pub(crate) async fn put(
    events: &Events,
    cx: &Context,
    input: g::PutTargetsRequest,
) -> Result<g::PutTargetsResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    let targets = input.targets.into_iter().map(checked).collect::<Result<Vec<_>, _>>()?;
    update(events.store(), &table::rule(&place, &input.rule), |found: Option<Rule>| {
        let mut rule = found.ok_or_else(|| rule::missing(&place, &input.rule))?;
        for target in &targets {
            rule.targets.retain(|known| known.id != target.id);
            rule.targets.push(target.clone());
        }
        if rule.targets.len() > TARGETS_MAX {
            return Err(bus::too_many());
        }
        Ok::<_, ApiError>(Decision::save(rule, ()))
    })
    .await?;
    events.rules.forget();
    Ok(g::PutTargetsResponse { failed_entry_count: Some(0), failed_entries: Some(Vec::new()) })
}

fn checked(target: g::Target) -> Result<Target, ApiError> {
    let arn: Option<Arn> = target.arn.parse().ok();
    match &arn {
        None => {
            let message = format!(
                "Parameter {} is not valid. Reason: Provided Arn is not in correct format.",
                target.arn
            );
            return Err(ApiError::validation(message));
        }
        Some(arn) if arn.service != "lambda" => {
            return Err(ApiError::not_implemented("PutTargets", &format!("Targets (of {})", arn.service)));
        }
        Some(_) => {}
    }
    let given = [target.input.is_some(), target.input_path.is_some(), target.input_transformer.is_some()];
    if given.into_iter().filter(|given| *given).count() > 1 {
        let message = format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {}.",
            target.id
        );
        return Err(ApiError::validation(message));
    }
    let invalid = |what: &str| ApiError::validation(format!("{what} for target {}.", target.id));
    let input = match (&target.input, &target.input_path, &target.input_transformer) {
        (Some(text), ..) => match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Input::Constant(text.clone()),
            Err(_) => return Err(invalid("JSON syntax error in input")),
        },
        (_, Some(path), _) => input::steps(path)
            .map(|_| Input::Path(path.clone()))
            .ok_or_else(|| invalid("InputPath is not valid"))?,
        (_, _, Some(transformer)) => transformed(transformer).map_err(|what| invalid(&what))?,
        _ => Input::Event,
    };
    let retry = target.retry_policy.unwrap_or_default();
    Ok(Target {
        id: target.id,
        arn: target.arn,
        input,
        retries: retry.maximum_retry_attempts,
        age_seconds: retry.maximum_event_age_in_seconds,
    })
}

fn transformed(transformer: &g::InputTransformer) -> Result<Input, String> {
    let paths = transformer.input_paths_map.clone().unwrap_or_default();
    if let Some(name) = paths.keys().find(|name| name.to_ascii_lowercase().starts_with("aws")) {
        return Err(format!("InputPathsMap must not have keys that begin with AWS: {name}"));
    }
    if let Some((name, path)) = paths.iter().find(|(_, path)| input::steps(path).is_none()) {
        return Err(format!("Invalid input path {path} of {name}"));
    }
    Ok(Input::Template { paths, template: transformer.input_template.clone() })
}

pub(crate) async fn remove(
    events: &Events,
    cx: &Context,
    input: g::RemoveTargetsRequest,
) -> Result<g::RemoveTargetsResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    let unknown = update(events.store(), &table::rule(&place, &input.rule), |found: Option<Rule>| {
        let mut rule = found.ok_or_else(|| rule::missing(&place, &input.rule))?;
        let is_known = |id: &&String| rule.targets.iter().any(|target| target.id == **id);
        let unknown: Vec<String> = input.ids.iter().filter(|id| !is_known(id)).cloned().collect();
        rule.targets.retain(|target| !input.ids.contains(&target.id));
        Ok::<_, ApiError>(Decision::save(rule, unknown))
    })
    .await?;
    events.rules.forget();
    let failed: Vec<_> = unknown
        .into_iter()
        .map(|id| g::RemoveTargetsResultEntry {
            error_code: Some("ResourceNotFoundException".to_owned()),
            error_message: Some(format!("Target {id} does not exist on Rule {}.", input.rule)),
            target_id: Some(id),
        })
        .collect();
    Ok(g::RemoveTargetsResponse {
        failed_entry_count: Some(failed.len() as i32),
        failed_entries: Some(failed),
    })
}

pub(crate) async fn list(
    events: &Events,
    cx: &Context,
    input: g::ListTargetsByRuleRequest,
) -> Result<g::ListTargetsByRuleResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    let mut all = rule::load(events, &place, &input.rule).await?.targets;
    all.sort_by(|left, right| left.id.cmp(&right.id));
    let (page, next_token) = page::of(all, |target| &target.id, input.limit, input.next_token.as_deref())?;
    Ok(g::ListTargetsByRuleResponse { targets: Some(page.into_iter().map(shown).collect()), next_token })
}

fn shown(target: Target) -> g::Target {
    let mut shown = g::Target { id: target.id, arn: target.arn, ..Default::default() };
    match target.input {
        Input::Event => {}
        Input::Constant(text) => shown.input = Some(text),
        Input::Path(path) => shown.input_path = Some(path),
        Input::Template { paths, template } => {
            let input_paths_map = Some(paths).filter(|paths| !paths.is_empty());
            shown.input_transformer = Some(g::InputTransformer { input_paths_map, input_template: template });
        }
    }
    if target.retries.is_some() || target.age_seconds.is_some() {
        shown.retry_policy = Some(g::RetryPolicy {
            maximum_retry_attempts: target.retries,
            maximum_event_age_in_seconds: target.age_seconds,
        });
    }
    shown
}
