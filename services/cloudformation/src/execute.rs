//! The change of a stack: make, change and remove its resources, or put everything back.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagoda_base::ids;
use pagoda_protocol::ApiError;
use pagoda_service::Context;
use pagoda_store::Commit;
use serde_json::Value;

use crate::plan::{self, Existing, Plan};
use crate::resource::{self, Calls, Created, Done, Failure, Wanted};
use crate::table::{
    EXPORTS, Export, NAMED, Output, Place, RESOURCES, STACKS, Stack, StackResource, in_stack,
};
use crate::template::intrinsic::Made;
use crate::template::{Object, Policy, Resource};
use crate::{CloudFormation, source};

const STACK: &str = "AWS::CloudFormation::Stack";
/// A resource that was recorded and perhaps not made: a crash came between.
const PLANNED: &str = "CREATE_IN_PROGRESS";

/// One change of one stack.
pub(crate) struct Run {
    pub(crate) cfn: Arc<CloudFormation>,
    pub(crate) cx: Context,
    pub(crate) stack: Stack,
    pub(crate) existing: Existing,
}

/// What a change undoes when it fails.
enum Undo {
    /// Remove what was made.
    Created(String),
    /// Give a resource its old properties back.
    Updated(Box<StackResource>),
    /// Remove the new one, and keep the old.
    Replaced(Box<StackResource>),
}

