//! The circumstances of one request: who, where, when and how it came.

use std::net::{IpAddr, Ipv4Addr};

use pagoda_base::ids::RequestId;
use pagoda_base::{AccountId, Arn, Region, Timestamp};
use pagoda_policy::Keys;

use crate::Caller;

/// The circumstances of one request.
#[derive(Debug, Clone)]
pub struct Context {
    /// The account in which the request acts: the caller's.
    pub account: AccountId,
    /// The region that the signature or the host names.
    pub region: Region,
    /// Who asks.
    pub caller: Caller,
    /// In the answer and in every log line.
    pub request_id: RequestId,
    /// When the request arrived.
    pub now: Timestamp,
    /// How it came.
    pub origin: Origin,
}

/// How a request reached the platform.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The peer's address.
    pub address: IpAddr,
    /// Whether the connection is encrypted, or never left the machine's function sandbox.
    pub secure: bool,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// `scheme://host[:port]` as the client addressed it, for URLs in answers.
    pub endpoint: String,
    /// The `X-Amzn-Trace-Id` header: which trace the request belongs to, and what has led to it.
    pub trace: Option<String>,
    /// The service that asks on the caller's behalf, such as `cloudformation.amazonaws.com`.
    pub via: Option<&'static str>,
}

impl Context {
    /// A service of the platform, such as `events.amazonaws.com`, at work by itself while nobody waits.
    pub fn of_service(
        service: &'static str,
        (account, region): (AccountId, Region),
        request_id: RequestId,
        now: Timestamp,
    ) -> Self {
        let origin = Origin {
            address: Ipv4Addr::LOCALHOST.into(),
            secure: true,
            user_agent: None,
            endpoint: String::new(),
            trace: None,
            via: Some(service),
        };
        Self { account, region, caller: Caller::service(service), request_id, now, origin }
    }

    /// A regional ARN in the request's account.
    pub fn arn(&self, service: &str, resource: impl Into<String>) -> Arn {
        Arn::regional(service, &self.region, self.account, resource)
    }

    /// The same circumstances for another caller, who acts through `via`.
    pub fn on_behalf(&self, caller: Caller, via: &'static str) -> Self {
        let origin = Origin { via: Some(via), ..self.origin.clone() };
        Self { caller, origin, ..self.clone() }
    }

    /// The global condition keys of the request, the caller's included.
    ///
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    pub fn keys(&self) -> Keys {
        let mut keys = self.caller.keys.clone();
        keys.set("aws:CurrentTime", self.now.to_string());
        keys.set("aws:EpochTime", self.now.as_second().to_string());
        keys.set("aws:RequestedRegion", self.region.as_str());
        keys.set("aws:SecureTransport", self.origin.secure.to_string());
        keys.set("aws:ViaAWSService", self.origin.via.is_some().to_string());
        match self.origin.via {
            Some(service) => {
                keys.set_all("aws:CalledVia", [service.to_owned()]);
                keys.set("aws:CalledViaFirst", service);
                keys.set("aws:CalledViaLast", service);
            }
            None => {
                keys.set("aws:SourceIp", self.origin.address.to_canonical().to_string());
            }
        }
        if let Some(agent) = &self.origin.user_agent {
            keys.set("aws:UserAgent", &**agent);
        }
        keys
    }
}
