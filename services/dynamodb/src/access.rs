//! What DynamoDB checks before each operation.
//!
//! Operations on tables name what they need in the table of operations. Operations on items can't: their
//! `dynamodb:LeadingKeys` are known only once the table tells which attribute is the partition key. They are
//! listed with [`in_handler`] and get their table from [`DynamoDb::admit`], which checks.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>

use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context, Ownership, is_reserved_tag};

use crate::DynamoDb;
use crate::generated as g;
use crate::known::Open;
use crate::place::Place;

type Needs = Result<Vec<Access>, ApiError>;

/// What a request on items wants, as policies may restrict it.
#[derive(Default)]
pub(crate) struct Ask<'a> {
    pub(crate) action: &'static str,
    /// The attributes that the request names.
    pub(crate) attributes: Vec<&'a str>,
    pub(crate) select: Option<g::Select>,
    pub(crate) return_values: Option<g::ReturnValue>,
    pub(crate) return_consumed_capacity: Option<g::ReturnConsumedCapacity>,
    /// The operation that this one is a part of.
    pub(crate) enclosing: Option<&'static str>,
    /// All items are read.
    pub(crate) full_scan: bool,
}

impl Ask<'_> {
    fn access(&self, arn: String, leading_keys: Vec<String>) -> Access {
        let mut access = Access::new(self.action, arn)
            .with_some("dynamodb:Select", self.select.map(g::Select::as_str))
            .with_some("dynamodb:ReturnValues", self.return_values.map(g::ReturnValue::as_str))
            .with_some(
                "dynamodb:ReturnConsumedCapacity",
                self.return_consumed_capacity.map(g::ReturnConsumedCapacity::as_str),
            )
            .with_some("dynamodb:EnclosingOperation", self.enclosing)
            .with_some("dynamodb:FullTableScan", self.full_scan.then_some("true"));
        access.keys.set_all("dynamodb:LeadingKeys", leading_keys);
        access.keys.set_all("dynamodb:Attributes", self.attributes.iter().map(|name| (*name).to_owned()));
        access
    }
}

impl DynamoDb {
    /// The table that a request on items names, once the caller may do with it what `ask` says;
    /// `leading_keys` tells which partitions it touches.
    ///
    /// # Errors
    /// `AccessDeniedException`, and `ResourceNotFoundException` for those who may know.
    pub(crate) async fn admit(
        &self,
        cx: &Context,
        table: &str,
        ask: &Ask<'_>,
        leading_keys: impl Fn(&Open) -> Vec<String>,
    ) -> Result<Arc<Open>, ApiError> {
        let place = Place::of(cx, table)?;
        let open = self.known.open(self.store(), &place).await?;
        let leading = open.as_deref().map(leading_keys).unwrap_or_default();
        let access = ask.access(place.arn(), leading);
        self.authorizer.require(&g::SERVICE, cx, &access, &Ownership::of(place.account)).await?;
        open.ok_or_else(not_found)
    }
}

/// The answer to requests on items of a table that does not exist.
pub(crate) fn not_found() -> ApiError {
    g::ResourceNotFoundException::new("Requested resource not found").into()
}

/// The handler checks, by [`DynamoDb::admit`].
pub(crate) fn in_handler<I>(_cx: &Context, _input: &I) -> Needs {
    Ok(Vec::new())
}

fn on_table(cx: &Context, action: &'static str, table: &str) -> Needs {
    Ok(vec![Access::new(action, Place::of(cx, table)?.arn())])
}

pub(crate) fn new_table(cx: &Context, input: &g::CreateTableInput) -> Needs {
    let tags = || {
        let tags = input.tags.iter().flatten().map(|tag| (tag.key.as_str(), tag.value.as_str()));
        tags.filter(|(key, _)| !is_reserved_tag(key))
    };
    let arn = Place::of(cx, &input.table_name)?.arn();
    let mut needs = vec![Access::new("dynamodb:CreateTable", &arn).with_tags(tags())];
    if tags().next().is_some() {
        needs.push(Access::new("dynamodb:TagResource", arn).with_tags(tags()));
    }
    Ok(needs)
}

pub(crate) fn table_deleted(cx: &Context, input: &g::DeleteTableInput) -> Needs {
    on_table(cx, "dynamodb:DeleteTable", &input.table_name)
}

pub(crate) fn table_updated(cx: &Context, input: &g::UpdateTableInput) -> Needs {
    on_table(cx, "dynamodb:UpdateTable", &input.table_name)
}

pub(crate) fn table_described(cx: &Context, input: &g::DescribeTableInput) -> Needs {
    on_table(cx, "dynamodb:DescribeTable", &input.table_name)
}

pub(crate) fn tables(_cx: &Context, _input: &g::ListTablesInput) -> Needs {
    Ok(vec![Access::everywhere("dynamodb:ListTables")])
}

pub(crate) fn tagged(cx: &Context, input: &g::TagResourceInput) -> Needs {
    let tags = input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    Ok(vec![Access::new("dynamodb:TagResource", Place::of(cx, &input.resource_arn)?.arn()).with_tags(tags)])
}

pub(crate) fn untagged(cx: &Context, input: &g::UntagResourceInput) -> Needs {
    let mut access = Access::new("dynamodb:UntagResource", Place::of(cx, &input.resource_arn)?.arn());
    access.keys.set_all("aws:TagKeys", input.tag_keys.iter().cloned());
    Ok(vec![access])
}

pub(crate) fn tags_listed(cx: &Context, input: &g::ListTagsOfResourceInput) -> Needs {
    on_table(cx, "dynamodb:ListTagsOfResource", &input.resource_arn)
}

pub(crate) fn time_to_live_described(cx: &Context, input: &g::DescribeTimeToLiveInput) -> Needs {
    on_table(cx, "dynamodb:DescribeTimeToLive", &input.table_name)
}

pub(crate) fn backups_described(cx: &Context, input: &g::DescribeContinuousBackupsInput) -> Needs {
    on_table(cx, "dynamodb:DescribeContinuousBackups", &input.table_name)
}

pub(crate) fn endpoints(_cx: &Context, _input: &g::DescribeEndpointsRequest) -> Needs {
    Ok(vec![Access::everywhere("dynamodb:DescribeEndpoints")])
}
