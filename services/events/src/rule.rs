//! PutRule DescribeRule EnableRule DisableRule DeleteRule ListRules ListRuleNamesByTarget
//!
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>

use std::sync::Arc;

use pagoda_base::Arn;
use pagoda_protocol::{ApiError, Unit};
use pagoda_service::Context;
use pagoda_store::{Commit, Decision, update};

use crate::generated as g;
use crate::pattern::Pattern;
use crate::schedule::Schedule;
use crate::table::{self, Place, RULES, Rule};
use crate::{Events, Scope, bus, page, tag, tick};

const RULES_MAX: usize = 300;

/// The enabled rules of a bus that have a pattern, compiled.
pub(crate) struct Rules(pub(crate) Vec<(Pattern, Rule)>);

pub(crate) fn arn(place: &Place, name: &str) -> String {
    let Scope { account, region } = &place.scope;
    let resource = match place.bus.as_str() {
        bus::DEFAULT => format!("rule/{name}"),
        bus => format!("rule/{bus}/{name}"),
    };
    Arn::regional("events", region, *account, resource).to_string()
}

pub(crate) fn missing(place: &Place, name: &str) -> ApiError {
    let message = format!("Rule {name} does not exist on EventBus {}.", place.bus);
    g::ResourceNotFoundException::new(message).into()
}

/// The rule, which must exist.
pub(crate) async fn load(events: &Events, place: &Place, name: &str) -> Result<Rule, ApiError> {
    let found = RULES.get(events.store(), &table::rule(place, name)).await?;
    found.map(|stored| stored.record).ok_or_else(|| missing(place, name))
}

impl Events {
    /// The rules that events of the bus are matched with; none where there is no such bus.
    pub(crate) async fn rules_of(&self, place: &Place) -> Result<Option<Arc<Rules>>, ApiError> {
        let read = || async {
            if self.find_bus(place).await?.is_none() {
                return Ok::<_, ApiError>(None);
            }
            let all = RULES.all(self.store(), &table::rules(place)).await?;
            let compiled = all.into_iter().filter(|rule| rule.is_enabled).filter_map(|rule| {
                // It was checked when it was put.
                Some((Pattern::parse(rule.pattern.as_deref()?).ok()?, rule))
            });
            Ok(Some(Rules(compiled.collect())))
        };
        self.rules.get_or_read(place, read).await
    }
}

pub(crate) async fn put(
    events: &Events,
    cx: &Context,
    input: g::PutRuleRequest,
) -> Result<g::PutRuleResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    events.bus(&place).await?;
    let is_enabled = match input.state {
        None | Some(g::RuleState::Enabled) => true,
        Some(g::RuleState::Disabled) => false,
        Some(other) => return Err(ApiError::not_implemented("PutRule", &format!("State ({other})"))),
    };
    if input.event_pattern.is_none() && input.schedule_expression.is_none() {
        return Err(ApiError::validation(
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ));
    }
    if let Some(pattern) = &input.event_pattern {
        Pattern::parse(pattern)?;
    }
    if let Some(schedule) = &input.schedule_expression {
        Schedule::parse(schedule)?;
        if place.bus != bus::DEFAULT {
            return Err(ApiError::validation(
                "ScheduleExpression is supported only on the default event bus.",
            ));
        }
    }
    let tags = tag::checked(cx, input.tags)?;
    let name = input.name;
    let count = RULES.all(events.store(), &table::rules(&place)).await?.len();
    update(events.store(), &table::rule(&place, &name), |found: Option<Rule>| {
        if found.is_none() && count >= RULES_MAX {
            return Err(bus::too_many());
        }
        let old = found.unwrap_or_else(|| Rule::new(&name, tags.clone()));
        let mut rule = Rule {
            schedule: input.schedule_expression.clone(),
            pattern: input.event_pattern.clone(),
            description: input.description.clone(),
            is_enabled,
            ..old
        };
        let commit = tick::reset(Commit::new(), &place, &mut rule, cx.now)?;
        Ok::<_, ApiError>(Decision::save(rule, ()).with(commit))
    })
    .await?;
    events.rules.forget();
    Ok(g::PutRuleResponse { rule_arn: Some(arn(&place, &name)) })
}

impl Rule {
    fn new(name: &str, tags: table::Tags) -> Self {
        Self {
            name: name.to_owned(),
            schedule: None,
            pattern: None,
            is_enabled: true,
            description: None,
            tags,
            targets: Vec::new(),
            next_seconds: None,
        }
    }

