//! Websites: the data plane of buckets with a website configuration.
//!
//! The path of a request: bucket, redirect of everything, redirect by prefix, object (or the index of a
//! folder), redirect by error, error document, error page. All reading is anonymous: the bucket's policy
//! and its public access block decide.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html>

mod answer;
mod page;
mod redirect;

use async_trait::async_trait;
use http::{Method, Response};
use pagoda_protocol::{ApiError, Body};
use pagoda_service::{Arrival, Caller, Context, DataPlane};
use percent_encoding::percent_decode_str;

use crate::generated::WebsiteConfiguration;
use crate::table::{Bucket, Object};
use crate::{S3, access, bucket, content, error, name, object, public, website};

/// A website and who asks for what of it.
pub(crate) struct Visit<'a> {
    pub(crate) s3: &'a S3,
    pub(crate) cx: &'a Context,
    pub(crate) bucket: &'a Bucket,
    pub(crate) website: &'a WebsiteConfiguration,
    pub(crate) request: &'a http::request::Parts,
    /// The path, decoded, without the slash before it.
    pub(crate) key: &'a str,
}

#[async_trait]
impl DataPlane for S3 {
    async fn serve(&self, arrival: Arrival) -> Response<Body> {
        let Arrival { parts, mut cx, name, path, .. } = arrival;
        cx.caller = Caller::anonymous();
        let mut response = match found(self, &name).await {
            Ok((bucket, _)) if parts.method == Method::OPTIONS => {
                crate::cross_origin::preflight(&bucket, &parts.headers)
                    .unwrap_or_else(|error| page::error(&error, None))
            }
            Ok((bucket, website)) => answer(self, &cx, &bucket, &website, &parts, &path).await,
            Err(error) => page::error(&error, None),
        };
        let id = cx.request_id.to_string();
        for name in ["x-amz-request-id", "x-amz-id-2"] {
            answer::header(response.headers_mut(), name, &id);
        }
        if parts.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

async fn found(s3: &S3, bucket: &str) -> Result<(Bucket, WebsiteConfiguration), ApiError> {
    let bucket = bucket::load(s3, bucket).await?;
    let website = website::of(&bucket)?.ok_or_else(|| website::none(&bucket.name))?;
    Ok((bucket, website))
}

async fn answer(
    s3: &S3,
    cx: &Context,
    bucket: &Bucket,
    website: &WebsiteConfiguration,
    request: &http::request::Parts,
    path: &str,
) -> Response<Body> {
    let key = match key(request, path) {
        Ok(key) => key,
        Err(error) => return page::error(&error, None),
    };
    let visit = Visit { s3, cx, bucket, website, request, key: &key };
    let mut response = match visit.answer().await {
        Ok(response) => response,
        Err(error) => visit.refusal(&error).await,
    };
    crate::cross_origin::add(bucket, request, response.headers_mut());
    response
}

fn key(request: &http::request::Parts, path: &str) -> Result<String, ApiError> {
    if request.method != Method::GET && request.method != Method::HEAD {
        let message = "The specified method is not allowed against this resource.";
        return Err(ApiError::new("MethodNotAllowed", 405, message));
    }
    let raw = path.strip_prefix('/').unwrap_or(path);
    let invalid = |_| ApiError::new("InvalidURI", 400, "Couldn't parse the specified URI.");
    let key = percent_decode_str(raw).decode_utf8().map_err(invalid)?.into_owned();
    name::check_key(&key)?;
    Ok(key)
}

impl Visit<'_> {
    async fn answer(&self) -> Result<Response<Body>, ApiError> {
        if let Some(target) = &self.website.redirect_all_requests_to {
            return Ok(redirect::everything(target, self));
        }
        if let Some(rule) = redirect::by_prefix(self.website, self.key) {
            return Ok(redirect::by_rule(rule, self));
        }
        let suffix = self.website.index_document.as_ref().map_or("index.html", |index| index.suffix.as_str());
        if self.key.is_empty() || self.key.ends_with('/') {
            return self.object(&format!("{}{suffix}", self.key), None).await;
        }
        let outcome = self.object(self.key, None).await;
        if outcome.as_ref().is_err_and(|error| error.status.as_u16() == 404 || error.status.as_u16() == 403) {
            let index = format!("{}/{suffix}", self.key);
            if index.len() <= name::KEY_BYTES_MAX && self.readable(&index).await.is_ok() {
                let path = self.request.uri.path();
                return Ok(redirect::to(302, &format!("{path}/")));
            }
        }
        outcome
    }

    /// The object, if everybody may read it. Of what may be read, it is no secret whether it is there.
    async fn readable(&self, key: &str) -> Result<Object, ApiError> {
        let wanted = access::read(&self.bucket.name, key, None);
        let ownership = public::of_bucket(self.cx, self.bucket)?;
        if !self.s3.authorizer.decide(self.cx, &wanted, &ownership).await?.allowed {
            return Err(error::access_denied());
        }
        let found = object::find(self.s3, self.bucket, key).await?;
        Ok(found.ok_or_else(|| error::no_such_key(key))?.record)
    }

    /// Answers with an object: as it is asked for, or whole and with the status of an error.
    async fn object(&self, key: &str, status: Option<http::StatusCode>) -> Result<Response<Body>, ApiError> {
        // Replaced between finding and opening, it is found anew.
        for _ in 0..16 {
            let object = self.readable(key).await?;
            if let Some(location) = object.headers.redirect.as_deref().filter(|_| status.is_none()) {
                return Ok(redirect::to(301, location));
            }
            let piece = match status {
                Some(_) => answer::Piece::whole(&object),
                None => answer::Piece::asked(&object, &self.request.headers)?,
            };
            if let Some(body) = content::open(self.s3, &object.content, piece.range.clone()).await? {
                return Ok(answer::of(&object, piece, status, body));
            }
        }
        Err(error::conflict())
    }

    /// What is answered instead: a redirect, the error document, or a page.
    async fn refusal(&self, refused: &ApiError) -> Response<Body> {
        if refused.status == http::StatusCode::NOT_MODIFIED {
            return answer::not_modified(refused);
        }
        if let Some(rule) = redirect::by_error(self.website, self.key, refused.status) {
            return redirect::by_rule(rule, self);
        }
        let document = self.website.error_document.as_ref().filter(|_| refused.status.is_client_error());
        let Some(document) = document else { return page::error(refused, None) };
        match self.object(&document.key, Some(refused.status)).await {
            Ok(response) => response,
            Err(failed) => page::error(refused, Some(&failed)),
        }
    }
}
