//! The circumstances of what Lambda does by itself, when nobody waits.

use pagoda_base::ids::RequestId;
use pagoda_service::Context;

use crate::Lambda;
use crate::access::PRINCIPAL;
use crate::name::FunctionId;

impl Lambda {
    /// Lambda itself, at work for a function.
    pub(crate) fn own_context(&self, id: &FunctionId, request_id: RequestId) -> Context {
        Context::of_service(PRINCIPAL, (id.account, id.region.clone()), request_id, self.ports.clock.now())
    }
}
