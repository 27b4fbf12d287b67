//! Amazon API Gateway REST APIs: their definition, and the data plane that serves them.
//!
//! Invariants: every change of an API goes through its record, so that changes of one API happen one
//! after another; a deployment is a copy that never changes; the data plane serves deployments only, from
//! memory once warm; a parameter that nothing acts on is refused by name.

mod access;
mod access_log;
mod account;
mod api_key;
mod authorizer;
mod canary;
mod cluster;
mod deployment;
mod documentation_part;
mod documentation_version;
mod edit;
mod export;
mod gateway_response;
pub mod generated;
mod import;
mod integration;
mod integration_response;
mod method;
mod method_response;
mod method_setting;
mod model;
mod patch;
mod position;
mod request_validator;
mod resource;
mod rest_api;
mod sample;
mod sdk;
mod serve;
mod stage;
mod table;
mod tag;
mod test_invoke_authorizer;
mod test_invoke_method;
mod usage;
mod usage_plan;
mod usage_plan_key;

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::Random;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{
    AssumeRole, Authenticate, FindCredential, InvokeFunction, InvokeLater, PutLogEvents, RecordMetric,
    RelayRequest,
};
use pagoda_service::{Access, Authorizer, Background, Context, Ownership, Sealer, Service, operations};
use pagoda_store::{Commit, Store};

/// The API Gateway service, control plane and data plane.
pub struct ApiGateway {
    ports: Ports,
    served: serve::Served,
    verdicts: serve::Verdicts,
    buckets: serve::Buckets,
    caches: serve::Caches,
    upstreams: serve::Upstreams,
    admissions: serve::Admissions,
    tallies: serve::Tallies,
    journal: serve::Journal,
}

/// What API Gateway stands on.
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What API keys are sealed with.
    pub sealer: Sealer,
    /// For ids.
    pub random: Arc<dyn Random>,
    /// Decides on calls of methods that ask IAM, and by the policies of APIs.
    pub authorizer: Authorizer,
    /// Finds out who signed a call.
    pub authenticate: Arc<dyn Authenticate>,
    /// The functions behind methods and authorizers.
    pub functions: Arc<dyn InvokeFunction>,
    /// The same functions, for events that nobody waits for.
    pub later: Arc<dyn InvokeLater>,
    /// The services behind methods.
    pub relay: Arc<dyn RelayRequest>,
    /// What calls are measured by.
    pub metrics: Arc<dyn RecordMetric>,
    /// Where stages tell of their requests.
    pub logs: Arc<dyn PutLogEvents>,
    /// Sessions of the roles as which authorizers are invoked.
    pub roles: Arc<dyn AssumeRole>,
    /// Whom such a session stands for.
    pub credentials: Arc<dyn FindCredential>,
}

impl ApiGateway {
    /// API Gateway on these ports.
    pub fn new(ports: Ports) -> Arc<Self> {
        Arc::new(Self {
            ports,
            served: serve::Served::default(),
            verdicts: serve::Verdicts::default(),
            buckets: serve::Buckets::default(),
            caches: serve::Caches::default(),
            upstreams: serve::Upstreams::default(),
            admissions: serve::Admissions::default(),
            tallies: serve::Tallies::default(),
            journal: serve::Journal::default(),
        })
    }

    /// Has what stages tell of their requests written.
    pub fn run(self: &Arc<Self>, background: &mut Background) {
        let gateway = Arc::clone(self);
        background.every(serve::JOURNAL_PERIOD, self.journal.nudge(), move || {
            let gateway = Arc::clone(&gateway);
            async move { gateway.close().await }
        });
    }

    /// Writes what stages have told of their requests.
    pub async fn close(&self) {
        self.journal.write(&*self.ports.logs).await;
    }

    fn store(&self) -> &dyn Store {
        &*self.ports.store
    }

    /// Commits a change of keys or plans, which holds for requests from here on.
    async fn commit_plans(&self, commit: Commit) -> Result<(), ApiError> {
        self.store().commit(commit).await?.done()?;
        self.admissions.forget();
        Ok(())
    }
}

