//! A function on AWS's own Rust runtime that does what its event says: a conformance client of the Runtime API.

use std::time::Duration;

use lambda_runtime::streaming::{Body, Response, channel};
use lambda_runtime::{Error, FunctionResponse, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

type Answer = FunctionResponse<Value, Body>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var_os("FAIL_INIT").is_some() {
        return Err("no init".into());
    }
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Answer, Error> {
    let (asked, context) = event.into_parts();
    match asked["do"].as_str() {
        Some("fail") => return Err("as told".into()),
        Some("panic") => panic!("in panic"),
        Some("exit") => std::process::exit(3),
        Some("wait") => tokio::time::sleep(Duration::from_secs(60)).await,
        Some("stream") => return Ok(FunctionResponse::StreamingResponse(stream())),
        Some("context") => return Ok(FunctionResponse::BufferedResponse(serde_json::to_value(context)?)),
        _ => {}
    }
    println!("echoing");
    Ok(FunctionResponse::BufferedResponse(json!({ "echo": asked })))
}

/// Three pieces, one after the other.
fn stream() -> Response<Body> {
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        for piece in ["one ", "two ", "three"] {
            // Nobody listens any more: there is nothing to do about it.
            if sender.send_data(piece.into()).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    Response::from(body)
}
