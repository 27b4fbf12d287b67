//! What a template means for a stack: values for its names, and what becomes of each resource.

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::{Value, json};

use crate::resource::tag::Origin;
use crate::resource::{self, Done, Failure, Kind};
use crate::table::{Change, EXPORTS, Place, RESOURCES, Stack, StackResource, of_stack};
use crate::template::intrinsic::{Made, Scope};
use crate::template::parameter::{self, Values};
use crate::template::{Checked, Object, Resource, Template, graph};
use crate::{CloudFormation, validation};

/// All that values of a template depend on, but the resources.
pub(crate) struct Plan {
    pub(crate) template: Template,
    pub(crate) parameters: Values,
    pseudo: BTreeMap<&'static str, Value>,
    exports: BTreeMap<String, String>,
    /// Tags of the stack, for its resources too.
    tags: BTreeMap<String, String>,
}

/// What exists of a stack, by logical id.
pub(crate) type Existing = BTreeMap<String, StackResource>;

impl Plan {
    pub(crate) async fn of(
        cfn: &CloudFormation,
        cx: &Context,
        template: Template,
        given: &Values,
        stack: &Stack,
    ) -> Result<Self, ApiError> {
        let parameters = parameter::values(&template.parameters, given)?;
        let Stack { name, id, tags, .. } = stack;
        let pseudo = BTreeMap::from([
            ("AWS::AccountId", json!(cx.account.as_str())),
            ("AWS::NotificationARNs", json!([])),
            ("AWS::Partition", json!("aws")),
            ("AWS::Region", json!(cx.region.as_str())),
            ("AWS::StackId", json!(id)),
            ("AWS::StackName", json!(name)),
            ("AWS::URLSuffix", json!(cfn.suffix)),
        ]);
        let exports = EXPORTS.scan(cfn.store(), &Place::of(cx).exports(), None, 10_000).await?.items;
        let exports = exports.into_iter().map(|stored| (stored.record.name, stored.record.value)).collect();
        let plan = Self { template, parameters, pseudo, exports, tags: tags.clone() };
        plan.check()?;
        Ok(plan)
    }

    /// Types and properties are known before anything is made.
    fn check(&self) -> Result<(), ApiError> {
        let unknown: Vec<&str> = self
            .template
            .resources
            .values()
            .map(|resource| resource.kind.as_str())
            .filter(|kind| resource::kind(kind).is_none())
            .collect();
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            return Err(validation(format!(
                "Template format error: Unrecognized resource types: [{unknown}], or not available in Pagoda"
            )));
        }
        Ok(())
    }

    pub(crate) fn scope<'a>(&'a self, made: &'a BTreeMap<String, Made>) -> Scope<'a> {
        Scope {
            declared: &self.template.parameters,
            parameters: &self.parameters,
            mappings: &self.template.mappings,
            conditions: &self.template.conditions,
            pseudo: &self.pseudo,
            exports: &self.exports,
            resources: made,
        }
    }

    /// The resources whose conditions hold, in the order in which they can be made.
    pub(crate) fn ordered(&self) -> Checked<Vec<(String, Resource)>> {
        let none = BTreeMap::new();
        let mut wanted = self.template.wanted(&self.scope(&none))?;
        let order = graph::order(&wanted)?;
        Ok(order.into_iter().filter_map(|name| wanted.remove_entry(&name)).collect())
    }

    /// A resource's properties: resolved, and with the tags that its stack gives it.
    pub(crate) fn properties(
        &self,
        name: &str,
        wanted: &Resource,
        made: &BTreeMap<String, Made>,
    ) -> Done<Object> {
        let resolved = self.scope(made).resolve(&wanted.properties).map_err(|invalid| Failure(invalid.0))?;
        let Value::Object(mut properties) = resolved else {
            return Err(Failure(format!("Properties of {name} must be an object")));
        };
        let text = |name: &str| self.pseudo.get(name).and_then(Value::as_str).unwrap_or_default();
        let origin = Origin {
            stack_name: text("AWS::StackName"),
            stack_id: text("AWS::StackId"),
            logical: name,
            stack_tags: &self.tags,
        };
        if let Some(kind) = resource::kind(&wanted.kind) {
            check_properties(kind, &properties)?;
            origin.mark(kind, &mut properties)?;
        }
        Ok(properties)
    }

    /// What would change. Values that only exist afterwards count as changed.
    pub(crate) fn changes(&self, existing: &Existing) -> Checked<Vec<Change>> {
        let made = made(existing);
        let mut changes = Vec::new();
        let ordered = self.ordered()?;
        for (name, wanted) in &ordered {
            let Some(present) = existing.get(name).filter(|present| present.unsettled.is_none()) else {
                changes.push(change("Add", name, &wanted.kind, None, false));
                continue;
            };
            let physical = Some(present.physical.clone());
            let replacement = match self.properties(name, wanted, &made) {
                Ok(properties) if wanted.kind == present.kind && properties == present.properties => continue,
                Ok(properties) => is_replaced(&wanted.kind, present, &properties),
                Err(_) => false,
            };
            changes.push(change("Modify", name, &wanted.kind, physical, replacement));
        }
        let kept = |name: &String| ordered.iter().any(|(wanted, _)| wanted == name);
        for (name, present) in existing.iter().filter(|(name, _)| !kept(name)) {
            changes.push(change("Remove", name, &present.kind, Some(present.physical.clone()), false));
        }
        Ok(changes)
    }
}

/// Whether a resource has to be made anew to have these properties.
pub(crate) fn is_replaced(kind: &str, present: &StackResource, properties: &Object) -> bool {
    let fixed = resource::kind(kind).map_or(&[][..], |kind| kind.fixed());
    kind != present.kind || fixed.iter().any(|name| properties.get(*name) != present.properties.get(*name))
}

/// Refuses properties that the type does not know.
fn check_properties(kind: &dyn Kind, properties: &Object) -> Done<()> {
    match properties.keys().find(|name| !kind.properties().contains(&name.as_str())) {
        Some(unknown) => Err(Failure(format!("Encountered unsupported property {unknown}"))),
        None => Ok(()),
    }
}

/// What functions see of the resources that exist.
pub(crate) fn made(existing: &Existing) -> BTreeMap<String, Made> {
    let made = |resource: &StackResource| Made {
        reference: resource.reference.clone(),
        attributes: resource.attributes.clone(),
    };
    let settled = existing.iter().filter(|(_, resource)| resource.unsettled.is_none());
    settled.map(|(name, resource)| (name.clone(), made(resource))).collect()
}

/// The resources of a stack.
pub(crate) async fn existing(cfn: &CloudFormation, stack: &str) -> Result<Existing, ApiError> {
    let page = RESOURCES.scan(cfn.store(), &of_stack(&RESOURCES, stack), None, 10_000).await?;
    let resources = page.items.into_iter().map(|stored| stored.record);
    Ok(resources.map(|resource| (resource.logical.clone(), resource)).collect())
}

fn change(action: &str, logical: &str, kind: &str, physical: Option<String>, replacement: bool) -> Change {
    Change { action: action.into(), logical: logical.into(), kind: kind.into(), physical, replacement }
}
