//! CreateTable DescribeTable ListTables DeleteTable
//!
//! A table is `ACTIVE` as soon as it is made, and gone as soon as it is deleted: its items are cleared away
//! in the background, under an id that nothing refers to any more.

use std::collections::BTreeMap;

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::{Commit, KeyBuilder, Outcome, Stored};

use crate::DynamoDb;
use crate::generated as g;
use crate::place::Place;
use crate::record::{self, COUNTS, Count, GARBAGE, Garbage, KeyAttribute, TABLES, Table, Throughput};
use crate::stream::{self, StreamPlace};
use crate::tag;
use crate::value::{Type, invalid};

const LIST_LIMIT: i32 = 100;

pub(crate) async fn create(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::CreateTableInput,
) -> Result<g::CreateTableOutput, ApiError> {
    let place = Place::of(cx, &input.table_name)?;
    let (hash, range) = key_schema(&input)?;
    let tags: BTreeMap<_, _> =
        input.tags.iter().flatten().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    tag::check(cx, &tags)?;
    let view = input.stream_specification.as_ref().map(stream::wanted).transpose()?.flatten();
    let mut table = Table {
        name: place.name.clone(),
        id: ids::uuid(&*dynamodb.random),
        created: cx.now,
        hash,
        range,
        throughput: throughput(input.billing_mode, input.provisioned_throughput.as_ref(), cx)?,
        deletion_protection: input.deletion_protection_enabled.unwrap_or(false),
        tags,
        billed: cx.now,
        stream: None,
    };
    let key = record::table(&place);
    let mut commit = Commit::new();
    if let Some(view) = view {
        commit = stream::open(commit, &place, &mut table, view, cx.now)?;
    }
    match dynamodb.store().commit(TABLES.create(commit, &key, &table)?).await? {
        Outcome::CheckFailed { .. } => {
            let message = format!("Table already exists: {}", place.name);
            return Err(g::ResourceInUseException::new(message).into());
        }
        outcome => outcome.done()?,
    };
    dynamodb.known.forget(&key);
    let table_description = Some(description(&place, &table, None, g::TableStatus::Active));
    Ok(g::CreateTableOutput { table_description })
}

pub(crate) async fn describe(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::DescribeTableInput,
) -> Result<g::DescribeTableOutput, ApiError> {
    let place = Place::of(cx, &input.table_name)?;
    let table = load(dynamodb, &place).await?.record;
    let count = COUNTS.get(dynamodb.store(), &record::count(&table.id)).await?;
    let count = count.map(|stored| stored.record);
    let table = Some(description(&place, &table, count, g::TableStatus::Active));
    Ok(g::DescribeTableOutput { table })
}

pub(crate) async fn list(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::ListTablesInput,
) -> Result<g::ListTablesOutput, ApiError> {
    let here = Place { account: cx.account, region: cx.region.clone(), name: String::new() };
    let prefix = record::tables(&here);
    let after = input.exclusive_start_table_name.map(|name| KeyBuilder::under(&prefix).text(&name).done());
    let limit = input.limit.unwrap_or(LIST_LIMIT).clamp(1, LIST_LIMIT).unsigned_abs();
    let page = TABLES.scan(dynamodb.store(), &prefix, after.as_ref(), limit).await?;
    let names: Vec<_> = page.items.into_iter().map(|stored| stored.record.name).collect();
    let last_evaluated_table_name = page.next.and_then(|_| names.last().cloned());
    Ok(g::ListTablesOutput { table_names: Some(names), last_evaluated_table_name })
}

pub(crate) async fn delete(
    dynamodb: &DynamoDb,
    cx: &Context,
    input: g::DeleteTableInput,
) -> Result<g::DeleteTableOutput, ApiError> {
    let place = Place::of(cx, &input.table_name)?;
    let mut stored = load(dynamodb, &place).await?;
    if stored.record.deletion_protection {
        let message = "Resource cannot be deleted as it is currently protected against deletion. Disable deletion \
                       protection first.";
        return Err(ApiError::validation(message));
    }
    let commit = stream::close(dynamodb.store(), Commit::new(), &place, &mut stored.record, cx.now).await?;
    let table = &stored.record;
    let garbage = Garbage { id: table.id.clone() };
    let commit = TABLES.remove(commit, &stored).delete(record::count(&table.id));
    let commit = GARBAGE.put(commit, &record::garbage(&table.id), &garbage)?;
    if let Outcome::CheckFailed { .. } = dynamodb.store().commit(commit).await? {
        let message = format!(
            "Attempt to change a resource which is still in use: Table is being updated: {}",
            place.name
        );
        return Err(g::ResourceInUseException::new(message).into());
    }
    dynamodb.known.forget(&stored.key);
    dynamodb.throughput.forget(&table.id);
    dynamodb.sweep.now();
    let table_description = Some(description(&place, table, None, g::TableStatus::Deleting));
    Ok(g::DeleteTableOutput { table_description })
}

/// The table's record.
///
/// # Errors
/// `ResourceNotFoundException`.
pub(crate) async fn load(dynamodb: &DynamoDb, place: &Place) -> Result<Stored<Table>, ApiError> {
    let found = TABLES.get(dynamodb.store(), &record::table(place)).await?;
    found.ok_or_else(|| {
        let message = format!("Requested resource not found: Table: {} not found", place.name);
        g::ResourceNotFoundException::new(message).into()
    })
}

