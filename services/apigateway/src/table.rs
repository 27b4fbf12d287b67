//! The records that API Gateway keeps, and their keys.

mod documentation;
mod plan;

use std::collections::BTreeMap;

use pagoda_base::{AccountId, Region, Timestamp};
use pagoda_store::{Key, KeyBuilder, Record, Space, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::access_log::AccessLog;
use crate::canary::Canary;
use crate::cluster::Cluster;
use crate::method_setting::MethodSettings;

pub(crate) use documentation::{DocumentationPart, DocumentationVersion, Location};
pub(crate) use plan::{ApiKey, MarkedKey, Period, PlanStage, Quota, Throttle, UsagePlan, UsagePlanKey};

pub(crate) type Texts = BTreeMap<String, String>;

/// An API. Ids are unique over all accounts, so that a host name alone finds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RestApi {
    pub(crate) id: String,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) binary_media_types: Vec<String>,
    pub(crate) endpoint_type: String,
    pub(crate) policy: Option<String>,
    pub(crate) tags: Texts,
    pub(crate) disable_execute_api_endpoint: bool,
    /// From how many bytes on answers are compressed, if they are.
    #[serde(default)]
    pub(crate) compression_bytes_min: Option<usize>,
    /// Requests are told apart by what their authorizer says, not by the header `x-api-key`.
    #[serde(default)]
    pub(crate) keys_from_authorizer: bool,
    pub(crate) root_resource_id: String,
    /// Resources of the API, the root among them.
    pub(crate) resources: usize,
}

/// A resource with its methods.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) parent_id: Option<String>,
    pub(crate) path_part: Option<String>,
    pub(crate) path: String,
    pub(crate) methods: BTreeMap<String, Method>,
}

/// A method of a resource.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Method {
    pub(crate) authorization: Authorization,
    /// Whether a request bears a key that one of the stage's usage plans knows.
    #[serde(default)]
    pub(crate) api_key_required: bool,
    pub(crate) operation_name: Option<String>,
    pub(crate) request_parameters: BTreeMap<String, bool>,
    /// The models of bodies, by their media types.
    #[serde(default)]
    pub(crate) request_models: Texts,
    /// The id of what says whether parameters and bodies are checked.
    #[serde(default)]
    pub(crate) request_validator: Option<String>,
    pub(crate) responses: BTreeMap<String, MethodResponse>,
    pub(crate) integration: Option<Integration>,
}

/// Who may call a method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Authorization {
    None,
    AwsIam,
    /// Whom the authorizer with this id lets pass.
    Custom(String),
}

/// A function that is asked who may call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Authorizer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: AuthorizerKind,
    /// The customer's own word, which definitions carry and nothing reads.
    pub(crate) auth_type: Option<String>,
    pub(crate) uri: String,
    /// The role as which the function is invoked; without one, its own policy must let API Gateway.
    pub(crate) credentials: Option<String>,
    pub(crate) identity_source: Option<String>,
    pub(crate) identity_validation: Option<String>,
    /// How long an answer holds; 0: for its request alone.
    pub(crate) result_ttl_seconds: i32,
}

/// What an authorizer's function is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AuthorizerKind {
    /// One header.
    Token,
    /// All but the body.
    Request,
}

/// An answer that a method declares.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct MethodResponse {
    pub(crate) parameters: BTreeMap<String, bool>,
    pub(crate) models: Texts,
}

/// What stands behind a method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Integration {
    pub(crate) kind: IntegrationKind,
    pub(crate) http_method: Option<String>,
    pub(crate) uri: Option<String>,
    /// Where the integration's request has its parameters from.
    #[serde(default)]
    pub(crate) request_parameters: Texts,
    pub(crate) request_templates: Texts,
    /// The integration is called as the caller of the method, not as API Gateway.
    pub(crate) as_caller: bool,
    /// The role as which it is called.
    #[serde(default)]
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) content_handling: Option<ContentHandling>,
    /// Whatever certificate the server shows is good enough.
    #[serde(default)]
    pub(crate) is_unverified: bool,
    /// Whose answers are kept with its own; those of its resource, where nothing is said.
    #[serde(default)]
    pub(crate) cache_namespace: Option<String>,
    /// What of a request chooses among the answers that are kept.
    #[serde(default)]
    pub(crate) cache_key_parameters: Vec<String>,
    pub(crate) passthrough: Passthrough,
    pub(crate) timeout_millis: u64,
    pub(crate) responses: BTreeMap<String, IntegrationResponse>,
}

/// The integrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IntegrationKind {
    /// A function gets the request as an event.
    AwsProxy,
    Mock,
    /// A function, or an operation of another service, gets what templates make of the request.
    Aws,
    /// A server gets what templates make of the request.
    Http,
    /// A server gets the request.
    HttpProxy,
}

/// What becomes of bodies that are not what the other side takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContentHandling {
    /// From base64.
    ConvertToBinary,
    /// To base64.
    ConvertToText,
}

/// What becomes of a body for which there is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Passthrough {
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

