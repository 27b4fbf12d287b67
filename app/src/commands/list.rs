//! `pagoda list`: what is deployed, and how functions are doing.

mod watch;

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::serve::runtime;
use crate::cli::List;
use crate::client::Client;
use crate::deploy::CLOUDFORMATION;
use crate::error::Error;
use crate::terminal;
use crate::xml::Element;

pub(crate) fn run(arguments: &List) -> Result<ExitCode, Error> {
    let client = Client::of(&arguments.target)?;
    let found = runtime()?.block_on(collect(&client))?;
    if arguments.json {
        let list = found.iter().map(|one| {
            let mut shown = json!({ "kind": one.kind, "name": one.name, "detail": one.detail });
            if !one.figures.is_null() {
                shown["figures"] = one.figures.clone();
            }
            shown
        });
        terminal::say(Value::from_iter(list).to_string());
    } else {
        let rows: Vec<Vec<String>> = found.into_iter().map(Found::into_row).collect();
        terminal::rows(&["kind", "name", "", ""], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

/// Something that is deployed.
struct Found {
    kind: &'static str,
    name: String,
    detail: String,
    /// Of functions: what `watch` has of them.
    figures: Value,
}

impl Found {
    fn new(kind: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, name: name.into(), detail: detail.into(), figures: Value::Null }
    }

    fn into_row(self) -> Vec<String> {
        let figures = if self.figures.is_null() { String::new() } else { watch::line(&self.figures) };
        vec![self.kind.to_owned(), self.name, self.detail, figures]
    }
}

async fn collect(client: &Client) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    let stacks = client.query("cloudformation", CLOUDFORMATION, "DescribeStacks", &[]).await?;
    for stack in stacks.members("Stacks") {
        found.push(Found::new("stack", stack.text_of("StackName"), stack.text_of("StackStatus")));
    }
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let functions = client.get_json("lambda", "/2015-03-31/functions/").await?;
    let functions: Vec<&Value> = functions["Functions"].as_array().into_iter().flatten().collect();
    let names: Vec<String> = functions.iter().map(|function| text(function, "FunctionName")).collect();
    let mut figures = watch::figures(client, &names).await?;
    for function in functions {
        let name = text(function, "FunctionName");
        let figures = figures.remove(&name).unwrap_or_default();
        found.push(Found { figures, ..Found::new("function", name, text(function, "Runtime")) });
    }
    let apis = client.get_json("apigateway", "/restapis?limit=500").await?;
    for api in apis["item"].as_array().into_iter().flatten() {
        found.push(Found::new("api", text(api, "id"), text(api, "name")));
    }
    let tables = client.json("dynamodb", "DynamoDB_20120810.ListTables", json!({})).await?;
    for table in tables["TableNames"].as_array().into_iter().flatten() {
        found.push(Found::new("table", table.as_str().unwrap_or_default(), ""));
    }
    let buckets = client.send("s3", Method::GET, "/", &[], Default::default()).await?;
    for bucket in Element::parse(&buckets.body).unwrap_or_default().members("Buckets") {
        found.push(Found::new("bucket", bucket.text_of("Name"), ""));
    }
    Ok(found)
}
