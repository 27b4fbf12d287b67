//! A request and the policies around it, in as few words as a test can be read in.

use std::sync::Arc;

use pagoda_policy::{Decision, Document, Keys, Kind, Named, Policies, Principal, Request, decide};

pub(crate) const OWN: &str = "111111111111";
pub(crate) const OTHER: &str = "222222222222";

pub(crate) struct Scene {
    principal: Principal,
    owner: &'static str,
    keys: Keys,
    identity: Vec<Named>,
    resource: Option<Named>,
    boundary: Option<Named>,
    session: Vec<Named>,
    guardrails: Vec<Named>,
    resource_must_allow: bool,
}

impl Scene {
    pub(crate) fn of(principal: Principal) -> Self {
        Self {
            principal,
            owner: OWN,
            keys: Keys::new(),
            identity: vec![],
            resource: None,
            boundary: None,
            session: vec![],
            guardrails: vec![],
            resource_must_allow: false,
        }
    }

    pub(crate) fn identity(mut self, statements: &str) -> Self {
        self.identity.push(named(statements, Kind::Identity));
        self
    }

    pub(crate) fn resource(mut self, statements: &str) -> Self {
        self.resource = Some(named(statements, Kind::Resource));
        self
    }

    pub(crate) fn boundary(mut self, statements: &str) -> Self {
        self.boundary = Some(named(statements, Kind::Identity));
        self
    }

    pub(crate) fn session(mut self, statements: &str) -> Self {
        self.session.push(named(statements, Kind::Identity));
        self
    }

    pub(crate) fn guardrail(mut self, statements: &str) -> Self {
        self.guardrails.push(named(statements, Kind::Identity));
        self
    }

    pub(crate) fn owner(mut self, owner: &'static str) -> Self {
        self.owner = owner;
        self
    }

    pub(crate) fn must_allow(mut self) -> Self {
        self.resource_must_allow = true;
        self
    }

    pub(crate) fn key(mut self, name: &str, values: &[&str]) -> Self {
        self.keys.set_all(name, values.iter().map(|v| (*v).to_owned()));
        self
    }

    pub(crate) fn asks(&self, action: &str, resource: &str) -> Decision {
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            owner: self.owner.parse().unwrap(),
            keys: &self.keys,
        };
        let policies = Policies {
            identity: &self.identity,
            boundary: self.boundary.as_ref(),
            session: &self.session,
            resource: self.resource.as_ref(),
            resource_must_allow: self.resource_must_allow,
            guardrails: &self.guardrails,
        };
        decide(&request, &policies)
    }

    #[track_caller]
    pub(crate) fn expect(&self, allowed: bool) {
        let decision = self.asks("s3:GetObject", "arn:aws:s3:::b/k");
        assert_eq!(decision.allowed, allowed, "{decision}");
    }
}

pub(crate) fn named(statements: &str, kind: Kind) -> Named {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = Document::parse(&text, kind).unwrap_or_else(|e| panic!("{e}: {text}"));
    Named { name: "p".into(), document: Arc::new(document) }
}

pub(crate) fn user(account: &str) -> Principal {
    Principal::User { account: account.parse().unwrap(), arn: format!("arn:aws:iam::{account}:user/ann") }
}

pub(crate) fn session(account: &str) -> Principal {
    Principal::Session {
        account: account.parse().unwrap(),
        role_arn: format!("arn:aws:iam::{account}:role/r"),
        session_arn: format!("arn:aws:sts::{account}:assumed-role/r/s"),
    }
}

pub(crate) fn root(account: &str) -> Principal {
    Principal::Root(account.parse().unwrap())
}

pub(crate) const ALLOW: &str = r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}"#;
pub(crate) const DENY: &str = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#;
pub(crate) const ELSEWHERE: &str =
    r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::c/*"}"#;

pub(crate) fn grant_to(principal: &str) -> String {
    format!(
        r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#
    )
}