    fn state(&self) -> g::RuleState {
        if self.is_enabled { g::RuleState::Enabled } else { g::RuleState::Disabled }
    }
}

async fn switch(
    events: &Events,
    cx: &Context,
    bus: Option<&str>,
    name: &str,
    is_enabled: bool,
) -> Result<Unit, ApiError> {
    let place = bus::place(cx, bus);
    update(events.store(), &table::rule(&place, name), |found: Option<Rule>| {
        let mut rule = found.ok_or_else(|| missing(&place, name))?;
        if rule.is_enabled == is_enabled {
            return Ok(Decision::keep(()));
        }
        rule.is_enabled = is_enabled;
        let commit = tick::reset(Commit::new(), &place, &mut rule, cx.now)?;
        Ok::<_, ApiError>(Decision::save(rule, ()).with(commit))
    })
    .await?;
    events.rules.forget();
    Ok(Unit)
}

pub(crate) async fn enable(
    events: &Events,
    cx: &Context,
    input: g::EnableRuleRequest,
) -> Result<Unit, ApiError> {
    switch(events, cx, input.event_bus_name.as_deref(), &input.name, true).await
}

pub(crate) async fn disable(
    events: &Events,
    cx: &Context,
    input: g::DisableRuleRequest,
) -> Result<Unit, ApiError> {
    switch(events, cx, input.event_bus_name.as_deref(), &input.name, false).await
}

/// There are no managed rules here, so that `Force` has nothing to force.
pub(crate) async fn delete(
    events: &Events,
    cx: &Context,
    input: g::DeleteRuleRequest,
) -> Result<Unit, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    update(events.store(), &table::rule(&place, &input.name), |found: Option<Rule>| {
        let Some(mut rule) = found else { return Ok(Decision::keep(())) };
        if !rule.targets.is_empty() {
            return Err(ApiError::validation("Rule can't be deleted since it has targets."));
        }
        rule.is_enabled = false;
        let commit = tick::reset(Commit::new(), &place, &mut rule, cx.now)?;
        Ok::<_, ApiError>(Decision::delete(()).with(commit))
    })
    .await?;
    events.rules.forget();
    Ok(Unit)
}

pub(crate) async fn describe(
    events: &Events,
    cx: &Context,
    input: g::DescribeRuleRequest,
) -> Result<g::DescribeRuleResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    let rule = load(events, &place, &input.name).await?;
    Ok(g::DescribeRuleResponse {
        arn: Some(arn(&place, &rule.name)),
        state: Some(rule.state()),
        name: Some(rule.name),
        event_pattern: rule.pattern,
        schedule_expression: rule.schedule,
        description: rule.description,
        created_by: Some(cx.account.to_string()),
        event_bus_name: Some(place.bus),
        ..Default::default()
    })
}

pub(crate) async fn list(
    events: &Events,
    cx: &Context,
    input: g::ListRulesRequest,
) -> Result<g::ListRulesResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    events.bus(&place).await?;
    let prefix = input.name_prefix.unwrap_or_default();
    let mut all = RULES.all(events.store(), &table::rules(&place)).await?;
    all.retain(|rule| rule.name.starts_with(&prefix));
    let (page, next_token) = page::of(all, |rule| &rule.name, input.limit, input.next_token.as_deref())?;
    let shown = page.into_iter().map(|rule| g::Rule {
        arn: Some(arn(&place, &rule.name)),
        state: Some(rule.state()),
        name: Some(rule.name),
        event_pattern: rule.pattern,
        schedule_expression: rule.schedule,
        description: rule.description,
        event_bus_name: Some(place.bus.clone()),
        ..Default::default()
    });
    Ok(g::ListRulesResponse { rules: Some(shown.collect()), next_token })
}

pub(crate) async fn names_by_target(
    events: &Events,
    cx: &Context,
    input: g::ListRuleNamesByTargetRequest,
) -> Result<g::ListRuleNamesByTargetResponse, ApiError> {
    let place = bus::place(cx, input.event_bus_name.as_deref());
    events.bus(&place).await?;
    let mut all = RULES.all(events.store(), &table::rules(&place)).await?;
    all.retain(|rule| rule.targets.iter().any(|target| target.arn == input.target_arn));
    let (page, next_token) = page::of(all, |rule| &rule.name, input.limit, input.next_token.as_deref())?;
    let names = page.into_iter().map(|rule| rule.name).collect();
    Ok(g::ListRuleNamesByTargetResponse { rule_names: Some(names), next_token })
}
