//! A template becomes a stack through CloudFormation's own API: a change set, executed and watched.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::CLOUDFORMATION;
use super::package::{artifacts, upload};
use crate::client::Client;
use crate::error::Error;
use crate::terminal::Progress;
use crate::xml::Element;

/// How often the stack is looked at.
const PERIOD: Duration = Duration::from_millis(40);
/// A template in the request itself, in bytes.
const BODY_BYTES_MAX: usize = 51_200;
const SERVICE: &str = "cloudformation";

/// Deploys a template, and returns the stack's outputs.
pub(crate) async fn deploy(
    client: &Client,
    stack: &str,
    template: String,
    parameters: &[(String, String)],
    progress: &Progress,
) -> Result<Vec<(String, String)>, Error> {
    let status = status(client, stack).await?;
    let is_new = matches!(status.as_deref(), None | Some("REVIEW_IN_PROGRESS"));
    if let Some(failed @ ("ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED")) =
        status.as_deref()
    {
        progress.now(format!("removing what {failed} left"));
        client.query(SERVICE, CLOUDFORMATION, "DeleteStack", &[("StackName", stack)]).await?;
        settled(client, stack, progress).await?;
        return Box::pin(deploy(client, stack, template, parameters, progress)).await;
    }
    let name = format!("pagoda-{}", &hex::encode(digest(&SHA256, template.as_bytes()))[..16]);
    let set = [("StackName", stack), ("ChangeSetName", &*name)];
    client.query(SERVICE, CLOUDFORMATION, "DeleteChangeSet", &set).await.ok();
    create(client, stack, &name, is_new, template, parameters).await?;
    let described = client.query(SERVICE, CLOUDFORMATION, "DescribeChangeSet", &set).await?;
    let text = |name: &str| described.find(name).map(|element| element.text.clone()).unwrap_or_default();
    if text("ExecutionStatus") == "AVAILABLE" {
        client.query(SERVICE, CLOUDFORMATION, "ExecuteChangeSet", &set).await?;
        let end = settled(client, stack, progress).await?;
        if !matches!(end.as_deref(), Some("CREATE_COMPLETE" | "UPDATE_COMPLETE")) {
            return Err(failure(client, stack).await);
        }
    } else {
        let nothing = text("StatusReason").contains("didn't contain changes");
        client.query(SERVICE, CLOUDFORMATION, "DeleteChangeSet", &set).await?;
        if !nothing {
            return Err(Error::new(text("StatusReason")));
        }
    }
    outputs(client, stack).await
}

async fn create(
    client: &Client,
    stack: &str,
    name: &str,
    is_new: bool,
    template: String,
    parameters: &[(String, String)],
) -> Result<(), Error> {
    let mut input: Vec<(String, String)> = vec![
        ("StackName".into(), stack.into()),
        ("ChangeSetName".into(), name.into()),
        ("ChangeSetType".into(), if is_new { "CREATE" } else { "UPDATE" }.into()),
        ("Capabilities.member.1".into(), "CAPABILITY_NAMED_IAM".into()),
        ("Capabilities.member.2".into(), "CAPABILITY_AUTO_EXPAND".into()),
    ];
    for (index, (key, value)) in parameters.iter().enumerate() {
        let place = format!("Parameters.member.{}", index + 1);
        input.push((format!("{place}.ParameterKey"), key.clone()));
        input.push((format!("{place}.ParameterValue"), value.clone()));
    }
    if template.len() <= BODY_BYTES_MAX {
        input.push(("TemplateBody".into(), template));
    } else {
        let bucket = artifacts(client).await?;
        let key = format!("{}.template", hex::encode(digest(&SHA256, template.as_bytes())));
        upload(client, &bucket, &key, template.into(), "application/yaml").await?;
        input.push(("TemplateURL".into(), format!("https://s3.amazonaws.com/{bucket}/{key}")));
    }
    let input: Vec<(&str, &str)> = input.iter().map(|(name, value)| (&**name, &**value)).collect();
    client.query(SERVICE, CLOUDFORMATION, "CreateChangeSet", &input).await.map(drop)
}

async fn describe(client: &Client, stack: &str) -> Result<Option<Element>, Error> {
    match client.query(SERVICE, CLOUDFORMATION, "DescribeStacks", &[("StackName", stack)]).await {
        Ok(answer) => Ok(answer.members("Stacks").next().cloned()),
        Err(error) if error.to_string().contains("does not exist") => Ok(None),
        Err(error) => Err(error),
    }
}

async fn status(client: &Client, stack: &str) -> Result<Option<String>, Error> {
    Ok(describe(client, stack).await?.map(|stack| stack.text_of("StackStatus").to_owned()))
}

/// Waits until nothing goes on with the stack; its status then.
async fn settled(client: &Client, stack: &str, progress: &Progress) -> Result<Option<String>, Error> {
    let mut told = String::new();
    loop {
        let status = status(client, stack).await?;
        if !status.as_deref().is_some_and(|status| status.ends_with("_IN_PROGRESS")) {
            return Ok(status);
        }
        let events =
            client.query(SERVICE, CLOUDFORMATION, "DescribeStackEvents", &[("StackName", stack)]).await?;
        if let Some(event) = events.members("StackEvents").next() {
            let now = format!("{} {}", event.text_of("ResourceStatus"), event.text_of("LogicalResourceId"));
            if now != told {
                progress.now(&now);
                told = now;
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Why the last change failed: the latest event with a reason that is not just a consequence.
async fn failure(client: &Client, stack: &str) -> Error {
    let events = client.query(SERVICE, CLOUDFORMATION, "DescribeStackEvents", &[("StackName", stack)]).await;
    let events = events.unwrap_or_default();
    let latest = |end: &str| {
        let mut events = events.members("StackEvents");
        events.find(|event| {
            let (status, reason) = (event.text_of("ResourceStatus"), event.text_of("ResourceStatusReason"));
            status.ends_with(end) && !reason.is_empty()
        })
    };
    // What is wrong with the outputs fails no resource: the way back tells.
    let failed = latest("_FAILED").or_else(|| latest("ROLLBACK_IN_PROGRESS"));
    match failed {
        Some(event) => Error::new(format!(
            "{}: {}",
            event.text_of("LogicalResourceId"),
            event.text_of("ResourceStatusReason")
        )),
        None => Error::new(format!("stack {stack} was not deployed")),
    }
}

async fn outputs(client: &Client, stack: &str) -> Result<Vec<(String, String)>, Error> {
    let stack = describe(client, stack).await?.unwrap_or_default();
    let outputs = stack.members("Outputs");
    Ok(outputs
        .map(|one| (one.text_of("OutputKey").to_owned(), one.text_of("OutputValue").to_owned()))
        .collect())
}
