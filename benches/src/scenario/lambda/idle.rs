//! A thousand functions that have been invoked and rest.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use serde_json::json;

use super::application::Application;
use crate::Outcome;
use crate::connection::once;
use crate::results::{Measure, Results};

const FUNCTIONS: usize = 1000;
const AT_ONCE: usize = 8;
/// After which the last invocation's work is done.
const SETTLING: Duration = Duration::from_secs(3);
const WATCHED: Duration = Duration::from_secs(10);

pub(crate) async fn run(application: &Application, results: &mut Results) -> Outcome {
    eprintln!("  {FUNCTIONS} idle functions");
    let deployed = &application.deployed;
    let known =
        application.control(Method::GET, &format!("/{}", deployed.output("Python")?), &json!(null)).await?;
    let archive = archive(application)?;
    let create = |index: usize| {
        let input = json!({
            "FunctionName": format!("idle-{index}"),
            "Runtime": known["Configuration"]["Runtime"],
            "Role": known["Configuration"]["Role"],
            "Handler": "app.handler",
            "Code": { "ZipFile": archive },
        });
        async move {
            application.control(Method::POST, "", &input).await?;
            let path = format!("/2015-03-31/functions/idle-{index}/invocations");
            let headers = [("host", "localhost")];
            let body = Bytes::from_static(b"{}");
            let request = deployed.signer.request("lambda", (Method::POST, &path), &headers, &body)?;
            once(&deployed.plain(), request).await.map(drop)
        }
    };
    stream::iter(0..FUNCTIONS).map(create).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    tokio::time::sleep(SETTLING).await;
    let before = deployed.pagoda.server.cpu_seconds();
    tokio::time::sleep(WATCHED).await;
    let spent = deployed.pagoda.server.cpu_seconds() - before;
    let value = spent / WATCHED.as_secs_f64() * 100.0;
    results.measures.push(Measure {
        what: "CPU of 1,000 idle functions, of one core",
        value,
        unit: "%",
        target: Some(1.0),
    });
    Ok(())
}

/// The Python function's package, in Base64.
fn archive(application: &Application) -> Outcome<String> {
    let (code, file) = (application.code("python"), application.code("idle.zip"));
    let program = "import base64, shutil, sys; shutil.make_archive(sys.argv[1][:-4], 'zip', sys.argv[2]); \
                   print(base64.b64encode(open(sys.argv[1], 'rb').read()).decode())";
    let text = crate::process::succeed(
        std::process::Command::new("python3").args(["-c", program]).arg(file).arg(code),
    )?;
    Ok(text.trim().to_owned())
}
