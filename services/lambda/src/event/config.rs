//! PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig GetFunctionEventInvokeConfig
//! ListFunctionEventInvokeConfigs DeleteFunctionEventInvokeConfig: how often, how long, and where to.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html>

use pagoda_base::{Arn, Timestamp};
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, Key, Record, Space, Table, update};
use serde::{Deserialize, Serialize};

use crate::generated as g;
use crate::name::{self, FunctionId, LATEST, Named};
use crate::{Lambda, page, table};

const RETRIES_DEFAULT: u32 = 2;
const AGE_SECONDS_DEFAULT: u32 = 21_600;

/// What is set for a function, a version or an alias.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EventConfig {
    modified: Timestamp,
    retries: Option<u32>,
    age_seconds: Option<u32>,
    on_success: Option<String>,
    on_failure: Option<String>,
}

const CONFIGS: Table<EventConfig> = Table::new(Space::Meta);

impl Record for EventConfig {
    const KIND: &str = "lambda.event-config";
    const VERSION: u8 = 1;
}

/// What holds for an event.
pub(super) struct Rules {
    /// How often a failed event is tried again.
    pub(super) retries: u32,
    pub(super) age_seconds: u32,
    pub(super) on_success: Option<String>,
    pub(super) on_failure: Option<String>,
}

/// What holds for the events of a function as it was named.
pub(super) async fn rules(lambda: &Lambda, named: &Named) -> Result<Rules, ApiError> {
    let found = CONFIGS.get(lambda.store(), &key(named)).await?.map(|stored| stored.record);
    let number = |get: fn(&EventConfig) -> Option<u32>| found.as_ref().and_then(get);
    Ok(Rules {
        retries: number(|config| config.retries).unwrap_or(RETRIES_DEFAULT),
        age_seconds: number(|config| config.age_seconds).unwrap_or(AGE_SECONDS_DEFAULT),
        on_success: found.as_ref().and_then(|config| config.on_success.clone()),
        on_failure: found.and_then(|config| config.on_failure),
    })
}

pub(crate) async fn put(
    lambda: &Lambda,
    cx: &Context,
    input: g::PutFunctionEventInvokeConfigRequest,
) -> Result<g::FunctionEventInvokeConfig, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let wanted = Wanted::read(
        input.maximum_retry_attempts,
        input.maximum_event_age_in_seconds,
        input.destination_config,
    )?;
    save(lambda, cx, &named, &wanted, |_| Ok(EventConfig::new(cx))).await
}

pub(crate) async fn update_config(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateFunctionEventInvokeConfigRequest,
) -> Result<g::FunctionEventInvokeConfig, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    let wanted = Wanted::read(
        input.maximum_retry_attempts,
        input.maximum_event_age_in_seconds,
        input.destination_config,
    )?;
    save(lambda, cx, &named, &wanted, |found| found.ok_or_else(|| missing(&named))).await
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetFunctionEventInvokeConfigRequest,
) -> Result<g::FunctionEventInvokeConfig, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    lambda.load(&named).await?;
    let found = CONFIGS.get(lambda.store(), &key(&named)).await?.ok_or_else(|| missing(&named))?;
    Ok(describe(&named.function, qualifier(&named), found.record))
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListFunctionEventInvokeConfigsRequest,
) -> Result<g::ListFunctionEventInvokeConfigsResponse, ApiError> {
    let named = name::parse(cx, &input.function_name)?;
    lambda.load(&named).await?;
    let id = &named.function;
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let after = after.map(|qualifier| table::of(CONFIGS.key(), id).text(&qualifier).done());
    let limit = page::limit(input.max_items);
    let found = CONFIGS.scan(lambda.store(), &prefix(id), after.as_ref(), limit).await?;
    let (mut configs, mut last) = (Vec::new(), String::new());
    for stored in found.items {
        last = page::name_in(&stored.key)?;
        configs.push(describe(id, &last, stored.record));
    }
    let next_marker = found.next.map(|_| page::marker(last));
    Ok(g::ListFunctionEventInvokeConfigsResponse {
        function_event_invoke_configs: Some(configs),
        next_marker,
    })
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteFunctionEventInvokeConfigRequest,
) -> Result<Unit, ApiError> {
    let named = name::parse_qualified(cx, &input.function_name, input.qualifier.as_deref())?;
    lambda.load(&named).await?;
    let found = CONFIGS.get(lambda.store(), &key(&named)).await?.ok_or_else(|| missing(&named))?;
    lambda.store().commit(Commit::new().delete(found.key)).await?.done()?;
    Ok(Unit)
}

