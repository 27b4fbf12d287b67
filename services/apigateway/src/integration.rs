//! PutIntegration GetIntegration UpdateIntegration DeleteIntegration

use std::collections::BTreeMap;

use pagoda_protocol::{ApiError, Unit};
use pagoda_service::{Access, Context, Ownership};

use crate::edit::{self, bad_request};
use crate::generated as g;
use crate::table::{ContentHandling, Integration, IntegrationKind, Method, Passthrough, Resource, Texts};
use crate::{ApiGateway, integration_response, method, patch, serve};

/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const TIMEOUT_MILLIS: std::ops::RangeInclusive<i32> = 50..=29_000;
const TIMEOUT_MILLIS_DEFAULT: i32 = 29_000;
/// As roles name it that trust it.
pub(crate) const SERVICE: &str = "apigateway.amazonaws.com";
/// The credentials that mean the caller's own.
const CALLER: &str = "arn:aws:iam::*:user/*";

pub(crate) async fn put(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::PutIntegrationRequest,
) -> Result<g::Integration, ApiError> {
    let integration = read(Wanted {
        kind: input.r#type,
        http_method: input.integration_http_method,
        uri: input.uri,
        credentials: input.credentials,
        request_parameters: input.request_parameters.unwrap_or_default(),
        request_templates: input.request_templates.unwrap_or_default(),
        passthrough: input.passthrough_behavior,
        content_handling: input.content_handling.map(content_handling),
        timeout_millis: input.timeout_in_millis,
        is_unverified: input.tls_config.and_then(|tls| tls.insecure_skip_verification).unwrap_or(false),
        cache_namespace: Some(input.cache_namespace.unwrap_or_else(|| input.resource_id.clone())),
        cache_key_parameters: input.cache_key_parameters.unwrap_or_default(),
    })?;
    check_role(gateway, cx, &integration).await?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let method = method::of_mut(resource, &input.http_method)?;
        check_declared(method, &integration)?;
        let responses = method.integration.take().map(|present| present.responses).unwrap_or_default();
        let integration = Integration { responses, ..integration.clone() };
        let described = describe(&integration);
        method.integration = Some(integration);
        Ok(described)
    })
    .await
}

pub(crate) async fn update(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::UpdateIntegrationRequest,
) -> Result<g::Integration, ApiError> {
    let patches = patch::read(&input.patch_operations)?;
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    check_role(gateway, cx, &patched(of(&resource, &input.http_method)?, &patches)?).await?;
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let changed = patched(of(resource, &input.http_method)?, &patches)?;
        let method = method::of_mut(resource, &input.http_method)?;
        check_declared(method, &changed)?;
        let described = describe(&changed);
        method.integration = Some(changed);
        Ok(described)
    })
    .await
}

