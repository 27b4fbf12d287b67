//! A template: read, checked, and made ready for the values of one stack.
//!
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>

pub(crate) mod graph;
pub(crate) mod intrinsic;
pub(crate) mod parameter;
pub(crate) mod read;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::intrinsic::Scope;

pub(crate) type Object = Map<String, Value>;

/// Why a template, or what it was given, cannot be a stack: `ValidationError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid(pub(crate) String);

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

pub(crate) type Checked<T> = Result<T, Invalid>;

const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];
const RESOURCE_FIELDS: [&str; 8] = [
    "Condition",
    "DeletionPolicy",
    "DependsOn",
    "Description",
    "Metadata",
    "Properties",
    "Type",
    "UpdateReplacePolicy",
];
/// Resources of one template.
const RESOURCES_MAX: usize = 500;

/// A template without transforms.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) description: Option<String>,
    pub(crate) parameters: BTreeMap<String, parameter::Declared>,
    pub(crate) mappings: Object,
    pub(crate) conditions: Object,
    pub(crate) resources: BTreeMap<String, Resource>,
    pub(crate) outputs: BTreeMap<String, Output>,
}

/// A resource as the template has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) properties: Value,
    pub(crate) condition: Option<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) deletion: Policy,
    pub(crate) replacement: Policy,
}

/// What becomes of a resource that leaves its stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Delete,
    Retain,
    RetainExceptOnCreate,
}

/// An output as the template has it.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) value: Value,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<Value>,
    pub(crate) condition: Option<String>,
}

impl Template {
    /// Checks a template whose transforms have been carried out.
    pub(crate) fn of(document: &Value) -> Checked<Self> {
        let sections = object(document, "Template format error: unsupported structure.")?;
        if let Some(unknown) = sections.keys().find(|name| !SECTIONS.contains(&name.as_str())) {
            return Err(Invalid::new(format!("Invalid template property or properties [{unknown}]")));
        }
        if sections.contains_key("Rules") {
            return Err(Invalid::new("Template section Rules is not available in Pagoda"));
        }
        if let Some(version) =
            sections.get("AWSTemplateFormatVersion").filter(|version| *version != "2010-09-09")
        {
            return Err(Invalid::new(format!(
                "Template format error: {version} is not a supported value for AWSTemplateFormatVersion."
            )));
        }
        let section = |name: &str| match sections.get(name) {
            None => Ok(Object::new()),
            Some(value) => {
                Ok(object(value, &format!("Template format error: {name} must be an object."))?.clone())
            }
        };
        let resources = section("Resources")?;
        if resources.is_empty() {
            return Err(Invalid::new(
                "Template format error: At least one Resources member must be defined.",
            ));
        }
        if resources.len() > RESOURCES_MAX {
            return Err(Invalid::new(format!(
                "Template format error: Number of resources, {}, is greater than maximum allowed, {RESOURCES_MAX}",
                resources.len()
            )));
        }
        let template = Self {
            description: sections.get("Description").and_then(Value::as_str).map(str::to_owned),
            parameters: each(section("Parameters")?, parameter::Declared::read)?,
            mappings: section("Mappings")?,
            conditions: section("Conditions")?,
            resources: each(resources, Resource::read)?,
            outputs: each(section("Outputs")?, Output::read)?,
        };
        template.check_references()?;
        Ok(template)
    }

    /// The resources whose conditions hold.
    pub(crate) fn wanted(&self, scope: &Scope<'_>) -> Checked<BTreeMap<String, Resource>> {
        let mut wanted = BTreeMap::new();
        for (name, resource) in &self.resources {
            if scope.holds(resource.condition.as_deref())? {
                wanted.insert(name.clone(), resource.clone());
            }
        }
        Ok(wanted)
    }

