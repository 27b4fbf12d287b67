//! How a request to a function URL is answered: find, cross-origin, authorize, invoke, answer.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use pagoda_policy::Principal;
use pagoda_protocol::{ApiError, Body};
use pagoda_service::{Access, Arrival, Context, DataPlane, Service as _};
use serde_json::json;

use crate::Lambda;
use crate::download;
use crate::name::Named;

use super::record::FunctionUrl;
use super::{answer, cors, event, record, stream};

/// The largest request body, in bytes.
const BODY_BYTES_MAX: usize = 6_291_456;
const FORBIDDEN: &str = "Forbidden. For troubleshooting Function URL authorization issues, see: \
                         https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

/// Why there is no answer of the function.
enum Refusal {
    /// There is no such URL, or this caller may not call it.
    Forbidden,
    /// The signature is wrong, the body too large, or nothing more may run: the error says it.
    Error(ApiError),
    /// The function failed, or answered what cannot be a response.
    BadGateway,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

#[async_trait]
impl DataPlane for Lambda {
    async fn serve(&self, arrival: Arrival) -> Response<Body> {
        let request_id = arrival.cx.request_id;
        if arrival.name == download::NAME {
            return download::serve(self, &arrival.path).await;
        }
        let mut response = self.phases(arrival).await;
        if let Ok(id) = HeaderValue::from_bytes(&request_id.text()) {
            response.headers_mut().insert("x-amzn-requestid", id);
        }
        response
    }
}

impl Lambda {
    async fn phases(&self, arrival: Arrival) -> Response<Body> {
        let Arrival { parts, body, cx, name, path } = arrival;
        let (named, url) = match record::find(self, &name).await {
            Ok(Some(found)) => found,
            Ok(None) => return Refusal::Forbidden.into_response(),
            Err(error) => return Refusal::Error(error).into_response(),
        };
        if let Some(response) = url.cors.as_ref().and_then(|cors| cors::preflight(cors, &parts)) {
            return response;
        }
        let cx = Context { account: named.function.account, region: named.function.region.clone(), ..cx };
        let answered = self.answer(cx, &named, &url, &parts, &path, body).await;
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        if let Some(cors) = &url.cors {
            cors::add(cors, &parts.headers, response.headers_mut());
        }
        response
    }

    async fn answer(
        &self,
        mut cx: Context,
        named: &Named,
        url: &FunctionUrl,
        parts: &Parts,
        path: &str,
        body: Body,
    ) -> Result<Response<Body>, Refusal> {
        let body = body.collect(BODY_BYTES_MAX).await.map_err(of_body)?;
        if url.signed {
            cx.caller = self.ports.authenticate.caller("lambda", parts, &body).await?;
            if cx.caller.principal == Principal::Anonymous {
                return Err(Refusal::Forbidden);
            }
        }
        self.check_call(&cx, named, url).await?;
        let event = event::of(&cx, parts, path, &body, &url.id);
        let payload = Bytes::from(event.to_string());
        let answered = if url.streamed {
            stream::respond(self, &cx, named, payload).await?
        } else {
            let invoked = self.invoke_named(&cx, named, payload, None).await?;
            answer::of(&invoked)
        };
        answered.map_err(|_| Refusal::BadGateway)
    }

    /// Both are asked for: to call the URL, and to invoke the function by it.
    async fn check_call(&self, cx: &Context, named: &Named, url: &FunctionUrl) -> Result<(), Refusal> {
        let kind = if url.signed { "AWS_IAM" } else { "NONE" };
        for access in [
            Access::new("lambda:InvokeFunctionUrl", named.arn()).with("lambda:FunctionUrlAuthType", kind),
            Access::new("lambda:InvokeFunction", named.arn()).with("lambda:InvokedViaFunctionUrl", "true"),
        ] {
            let ownership = self.ownership(cx, &access).await?;
            if !self.ports.authorizer.decide(cx, &access, &ownership).await?.allowed {
                return Err(Refusal::Forbidden);
            }
        }
        Ok(())
    }
}

fn of_body(error: ApiError) -> Refusal {
    match error.code.as_ref() {
        "EntityTooLarge" => {
            Refusal::Error(ApiError::new("RequestEntityTooLarge", 413, "Request Entity Too Large"))
        }
        _ => Refusal::Error(error),
    }
}

impl Refusal {
    fn into_response(self) -> Response<Body> {
        let (status, kind, text) = match self {
            Self::Forbidden => {
                (StatusCode::FORBIDDEN, "application/json", json!({ "Message": FORBIDDEN }).to_string())
            }
            Self::BadGateway => (StatusCode::BAD_GATEWAY, "text/plain", "Internal Server Error".to_owned()),
            Self::Error(error) if error.status.is_server_error() => {
                tracing::error!(%error, "a request to a function URL failed inside");
                (error.status, "text/plain", "Internal Server Error".to_owned())
            }
            Self::Error(error) => {
                (error.status, "application/json", json!({ "message": error.message }).to_string())
            }
        };
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}
