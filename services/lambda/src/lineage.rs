//! The lineage in a trace header: which functions a chain of requests went through, and how often.
//!
//! `Lineage=a87bd80c:3|68fd508a:1`: eight hexadecimal digits of the hash of each function's ARN, and a count.
//! AWS's own form is not documented; whoever is not Lambda hands it on as it is.
//!
//! Source: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use aws_lc_rs::digest::{SHA256, digest};

const FIELD: &str = "Lineage=";
/// Functions that are remembered; the first ones are forgotten when there are more.
const FUNCTIONS_MAX: usize = 32;

/// How often the function was invoked on the way.
pub(crate) fn times(trace: &str, arn: &str) -> u32 {
    let name = name(arn);
    entries(trace).into_iter().find(|(one, _)| *one == name).map_or(0, |(_, times)| times)
}

/// The lineage, with the function's next invocation.
pub(crate) fn with(trace: Option<&str>, arn: &str) -> String {
    let name = name(arn);
    let mut entries = trace.map(entries).unwrap_or_default();
    match entries.iter_mut().find(|(one, _)| *one == name) {
        Some((_, times)) => *times = times.saturating_add(1),
        None => entries.push((&name, 1)),
    }
    let first = entries.len().saturating_sub(FUNCTIONS_MAX);
    let entries: Vec<String> =
        entries[first..].iter().map(|(name, times)| format!("{name}:{times}")).collect();
    format!("{FIELD}{}", entries.join("|"))
}

fn entries(trace: &str) -> Vec<(&str, u32)> {
    let lineage = trace.split(';').find_map(|field| field.trim().strip_prefix(FIELD));
    let entries = lineage.unwrap_or_default().split('|').take(FUNCTIONS_MAX);
    entries
        .filter_map(|entry| entry.split_once(':').map(|(name, times)| Some((name, times.parse().ok()?))))
        .flatten()
        .collect()
}

fn name(arn: &str) -> String {
    hex::encode(&digest(&SHA256, arn.as_bytes()).as_ref()[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lineage_counts_each_function() {
        let first = with(None, "a");
        assert_eq!((times(&first, "a"), times(&first, "b")), (1, 0));
        let mut trace = format!("Root=1-2-3;Parent=4;Sampled=0;{first}");
        for _ in 0..3 {
            trace = with(Some(&trace), "b");
        }
        assert_eq!((times(&trace, "a"), times(&trace, "b")), (1, 3));
        for number in 0..100 {
            trace = with(Some(&trace), &number.to_string());
        }
        assert_eq!(
            (times(&trace, "a"), times(&trace, "99"), trace.matches(':').count()),
            (0, 1, FUNCTIONS_MAX)
        );
        for wild in ["", "Lineage=", "Lineage=:", "Lineage=x:y|:1", "Lineage=a:99999999999"] {
            assert_eq!(times(wild, "a"), 0, "{wild}");
        }
    }
}
