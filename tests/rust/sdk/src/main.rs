//! Does with AWS's SDK for Rust what a deployment tool does with functions, and ends with a failure at the first
//! answer that is not as documented.
//!
//! `ENDPOINT`, `KEY_ID`, `SECRET`, `ROLE` and `PACKAGE` (a zip file with `app.handler` in Python, which answers
//! its event) come from the test.

use std::env::var;
use std::error::Error;

use aws_credential_types::Credentials;
use aws_sdk_lambda::config::{BehaviorVersion, Region};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    AliasRoutingConfiguration, Environment, FunctionCode, FunctionUrlAuthType, InvocationType, Runtime, State,
};
use aws_sdk_lambda::{Client, Config};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const NAME: &str = "from-rust";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let key = Credentials::from_keys(var("KEY_ID")?, var("SECRET")?, None);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(var("ENDPOINT")?)
        .credentials_provider(key)
        .build();
    let lambda = Client::from_conf(config);
    create(&lambda).await?;
    invoke(&lambda, None).await?;
    versions(&lambda).await?;
    settings(&lambda).await?;
    url(&lambda).await?;
    layers(&lambda).await?;
    delete(&lambda).await
}

async fn create(lambda: &Client) -> Outcome {
    let code = FunctionCode::builder().zip_file(Blob::new(std::fs::read(var("PACKAGE")?)?)).build();
    let made = lambda
        .create_function()
        .function_name(NAME)
        .runtime(Runtime::Python312)
        .role(var("ROLE")?)
        .handler("app.handler")
        .code(code)
        .timeout(10)
        .tags("made-by", "rust")
        .send()
        .await?;
    assert_eq!(made.timeout(), Some(10));
    while lambda.get_function_configuration().function_name(NAME).send().await?.state() != Some(&State::Active) {}
    let again = lambda.get_function().function_name(NAME).send().await?;
    assert_eq!(again.tags().and_then(|tags| tags.get("made-by")).map(String::as_str), Some("rust"));
    assert!(again.code().and_then(|code| code.location()).is_some());
    let mut pages = lambda.list_functions().into_paginator().items().send();
    while let Some(function) = pages.try_next().await? {
        if function.function_name() == Some(NAME) {
            return Ok(());
        }
    }
    Err("the function is in no list".into())
}

async fn invoke(lambda: &Client, qualifier: Option<&str>) -> Outcome {
    let event = Blob::new(*b"{\"a\": [1]}");
    let call = lambda.invoke().function_name(NAME).set_qualifier(qualifier.map(str::to_owned));
    let answer = call.clone().payload(event.clone()).send().await?;
    let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
    assert_eq!((answer.status_code(), payload), (200, &b"{\"a\": [1]}"[..]));
    let accepted = call.invocation_type(InvocationType::Event).payload(event).send().await?;
    assert_eq!(accepted.status_code(), 202);
    Ok(())
}

async fn versions(lambda: &Client) -> Outcome {
    let first = lambda.publish_version().function_name(NAME).send().await?;
    let changed = lambda
        .update_function_configuration()
        .function_name(NAME)
        .environment(Environment::builder().variables("STAGE", "second").build())
        .send()
        .await?;
    let stale = lambda.publish_version().function_name(NAME).revision_id("none").send().await.unwrap_err();
    assert!(stale.into_service_error().is_precondition_failed_exception());
    let second = lambda.publish_version().function_name(NAME).set_revision_id(changed.revision_id).send().await?;
    assert_eq!((first.version(), second.version()), (Some("1"), Some("2")));
    let routing = AliasRoutingConfiguration::builder().additional_version_weights("1", 0.5).build();
    let alias = lambda.create_alias().function_name(NAME).name("live").function_version("2");
    let alias = alias.routing_config(routing).send().await?;
    assert_eq!(alias.routing_config().and_then(|it| it.additional_version_weights()).map(|it| it["1"]), Some(0.5));
    invoke(lambda, Some("live")).await?;
    let empty = AliasRoutingConfiguration::builder().set_additional_version_weights(Some([].into())).build();
    lambda.update_alias().function_name(NAME).name("live").routing_config(empty).send().await?;
    assert_eq!(lambda.list_aliases().function_name(NAME).send().await?.aliases().len(), 1);
    Ok(())
}

async fn settings(lambda: &Client) -> Outcome {
    let reserved = lambda.put_function_concurrency().function_name(NAME).reserved_concurrent_executions(5).send();
    assert_eq!(reserved.await?.reserved_concurrent_executions(), Some(5));
    lambda.delete_function_concurrency().function_name(NAME).send().await?;
    let config = lambda.put_function_event_invoke_config().function_name(NAME).maximum_retry_attempts(1);
    assert_eq!(config.send().await?.maximum_retry_attempts(), Some(1));
    let permission = lambda.add_permission().function_name(NAME).statement_id("s3").action("lambda:InvokeFunction");
    permission.principal("s3.amazonaws.com").source_account("123456789012").send().await?;
    let policy = lambda.get_policy().function_name(NAME).send().await?;
    assert!(policy.policy().is_some_and(|policy| policy.contains("s3.amazonaws.com")));
    lambda.remove_permission().function_name(NAME).statement_id("s3").send().await?;
    let gone = lambda.get_policy().function_name(NAME).send().await.unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
    Ok(())
}

async fn url(lambda: &Client) -> Outcome {
    let made = lambda.create_function_url_config().function_name(NAME).auth_type(FunctionUrlAuthType::AwsIam);
    assert!(made.send().await?.function_url().contains(".lambda-url."));
    lambda.delete_function_url_config().function_name(NAME).send().await?;
    Ok(())
}

async fn layers(lambda: &Client) -> Outcome {
    let content = aws_sdk_lambda::types::LayerVersionContentInput::builder();
    let content = content.zip_file(Blob::new(std::fs::read(var("PACKAGE")?)?)).build();
    let layer = lambda.publish_layer_version().layer_name(NAME).content(content).send().await?;
    let arn = layer.layer_version_arn().ok_or("a layer without an ARN")?;
    let with = lambda.update_function_configuration().function_name(NAME).layers(arn).send().await?;
    assert_eq!(with.layers()[0].arn(), Some(arn));
    invoke(lambda, None).await?;
    lambda.delete_layer_version().layer_name(NAME).version_number(layer.version()).send().await?;
    Ok(())
}

async fn delete(lambda: &Client) -> Outcome {
    lambda.delete_function().function_name(NAME).send().await?;
    let gone = lambda.get_function().function_name(NAME).send().await.unwrap_err();
    assert!(gone.into_service_error().is_resource_not_found_exception());
    Ok(())
}
