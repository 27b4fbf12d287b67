//! The change of a stack: bring its resources about, or put everything back.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::Commit;

use crate::plan::{self, Existing, Plan};
use crate::resource::{Calls, Done, Failure};
use crate::table::{Begun, Output, Place, Stack, StackResource, Step};
use crate::template::graph;
use crate::template::intrinsic::Made;
use crate::{CloudFormation, source};

/// One change of one stack.
pub(crate) struct Run {
    pub(crate) cfn: Arc<CloudFormation>,
    pub(crate) cx: Context,
    pub(crate) stack: Stack,
    pub(crate) existing: Existing,
    /// What the change has begun, as it is kept in the store.
    pub(crate) steps: Vec<Step>,
}

impl Run {
    /// Creates the stack's resources.
    pub(crate) async fn create(mut self, plan: Plan) -> Result<(), ApiError> {
        match self.bring_about(&plan).await {
            Ok(outputs) => self.complete(outputs, "CREATE_COMPLETE").await,
            Err(failure) => self.fail_creation(&failure.0).await,
        }
    }

    /// Ends a creation that failed, as its request said.
    pub(crate) async fn fail_creation(&mut self, reason: &str) -> Result<(), ApiError> {
        if self.stack.disable_rollback {
            return self.set_status("CREATE_FAILED", Some(reason)).await;
        }
        if self.stack.delete_on_failure {
            return self.delete(Some(reason)).await;
        }
        self.roll_back_creation(reason).await
    }

    /// Moves the stack to another template or other parameters.
    pub(crate) async fn update(mut self, plan: Plan) -> Result<(), ApiError> {
        match self.bring_about(&plan).await {
            Ok(outputs) => {
                self.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None).await?;
                self.finish_update(&plan, outputs).await
            }
            Err(failure) => self.roll_back_update(&failure.0).await,
        }
    }

    /// What is left of an update once all resources are as they are to be.
    pub(crate) async fn finish_update(&mut self, plan: &Plan, outputs: Vec<Output>) -> Result<(), ApiError> {
        let kept: Vec<_> = plan.ordered()?.into_iter().map(|(name, _)| name).collect();
        self.clean_up(&kept).await?;
        self.complete(outputs, "UPDATE_COMPLETE").await
    }

    /// Removes all resources but the retained, and the stack.
    pub(crate) async fn delete(&mut self, reason: Option<&str>) -> Result<(), ApiError> {
        if self.stack.status != "DELETE_IN_PROGRESS" {
            self.set_status("DELETE_IN_PROGRESS", reason).await?;
        }
        let mut failed = Vec::new();
        // What an update replaced, and could not roll back, still is the stack's.
        for old in self.replaced() {
            if self.remove_one(&old).await.is_err() {
                failed.push(old.logical);
            }
        }
        for name in self.removal_order() {
            let Some(resource) = self.existing.get(&name).cloned() else { continue };
            if resource.retain || self.stack.retained.contains(&name) {
                self.forget(&resource, "DELETE_SKIPPED").await?;
            } else if self.remove(&resource).await.is_err() {
                failed.push(name);
            }
        }
        if !failed.is_empty() {
            let reason = format!("The following resource(s) failed to delete: [{}]. ", failed.join(", "));
            return self.set_status("DELETE_FAILED", Some(&reason)).await;
        }
        self.stack.deleted = Some(self.cfn.clock.now());
        self.stack.status = "DELETE_COMPLETE".into();
        let place = Place::of(&self.cx);
        let mut commit = Commit::new().delete(place.name(&self.stack.name));
        for output in std::mem::take(&mut self.stack.outputs) {
            if let Some(export) = output.export {
                commit = commit.delete(place.export(&export));
            }
        }
        self.keep(commit, None).await
    }

    async fn bring_about(&mut self, plan: &Plan) -> Done<Vec<Output>> {
        self.apply(plan).await?;
        self.outputs(plan)
    }

    /// Makes and changes resources in their order.
    async fn apply(&mut self, plan: &Plan) -> Done<()> {
        let ordered = plan.ordered().map_err(|invalid| Failure(invalid.0))?;
        let mut made: BTreeMap<String, Made> = plan::made(&self.existing);
        // Attributes with a host in them are made anew when the platform has moved.
        let moved = self.stack.suffix != self.cfn.suffix;
        for (name, wanted) in ordered {
            let properties = match plan.properties(&name, &wanted, &made) {
                Ok(properties) => properties,
                Err(failure) => {
                    let physical = self.existing.get(&name).map_or("", |old| &old.physical);
                    let status = if physical.is_empty() { "CREATE_FAILED" } else { "UPDATE_FAILED" };
                    return Err(self.failed((&name, physical, &wanted.kind), status, failure).await);
                }
            };
            if let Some(left) = self.existing.get(&name).filter(|old| old.unsettled.is_some()).cloned() {
                self.remove(&left).await?;
            }
            let made_now = match self.existing.get(&name).cloned() {
                Some(old) if old.kind == wanted.kind && old.properties == properties && !moved => {
                    self.note_policies(&old, &wanted).await?;
                    continue;
                }
                Some(old) if !plan::is_replaced(&wanted.kind, &old, &properties) => {
                    self.change(&wanted, old, properties).await?
                }
                old => self.make(&name, &wanted, properties, old).await?,
            };
            made.insert(name, made_now);
        }
        Ok(())
    }

    /// The resources in whose place the change made others.
    fn replaced(&self) -> Vec<StackResource> {
        let old = |step: &Step| match &step.begun {
            Begun::Replacement { old } => Some((**old).clone()),
            _ => None,
        };
        self.steps.iter().filter_map(old).collect()
    }

    /// Removes what was replaced, and what the template no longer has.
    async fn clean_up(&mut self, kept: &[String]) -> Result<(), ApiError> {
        for old in self.replaced().into_iter().rev().filter(|old| !old.retain_replaced) {
            // What cannot be removed stays behind, as on AWS; the event tells.
            let _ = self.remove_one(&old).await;
        }
        for name in self.removal_order() {
            if kept.contains(&name) {
                continue;
            }
            let Some(resource) = self.existing.get(&name).cloned() else { continue };
            if resource.retain || self.remove(&resource).await.is_err() {
                self.forget(&resource, "DELETE_SKIPPED").await?;
            }
        }
        Ok(())
    }

    /// Dependants before what they depend on: by the template in force, or as good as it can be read.
    fn removal_order(&self) -> Vec<String> {
        let ordered = source::Source::read(self.stack.template.clone()).ok();
        let ordered = ordered.and_then(|source| graph::order(&source.template.resources).ok());
        let mut names = ordered.unwrap_or_default();
        names.retain(|name| self.existing.contains_key(name));
        let others = self.existing.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
        // What the template does not have any more may depend on what it has.
        names.extend(others);
        names.reverse();
        names
    }

    pub(crate) fn calls(&self) -> Calls<'_> {
        let CloudFormation { operations, objects, suffix, .. } = &*self.cfn;
        Calls { cx: &self.cx, operations: &**operations, objects: &**objects, suffix }
    }
}