/// The integration as the patches leave it, checked as a new one is.
fn patched(present: &Integration, patches: &[patch::Patch<'_>]) -> Result<Integration, ApiError> {
    let mut wanted = Wanted::of(present);
    for patch in patches {
        if let Some(name) = patch.below("/cacheKeyParameters/") {
            wanted.cache_key_parameters.retain(|present| *present != name);
            if patch.op != g::Op::Remove {
                wanted.cache_key_parameters.push(name);
            }
            continue;
        }
        let (texts, name) = match (patch.below("/requestParameters/"), patch.below("/requestTemplates/")) {
            (Some(name), _) => (&mut wanted.request_parameters, name),
            (_, Some(name)) => (&mut wanted.request_templates, name),
            _ => {
                apply(&mut wanted, patch)?;
                continue;
            }
        };
        match patch.op {
            g::Op::Remove => drop(texts.remove(&name)),
            _ => drop(texts.insert(name, patch.given()?.to_owned())),
        }
    }
    Ok(Integration { responses: present.responses.clone(), ..read(wanted)? })
}

fn apply(wanted: &mut Wanted, patch: &patch::Patch<'_>) -> Result<(), ApiError> {
    let text = || Ok::<_, ApiError>(Some(patch.given()?.to_owned()).filter(|text| !text.is_empty()));
    match patch.path {
        "/type" => {
            let kind = patch.replaced()?;
            wanted.kind =
                kind.parse().map_err(|_| bad_request(format!("Invalid integration type {kind}")))?;
        }
        "/httpMethod" => wanted.http_method = text()?,
        "/uri" => wanted.uri = text()?,
        "/credentials" if patch.op == g::Op::Remove => wanted.credentials = None,
        "/credentials" => wanted.credentials = text()?,
        "/passthroughBehavior" => wanted.passthrough = text()?,
        "/contentHandling" => wanted.content_handling = content_handling_of(patch)?,
        "/timeoutInMillis" => {
            let millis = patch.replaced()?.parse();
            wanted.timeout_millis = Some(millis.map_err(|_| bad_request("Invalid timeout specified"))?);
        }
        "/cacheNamespace" => wanted.cache_namespace = text()?,
        "/tlsConfig/insecureSkipVerification" => wanted.is_unverified = patch.flag()?,
        _ => return Err(patch.refused()),
    }
    Ok(())
}

/// An integration as it is asked for, by an operation or by an imported definition.
pub(crate) struct Wanted {
    pub(crate) kind: g::IntegrationType,
    pub(crate) http_method: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) credentials: Option<String>,
    pub(crate) request_parameters: Texts,
    pub(crate) request_templates: Texts,
    pub(crate) passthrough: Option<String>,
    pub(crate) content_handling: Option<ContentHandling>,
    pub(crate) timeout_millis: Option<i32>,
    pub(crate) is_unverified: bool,
    pub(crate) cache_namespace: Option<String>,
    pub(crate) cache_key_parameters: Vec<String>,
}

impl Wanted {
    /// An integration of this kind of which nothing else is known yet.
    pub(crate) fn new(kind: g::IntegrationType) -> Self {
        Self {
            kind,
            http_method: None,
            uri: None,
            credentials: None,
            request_parameters: Texts::new(),
            request_templates: Texts::new(),
            passthrough: None,
            content_handling: None,
            timeout_millis: None,
            is_unverified: false,
            cache_namespace: None,
            cache_key_parameters: Vec::new(),
        }
    }

    /// What would be asked for to get the present one.
    fn of(present: &Integration) -> Self {
        let credentials = present.as_caller.then(|| CALLER.to_owned());
        Self {
            kind: describe_kind(present.kind),
            http_method: present.http_method.clone(),
            uri: present.uri.clone(),
            credentials: credentials.or_else(|| present.role.clone()),
            request_parameters: present.request_parameters.clone(),
            request_templates: present.request_templates.clone(),
            passthrough: Some(describe_passthrough(present.passthrough).to_owned()),
            content_handling: present.content_handling,
            timeout_millis: i32::try_from(present.timeout_millis).ok(),
            is_unverified: present.is_unverified,
            cache_namespace: present.cache_namespace.clone(),
            cache_key_parameters: present.cache_key_parameters.clone(),
        }
    }
}

