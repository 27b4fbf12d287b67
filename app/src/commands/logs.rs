//! `pagoda logs`: what a function wrote, and goes on writing.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::serve::runtime;
use crate::cli::Logs;
use crate::client::Client;
use crate::error::Error;
use crate::terminal;

/// How often new lines are asked for.
const PERIOD: Duration = Duration::from_millis(500);

pub(crate) fn run(arguments: &Logs) -> Result<ExitCode, Error> {
    let client = Client::of(&arguments.target)?;
    runtime()?.block_on(async {
        let group = format!("/aws/lambda/{}", arguments.function);
        let mut seen = Seen::default();
        loop {
            show(&client, &group, &mut seen).await?;
            if !arguments.follow {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(PERIOD).await;
        }
    })
}

/// The newest line's time, and the ids of the lines of that time: later lines may have it too.
#[derive(Default)]
struct Seen {
    millis: i64,
    ids: Vec<String>,
}

async fn show(client: &Client, group: &str, seen: &mut Seen) -> Result<(), Error> {
    let mut input = json!({ "logGroupName": group, "startTime": seen.millis });
    loop {
        let page = client.json("logs", "Logs_20140328.FilterLogEvents", input.clone()).await?;
        for event in page["events"].as_array().into_iter().flatten() {
            line(event, seen);
        }
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return Ok(()),
        }
    }
}

fn line(event: &Value, seen: &mut Seen) {
    let (millis, id) =
        (event["timestamp"].as_i64().unwrap_or_default(), event["eventId"].as_str().unwrap_or_default());
    if millis == seen.millis && seen.ids.iter().any(|known| known == id) {
        return;
    }
    if millis > seen.millis {
        *seen = Seen { millis, ids: Vec::new() };
    }
    seen.ids.push(id.to_owned());
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    terminal::say(format!("{at:.3} {}", event["message"].as_str().unwrap_or_default().trim_end()));
}
