//! What happens to a stack: DescribeStackEvents

use bytes::Bytes;
use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Key, Read, Record, Space};

use crate::generated as g;
use crate::table::{EVENTS, Event, Stack, of_stack};
use crate::{CloudFormation, Handle, stack, validation};

/// Events of one page.
const PAGE: u32 = 100;

impl CloudFormation {
    /// The event, for the commit that makes it true.
    pub(crate) fn event(
        &self,
        stack: &Stack,
        what: (&str, &str, &str),
        status: &str,
        reason: Option<&str>,
    ) -> Result<Commit, ApiError> {
        let (logical, physical, kind) = what;
        let event = Event {
            id: ids::uuid(&*self.random),
            logical: logical.to_owned(),
            physical: physical.to_owned(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
            at: self.clock.now(),
            token: stack.token.as_ref().map(|token| token.value.clone()),
        };
        Ok(Commit::new().append(of_stack(&EVENTS, &stack.id), Bytes::new(), event.encode()?))
    }
}

/// The latest first.
pub(crate) async fn describe(
    handle: &Handle,
    cx: &Context,
    input: g::DescribeStackEventsInput,
) -> Result<g::DescribeStackEventsOutput, ApiError> {
    let cfn = &*handle.0;
    let stack = stack::load(cfn, cx, &input.stack_name).await?.record;
    let (lo, mut hi) = of_stack(&EVENTS, &stack.id).prefix_range();
    if let Some(token) = &input.next_token {
        let bytes = hex::decode(token).map_err(|_| validation("The specified NextToken is invalid."))?;
        hi = hi.min(Key::raw(Space::Log, bytes));
    }
    let rows = cfn.store().rows(Read::Range { lo, hi, limit: PAGE, bytes: 8_000_000, reverse: true }).await?;
    let next_token = rows.rows.last().filter(|_| rows.more).map(|row| hex::encode(&row.key.bytes));
    let events = rows.rows.iter().map(|row| Ok(describe_one(&stack, Event::decode(&row.value)?)));
    let events = events.collect::<Result<Vec<_>, ApiError>>()?;
    Ok(g::DescribeStackEventsOutput { stack_events: Some(events), next_token })
}

fn describe_one(stack: &Stack, event: Event) -> g::StackEvent {
    g::StackEvent {
        stack_id: stack.id.clone(),
        event_id: event.id,
        stack_name: stack.name.clone(),
        logical_resource_id: Some(event.logical),
        physical_resource_id: Some(event.physical),
        resource_type: Some(event.kind),
        timestamp: event.at,
        resource_status: event.status.parse().ok(),
        resource_status_reason: event.reason,
        client_request_token: event.token,
        ..Default::default()
    }
}
