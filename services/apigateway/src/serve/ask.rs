//! What stands behind mapped integrations: servers, functions, and the operations of services.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use pagoda_service::ports::{Invocation, Invoked};
use pagoda_service::{Caller, Context};
use serde_json::Value;

use super::answer::Refusal;
use super::mapped::Incoming;
use super::outgoing::Outgoing;
use super::passing::send;
use super::proxy::{source_arn, with_variables};
use super::target::AwsTarget;
use super::upstream::drop_hop_by_hop;
use super::{BODY_BYTES_MAX, Call};
use crate::ApiGateway;
use crate::integration::SERVICE;
use crate::table::Integration;

/// How long a role's session may be used; it is one request's.
const SESSION_SECONDS: i32 = 900;
const INVOCATION_TYPE: &str = "x-amz-invocation-type";

impl ApiGateway {
    pub(crate) async fn ask_server(
        &self,
        call: &Call<'_>,
        integration: &Integration,
        outgoing: Outgoing,
    ) -> Result<Incoming, Refusal> {
        let uri = integration.uri.as_deref().unwrap_or_default();
        let uri: Uri =
            outgoing.address(uri, &call.deployment.variables).parse().map_err(|_| Refusal::InternalError)?;
        let mut headers = outgoing.headers;
        drop_hop_by_hop(&mut headers);
        headers.remove(http::header::CONTENT_LENGTH);
        let request = send(integration, call, uri, headers, outgoing.body)?;
        // The caller watches the time, the body's too.
        let answered =
            self.upstreams.send(request, integration.is_unverified, std::time::Duration::MAX).await?;
        let (parts, body) = answered.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|error| {
            tracing::warn!(%error, "an integration's answer could not be read");
            Refusal::BadGateway
        })?;
        Ok(Incoming {
            selector: Some(parts.status.as_u16().to_string()),
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }

    pub(crate) async fn ask_service(
        &self,
        call: &Call<'_>,
        integration: &Integration,
        outgoing: Outgoing,
    ) -> Result<Incoming, Refusal> {
        let uri = with_variables(integration.uri.as_deref().unwrap_or_default(), &call.deployment.variables);
        let cx = self.acting(call, integration).await?;
        match AwsTarget::read(&uri).ok_or(Refusal::InternalError)? {
            AwsTarget::Function(function_arn) => {
                let source_arn = Some(source_arn(call));
                let is_event = outgoing.headers.get(INVOCATION_TYPE).is_some_and(|kind| kind == "Event");
                let invocation = Invocation { function_arn, payload: outgoing.body, source_arn };
                self.ask_function(&cx, invocation, is_event).await
            }
            AwsTarget::Action { region, service, action, query } => {
                let query = [query.unwrap_or_default(), outgoing.query()];
                let query: Vec<&str> =
                    query.iter().map(String::as_str).filter(|query| !query.is_empty()).collect();
                let path = if query.is_empty() { "/".to_owned() } else { format!("/?{}", query.join("&")) };
                let parts = parts(http::Method::POST, &path, &service, &region, outgoing.headers)?;
                self.relay(&cx, &region, &service, Some(&action), parts, outgoing.body).await
            }
            AwsTarget::Path { region, service, subdomain, ref path } => {
                let bucket = subdomain.as_ref().map(|bucket| format!("/{bucket}")).unwrap_or_default();
                let path = format!("{bucket}/{}", path.trim_start_matches('/'));
                let path = outgoing.address(&path, &call.deployment.variables);
                let verb = integration.http_method.as_deref().filter(|verb| *verb != "ANY");
                let verb = verb.map(|verb| http::Method::from_bytes(verb.as_bytes())).transpose();
                let verb = verb.map_err(|_| Refusal::InternalError)?;
                let verb = verb.unwrap_or_else(|| call.parts.method.clone());
                let parts = parts(verb, &path, &service, &region, outgoing.headers)?;
                self.relay(&cx, &region, &service, None, parts, outgoing.body).await
            }
        }
    }

    /// As whom the integration is called: its role, the method's caller, or API Gateway itself.
    pub(crate) async fn acting(
        &self,
        call: &Call<'_>,
        integration: &Integration,
    ) -> Result<Context, Refusal> {
        let caller = match &integration.role {
            _ if integration.as_caller => call.cx.caller.clone(),
            None => Caller::service(SERVICE),
            Some(role) => {
                let session =
                    self.session(&call.cx, role, "BackplaneAssumeRoleSession", SESSION_SECONDS).await;
                session.map_err(|error| {
                    tracing::warn!(%error, role, "an integration's role was not assumed");
                    Refusal::InternalError
                })?
            }
        };
        Ok(call.cx.on_behalf(caller, SERVICE))
    }

    async fn ask_function(
        &self,
        cx: &Context,
        invocation: Invocation,
        is_event: bool,
    ) -> Result<Incoming, Refusal> {
        let refused = |error: pagoda_protocol::ApiError| {
            tracing::warn!(%error, "an integration's function was not invoked");
            Refusal::InternalError
        };
        if is_event {
            self.ports.later.enqueue(cx, invocation).await.map_err(refused)?;
            return Ok(Incoming {
                selector: None,
                status: StatusCode::ACCEPTED,
                headers: HeaderMap::new(),
                body: Bytes::new(),
            });
        }
        let invoked = self.ports.functions.invoke(cx, invocation).await.map_err(refused)?;
        Ok(Incoming {
            selector: failure(&invoked),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: invoked.payload,
        })
    }

    async fn relay(
        &self,
        cx: &Context,
        region: &str,
        service: &str,
        action: Option<&str>,
        parts: Parts,
        body: Bytes,
    ) -> Result<Incoming, Refusal> {
        let region = region.parse().map_err(|_| Refusal::InternalError)?;
        let cx = Context { region, ..cx.clone() };
        let account = cx.caller.principal.account().unwrap_or(cx.account);
        let cx = Context { account, ..cx };
        let response = self.ports.relay.relay(&cx, service, action, parts, body).await;
        let (parts, body) = response.into_parts();
        let body = body.collect(BODY_BYTES_MAX).await.map_err(|_| Refusal::BadGateway)?;
        Ok(Incoming {
            selector: Some(parts.status.as_u16().to_string()),
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

/// What a function that failed said of it.
fn failure(invoked: &Invoked) -> Option<String> {
    invoked.function_error?;
    let document: Option<Value> = serde_json::from_slice(&invoked.payload).ok();
    let message = document.as_ref().and_then(|document| document.get("errorMessage")).and_then(Value::as_str);
    Some(message.unwrap_or_default().to_owned())
}

/// The head of a request to a service.
fn parts(
    verb: http::Method,
    path: &str,
    service: &str,
    region: &str,
    mut headers: HeaderMap,
) -> Result<Parts, Refusal> {
    let host = HeaderValue::from_str(&format!("{service}.{region}.amazonaws.com"));
    headers.insert(http::header::HOST, host.map_err(|_| Refusal::InternalError)?);
    let request = Request::builder().method(verb).uri(path).body(()).map_err(|_| Refusal::InternalError)?;
    let mut parts = request.into_parts().0;
    parts.headers = headers;
    Ok(parts)
}
