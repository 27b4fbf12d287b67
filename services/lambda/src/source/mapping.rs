//! CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping
//! ListEventSourceMappings
//!
//! A mapping is `Enabled` or `Disabled` as soon as it is told to be.

use pagoda_base::{Arn, ids};
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, Outcome, Stored, update as change};

use super::access::arn;
use super::checkpoint;
use super::record::{self, MAPPINGS, Mapping, PAIRS, PROCESSED, Pair, Start};
use super::settings::{Settings, Wanted, invalid};
use crate::name::{self, Named};
use crate::{Lambda, generated as g, page, tag};

const PAGE_MAX: i32 = 100;

pub(crate) async fn create(
    lambda: &Lambda,
    cx: &Context,
    input: g::CreateEventSourceMappingRequest,
) -> Result<g::EventSourceMappingConfiguration, ApiError> {
    let source = source(input.event_source_arn)?;
    let function = name::parse(cx, &input.function_name)?;
    let tags = input.tags.unwrap_or_default();
    tag::check(cx, tags.keys())?;
    let tags = tag::merge(tag::Tags::new(), tags)?;
    let wanted = Wanted {
        batch_size: input.batch_size,
        window_seconds: input.maximum_batching_window_in_seconds,
        parallelization: input.parallelization_factor,
        bisect: input.bisect_batch_on_function_error,
        retries: input.maximum_retry_attempts,
        age_seconds: input.maximum_record_age_in_seconds,
        tumbling_seconds: input.tumbling_window_in_seconds,
        responses: input.function_response_types,
        filters: input.filter_criteria,
        destinations: input.destination_config,
    };
    let settings = wanted.over(Settings::default())?;
    let start = start(lambda, input.starting_position).await?;
    check(lambda, cx, &function, &source).await?;
    let mapping = Mapping {
        uuid: ids::uuid(&*lambda.ports.random),
        source,
        function: function.arn(),
        settings,
        start,
        enabled: input.enabled.unwrap_or(true),
        modified: cx.now,
        tags,
    };
    let key = record::mapping(cx.account, &cx.region, &mapping.uuid);
    let pair = record::pair(&mapping.function, &mapping.source);
    let commit = PAIRS.create(Commit::new(), &pair, &Pair { uuid: mapping.uuid.clone() })?;
    match lambda.store().commit(MAPPINGS.create(commit, &key, &mapping)?).await? {
        Outcome::CheckFailed { .. } => return Err(exists(lambda, &mapping).await?),
        outcome => outcome.done()?,
    };
    lambda.follow(cx, &mapping)?;
    describe(lambda, cx, mapping).await
}

pub(crate) async fn get(
    lambda: &Lambda,
    cx: &Context,
    input: g::GetEventSourceMappingRequest,
) -> Result<g::EventSourceMappingConfiguration, ApiError> {
    let mapping = load(lambda, cx, &input.uuid).await?.record;
    describe(lambda, cx, mapping).await
}

pub(crate) async fn update(
    lambda: &Lambda,
    cx: &Context,
    input: g::UpdateEventSourceMappingRequest,
) -> Result<g::EventSourceMappingConfiguration, ApiError> {
    let stored = load(lambda, cx, &input.uuid).await?;
    let mut mapping = stored.record.clone();
    let function = name::parse(cx, input.function_name.as_deref().unwrap_or(&mapping.function))?;
    check(lambda, cx, &function, &mapping.source).await?;
    let wanted = Wanted {
        batch_size: input.batch_size,
        window_seconds: input.maximum_batching_window_in_seconds,
        parallelization: input.parallelization_factor,
        bisect: input.bisect_batch_on_function_error,
        retries: input.maximum_retry_attempts,
        age_seconds: input.maximum_record_age_in_seconds,
        tumbling_seconds: input.tumbling_window_in_seconds,
        responses: input.function_response_types,
        filters: input.filter_criteria,
        destinations: input.destination_config,
    };
    mapping.settings = wanted.over(mapping.settings)?;
    mapping.enabled = input.enabled.unwrap_or(mapping.enabled);
    mapping.modified = cx.now;
    let mut commit = Commit::new();
    if function.arn() != mapping.function {
        commit = commit.delete(record::pair(&mapping.function, &mapping.source));
        mapping.function = function.arn();
        let pair = record::pair(&mapping.function, &mapping.source);
        commit = PAIRS.create(commit, &pair, &Pair { uuid: mapping.uuid.clone() })?;
    }
    let commit = MAPPINGS.replace(commit, &stored.key, stored.stamp, &mapping)?;
    match lambda.store().commit(commit).await? {
        Outcome::CheckFailed { check: 0, .. } if mapping.function != stored.record.function => {
            return Err(exists(lambda, &mapping).await?);
        }
        Outcome::CheckFailed { .. } => return Err(in_use(&input.uuid)),
        outcome => outcome.done()?,
    };
    lambda.follow(cx, &mapping)?;
    describe(lambda, cx, mapping).await
}

