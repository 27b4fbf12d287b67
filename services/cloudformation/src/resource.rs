//! The resource types, one line each, and what each of them must be able to do.

mod apigateway;
mod dynamodb;
mod events;
mod iam;
mod lambda;
mod logs;
mod s3;
pub(crate) mod tag;

use async_trait::async_trait;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_service::ports::{CallOperation, ReadObject};
use serde_json::{Value, json};

use crate::template::Object;
use crate::template::intrinsic::Made;

static KINDS: &[&dyn Kind] = &[
    &apigateway::Account,
    &apigateway::RestApi,
    &apigateway::Authorizer,
    &apigateway::GatewayResponse,
    &apigateway::Resource,
    &apigateway::Method,
    &apigateway::Deployment,
    &apigateway::Stage,
    &apigateway::Model,
    &apigateway::RequestValidator,
    &apigateway::ApiKey,
    &apigateway::UsagePlan,
    &apigateway::UsagePlanKey,
    &dynamodb::Table,
    &events::EventBus,
    &events::Rule,
    &iam::Role,
    &iam::Policy,
    &iam::ManagedPolicy,
    &iam::User,
    &iam::AccessKey,
    &lambda::Alias,
    &lambda::EventInvokeConfig,
    &lambda::EventSourceMapping,
    &lambda::Function,
    &lambda::LayerVersion,
    &lambda::LayerVersionPermission,
    &lambda::Permission,
    &lambda::Url,
    &lambda::Version,
    &logs::LogGroup,
    &logs::LogStream,
    &s3::Bucket,
    &s3::BucketPolicy,
];

/// The mark that services keep for the platform's own use.
const RESERVED: &str = "aws:cloudformation:";
/// Pages of one listing.
const PAGES_MAX: usize = 10_000;

/// The type of this name.
pub(crate) fn kind(name: &str) -> Option<&'static dyn Kind> {
    KINDS.iter().copied().find(|kind| kind.name() == name)
}

/// Why a resource was not made, changed or removed.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) String);

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let status = error.status.as_u16();
        Self(format!("{} (Status Code: {status}; Error Code: {})", error.message, error.code))
    }
}

pub(crate) type Done<T> = Result<T, Failure>;

/// A resource as it is to be.
pub(crate) struct Wanted<'a> {
    /// The name it gets where its properties give none.
    pub(crate) name: &'a str,
    /// Its properties, resolved.
    pub(crate) properties: &'a Object,
}

/// A resource that was made.
pub(crate) struct Created {
    /// By what it is found again.
    pub(crate) physical: String,
    /// What functions see of it.
    pub(crate) made: Made,
}

impl Created {
    /// A resource whose `Ref` is its physical id.
    pub(crate) fn new(physical: impl Into<String>, attributes: Value) -> Self {
        let physical = physical.into();
        let attributes = attributes.as_object().cloned().unwrap_or_default();
        Self { made: Made { reference: physical.clone(), attributes }, physical }
    }
}

/// A resource type.
#[async_trait]
pub(crate) trait Kind: Send + Sync {
    /// `AWS::Service::Type`.
    fn name(&self) -> &'static str;

    /// The properties that are known; all others are refused.
    fn properties(&self) -> &'static [&'static str];

    /// The properties whose change makes a new resource.
    fn fixed(&self) -> &'static [&'static str];

    /// The prefix of the tags that mark what a stack made, where such a thing can have tags.
    fn mark(&self) -> Option<&'static str> {
        None
    }

    /// Refuses changes that [`Kind::update`] cannot make, before anything is touched.
    fn check_update(&self, _old: &Object, _new: &Object) -> Done<()> {
        Ok(())
    }

    /// The physical ids of what is there and could be the wanted resource: what bears its mark; where a type
    /// has none, whatever stands in the same place, whoever made it. What was not there before a creation
    /// began and is there after it broke off, that creation made.
    async fn present(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Vec<String>>;

    /// Makes the resource. What a failure leaves behind is found by [`Kind::present`].
    async fn create(&self, calls: &Calls<'_>, wanted: &Wanted<'_>) -> Done<Created>;

    /// Changes it from `old` properties to the wanted ones, which differ in none of the fixed. It may be
    /// anywhere between the two already: an earlier change from one to the other may have broken off.
    async fn update(
        &self,
        calls: &Calls<'_>,
        physical: &str,
        old: &Object,
        wanted: &Wanted<'_>,
    ) -> Done<Created>;

    /// Removes it. What does not exist is removed already: [`Calls::gone`].
    async fn delete(&self, calls: &Calls<'_>, physical: &str, properties: &Object) -> Done<()>;
}

/// Calls operations as the one who changes the stack.
pub(crate) struct Calls<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) operations: &'a dyn CallOperation,
    pub(crate) objects: &'a dyn ReadObject,
    /// `{domain}[:{port}]`, for URLs in attributes.
    pub(crate) suffix: &'a str,
}

impl Calls<'_> {
    pub(crate) async fn call(&self, service: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.operations.call(self.cx, service, operation, without_nulls(input)).await
    }

    /// A call to remove something: that it does not exist is success.
    pub(crate) async fn gone(&self, service: &str, operation: &str, input: Value) -> Done<()> {
        self.find(service, operation, input).await.map(drop)
    }

    /// A call to read something that may not exist.
    pub(crate) async fn find(&self, service: &str, operation: &str, input: Value) -> Done<Option<Value>> {
        match self.call(service, operation, input).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.status.as_u16() == 404 || error.code.contains("NotFound") => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The items of all pages of a listing, up to a bound that no stack comes near. `pages` are the members
    /// that hold the items, the next page's token in the answer, and the token in the input.
    pub(crate) async fn list(
        &self,
        service: &str,
        operation: &str,
        mut input: Value,
        pages: [&str; 3],
    ) -> Done<Vec<Value>> {
        let [member, next, token] = pages;
        let mut items = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(mut page) = self.find(service, operation, input.clone()).await? else { break };
            if let Some(Value::Array(found)) = page.get_mut(member).map(Value::take) {
                items.extend(found);
            }
            match page.get(next) {
                Some(Value::String(after)) if !after.is_empty() => input[token] = json!(after),
                _ => break,
            }
        }
        Ok(items)
    }
}

/// Leaves out the members of an input that are null: parameters that were not given.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let given = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

/// A property, or null.
fn property(properties: &Object, name: &str) -> Value {
    properties.get(name).cloned().unwrap_or(Value::Null)
}

/// A property's text, or the name that the stack gives.
fn named(wanted: &Wanted<'_>, property: &str) -> String {
    let given = wanted.properties.get(property).and_then(Value::as_str);
    given.unwrap_or(wanted.name).to_owned()
}

/// A property that must be there.
fn required<'p>(properties: &'p Object, name: &str) -> Done<&'p str> {
    let text = properties.get(name).and_then(Value::as_str);
    text.ok_or_else(|| {
        Failure(format!("Property validation failure: [Encountered missing required property {name}]"))
    })
}

/// A list property.
fn items<'p>(properties: &'p Object, name: &str) -> &'p [Value] {
    properties.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A JSON document as the text that operations take.
fn document(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) => json!(text),
        other => json!(other.to_string()),
    }
}

/// The same with names in lower camel case, as API Gateway has them.
fn lower_camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let lowered = fields.iter().map(|(name, value)| (lowered(name), lower_camel(value)));
            Value::Object(lowered.collect())
        }
        other => other.clone(),
    }
}

fn lowered(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}