/// How an integration's result becomes an answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct IntegrationResponse {
    pub(crate) selection_pattern: Option<String>,
    pub(crate) parameters: Texts,
    pub(crate) templates: Texts,
    #[serde(default)]
    pub(crate) content_handling: Option<ContentHandling>,
}

/// A JSON schema by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) content_type: String,
    pub(crate) schema: Option<String>,
}

/// What of requests is checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RequestValidator {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) checks_body: bool,
    pub(crate) checks_parameters: bool,
}

/// A deployment: its resources are copied beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
}

/// A resource as it was deployed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deployed(pub(crate) Resource);

/// What was deployed with the resources.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct DeployedApi {
    pub(crate) authorizers: Vec<Authorizer>,
    #[serde(default)]
    pub(crate) gateway_responses: Vec<GatewayResponse>,
    #[serde(default)]
    pub(crate) models: Vec<Model>,
    #[serde(default)]
    pub(crate) request_validators: Vec<RequestValidator>,
}

/// What a request is told that no integration answers for, in the API's own words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GatewayResponse {
    /// The type, such as `DEFAULT_4XX`.
    pub(crate) kind: String,
    pub(crate) status: Option<String>,
    pub(crate) parameters: Texts,
    pub(crate) templates: Texts,
}

/// A stage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) deployment_id: String,
    pub(crate) description: Option<String>,
    pub(crate) variables: Texts,
    #[serde(default)]
    pub(crate) method_settings: MethodSettings,
    #[serde(default)]
    pub(crate) cache: Option<Cluster>,
    #[serde(default)]
    pub(crate) access_log: Option<AccessLog>,
    #[serde(default)]
    pub(crate) canary: Option<Canary>,
    #[serde(default)]
    pub(crate) documentation_version: Option<String>,
    pub(crate) tags: Texts,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// What an account has said in a region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The role as which logs of stages are written.
    pub(crate) log_role: Option<String>,
}

/// An API's place in its account's listing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
}

pub(crate) const ACCOUNTS: Table<Account> = Table::new(Space::Meta);
pub(crate) const REST_APIS: Table<RestApi> = Table::new(Space::Meta);
pub(crate) const LISTED: Table<Listed> = Table::new(Space::Index);
pub(crate) const RESOURCES: Table<Resource> = Table::new(Space::Meta);
pub(crate) const DEPLOYMENTS: Table<Deployment> = Table::new(Space::Meta);
pub(crate) const DEPLOYED: Table<Deployed> = Table::new(Space::Meta);
pub(crate) const DEPLOYED_APIS: Table<DeployedApi> = Table::new(Space::Meta);
pub(crate) const AUTHORIZERS: Table<Authorizer> = Table::new(Space::Meta);
pub(crate) const GATEWAY_RESPONSES: Table<GatewayResponse> = Table::new(Space::Meta);
pub(crate) const MODELS: Table<Model> = Table::new(Space::Meta);
pub(crate) const REQUEST_VALIDATORS: Table<RequestValidator> = Table::new(Space::Meta);
pub(crate) const API_KEYS: Table<ApiKey> = Table::new(Space::Meta);
pub(crate) const MARKED_KEYS: Table<MarkedKey> = Table::new(Space::Index);
pub(crate) const USAGE_PLANS: Table<UsagePlan> = Table::new(Space::Meta);
pub(crate) const USAGE_PLAN_KEYS: Table<UsagePlanKey> = Table::new(Space::Meta);
pub(crate) const DOCUMENTATION_PARTS: Table<DocumentationPart> = Table::new(Space::Meta);
pub(crate) const DOCUMENTATION_VERSIONS: Table<DocumentationVersion> = Table::new(Space::Meta);
pub(crate) const STAGES: Table<Stage> = Table::new(Space::Meta);

macro_rules! records {
    ($($record:ty: $kind:literal),* $(,)?) => {$(
        impl Record for $record {
            const KIND: &str = $kind;
            const VERSION: u8 = 1;
        }
    )*};
}

records!(
    Account: "apigateway.account",
    Listed: "apigateway.rest-api.of-account",
    Deployment: "apigateway.deployment",
    Model: "apigateway.model",
    DocumentationPart: "apigateway.documentation-part",
    DocumentationVersion: "apigateway.documentation-version",
    ApiKey: "apigateway.api-key",
    MarkedKey: "apigateway.api-key.of-value",
    UsagePlan: "apigateway.usage-plan",
    UsagePlanKey: "apigateway.usage-plan-key",
    RequestValidator: "apigateway.request-validator",
    GatewayResponse: "apigateway.gateway-response",
    Authorizer: "apigateway.authorizer",
);

