//! UpdateTable
//!
//! What changes is changed at once: the table is never seen `UPDATING`.

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, Outcome};

use crate::generated as g;
use crate::place::Place;
use crate::record::{TABLES, Table};
use crate::stream::{self, View};
use crate::table::{self, description};
use crate::value::invalid;
use crate::{DynamoDb, record};

pub(crate) async fn update(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::UpdateTableInput,
) -> Result<g::UpdateTableOutput, ApiError> {
    let place = Place::of(cx, &input.table_name)?;
    let view = input.stream_specification.as_ref().map(stream::wanted).transpose()?;
    let bills = input.billing_mode.is_some() || input.provisioned_throughput.is_some();
    if view.is_none() && !bills && input.deletion_protection_enabled.is_none() {
        return Err(invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
             SSESpecification or ReplicaUpdates is required",
        ));
    }
    let stored = table::load(dynamodb, &place).await?;
    let mut table = stored.record.clone();
    if bills {
        bill(&mut table, &input, cx)?;
    }
    if let Some(protected) = input.deletion_protection_enabled {
        table.deletion_protection = protected;
    }
    let mut commit = Commit::new();
    if let Some(view) = view {
        commit = switch_stream(dynamodb, commit, &place, &mut table, view, cx).await?;
    }
    let commit = TABLES.replace(commit, &stored.key, stored.stamp, &table)?;
    if let Outcome::CheckFailed { .. } = dynamodb.store().commit(commit).await? {
        let message = format!(
            "Attempt to change a resource which is still in use: Table is being updated: {}",
            place.name
        );
        return Err(g::ResourceInUseException::new(message).into());
    }
    dynamodb.known.forget(&record::table(&place));
    if bills {
        dynamodb.throughput.forget(&table.id);
    }
    let table_description = Some(description(&place, &table, None, g::TableStatus::Active));
    Ok(g::UpdateTableOutput { table_description })
}

fn bill(table: &mut Table, input: &g::UpdateTableInput, cx: &Context) -> Result<(), ApiError> {
    let present = match table.throughput {
        Some(_) => g::BillingMode::Provisioned,
        None => g::BillingMode::PayPerRequest,
    };
    let mode = input.billing_mode.unwrap_or(present);
    let wanted = table::throughput(Some(mode), input.provisioned_throughput.as_ref(), cx)?;
    let same = |units: Option<record::Throughput>| units.map(|units| (units.read, units.write));
    if let (Some((read, write)), true) = (same(wanted), same(wanted) == same(table.throughput)) {
        let message = format!(
            "The provisioned throughput for the table will not change. The requested value equals the current value. \
             Current ReadCapacityUnits provisioned for the table: {read}. Requested ReadCapacityUnits: {read}. Current \
             WriteCapacityUnits provisioned for the table: {write}. Requested WriteCapacityUnits: {write}. Refer to \
             the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
        );
        return Err(ApiError::validation(message));
    }
    if mode != present {
        table.billed = cx.now;
    }
    table.throughput = wanted;
    Ok(())
}

async fn switch_stream(
    dynamodb: &DynamoDb,
    commit: Commit,
    place: &Place,
    table: &mut Table,
    view: Option<View>,
    cx: &Context,
) -> Result<Commit, ApiError> {
    let enabled = table.stream.as_ref().is_some_and(|stream| stream.enabled);
    match view {
        Some(_) if enabled => Err(ApiError::validation(format!(
            "Table already has an enabled stream: TableName: {}",
            table.name
        ))),
        Some(view) => Ok(stream::open(commit, place, table, view, cx.now)?),
        None if enabled => stream::close(dynamodb.store(), commit, place, table, cx.now).await,
        None => Err(ApiError::validation(format!(
            "Table has no enabled stream to disable: TableName: {}",
            table.name
        ))),
    }
}