/// Checks an integration; its responses come later.
pub(crate) fn read(wanted: Wanted) -> Result<Integration, ApiError> {
    let kind = match wanted.kind {
        g::IntegrationType::Mock => IntegrationKind::Mock,
        g::IntegrationType::AwsProxy => IntegrationKind::AwsProxy,
        g::IntegrationType::Aws => IntegrationKind::Aws,
        g::IntegrationType::Http => IntegrationKind::Http,
        g::IntegrationType::HttpProxy => IntegrationKind::HttpProxy,
    };
    check_target(kind, &wanted)?;
    if let Some((_, value)) =
        wanted.request_parameters.iter().find(|(name, value)| !serve::maps_request(name, value))
    {
        return Err(bad_request(format!("Invalid mapping expression specified: {value}")));
    }
    check_cache_key(&wanted)?;
    let (as_caller, role) = match wanted.credentials {
        Some(credentials) if credentials == CALLER => (true, None),
        Some(role) if !role.starts_with("arn:aws:iam::") || !role.contains(":role/") => {
            return Err(bad_request("Invalid ARN specified in the request"));
        }
        role => (false, role),
    };
    let timeout_millis = wanted.timeout_millis.unwrap_or(TIMEOUT_MILLIS_DEFAULT);
    if !TIMEOUT_MILLIS.contains(&timeout_millis) {
        return Err(bad_request("Timeout should be between 50 ms and 29000 ms"));
    }
    Ok(Integration {
        kind,
        http_method: wanted.http_method,
        uri: wanted.uri,
        request_parameters: wanted.request_parameters,
        request_templates: wanted.request_templates,
        as_caller,
        role,
        passthrough: passthrough(wanted.passthrough.as_deref())?,
        content_handling: wanted.content_handling,
        timeout_millis: timeout_millis as u64,
        is_unverified: wanted.is_unverified,
        cache_namespace: wanted.cache_namespace,
        cache_key_parameters: wanted.cache_key_parameters,
        responses: BTreeMap::new(),
    })
}

/// What chooses among answers that are kept is a parameter of the method's request, or one that the integration has
/// from there.
fn check_cache_key(wanted: &Wanted) -> Result<(), ApiError> {
    const PLACES: [&str; 5] =
        ["header.", "querystring.", "path.", "multivalueheader.", "multivaluequerystring."];
    let is_parameter = |name: &String| {
        let own = name.strip_prefix("method.request.");
        let place = |rest: &str| {
            PLACES.iter().any(|place| rest.strip_prefix(place).is_some_and(|name| !name.is_empty()))
        };
        own.is_some_and(place) || wanted.request_parameters.contains_key(name)
    };
    match wanted.cache_key_parameters.iter().find(|name| !is_parameter(name)) {
        Some(name) => Err(bad_request(format!("Invalid cache key parameter specified: {name}"))),
        None => Ok(()),
    }
}

/// What each kind needs to know of where it goes.
fn check_target(kind: IntegrationKind, wanted: &Wanted) -> Result<(), ApiError> {
    let uri = wanted.uri.as_deref().unwrap_or_default();
    let verb = wanted.http_method.as_deref();
    if kind != IntegrationKind::Mock {
        let verb = verb.ok_or_else(|| bad_request("Enumeration value for HttpMethod must be non-empty"))?;
        method::verb(verb)?;
    }
    check_acts(kind, wanted)?;
    match kind {
        IntegrationKind::Mock => Ok(()),
        IntegrationKind::AwsProxy => {
            if function_arn(uri).is_none() {
                return Err(bad_request("Invalid ARN specified in the request"));
            }
            if verb != Some("POST") {
                return Err(ApiError::not_implemented(
                    "PutIntegration",
                    "integrationHttpMethod other than POST",
                ));
            }
            Ok(())
        }
        IntegrationKind::Aws => match serve::AwsTarget::read(uri) {
            Some(_) => Ok(()),
            None => Err(bad_request("AWS ARN for integration must contain path or action")),
        },
        IntegrationKind::Http | IntegrationKind::HttpProxy => {
            // What a variable stands for is known when a stage is served.
            if uri.starts_with("http://") || uri.starts_with("https://") || uri.starts_with("${") {
                return Ok(());
            }
            Err(bad_request("Invalid HTTP endpoint specified for URI"))
        }
    }
}

