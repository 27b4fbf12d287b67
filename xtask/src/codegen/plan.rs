//! What to generate: the listed operations, the shapes that they reach, and what each is called.

use std::collections::{BTreeMap, BTreeSet};

use super::api::Api;
use super::model::{Model, Operation, Reference, Shape};
use super::names;
use crate::Outcome;

/// The most members that a reader can keep account of.
const MEMBERS_MAX: usize = 256;

/// The decisions that the emitting files follow.
pub(crate) struct Plan<'a> {
    pub(crate) model: &'a Model,
    pub(crate) api: &'a Api,
    /// Built operations, by name.
    pub(crate) operations: BTreeMap<&'a str, &'a Operation>,
    /// Reached shapes that carry data, by the model's name.
    pub(crate) shapes: BTreeMap<&'a str, &'a Shape>,
    /// Exceptions that the operations list.
    pub(crate) exceptions: BTreeMap<&'a str, &'a Shape>,
    /// By shape: members that are refused by name.
    pub(crate) refused: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Plan<'a> {
    /// Decides for `model` what `api` asks for.
    pub(crate) fn new(model: &'a Model, api: &'a Api) -> Outcome<Self> {
        let mut operations = BTreeMap::new();
        for name in &api.operations {
            let (name, operation) = (model.operations.0.iter().find(|(known, _)| known == name))
                .ok_or_else(|| format!("the model has no operation {name}"))?;
            operations.insert(name.as_str(), operation);
        }
        let mut plan = Self {
            model,
            api,
            operations,
            shapes: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            refused: BTreeMap::new(),
        };
        plan.note_refused()?;
        for operation in plan.operations.values().copied().collect::<Vec<_>>() {
            for reference in operation.input.iter().chain(&operation.output) {
                plan.reach(&reference.shape)?;
            }
            for reference in &operation.errors {
                plan.reach_exception(&reference.shape)?;
            }
        }
        plan.check_names()?;
        Ok(plan)
    }

    fn note_refused(&mut self) -> Outcome {
        for (owner, members) in &self.api.refused {
            let input = self.operations.get(owner.as_str()).map(|operation| operation.input.as_ref());
            let shape = match input {
                Some(Some(input)) => &input.shape,
                Some(None) => return Err(format!("refused: {owner} has no input").into()),
                None => owner,
            };
            let (name, shape) = (self.model.shapes.0.iter().find(|(known, _)| known == shape))
                .ok_or_else(|| format!("refused: no operation or shape {owner}"))?;
            for member in members {
                let (member, _) = (shape.members.0.iter().find(|(known, _)| known == member))
                    .ok_or_else(|| format!("refused: {name} has no member {member}"))?;
                self.refused.entry(name).or_default().insert(member);
            }
        }
        Ok(())
    }

    /// The members of `shape` that become fields, in the model's order.
    pub(crate) fn fields(&self, name: &str, shape: &'a Shape) -> Vec<(&'a str, &'a Reference)> {
        let refused = self.refused.get(name);
        let built = |member: &str| refused.is_none_or(|members| !members.contains(member));
        shape
            .members
            .0
            .iter()
            .filter(|(m, _)| built(m))
            .map(|(m, reference)| (m.as_str(), reference))
            .collect()
    }

    fn reach(&mut self, name: &str) -> Outcome {
        if self.shapes.contains_key(name) {
            return Ok(());
        }
        let (name, shape) = (self.model.shapes.0.iter().find(|(known, _)| known == name))
            .ok_or_else(|| format!("the model has no shape {name}"))?;
        if shape.members.0.len() > MEMBERS_MAX {
            return Err(format!("{name} has more than {MEMBERS_MAX} members").into());
        }
        self.shapes.insert(name, shape);
        if shape.eventstream {
            // Its events are written by hand, with `protocol::eventstream`.
            return Ok(());
        }
        let fields = self.fields(name, shape);
        let nested = fields.into_iter().map(|(_, reference)| reference);
        for reference in nested.chain(&shape.member).chain(&shape.key).chain(&shape.value) {
            self.reach(&reference.shape)?;
        }
        Ok(())
    }

    fn reach_exception(&mut self, name: &str) -> Outcome {
        let (name, shape) = (self.model.shapes.0.iter().find(|(known, _)| known == name))
            .ok_or_else(|| format!("the model has no shape {name}"))?;
        if self.exceptions.insert(name, shape).is_none() {
            for (_, reference) in &shape.members.0 {
                self.reach(&reference.shape)?;
            }
        }
        Ok(())
    }

    /// No two types may get one name.
    fn check_names(&self) -> Outcome {
        let mut taken = BTreeSet::new();
        let shapes = self.shapes.iter().filter(|(_, shape)| shape.has_type()).map(|(name, _)| *name);
        for name in shapes.chain(self.exceptions.keys().copied()).chain(self.operations.keys().copied()) {
            if !taken.insert(names::type_name(name)) && !self.exceptions.contains_key(name) {
                return Err(format!("two types would be called {}", names::type_name(name)).into());
            }
        }
        Ok(())
    }

    /// The Rust type of a value of shape `name`.
    pub(crate) fn rust_type(&self, name: &str, streaming: bool) -> String {
        if let Some(path) = self.api.custom.get(name) {
            return path.clone();
        }
        let shape = self.model.shape(name);
        let element = |reference: &Option<Reference>| {
            self.rust_type(&reference.as_ref().expect("lists and maps have elements").shape, false)
        };
        match shape.kind.as_str() {
            "structure" if shape.document => "p::generated::Value".into(),
            "structure" if shape.eventstream => "p::ByteStream".into(),
            "structure" => names::type_name(name),
            "string" if !shape.values.is_empty() => names::type_name(name),
            "string" | "character" => "String".into(),
            "integer" | "short" | "byte" => "i32".into(),
            "long" => "i64".into(),
            "float" => "f32".into(),
            "double" => "f64".into(),
            "boolean" => "bool".into(),
            "timestamp" => "p::generated::Timestamp".into(),
            "blob" if streaming || shape.streaming => "p::ByteStream".into(),
            "blob" => "p::generated::Bytes".into(),
            "list" => format!("Vec<{}>", element(&shape.member)),
            "map" => format!("BTreeMap<String, {}>", element(&shape.value)),
            other => unreachable!("botocore's models have no kind {other}"),
        }
    }

    /// Whether the model has been followed to shape `name`.
    pub(crate) fn rust_type_exists(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// Whether a member of type `target` in `owner` must be boxed: the structure would contain itself.
    pub(crate) fn is_boxed(&self, owner: &str, target: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![target];
        while let Some(name) = open.pop() {
            if name == owner {
                return true;
            }
            if let Some((name, shape)) =
                self.shapes.get_key_value(name).filter(|(name, _)| seen.insert(**name))
            {
                open.extend(
                    self.fields(name, shape).into_iter().map(|(_, reference)| reference.shape.as_str()),
                );
            }
        }
        false
    }
}

impl Shape {
    /// Whether a Rust type is made for it.
    pub(crate) fn has_type(&self) -> bool {
        (self.kind == "structure" && !self.document && !self.eventstream) || !self.values.is_empty()
    }
}