/// Records to which members were added: those of versions before do not have them.
macro_rules! grown_records {
    ($($(#[$what:meta])* $record:ty: $kind:literal version $version:literal),* $(,)?) => {$(
        $(#[$what])*
        impl Record for $record {
            const KIND: &str = $kind;
            const VERSION: u8 = $version;

            fn migrate(_version: u8, body: &[u8]) -> Result<Self, StoreError> {
                Self::read(Self::VERSION, body)
            }
        }
    )*};
}

grown_records!(
    /// Version 1 has keys from headers only, version 2 no compression.
    RestApi: "apigateway.rest-api" version 3,
    /// Version 1 has no request models, validators and keys of methods, and of integrations neither
    /// parameters, roles nor the handling of contents; version 2 nothing of caches.
    Resource: "apigateway.resource" version 3,
    /// As resources.
    Deployed: "apigateway.deployed" version 3,
    /// Version 1 has no gateway responses, version 2 no models and validators.
    DeployedApi: "apigateway.deployed-api" version 3,
    /// Version 1 has no settings of methods, version 2 no cache, logs, canary and documentation, and nothing of them in the settings.
    Stage: "apigateway.stage" version 3,
);

pub(crate) fn rest_api(id: &str) -> Key {
    REST_APIS.key().text(id).done()
}

/// All APIs of an account in a region.
pub(crate) fn listed(account: AccountId, region: &Region) -> Key {
    LISTED.key().text(account.as_str()).text(region.as_str()).done()
}

/// Something that belongs to an account in a region: the prefix of all.
pub(crate) fn of_account<R: Record>(table: &Table<R>, account: AccountId, region: &Region) -> Key {
    table.key().text(account.as_str()).text(region.as_str()).done()
}

pub(crate) fn in_account<R: Record>(
    table: &Table<R>,
    account: AccountId,
    region: &Region,
    name: &str,
) -> Key {
    KeyBuilder::under(&of_account(table, account, region)).text(name).done()
}

/// The keys of one plan.
pub(crate) fn of_plan(account: AccountId, region: &Region, plan: &str) -> Key {
    in_account(&USAGE_PLAN_KEYS, account, region, plan)
}

/// How often a key of a plan was used: the prefix of all days.
pub(crate) fn usage(account: AccountId, region: &Region, plan: &str, key: &str) -> Key {
    let kind = KeyBuilder::new(Space::Data).text("apigateway.usage");
    kind.text(account.as_str()).text(region.as_str()).text(plan).text(key).done()
}

/// Something that belongs to an API: the prefix of all, or one of them.
pub(crate) fn of_api<R: Record>(table: &Table<R>, api: &str) -> Key {
    table.key().text(api).done()
}

pub(crate) fn in_api<R: Record>(table: &Table<R>, api: &str, name: &str) -> Key {
    KeyBuilder::under(&of_api(table, api)).text(name).done()
}

/// The resources of one deployment.
pub(crate) fn deployed(api: &str, deployment: &str) -> Key {
    in_api(&DEPLOYED, api, deployment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apis_of_version_1_still_decode() {
        let stored = br#"_{"id":"a","account":"123456789012","region":"us-east-1","name":"n","description":null,"version":null,"created":"2026-01-15T12:00:00Z","binary_media_types":[],"endpoint_type":"EDGE","policy":null,"tags":{},"disable_execute_api_endpoint":false,"root_resource_id":"r","resources":1}"#;
        let mut stored = stored.to_vec();
        stored[0] = 1;
        assert!(!RestApi::decode(&stored).unwrap().keys_from_authorizer);
    }

    #[test]
    fn resources_of_version_1_still_decode() {
        let stored = br#"_{"id":"r","parent_id":null,"path_part":null,"path":"/","methods":{"GET":{"authorization":"None","operation_name":null,"request_parameters":{},"responses":{"200":{"parameters":{},"models":{}}},"integration":{"kind":"Mock","http_method":null,"uri":null,"request_templates":{},"as_caller":false,"passthrough":"WhenNoMatch","timeout_millis":29000,"responses":{"200":{"selection_pattern":null,"parameters":{},"templates":{}}}}}}}"#;
        let mut stored = stored.to_vec();
        stored[0] = 1;
        let Deployed(deployed) = Deployed::decode(&stored).unwrap();
        let resource = Resource::decode(&stored).unwrap();
        for resource in [deployed, resource] {
            let method = &resource.methods["GET"];
            assert!(!method.api_key_required && method.request_models.is_empty());
            assert!(method.integration.as_ref().unwrap().role.is_none());
        }
    }

    #[test]
    fn deployed_apis_of_version_1_still_decode() {
        let mut stored = br#"_{"authorizers":[]}"#.to_vec();
        stored[0] = 1;
        assert!(DeployedApi::decode(&stored).unwrap().gateway_responses.is_empty());
    }

    #[test]
    fn stages_of_version_1_still_decode() {
        let stored = br#"_{"name":"s","deployment_id":"d","description":null,"variables":{"a":"1"},"tags":{},"created":"2026-01-15T12:00:00Z","updated":"2026-01-15T12:00:00Z"}"#;
        let mut stored = stored.to_vec();
        stored[0] = 1;
        let stage = Stage::decode(&stored).unwrap();
        assert_eq!((stage.deployment_id.as_str(), stage.method_settings.len()), ("d", 0));
    }
}
