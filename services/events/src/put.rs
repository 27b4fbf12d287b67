//! PutEvents
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::Value;

use crate::deliver::{self, Matched};
use crate::event::{self, Parts};
use crate::generated as g;
use crate::table::Delivery;
use crate::{Events, bus, rule};

/// All entries together, in bytes.
const BYTES_MAX: usize = 256 * 1024;
/// What an entry with a time counts for it, in bytes.
const TIME_BYTES: usize = 14;

pub(crate) async fn put(
    events: &Events,
    cx: &Context,
    input: g::PutEventsRequest,
) -> Result<g::PutEventsResponse, ApiError> {
    if input.entries.iter().map(size).sum::<usize>() > BYTES_MAX {
        return Err(ApiError::validation("Total size of the entries in the request is over the limit."));
    }
    let mut deliveries = Vec::new();
    let mut results = Vec::new();
    for entry in &input.entries {
        match one(events, cx, entry, &mut deliveries).await? {
            Ok(id) => results.push(g::PutEventsResultEntry { event_id: Some(id), ..Default::default() }),
            Err((code, message)) => results.push(g::PutEventsResultEntry {
                error_code: Some(code.to_owned()),
                error_message: Some(message),
                ..Default::default()
            }),
        }
    }
    events.keep(&deliveries, cx.now).await?;
    let failed = results.iter().filter(|result| result.error_code.is_some()).count();
    Ok(g::PutEventsResponse { failed_entry_count: Some(failed as i32), entries: Some(results) })
}

/// Why an entry is not taken: a code and a message.
type Refusal = (&'static str, String);

/// Adds the deliveries that an entry leads to; its id.
async fn one(
    events: &Events,
    cx: &Context,
    entry: &g::PutEventsRequestEntry,
    deliveries: &mut Vec<Delivery>,
) -> Result<Result<String, Refusal>, ApiError> {
    let (source, detail_type, detail) = match checked(entry) {
        Ok(parts) => parts,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let place = bus::place(cx, entry.event_bus_name.as_deref());
    let Some(rules) = events.rules_of(&place).await? else {
        return Ok(Err(("ResourceNotFoundException", bus::missing(&place.bus))));
    };
    let id = ids::uuid(&*events.random);
    let parts = Parts {
        id: &id,
        source,
        detail_type,
        time: entry.time.unwrap_or(cx.now),
        resources: entry.resources.clone().unwrap_or_default(),
        detail,
    };
    let event = event::new(&place.scope, parts);
    for (_, rule) in rules.0.iter().filter(|(pattern, _)| pattern.matches(&event)) {
        let rule_arn = rule::arn(&place, &rule.name);
        let matched = Matched { scope: &place.scope, rule, rule_arn: &rule_arn, event: &event, now: cx.now };
        deliveries.extend(deliver::of(events, &matched));
    }
    Ok(Ok(id))
}

fn checked(entry: &g::PutEventsRequestEntry) -> Result<(&str, &str, Value), Refusal> {
    let required =
        |name: &str, value: &'_ Option<String>| match value.as_deref().filter(|text| !text.is_empty()) {
            Some(_) => Ok(()),
            None => Err((
                "InvalidArgument",
                format!("Parameter {name} is not valid. Reason: {name} is a required argument."),
            )),
        };
    required("Source", &entry.source)?;
    required("DetailType", &entry.detail_type)?;
    required("Detail", &entry.detail)?;
    let text = |value: &'_ Option<String>| -> String { value.clone().unwrap_or_default() };
    if text(&entry.source).starts_with("aws.") {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".into()));
    }
    let malformed = || ("MalformedDetail", "Detail is malformed.".to_owned());
    let detail: Value = serde_json::from_str(&text(&entry.detail)).map_err(|_| malformed())?;
    if !detail.is_object() {
        return Err(malformed());
    }
    Ok((
        entry.source.as_deref().unwrap_or_default(),
        entry.detail_type.as_deref().unwrap_or_default(),
        detail,
    ))
}

/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html>
fn size(entry: &g::PutEventsRequestEntry) -> usize {
    let texts = [&entry.source, &entry.detail_type, &entry.detail];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let resources: usize = entry.resources.iter().flatten().map(String::len).sum();
    texts + resources + if entry.time.is_some() { TIME_BYTES } else { 0 }
}
