//! Whether a function's role may read the stream.

use pagoda_base::Arn;
use pagoda_protocol::ApiError;
use pagoda_service::{Access, Context, Ownership};

use super::settings::invalid;
use crate::load::Loaded;
use crate::{Lambda, access, generated as g};

const ACTIONS: [&str; 4] =
    ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"];

impl Lambda {
    /// Refuses a stream that the function's role may not read.
    ///
    /// # Errors
    /// `InvalidParameterValueException`, as when a mapping is made.
    pub(super) async fn check_stream(
        &self,
        cx: &Context,
        loaded: &Loaded,
        stream: &str,
    ) -> Result<(), ApiError> {
        let refused = || {
            invalid(&format!(
                "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, GetShardIterator, \
                 DescribeStream, and ListStreams Actions on your stream in DynamoDB."
            ))
        };
        let caller = self.session_caller(loaded).await?.ok_or_else(refused)?;
        let cx = cx.on_behalf(caller, access::PRINCIPAL);
        let owner = stream.parse::<Arn>().ok().and_then(|arn| arn.account_id()).unwrap_or(cx.account);
        for action in ACTIONS {
            let access = Access::new(action, stream);
            let allowed =
                self.ports.authorizer.require(&g::SERVICE, &cx, &access, &Ownership::of(owner)).await;
            match allowed {
                Err(error) if error.status.is_server_error() => return Err(error),
                Err(_) => return Err(refused()),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}
