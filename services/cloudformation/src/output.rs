//! Where a change ends: the stack's outputs, exports and status.

use pagoda_protocol::ApiError;
use pagoda_store::Commit;
use serde_json::Value;

use crate::execute::Run;
use crate::plan::{self, Plan};
use crate::resource::{Done, Failure};
use crate::table::{EXPORTS, Export, Output, Place, STACKS};

/// The type that a stack has in its own events.
pub(crate) const STACK: &str = "AWS::CloudFormation::Stack";

impl Run {
    /// Outputs, exports and the final status.
    pub(crate) async fn complete(&mut self, outputs: Vec<Output>, status: &str) -> Result<(), ApiError> {
        let place = Place::of(&self.cx);
        let mut commit = Commit::new();
        for old in self.stack.outputs.iter().filter_map(|output| output.export.as_ref()) {
            commit = commit.delete(place.export(old));
        }
        for output in &outputs {
            if let Some(name) = &output.export {
                let (value, stack_id) = (output.value.clone(), self.stack.id.clone());
                let export = Export { name: name.clone(), value, stack_id };
                commit = EXPORTS.put(commit, &place.export(name), &export)?;
            }
        }
        self.stack.outputs = outputs;
        self.stack.suffix = self.cfn.suffix.clone();
        self.stack.status = status.to_owned();
        self.keep(commit, None).await
    }

    /// The outputs whose conditions hold, from the resources as they are.
    pub(crate) fn outputs(&self, plan: &Plan) -> Done<Vec<Output>> {
        let made = plan::made(&self.existing);
        let scope = plan.scope(&made);
        let text = |value: &Value| -> Done<String> {
            let value = scope.resolve(value).map_err(|invalid| Failure(invalid.0))?;
            Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        let mut outputs = Vec::new();
        for (key, output) in &plan.template.outputs {
            if !scope.holds(output.condition.as_deref()).map_err(|invalid| Failure(invalid.0))? {
                continue;
            }
            outputs.push(Output {
                key: key.clone(),
                value: text(&output.value)?,
                description: output.description.clone(),
                export: output.export.as_ref().map(&text).transpose()?,
            });
        }
        Ok(outputs)
    }

    pub(crate) async fn set_status(&mut self, status: &str, reason: Option<&str>) -> Result<(), ApiError> {
        self.stack.status = status.to_owned();
        self.keep(Commit::new(), reason).await
    }

    /// Keeps the stack's record, with the event that its status is. With its last status a change ends.
    pub(crate) async fn keep(&mut self, mut commit: Commit, reason: Option<&str>) -> Result<(), ApiError> {
        self.stack.reason = reason.map(str::to_owned);
        if !self.stack.status.ends_with("_IN_PROGRESS") {
            self.stack.acting = None;
            // What a failed rollback left is needed by the deletion of the stack.
            if !matches!(&*self.stack.status, "UPDATE_ROLLBACK_FAILED" | "DELETE_FAILED") {
                commit = commit.and(self.settle());
            }
        }
        let what = (&*self.stack.name, &*self.stack.id, STACK);
        let event = self.cfn.event(&self.stack, what, &self.stack.status, reason)?;
        let commit = STACKS.put(commit, &Place::of(&self.cx).stack(&self.stack.id), &self.stack)?;
        self.commit(commit.and(event)).await
    }

    pub(crate) async fn commit(&self, commit: Commit) -> Result<(), ApiError> {
        self.cfn.store().commit(commit).await?.done()?;
        Ok(())
    }
}