    /// Everything that is referred to must exist, and nothing may depend on itself.
    fn check_references(&self) -> Checked<()> {
        let known = |name: &str| {
            self.resources.contains_key(name)
                || self.parameters.contains_key(name)
                || name.starts_with("AWS::")
        };
        for (name, resource) in &self.resources {
            let unknown =
                graph::references(&resource.properties).into_iter().find(|reference| !known(reference));
            if let Some(unknown) = unknown {
                return Err(Invalid::new(format!(
                    "Template format error: Unresolved resource dependencies [{unknown}] in the Resources block of the template"
                )));
            }
            if let Some(unknown) =
                resource.depends_on.iter().find(|other| !self.resources.contains_key(*other))
            {
                return Err(Invalid::new(format!(
                    "Template format error: Unresolved resource dependencies [{unknown}] in the Resources block of the template"
                )));
            }
            if let Some(condition) =
                resource.condition.as_ref().filter(|name| !self.conditions.contains_key(*name))
            {
                return Err(Invalid::new(format!(
                    "Template format error: Unrecognized condition {condition} in resource {name}"
                )));
            }
        }
        for output in self.outputs.values() {
            if let Some(unknown) =
                graph::references(&output.value).into_iter().find(|reference| !known(reference))
            {
                return Err(Invalid::new(format!(
                    "Template format error: Unresolved resource dependencies [{unknown}] in the Outputs block of the template"
                )));
            }
        }
        graph::order(&self.resources).map(drop)
    }
}

impl Resource {
    fn read(name: &str, value: &Value) -> Checked<Self> {
        let fields = object(value, &format!("Template format error: Resource {name} must be an object."))?;
        if !name.chars().all(char::is_alphanumeric) {
            return Err(Invalid::new(format!(
                "Template format error: Resource name {name} is non alphanumeric."
            )));
        }
        if let Some(unknown) = fields.keys().find(|field| !RESOURCE_FIELDS.contains(&field.as_str())) {
            return Err(Invalid::new(format!(
                "Invalid template resource property '{unknown}' in resource {name}: it is unknown, or not available in Pagoda"
            )));
        }
        let kind = fields.get("Type").and_then(Value::as_str).ok_or_else(|| {
            Invalid::new(format!("Template format error: [/Resources/{name}] Every Resources object must contain a Type member."))
        })?;
        let policy = |field: &str| match fields.get(field).map(|value| value.as_str().unwrap_or_default()) {
            None | Some("Delete") => Ok(Policy::Delete),
            Some("Retain") => Ok(Policy::Retain),
            Some("RetainExceptOnCreate") => Ok(Policy::RetainExceptOnCreate),
            Some(other) => Err(Invalid::new(format!(
                "Template error: {field} {other} of resource {name} is not available in Pagoda"
            ))),
        };
        let depends_on = match fields.get("DependsOn") {
            None => Vec::new(),
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(_) => {
                return Err(Invalid::new(
                    "Template format error: DependsOn must be a string or list of strings.",
                ));
            }
        };
        Ok(Self {
            kind: kind.to_owned(),
            properties: fields.get("Properties").cloned().unwrap_or_else(|| Value::Object(Object::new())),
            condition: fields.get("Condition").and_then(Value::as_str).map(str::to_owned),
            depends_on,
            deletion: policy("DeletionPolicy")?,
            replacement: policy("UpdateReplacePolicy")?,
        })
    }
}

impl Output {
    fn read(name: &str, value: &Value) -> Checked<Self> {
        let fields = object(value, &format!("Template format error: Output {name} must be an object."))?;
        let value = fields.get("Value").cloned();
        let missing = || {
            Invalid::new(format!(
                "Template format error: [/Outputs/{name}] Every Outputs member must contain a Value object"
            ))
        };
        Ok(Self {
            value: value.ok_or_else(missing)?,
            description: fields.get("Description").and_then(Value::as_str).map(str::to_owned),
            export: fields.get("Export").and_then(|export| export.get("Name")).cloned(),
            condition: fields.get("Condition").and_then(Value::as_str).map(str::to_owned),
        })
    }
}

/// Reads every entry of a section.
fn each<T>(section: Object, read: impl Fn(&str, &Value) -> Checked<T>) -> Checked<BTreeMap<String, T>> {
    section.iter().map(|(name, value)| Ok((name.clone(), read(name, value)?))).collect()
}

/// The object in `value`, or the refusal.
pub(crate) fn object<'v>(value: &'v Value, otherwise: &str) -> Checked<&'v Object> {
    value.as_object().ok_or_else(|| Invalid::new(otherwise))
}
