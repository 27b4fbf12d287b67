//! Paths that lead to operations, the most specific first.

use std::collections::BTreeMap;

use super::model::{Operation, Reference};
use super::plan::Plan;

/// The `routes` table of a service that routes by path.
pub(crate) fn table(plan: &Plan<'_>) -> String {
    let mut alike: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, operation) in &plan.model.operations.0 {
        *alike.entry((&operation.http.method, &operation.http.request_uri)).or_default() += 1;
    }
    let mut routes: Vec<Route<'_>> = (plan.model.operations.0.iter())
        .filter(|(name, operation)| !operation.deprecated || plan.operations.contains_key(name.as_str()))
        .map(|(name, operation)| {
            let is_alone = alike[&(operation.http.method.as_str(), operation.http.request_uri.as_str())] == 1;
            Route::new(plan, name, operation, is_alone)
        })
        .collect();
    routes
        .sort_by_key(|route| (route.rank(), !plan.operations.contains_key(route.operation), route.operation));
    // Of routes that no request can tell apart the first stays: a built one, if there is one.
    let mut seen = std::collections::BTreeSet::new();
    routes.retain(|route| seen.insert(route.key()));
    routes.iter().map(Route::text).collect()
}

struct Route<'a> {
    operation: &'a str,
    method: &'a str,
    segments: Vec<&'a str>,
    query: Vec<(&'a str, Option<&'a str>)>,
    headers: Vec<&'a str>,
}

impl<'a> Route<'a> {
    fn new(plan: &Plan<'a>, name: &'a str, operation: &'a Operation, is_alone: bool) -> Self {
        let (path, literals) =
            operation.http.request_uri.split_once('?').unwrap_or((&operation.http.request_uri, ""));
        let mut query: Vec<_> = (literals.split('&').filter(|literal| !literal.is_empty()))
            .map(|literal| match literal.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (literal, None),
            })
            .collect();
        let mut headers = Vec::new();
        if !is_alone {
            // Operations on one path are told apart by what they require: ListParts has an uploadId,
            // CopyObject a source.
            for (place, wire) in required(plan, operation) {
                match place {
                    "querystring" => query.push((wire, None)),
                    "header" => headers.push(wire),
                    _ => {}
                }
            }
        }
        let segments = path.split('/').filter(|segment| !segment.is_empty()).collect();
        Self { operation: name, method: &operation.http.method, segments, query, headers }
    }

    /// Literal segments before labels before greedy ones, long before short, more conditions before fewer.
    fn rank(&self) -> (Vec<u8>, std::cmp::Reverse<usize>) {
        let kinds = self.segments.iter().map(|segment| match segment.strip_prefix('{') {
            None => 0,
            Some(label) if label.ends_with("+}") => 2,
            Some(_) => 1,
        });
        (kinds.collect(), std::cmp::Reverse(self.query.len() + self.headers.len()))
    }

    fn key(&self) -> String {
        let labels =
            self.segments.iter().map(|segment| if segment.starts_with('{') { "{}" } else { segment });
        format!("{} {:?} {:?} {:?}", self.method, labels.collect::<Vec<_>>(), self.query, self.headers)
    }

    fn text(&self) -> String {
        let segments: Vec<_> = self.segments.iter().map(|segment| segment_text(segment)).collect();
        format!(
            "p::Route {{ operation: {:?}, method: {:?}, segments: &[{}], query: &{:?}, headers: &{:?} }},\n",
            self.operation,
            self.method,
            segments.join(", "),
            self.query,
            self.headers
        )
    }
}

fn segment_text(segment: &str) -> String {
    match segment.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
        None => format!("p::Segment::Literal({segment:?})"),
        Some(label) => match label.strip_suffix('+') {
            Some(label) => format!("p::Segment::Greedy({label:?})"),
            None => format!("p::Segment::Label({label:?})"),
        },
    }
}

/// Where and under which wire name `operation`'s required members are.
fn required<'a>(plan: &Plan<'a>, operation: &'a Operation) -> Vec<(&'a str, &'a str)> {
    let Some(Reference { shape, .. }) = &operation.input else { return Vec::new() };
    let shape = plan.model.shape(shape);
    let members = shape.members.0.iter().filter(|(name, _)| shape.required.contains(name));
    members.filter_map(|(_, m)| Some((m.location.as_deref()?, m.location_name.as_deref()?))).collect()
}
