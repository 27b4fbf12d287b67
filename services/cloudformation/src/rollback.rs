//! The way back: every step that a change has begun is undone, the last one first.
//!
//! It reads what was kept in the store, and so it is the same after a failure and after a crash. Each step
//! may be undone twice: the second time finds nothing to do.

use pagoda_protocol::ApiError;
use pagoda_store::{Commit, Key, KeyBuilder};

use crate::execute::Run;
use crate::lifecycle::kind_of;
use crate::resource::{Done, Wanted};
use crate::table::{BEFORE, Before, Begun, STEPS, Stack, StackResource, Step, of_stack};

impl Run {
    /// Keeps a step with the commit that begins it.
    pub(crate) fn begin(&mut self, logical: &str, begun: Begun) -> Result<Commit, ApiError> {
        let number = self.steps.last().map_or(0, |last| last.number + 1);
        let step = Step { number, logical: logical.to_owned(), begun };
        let commit = STEPS.put(Commit::new(), &self.step(&step), &step)?;
        self.steps.push(step);
        Ok(commit)
    }

    fn step(&self, step: &Step) -> Key {
        KeyBuilder::under(&of_stack(&STEPS, &self.stack.id)).u64(step.number).done()
    }

    /// Removes what a creation made.
    pub(crate) async fn roll_back_creation(&mut self, reason: &str) -> Result<(), ApiError> {
        self.set_status("ROLLBACK_IN_PROGRESS", Some(reason)).await?;
        self.roll_back(["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"]).await
    }

    /// Puts the stack and its resources back to what they were before an update.
    pub(crate) async fn roll_back_update(&mut self, reason: &str) -> Result<(), ApiError> {
        self.set_status("UPDATE_ROLLBACK_IN_PROGRESS", Some(reason)).await?;
        if let Some(found) = BEFORE.get(self.cfn.store(), &of_stack(&BEFORE, &self.stack.id)).await? {
            let Before(Stack { template, parameters, tags, capabilities, description, .. }) = found.record;
            let now = self.stack.clone();
            self.stack = Stack { template, parameters, tags, capabilities, description, ..now };
        }
        self.roll_back(["UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"]).await
    }

    async fn roll_back(&mut self, [done, broken]: [&str; 2]) -> Result<(), ApiError> {
        let mut failed = None;
        for step in self.steps.clone().into_iter().rev() {
            match self.undo(&step).await {
                Ok(()) => self.steps.retain(|kept| kept.number != step.number),
                Err(failure) => {
                    failed.get_or_insert(failure);
                }
            }
        }
        match failed {
            None => self.set_status(done, None).await,
            Some(failure) => self.set_status(broken, Some(&failure.0)).await,
        }
    }

    async fn undo(&mut self, step: &Step) -> Done<()> {
        let present = self.existing.get(&step.logical).cloned();
        match &step.begun {
            Begun::Creation => match present {
                Some(resource) => self.remove(&resource).await,
                None => Ok(()),
            },
            Begun::Update { old, properties } => {
                let wanted = Wanted { name: &old.physical, properties: &old.properties };
                let kind = kind_of(&old.kind)?;
                // Where the change stopped is not known: it is gone back on as if it were whole.
                let physical = present.map_or_else(|| old.physical.clone(), |now| now.physical);
                kind.update(&self.calls(), &physical, properties, &wanted).await?;
                self.put_back(step, old).await
            }
            Begun::Replacement { old } => {
                if let Some(new) = present {
                    self.remove_one(&new).await?;
                }
                self.put_back(step, old).await
            }
        }
    }

    /// The old record, and the end of the step: in one commit, or the old resource would be taken for the new.
    async fn put_back(&mut self, step: &Step, old: &StackResource) -> Done<()> {
        let commit = Commit::new().delete(self.step(step));
        self.put(StackResource { status: "UPDATE_COMPLETE".into(), ..old.clone() }, commit).await
    }

    /// Forgets the steps: nothing goes back from here.
    pub(crate) fn settle(&mut self) -> Commit {
        self.steps.clear();
        let (lo, hi) = of_stack(&STEPS, &self.stack.id).prefix_range();
        Commit::new().clear_range(lo, hi).delete(of_stack(&BEFORE, &self.stack.id))
    }
}
