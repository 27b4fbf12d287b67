//! `AWS::Events::Rule` and `AWS::Events::EventBus`.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::tag::{Retag, is_marked};
use super::{Calls, Created, Done, Kind, RESERVED, Wanted, document, items, named, property, required};
use crate::template::Object;

const DEFAULT: &str = "default";

pub(crate) struct Rule;

#[async_trait]
impl Kind for Rule {
    fn name(&self) -> &'static str {
        "AWS::Events::Rule"
    }

    fn properties(&self) -> &'static [&'static str] {
        &[
            "Description",
            "EventBusName",
            "EventPattern",
            "Name",
            "ScheduleExpression",
            "State",
            "Tags",
            "Targets",
        ]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["EventBusName", "Name"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let place = Place::of(wanted.properties, &named(wanted, "Name"));
        let found =
            calls.find("events", "ListTagsForResource", json!({ "ResourceARN": place.arn(calls) })).await?;
        let own = found.filter(|found| is_marked(self, wanted.properties, &found["Tags"]));
        Ok(own.map(|_| place.physical()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let place = Place::of(wanted.properties, &named(wanted, "Name"));
        put(calls, &place, wanted.properties).await?;
        Ok(place.created(calls))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        let place = Place::read(physical);
        put(calls, &place, wanted.properties).await?;
        let kept = |id: &Value| items(wanted.properties, "Targets").iter().any(|target| target["Id"] == *id);
        let gone = place.targets(calls).await?.into_iter().filter(|id| !kept(id)).collect();
        place.release(calls, gone).await?;
        retag(place.arn(calls)).run(calls, old, wanted.properties).await?;
        Ok(place.created(calls))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        let place = Place::read(physical);
        let targets = place.targets(calls).await?;
        place.release(calls, targets).await?;
        let input = json!({ "Name": place.name, "EventBusName": place.bus });
        calls.gone("events", "DeleteRule", input).await
    }
}

/// Puts the rule and its targets, whatever of them is there already.
async fn put(calls: &Calls<'_>, place: &Place, properties: &Object) -> Done<()> {
    let rule = json!({
        "Name": place.name,
        "EventBusName": place.bus,
        "Description": property(properties, "Description"),
        "EventPattern": document(&property(properties, "EventPattern")),
        "ScheduleExpression": property(properties, "ScheduleExpression"),
        "State": property(properties, "State"),
        "Tags": property(properties, "Tags"),
    });
    calls.call("events", "PutRule", rule).await?;
    let targets = items(properties, "Targets");
    if !targets.is_empty() {
        let input = json!({ "Rule": place.name, "EventBusName": place.bus, "Targets": targets });
        calls.call("events", "PutTargets", input).await?;
    }
    Ok(())
}

/// Where a rule is; its physical id has the bus in front, unless it is the default one.
struct Place {
    bus: String,
    name: String,
}

impl Place {
    fn of(properties: &Object, name: &str) -> Self {
        let bus = properties.get("EventBusName").and_then(Value::as_str).unwrap_or(DEFAULT);
        let bus = bus.rsplit_once("event-bus/").map_or(bus, |(_, name)| name);
        Self { bus: bus.to_owned(), name: name.to_owned() }
    }

    fn read(physical: &str) -> Self {
        let (bus, name) = physical.split_once('|').unwrap_or((DEFAULT, physical));
        Self { bus: bus.to_owned(), name: name.to_owned() }
    }

    fn physical(&self) -> String {
        if self.bus == DEFAULT { self.name.clone() } else { format!("{}|{}", self.bus, self.name) }
    }

    fn arn(&self, calls: &Calls<'_>) -> String {
        let resource = match self.bus.as_str() {
            DEFAULT => format!("rule/{}", self.name),
            bus => format!("rule/{bus}/{}", self.name),
        };
        calls.cx.arn("events", resource).to_string()
    }

    fn created(&self, calls: &Calls<'_>) -> Created {
        Created::new(self.physical(), json!({ "Arn": self.arn(calls) }))
    }

    /// The ids of its targets.
    async fn targets(&self, calls: &Calls<'_>) -> Done<Vec<Value>> {
        let input = json!({ "Rule": self.name, "EventBusName": self.bus });
        let found = calls.find("events", "ListTargetsByRule", input).await?.unwrap_or_default();
        let targets = found["Targets"].as_array().cloned().unwrap_or_default();
        Ok(targets.into_iter().map(|target| target["Id"].clone()).collect())
    }

    async fn release(&self, calls: &Calls<'_>, ids: Vec<Value>) -> Done<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let input = json!({ "Rule": self.name, "EventBusName": self.bus, "Ids": ids });
        calls.gone("events", "RemoveTargets", input).await
    }
}

pub(crate) struct EventBus;

#[async_trait]
impl Kind for EventBus {
    fn name(&self) -> &'static str {
        "AWS::Events::EventBus"
    }

    fn properties(&self) -> &'static [&'static str] {
        &["Description", "Name", "Tags"]
    }

    fn fixed(&self) -> &'static [&'static str] {
        &["Description", "Name"]
    }

    fn mark(&self) -> Option<&'static str> {
        Some(RESERVED)
    }

    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>> {
        let name = required(wanted.properties, "Name")?;
        let input = json!({ "ResourceARN": bus_arn(calls, name) });
        let found = calls.find("events", "ListTagsForResource", input).await?;
        let own = found.filter(|found| is_marked(self, wanted.properties, &found["Tags"]));
        Ok(own.map(|_| name.to_owned()).into_iter().collect())
    }

    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created> {
        let name = required(wanted.properties, "Name")?;
        calls.call("events", "CreateEventBus", Value::Object(wanted.properties.clone())).await?;
        Ok(bus_created(calls, name))
    }

    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created> {
        retag(bus_arn(calls, physical)).run(calls, old, wanted.properties).await?;
        Ok(bus_created(calls, physical))
    }

    async fn delete(&self, calls: &Calls<'_>, physical: &str, _properties: &Object) -> Done<()> {
        calls.gone("events", "DeleteEventBus", json!({ "Name": physical })).await
    }
}

fn bus_arn(calls: &Calls<'_>, name: &str) -> String {
    calls.cx.arn("events", format!("event-bus/{name}")).to_string()
}

fn bus_created(calls: &Calls<'_>, name: &str) -> Created {
    Created::new(name, json!({ "Arn": bus_arn(calls, name), "Name": name }))
}

fn retag(arn: String) -> Retag<'static> {
    Retag {
        service: "events",
        operations: ["TagResource", "UntagResource"],
        of: json!({ "ResourceARN": arn }),
        members: ["Tags", "TagKeys"],
        as_map: false,
    }
}