fn key_schema(input: &g::CreateTableInput) -> Result<(KeyAttribute, Option<KeyAttribute>), ApiError> {
    let schema = input.key_schema.as_deref().unwrap_or_default();
    let definitions = input.attribute_definitions.as_deref().unwrap_or_default();
    let (hash, range) = match schema {
        [] => {
            return Err(invalid(
                "No defined key schema. A key schema containing at least a hash key must be defined for all tables",
            ));
        }
        [hash] => (hash, None),
        [hash, range] => (hash, Some(range)),
        _ => return Err(invalid("Number of attributes in KeySchema exceeds the limit of 2")),
    };
    if hash.key_type != g::KeyType::Hash {
        return Err(ApiError::validation(
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ));
    }
    if range.is_some_and(|range| range.key_type != g::KeyType::Range) {
        return Err(ApiError::validation(
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ));
    }
    if range.is_some_and(|range| range.attribute_name == hash.attribute_name) {
        let message = "Both the Hash Key and the Range Key element in the KeySchema have the same name";
        return Err(ApiError::validation(message));
    }
    let names = |list: Vec<&str>| list.join(", ");
    let defined = |name: &str| definitions.iter().find(|definition| definition.attribute_name == name);
    let undefined: Vec<_> =
        schema.iter().map(|key| key.attribute_name.as_str()).filter(|name| defined(name).is_none()).collect();
    if !undefined.is_empty() {
        let have = names(definitions.iter().map(|definition| definition.attribute_name.as_str()).collect());
        let keys = names(undefined);
        return Err(invalid(&format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{keys}], \
             AttributeDefinitions: [{have}]"
        )));
    }
    if definitions.len() != schema.len() {
        return Err(invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions",
        ));
    }
    let attribute = |key: &g::KeySchemaElement| {
        let definition = defined(&key.attribute_name).ok_or_else(ApiError::internal)?;
        Ok::<_, ApiError>(KeyAttribute {
            name: key.attribute_name.clone(),
            kind: kind(definition.attribute_type),
        })
    };
    Ok((attribute(hash)?, range.map(attribute).transpose()?))
}

fn kind(scalar: g::ScalarAttributeType) -> Type {
    match scalar {
        g::ScalarAttributeType::S => Type::S,
        g::ScalarAttributeType::N => Type::N,
        g::ScalarAttributeType::B => Type::B,
    }
}

fn scalar(kind: Type) -> g::ScalarAttributeType {
    match kind {
        Type::N => g::ScalarAttributeType::N,
        Type::B => g::ScalarAttributeType::B,
        _ => g::ScalarAttributeType::S,
    }
}

/// The throughput that a billing mode and the units beside it ask for; nothing for `PAY_PER_REQUEST`.
pub(crate) fn throughput(
    billing_mode: Option<g::BillingMode>,
    provisioned: Option<&g::ProvisionedThroughput>,
    cx: &Context,
) -> Result<Option<Throughput>, ApiError> {
    let on_demand = billing_mode == Some(g::BillingMode::PayPerRequest);
    match provisioned {
        Some(_) if on_demand => Err(invalid(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        )),
        Some(wanted) => Ok(Some(Throughput {
            read: wanted.read_capacity_units,
            write: wanted.write_capacity_units,
            since: cx.now,
        })),
        None if on_demand => Ok(None),
        None => Err(invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
    }
}

/// What DescribeTable answers.
pub(crate) fn description(
    place: &Place,
    table: &Table,
    count: Option<Count>,
    status: g::TableStatus,
) -> g::TableDescription {
    let keys = || std::iter::once(&table.hash).chain(&table.range);
    let definition = |key: &KeyAttribute| g::AttributeDefinition {
        attribute_name: key.name.clone(),
        attribute_type: scalar(key.kind),
    };
    let key_types = [g::KeyType::Hash, g::KeyType::Range];
    let element = |(key, key_type): (&KeyAttribute, g::KeyType)| g::KeySchemaElement {
        attribute_name: key.name.clone(),
        key_type,
    };
    let on_demand = g::BillingModeSummary {
        billing_mode: Some(g::BillingMode::PayPerRequest),
        last_update_to_pay_per_request_date_time: Some(table.billed),
    };
    g::TableDescription {
        attribute_definitions: Some(keys().map(definition).collect()),
        table_name: Some(table.name.clone()),
        key_schema: Some(keys().zip(key_types).map(element).collect()),
        table_status: Some(status),
        creation_date_time: Some(table.created),
        provisioned_throughput: Some(g::ProvisionedThroughputDescription {
            number_of_decreases_today: Some(0),
            read_capacity_units: Some(table.throughput.map_or(0, |units| units.read)),
            write_capacity_units: Some(table.throughput.map_or(0, |units| units.write)),
            ..Default::default()
        }),
        table_size_bytes: Some(count.map_or(0, |count| count.bytes)),
        item_count: Some(count.map_or(0, |count| count.items)),
        table_arn: Some(place.arn()),
        table_id: Some(table.id.clone()),
        billing_mode_summary: table.throughput.is_none().then_some(on_demand),
        deletion_protection_enabled: Some(table.deletion_protection),
        stream_specification: table.stream.as_ref().filter(|stream| stream.enabled).map(|stream| {
            g::StreamSpecification {
                stream_enabled: true,
                stream_view_type: Some(stream.view.as_generated()),
            }
        }),
        latest_stream_label: table.stream.as_ref().map(|stream| stream.label.clone()),
        latest_stream_arn: table.stream.as_ref().map(|stream| StreamPlace::of(place, &stream.label).arn()),
    }
}