pub(crate) async fn delete(
    lambda: &Lambda,
    cx: &Context,
    input: g::DeleteEventSourceMappingRequest,
) -> Result<g::EventSourceMappingConfiguration, ApiError> {
    let stored = load(lambda, cx, &input.uuid).await?;
    let mapping = &stored.record;
    let (lo, hi) = checkpoint::all(&mapping.uuid).prefix_range();
    let commit = MAPPINGS.remove(Commit::new(), &stored).clear_range(lo, hi);
    let commit = commit.delete(record::pair(&mapping.function, &mapping.source));
    let commit = commit.delete(record::processed(&mapping.uuid));
    if let Outcome::CheckFailed { .. } = lambda.store().commit(commit).await? {
        return Err(in_use(&input.uuid));
    }
    lambda.abandon(&mapping.uuid)?;
    let described = describe(lambda, cx, stored.record).await?;
    Ok(g::EventSourceMappingConfiguration { state: Some("Deleting".into()), ..described })
}

pub(crate) async fn list(
    lambda: &Lambda,
    cx: &Context,
    input: g::ListEventSourceMappingsRequest,
) -> Result<g::ListEventSourceMappingsResponse, ApiError> {
    let function = input.function_name.as_deref().map(|text| name::parse(cx, text)).transpose()?;
    let function = function.map(|named| named.arn());
    let after = input.marker.as_deref().map(page::read).transpose()?;
    let mut after = after.map(|uuid| record::mapping(cx.account, &cx.region, &uuid));
    let limit = input.max_items.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX).unsigned_abs();
    let is_wanted = |mapping: &Mapping| {
        function.as_ref().is_none_or(|arn| *arn == mapping.function)
            && input.event_source_arn.as_ref().is_none_or(|arn| *arn == mapping.source)
    };
    let (mut found, mut next_marker) = (Vec::new(), None);
    loop {
        let prefix = record::mappings(cx.account, &cx.region);
        let left = limit - found.len() as u32;
        let page = MAPPINGS.scan(lambda.store(), &prefix, after.as_ref(), left).await?;
        for stored in page.items {
            next_marker = Some(page::marker(&stored.record.uuid));
            if is_wanted(&stored.record) {
                found.push(describe(lambda, cx, stored.record).await?);
            }
        }
        after = page.next;
        if after.is_none() || found.len() as u32 >= limit {
            let next_marker = next_marker.filter(|_| after.is_some());
            return Ok(g::ListEventSourceMappingsResponse {
                next_marker,
                event_source_mappings: Some(found),
            });
        }
    }
}

/// Changes a mapping's tags.
pub(super) async fn retag(
    lambda: &Lambda,
    cx: &Context,
    uuid: &str,
    apply: impl Fn(tag::Tags) -> Result<tag::Tags, ApiError>,
) -> Result<(), ApiError> {
    change(lambda.store(), &record::mapping(cx.account, &cx.region, uuid), |found: Option<Mapping>| {
        let mut mapping = found.ok_or_else(missing)?;
        mapping.tags = apply(std::mem::take(&mut mapping.tags))?;
        Ok(Decision::save(mapping, ()))
    })
    .await
}

/// The mapping with that UUID.
///
/// # Errors
/// `ResourceNotFoundException`.
pub(super) async fn load(lambda: &Lambda, cx: &Context, uuid: &str) -> Result<Stored<Mapping>, ApiError> {
    let found = MAPPINGS.get(lambda.store(), &record::mapping(cx.account, &cx.region, uuid)).await?;
    found.ok_or_else(missing)
}

/// The stream; the other kinds of sources are named when they are refused.
fn source(arn: Option<String>) -> Result<String, ApiError> {
    let text = arn.ok_or_else(|| invalid("EventSourceArn is required."))?;
    let arn: Option<Arn> = text.parse().ok();
    match arn.as_ref().map(|arn| arn.service.as_str()) {
        Some("dynamodb") => Ok(text),
        Some("sqs" | "kinesis" | "kafka" | "mq" | "rds") => {
            Err(ApiError::not_implemented("CreateEventSourceMapping", &format!("EventSourceArn={text}")))
        }
        _ => Err(invalid(&format!("Unrecognized event source: {text}"))),
    }
}

