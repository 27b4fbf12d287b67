//! After a crash: changes that were broken off are rolled back, removals are gone on with.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use pagoda_base::Arn;
use pagoda_base::ids::RequestId;
use pagoda_protocol::ApiError;
use pagoda_service::{Context, Origin};

use crate::execute::Run;
use crate::plan;
use crate::table::{Acting, STACKS, Stack};
use crate::{CloudFormation, stack};

impl CloudFormation {
    /// Finds the stacks whose change was broken off, and brings each to an end. Called once, at start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recover(self: &Arc<Self>) -> Result<(), ApiError> {
        let mut after = None;
        loop {
            let page = STACKS.scan(self.store(), &STACKS.key().done(), after.as_ref(), 100).await?;
            for stored in page.items {
                let broken = stored.record.status.ends_with("_IN_PROGRESS")
                    && stored.record.status != "REVIEW_IN_PROGRESS";
                if let (true, Some(acting)) = (broken, stored.record.acting.clone()) {
                    self.resume(stored.record, &acting).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn resume(self: &Arc<Self>, stack: Stack, acting: &Acting) -> Result<(), ApiError> {
        let Some(cx) = self.context(&stack, acting) else { return Ok(()) };
        let existing = plan::existing(self, &stack.id).await?;
        tracing::warn!(
            stack = stack.name,
            status = stack.status,
            "a change was broken off and is brought to an end"
        );
        stack::start(self, &cx, stack, move |run| async move {
            let mut run = Run { existing, ..run };
            match run.stack.status.as_str() {
                "DELETE_IN_PROGRESS" => run.delete(&[]).await,
                "CREATE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" => run.abandon_creation().await,
                _ => run.abandon_update().await,
            }
        })
        .await
    }

    /// The circumstances of whoever began the change.
    fn context(&self, stack: &Stack, acting: &Acting) -> Option<Context> {
        let arn: Arn = stack.id.parse().ok()?;
        Some(Context {
            account: arn.account_id()?,
            region: arn.region.parse().ok()?,
            caller: acting.caller(),
            request_id: RequestId::new(&*self.random),
            now: self.clock.now(),
            origin: Origin {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                secure: true,
                user_agent: None,
                endpoint: String::new(),
                via: None,
            },
        })
    }
}
