//! After a crash: changes that were broken off are rolled back, removals are gone on with.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use pagoda_base::Arn;
use pagoda_base::ids::RequestId;
use pagoda_protocol::ApiError;
use pagoda_service::{Caller, Context, Origin};

use crate::execute::Run;
use crate::plan::Plan;
use crate::source::Source;
use crate::table::{STACKS, Stack};
use crate::{CloudFormation, stack};

const BROKEN_OFF: &str = "The change was broken off";

impl CloudFormation {
    /// Finds the stacks whose change was broken off, and brings each to an end, before anybody else can make
    /// or remove what it is about. Called once, at start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recover(self: &Arc<Self>) -> Result<(), ApiError> {
        let mut after = None;
        loop {
            let page = STACKS.scan(self.store(), &STACKS.key().done(), after.as_ref(), 100).await?;
            for stored in page.items {
                let status = &stored.record.status;
                if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" {
                    self.resume(stored.record).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn resume(self: &Arc<Self>, stack: Stack) -> Result<(), ApiError> {
        let Some(cx) = self.context(&stack) else { return Ok(()) };
        let (name, status) = (stack.name.clone(), stack.status.clone());
        tracing::warn!(stack = name, status, "a change was broken off and is brought to an end");
        let can_act = stack.acting.is_some();
        let mut run = stack::run(self, &cx, stack).await?;
        let ended = if can_act { run.go_on().await } else { run.give_up().await };
        if let Err(error) = ended {
            tracing::error!(stack = name, %error, "the change of a stack could not be brought to an end");
        }
        Ok(())
    }

    /// The circumstances of whoever began the change.
    fn context(&self, stack: &Stack) -> Option<Context> {
        let arn: Arn = stack.id.parse().ok()?;
        Some(Context {
            account: arn.account_id()?,
            region: arn.region.parse().ok()?,
            caller: stack.acting.as_ref().map_or_else(Caller::anonymous, |acting| acting.caller()),
            request_id: RequestId::new(&*self.random),
            now: self.clock.now(),
            origin: Origin {
                address: IpAddr::V4(Ipv4Addr::LOCALHOST),
                secure: true,
                user_agent: None,
                endpoint: String::new(),
                trace: None,
                via: None,
            },
        })
    }
}

impl Run {
    async fn go_on(&mut self) -> Result<(), ApiError> {
        match self.stack.status.as_str() {
            "DELETE_IN_PROGRESS" => self.delete(None).await,
            "CREATE_IN_PROGRESS" => self.fail_creation(BROKEN_OFF).await,
            "ROLLBACK_IN_PROGRESS" => self.roll_back_creation(BROKEN_OFF).await,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" => {
                let template = Source::read(self.stack.template.clone())?.template;
                let given = self.stack.parameters.clone();
                let plan = Plan::of(&self.cfn, &self.cx, template, &given, &self.stack).await?;
                let outputs = self.outputs(&plan)?;
                self.finish_update(&plan, outputs).await
            }
            _ => self.roll_back_update(BROKEN_OFF).await,
        }
    }

    /// Ends a change of somebody whose session cannot be had again: the stack can be deleted.
    async fn give_up(&mut self) -> Result<(), ApiError> {
        let status = match self.stack.status.as_str() {
            "DELETE_IN_PROGRESS" => "DELETE_FAILED",
            "CREATE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" => "ROLLBACK_FAILED",
            _ => "UPDATE_ROLLBACK_FAILED",
        };
        self.set_status(status, Some("The change was broken off, and its caller's session has ended")).await
    }
}
