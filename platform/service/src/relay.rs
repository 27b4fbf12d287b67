//! Requests in a service's own protocol, from inside: the path of a request without its authentication.

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response};
use pagoda_protocol::{ApiError, Body, Protocol, ServiceSpec, Target, Trace, checksum, encode_error, route};

use crate::ports::RelayRequest;
use crate::{Api, Context, Registry};

const TARGET: &str = "x-amz-target";

#[async_trait]
impl RelayRequest for Registry {
    async fn relay(
        &self,
        cx: &Context,
        service: &str,
        action: Option<&str>,
        mut parts: Parts,
        body: Bytes,
    ) -> Response<Body> {
        let request_id = cx.request_id.to_string();
        let resource = parts.uri.path().to_owned();
        let head = parts.method == http::Method::HEAD;
        let trace = Trace { request_id: &request_id, host_id: &request_id, resource: &resource, head };
        let prefix = parts.headers.get(TARGET).and_then(|target| target.to_str().ok());
        let prefix = prefix.and_then(|target| target.rsplit_once('.')).map(|(prefix, _)| prefix.to_owned());
        let api = match action {
            Some(action) => self.operation(service, action).map(|(api, _)| api),
            None => None,
        };
        let Some(api) = api.or_else(|| self.targeted(service, prefix.as_deref())) else {
            return missing(service);
        };
        let body = action.map_or(body.clone(), |action| ask_for(api.spec(), action, &mut parts, body));
        let mut protocol = api.spec().protocols[0];
        match self.answer(cx, api, &mut protocol, &parts, body, &trace).await {
            Ok(response) => response,
            Err(error) => encode_error(api.spec(), protocol, &error, &trace),
        }
    }
}

impl Registry {
    /// Route, decode, authorize, call, encode.
    async fn answer(
        &self,
        cx: &Context,
        api: &Api,
        protocol: &mut Protocol,
        parts: &Parts,
        body: Bytes,
        trace: &Trace<'_>,
    ) -> Result<Response<Body>, ApiError> {
        let spec = api.spec();
        let routed = route(spec, parts, &body)?;
        *protocol = routed.protocol;
        let name = match routed.target {
            Target::Unavailable(name) => return Err(ApiError::unavailable(name)),
            Target::Operation(operation) => operation.name,
        };
        let operation = api.operation(name).ok_or_else(|| ApiError::unavailable(name))?;
        if spec.is_s3() && !operation.spec().streams_input {
            checksum::verify(operation.spec().input, &parts.headers, &body)?;
        }
        let input = operation.decode(&routed, parts, Body::from(body))?;
        let needed = operation.access(cx, &input)?;
        self.authorize(cx, api, &needed).await?;
        let output = operation.call(cx, input).await?;
        Ok(output.encode(spec, routed.protocol, operation.spec(), trace))
    }
}

/// Names the action where the service's protocol looks for it, unless the request does itself.
fn ask_for(spec: &ServiceSpec, action: &str, parts: &mut Parts, body: Bytes) -> Bytes {
    let speaks = |wanted: &[Protocol]| spec.protocols.iter().any(|protocol| wanted.contains(protocol));
    if let (Some(prefix), true) = (spec.target_prefix, speaks(&[Protocol::AwsJson10, Protocol::AwsJson11])) {
        if let Ok(target) = HeaderValue::from_str(&format!("{prefix}.{action}")) {
            parts.headers.entry(TARGET).or_insert(target);
        }
        return body;
    }
    if !speaks(&[Protocol::AwsQuery]) {
        return body;
    }
    // Parameters of the query string are the form's, if the request has no form.
    let form = match body.is_empty() {
        true => parts.uri.query().unwrap_or_default().to_owned(),
        false => String::from_utf8_lossy(&body).into_owned(),
    };
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    parts.headers.insert(http::header::CONTENT_TYPE, form_type);
    let has = |name: &str| form.split('&').any(|pair| pair.split('=').next() == Some(name));
    let mut asked = Vec::new();
    for (name, value) in [("Action", action), ("Version", spec.api_version)] {
        if !has(name) {
            asked.push(format!("{name}={value}"));
        }
    }
    asked.extend((!form.is_empty()).then_some(form));
    asked.join("&").into()
}

fn missing(service: &str) -> Response<Body> {
    let message = format!("The service {service} is not available in Pagoda");
    let body = serde_json::json!({ "__type": "NotImplemented", "message": message }).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = http::StatusCode::NOT_IMPLEMENTED;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