impl Run {
    /// Creates the stack's resources.
    pub(crate) async fn create(mut self, plan: Plan) -> Result<(), ApiError> {
        let mut undo = Vec::new();
        match self.apply(&plan, &mut undo).await {
            Ok(_) => self.complete(&plan, "CREATE_COMPLETE").await,
            Err(failure) if self.stack.disable_rollback => {
                self.set_status("CREATE_FAILED", Some(&failure.0)).await
            }
            Err(failure) => {
                self.set_status("ROLLBACK_IN_PROGRESS", Some(&failure.0)).await?;
                self.roll_back(undo, ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"]).await?;
                if self.stack.delete_on_failure && self.stack.status == "ROLLBACK_COMPLETE" {
                    self.delete(&[]).await?;
                }
                Ok(())
            }
        }
    }

    /// Moves the stack to another template or other parameters; `before` is what it goes back to.
    pub(crate) async fn update(mut self, plan: Plan, before: Stack) -> Result<(), ApiError> {
        let mut undo = Vec::new();
        match self.apply(&plan, &mut undo).await {
            Ok(replaced) => {
                self.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None).await?;
                let kept = plan
                    .ordered()
                    .map(|ordered| ordered.into_iter().map(|(name, _)| name).collect::<Vec<_>>())?;
                self.clean_up(replaced, &kept).await?;
                self.complete(&plan, "UPDATE_COMPLETE").await
            }
            Err(failure) => {
                self.set_status("UPDATE_ROLLBACK_IN_PROGRESS", Some(&failure.0)).await?;
                let Stack { template, parameters, tags, capabilities, description, .. } = before;
                self.stack = Stack { template, parameters, tags, capabilities, description, ..self.stack };
                self.roll_back(undo, ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]).await
            }
        }
    }

    /// Removes all resources but the retained, and the stack.
    pub(crate) async fn delete(&mut self, retain: &[String]) -> Result<(), ApiError> {
        self.set_status("DELETE_IN_PROGRESS", None).await?;
        let mut failed = Vec::new();
        for name in self.removal_order() {
            let Some(resource) = self.existing.get(&name).cloned() else { continue };
            if resource.retain || retain.contains(&name) {
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

    /// Ends a creation that was broken off: removes what it made.
    pub(crate) async fn abandon_creation(&mut self) -> Result<(), ApiError> {
        self.set_status("ROLLBACK_IN_PROGRESS", Some("The creation was broken off")).await?;
        let made = self.removal_order().into_iter().rev().map(Undo::Created).collect();
        self.roll_back(made, ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"]).await
    }

    /// Ends an update that was broken off: its resources are as they were recorded, some old, some new, and
    /// the next update brings them together.
    pub(crate) async fn abandon_update(&mut self) -> Result<(), ApiError> {
        self.set_status("UPDATE_ROLLBACK_COMPLETE", Some("The update was broken off; update the stack again"))
            .await
    }

    /// Makes and changes resources in their order; the resources that were replaced.
    async fn apply(&mut self, plan: &Plan, undo: &mut Vec<Undo>) -> Done<Vec<StackResource>> {
        let ordered = plan.ordered().map_err(|invalid| Failure(invalid.0))?;
        let mut made: BTreeMap<String, Made> = plan::made(&self.existing);
        let mut replaced = Vec::new();
        // Attributes with a host in them are made anew when the platform has moved.
        let moved = self.stack.suffix != self.cfn.suffix;
        for (name, wanted) in ordered {
            let resolved = plan.scope(&made).resolve(&wanted.properties);
            let properties = match resolved.map_err(|invalid| Failure(invalid.0))? {
                Value::Object(properties) => properties,
                _ => return Err(Failure(format!("Properties of {name} must be an object"))),
            };
            if let Some(broken_off) = self.existing.get(&name).filter(|old| old.status == PLANNED).cloned() {
                self.remove(&broken_off).await?;
            }
            let old = self.existing.get(&name).cloned();
            let made_now = match old {
                Some(old) if old.kind == wanted.kind && old.properties == properties && !moved => {
                    self.note_policies(&old, &wanted).await?;
                    continue;
                }
                Some(old) if !plan::is_replaced(&wanted.kind, &old, &properties) => {
                    undo.push(Undo::Updated(Box::new(old.clone())));
                    self.change(&name, &wanted, &old, properties).await?
                }
                old => {
                    let created = self.make(&name, &wanted, properties).await?;
                    match old {
                        Some(old) => {
                            undo.push(Undo::Replaced(Box::new(old.clone())));
                            replaced.push(old);
                        }
                        None => undo.push(Undo::Created(name.clone())),
                    }
                    created
                }
            };
            made.insert(name, made_now);
        }
        Ok(replaced)
    }

    async fn make(&mut self, name: &str, wanted: &Resource, properties: Object) -> Done<Made> {
        let kind = kind_of(&wanted.kind)?;
        let generated = self.generated_name(name);
        let is_found_again = kind.name_property().is_some_and(|property| !properties.contains_key(property));
        let is_planned = is_found_again && !self.existing.contains_key(name);
        if is_planned {
            self.plan(name, wanted, &generated, &properties).await?;
        } else {
            self.tell(name, "", &wanted.kind, "CREATE_IN_PROGRESS", None).await?;
        }
        let outcome = match plan::check_properties(&wanted.kind, &properties) {
            Ok(()) => kind.create(&self.calls(), &Wanted { name: &generated, properties: &properties }).await,
            Err(failure) => Err(failure),
        };
        let created = match outcome {
            Ok(created) => created,
            Err(failure) => {
                if let Some(planned) = self.existing.get(name).filter(|_| is_planned).cloned() {
                    self.commit(Commit::new().delete(in_stack(&RESOURCES, &self.stack.id, name))).await?;
                    self.existing.remove(&planned.logical);
                }
                return Err(self.failed(name, "", &wanted.kind, "CREATE_FAILED", failure).await);
            }
        };
        self.record(name, wanted, properties, created, "CREATE_COMPLETE").await
    }

    /// Records a resource that is about to be made under a name that nothing else has.
    async fn plan(&mut self, name: &str, wanted: &Resource, physical: &str, properties: &Object) -> Done<()> {
        self.put(StackResource {
            logical: name.to_owned(),
            kind: wanted.kind.clone(),
            physical: physical.to_owned(),
            reference: physical.to_owned(),
            attributes: Object::new(),
            properties: properties.clone(),
            status: PLANNED.into(),
            reason: None,
            retain: false,
            retain_replaced: false,
            changed: self.cfn.clock.now(),
        })
        .await
    }

    async fn change(
        &mut self,
        name: &str,
        wanted: &Resource,
        old: &StackResource,
        properties: Object,
    ) -> Done<Made> {
        let kind = kind_of(&wanted.kind)?;
        self.tell(name, &old.physical, &wanted.kind, "UPDATE_IN_PROGRESS", None).await?;
        let new = Wanted { name: &old.physical, properties: &properties };
        let outcome = match plan::check_properties(&wanted.kind, &properties) {
            Ok(()) => kind.update(&self.calls(), &old.physical, &old.properties, &new).await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(mut created) => {
                // What only its creation told stays known.
                let mut attributes = old.attributes.clone();
                attributes.extend(created.made.attributes);
                created.made.attributes = attributes;
                self.record(name, wanted, properties, created, "UPDATE_COMPLETE").await
            }
            Err(failure) => {
                Err(self.failed(name, &old.physical, &wanted.kind, "UPDATE_FAILED", failure).await)
            }
        }
    }

    /// Keeps what a resource became.
    async fn record(
        &mut self,
        name: &str,
        wanted: &Resource,
        properties: Object,
        created: Created,
        status: &str,
    ) -> Done<Made> {
        let resource = StackResource {
            logical: name.to_owned(),
            kind: wanted.kind.clone(),
            physical: created.physical,
            reference: created.made.reference.clone(),
            attributes: created.made.attributes.clone(),
            properties,
            status: status.to_owned(),
            reason: None,
            retain: wanted.deletion != Policy::Delete,
            retain_replaced: wanted.replacement == Policy::Retain,
            changed: self.cfn.clock.now(),
        };
        self.put(resource).await?;
        Ok(created.made)
    }

    async fn put(&mut self, resource: StackResource) -> Done<()> {
        let key = in_stack(&RESOURCES, &self.stack.id, &resource.logical);
        let commit = RESOURCES.put(Commit::new(), &key, &resource).map_err(ApiError::from)?;
        let what = (&*resource.logical, &*resource.physical, &*resource.kind);
        let event = self.cfn.event(&self.stack, what, &resource.status, resource.reason.as_deref())?;
        self.commit(commit.and(event)).await?;
        self.existing.insert(resource.logical.clone(), resource);
        Ok(())
    }

    async fn note_policies(&mut self, old: &StackResource, wanted: &Resource) -> Done<()> {
        let (retain, retain_replaced) =
            (wanted.deletion != Policy::Delete, wanted.replacement == Policy::Retain);
        if (old.retain, old.retain_replaced) != (retain, retain_replaced) {
            self.put(StackResource { retain, retain_replaced, ..old.clone() }).await?;
        }
        Ok(())
    }

    /// Removes what was replaced, and what the template no longer has.
    async fn clean_up(&mut self, replaced: Vec<StackResource>, kept: &[String]) -> Result<(), ApiError> {
        for old in replaced.into_iter().rev().filter(|old| !old.retain_replaced) {
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

    async fn roll_back(&mut self, undo: Vec<Undo>, statuses: [&str; 2]) -> Result<(), ApiError> {
        let mut failed = None;
        for step in undo.into_iter().rev() {
            if let Err(failure) = self.undo(step).await {
                failed.get_or_insert(failure);
            }
        }
        match failed {
            None => self.set_status(statuses[0], None).await,
            Some(failure) => self.set_status(statuses[1], Some(&failure.0)).await,
        }
    }

    async fn undo(&mut self, step: Undo) -> Done<()> {
        match step {
            Undo::Created(name) => match self.existing.get(&name).cloned() {
                Some(resource) => self.remove(&resource).await,
                None => Ok(()),
            },
            Undo::Updated(old) => {
                let now = self.existing.get(&old.logical).cloned().unwrap_or_else(|| (*old).clone());
                let wanted = Wanted { name: &old.physical, properties: &old.properties };
                kind_of(&old.kind)?.update(&self.calls(), &old.physical, &now.properties, &wanted).await?;
                self.put(StackResource { status: "UPDATE_COMPLETE".into(), ..*old }).await
            }
            Undo::Replaced(old) => {
                if let Some(new) = self.existing.get(&old.logical).cloned() {
                    self.remove_one(&new).await?;
                }
                self.put(StackResource { status: "UPDATE_COMPLETE".into(), ..*old }).await
            }
        }
    }

    /// Removes a resource and its record.
    async fn remove(&mut self, resource: &StackResource) -> Done<()> {
        self.remove_one(resource).await?;
        self.forget(resource, "DELETE_COMPLETE").await.map_err(Failure::from)
    }

    async fn remove_one(&mut self, resource: &StackResource) -> Done<()> {
        let StackResource { logical, physical, kind, .. } = resource;
        self.tell(logical, physical, kind, "DELETE_IN_PROGRESS", None).await?;
        match kind_of(kind)?.delete(&self.calls(), physical, &resource.properties).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.failed(logical, physical, kind, "DELETE_FAILED", failure).await),
        }
    }

    async fn forget(&mut self, resource: &StackResource, status: &str) -> Result<(), ApiError> {
        let what = (&*resource.logical, &*resource.physical, &*resource.kind);
        let event = self.cfn.event(&self.stack, what, status, None)?;
        let key = in_stack(&RESOURCES, &self.stack.id, &resource.logical);
        self.commit(Commit::new().delete(key).and(event)).await?;
        self.existing.remove(&resource.logical);
        Ok(())
    }

    /// Dependants before what they depend on: by the template in force, or as good as it can be read.
    fn removal_order(&self) -> Vec<String> {
        let ordered = source::Source::read(self.stack.template.clone()).ok();
        let ordered =
            ordered.and_then(|source| crate::template::graph::order(&source.template.resources).ok());
        let mut names = ordered.unwrap_or_default();
        names.retain(|name| self.existing.contains_key(name));
        let others = self.existing.keys().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>();
        // What the template does not have any more may depend on what it has.
        names.extend(others);
        names.reverse();
        names
    }

    /// Outputs, exports and the final status.
    async fn complete(&mut self, plan: &Plan, status: &str) -> Result<(), ApiError> {
        let outputs = match self.outputs(plan) {
            Ok(outputs) => outputs,
            Err(failure) => {
                let failed = if status.starts_with("CREATE") { "CREATE_FAILED" } else { "UPDATE_FAILED" };
                return self.set_status(failed, Some(&failure.0)).await;
            }
        };
        let place = Place::of(&self.cx);
        let mut commit = Commit::new();
        for old in self.stack.outputs.iter().filter_map(|output| output.export.as_ref()) {
            commit = commit.delete(place.export(old));
        }
        for output in &outputs {
            if let Some(name) = &output.export {
                let (value, stack_id) = (output.value.clone(), self.stack.id.clone());
                commit = EXPORTS.put(
                    commit,
                    &place.export(name),
                    &Export { name: name.clone(), value, stack_id },
                )?;
            }
        }
        self.stack.outputs = outputs;
        self.stack.suffix = self.cfn.suffix.clone();
        self.stack.status = status.to_owned();
        self.keep(commit, None).await
    }

    fn outputs(&self, plan: &Plan) -> Done<Vec<Output>> {
        let made = plan::made(&self.existing);
        let scope = plan.scope(&made);
        let text = |value: &Value| -> Done<String> {
            let value = scope.resolve(value).map_err(|invalid| Failure(invalid.0))?;
            Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let mut outputs = Vec::new();
        for (key, output) in &plan.template.outputs {
            if !scope.holds(output.condition.as_deref()).map_err(|invalid| Failure(invalid.0))? {
                continue;
            }
            outputs.push(Output {
                key: key.clone(),
                value: text(&output.value)?,
                description: output.description.clone(),
                export: output.export.as_ref().map(&text).transpose()?,
            });
        }
        Ok(outputs)
    }

    async fn set_status(&mut self, status: &str, reason: Option<&str>) -> Result<(), ApiError> {
        self.stack.status = status.to_owned();
        self.keep(Commit::new(), reason).await
    }

    /// Keeps the stack's record, with the event that its status is.
    async fn keep(&mut self, commit: Commit, reason: Option<&str>) -> Result<(), ApiError> {
        self.stack.reason = reason.map(str::to_owned);
        if !self.stack.status.ends_with("_IN_PROGRESS") {
            self.stack.acting = None;
        }
        let what = (&*self.stack.name, &*self.stack.id, STACK);
        let event = self.cfn.event(&self.stack, what, &self.stack.status, reason)?;
        let commit = STACKS.put(commit, &Place::of(&self.cx).stack(&self.stack.id), &self.stack)?;
        self.commit(commit.and(event)).await
    }

    async fn tell(
        &self,
        logical: &str,
        physical: &str,
        kind: &str,
        status: &str,
        reason: Option<&str>,
    ) -> Done<()> {
        let event = self.cfn.event(&self.stack, (logical, physical, kind), status, reason)?;
        self.commit(event).await.map_err(Failure::from)
    }

    async fn failed(
        &self,
        logical: &str,
        physical: &str,
        kind: &str,
        status: &str,
        failure: Failure,
    ) -> Failure {
        match self.tell(logical, physical, kind, status, Some(&failure.0)).await {
            Ok(()) => Failure(format!("The following resource(s) failed: [{logical}]. {}", failure.0)),
            Err(unrecorded) => unrecorded,
        }
    }

    async fn commit(&self, commit: Commit) -> Result<(), ApiError> {
        self.cfn.store().commit(commit).await?.done()?;
        Ok(())
    }

    fn calls(&self) -> Calls<'_> {
        Calls { cx: &self.cx, operations: &*self.cfn.operations, suffix: &self.cfn.suffix }
    }

    /// `{stack}-{resource}-{random}`, short enough for every service.
    fn generated_name(&self, logical: &str) -> String {
        let cut = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
        let random = ids::short_id(12, &*self.cfn.random);
        format!("{}-{}-{random}", cut(&self.stack.name, 24), cut(logical, 24))
    }
}

fn kind_of(name: &str) -> Done<&'static dyn resource::Kind> {
    resource::kind(name).ok_or_else(|| Failure(format!("Unrecognized resource type {name}")))
}

/// The stack's name is free again, or another stack's.
pub(crate) fn named(commit: Commit, place: &Place, stack: &Stack) -> Result<Commit, ApiError> {
    let key = place.name(&stack.name);
    Ok(NAMED.put(commit.absent(key.clone()), &key, &crate::table::Named { id: stack.id.clone() })?)
}