async fn start(lambda: &Lambda, wanted: Option<g::EventSourcePosition>) -> Result<Start, ApiError> {
    match wanted {
        Some(g::EventSourcePosition::TrimHorizon) => Ok(Start::Oldest),
        Some(g::EventSourcePosition::Latest) => Ok(Start::Latest(lambda.ports.streams.latest().await?)),
        Some(g::EventSourcePosition::AtTimestamp) => {
            Err(invalid("AT_TIMESTAMP is not a supported StartingPosition for DynamoDB streams."))
        }
        None => Err(invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
        )),
    }
}

/// Refuses a function or a stream that is not there, and one that may not read the other.
async fn check(lambda: &Lambda, cx: &Context, function: &Named, source: &str) -> Result<(), ApiError> {
    let loaded = lambda.load(function).await?;
    if lambda.ports.streams.stream(source).await?.is_none() {
        return Err(invalid(&format!("Stream not found: {source}")));
    }
    lambda.check_stream(cx, &loaded, source).await
}

async fn exists(lambda: &Lambda, mapping: &Mapping) -> Result<ApiError, ApiError> {
    let (function, source) = (&mapping.function, &mapping.source);
    let found = PAIRS.get(lambda.store(), &record::pair(function, source)).await?;
    let uuid = found.map(|stored| stored.record.uuid).unwrap_or_default();
    let message = format!(
        "The event source arn (\" {source} \") and function (\" {function} \") provided mapping already exists. Please \
         update or delete the existing mapping with UUID {uuid}"
    );
    Ok(g::ResourceConflictException { r#type: Some("User".into()), message: Some(message) }.into())
}

fn in_use(uuid: &str) -> ApiError {
    let message = format!("Cannot update the event source mapping {uuid} because it is in use.");
    g::ResourceInUseException { r#type: Some("User".into()), message: Some(message) }.into()
}

fn missing() -> ApiError {
    g::ResourceNotFoundException::new("The resource you requested does not exist.").into()
}

async fn describe(
    lambda: &Lambda,
    cx: &Context,
    mapping: Mapping,
) -> Result<g::EventSourceMappingConfiguration, ApiError> {
    let processed = PROCESSED.get(lambda.store(), &record::processed(&mapping.uuid)).await?;
    let result = processed.map_or_else(|| "No records processed".into(), |stored| stored.record.result);
    let Settings { filters, on_failure, .. } = mapping.settings.clone();
    let settings = &mapping.settings;
    let number = |number: u32| Some(number.cast_signed());
    let unless = |number: Option<u32>| Some(number.map_or(-1, u32::cast_signed));
    let filters: Vec<_> = filters.into_iter().map(|pattern| g::Filter { pattern: Some(pattern) }).collect();
    Ok(g::EventSourceMappingConfiguration {
        event_source_mapping_arn: Some(arn(cx, &mapping.uuid)),
        uuid: Some(mapping.uuid),
        starting_position: Some(match mapping.start {
            Start::Oldest => g::EventSourcePosition::TrimHorizon,
            Start::Latest(_) => g::EventSourcePosition::Latest,
        }),
        batch_size: number(settings.batch_size),
        maximum_batching_window_in_seconds: number(settings.window_seconds),
        parallelization_factor: number(settings.parallelization),
        event_source_arn: Some(mapping.source),
        filter_criteria: (!filters.is_empty()).then_some(g::FilterCriteria { filters: Some(filters) }),
        function_arn: Some(mapping.function),
        last_modified: Some(mapping.modified),
        last_processing_result: Some(result),
        state: Some(if mapping.enabled { "Enabled" } else { "Disabled" }.into()),
        state_transition_reason: Some("User action".into()),
        destination_config: Some(g::DestinationConfig {
            on_success: None,
            on_failure: Some(g::OnFailure { destination: on_failure }),
        }),
        maximum_record_age_in_seconds: unless(settings.age_seconds),
        bisect_batch_on_function_error: Some(settings.bisect),
        maximum_retry_attempts: unless(settings.retries),
        tumbling_window_in_seconds: number(settings.tumbling_seconds),
        function_response_types: Some(
            settings
                .partial
                .then_some(g::FunctionResponseType::ReportBatchItemFailures)
                .into_iter()
                .collect(),
        ),
    })
}
