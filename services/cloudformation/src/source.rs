//! Where a template comes from, and what it says of itself: ValidateTemplate GetTemplateSummary

use std::collections::BTreeMap;

use pagoda_protocol::ApiError;
use pagoda_service::Context;
use serde_json::Value;

use crate::generated as g;
use crate::template::{Template, read};
use crate::{CloudFormation, Handle, sam, stack, validation};

/// A template in the request.
const BODY_BYTES_MAX: usize = 51_200;
/// A template in S3: AWS's limit, less what a record needs around it.
const OBJECT_BYTES_MAX: usize = 900_000;

/// A template's text with its two readings.
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) transforms: Vec<String>,
    pub(crate) template: Template,
    pub(crate) processed: Value,
}

impl Source {
    /// Reads a template and carries out its transforms.
    pub(crate) fn read(text: String) -> Result<Self, ApiError> {
        let document = read::document(&text)?;
        let transforms = sam::transforms(&document);
        let processed = sam::transform(&document)?;
        let template = Template::of(&processed)?;
        Ok(Self { text, transforms, template, processed })
    }

    /// The capabilities that the template needs.
    pub(crate) fn capabilities(&self) -> Vec<g::Capability> {
        let iam =
            || self.template.resources.values().filter(|resource| resource.kind.starts_with("AWS::IAM::"));
        let named = iam().any(|resource| {
            ["RoleName", "UserName", "ManagedPolicyName"]
                .iter()
                .any(|name| resource.properties.get(name).is_some())
        });
        let mut needed = Vec::new();
        if named {
            needed.push(g::Capability::CapabilityNamedIam);
        } else if iam().next().is_some() {
            needed.push(g::Capability::CapabilityIam);
        }
        needed
    }

    /// Refuses a template whose capabilities were not acknowledged.
    pub(crate) fn check_capabilities(&self, given: &[g::Capability]) -> Result<(), ApiError> {
        let has = |wanted: g::Capability| {
            given.contains(&wanted)
                || wanted == g::Capability::CapabilityIam
                    && given.contains(&g::Capability::CapabilityNamedIam)
        };
        let missing: Vec<&str> =
            self.capabilities().into_iter().filter(|c| !has(*c)).map(g::Capability::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(g::InsufficientCapabilitiesException::new(format!(
            "Requires capabilities : [{}]",
            missing.join(", ")
        ))
        .into())
    }
}

/// The template's text: from the request, or from S3 as the caller may read it.
pub(crate) async fn text(
    cfn: &CloudFormation,
    cx: &Context,
    body: Option<String>,
    url: Option<String>,
) -> Result<Option<String>, ApiError> {
    match (body, url) {
        (Some(_), Some(_)) => Err(validation("You can specify only one of TemplateBody or TemplateURL")),
        (None, None) => Ok(None),
        (Some(body), None) if body.len() > BODY_BYTES_MAX => Err(validation(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to {BODY_BYTES_MAX}"
        ))),
        (Some(body), None) => Ok(Some(body)),
        (None, Some(url)) => {
            let (bucket, key) =
                place(&url).ok_or_else(|| validation("TemplateURL must be a supported URL."))?;
            let found = cfn.objects.read(cx, &bucket, &key, None).await;
            let (_, stream) = found.map_err(|error| validation(format!("S3 error: {}", error.message)))?;
            let bytes = stream.collect(OBJECT_BYTES_MAX).await.map_err(|_| {
                validation(format!("Template may not exceed {OBJECT_BYTES_MAX} bytes in size."))
            })?;
            let text = String::from_utf8(bytes.to_vec());
            text.map(Some).map_err(|_| validation("Template format error: unsupported structure."))
        }
    }
}

/// Bucket and key of an S3 URL in path style or with the bucket in the host.
fn place(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (host, path) = rest.split_once('/')?;
    let path = path.split('?').next().unwrap_or(path);
    match host.split_once(".s3") {
        Some((bucket, behind)) if behind.starts_with(['.', '-']) => {
            Some((bucket.to_owned(), path.to_owned()))
        }
        _ => path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned())),
    }
}

pub(crate) async fn validate(
    handle: &Handle,
    cx: &Context,
    input: g::ValidateTemplateInput,
) -> Result<g::ValidateTemplateOutput, ApiError> {
    let text = text(&handle.0, cx, input.template_body, input.template_url).await?;
    let text = text.ok_or_else(|| validation("Either Template URL or Template Body must be specified."))?;
    let source = Source::read(text)?;
    let parameters = source.template.parameters.iter().map(|(name, parameter)| g::TemplateParameter {
        parameter_key: Some(name.clone()),
        default_value: parameter.default.clone(),
        no_echo: Some(parameter.no_echo),
        description: parameter.description.clone(),
    });
    let capabilities = source.capabilities();
    Ok(g::ValidateTemplateOutput {
        parameters: Some(parameters.collect()),
        description: source.template.description.clone(),
        capabilities_reason: reason(&source, &capabilities),
        capabilities: Some(capabilities),
        declared_transforms: Some(source.transforms),
    })
}

fn reason(source: &Source, capabilities: &[g::Capability]) -> Option<String> {
    let kinds: std::collections::BTreeSet<&str> = source
        .template
        .resources
        .values()
        .map(|r| r.kind.as_str())
        .filter(|kind| kind.starts_with("AWS::IAM::"))
        .collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    (!capabilities.is_empty())
        .then(|| format!("The following resource(s) require capabilities: [{}]", kinds.join(", ")))
}

pub(crate) async fn summary(
    handle: &Handle,
    cx: &Context,
    input: g::GetTemplateSummaryInput,
) -> Result<g::GetTemplateSummaryOutput, ApiError> {
    let text = match text(&handle.0, cx, input.template_body, input.template_url).await? {
        Some(text) => text,
        None => {
            let name = input
                .stack_name
                .ok_or_else(|| validation("Either StackName or TemplateBody must be specified."))?;
            stack::load(&handle.0, cx, &name).await?.record.template
        }
    };
    let source = Source::read(text)?;
    let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, resource) in &source.template.resources {
        by_kind.entry(&resource.kind).or_default().push(name.clone());
    }
    let parameters = source.template.parameters.iter().map(|(name, parameter)| g::ParameterDeclaration {
        parameter_key: Some(name.clone()),
        default_value: parameter.default.clone(),
        parameter_type: Some(parameter.kind.clone()),
        no_echo: Some(parameter.no_echo),
        description: parameter.description.clone(),
        parameter_constraints: Some(g::ParameterConstraints {
            allowed_values: (!parameter.allowed.is_empty()).then(|| parameter.allowed.clone()),
        }),
    });
    let capabilities = source.capabilities();
    Ok(g::GetTemplateSummaryOutput {
        parameters: Some(parameters.collect()),
        description: source.template.description.clone(),
        capabilities_reason: reason(&source, &capabilities),
        capabilities: Some(capabilities),
        resource_types: Some(by_kind.keys().map(|kind| (*kind).to_owned()).collect()),
        version: Some("2010-09-09".into()),
        declared_transforms: Some(source.transforms.clone()),
        ..Default::default()
    })
}
