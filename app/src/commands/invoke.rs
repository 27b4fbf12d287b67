//! `pagoda invoke`: one synchronous invocation, with the log's end on standard error.

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use super::serve::runtime;
use crate::cli::Invoke;
use crate::client::Client;
use crate::error::{Doing as _, Error};
use crate::terminal;

pub(crate) fn run(arguments: &Invoke) -> Result<ExitCode, Error> {
    let payload = match arguments.payload.strip_prefix('@') {
        Some(file) => std::fs::read(file).doing(file)?,
        None => arguments.payload.clone().into_bytes(),
    };
    let client = Client::of(&arguments.target)?;
    let path = format!("/2015-03-31/functions/{}/invocations", arguments.function);
    let answer = runtime()?.block_on(client.send(
        "lambda",
        Method::POST,
        &path,
        &[("x-amz-log-type", "Tail")],
        payload.into(),
    ))?;
    let tail =
        answer.headers.get("x-amz-log-result").and_then(|value| STANDARD.decode(value.as_bytes()).ok());
    if let Some(tail) = tail {
        terminal::remark(String::from_utf8_lossy(&tail).trim_end());
    }
    terminal::say(String::from_utf8_lossy(&answer.body));
    let failed = !answer.status.is_success() || answer.headers.contains_key("x-amz-function-error");
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
