//! Amazon API Gateway REST APIs: their definition, and the data plane that serves them.
//!
//! Invariants: every change of an API goes through its record, so that changes of one API happen one
//! after another; a deployment is a copy that never changes; the data plane serves deployments only, from
//! memory once warm; a parameter that nothing acts on is refused by name.

mod access;
mod account;
mod deployment;
mod edit;
pub mod generated;
mod import;
mod integration;
mod integration_response;
mod method;
mod method_response;
mod patch;
mod position;
mod resource;
mod rest_api;
mod serve;
mod stage;
mod table;
mod tag;

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::Random;
use pagoda_protocol::ApiError;
use pagoda_service::ports::{Authenticate, InvokeFunction, RecordMetric};
use pagoda_service::{Access, Authorizer, Context, Ownership, Service, operations};
use pagoda_store::Store;

/// The API Gateway service, control plane and data plane.
pub struct ApiGateway {
    store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    authorizer: Authorizer,
    authenticate: Arc<dyn Authenticate>,
    functions: Arc<dyn InvokeFunction>,
    metrics: Arc<dyn RecordMetric>,
    served: serve::Served,
}

impl ApiGateway {
    /// API Gateway over `store`, in front of `functions`, measured by `metrics`.
    pub fn new(
        store: Arc<dyn Store>,
        random: Arc<dyn Random>,
        authorizer: Authorizer,
        authenticate: Arc<dyn Authenticate>,
        functions: Arc<dyn InvokeFunction>,
        metrics: Arc<dyn RecordMetric>,
    ) -> Arc<Self> {
        let served = serve::Served::default();
        Arc::new(Self { store, random, authorizer, authenticate, functions, metrics, served })
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

operations!(ApiGateway {
    CreateDeployment => deployment::create, on access::create_deployment;
    CreateResource => resource::create, on access::create_resource;
    CreateRestApi => rest_api::create, on access::create_rest_api;
    CreateStage => stage::create, on access::create_stage;
    DeleteDeployment => deployment::delete, on access::delete_deployment;
    DeleteIntegration => integration::delete, on access::delete_integration;
    DeleteIntegrationResponse => integration_response::delete, on access::delete_integration_response;
    DeleteMethod => method::delete, on access::delete_method;
    DeleteMethodResponse => method_response::delete, on access::delete_method_response;
    DeleteResource => resource::delete, on access::delete_resource;
    DeleteRestApi => rest_api::delete, on access::delete_rest_api;
    DeleteStage => stage::delete, on access::delete_stage;
    GetAccount => account::get, on access::get_account;
    GetDeployment => deployment::get, on access::get_deployment;
    GetDeployments => deployment::list, on access::get_deployments;
    GetIntegration => integration::get, on access::get_integration;
    GetIntegrationResponse => integration_response::get, on access::get_integration_response;
    GetMethod => method::get, on access::get_method;
    GetMethodResponse => method_response::get, on access::get_method_response;
    GetResource => resource::get, on access::get_resource;
    GetResources => resource::list, on access::get_resources;
    GetRestApi => rest_api::get, on access::get_rest_api;
    GetRestApis => rest_api::list, on access::get_rest_apis;
    GetStage => stage::get, on access::get_stage;
    GetStages => stage::list, on access::get_stages;
    GetTags => tag::get, on access::get_tags;
    ImportRestApi => import::create, on access::import_rest_api;
    PutIntegration => integration::put, on access::put_integration;
    PutIntegrationResponse => integration_response::put, on access::put_integration_response;
    PutMethod => method::put, on access::put_method;
    PutMethodResponse => method_response::put, on access::put_method_response;
    PutRestApi => import::put, on access::put_rest_api;
    TagResource => tag::put, on access::tag_resource;
    UntagResource => tag::delete, on access::untag_resource;
    UpdateRestApi => rest_api::update, on access::update_rest_api;
    UpdateStage => stage::update, on access::update_stage;
});

#[async_trait]
impl Service for ApiGateway {
    /// An imported definition is at most 6 MB.
    const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

    async fn ownership(&self, cx: &Context, _access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(cx.account))
    }
}