/// Refuses settings that would do nothing with an integration of this kind.
fn check_acts(kind: IntegrationKind, wanted: &Wanted) -> Result<(), ApiError> {
    let is_proxy = matches!(kind, IntegrationKind::AwsProxy | IntegrationKind::HttpProxy);
    let is_server = matches!(kind, IntegrationKind::Http | IntegrationKind::HttpProxy);
    let is_function = kind == IntegrationKind::AwsProxy;
    // A function gets bytes as base64 anyway.
    let converts = match kind {
        IntegrationKind::AwsProxy => wanted.content_handling == Some(ContentHandling::ConvertToBinary),
        _ => is_proxy && wanted.content_handling.is_some(),
    };
    let useless = [
        ("requestTemplates", is_proxy && !wanted.request_templates.is_empty()),
        ("requestParameters", is_function && !wanted.request_parameters.is_empty()),
        ("contentHandling", converts),
        ("tlsConfig", !is_server && wanted.is_unverified),
        ("credentials", (is_server || kind == IntegrationKind::Mock) && wanted.credentials.is_some()),
    ];
    match useless.iter().find(|(_, is_useless)| *is_useless) {
        Some((name, _)) => {
            let kind = describe_kind(kind).as_str();
            Err(ApiError::not_implemented("PutIntegration", &format!("{name} of {kind}")))
        }
        None => Ok(()),
    }
}

/// Mappings name parameters that the method declares.
pub(crate) fn check_declared(method: &Method, integration: &Integration) -> Result<(), ApiError> {
    let undeclared = |value: &&String| {
        let is_parameter = value.starts_with("method.request.") && !value.starts_with("method.request.body");
        let plain = value.replace("method.request.multivalue", "method.request.");
        is_parameter
            && !method.request_parameters.contains_key(*value)
            && !method.request_parameters.contains_key(&plain)
            && !value.starts_with("method.request.path.")
    };
    if let Some(value) = integration.request_parameters.values().find(undeclared) {
        return Err(bad_request(format!("Invalid mapping expression parameter specified: {value}")));
    }
    match integration.cache_key_parameters.iter().find(undeclared) {
        Some(name) => Err(bad_request(format!("Invalid cache key parameter specified: {name}"))),
        None => Ok(()),
    }
}

/// Whoever lets an integration act as a role must be allowed to pass the role on.
async fn check_role(gateway: &ApiGateway, cx: &Context, integration: &Integration) -> Result<(), ApiError> {
    let Some(role) = &integration.role else { return Ok(()) };
    let access = Access::new("iam:PassRole", role).with("iam:PassedToService", SERVICE);
    gateway.ports.authorizer.require(&g::SERVICE, cx, &access, &Ownership::of(cx.account)).await
}

pub(crate) fn content_handling(wanted: g::ContentHandlingStrategy) -> ContentHandling {
    match wanted {
        g::ContentHandlingStrategy::ConvertToBinary => ContentHandling::ConvertToBinary,
        g::ContentHandlingStrategy::ConvertToText => ContentHandling::ConvertToText,
    }
}

pub(crate) fn describe_content_handling(kept: ContentHandling) -> g::ContentHandlingStrategy {
    match kept {
        ContentHandling::ConvertToBinary => g::ContentHandlingStrategy::ConvertToBinary,
        ContentHandling::ConvertToText => g::ContentHandlingStrategy::ConvertToText,
    }
}

/// What a patch says of `contentHandling`; the empty text is nothing.
pub(crate) fn content_handling_of(patch: &patch::Patch<'_>) -> Result<Option<ContentHandling>, ApiError> {
    if patch.op == g::Op::Remove {
        return Ok(None);
    }
    match patch.given()? {
        "" => Ok(None),
        text => text.parse().map(|wanted| Some(content_handling(wanted))).map_err(|_| {
            bad_request(
                "Enumeration value for contentHandling must be one of: CONVERT_TO_BINARY, CONVERT_TO_TEXT",
            )
        }),
    }
}

fn passthrough(text: Option<&str>) -> Result<Passthrough, ApiError> {
    match text.map(str::to_ascii_uppercase).as_deref() {
        None | Some("WHEN_NO_MATCH") => Ok(Passthrough::WhenNoMatch),
        Some("WHEN_NO_TEMPLATES") => Ok(Passthrough::WhenNoTemplates),
        Some("NEVER") => Ok(Passthrough::Never),
        Some(_) => Err(bad_request(
            "Enumeration value for passthroughBehavior must be one of: WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER",
        )),
    }
}

