//! The circumstances of what Lambda does by itself, when nobody waits.

use std::net::Ipv4Addr;

use pagoda_base::ids::RequestId;
use pagoda_service::{Caller, Context, Origin};

use crate::Lambda;
use crate::access::PRINCIPAL;
use crate::name::FunctionId;

impl Lambda {
    /// Lambda itself, at work for a function.
    pub(crate) fn own_context(&self, id: &FunctionId, request_id: RequestId) -> Context {
        Context {
            account: id.account,
            region: id.region.clone(),
            caller: Caller::service(PRINCIPAL),
            request_id,
            now: self.ports.clock.now(),
            origin: Origin {
                address: Ipv4Addr::LOCALHOST.into(),
                secure: true,
                user_agent: None,
                endpoint: String::new(),
                trace: None,
                via: Some(PRINCIPAL),
            },
        }
    }
}
