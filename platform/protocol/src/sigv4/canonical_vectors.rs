//! AWS's published vectors, step by step: canonical request, string to sign, signature, verification.

use std::fs;
use std::path::{Path, PathBuf};

use http::request::Parts;
use pagoda_base::Timestamp;

use super::{PathForm, path, query, request, string_to_sign};
use crate::Body;
use crate::sigv4::{Credential, Dialect, Form, SigningKeys, key, parse, sha256_hex};

/// A request as its text has it; its path may be none that `http::Uri` takes.
struct Raw {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

struct Case {
    folder: PathBuf,
    secret: String,
    is_normalized: bool,
    omits_token: bool,
}

fn cases() -> Vec<Case> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sigv4");
    let mut cases = Vec::new();
    for entry in fs::read_dir(data).unwrap() {
        let folder = entry.unwrap().path();
        let context = fs::read_to_string(folder.join("context.json")).unwrap();
        let context: serde_json::Value = serde_json::from_str(&context).unwrap();
        cases.push(Case {
            secret: context["credentials"]["secret_access_key"].as_str().unwrap().to_owned(),
            is_normalized: context["normalize"] == true,
            omits_token: context["omit_session_token"] == true,
            folder,
        });
    }
    assert_eq!(cases.len(), 38);
    cases
}

impl Case {
    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap().trim_end().to_owned()
    }

    fn signed(&self, form: &str) -> Raw {
        let text = fs::read_to_string(self.folder.join(format!("{form}-signed-request.txt"))).unwrap();
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        // A line that begins with space goes on with the header before it.
        let head = head.replace("\n ", " ");
        let mut lines = head.lines();
        let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header = |line: &str| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()));
        Raw {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: lines.filter_map(header).collect(),
            body: body.trim_end().to_owned(),
        }
    }
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn parts(&self) -> Option<Parts> {
        let target =
            if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) };
        let mut builder = http::Request::builder().method(self.method.as_str()).uri(target);
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder.body(()).ok().map(|request| request.into_parts().0)
    }
}

fn now() -> Timestamp {
    "2015-08-30T12:40:00Z".parse().unwrap()
}

fn check(case: &Case, form: &str) {
    let name = format!("{} {form}", case.folder.display());
    let raw = case.signed(form);
    let query_value = |wanted: &str| {
        let mut pairs = crate::query::pairs(&raw.query);
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let field = |wanted: &str| {
        let authorization = raw.header("authorization")?;
        authorization.split([' ', ',']).find_map(|part| part.strip_prefix(wanted)).map(str::to_owned)
    };
    let signed = field("SignedHeaders=").or_else(|| query_value("X-Amz-SignedHeaders")).unwrap();
    let credential = field("Credential=").or_else(|| query_value("X-Amz-Credential")).unwrap();
    let credential = Credential::parse(&credential).unwrap();

    let bare = http::Request::builder().method(raw.method.as_str());
    let mut parts = bare.body(()).unwrap().into_parts().0;
    for (name, value) in &raw.headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        parts.headers.append(name, http::HeaderValue::from_str(value).unwrap());
    }
    let headers: Vec<_> =
        signed.split(';').map(|name| (name, super::header(&parts, name).unwrap())).collect();
    let form_of_path = if case.is_normalized { PathForm::Normalized } else { PathForm::Exact };
    let canonical_query = query(&raw.query, |name| {
        name == "X-Amz-Signature" || (case.omits_token && name == "X-Amz-Security-Token")
    });
    let canonical = request(
        &raw.method,
        &path(&raw.path, form_of_path),
        &canonical_query,
        &headers,
        &sha256_hex(raw.body.as_bytes()),
    );
    assert_eq!(canonical, case.text(&format!("{form}-canonical-request.txt")), "{name}");
    let text = string_to_sign("20150830T123600Z", &credential.scope(), &canonical);
    assert_eq!(text, case.text(&format!("{form}-string-to-sign.txt")), "{name}");
    let signature = key::signature(&key::derive(&credential, &case.secret), &text);
    assert_eq!(signature, case.text(&format!("{form}-signature.txt")), "{name}");
}

#[test]
fn every_step_is_that_of_the_vectors() {
    for case in cases() {
        check(&case, "header");
        check(&case, "query");
    }
}

fn verify(raw: &Raw, secret: &str, at: Timestamp) -> Result<(), String> {
    let parts = raw.parts().expect("mutations keep the request well-formed");
    let presented = parse(&parts, "service", Dialect::Rest).map_err(|error| error.code.into_owned())?;
    let presented = presented.ok_or("not signed")?;
    let keys = SigningKeys::new(10);
    let body = Body::from(raw.body.clone());
    presented.verify(&parts, body, secret, at, &keys).map(drop).map_err(|error| error.code.into_owned())
}

#[test]
fn signed_requests_are_accepted_and_changed_ones_are_not() {
    let mut accepted = 0;
    for case in cases().iter().filter(|case| case.is_normalized) {
        for form in ["header", "query"] {
            // Where the token is added to the query after signing, only the service that asked for it could tell.
            if case.omits_token && form == "query" {
                continue;
            }
            let mut raw = case.signed(form);
            // Paths that are no URIs never come through the HTTP library.
            if raw.parts().is_none() {
                continue;
            }
            let name = format!("{} {form}", case.folder.display());
            assert_eq!(verify(&raw, &case.secret, now()), Ok(()), "{name}");
            accepted += 1;
            let wrong = Err("InvalidSignatureException".to_owned());
            assert_eq!(verify(&raw, "another", now()), wrong, "{name}");
            let hours_later = "2015-08-30T15:00:00Z".parse().unwrap();
            assert_eq!(verify(&raw, &case.secret, hours_later), wrong, "{name}");
            let before = "2015-08-30T12:00:00Z".parse().unwrap();
            assert_eq!(verify(&raw, &case.secret, before), wrong, "{name}");
            let path = std::mem::replace(&mut raw.path, "/other".into());
            assert_eq!(verify(&raw, &case.secret, now()), wrong, "{name}");
            raw.path = path;
            let body = std::mem::replace(&mut raw.body, "other".into());
            assert_eq!(verify(&raw, &case.secret, now()), wrong, "{name}");
            raw.body = body;
            let query = std::mem::take(&mut raw.query);
            raw.query = if query.is_empty() { "a=b".into() } else { format!("{query}&a=b") };
            assert_eq!(verify(&raw, &case.secret, now()), wrong, "{name}");
            raw.query = query;
            let host = raw.headers.iter_mut().find(|(name, _)| name == "host").unwrap();
            host.1 = "example.org".into();
            assert_eq!(verify(&raw, &case.secret, now()), wrong, "{name}");
        }
    }
    assert!(accepted > 50, "{accepted}");
}

#[test]
fn what_a_request_presents_is_known_before_it_is_verified() {
    let case =
        cases().into_iter().find(|case| case.folder.ends_with("get-vanilla-with-session-token")).unwrap();
    let presented =
        parse(&case.signed("query").parts().unwrap(), "service", Dialect::Query).unwrap().unwrap();
    assert_eq!(presented.credential.access_key_id, "AKIDEXAMPLE");
    assert_eq!(presented.form, Form::Query { expires_seconds: 3600 });
    let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    assert_eq!(presented.session_token.as_deref(), Some(token));
    let claimed = Credential::claimed(&case.signed("header").parts().unwrap()).unwrap();
    assert_eq!((claimed.service.as_str(), claimed.region.as_str()), ("service", "us-east-1"));
}