/// The prefix of all that is set for a function.
pub(crate) fn prefix(id: &FunctionId) -> Key {
    table::of(CONFIGS.key(), id).done()
}

/// What a request sets.
struct Wanted {
    retries: Option<u32>,
    age_seconds: Option<u32>,
    destinations: Option<(Option<String>, Option<String>)>,
}

impl Wanted {
    fn read(
        retries: Option<i32>,
        age_seconds: Option<i32>,
        destinations: Option<g::DestinationConfig>,
    ) -> Result<Self, ApiError> {
        let destinations = match destinations {
            Some(config) => {
                let success = config.on_success.and_then(|one| one.destination);
                let failure = config.on_failure.and_then(|one| one.destination);
                Some((check("OnSuccess", success)?, check("OnFailure", failure)?))
            }
            None => None,
        };
        if retries.is_none() && age_seconds.is_none() && destinations.is_none() {
            let message = "You must specify at least one of error handling or destination setting.";
            return Err(g::InvalidParameterValueException::new(message).into());
        }
        Ok(Self {
            retries: retries.map(i32::unsigned_abs),
            age_seconds: age_seconds.map(i32::unsigned_abs),
            destinations,
        })
    }

    /// The destinations that are set.
    fn named(&self) -> Vec<String> {
        let both = self.destinations.iter().flat_map(|(success, failure)| [success, failure]);
        both.flatten().cloned().collect()
    }
}

/// Refuses what takes no record: services that the platform has not, and S3 for what succeeds.
fn check(which: &str, destination: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(text) = destination.filter(|text| !text.is_empty()) else { return Ok(None) };
    let arn: Option<Arn> = text.parse().ok();
    match arn.as_ref().map(|arn| arn.service.as_str()) {
        Some("lambda") => Ok(Some(text)),
        Some("s3") if which == "OnFailure" => Ok(Some(text)),
        Some("sqs" | "sns" | "events") => Err(ApiError::not_implemented(
            "PutFunctionEventInvokeConfig",
            &format!("DestinationConfig.{which}={text}"),
        )),
        _ => {
            let message =
                format!("The provided destination config DestinationConfig.{which} is invalid: {text}");
            Err(g::InvalidParameterValueException::new(message).into())
        }
    }
}

async fn save(
    lambda: &Lambda,
    cx: &Context,
    named: &Named,
    wanted: &Wanted,
    begin: impl Fn(Option<EventConfig>) -> Result<EventConfig, ApiError>,
) -> Result<g::FunctionEventInvokeConfig, ApiError> {
    lambda.load(named).await?;
    for destination in wanted.named() {
        if let Ok(other) = name::parse(cx, &destination) {
            lambda.load(&other).await?;
        }
    }
    let config = update(lambda.store(), &key(named), |found: Option<EventConfig>| {
        let mut config = begin(found)?;
        config.modified = cx.now;
        config.retries = wanted.retries.or(config.retries);
        config.age_seconds = wanted.age_seconds.or(config.age_seconds);
        if let Some((success, failure)) = &wanted.destinations {
            config.on_success.clone_from(success);
            config.on_failure.clone_from(failure);
        }
        Ok::<_, ApiError>(Decision::save(config.clone(), config))
    })
    .await?;
    Ok(describe(&named.function, qualifier(named), config))
}

impl EventConfig {
    fn new(cx: &Context) -> Self {
        Self { modified: cx.now, retries: None, age_seconds: None, on_success: None, on_failure: None }
    }
}

fn qualifier(named: &Named) -> &str {
    named.qualifier.as_deref().unwrap_or(LATEST)
}

fn key(named: &Named) -> Key {
    table::of(CONFIGS.key(), &named.function).text(qualifier(named)).done()
}

fn missing(named: &Named) -> ApiError {
    let arn = named.function.qualified_arn(qualifier(named));
    g::ResourceNotFoundException::new(format!("The function {arn} doesn't have an EventInvokeConfig")).into()
}

fn describe(id: &FunctionId, qualifier: &str, config: EventConfig) -> g::FunctionEventInvokeConfig {
    let (success, failure) = (config.on_success, config.on_failure);
    let destinations = g::DestinationConfig {
        on_success: Some(g::OnSuccess { destination: success }),
        on_failure: Some(g::OnFailure { destination: failure }),
    };
    g::FunctionEventInvokeConfig {
        last_modified: Some(config.modified),
        function_arn: Some(id.qualified_arn(qualifier)),
        maximum_retry_attempts: config.retries.map(u32::cast_signed),
        maximum_event_age_in_seconds: config.age_seconds.map(u32::cast_signed),
        destination_config: Some(destinations),
    }
}
