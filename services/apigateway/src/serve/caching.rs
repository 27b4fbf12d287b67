//! Answering from a stage's cache: what of a request chooses the answer, and who may have it asked for anew.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>

use std::fmt::Write as _;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::{Extensions, HeaderMap, Method, Response, StatusCode};
use jiff::SignedDuration;
use pagoda_base::Timestamp;
use pagoda_protocol::Body;
use pagoda_service::Sealer;

use super::Call;
use super::answer::Refusal;
use super::cache::{BODY_BYTES_MAX, Content, Kept, Looked, StageCache};
use super::expression::Expression;
use super::ready::{Plan, Ready};
use crate::ApiGateway;
use crate::method_setting::{CacheSetting, Unauthorized};
use crate::table::Integration;

const INVALIDATE: &str = "execute-api:InvalidateCache";
/// What sealed answers are sealed for.
const PURPOSE: &str = "apigateway.cache";
const WARNING: HeaderName = HeaderName::from_static("warning");
const IGNORED: HeaderValue = HeaderValue::from_static("199 - \"cache-control header ignored\"");

/// How a method's answers are kept.
pub(crate) struct Caching {
    cache: Arc<StageCache>,
    setting: CacheSetting,
    namespace: String,
    /// What of a request chooses the answer, beside its verb.
    parameters: Vec<Expression>,
}

impl Caching {
    pub(crate) fn new(
        cache: Arc<StageCache>,
        setting: CacheSetting,
        resource: &str,
        integration: &Integration,
    ) -> Self {
        let parameters = integration.cache_key_parameters.iter();
        let parameters = parameters.filter_map(|name| parameter(integration, name)).collect();
        let namespace = integration.cache_namespace.as_deref().unwrap_or(resource).to_owned();
        Self { cache, setting, namespace, parameters }
    }

    /// Whether answers to requests of this verb are kept.
    pub(crate) fn is_for(&self, verb: &Method) -> bool {
        !self.setting.get_only || *verb == Method::GET
    }

    /// Parts are told apart by their lengths.
    fn key(&self, call: &Call<'_>) -> String {
        let mut key = format!("{} {}", call.parts.method, self.namespace);
        if self.parameters.is_empty() {
            return key;
        }
        let origin = call.origin();
        for parameter in &self.parameters {
            let values = parameter.all(&origin);
            let _ = write!(key, "\n{}", values.len());
            for value in values {
                let _ = write!(key, " {} {value}", value.len());
            }
        }
        key
    }

    fn close(&self, kept: Kept, sealer: &Sealer) -> Content {
        if self.setting.is_encrypted { Content::Sealed(seal(&kept, sealer)) } else { Content::Plain(kept) }
    }
}

/// A parameter of the method's request, or one of the integration's, which has its value from there.
fn parameter(integration: &Integration, name: &str) -> Option<Expression> {
    let of = integration.request_parameters.get(name).map_or(name, String::as_str);
    Expression::of_request(of)
}

impl ApiGateway {
    /// The kept answer, or that of the integration.
    pub(crate) async fn cached(
        &self,
        call: &Call<'_>,
        ready: &Ready,
        caching: &Caching,
        plan: &Plan,
    ) -> Result<Response<Body>, Refusal> {
        let key = caching.key(call);
        let until = call.cx.now + SignedDuration::from_secs(caching.setting.ttl_seconds.into());
        let mut is_ignored = false;
        if wants_fresh(&call.parts.headers) {
            if !caching.setting.needs_authorization || Box::pin(self.may(call, INVALIDATE)).await? {
                return self.renew(call, ready, caching, plan, (key, until)).await;
            }
            match caching.setting.unauthorized {
                Unauthorized::Fail => return Err(Refusal::NotAllowed),
                Unauthorized::Warn => is_ignored = true,
                Unauthorized::Ignore => {}
            }
        }
        let open = |content: &Content| open(content, &self.ports.sealer);
        let mut response = match caching.cache.look(&key, call.cx.now, open).await {
            Looked::Hit(kept) => {
                ready.gauges.cache_hit();
                kept.into_response()
            }
            Looked::NotKept => self.integrate(call, plan, &ready.gauges).await?,
            Looked::Miss(place) => {
                ready.gauges.cache_missed();
                let answered = self.whole(call, ready, plan).await;
                match &answered {
                    Ok((kept, _)) if kept.body.len() <= BODY_BYTES_MAX => {
                        place.put(caching.close(kept.clone(), &self.ports.sealer), until);
                    }
                    // Whoever comes from now on waits again.
                    _ => place.put(Content::Nothing, call.cx.now),
                }
                with(answered?)
            }
        };
        if is_ignored {
            response.headers_mut().append(WARNING, IGNORED);
        }
        Ok(response)
    }

