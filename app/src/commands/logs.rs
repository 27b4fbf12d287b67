//! `pagoda logs`: what functions wrote, and go on writing.

use std::collections::HashMap;
use std::io::IsTerminal as _;
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
/// What precedes a function's name in that of its log group.
const GROUPS: &str = "/aws/lambda/";

pub(crate) fn run(arguments: &Logs) -> Result<ExitCode, Error> {
    let client = Client::of(&arguments.target)?;
    let mut view = View {
        client: &client,
        function: arguments.function.as_deref(),
        is_coloured: std::io::stdout().is_terminal(),
        seen: HashMap::new(),
    };
    runtime()?.block_on(async {
        loop {
            match view.show().await {
                // A function that is followed may be yet to write its first line.
                Err(error) if !arguments.follow || !is_missing(&error) => return Err(error),
                _ => {}
            }
            if !arguments.follow {
                return Ok(ExitCode::SUCCESS);
            }
            tokio::time::sleep(PERIOD).await;
        }
    })
}

fn is_missing(error: &Error) -> bool {
    error.to_string().contains("The specified log group does not exist")
}

/// What is shown, and how far it has been.
struct View<'a> {
    client: &'a Client,
    /// Without one, all functions.
    function: Option<&'a str>,
    is_coloured: bool,
    seen: HashMap<String, Seen>,
}

/// The newest line's time, and the ids of the lines of that time: later lines may have it too.
#[derive(Default)]
struct Seen {
    millis: i64,
    ids: Vec<String>,
}

struct Line {
    millis: i64,
    function: String,
    text: String,
}

impl View<'_> {
    /// Shows what is new, in the order of its time.
    async fn show(&mut self) -> Result<(), Error> {
        let mut lines = Vec::new();
        for function in self.functions().await? {
            let mut seen = self.seen.remove(&function).unwrap_or_default();
            let read = read(self.client, &function, &mut seen, &mut lines).await;
            self.seen.insert(function, seen);
            read?;
        }
        lines.sort_by_key(|line: &Line| line.millis);
        lines.iter().for_each(|line| terminal::say(self.shown(line)));
        Ok(())
    }

    async fn functions(&self) -> Result<Vec<String>, Error> {
        if let Some(function) = self.function {
            return Ok(vec![function.to_owned()]);
        }
        let (mut found, mut input) = (Vec::new(), json!({ "logGroupNamePrefix": GROUPS }));
        loop {
            let page = self.client.json("logs", "Logs_20140328.DescribeLogGroups", input.clone()).await?;
            let groups = page["logGroups"].as_array().into_iter().flatten();
            let names = groups.filter_map(|group| group["logGroupName"].as_str()?.strip_prefix(GROUPS));
            found.extend(names.map(str::to_owned));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return Ok(found),
            }
        }
    }

    fn shown(&self, line: &Line) -> String {
        let at = jiff::Timestamp::from_millisecond(line.millis).unwrap_or_default();
        let (dim, name, end) =
            if self.is_coloured { ("\x1b[2m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
        match self.function {
            Some(_) => format!("{dim}{at:.3}{end} {}", line.text),
            None => format!("{dim}{at:.3}{end} {name}{}{end} {}", line.function, line.text),
        }
    }
}

/// Adds the function's lines that were not seen before.
async fn read(client: &Client, function: &str, seen: &mut Seen, lines: &mut Vec<Line>) -> Result<(), Error> {
    let mut input = json!({ "logGroupName": format!("{GROUPS}{function}"), "startTime": seen.millis });
    loop {
        let page = client.json("logs", "Logs_20140328.FilterLogEvents", input.clone()).await?;
        for event in page["events"].as_array().into_iter().flatten() {
            if let Some((millis, text)) = seen.take(event) {
                lines.push(Line { millis, function: function.to_owned(), text });
            }
        }
        match page.get("nextToken") {
            Some(token) => input["nextToken"] = token.clone(),
            None => return Ok(()),
        }
    }
}

impl Seen {
    /// The time and text of an event, unless it was seen already.
    fn take(&mut self, event: &Value) -> Option<(i64, String)> {
        let millis = event["timestamp"].as_i64().unwrap_or_default();
        let id = event["eventId"].as_str().unwrap_or_default();
        if millis == self.millis && self.ids.iter().any(|known| known == id) {
            return None;
        }
        if millis > self.millis {
            *self = Self { millis, ids: Vec::new() };
        }
        self.ids.push(id.to_owned());
        Some((millis, event["message"].as_str().unwrap_or_default().trim_end().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_shown_once() {
        let mut seen = Seen::default();
        let mut take = |millis: i64, id: &str| {
            seen.take(&json!({ "timestamp": millis, "eventId": id, "message": "m\n" })).is_some()
        };
        let shown = [take(1, "a"), take(1, "b"), take(1, "a"), take(2, "c"), take(2, "c"), take(2, "d")];
        assert_eq!(shown, [true, true, false, true, false, true]);
    }
}