operations!(ApiGateway {
    CreateApiKey => api_key::create, on access::create_api_key;
    CreateAuthorizer => authorizer::create, on access::create_authorizer;
    CreateDeployment => deployment::create, on access::create_deployment;
    CreateDocumentationPart => documentation_part::create, on access::create_documentation_part;
    CreateDocumentationVersion => documentation_version::create, on access::create_documentation_version;
    CreateModel => model::create, on access::create_model;
    CreateRequestValidator => request_validator::create, on access::create_request_validator;
    CreateResource => resource::create, on access::create_resource;
    CreateRestApi => rest_api::create, on access::create_rest_api;
    CreateStage => stage::create, on access::create_stage;
    CreateUsagePlan => usage_plan::create, on access::create_usage_plan;
    CreateUsagePlanKey => usage_plan_key::create, on access::create_usage_plan_key;
    DeleteApiKey => api_key::delete, on access::delete_api_key;
    DeleteAuthorizer => authorizer::delete, on access::delete_authorizer;
    DeleteDeployment => deployment::delete, on access::delete_deployment;
    DeleteDocumentationPart => documentation_part::delete, on access::delete_documentation_part;
    DeleteDocumentationVersion => documentation_version::delete, on access::delete_documentation_version;
    DeleteGatewayResponse => gateway_response::delete, on access::delete_gateway_response;
    DeleteIntegration => integration::delete, on access::delete_integration;
    DeleteIntegrationResponse => integration_response::delete, on access::delete_integration_response;
    DeleteMethod => method::delete, on access::delete_method;
    DeleteMethodResponse => method_response::delete, on access::delete_method_response;
    DeleteModel => model::delete, on access::delete_model;
    DeleteRequestValidator => request_validator::delete, on access::delete_request_validator;
    DeleteResource => resource::delete, on access::delete_resource;
    DeleteRestApi => rest_api::delete, on access::delete_rest_api;
    DeleteStage => stage::delete, on access::delete_stage;
    DeleteUsagePlan => usage_plan::delete, on access::delete_usage_plan;
    DeleteUsagePlanKey => usage_plan_key::delete, on access::delete_usage_plan_key;
    FlushStageAuthorizersCache => authorizer::flush, on access::flush_stage_authorizers_cache;
    FlushStageCache => stage::flush_cache, on access::flush_stage_cache;
    GetAccount => account::get, on access::get_account;
    GetApiKey => api_key::get, on access::get_api_key;
    GetApiKeys => api_key::list, on access::get_api_keys;
    GetAuthorizer => authorizer::get, on access::get_authorizer;
    GetAuthorizers => authorizer::list, on access::get_authorizers;
    GetDeployment => deployment::get, on access::get_deployment;
    GetDeployments => deployment::list, on access::get_deployments;
    GetDocumentationPart => documentation_part::get, on access::get_documentation_part;
    GetDocumentationParts => documentation_part::list, on access::get_documentation_parts;
    GetDocumentationVersion => documentation_version::get, on access::get_documentation_version;
    GetDocumentationVersions => documentation_version::list, on access::get_documentation_versions;
    GetExport => export::get, on access::get_export;
    GetGatewayResponse => gateway_response::get, on access::get_gateway_response;
    GetGatewayResponses => gateway_response::list, on access::get_gateway_responses;
    GetIntegration => integration::get, on access::get_integration;
    GetIntegrationResponse => integration_response::get, on access::get_integration_response;
    GetMethod => method::get, on access::get_method;
    GetMethodResponse => method_response::get, on access::get_method_response;
    GetModel => model::get, on access::get_model;
    GetModelTemplate => model::template, on access::get_model_template;
    GetModels => model::list, on access::get_models;
    GetRequestValidator => request_validator::get, on access::get_request_validator;
    GetRequestValidators => request_validator::list, on access::get_request_validators;
    GetResource => resource::get, on access::get_resource;
    GetResources => resource::list, on access::get_resources;
    GetRestApi => rest_api::get, on access::get_rest_api;
    GetRestApis => rest_api::list, on access::get_rest_apis;
    GetSdk => sdk::get, on access::get_sdk;
    GetSdkType => sdk::get_type, on access::get_sdk_type;
    GetSdkTypes => sdk::list_types, on access::get_sdk_types;
    GetStage => stage::get, on access::get_stage;
    GetStages => stage::list, on access::get_stages;
    GetTags => tag::get, on access::get_tags;
    GetUsage => usage::get, on access::get_usage;
    GetUsagePlan => usage_plan::get, on access::get_usage_plan;
    GetUsagePlanKey => usage_plan_key::get, on access::get_usage_plan_key;
    GetUsagePlanKeys => usage_plan_key::list, on access::get_usage_plan_keys;
    GetUsagePlans => usage_plan::list, on access::get_usage_plans;
    ImportApiKeys => api_key::import, on access::import_api_keys;
    ImportDocumentationParts => documentation_part::import, on access::import_documentation_parts;
    ImportRestApi => import::create, on access::import_rest_api;
    PutGatewayResponse => gateway_response::put, on access::put_gateway_response;
    PutIntegration => integration::put, on access::put_integration;
    PutIntegrationResponse => integration_response::put, on access::put_integration_response;
    PutMethod => method::put, on access::put_method;
    PutMethodResponse => method_response::put, on access::put_method_response;
    PutRestApi => import::put, on access::put_rest_api;
    TagResource => tag::put, on access::tag_resource;
    TestInvokeAuthorizer => test_invoke_authorizer::invoke, on access::test_invoke_authorizer;
    TestInvokeMethod => test_invoke_method::invoke, on access::test_invoke_method;
    UntagResource => tag::delete, on access::untag_resource;
    UpdateAccount => account::update, on access::update_account;
    UpdateApiKey => api_key::update, on access::update_api_key;
    UpdateAuthorizer => authorizer::update, on access::update_authorizer;
    UpdateDeployment => deployment::update, on access::update_deployment;
    UpdateDocumentationPart => documentation_part::update, on access::update_documentation_part;
    UpdateDocumentationVersion => documentation_version::update, on access::update_documentation_version;
    UpdateGatewayResponse => gateway_response::update, on access::update_gateway_response;
    UpdateIntegration => integration::update, on access::update_integration;
    UpdateIntegrationResponse => integration_response::update, on access::update_integration_response;
    UpdateMethod => method::update, on access::update_method;
    UpdateMethodResponse => method_response::update, on access::update_method_response;
    UpdateModel => model::update, on access::update_model;
    UpdateRequestValidator => request_validator::update, on access::update_request_validator;
    UpdateResource => resource::update, on access::update_resource;
    UpdateRestApi => rest_api::update, on access::update_rest_api;
    UpdateStage => stage::update, on access::update_stage;
    UpdateUsage => usage::update, on access::update_usage;
    UpdateUsagePlan => usage_plan::update, on access::update_usage_plan;
});

#[async_trait]
impl Service for ApiGateway {
    /// An imported definition is at most 6 MB.
    const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

    async fn ownership(&self, cx: &Context, _access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(cx.account))
    }
}