    /// The integration's answer, in the place of the one that is kept.
    async fn renew(
        &self,
        call: &Call<'_>,
        ready: &Ready,
        caching: &Caching,
        plan: &Plan,
        (key, until): (String, Timestamp),
    ) -> Result<Response<Body>, Refusal> {
        ready.gauges.cache_missed();
        let asked = caching.cache.generation();
        let (kept, beside) = self.whole(call, ready, plan).await?;
        if kept.body.len() <= BODY_BYTES_MAX {
            let content = caching.close(kept.clone(), &self.ports.sealer);
            caching.cache.replace(key, content, until, asked);
        }
        Ok(with((kept, beside)))
    }

    /// The integration's answer with all of its body, and what else is known of it.
    async fn whole(
        &self,
        call: &Call<'_>,
        ready: &Ready,
        plan: &Plan,
    ) -> Result<(Kept, Extensions), Refusal> {
        let response = self.integrate(call, plan, &ready.gauges).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect(super::BODY_BYTES_MAX).await.map_err(|_| Refusal::BadGateway)?;
        Ok((Kept { status: parts.status, headers: parts.headers, body }, parts.extensions))
    }
}

fn with((kept, beside): (Kept, Extensions)) -> Response<Body> {
    let mut response = kept.into_response();
    *response.extensions_mut() = beside;
    response
}

/// Whether the request asks for an answer that nobody has kept.
fn wants_fresh(headers: &HeaderMap) -> bool {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let is_fresh = |directive: &str| directive.trim().replace(' ', "").eq_ignore_ascii_case("max-age=0");
    directives.flat_map(|value| value.split(',')).any(is_fresh)
}

/// Status, headers (names and values by their lengths) and body.
fn seal(kept: &Kept, sealer: &Sealer) -> Vec<u8> {
    let mut plain = kept.status.as_u16().to_le_bytes().to_vec();
    plain.extend((kept.headers.len() as u32).to_le_bytes());
    for (name, value) in &kept.headers {
        for part in [name.as_str().as_bytes(), value.as_bytes()] {
            plain.extend((part.len() as u32).to_le_bytes());
            plain.extend(part);
        }
    }
    plain.extend(&kept.body);
    sealer.seal(PURPOSE, &plain)
}

fn number<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (number, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*number)
}

fn part<'p>(rest: &mut &'p [u8]) -> Option<&'p [u8]> {
    let length = u32::from_le_bytes(number(rest)?) as usize;
    let (part, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

/// Nothing where nothing was kept.
fn open(content: &Content, sealer: &Sealer) -> Option<Kept> {
    match content {
        Content::Plain(kept) => Some(kept.clone()),
        Content::Sealed(sealed) => unseal(&sealer.open(PURPOSE, sealed).ok()?),
        Content::Nothing => None,
    }
}

fn unseal(plain: &[u8]) -> Option<Kept> {
    let mut rest = plain;
    let status = u16::from_le_bytes(number(&mut rest)?);
    let mut headers = HeaderMap::new();
    for _ in 0..u32::from_le_bytes(number(&mut rest)?) {
        let (name, value) = (part(&mut rest)?, part(&mut rest)?);
        headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    let status = StatusCode::from_u16(status).ok()?;
    Some(Kept { status, headers, body: rest.to_vec().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_asks_for_a_fresh_answer() {
        for (value, expected) in [
            ("max-age=0", true),
            ("no-transform, Max-Age = 0", true),
            ("max-age=10", false),
            ("no-cache", false),
            ("s-max-age=0", false),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))]);
            assert_eq!(wants_fresh(&headers), expected, "{value}");
        }
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        let random = Arc::new(pagoda_base::SeededRandom::new(1));
        let sealer = Sealer::new(&[7; 32], random);
        let headers = HeaderMap::from_iter([
            (CACHE_CONTROL, HeaderValue::from_static("max-age=1")),
            (WARNING, HeaderValue::from_bytes(b"\xff").unwrap()),
        ]);
        let kept = Kept { status: StatusCode::ACCEPTED, headers, body: "secret".into() };
        let sealed = seal(&kept, &sealer);
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        let opened = open(&Content::Sealed(sealed.clone()), &sealer).unwrap();
        assert_eq!((opened.status, &opened.headers, &opened.body), (kept.status, &kept.headers, &kept.body));
        let other = Sealer::new(&[8; 32], Arc::new(pagoda_base::SeededRandom::new(1)));
        assert!(open(&Content::Sealed(sealed), &other).is_none());
        for length in 0..9 {
            assert!(unseal(&[1; 9][..length]).is_none());
        }
    }
}
