//! `pagoda list`: what is deployed.

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
        let list =
            found.iter().map(|(kind, name, more)| json!({ "kind": kind, "name": name, "detail": more }));
        terminal::say(Value::from_iter(list).to_string());
    } else {
        let rows: Vec<Vec<String>> =
            found.into_iter().map(|(kind, name, more)| vec![kind.into(), name, more]).collect();
        terminal::rows(&["kind", "name", ""], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

type Found = Vec<(&'static str, String, String)>;

async fn collect(client: &Client) -> Result<Found, Error> {
    let mut found = Found::new();
    let stacks = client.query("cloudformation", CLOUDFORMATION, "DescribeStacks", &[]).await?;
    for stack in stacks.members("Stacks") {
        found.push(("stack", stack.text_of("StackName").to_owned(), stack.text_of("StackStatus").to_owned()));
    }
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let functions = client.get_json("lambda", "/2015-03-31/functions/").await?;
    for function in functions["Functions"].as_array().into_iter().flatten() {
        found.push(("function", text(function, "FunctionName"), text(function, "Runtime")));
    }
    let apis = client.get_json("apigateway", "/restapis?limit=500").await?;
    for api in apis["item"].as_array().into_iter().flatten() {
        found.push(("api", text(api, "id"), text(api, "name")));
    }
    let tables = client.json("dynamodb", "DynamoDB_20120810.ListTables", json!({})).await?;
    for table in tables["TableNames"].as_array().into_iter().flatten() {
        found.push(("table", table.as_str().unwrap_or_default().to_owned(), String::new()));
    }
    let buckets = client.send("s3", Method::GET, "/", &[], Default::default()).await?;
    for bucket in Element::parse(&buckets.body).unwrap_or_default().members("Buckets") {
        found.push(("bucket", bucket.text_of("Name").to_owned(), String::new()));
    }
    Ok(found)
}
