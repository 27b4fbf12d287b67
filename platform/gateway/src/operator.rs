//! The platform's own pages, below `/_pagoda/`.
//!
//! Health and counts of requests are for anyone who reaches the platform; what tells of somebody's functions
//! is for those who may list them.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use pagoda_protocol::{ApiError, Body};
use pagoda_service::ports::Authenticate as _;
use pagoda_service::{Access, Context};
use serde_json::{Value, json};

use crate::pipeline::Gateway;

const JSON: &str = "application/json";

impl Gateway {
    /// Answers for a page; `cx` is the request's, with nobody as its caller yet.
    pub(crate) async fn page(&self, parts: &Parts, cx: Context) -> Response<Body> {
        match parts.uri.path() {
            "/_pagoda/health" => page(StatusCode::OK, JSON, json!({ "status": "ok" }).to_string()),
            "/_pagoda/metrics" => {
                page(StatusCode::OK, "text/plain; version=0.0.4", self.counters.prometheus())
            }
            "/_pagoda/functions" => match self.functions(parts, cx).await {
                Ok(found) => page(StatusCode::OK, JSON, found.to_string()),
                Err(error) => page(error.status, JSON, json!({ "message": error.message }).to_string()),
            },
            _ => page(StatusCode::NOT_FOUND, "text/plain", "There is nothing here.\n".to_owned()),
        }
    }

    /// The instances of the caller's functions.
    async fn functions(&self, parts: &Parts, cx: Context) -> Result<Value, ApiError> {
        let caller = self.authenticator.caller("lambda", parts, &Bytes::new()).await?;
        let Some(account) = caller.principal.account() else {
            return Err(ApiError::new(
                "MissingAuthenticationTokenException",
                403,
                "Missing Authentication Token",
            ));
        };
        let api = self.registry.api("lambda").ok_or_else(|| ApiError::unavailable("lambda"))?;
        let cx = Context { account, caller, ..cx };
        self.registry.authorize(&cx, api, &[Access::everywhere("lambda:ListFunctions")]).await?;
        let all = self.planes.instances.iter().flat_map(|functions| functions.instances());
        let own = all.filter(|one| one.account == account);
        let shown = own.map(|one| {
            json!({ "region": one.region.as_str(), "function": one.function, "running": one.running, "idle": one.idle })
        });
        Ok(json!({ "functions": shown.collect::<Vec<_>>() }))
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
