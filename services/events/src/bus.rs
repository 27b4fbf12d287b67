//! CreateEventBus DescribeEventBus ListEventBuses DeleteEventBus
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html>

use pagoda_base::Arn;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome};

use crate::generated as g;
use crate::table::{self, BUSES, Bus, Place, RULES};
use crate::{Events, Scope, page, tag};

/// The bus that every account has.
pub(crate) const DEFAULT: &str = "default";
const BUSES_MAX: usize = 100;

/// The bus that a request names, by its name or its ARN.
pub(crate) fn place(cx: &Context, name_or_arn: Option<&str>) -> Place {
    let name = name_or_arn.unwrap_or(DEFAULT);
    let bus = name.rsplit_once("event-bus/").map_or(name, |(_, name)| name).to_owned();
    Place { scope: Scope::of(cx), bus }
}

pub(crate) fn arn(place: &Place) -> String {
    let Scope { account, region } = &place.scope;
    Arn::regional("events", region, *account, format!("event-bus/{}", place.bus)).to_string()
}

impl Events {
    /// The bus, if it exists.
    pub(crate) async fn find_bus(&self, place: &Place) -> Result<Option<Bus>, ApiError> {
        let found = BUSES.get(self.store(), &table::bus(place)).await?.map(|stored| stored.record);
        Ok(found.or_else(|| (place.bus == DEFAULT).then(|| Bus { name: DEFAULT.into(), ..Bus::default() })))
    }

    /// The bus, which must exist.
    pub(crate) async fn bus(&self, place: &Place) -> Result<Bus, ApiError> {
        let missing = || g::ResourceNotFoundException::new(missing(&place.bus)).into();
        self.find_bus(place).await?.ok_or_else(missing)
    }
}

pub(crate) fn missing(bus: &str) -> String {
    format!("Event bus {bus} does not exist.")
}

pub(crate) async fn create(
    events: &Events,
    cx: &Context,
    input: g::CreateEventBusRequest,
) -> Result<g::CreateEventBusResponse, ApiError> {
    let place = place(cx, Some(&input.name));
    if input.name.contains('/') {
        return Err(ApiError::validation("Event bus names with a slash belong to partners."));
    }
    let tags = tag::checked(cx, input.tags)?;
    let exists =
        || g::ResourceAlreadyExistsException::new(format!("Event bus {} already exists.", input.name));
    if input.name == DEFAULT {
        return Err(exists().into());
    }
    if BUSES.all(events.store(), &table::buses(&place.scope)).await?.len() >= BUSES_MAX {
        return Err(too_many());
    }
    let bus = Bus { name: input.name.clone(), description: input.description.clone(), created: cx.now, tags };
    match events.store().commit(BUSES.create(Commit::new(), &table::bus(&place), &bus)?).await? {
        Outcome::CheckFailed { .. } => Err(exists().into()),
        outcome => {
            outcome.done()?;
            Ok(g::CreateEventBusResponse {
                event_bus_arn: Some(arn(&place)),
                description: input.description,
                ..Default::default()
            })
        }
    }
}

pub(crate) fn too_many() -> ApiError {
    g::LimitExceededException::new("The requested resource exceeds the maximum number allowed.").into()
}

pub(crate) async fn describe(
    events: &Events,
    cx: &Context,
    input: g::DescribeEventBusRequest,
) -> Result<g::DescribeEventBusResponse, ApiError> {
    let place = place(cx, input.name.as_deref());
    let bus = events.bus(&place).await?;
    Ok(g::DescribeEventBusResponse {
        arn: Some(arn(&place)),
        creation_time: (bus.name != DEFAULT).then_some(bus.created),
        last_modified_time: (bus.name != DEFAULT).then_some(bus.created),
        name: Some(bus.name),
        description: bus.description,
        ..Default::default()
    })
}

pub(crate) async fn list(
    events: &Events,
    cx: &Context,
    input: g::ListEventBusesRequest,
) -> Result<g::ListEventBusesResponse, ApiError> {
    let scope = Scope::of(cx);
    let mut all = BUSES.all(events.store(), &table::buses(&scope)).await?;
    if !all.iter().any(|bus| bus.name == DEFAULT) {
        all.push(Bus { name: DEFAULT.into(), ..Bus::default() });
    }
    all.sort_by(|left, right| left.name.cmp(&right.name));
    let prefix = input.name_prefix.unwrap_or_default();
    all.retain(|bus| bus.name.starts_with(&prefix));
    let (page, next_token) = page::of(all, |bus| &bus.name, input.limit, input.next_token.as_deref())?;
    let shown = page.into_iter().map(|bus| g::EventBus {
        arn: Some(arn(&Place { scope: scope.clone(), bus: bus.name.clone() })),
        creation_time: (bus.name != DEFAULT).then_some(bus.created),
        last_modified_time: (bus.name != DEFAULT).then_some(bus.created),
        name: Some(bus.name),
        description: bus.description,
        ..Default::default()
    });
    Ok(g::ListEventBusesResponse { event_buses: Some(shown.collect()), next_token })
}

pub(crate) async fn delete(
    events: &Events,
    cx: &Context,
    input: g::DeleteEventBusRequest,
) -> Result<Unit, ApiError> {
    let place = place(cx, Some(&input.name));
    if place.bus == DEFAULT {
        return Err(ApiError::validation("Cannot delete event bus default."));
    }
    if !RULES.scan(events.store(), &table::rules(&place), None, 1).await?.items.is_empty() {
        let message = format!("Event bus {} cannot be deleted since it has rules.", place.bus);
        return Err(ApiError::validation(message));
    }
    events.store().commit(Commit::new().delete(table::bus(&place))).await?.done()?;
    events.rules.forget();
    Ok(Unit)
}
