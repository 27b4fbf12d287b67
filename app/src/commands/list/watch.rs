//! What is to be seen of functions at work: instances now, and the last hour's figures.

use std::collections::HashMap;

use pagoda_base::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Error;

const HOUR_SECONDS: i64 = 3_600;
/// CloudWatch takes 500 queries in a call.
const FUNCTIONS_A_CALL: usize = 80;
/// A name for each query, the metric, and its statistic.
const QUERIES: [(&str, &str, &str); 5] = [
    ("invocations", "Invocations", "Sum"),
    ("errors", "Errors", "Sum"),
    ("throttles", "Throttles", "Sum"),
    ("p50", "Duration", "p50"),
    ("p99", "Duration", "p99"),
];

/// The figures of functions, by name: objects with `running`, `idle`, and whatever was measured.
pub(crate) async fn figures(client: &Client, names: &[String]) -> Result<HashMap<String, Value>, Error> {
    let mut figures: HashMap<String, Value> =
        names.iter().map(|name| (name.clone(), json!({ "running": 0, "idle": 0 }))).collect();
    let instances = client.get_json("lambda", "/_pagoda/functions").await?;
    for one in instances["functions"].as_array().into_iter().flatten() {
        let name = one["function"].as_str().unwrap_or_default();
        if let Some(figure) = figures.get_mut(name).filter(|_| one["region"] == client.region.as_str()) {
            (figure["running"], figure["idle"]) = (one["running"].clone(), one["idle"].clone());
        }
    }
    for names in names.chunks(FUNCTIONS_A_CALL) {
        measure(client, names, &mut figures).await?;
    }
    Ok(figures)
}

async fn measure(
    client: &Client,
    names: &[String],
    figures: &mut HashMap<String, Value>,
) -> Result<(), Error> {
    let query = |(number, name): (usize, &String)| {
        QUERIES.map(|(id, metric, stat)| {
            let dimensions = json!([{ "Name": "FunctionName", "Value": name }]);
            let metric = json!({ "Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions });
            let stat = json!({ "Metric": metric, "Period": HOUR_SECONDS, "Stat": stat });
            json!({ "Id": format!("{id}_{number}"), "MetricStat": stat })
        })
    };
    let queries: Vec<Value> = names.iter().enumerate().flat_map(query).collect();
    let now = SystemClock.now().as_second();
    let end = now - now.rem_euclid(60) + 60;
    let input = json!({ "MetricDataQueries": queries, "StartTime": end - HOUR_SECONDS, "EndTime": end });
    let answer = client.json("monitoring", "GraniteServiceVersion20100801.GetMetricData", input).await?;
    for result in answer["MetricDataResults"].as_array().into_iter().flatten() {
        let place = result["Id"].as_str().and_then(|id| id.split_once('_'));
        let Some((id, number)) = place else { continue };
        let name = number.parse().ok().and_then(|number: usize| names.get(number));
        if let (Some(figure), Some(value)) =
            (name.and_then(|name| figures.get_mut(name)), result["Values"].get(0))
        {
            figure[id] = value.clone();
        }
    }
    Ok(())
}

/// A function's figures in a line.
pub(crate) fn line(figure: &Value) -> String {
    let number = |name: &str| figure[name].as_f64().unwrap_or_default();
    let mut text = format!("{} running, {} idle", number("running"), number("idle"));
    if number("invocations") + number("throttles") == 0.0 {
        return text;
    }
    text.push_str(&format!(
        "; last hour: {} invocations, {} errors, {} throttles",
        number("invocations"),
        number("errors"),
        number("throttles")
    ));
    if !figure["p50"].is_null() {
        text.push_str(&format!(", p50 {:.1} ms, p99 {:.1} ms", number("p50"), number("p99")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_there_is_to_tell() {
        let check = |figure: Value, expected: &str| assert_eq!(line(&figure), expected);
        check(json!({ "running": 1, "idle": 2 }), "1 running, 2 idle");
        check(
            json!({ "running": 0, "idle": 0, "invocations": 3.0, "errors": 1.0, "p50": 1.25, "p99": 10.0 }),
            "0 running, 0 idle; last hour: 3 invocations, 1 errors, 0 throttles, p50 1.2 ms, p99 10.0 ms",
        );
    }
}
