//! AWS CloudFormation: stacks of resources from templates, with the SAM transform.
//!
//! Invariants: every call that makes, changes or removes a resource is authorized as the one who changes the
//! stack; what is begun with a resource is recorded before it is done, and what it became before the next
//! one is touched; a change that fails is rolled back, also when the process was killed in its midst; only
//! what bears the stack's mark, or was not there before, is ever removed; a property that nothing acts on is
//! refused by name.

mod access;
mod change_set;
mod describe;
mod event;
mod execute;
pub mod generated;
mod lifecycle;
mod output;
mod plan;
mod recover;
mod resource;
mod rollback;
mod sam;
mod source;
mod stack;
mod table;
mod template;
mod token;

use std::sync::Arc;

use async_trait::async_trait;
use pagoda_base::{Clock, Random};
use pagoda_protocol::ApiError;
use pagoda_service::ports::{CallOperation, ReadObject};
use pagoda_service::{Access, Context, Ownership, Service, operations};
use pagoda_store::Store;

/// The CloudFormation service.
pub struct CloudFormation {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    operations: Arc<dyn CallOperation>,
    objects: Arc<dyn ReadObject>,
    /// `{domain}[:{port}]`: `AWS::URLSuffix`.
    suffix: String,
}

impl CloudFormation {
    /// CloudFormation over `store`, calling `operations` of all services. `suffix` is what stands behind
    /// the labels of every host of the platform: `{domain}[:{port}]`.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        operations: Arc<dyn CallOperation>,
        objects: Arc<dyn ReadObject>,
        suffix: String,
    ) -> Arc<Self> {
        Arc::new(Self { store, clock, random, operations, objects, suffix })
    }

    fn store(&self) -> &dyn Store {
        &*self.store
    }
}

/// The service as its handlers see it: changes of stacks go on after the answer, and hold it.
pub struct Handle(Arc<CloudFormation>);

impl Handle {
    /// What the front door calls.
    pub fn of(service: &Arc<CloudFormation>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(service)))
    }
}

operations!(Handle {
    CreateChangeSet => change_set::create, on access::create_change_set;
    CreateStack => stack::create, on access::create_stack;
    DeleteChangeSet => change_set::delete, on access::delete_change_set;
    DeleteStack => stack::delete, on access::delete_stack;
    DescribeChangeSet => change_set::describe, on access::describe_change_set;
    DescribeStackEvents => event::describe, on access::describe_stack_events;
    DescribeStackResource => describe::resource, on access::describe_stack_resource;
    DescribeStackResources => describe::resources, on access::describe_stack_resources;
    DescribeStacks => describe::stacks, on access::describe_stacks;
    ExecuteChangeSet => change_set::execute, on access::execute_change_set;
    GetTemplate => describe::template, on access::get_template;
    GetTemplateSummary => source::summary, on access::get_template_summary;
    ListChangeSets => change_set::list, on access::list_change_sets;
    ListExports => describe::exports, on access::list_exports;
    ListStackResources => describe::list_resources, on access::list_stack_resources;
    ListStacks => describe::list, on access::list_stacks;
    UpdateStack => stack::update, on access::update_stack;
    ValidateTemplate => source::validate, on access::validate_template;
});

#[async_trait]
impl Service for Handle {
    /// A template in the request itself is at most 51,200 bytes, percent-encoded; parameters come on top.
    const BODY_BYTES_MAX: usize = 1024 * 1024;

    async fn ownership(&self, cx: &Context, _access: &Access) -> Result<Ownership, ApiError> {
        Ok(Ownership::of(cx.account))
    }
}

impl From<resource::Failure> for ApiError {
    fn from(failure: resource::Failure) -> Self {
        validation(failure.0)
    }
}

impl From<template::Invalid> for ApiError {
    fn from(invalid: template::Invalid) -> Self {
        Self::new("ValidationError", 400, invalid.0)
    }
}

/// 400 `ValidationError`.
fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", 400, message.into())
}