/// The function in `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`.
pub(crate) fn function_arn(uri: &str) -> Option<&str> {
    let (head, rest) = uri.split_once(":lambda:path/2015-03-31/functions/")?;
    let function = rest.strip_suffix("/invocations")?;
    (head.starts_with("arn:aws:apigateway:") && !function.is_empty()).then_some(function)
}

pub(crate) async fn get(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::GetIntegrationRequest,
) -> Result<g::Integration, ApiError> {
    edit::load(gateway, cx, &input.rest_api_id).await?;
    let resource = edit::resource(gateway, &input.rest_api_id, &input.resource_id).await?.record;
    Ok(describe(of(&resource, &input.http_method)?))
}

pub(crate) async fn delete(
    gateway: &ApiGateway,
    cx: &Context,
    input: g::DeleteIntegrationRequest,
) -> Result<Unit, ApiError> {
    edit::change_resource(gateway, cx, &input.rest_api_id, &input.resource_id, |resource| {
        let method = method::of_mut(resource, &input.http_method)?;
        method.integration.take().map(|_| Unit).ok_or_else(missing)
    })
    .await
}

pub(crate) fn of<'r>(resource: &'r Resource, verb: &str) -> Result<&'r Integration, ApiError> {
    method::of(resource, verb)?.integration.as_ref().ok_or_else(missing)
}

pub(crate) fn of_mut<'r>(resource: &'r mut Resource, verb: &str) -> Result<&'r mut Integration, ApiError> {
    method::of_mut(resource, verb)?.integration.as_mut().ok_or_else(missing)
}

fn missing() -> ApiError {
    g::NotFoundException::new("Invalid Integration identifier specified").into()
}

fn describe_kind(kind: IntegrationKind) -> g::IntegrationType {
    match kind {
        IntegrationKind::AwsProxy => g::IntegrationType::AwsProxy,
        IntegrationKind::Mock => g::IntegrationType::Mock,
        IntegrationKind::Aws => g::IntegrationType::Aws,
        IntegrationKind::Http => g::IntegrationType::Http,
        IntegrationKind::HttpProxy => g::IntegrationType::HttpProxy,
    }
}

fn describe_passthrough(passthrough: Passthrough) -> &'static str {
    match passthrough {
        Passthrough::WhenNoMatch => "WHEN_NO_MATCH",
        Passthrough::WhenNoTemplates => "WHEN_NO_TEMPLATES",
        Passthrough::Never => "NEVER",
    }
}

pub(crate) fn describe(integration: &Integration) -> g::Integration {
    let responses = integration
        .responses
        .iter()
        .map(|(status, response)| (status.clone(), integration_response::describe(status, response)));
    g::Integration {
        r#type: Some(describe_kind(integration.kind)),
        http_method: integration.http_method.clone(),
        uri: integration.uri.clone(),
        credentials: Wanted::of(integration).credentials,
        request_parameters: (!integration.request_parameters.is_empty())
            .then(|| integration.request_parameters.clone()),
        request_templates: (!integration.request_templates.is_empty())
            .then(|| integration.request_templates.clone()),
        passthrough_behavior: Some(describe_passthrough(integration.passthrough).into()),
        content_handling: integration.content_handling.map(describe_content_handling),
        tls_config: integration
            .is_unverified
            .then_some(g::TlsConfig { insecure_skip_verification: Some(true) }),
        timeout_in_millis: Some(integration.timeout_millis as i32),
        cache_namespace: integration.cache_namespace.clone(),
        cache_key_parameters: Some(integration.cache_key_parameters.clone()),
        integration_responses: (!integration.responses.is_empty()).then(|| responses.collect()),
        ..Default::default()
    }
}
